//! From a root to a snapshot: one walk for files, binaries and configuration, then the tables that
//! come from single files.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::root::Step;
use super::{Root, accounts, binaries, config, host, packages};
use crate::diagnostic::codes::collect as codes;
use crate::diagnostic::{Diagnostic, Monitor};
use crate::model::cell::{Fact, Time};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::TableState;
use crate::model::table::{
    Binary, COLLECTED, ConfigFile, File, Group, Host, Package, Shadow, User,
};
use crate::snapshot::{Codec, SnapshotError, Writer};

/// How a host is collected.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tags to give the host.
    pub tags: Vec<(String, String)>,
    /// When collecting begins; the library looks at no clock.
    pub now: Time,
}

/// Why a host could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The root cannot be opened or read.
    #[error("{path}: {error}")]
    Unusable {
        /// The root as the user gave it.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// There is no operating system in the root.
    #[error("nothing that looks like an operating system was found: {0}")]
    Empty(String),
    /// The snapshot could not be written.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
}

impl CollectError {
    /// The diagnostic that tells it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Unusable { .. } => Diagnostic::error(codes::ROOT_UNUSABLE, self.to_string())
                .help("give the directory where the image or host is mounted"),
            Self::Empty(_) => Diagnostic::error(codes::ROOT_EMPTY, self.to_string())
                .help("check that the image is mounted there: a failed mount looks like this"),
            Self::Snapshot(error) => Diagnostic::error(error.code(), error.to_string()),
        }
    }
}

/// Files between two progress reports.
const STRIDE: u64 = 4096;

/// Collects a host into a snapshot.
///
/// # Errors
/// The root cannot be read, or holds no operating system.
pub fn collect(
    root: &dyn Root,
    options: &Options,
    codec: Codec,
    monitor: &dyn Monitor,
) -> Result<Vec<u8>, CollectError> {
    if root.list("/").is_ok_and(|entries| entries.is_empty()) {
        return Err(CollectError::Empty("the root is an empty directory".into()));
    }
    let (packages_state, packages) = packages::packages(root);
    let (host, cloud) = host::host(root, options);
    let knows_packages = !packages.is_empty() || !matches!(packages_state, TableState::Absent(_));
    if host.os.is_none() && !knows_packages && root.metadata("/etc/passwd").is_err() {
        return Err(CollectError::Empty(
            "there is no os-release, no package database and no /etc/passwd".into(),
        ));
    }
    let mut writer = Writer::new(codec);
    writer.table(&Rows::of([host]), &TableState::Collected)?;
    writer.table(&Rows::of(cloud), &TableState::Collected)?;
    writer.table(&packages, &packages_state)?;
    for (state, rows) in [accounts::users(root), accounts::groups(root), accounts::shadow(root)] {
        writer.table(&rows, &state)?;
    }
    let walked = walk(root, &mut writer, monitor)?;
    let lost = walked.lost.state();
    let binaries = owned(root, walked.binaries);
    writer.table(&Rows::of(binaries), &lost)?;
    let (config_state, config) = walked.config.read(root);
    let config_state = match (config_state, &lost) {
        (TableState::Collected, lost) => lost.clone(),
        (state, _) => state,
    };
    writer.table(&config, &config_state)?;
    writer.files_state(lost);
    for table in COLLECTED.iter().filter(|table| !WRITTEN.contains(&table.name)) {
        writer.missing(table, &TableState::absent(why_absent(table, root.is_live())))?;
    }
    Ok(writer.finish()?)
}

/// The tables that this driver fills.
const WRITTEN: [&str; 9] = [
    Host::TABLE.name,
    "cloud",
    Package::TABLE.name,
    User::TABLE.name,
    Group::TABLE.name,
    Shadow::TABLE.name,
    Binary::TABLE.name,
    ConfigFile::TABLE.name,
    File::TABLE.name,
];

fn why_absent(table: &TableSchema, live: bool) -> String {
    if live {
        format!("{} are not collected by this version", table.name)
    } else {
        format!("{} can only be collected on a running host", table.name)
    }
}

/// What the walk gathered beside the files themselves.
struct Walked {
    binaries: Vec<Binary>,
    config: config::Gatherer,
    lost: Losses,
}

/// Places that could not be walked.
#[derive(Default)]
struct Losses {
    count: usize,
    first: Vec<String>,
}

impl Losses {
    fn add(&mut self, path: &str, reason: &str) {
        self.count += 1;
        if self.first.len() < 3 {
            self.first.push(format!("{path} ({reason})"));
        }
    }

    fn state(&self) -> TableState {
        match self.count {
            0 => TableState::Collected,
            1 => TableState::truncated(format!("1 place could not be read: {}", self.first[0])),
            count => TableState::truncated(format!(
                "{count} places could not be read, among them {}",
                self.first.join(", ")
            )),
        }
    }
}

fn walk(
    root: &dyn Root,
    writer: &mut Writer,
    monitor: &dyn Monitor,
) -> Result<Walked, CollectError> {
    let mut walked = Walked {
        binaries: Vec::new(),
        config: config::Gatherer::default(),
        lost: Losses::default(),
    };
    let mut failed = None;
    let mut count = 0u64;
    monitor.begin("files", None);
    let result = root.walk(&mut |step| {
        match step {
            Step::Skipped { path, reason, loss } => {
                if loss {
                    walked.lost.add(&path, &reason);
                }
            }
            Step::File { file, content, .. } => {
                walked.config.meet(&file);
                if binaries::is_candidate(&file) {
                    walked.binaries.extend(binaries::read(&file.path.0, content));
                }
                if let Err(error) = writer.push_file(file) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                count += 1;
                if count.is_multiple_of(STRIDE) {
                    monitor.advance(STRIDE);
                }
            }
        }
        ControlFlow::Continue(())
    });
    monitor.end();
    result.map_err(|error| CollectError::Unusable { path: "the root".into(), error })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(walked),
    }
}

/// The binaries with the packages that own them.
fn owned(root: &dyn Root, mut binaries: Vec<Binary>) -> Vec<Binary> {
    let paths: Vec<Arc<str>> = binaries.iter().map(|binary| Arc::clone(&binary.path.0)).collect();
    let owners = packages::owners(root, &paths);
    for binary in &mut binaries {
        binary.package = owners.get(&binary.path.0).cloned();
    }
    binaries
}
