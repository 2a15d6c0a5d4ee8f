//! Rank 1. A report to bytes. Total: every format carries the same findings, nothing is filtered here.
//! One file a format; a new one is its file, and its row in [`Format`].
//!
//! A report is made piece by piece ([`Emitter`]), so that thousands of hosts need never be in memory
//! at once; [`write`] makes one that is there whole.

mod escape;
pub mod inspector;
mod ndjson;
mod sarif;
mod text;

use std::io::{self, Write};
use std::sync::Arc;

pub use escape::escape;

use crate::model::finding::{HostReport, Report, RuleInfo};
use crate::model::summary::Summary;

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

/// The bytes of one output: what comes first, a piece for each host, what comes last. Pieces can be
/// made by several threads at once; a [`Stream`] puts them together in the order of the hosts.
#[derive(Debug, Clone)]
pub struct Emitter {
    /// The format.
    pub format: Format,
    /// How it is to look.
    pub style: Style,
    /// The rules that findings point into.
    pub rules: Arc<[RuleInfo]>,
    /// The version of assay.
    pub version: &'static str,
    /// How many hosts there are to judge: with many, the text is about the fleet.
    pub targets: usize,
}

impl Emitter {
    fn first(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::Text => text::first(self, out),
            Format::Inspector => inspector::first(out),
            Format::Ndjson => Ok(()),
            Format::Sarif => sarif::first(out),
        }
    }

    /// The piece of one host.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn host(&self, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::Text => text::host(self, host, out),
            Format::Inspector => inspector::host(self, host, out),
            Format::Ndjson => ndjson::host(self, host, out),
            Format::Sarif => sarif::host(self, host, out),
        }
    }

    /// The piece of all hosts together.
    fn all(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::Text => text::all(self, summary, out),
            Format::Inspector => Ok(()),
            Format::Ndjson => ndjson::all(summary, out),
            Format::Sarif => sarif::all(self, summary, out),
        }
    }

    fn last(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::Text | Format::Ndjson => Ok(()),
            Format::Inspector => inspector::last(out),
            Format::Sarif => sarif::last(out),
        }
    }

    /// What stands between two pieces.
    fn separator(&self) -> &'static [u8] {
        match self.format {
            Format::Text | Format::Ndjson => b"",
            Format::Inspector | Format::Sarif => b",\n",
        }
    }
}

/// An output that is being written.
#[derive(Debug)]
pub struct Stream<W> {
    emitter: Emitter,
    out: W,
    any: bool,
}

impl<W: Write> Stream<W> {
    /// Begins an output.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn begin(emitter: Emitter, mut out: W) -> io::Result<Self> {
        emitter.first(&mut out)?;
        Ok(Self { emitter, out, any: false })
    }

    /// Writes the piece that [`Emitter::host`] made of the next host.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn piece(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.any {
            self.out.write_all(self.emitter.separator())?;
        }
        self.any = true;
        self.out.write_all(piece)
    }

    /// Ends the output and gives back what it was written to.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn end(mut self, summary: &Summary) -> io::Result<W> {
        let mut piece = Vec::new();
        self.emitter.all(summary, &mut piece)?;
        self.piece(&piece)?;
        self.emitter.last(&mut self.out)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes a report that is there whole.
///
/// # Errors
/// The output refuses the bytes.
pub fn write(format: Format, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (rules, version) = (Arc::clone(&report.rules), report.version);
    let targets = report.hosts.len() + report.refused.len();
    let emitter = Emitter { format, style, rules, version, targets };
    let mut stream = Stream::begin(emitter.clone(), out)?;
    for host in &report.hosts {
        let mut piece = Vec::new();
        emitter.host(host, &mut piece)?;
        stream.piece(&piece)?;
    }
    stream.end(&Summary::of(report)).map(drop)
}
