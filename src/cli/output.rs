//! Where the bytes of a scan go: standard output, or files that come to be whole or not at all.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::{Path, PathBuf};

use super::args::{ReportType, Scan};
use super::{Exit, Failure, render, stdout};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::collect as codes;
use crate::emit::{Emitter, Format, Stream, Style};
use crate::model::finding::HostReport;
use crate::model::summary::Summary;
use crate::rules::Plan;
use crate::snapshot::{AtomicFile, check_writable};

/// An output as asked for: the format, and the file; none means standard output.
pub(super) type Output = (Format, Option<PathBuf>);

/// The outputs that the arguments ask for. A file that cannot be written is told before anything
/// is judged.
pub(super) fn outputs(arguments: &Scan) -> Result<Vec<Output>, Failure> {
    let formats: Vec<Format> = if arguments.format.is_empty() {
        vec![Format::Text]
    } else {
        arguments.format.iter().map(|name| name.format()).collect()
    };
    let files = &arguments.output;
    if files.len() > formats.len() || formats.len() > files.len().max(1) {
        render::line(
            "error: give each --format its own -o FILE, in the same order (a single format may go \
             to standard output)",
        );
        return Err(Failure::Told(Exit::Usage));
    }
    files.iter().try_for_each(|path| writable(path))?;
    let files = files.iter().cloned().map(Some).chain(std::iter::repeat(None));
    Ok(formats.into_iter().zip(files).collect())
}

/// Tells where a file cannot be written, before the work begins.
pub(super) fn writable(path: &Path) -> Result<(), Failure> {
    check_writable(path).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        let help = "check the directory and the right to write there";
        render::diagnostic(&Diagnostic::error(codes::UNWRITABLE, message).help(help));
        Failure::Told(Exit::Usage)
    })
}

/// Where bytes go.
enum Place {
    File(PathBuf, BufWriter<AtomicFile>),
    /// Who closes the pipe has seen enough; the verdict stays, and is still to be found.
    Stdout(BufWriter<StdoutLock<'static>>, bool),
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(_, file) => file.write(bytes),
            Self::Stdout(_, true) => Ok(bytes.len()),
            Self::Stdout(out, closed) => match out.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    *closed = true;
                    Ok(bytes.len())
                }
                other => other,
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(_, file) => file.flush(),
            Self::Stdout(_, true) => Ok(()),
            Self::Stdout(out, closed) => match out.flush() {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    *closed = true;
                    Ok(())
                }
                other => other,
            },
        }
    }
}

/// The outputs of a scan while they are written.
pub(super) struct Outputs {
    emitters: Vec<Emitter>,
    streams: Vec<Stream<Place>>,
}

impl Outputs {
    /// Begins every output.
    pub(super) fn begin(
        outputs: &[Output],
        arguments: &Scan,
        plan: &Plan,
        targets: usize,
    ) -> Result<Self, Failure> {
        let mut begun = Self { emitters: Vec::new(), streams: Vec::new() };
        for (format, file) in outputs {
            let (place, colour) = match file {
                Some(path) => {
                    let file = AtomicFile::create(path).map_err(|error| unwritten(path, &error))?;
                    (Place::File(path.clone(), BufWriter::new(file)), false)
                }
                None => {
                    let colour = io::stdout().is_terminal() && render::no_colour_is_unset();
                    (Place::Stdout(stdout(), false), colour)
                }
            };
            let emitter = Emitter {
                format: *format,
                style: Style {
                    outcomes: arguments.outcomes,
                    colour,
                    findings_only: arguments.report_type == ReportType::Finding,
                },
                rules: std::sync::Arc::clone(&plan.rules),
                profile: plan.profile.clone(),
                version: env!("CARGO_PKG_VERSION"),
                targets,
            };
            begun.streams.push(Stream::begin(emitter.clone(), place)?);
            begun.emitters.push(emitter);
        }
        Ok(begun)
    }

    /// The emitters, one for each output.
    pub(super) fn emitters(&self) -> Vec<Emitter> {
        self.emitters.clone()
    }

    /// Writes the next host, with what [`pieces`] made of it.
    pub(super) fn write(&mut self, host: &HostReport, pieces: &[Vec<u8>]) -> Result<(), Failure> {
        for (stream, piece) in self.streams.iter_mut().zip(pieces) {
            stream.host(host, piece)?;
        }
        Ok(())
    }

    /// Ends every output and puts the files in their places.
    pub(super) fn end(self, summary: &Summary) -> Result<(), Failure> {
        for stream in self.streams {
            if let Place::File(path, file) = stream.end(summary)? {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error);
                file.and_then(AtomicFile::commit).map_err(|error| unwritten(&path, &error))?;
            }
        }
        Ok(())
    }
}

/// What each output has to say about a host.
pub(super) fn pieces(emitters: &[Emitter], host: &HostReport) -> Vec<Vec<u8>> {
    let piece = |emitter: &Emitter| {
        let mut piece = Vec::new();
        // Memory takes every byte.
        let _ = emitter.host(host, &mut piece);
        piece
    };
    emitters.iter().map(piece).collect()
}

/// Tells that a file that could be begun could not be finished.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    let help = "check the space that is left there";
    render::diagnostic(&Diagnostic::error(codes::UNWRITABLE, message).help(help));
    Failure::Told(Exit::Internal)
}
