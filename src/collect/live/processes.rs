//! The processes of all samples, what they had mapped, and whose sockets are whose.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::is_denied;
use super::modules::{Module, modules};
use super::process::{Seen, identity, look, pids, stat_of};
use super::traffic::{Owner, ProcessKey};
use crate::collect::losses::Losses;
use crate::model::cell::AbsPath;
use crate::model::state::TableState;
use crate::model::table::{Process, ProcessModule};

/// Most processes that are kept.
const MOST_PROCESSES: usize = 100_000;
/// Most mapped files that are kept, of all processes.
const MOST_MODULES: usize = 4_000_000;
/// Most open files that are looked at in one sample.
const MOST_OPEN: usize = 500_000;

#[derive(Debug)]
struct Alive {
    started: u64,
    /// Whether it was looked at a second time, by when a new program has replaced its parent's.
    settled: bool,
    /// Whether its open files may not be seen.
    closed: bool,
}

#[derive(Debug)]
struct Kept {
    seen: Seen,
    modules: BTreeSet<Module>,
    modules_denied: bool,
}

/// Every process seen.
pub(super) struct ProcessLog {
    proc: PathBuf,
    own: i64,
    own_root: Option<(u64, u64)>,
    alive: BTreeMap<i64, Alive>,
    kept: BTreeMap<ProcessKey, Kept>,
    modules: usize,
    overflow: bool,
    /// Whether the open files of some process may not be seen.
    pub(super) closed: bool,
    /// Whether /proc hides processes of other users (`hidepid`).
    hidden: bool,
    /// Why /proc could not be listed.
    failed: Option<io::Error>,
}

impl ProcessLog {
    /// A log over a /proc.
    pub(super) fn new(proc: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
            own: i64::from(std::process::id()),
            own_root: identity(&proc.join("self/root")),
            alive: BTreeMap::new(),
            kept: BTreeMap::new(),
            modules: 0,
            overflow: false,
            closed: false,
            hidden: false,
            failed: None,
        }
    }

    /// Looks for processes that are new, and again at those that were new the last time.
    pub(super) fn sample(&mut self) {
        let pids = match pids(&self.proc) {
            Ok(pids) => pids,
            Err(error) => {
                self.failed = Some(error);
                return;
            }
        };
        let there: BTreeSet<i64> = pids.iter().copied().collect();
        self.hidden |= !there.contains(&1);
        self.alive.retain(|pid, _| there.contains(pid));
        for pid in pids {
            let settled = self.alive.get(&pid).map(|alive| alive.settled);
            if settled != Some(true) {
                self.visit(pid, settled.is_some());
            }
        }
    }

    /// Looks at every living process once more: names, users and libraries change.
    pub(super) fn finish(&mut self) {
        let alive: Vec<i64> = self.alive.keys().copied().collect();
        for pid in alive {
            self.visit(pid, true);
        }
    }

    fn visit(&mut self, pid: i64, settled: bool) {
        let directory = self.proc.join(pid.to_string());
        let stat = match stat_of(&directory) {
            Ok(stat) => stat,
            Err(error) => {
                self.hidden |= is_denied(&error);
                return;
            }
        };
        let key = (pid, stat.started);
        if self.kept.len() >= MOST_PROCESSES && !self.kept.contains_key(&key) {
            self.overflow = true;
            return;
        }
        let Some(seen) = look(&directory, pid, &stat, self.own_root) else { return };
        let mapped =
            if seen.kernel || seen.contained { Ok(BTreeSet::new()) } else { modules(&directory) };
        let alive = Alive { started: stat.started, settled, closed: false };
        self.alive.insert(pid, alive);
        let kept = self.kept.entry(key).or_insert_with(|| Kept {
            seen: seen.clone(),
            modules: BTreeSet::new(),
            modules_denied: false,
        });
        // A process that is about to end has no program and no command line any more.
        let ending = seen.process.exe.is_none() && kept.seen.process.exe.is_some();
        if !ending {
            kept.seen = seen;
        }
        match mapped {
            Ok(mapped) => {
                kept.modules_denied = false;
                for module in mapped {
                    if self.modules < MOST_MODULES {
                        self.modules += usize::from(kept.modules.insert(module));
                    } else {
                        self.overflow = true;
                    }
                }
            }
            Err(error) if is_denied(&error) => {
                kept.modules_denied = kept.modules.is_empty();
            }
            Err(_) => {}
        }
    }

    /// The processes that have these sockets open, by inode. Those that own sockets already are
    /// asked first; where several have one, the one with the lowest id is taken.
    pub(super) fn owners(
        &mut self,
        wanted: &BTreeSet<u64>,
        likely: &BTreeSet<i64>,
    ) -> BTreeMap<u64, ProcessKey> {
        let mut owners = BTreeMap::new();
        let mut left = MOST_OPEN;
        let others = self.alive.keys().copied().filter(|pid| !likely.contains(pid));
        let order: Vec<i64> = likely.iter().copied().chain(others).collect();
        for pid in order {
            if owners.len() == wanted.len() || left == 0 {
                break;
            }
            let Some(alive) = self.alive.get_mut(&pid).filter(|alive| !alive.closed) else {
                continue;
            };
            let open = match fs::read_dir(self.proc.join(pid.to_string()).join("fd")) {
                Ok(open) => open,
                Err(error) => {
                    alive.closed = is_denied(&error);
                    self.closed |= alive.closed;
                    continue;
                }
            };
            for file in open.flatten().take(left) {
                left -= 1;
                let link = fs::read_link(file.path());
                // The list may be shown where what is in it may not.
                if link.as_ref().is_err_and(is_denied) {
                    alive.closed = true;
                    self.closed = true;
                    break;
                }
                let inode = link.ok().and_then(|link| socket_inode(&link));
                if let Some(inode) = inode.filter(|inode| wanted.contains(inode)) {
                    owners.entry(inode).or_insert((pid, alive.started));
                }
            }
        }
        owners
    }

    /// What a socket's row says of its owner.
    pub(super) fn owner(&self, key: ProcessKey) -> Option<Owner> {
        let process = &self.kept.get(&key)?.seen.process;
        Some(Owner {
            pid: process.pid,
            exe: process.exe.as_ref().map(|exe| exe.0.clone()),
            name: process.name.clone(),
        })
    }

    /// The rows of both tables. This process, which only looks, is left out.
    pub(super) fn rows(self) -> ((TableState, Vec<Process>), (TableState, Vec<ProcessModule>)) {
        let (mut processes, mut mapped) = (Vec::new(), Vec::new());
        let (mut exes, mut maps) = (Losses::default(), Losses::default());
        for ((pid, _), kept) in self.kept {
            let process = kept.seen.process;
            if pid == self.own {
                continue;
            }
            let shown = format!("{} ({pid})", process.name);
            if kept.seen.exe_denied && !kept.seen.kernel {
                exes.add(&shown, "not permitted");
            }
            if kept.modules_denied {
                maps.add(&shown, "not permitted");
            }
            mapped.extend(kept.modules.into_iter().map(|(path, deleted)| ProcessModule {
                pid,
                path: AbsPath(path.into()),
                deleted,
            }));
            processes.push(process);
        }
        let whole = match self.failed {
            Some(error) => TableState::denied(format!("/proc could not be listed ({error})")),
            None if self.overflow => TableState::truncated(format!(
                "there are more than {MOST_PROCESSES} processes or {MOST_MODULES} mapped files"
            )),
            None if self.hidden => {
                TableState::truncated("/proc hides the processes of other users (hidepid)")
            }
            None => TableState::Collected,
        };
        let state = |losses: Losses, what: &str| match (&whole, losses.state(what)) {
            (TableState::Collected, state) => state,
            (whole, _) => whole.clone(),
        };
        (
            (state(exes, "executables of processes"), processes),
            (state(maps, "lists of mapped files"), mapped),
        )
    }
}

/// `socket:[12345]`.
fn socket_inode(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}
