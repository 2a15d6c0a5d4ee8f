//! What a scan's result means for a pipeline.

use crate::model::finding::{HostReport, Severity, Status, Verdict};

/// When a pipeline must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The least severity that stops; none: never.
    pub fail_on: Option<Severity>,
    /// Whether unknown verdicts stop too.
    pub strict: bool,
}

/// What counts for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Open findings at or above the gate, or unknown verdicts where the gate is strict.
    pub stops: usize,
    /// Rules judged on all hosts, those that do not apply left out.
    pub judged: usize,
    /// Hosts that could not be read.
    pub refused: usize,
}

impl Tally {
    /// Counts a host against a gate.
    pub fn add(&mut self, host: &HostReport, gate: Gate) {
        let stops = host.findings.iter().filter(|finding| {
            finding.status == Status::Open
                && gate.fail_on.is_some_and(|least| finding.severity >= least)
        });
        self.stops += stops.count();
        for outcome in &host.outcomes {
            match outcome.verdict {
                Verdict::NotApplicable(_) => continue,
                Verdict::Unknown(_) if gate.strict => self.stops += 1,
                _ => {}
            }
            self.judged += 1;
        }
    }
}
