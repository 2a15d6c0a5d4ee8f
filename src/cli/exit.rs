//! The exit codes, which other programs rely on.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Evaluated, nothing at or above the gate.
    Clean = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Bad rules, waivers or advisories.
    BadRules = 3,
    /// Bad snapshot, image or root.
    BadInput = 4,
    /// Nothing was evaluated.
    Nothing = 5,
    /// A mistake in assay itself.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
