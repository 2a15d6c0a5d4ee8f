//! Rank 1. A report to bytes. Total: every format carries the same findings, nothing is filtered here.
//! One file a format; a new one is its file, and its row in [`Format`].
//!
//! Most formats are made piece by piece ([`Emitter`]), so that thousands of hosts need never be in
//! memory at once. Those that are laid out whole (charts and contents stand before what they are
//! about) are made of a [`Document`], which holds every text once. [`write`] makes a report that is
//! there whole.

mod asff;
pub mod chart;
mod csv;
mod cyclonedx;
pub mod document;
mod escape;
mod html;
pub mod inspector;
mod junit;
mod ndjson;
mod pdf;
mod sarif;
mod text;
mod time;

use std::io::{self, Write};
use std::sync::Arc;

pub use document::Document;
pub use escape::{escape, lines};

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
    /// One page that needs nothing else.
    Html,
    /// Pages to print and keep.
    Pdf,
    /// Comma separated values (RFC 4180).
    Csv,
    /// JUnit's XML: a test case for each rule.
    Junit,
    /// Amazon Security Finding Format.
    Asff,
    /// CycloneDX 1.6: findings as vulnerabilities of hosts and packages.
    CycloneDx,
}

impl Format {
    /// Every format with its name on the command line.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Text, "text"),
        (Self::Inspector, "inspector"),
        (Self::Ndjson, "ndjson"),
        (Self::Sarif, "sarif"),
        (Self::Html, "html"),
        (Self::Pdf, "pdf"),
        (Self::Csv, "csv"),
        (Self::Junit, "junit"),
        (Self::Asff, "asff"),
        (Self::CycloneDx, "cyclonedx"),
    ];

    const fn form(self) -> Form {
        match self {
            Self::Text => Form::Pieces(text::PIECES),
            Self::Inspector => Form::Pieces(inspector::PIECES),
            Self::Ndjson => Form::Pieces(ndjson::PIECES),
            Self::Sarif => Form::Pieces(sarif::PIECES),
            Self::Html => Form::Whole(html::write),
            Self::Pdf => Form::Whole(pdf::write),
            Self::Csv => Form::Pieces(csv::PIECES),
            Self::Junit => Form::Pieces(junit::PIECES),
            Self::Asff => Form::Pieces(asff::PIECES),
            Self::CycloneDx => Form::Whole(cyclonedx::write),
        }
    }
}

/// How a format is made.
enum Form {
    Pieces(Pieces),
    Whole(fn(&Document, &mut dyn Write) -> io::Result<()>),
}

/// The pieces of a format, in their order.
#[derive(Clone, Copy)]
struct Pieces {
    first: fn(&Emitter, &mut dyn Write) -> io::Result<()>,
    host: fn(&Emitter, &HostReport, &mut dyn Write) -> io::Result<()>,
    /// About all hosts together.
    all: fn(&Emitter, &Summary, &mut dyn Write) -> io::Result<()>,
    last: fn(&mut dyn Write) -> io::Result<()>,
    /// What stands between two pieces of hosts, and before what is about all.
    separator: &'static str,
}

/// What an emitter may be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// ndjson: one line for every rule judged.
    pub outcomes: bool,
    /// text: with terminal colours.
    pub colour: bool,
    /// Documents: only the findings, not also every rule that was checked.
    pub findings_only: bool,
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
    /// The CIS profile that was judged.
    pub profile: Option<Arc<str>>,
    /// The version of assay.
    pub version: &'static str,
    /// How many hosts there are to judge: with many, the text is about the fleet.
    pub targets: usize,
}

impl Emitter {
    /// The piece of one host; empty where the format is laid out whole.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn host(&self, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
        match self.format.form() {
            Form::Pieces(pieces) => (pieces.host)(self, host, out),
            Form::Whole(_) => Ok(()),
        }
    }
}

/// An output that is being written.
#[derive(Debug)]
pub struct Stream<W> {
    emitter: Emitter,
    document: Document,
    out: W,
    any: bool,
}

impl<W: Write> Stream<W> {
    /// Begins an output.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn begin(emitter: Emitter, mut out: W) -> io::Result<Self> {
        if let Form::Pieces(pieces) = emitter.format.form() {
            (pieces.first)(&emitter, &mut out)?;
        }
        Ok(Self { document: Document::new(&emitter), emitter, out, any: false })
    }

    /// Takes the next host, with the piece that [`Emitter::host`] made of it.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn host(&mut self, host: &HostReport, piece: &[u8]) -> io::Result<()> {
        match self.emitter.format.form() {
            Form::Pieces(pieces) => self.piece(pieces.separator, piece),
            Form::Whole(_) => {
                self.document.add(host);
                Ok(())
            }
        }
    }

    fn piece(&mut self, separator: &str, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.any {
            self.out.write_all(separator.as_bytes())?;
        }
        self.any = true;
        self.out.write_all(piece)
    }

    /// Ends the output and gives back what it was written to.
    ///
    /// # Errors
    /// The output refuses the bytes.
    pub fn end(mut self, summary: &Summary) -> io::Result<W> {
        match self.emitter.format.form() {
            Form::Pieces(pieces) => {
                let mut piece = Vec::new();
                (pieces.all)(&self.emitter, summary, &mut piece)?;
                self.piece(pieces.separator, &piece)?;
                (pieces.last)(&mut self.out)?;
            }
            Form::Whole(write) => {
                self.document.refused.clone_from(&summary.refused);
                write(&self.document, &mut self.out)?;
            }
        }
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
    let profile = report.profile.clone();
    let emitter = Emitter { format, style, rules, profile, version, targets };
    let mut stream = Stream::begin(emitter.clone(), out)?;
    stream.document.about.clone_from(&report.about);
    for exclusion in &report.exclusions {
        stream.document.exclude(exclusion, None);
    }
    for host in &report.hosts {
        let mut piece = Vec::new();
        emitter.host(host, &mut piece)?;
        stream.host(host, &piece)?;
    }
    stream.end(&Summary::of(report)).map(drop)
}
