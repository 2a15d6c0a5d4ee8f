//! From a root to a snapshot: one walk for files, binaries and configuration, then the tables that
//! come from single files.

use std::ops::ControlFlow;
use std::time::Duration;

use super::config::Gatherer;
use super::live::{self, Observation};
use super::losses::Losses;
use super::root::Step;
use super::{
    CollectError, Options, Root, accounts, binaries, host, languages, packages, system, text,
};
use crate::diagnostic::codes::collect as codes;
use crate::diagnostic::{Diagnostic, Monitor};
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::TableState;
use crate::model::table::{
    Binary, COLLECTED, ConfigFile, File, Host, LanguagePackage, Package, Process, ProcessModule,
    Socket,
};
use crate::snapshot::{Codec, Writer};

/// Files between two progress reports.
const STRIDE: u64 = 4096;
/// The most binaries that are kept.
const MAX_BINARIES: usize = 200_000;

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
    refuse_empty(root)?;
    let mut tables = Tables { writer: Writer::new(codec), options, written: Vec::new() };
    let observation = observe(root, &tables, monitor);
    let mut identity = host::identity(root, options);
    if let Some(observation) = &observation {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let (seen, asked) = (seconds(observation.observed), seconds(options.duration));
        identity.host.observed_seconds = seen;
        identity.host.requested_seconds = Some(asked);
        if observation.stopped {
            let message = format!(
                "the observation was stopped after {seen} of {asked} seconds; what was seen is kept"
            );
            monitor.warn(Diagnostic::warning(codes::STOPPED_EARLY, message));
        }
    }
    if root.is_live() {
        (identity.interfaces_state, identity.interfaces) = live::interfaces();
    }
    tables.put(&Rows::of([identity.host]), TableState::Collected)?;
    tables.put(&Rows::of(identity.cloud), TableState::Collected)?;
    tables.put(&Rows::of(identity.interfaces), identity.interfaces_state)?;
    if let Some(observation) = observation {
        tables.take(|| observation.sockets)?;
        tables.take(|| observation.processes)?;
        tables.take(|| observation.process_modules)?;
    }
    let mut walked = walk(root, &mut tables, monitor)?;
    monitor.begin("settings", None);
    let (packages, languages) = (tables.wants::<Package>(), tables.wants::<LanguagePackage>());
    if packages || languages || tables.wants::<Binary>() {
        let binaries = walked.binaries.iter().map(|binary| &binary.path.0);
        let files = binaries.chain(walked.languages.paths());
        let (state, rows, owners) = packages::packages(root, files);
        tables.put(&rows, state)?;
        for binary in &mut walked.binaries {
            binary.package = owners.owner(&binary.path.0);
        }
        let (state, rows) = walked.languages.finish(|path| owners.owner(path));
        tables.put(&Rows::of(rows), walked.lost.and(state))?;
    }
    if tables.wants::<Binary>() {
        tables.put(&Rows::of(walked.binaries), walked.binaries_state)?;
    }
    if tables.wants::<ConfigFile>() {
        let (state, rows) = walked.config.finish(root);
        tables.put(&rows, state)?;
    }
    for (state, rows) in [accounts::users(root), accounts::groups(root), accounts::shadow(root)] {
        tables.put(&rows, state)?;
    }
    tables.take(|| system::services(root))?;
    tables.take(|| system::kernel_modules(root))?;
    tables.take(|| system::firewall(root))?;
    if root.is_live() {
        tables.take(live::kernel_parameters)?;
        tables.take(live::mounts)?;
    }
    monitor.end();
    tables.finish(root.is_live())
}

/// Sockets and processes of the running host, where one of their tables is asked for.
fn observe(root: &dyn Root, tables: &Tables<'_>, monitor: &dyn Monitor) -> Option<Observation> {
    let wanted =
        tables.wants::<Socket>() || tables.wants::<Process>() || tables.wants::<ProcessModule>();
    (root.is_live() && wanted).then(|| live::observe(tables.options.duration, monitor))
}

/// An empty root must never look like a healthy host.
fn refuse_empty(root: &dyn Root) -> Result<(), CollectError> {
    let entries = root
        .list("/")
        .map_err(|error| CollectError::Unusable { path: "the root".into(), error })?;
    if entries.is_empty() {
        return Err(CollectError::Empty("the root is an empty directory".into()));
    }
    let there = |path: &str| root.resolve(path).is_ok();
    let known =
        host::OS_RELEASE.into_iter().any(there) || there("/etc/passwd") || packages::exist(root);
    if known {
        return Ok(());
    }
    // What cannot be looked at may well be there.
    match root.list("/etc") {
        Err(error) if !text::is_missing(&error) => {
            Err(CollectError::Unusable { path: "/etc".into(), error })
        }
        _ => Err(CollectError::Empty(
            "there is no os-release, no package database and no /etc/passwd".into(),
        )),
    }
}

/// The snapshot as it grows.
struct Tables<'a> {
    writer: Writer,
    options: &'a Options,
    written: Vec<&'static str>,
}

impl Tables<'_> {
    fn wants<F: Fact>(&self) -> bool {
        self.options.wants(F::TABLE.name)
    }

    /// Writes a table where it is asked for; that of the host is there in any case.
    fn put(&mut self, rows: &Rows, state: TableState) -> Result<(), CollectError> {
        let name = rows.schema().name;
        if name == Host::TABLE.name || self.options.wants(name) {
            self.writer.table(rows, &state)?;
            self.written.push(name);
        }
        Ok(())
    }

    /// Computes and writes a table where it is asked for.
    fn take<F: Fact>(
        &mut self,
        collect: impl FnOnce() -> (TableState, Vec<F>),
    ) -> Result<(), CollectError> {
        if !self.wants::<F>() {
            return Ok(());
        }
        let (state, rows) = collect();
        self.put(&Rows::of(rows), state)
    }

    /// Says of every table that was not written why it was not.
    fn finish(mut self, live: bool) -> Result<Vec<u8>, CollectError> {
        for table in COLLECTED {
            if table.name == File::TABLE.name || self.written.contains(&table.name) {
                continue;
            }
            let reason = if self.options.wants(table.name) {
                why_absent(table, live)
            } else {
                "it was not asked for".to_owned()
            };
            self.writer.missing(table, &TableState::absent(reason))?;
        }
        Ok(self.writer.finish()?)
    }
}

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
    binaries_state: TableState,
    config: Gatherer,
    languages: languages::Gatherer,
    /// What the walk could not see.
    lost: TableState,
}

fn walk(
    root: &dyn Root,
    tables: &mut Tables<'_>,
    monitor: &dyn Monitor,
) -> Result<Walked, CollectError> {
    let (files, binaries, texts) =
        (tables.wants::<File>(), tables.wants::<Binary>(), tables.wants::<ConfigFile>());
    let mut walked = Walked {
        binaries: Vec::new(),
        binaries_state: TableState::Collected,
        config: Gatherer::default(),
        languages: languages::Gatherer::default(),
        lost: TableState::Collected,
    };
    let languages = tables.wants::<LanguagePackage>();
    if !(files || binaries || texts || languages) {
        tables.writer.files_state(TableState::absent("it was not asked for"));
        return Ok(walked);
    }
    let mut lost = Losses::default();
    let mut unread = Losses::default();
    let mut failed = None;
    let mut count = 0u64;
    monitor.begin("files", None);
    let result = root.walk(&mut |step| {
        match step {
            Step::Skipped { path, reason, loss } => {
                if loss {
                    walked.config.miss(&path, &reason);
                    lost.add(&path, &reason);
                }
            }
            Step::File { file, content, .. } => {
                if texts {
                    walked.config.meet(&file, content);
                }
                if binaries && binaries::is_candidate(&file) {
                    match binaries::read(&file.path.0, content) {
                        Ok(_) if walked.binaries.len() >= MAX_BINARIES => {
                            unread.add(&file.path.0, "there are too many");
                        }
                        Ok(binary) => walked.binaries.extend(binary),
                        Err(error) => unread.add(&file.path.0, &text::sentence(&error)),
                    }
                }
                if languages {
                    walked.languages.meet(&file, content);
                }
                if files && let Err(error) = tables.writer.push_file(file) {
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
    if let Some(error) = failed {
        return Err(error.into());
    }
    let lost = lost.state("places");
    walked.binaries_state = lost.clone().and(unread.state("executables"));
    walked.lost = lost.clone();
    let state = if files { lost } else { TableState::absent("it was not asked for") };
    tables.writer.files_state(state);
    Ok(walked)
}
