//! The listener that the library reports to while it works.

use std::sync::{Mutex, PoisonError};

use super::Diagnostic;

/// Hears about progress and warnings. Every method has a do-nothing default, and may be called
/// from several threads at once.
pub trait Monitor: Sync {
    /// A named phase begins; `total` is how many steps are expected, where that is known.
    fn begin(&self, _phase: &str, _total: Option<u64>) {}
    /// `steps` more steps of the current phase are done.
    fn advance(&self, _steps: u64) {}
    /// The current phase is over.
    fn end(&self) {}
    /// Something that the user must hear about, and that does not stop the work.
    fn warn(&self, _diagnostic: Diagnostic) {}
    /// Whether the user asked to stop early: long observations end cleanly and keep what was seen.
    fn stop_requested(&self) -> bool {
        false
    }
}

/// A monitor that ignores everything.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Monitor for Silent {}

/// A monitor that keeps the warnings, for tests and for callers that show them later.
#[derive(Debug, Default)]
pub struct Recorder {
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Recorder {
    /// The warnings heard so far, in order; the recorder is empty afterwards.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Monitor for Recorder {
    fn warn(&self, diagnostic: Diagnostic) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(diagnostic);
    }
}
