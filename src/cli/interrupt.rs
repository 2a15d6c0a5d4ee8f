//! Ctrl-C, and the signals that ask a program to end. Where somebody observes, the first one ends
//! the observation early; any other ends the program, with no half of a file left behind.

use std::sync::atomic::{AtomicBool, Ordering};

use super::render;
use crate::snapshot::abandon_parts;

/// As a shell tells of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

static OBSERVING: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

/// Listens for signals from now on. `observing` says that the work begins with an observation.
pub(super) fn listen(observing: bool) {
    OBSERVING.store(observing, Ordering::SeqCst);
    // Without a handler signals end the program as they always do.
    let _ = ctrlc::set_handler(heard);
}

/// Whether the observation is to end early.
pub(super) fn stop_requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The observation is over: from now on a signal ends the program.
pub(super) fn observed() {
    OBSERVING.store(false, Ordering::SeqCst);
}

#[expect(clippy::exit, reason = "nothing else ends the other threads")]
fn heard() {
    if OBSERVING.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
        render::line("ending the observation early; once more ends assay at once");
        return;
    }
    let _nobody_begins_another = abandon_parts();
    std::process::exit(INTERRUPTED);
}
