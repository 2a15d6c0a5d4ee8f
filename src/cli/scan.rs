//! `assay scan`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::args::{FailOn, FormatName, PackageName, Scan};
use super::progress::Progress;
use super::source::Wanted;
use super::{Exit, Failure, render, source, stdout};
use crate::assess::{Gate, Tally, assess_snapshots, host_report, snapshots, tally};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{
    collect as collect_codes, scan as codes, snapshot as snapshot_codes,
};
use crate::emit::{self, Format, Style, escape};
use crate::model::finding::{Refusal, Report, RulesPackage, Severity};
use crate::rules::{DEFAULT_PROFILE, Library, Plan, Selection};
use crate::snapshot::{Codec, Snapshot, write_atomically};

pub(super) fn run(arguments: &Scan) -> Result<Exit, Failure> {
    let outputs = outputs(arguments)?;
    if let Some(threads) = arguments.threads {
        // The pool can be set once; nothing has used it yet.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    let plan = plan(arguments)?;
    let mut report = if arguments.paths.is_empty() {
        from_root(arguments, &plan)?
    } else {
        from_snapshots(&arguments.paths, &plan)?
    };
    report.hosts.sort_by(|a, b| a.snapshot.cmp(&b.snapshot));
    for refusal in &report.refused {
        render::line(&format!(
            "error: {} was not judged: {}",
            escape(&refusal.snapshot),
            escape(&refusal.reason)
        ));
    }
    write(arguments, &outputs, &report)?;
    let gate = Gate { fail_on: severity(arguments.fail_on), strict: arguments.strict };
    Ok(exit(tally(&report, gate)))
}

/// The exit code for a tally.
fn exit(tally: Tally) -> Exit {
    if tally.refused > 0 {
        Exit::BadInput
    } else if tally.judged == 0 {
        render::diagnostic(&Diagnostic::error(
            codes::NOTHING_EVALUATED,
            "no rule that was chosen applies to what was found",
        ));
        Exit::Nothing
    } else if tally.stops > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// Each format with the file it goes to; none means standard output.
fn outputs(arguments: &Scan) -> Result<Vec<(Format, Option<PathBuf>)>, Failure> {
    let formats: Vec<Format> = if arguments.format.is_empty() {
        vec![Format::Text]
    } else {
        arguments.format.iter().map(|f| format(*f)).collect()
    };
    let files = &arguments.output;
    if files.len() > formats.len() || formats.len() > files.len().max(1) {
        render::line(
            "error: give each --format its own -o FILE, in the same order (a single format may go \
             to standard output)",
        );
        return Err(Failure::Told(Exit::Usage));
    }
    let files = files.iter().cloned().map(Some).chain(std::iter::repeat(None));
    Ok(formats.into_iter().zip(files).collect())
}

fn format(name: FormatName) -> Format {
    match name {
        FormatName::Text => Format::Text,
        FormatName::Inspector => Format::Inspector,
        FormatName::Ndjson => Format::Ndjson,
        FormatName::Sarif => Format::Sarif,
    }
}

fn package(name: PackageName) -> RulesPackage {
    match name {
        PackageName::Cve => RulesPackage::CommonVulnerabilities,
        PackageName::Cis => RulesPackage::Cis,
        PackageName::Sbp => RulesPackage::SecurityBestPractices,
        PackageName::Rba => RulesPackage::RuntimeBehavior,
    }
}

fn severity(name: FailOn) -> Option<Severity> {
    match name {
        FailOn::High => Some(Severity::High),
        FailOn::Medium => Some(Severity::Medium),
        FailOn::Low => Some(Severity::Low),
        FailOn::Informational => Some(Severity::Informational),
        FailOn::None => None,
    }
}

fn plan(arguments: &Scan) -> Result<Plan, Failure> {
    let library = if arguments.rules.is_empty() {
        Ok(Library::embedded())
    } else {
        Library::with_directories(&arguments.rules)
    };
    let packages = arguments.package.iter().map(|name| package(*name)).collect();
    let plan = library.and_then(|library| library.compile()).map_err(|diagnostics| {
        diagnostics.iter().for_each(render::diagnostic);
        Failure::Told(Exit::BadRules)
    })?;
    let profile = arguments.profile.as_str();
    let profiles = plan.profiles();
    if profile != DEFAULT_PROFILE && !profiles.iter().any(|known| **known == *profile) {
        let known = profiles.join("`, `");
        render::line(&format!("error: there is no profile {profile:?}; there is `{known}`"));
        return Err(Failure::Told(Exit::Usage));
    }
    Ok(plan.select(&Selection { packages, profile: Some(profile.into()) }))
}

fn from_root(arguments: &Scan, plan: &Plan) -> Result<Report, Failure> {
    let wanted = Wanted {
        root: arguments.root.as_deref(),
        tags: &arguments.tag,
        duration: arguments.duration,
        sections: None,
    };
    let bytes = source::collect_from(wanted, Codec::Raw)?;
    let name = arguments.root.as_ref().map_or("live".to_owned(), |root| root.display().to_string());
    let judged = Snapshot::from_bytes(bytes)
        .map_err(|error| error.to_string())
        .and_then(|facts| host_report(plan, &name, &facts).map_err(|error| error.to_string()));
    match judged {
        Ok(host) => Ok(Report { hosts: vec![host], ..empty(plan) }),
        Err(error) => {
            render::line(&format!("error: what was collected cannot be read back: {error}"));
            Err(Failure::Told(Exit::Internal))
        }
    }
}

fn empty(plan: &Plan) -> Report {
    Report {
        rules: Arc::clone(&plan.rules),
        version: env!("CARGO_PKG_VERSION"),
        ..Report::default()
    }
}

fn from_snapshots(paths: &[PathBuf], plan: &Plan) -> Result<Report, Failure> {
    let mut wanted = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            for line in io::stdin().lock().lines() {
                let line = line?;
                if !line.is_empty() {
                    wanted.push(PathBuf::from(line));
                }
            }
        } else {
            wanted.push(path.clone());
        }
    }
    let (files, errors) = snapshots(&wanted);
    if files.is_empty() && errors.is_empty() {
        render::diagnostic(
            &Diagnostic::error(codes::NOTHING_EVALUATED, "no snapshot was found").help(
                "snapshots are files that end in .assay; make one with `assay collect -o FILE`",
            ),
        );
        return Err(Failure::Told(Exit::Nothing));
    }
    let mut report = assess_snapshots(plan, &files, &Progress::default());
    let code = snapshot_codes::UNREADABLE;
    report.refused.extend(errors.into_iter().map(|error| Refusal {
        reason: format!("{code}: {error}").into(),
        snapshot: error.path.as_str().into(),
    }));
    report.refused.sort_by(|a, b| a.snapshot.cmp(&b.snapshot));
    Ok(report)
}

fn write(
    arguments: &Scan,
    outputs: &[(Format, Option<PathBuf>)],
    report: &Report,
) -> Result<(), Failure> {
    for (format, file) in outputs {
        let Some(path) = file else {
            let colour = io::stdout().is_terminal() && render::no_colour_is_unset();
            let mut out = stdout();
            let style = Style { outcomes: arguments.outcomes, colour };
            let written = emit::write(*format, report, style, &mut out).and_then(|()| out.flush());
            // Who closes the pipe has seen enough; the verdict stays.
            match written {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                other => other?,
            }
            continue;
        };
        let mut bytes = Vec::new();
        let style = Style { outcomes: arguments.outcomes, colour: false };
        emit::write(*format, report, style, &mut bytes)?;
        if let Err(error) = write_atomically(path, &bytes) {
            let message = format!("{}: {error}", path.display());
            render::diagnostic(&Diagnostic::error(collect_codes::UNWRITABLE, message));
            return Err(Failure::Told(Exit::Internal));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_snapshot_outweighs_findings_and_nothing_is_never_clean() {
        let tally = |stops, judged, refused| exit(Tally { stops, judged, refused });
        assert_eq!(tally(0, 9, 0), Exit::Clean);
        assert_eq!(tally(1, 9, 0), Exit::Findings);
        assert_eq!(tally(1, 9, 1), Exit::BadInput);
        assert_eq!(tally(0, 0, 0), Exit::Nothing);
        assert_eq!(tally(0, 0, 1), Exit::BadInput);
    }
}
