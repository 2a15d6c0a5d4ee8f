//! Which snapshots to judge, and judging them side by side. The order of the report is that of the
//! names, whatever the threads do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::host_report;
use crate::diagnostic::Monitor;
use crate::model::finding::{HostReport, Refusal, Report};
use crate::rules::Plan;
use crate::snapshot::Snapshot;

/// The ending of snapshot files.
const ENDING: &str = "assay";
/// How deep directories of snapshots are searched.
const DEPTH: usize = 32;

/// A path that holds no snapshots because it cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct TargetError {
    /// The path as given.
    pub path: String,
    /// What the system said.
    pub error: io::Error,
}

/// The snapshot files that these paths name: files as they are, directories searched for
/// `*.assay`, sorted, each once.
pub fn snapshots(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<TargetError>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        search(path, true, 0, &mut found, &mut errors);
    }
    found.sort();
    found.dedup();
    (found, errors)
}

fn search(
    path: &Path,
    given: bool,
    depth: usize,
    found: &mut Vec<PathBuf>,
    errors: &mut Vec<TargetError>,
) {
    let mut list = || -> io::Result<()> {
        // Links are followed only where the user named them, so that no cycle is walked.
        let meta = if given { std::fs::metadata(path)? } else { std::fs::symlink_metadata(path)? };
        if !meta.is_dir() {
            let wanted = given || path.extension().is_some_and(|ending| ending == ENDING);
            if wanted && (given || meta.is_file()) {
                found.push(path.to_owned());
            }
            return Ok(());
        }
        if depth < DEPTH {
            for entry in std::fs::read_dir(path)? {
                search(&entry?.path(), false, depth + 1, found, errors);
            }
        }
        Ok(())
    };
    if let Err(error) = list() {
        errors.push(TargetError { path: path.display().to_string(), error });
    }
}

/// Judges snapshots in parallel; one that is bad is refused and does not stop the others.
pub fn assess_snapshots(plan: &Plan, paths: &[PathBuf], monitor: &dyn Monitor) -> Report {
    monitor.begin("snapshots", Some(paths.len() as u64));
    let judged: Vec<Result<HostReport, Refusal>> = paths
        .par_iter()
        .map(|path| {
            let name = path.display().to_string();
            let refuse =
                |reason: String| Refusal { snapshot: name.as_str().into(), reason: reason.into() };
            let report = Snapshot::open(path)
                .map_err(|error| refuse(format!("{}: {error}", error.code())))
                .and_then(|snapshot| {
                    host_report(plan, &name, &snapshot).map_err(|error| refuse(error.to_string()))
                });
            monitor.advance(1);
            report
        })
        .collect();
    monitor.end();
    let mut report = Report {
        rules: Arc::clone(&plan.rules),
        version: env!("CARGO_PKG_VERSION"),
        ..Report::default()
    };
    for result in judged {
        match result {
            Ok(host) => report.hosts.push(host),
            Err(refusal) => report.refused.push(refusal),
        }
    }
    report
}
