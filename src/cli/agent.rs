//! `assay agent`: this host's snapshot, kept fresh in a directory.

use std::path::Path;
use std::time::{Duration, Instant};

use super::args::Agent;
use super::output::unwritten;
use super::source::{self, Wanted};
use super::{Exit, Failure, render};
use crate::model::table::Host;
use crate::model::view::View;
use crate::snapshot::{Codec, Snapshot, abandon_parts, write_atomically};

pub(super) fn run(arguments: &Agent) -> Result<Exit, Failure> {
    let Agent::Run(arguments) = arguments;
    std::fs::create_dir_all(&arguments.out).map_err(|error| unwritten(&arguments.out, &error))?;
    end_on_signals();
    let wanted = Wanted {
        root: arguments.root.as_deref(),
        tags: &arguments.tag,
        duration: arguments.duration,
        sections: None,
    };
    let Some(every) = arguments.every else {
        keep(wanted, &arguments.out)?;
        return Ok(Exit::Clean);
    };
    loop {
        let begun = Instant::now();
        // What went wrong was told, and may go well the next time.
        let _ = keep(wanted, &arguments.out);
        std::thread::sleep(every.saturating_sub(begun.elapsed()));
    }
}

/// Collects, and puts the snapshot in the place of the one before.
fn keep(wanted: Wanted<'_>, folder: &Path) -> Result<(), Failure> {
    let bytes = source::collect_from(wanted, Codec::Zstd)?;
    let path = folder.join(format!("{}.assay", name(bytes.clone())?));
    write_atomically(&path, &bytes).map_err(|error| unwritten(&path, &error))
}

/// The agent's id, as the name of a file.
fn name(bytes: Vec<u8>) -> Result<String, Failure> {
    let hosts = Snapshot::from_bytes(bytes)
        .map_err(|error| error.to_string())
        .and_then(|snapshot| {
            View::new(&snapshot).typed::<Host>().map_err(|error| error.to_string())
        })
        .map_err(|problem| {
            render::line(&format!("error: what was collected cannot be read: {problem}"));
            Failure::Told(Exit::Internal)
        })?;
    let id = hosts.1.first().map_or("", |host| &*host.agent_id);
    Ok(file_name(id))
}

/// An id with nothing in it that means something in a path.
fn file_name(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = id.trim_start_matches('.').chars().take(128).map(plain).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}

/// A signal ends the agent, as its owner wishes; no half of a snapshot is left.
#[expect(clippy::exit, reason = "nothing else ends a thread that sleeps")]
fn end_on_signals() {
    // Without a handler signals end the program too.
    let _ = ctrlc::set_handler(|| {
        let _nobody_begins_another = abandon_parts();
        std::process::exit(i32::from(Exit::Clean as u8));
    });
}

/// The longest time between two snapshots.
const LONGEST: Duration = Duration::from_hours(24 * 31);
/// The shortest.
const SHORTEST: Duration = Duration::from_secs(1);

/// The time between two snapshots, for example 1h.
pub(super) fn every(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|d| d.try_into().ok());
    parsed
        .filter(|every| (SHORTEST..=LONGEST).contains(every))
        .ok_or_else(|| "a time is for example 15m, 1h or 24h, from 1s to 744h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_nowhere_else() {
        assert_eq!(file_name("i-0abc"), "i-0abc");
        assert_eq!(file_name("../../etc/x\0\n"), "_.._etc_x__");
        assert_eq!(file_name(""), "host");
        assert_eq!(file_name(&"é".repeat(500)).len(), 128);
    }

    #[test]
    fn a_period_has_bounds() {
        assert_eq!(every("1h"), Ok(Duration::from_hours(1)));
        for bad in ["0s", "500ms", "-1h", "x", "", "745h"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
