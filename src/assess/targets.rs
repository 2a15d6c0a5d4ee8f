//! Which snapshots to judge, and judging them side by side. The order of the report is that of the
//! names, whatever the threads do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rayon::prelude::*;

use super::ordered::in_order;
use super::{Accepted, Advisories, host_report};
use crate::diagnostic::Monitor;
use crate::engine::{self, Memo};
use crate::model::finding::{HostReport, Refusal};
use crate::rules::{Audience, Plan};
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
/// `*.assay`, in the order of their names as text, each once.
pub fn snapshots(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<TargetError>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        search(path, true, 0, &mut found, &mut errors);
    }
    found.sort_by_cached_key(|path| (path.display().to_string(), path.clone()));
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
        let named = path.extension().is_some_and(|ending| ending == ENDING);
        let mut meta = if given { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        if meta.is_symlink() && named {
            meta = fs::metadata(path)?;
            // Links to directories are followed only where the user named them, so that no cycle is
            // walked.
            if meta.is_dir() {
                return Ok(());
            }
        }
        if !meta.is_dir() {
            // One that cannot be a snapshot is refused when it is opened, by its name.
            if given || named {
                found.push(path.to_owned());
            }
            return Ok(());
        }
        if depth >= DEPTH {
            return Err(io::Error::other(format!("it lies more than {DEPTH} directories deep")));
        }
        for entry in fs::read_dir(path)? {
            search(&entry?.path(), false, depth + 1, found, errors);
        }
        Ok(())
    };
    if let Err(error) = list() {
        errors.push(TargetError { path: path.display().to_string(), error });
    }
}

/// The benchmarks among these that are about one of the snapshots, or may be. One that is bad has
/// none; judging it tells why. A path that is no regular file is not opened: a pipe would wait here
/// for its writer.
pub fn snapshots_about(benchmarks: &[Audience], paths: &[PathBuf]) -> BTreeSet<Arc<str>> {
    let about = |path: &PathBuf| {
        let regular = fs::metadata(path).is_ok_and(|meta| meta.is_file());
        let snapshot = regular.then(|| Snapshot::open(path).ok())??;
        engine::benchmarks_about(benchmarks, &snapshot).ok()
    };
    let merge = |mut all: BTreeSet<_>, more| {
        all.extend(more);
        all
    };
    paths.par_iter().filter_map(about).reduce(BTreeSet::new, merge)
}

/// Judges snapshots side by side, in the order of their names; one that is bad is refused and does
/// not stop the others. `make` is called for each host on the thread that judged it; `take` gets
/// the hosts one after the other, whatever the threads do, so that none need be kept.
pub fn assess_each<T: Send>(
    plan: &Plan,
    accepted: &Accepted,
    advisories: Option<&Advisories>,
    paths: &[PathBuf],
    monitor: &dyn Monitor,
    make: &(dyn Fn(&HostReport) -> T + Sync),
    take: &mut dyn FnMut(Result<(HostReport, T), Refusal>),
) {
    monitor.begin("snapshots", Some(paths.len() as u64));
    // One host alone has nobody to share with.
    let memo = (paths.len() > 1).then(Memo::default);
    let judge = |at: usize| {
        let path = paths.get(at).map(PathBuf::as_path).unwrap_or_else(|| Path::new(""));
        let judged = assess_one(plan, advisories, path, memo.as_ref()).map(|mut host| {
            accepted.mark(&plan.rules, &mut host);
            let made = make(&host);
            (host, made)
        });
        monitor.advance(1);
        judged
    };
    in_order(paths.len(), &judge, take);
    monitor.end();
}

fn assess_one(
    plan: &Plan,
    advisories: Option<&Advisories>,
    path: &Path,
    memo: Option<&Memo>,
) -> Result<HostReport, Refusal> {
    let name = path.display().to_string();
    let refuse = |reason: String| Refusal { snapshot: name.as_str().into(), reason: reason.into() };
    let snapshot =
        Snapshot::open(path).map_err(|error| refuse(format!("{}: {error}", error.code())))?;
    host_report(plan, advisories, &name, &snapshot, memo).map_err(|error| refuse(error.to_string()))
}
