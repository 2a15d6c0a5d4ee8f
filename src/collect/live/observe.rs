//! The observation window: sockets and processes, sampled until it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::files::read_text;
use super::finished::Finished;
use super::processes::ProcessLog;
use super::sockets::{Protocol, parse};
use super::traffic::{MOST_SOCKETS, SocketLog};
use crate::diagnostic::Monitor;
use crate::model::state::TableState;
use crate::model::table::{Process, ProcessModule, Socket};

/// The time from one sample to the next.
const INTERVAL: Duration = Duration::from_millis(200);
/// A sample may take this part of the time until the next one: 5 % of one core.
const SHARE: u32 = 20;
/// The longest time between two samples, so that what is there for a second or two is seen.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// How soon a stop is heard.
const PATIENCE: Duration = Duration::from_millis(50);
/// Longest list of sockets: about a million of them.
const LONGEST: u64 = 256 * 1024 * 1024;
/// How often the owner of a socket is looked for.
const TRIES: u8 = 3;

/// What was seen in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Listening and connected sockets of this network namespace.
    pub sockets: (TableState, Vec<Socket>),
    /// Processes, this one left out.
    pub processes: (TableState, Vec<Process>),
    /// What they had mapped.
    pub process_modules: (TableState, Vec<ProcessModule>),
    /// For how long it really was observed.
    pub observed: Duration,
    /// Whether it ended because the monitor asked for it.
    pub stopped: bool,
}

/// Observes sockets and processes of the running host for `duration`; zero is one look.
///
/// A sample is taken every 200 ms, or less often (every second at least) where there is so much to
/// see that it would cost more than 5 % of one core, and one at the end. Rows are everything that was in any sample.
/// Connections that were closed between two samples are heard of from the kernel where this
/// process may administer the network (root), and otherwise seen only while the kernel keeps them
/// (`TIME_WAIT`, a minute, on the side that closed first).
///
/// A listener had traffic if a connection to its port was seen in any state. For a window of zero,
/// and for UDP, whose datagrams leave no trace once they are read, only `true` is ever said.
/// A UDP socket that is not connected counts as a listener, whatever its process does with it.
///
/// Without root the owners of other users' sockets, their executables and what they have mapped
/// cannot be seen; the states of the tables say so. Processes in containers are listed without an
/// executable, since their paths are not this host's; their sockets are in other network
/// namespaces and are not seen. Progress is told in seconds.
pub fn observe(duration: Duration, monitor: &dyn Monitor) -> Observation {
    Observer::new(Path::new("/proc")).run(duration, monitor)
}

/// The time that this thread has had a processor for: what a sample costs others, however long it
/// has to wait for its turn.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

struct Observer {
    proc: PathBuf,
    sockets: SocketLog,
    processes: ProcessLog,
    finished: Option<Finished>,
    tries: BTreeMap<u64, u8>,
    likely: BTreeSet<i64>,
    failed: Option<(String, io::Error)>,
}

impl Observer {
    fn new(proc: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
            sockets: SocketLog::default(),
            processes: ProcessLog::new(proc),
            finished: None,
            tries: BTreeMap::new(),
            likely: BTreeSet::new(),
            failed: None,
        }
    }

    fn run(mut self, duration: Duration, monitor: &dyn Monitor) -> Observation {
        let window = !duration.is_zero();
        if window {
            self.finished = Finished::listen();
            monitor.begin("sockets and processes", Some(duration.as_secs()));
        }
        let start = Instant::now();
        let mut told = 0;
        let mut stopped = false;
        loop {
            let began = worked();
            self.sample();
            let elapsed = start.elapsed();
            if elapsed >= duration {
                break;
            }
            let cost = worked().saturating_sub(began).saturating_mul(SHARE);
            let pause = cost.clamp(INTERVAL, LONGEST_INTERVAL);
            let until = start + (elapsed + pause).min(duration);
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                stopped = monitor.stop_requested();
                if stopped || left.is_zero() {
                    break;
                }
                std::thread::sleep(left.min(PATIENCE));
                let seconds = start.elapsed().as_secs().min(duration.as_secs());
                monitor.advance(seconds - told);
                told = seconds;
            }
            if stopped {
                self.sample();
                break;
            }
        }
        let observed = if window { start.elapsed() } else { Duration::ZERO };
        if window {
            self.processes.finish();
            monitor.end();
        }
        self.result(window, observed, stopped)
    }

    fn sample(&mut self) {
        self.processes.sample();
        self.sockets.begin_sample();
        let mut wanted = BTreeSet::new();
        for protocol in Protocol::ALL {
            let path = self.proc.join("self/net").join(protocol.name());
            match read_text(&path, LONGEST) {
                Ok((text, whole)) => {
                    self.sockets.overflow |= !whole;
                    for socket in parse(protocol, &text) {
                        if self.sockets.see(&socket) {
                            wanted.extend(socket.inode);
                        }
                    }
                }
                // A kernel without IPv6 has no list of its sockets.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.failed = Some((path.display().to_string(), error)),
            }
        }
        if let Some(finished) = &mut self.finished {
            finished.drain(&mut |socket| self.sockets.finished(&socket));
        }
        self.own(wanted);
    }

    /// Looks for the owners of sockets that have none yet, a few times each.
    fn own(&mut self, mut wanted: BTreeSet<u64>) {
        wanted.retain(|inode| {
            let tries = self.tries.entry(*inode).or_default();
            *tries = tries.saturating_add(1);
            *tries <= TRIES
        });
        if wanted.is_empty() {
            return;
        }
        let owners = self.processes.owners(&wanted, &self.likely);
        self.likely.extend(owners.values().map(|(pid, _)| *pid));
        self.sockets.own(&owners);
    }

    fn result(self, window: bool, observed: Duration, stopped: bool) -> Observation {
        let overflow = self.sockets.overflow;
        let processes = self.processes;
        let closed = processes.closed;
        let (sockets, unseen) = self.sockets.rows(window, |key| processes.owner(key));
        let state = match self.failed {
            Some((path, error)) => {
                TableState::truncated(format!("{path} could not be read ({error})"))
            }
            None if overflow => {
                TableState::truncated(format!("there are more than {MOST_SOCKETS} sockets"))
            }
            // With the right to see all, what has no owner is a socket of the kernel.
            None if unseen > 0 && closed => TableState::truncated(format!(
                "the processes that own {unseen} sockets could not be seen"
            )),
            None => TableState::Collected,
        };
        let (processes, process_modules) = processes.rows();
        Observation { sockets: (state, sockets), processes, process_modules, observed, stopped }
    }
}
