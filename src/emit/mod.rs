//! Rank 1. A report to bytes. Total: every format carries the same findings, nothing is filtered here.
//! One file a format; a new one is its file, and its row in [`Format`].

mod escape;
pub mod inspector;
mod ndjson;
mod sarif;
mod text;

use std::io::{self, Write};

pub use escape::escape;

use crate::model::finding::Report;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// Inspector's DescribeFindings.
    Inspector,
    /// One JSON object a line.
    Ndjson,
    /// SARIF 2.1.0.
    Sarif,
}

impl Format {
    /// Every format with its name on the command line.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Text, "text"),
        (Self::Inspector, "inspector"),
        (Self::Ndjson, "ndjson"),
        (Self::Sarif, "sarif"),
    ];
}

/// What an emitter may be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// ndjson: one line for every rule judged.
    pub outcomes: bool,
    /// text: with terminal colours.
    pub colour: bool,
}

/// Writes a report.
///
/// # Errors
/// The output refuses the bytes.
pub fn write(format: Format, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Inspector => inspector::write(report, out),
        Format::Ndjson => ndjson::write(report, style, out),
        Format::Sarif => sarif::write(report, out),
    }
}
