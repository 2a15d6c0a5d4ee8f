//! `assay report`.

use std::fs::File;
use std::io::{BufReader, IsTerminal, Write};
use std::path::Path;

use super::args::{Report as Arguments, ReportType};
use super::{Exit, Failure, chosen, output, render, stdout};
use crate::assess::recorded::{self, RecordedError};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::scan as codes;
use crate::emit::{Style, write};
use crate::model::finding::Report;
use crate::rules::{Library, Listed};
use crate::snapshot::AtomicFile;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.output {
        output::writable(path)?;
    }
    let known = Library::embedded().list().map_err(chosen::told)?;
    let report = match arguments.source.to_str() {
        Some(arn) if arn.starts_with("arn:") => of_run(arguments, arn, known)?,
        _ => of_file(&arguments.source, known)?,
    };
    let style = Style {
        outcomes: true,
        colour: arguments.output.is_none()
            && std::io::stdout().is_terminal()
            && render::no_colour_is_unset(),
        // Where no verdicts were written down, there is nothing to say about the rules.
        findings_only: arguments.report_type == ReportType::Finding
            || report.hosts.iter().all(|host| host.outcomes.is_empty()),
    };
    let format = arguments.format.format();
    match &arguments.output {
        None => {
            let mut out = stdout();
            write(format, &report, style, &mut out)?;
            out.flush()?;
        }
        Some(path) => {
            let failed = |error| output::unwritten(path, &error);
            let mut file = std::io::BufWriter::new(AtomicFile::create(path).map_err(failed)?);
            write(format, &report, style, &mut file).map_err(failed)?;
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
            file.and_then(AtomicFile::commit).map_err(failed)?;
        }
    }
    Ok(Exit::Clean)
}

fn of_file(path: &Path, known: Vec<Listed>) -> Result<Report, Failure> {
    let read = || -> Result<Report, RecordedError> {
        recorded::read(BufReader::new(File::open(path)?), known, VERSION)
    };
    read().map_err(|error| {
        let message = format!("{}: {error}", path.display());
        let help = "give what `assay scan --format ndjson --outcomes -o FILE` wrote; to judge a \
                    snapshot, use `assay scan SNAPSHOT --format html`";
        render::diagnostic(&Diagnostic::error(codes::NO_RESULT, message).help(help));
        Failure::Told(Exit::BadInput)
    })
}

#[cfg(feature = "server")]
fn of_run(arguments: &Arguments, arn: &str, known: Vec<Listed>) -> Result<Report, Failure> {
    use crate::assess::store::{Store, StoreError};

    let Some(data) = &arguments.data else {
        render::line("error: where a run is named, --data names the directory of `assay serve`");
        return Err(Failure::Told(Exit::Usage));
    };
    let path = data.join("store.db");
    let report = || -> Result<Report, StoreError> {
        // Opening would make a store where there is none.
        if !path.is_file() {
            return Err(StoreError::Missing(crate::assess::store::Kind::Run));
        }
        recorded::of_run(&Store::open(&path)?, arn, known, VERSION)
    };
    report().map_err(|error| {
        let message = format!("{}: {arn}: {error}", path.display());
        let help =
            "name a run that has ended, and the directory that `assay serve --data` was given";
        render::diagnostic(&Diagnostic::error(codes::NO_RESULT, message).help(help));
        Failure::Told(Exit::BadInput)
    })
}

#[cfg(not(feature = "server"))]
fn of_run(_: &Arguments, _: &str, _: Vec<Listed>) -> Result<Report, Failure> {
    render::line("error: this assay was built without `serve`, so it knows no runs");
    Err(Failure::Told(Exit::Usage))
}
