//! Rank 0. What the library says to people: coded, spanned diagnostics, and the [`Monitor`] that
//! hears about progress and warnings. Nothing here prints; `cli` does.

pub mod codes;
mod monitor;
mod report;

pub use codes::Code;
pub use monitor::{Monitor, Recorder, Silent};
pub use report::{Diagnostic, Level, Source, Span};
