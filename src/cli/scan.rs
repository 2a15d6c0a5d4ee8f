//! `assay scan`.

use std::ffi::OsString;
use std::io::{self, BufRead};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::args::{FailOn, Scan};
use super::chosen::Chosen;
use super::output::{Output, Outputs, outputs, pieces};
use super::progress::Progress;
use super::source::Wanted;
use super::{Exit, Failure, databases, interrupt, render, source, why};
use crate::assess::{
    Accepted, Advisories, Gate, Tally, TargetError, assess_each, host_report, snapshots,
    snapshots_about,
};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{scan as codes, snapshot as snapshot_codes};
use crate::emit::escape;
use crate::engine::benchmarks_about;
use crate::model::finding::{HostReport, Refusal, Severity};
use crate::model::summary::Summary;
use crate::snapshot::{Codec, Snapshot};

pub(super) fn run(arguments: &Scan) -> Result<Exit, Failure> {
    let outputs = outputs(arguments)?;
    if let Some(threads) = arguments.threads {
        // The pool can be set once; nothing has used it yet.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    let rules = Chosen::read(arguments)?;
    let accepted = accepted(arguments)?;
    let advisories = databases::read(arguments)?;
    if let (Some(id), Some(advisories)) = (&arguments.explain, &advisories) {
        return why::run(arguments, advisories, id);
    }
    let advisories = advisories.as_ref();
    let mut verdict = Verdict::new(arguments);
    if arguments.paths.is_empty() {
        one_root(arguments, &rules, &accepted, advisories, &outputs, &mut verdict)?;
    } else {
        many_snapshots(arguments, &rules, &accepted, advisories, &outputs, &mut verdict)?;
    }
    Ok(match verdict.bad_advisories {
        true => Exit::BadRules,
        false => exit(verdict.tally),
    })
}

/// The waivers and the baseline; what is wrong has been told when this returns.
fn accepted(arguments: &Scan) -> Result<Accepted, Failure> {
    let today = source::today();
    match Accepted::read(&arguments.waivers, arguments.baseline.as_deref(), today) {
        Ok((accepted, warnings)) => {
            warnings.iter().for_each(render::diagnostic);
            Ok(accepted)
        }
        Err(errors) => {
            errors.iter().for_each(render::diagnostic);
            Err(Failure::Told(Exit::BadRules))
        }
    }
}

/// What all hosts together come to.
struct Verdict {
    gate: Gate,
    tally: Tally,
    summary: Summary,
    /// Whether a database turned out to be damaged.
    bad_advisories: bool,
}

impl Verdict {
    fn new(arguments: &Scan) -> Self {
        let gate = Gate { fail_on: severity(arguments.fail_on), strict: arguments.strict };
        Self { gate, tally: Tally::default(), summary: Summary::default(), bad_advisories: false }
    }

    fn add(&mut self, host: &HostReport) {
        self.tally.add(host, self.gate);
        self.summary.add(host);
    }

    fn refuse(&mut self, mut refused: Vec<Refusal>) {
        refused.sort_by(|a, b| a.snapshot.cmp(&b.snapshot));
        for refusal in &refused {
            render::line(&format!(
                "error: {} was not judged: {}",
                escape(&refusal.snapshot),
                escape(&refusal.reason)
            ));
        }
        self.bad_advisories = refused.iter().any(|refusal| databases::blamed(&refusal.reason));
        self.tally.refused = refused.len();
        self.summary.refused = refused;
    }
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

fn severity(name: FailOn) -> Option<Severity> {
    match name {
        FailOn::High => Some(Severity::High),
        FailOn::Medium => Some(Severity::Medium),
        FailOn::Low => Some(Severity::Low),
        FailOn::Informational => Some(Severity::Informational),
        FailOn::None => None,
    }
}

/// That what was collected just now is damaged.
fn unread(error: &str) -> Failure {
    render::line(&format!("error: what was collected cannot be read back: {error}"));
    Failure::Told(Exit::Internal)
}

/// This host, or the root or bill of materials that was given, with its name.
pub(super) fn collected(arguments: &Scan) -> Result<(String, Snapshot), Failure> {
    let bytes = match &arguments.sbom {
        Some(bill) => source::collect_bill(bill, &arguments.tag)?,
        None => {
            let wanted = Wanted {
                root: arguments.root.as_deref(),
                tags: &arguments.tag,
                duration: arguments.duration,
                sections: None,
            };
            source::collect_from(wanted, Codec::Raw)?
        }
    };
    let name = arguments.root.as_ref().or(arguments.sbom.as_ref());
    let name = name.map_or("live".to_owned(), |path| path.display().to_string());
    let facts = Snapshot::from_bytes(bytes).map_err(|error| unread(&error.to_string()))?;
    Ok((name, facts))
}

fn one_root(
    arguments: &Scan,
    rules: &Chosen,
    accepted: &Accepted,
    advisories: Option<&Advisories>,
    outputs: &[Output],
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    let (name, facts) = collected(arguments)?;
    // What is damaged here is damaged when the host is judged.
    let plan = &rules.plan(|all| benchmarks_about(all, &facts).unwrap_or_default())?;
    let mut host = host_report(plan, advisories, &name, &facts, None).map_err(|error| {
        let error = error.to_string();
        match databases::blamed(&error) {
            true => Failure::Told(Exit::BadRules),
            false => unread(&error),
        }
    })?;
    accepted.mark(&plan.rules, &mut host);
    verdict.add(&host);
    let mut outputs = Outputs::begin(outputs, arguments, plan, 1)?;
    outputs.write(&host, &pieces(&outputs.emitters(), &host))?;
    outputs.end(&verdict.summary)
}

fn many_snapshots(
    arguments: &Scan,
    rules: &Chosen,
    accepted: &Accepted,
    advisories: Option<&Advisories>,
    outputs: &[Output],
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    interrupt::listen(false);
    let (files, errors) = snapshots(&wanted(&arguments.paths)?);
    if files.is_empty() && errors.is_empty() {
        render::diagnostic(
            &Diagnostic::error(codes::NOTHING_EVALUATED, "no snapshot was found").help(
                "snapshots are files that end in .assay; make one with `assay collect -o FILE`",
            ),
        );
        return Err(Failure::Told(Exit::Nothing));
    }
    let plan = &rules.plan(|all| snapshots_about(all, &files))?;
    let code = snapshot_codes::UNREADABLE;
    let refuse = |error: TargetError| Refusal {
        reason: format!("{code}: {error}").into(),
        snapshot: error.path.as_str().into(),
    };
    let mut refused: Vec<Refusal> = errors.into_iter().map(refuse).collect();
    let mut outputs = Outputs::begin(outputs, arguments, plan, files.len() + refused.len())?;
    let emitters = outputs.emitters();
    let progress = Progress::default();
    let mut written = Ok(());
    let make = |host: &HostReport| pieces(&emitters, host);
    assess_each(plan, accepted, advisories, &files, &progress, &make, &mut |judged| match judged {
        Ok((host, pieces)) => {
            verdict.add(&host);
            if written.is_ok() {
                written = progress.aside(|| outputs.write(&host, &pieces));
            }
        }
        Err(refusal) => refused.push(refusal),
    });
    written?;
    verdict.refuse(refused);
    outputs.end(&verdict.summary)
}

/// The paths given, and those that standard input names where one of them is `-`.
pub(super) fn wanted(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut wanted = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            for line in io::stdin().lock().split(b'\n') {
                let line = line.map_err(|error| {
                    render::line(&format!("error: standard input cannot be read: {error}"));
                    Failure::Told(Exit::BadInput)
                })?;
                if !line.is_empty() {
                    wanted.push(PathBuf::from(OsString::from_vec(line)));
                }
            }
        } else {
            wanted.push(path.clone());
        }
    }
    Ok(wanted)
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
