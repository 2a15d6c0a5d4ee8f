//! Reports of runs, made one after the other by a thread of their own, and the addresses under which
//! they are read. Whoever has an address may read the report, as with the cloud's signed addresses.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::assess::recorded;
use crate::assess::store::WantedReport;
use crate::emit::{self, Format, Style};
use crate::rules::Library;

/// How long the thread sleeps where nobody wakes it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What comes before the token in an address.
const FOLDER: &str = "/reports/";

/// A report as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The type of its bytes.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A format of Inspector's reports.
struct Kind {
    /// Inspector's word.
    word: &'static str,
    format: Format,
    /// How the names of its files end.
    ending: &'static str,
    content_type: &'static str,
}

static KINDS: [Kind; 2] = [
    Kind {
        word: "HTML",
        format: Format::Html,
        ending: "html",
        content_type: "text/html; charset=utf-8",
    },
    Kind { word: "PDF", format: Format::Pdf, ending: "pdf", content_type: "application/pdf" },
];

fn kind(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// Where a report is read.
pub(super) fn path(token: &str, format: &str) -> String {
    let ending = kind(format).map_or("", |kind| kind.ending);
    format!("{FOLDER}{token}.{ending}")
}

impl Service {
    /// The report with this path; none where there is none.
    pub(super) fn report_at(&self, path: &str) -> Option<Made> {
        let (token, ending) = path.strip_prefix(FOLDER)?.split_once('.')?;
        let (format, bytes) = self.store.report_body(token).ok()??;
        let kind = kind(&format).filter(|kind| kind.ending == ending)?;
        Some(Made { content_type: kind.content_type, bytes })
    }
}

/// Starts the thread that makes reports, first those that an earlier program left.
///
/// # Errors
/// The system gives no thread.
pub fn start_maker(service: &Arc<Service>) -> std::io::Result<()> {
    let service = Arc::clone(service);
    std::thread::Builder::new().name("reports".into()).spawn(move || {
        let mut heard = 0;
        loop {
            let written = match service.store.next_report() {
                Ok(Some(wanted)) => {
                    let made =
                        std::panic::catch_unwind(AssertUnwindSafe(|| make(&service, &wanted)));
                    let bytes = made.ok().and_then(Result::ok);
                    service.store.finish_report(&wanted.token, bytes.as_deref()).is_ok()
                }
                Ok(None) | Err(_) => false,
            };
            if !written {
                heard = service.work.wait(heard, PATIENCE);
            }
        }
    })?;
    Ok(())
}

fn make(service: &Service, wanted: &WantedReport) -> Result<Vec<u8>, String> {
    let kind = kind(&wanted.format).ok_or("there is no such format")?;
    bytes(service, &wanted.run, kind.format, wanted.kind == "FINDING")
}

/// The report on a run that has ended.
///
/// # Errors
/// Why it cannot be made.
pub(super) fn bytes(
    service: &Service,
    run: &str,
    format: Format,
    findings_only: bool,
) -> Result<Vec<u8>, String> {
    let known = Library::embedded().list().map_err(|_| "the rules cannot be read")?;
    let report = recorded::of_run(&service.store, run, known, env!("CARGO_PKG_VERSION"));
    let mut report = report.map_err(|error| error.to_string())?;
    report.profile.clone_from(&service.profile);
    let style = Style { findings_only, ..Style::default() };
    let mut bytes = Vec::new();
    emit::write(format, &report, style, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
