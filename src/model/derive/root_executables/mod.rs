//! `root_executables`: what root runs (by units, by cron, and on a running host by its processes),
//! and each directory on the way to it, with what lets others than root change it.

mod commands;
mod cron;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::commands::Runs;
use self::ways::{End, Target};
use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, Host, Process, ProcessModule, Service, User};
use crate::model::unit::commands as unit_commands;
use crate::model::view::{Loaded, View};

/// Where a program without a directory is looked for.
const SEARCH_PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// The libraries that are loaded into every program (ld.so(8)).
const PRELOAD: &str = "/etc/ld.so.preload";

facts! {
    /// Programs, scripts and libraries that root runs, and the directories on the way to them.
    #[table(name = "root_executables", origin = Derived, location = "{path}")]
    pub struct RootExecutable {
        /// The file or directory.
        pub path: AbsPath,
        /// What runs it: a unit, a line of a crontab, or a process; the first one of several.
        pub run_by: Arc<str>,
        /// Permission bits.
        pub mode: Mode,
        /// Owner.
        pub uid: i64,
        /// Group.
        pub gid: i64,
        /// Why others than root can change what is run; none where they cannot.
        pub problem: Option<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        RootExecutable::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[
            Host::TABLE,
            Service::TABLE,
            File::TABLE,
            User::TABLE,
            ConfigFile::TABLE,
            Process::TABLE,
            ProcessModule::TABLE,
        ]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let mut found = Found::new(view)?;
        found.units(view)?;
        found.cron(&*view.config()?);
        if view.typed::<Host>()?.1.first().is_some_and(|host| &*host.source == "live") {
            found.processes(view)?;
        }
        found.missing(view.files_state());
        let Found { state, mut targets, directories, .. } = found;
        for directory in &directories {
            view.source().files_under(directory, &mut |row| {
                let program = row.typed::<File>().filter(|file| {
                    let name = file.path.0.get(directory.len() + 1..).unwrap_or_default();
                    !name.contains('/') && cron::is_read(name)
                });
                targets.extend(program.map(|file| Target {
                    paths: vec![file.path.0.to_string()],
                    by: directory.as_str().into(),
                    end: End::Part,
                }));
                std::ops::ControlFlow::Continue(())
            })?;
        }
        let (passed, whole) = ways::follow(view, targets)?;
        let state = if whole { state } else { state.and(TableState::truncated("too many paths")) };
        let rows = passed.into_values().map(|passed| RootExecutable {
            problem: passed.problem.map(|why| format!("{why}; run by {}", passed.by).into()),
            path: passed.file.path,
            run_by: passed.by,
            mode: passed.file.mode,
            uid: passed.file.uid.into(),
            gid: passed.file.gid.into(),
        });
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// What root runs, as far as it was found.
struct Found {
    state: TableState,
    roots: BTreeSet<Arc<str>>,
    targets: Vec<Target>,
    /// Directories outside of the configuration of which everything is run.
    directories: BTreeSet<String>,
}

impl Found {
    fn new(view: &View<'_>) -> Result<Self, FactError> {
        let (state, users) = view.typed::<User>()?;
        let known = users.into_iter().filter(|user| user.uid == 0).map(|user| user.name);
        let roots = known.chain(["", "root", "0"].map(Arc::from)).collect();
        Ok(Self { state, roots, targets: Vec::new(), directories: BTreeSet::new() })
    }

    /// Takes notice that something may be missing for this reason.
    fn missing(&mut self, state: TableState) {
        self.state = std::mem::replace(&mut self.state, TableState::Collected).and(state);
    }

    fn file(&mut self, path: &str, by: &Arc<str>, end: End) {
        self.targets.push(Target { paths: vec![path.to_owned()], by: Arc::clone(by), end });
    }

    fn run(&mut self, runs: Runs, by: &Arc<str>) {
        match runs {
            Runs::Directory(path) => {
                self.file(&path, by, End::Directory);
                if !path.starts_with("/etc/") && path.len() > 1 {
                    self.directories.insert(path.trim_end_matches('/').to_owned());
                }
            }
            Runs::Program(path) if path.starts_with('/') => self.file(&path, by, End::File),
            Runs::Program(name) => {
                let paths = SEARCH_PATH.iter().map(|place| format!("{place}/{name}")).collect();
                self.targets.push(Target { paths, by: Arc::clone(by), end: End::File });
            }
        }
    }

    fn units(&mut self, view: &View<'_>) -> Result<(), FactError> {
        let (state, services) = view.typed::<Service>()?;
        self.missing(state);
        for service in services {
            if service.enabled.starts_with("masked") {
                continue;
            }
            let as_root = service.user.as_ref().is_none_or(|user| self.roots.contains(&**user));
            let written = match &service.commands {
                Some(commands) => commands,
                None => &service.exec_start,
            };
            let mut runs = Vec::new();
            let mut directory = Some("/");
            for line in written {
                let (key, command) = match service.commands {
                    Some(_) => line.split_once('=').unwrap_or_default(),
                    None => ("ExecStart", &**line),
                };
                if key == "WorkingDirectory" {
                    directory =
                        Some(command.trim_start_matches('-')).filter(|d| d.starts_with('/'));
                    continue;
                }
                let keeps_root = unit_commands(command).iter().any(|command| command.keeps_root());
                if as_root || keeps_root {
                    runs.extend(commands::of_unit(command, directory));
                }
            }
            if !runs.is_empty() {
                self.file(&service.path.0, &service.name, End::File);
                for drop_in in &service.drop_ins {
                    self.file(drop_in, &service.name, End::File);
                }
            }
            runs.into_iter().for_each(|runs| self.run(runs, &service.name));
        }
        Ok(())
    }

    fn cron(&mut self, files: &ConfigFiles) {
        self.missing(files.state().clone());
        let (jobs, texts) = cron::jobs(files, &|user| self.roots.contains(user));
        for path in &texts {
            if let Some(Err(problem)) = files.get(path).map(|file| &file.text) {
                self.missing(TableState::truncated(format!("{path}: {problem}")));
            }
            self.file(path, path, End::File);
        }
        jobs.into_iter().for_each(|job| self.run(job.runs, &job.from));
        for directory in cron::RUN_PARTS {
            let by = Arc::from(directory);
            self.file(directory, &by, End::Directory);
            for file in files.in_directory(directory, "").filter(|file| cron::is_read(&file.path)) {
                self.file(&file.path, &by, End::Part);
            }
        }
        if let Some(file) = files.get(PRELOAD) {
            let text = file.text.as_deref().unwrap_or_default();
            let by = Arc::from(PRELOAD);
            self.file(PRELOAD, &by, End::File);
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
            let words = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ':'));
            for library in words.filter(|word| word.starts_with('/')) {
                self.file(library, &by, End::File);
            }
        }
    }

    fn processes(&mut self, view: &View<'_>) -> Result<(), FactError> {
        let (state, processes) = view.typed::<Process>()?;
        self.missing(state);
        let mut of_root = BTreeMap::new();
        for process in processes.into_iter().filter(|process| process.uid == 0) {
            let Some(exe) = process.exe else { continue };
            let by: Arc<str> = format!("process {} ({})", process.name, process.pid).into();
            self.file(&exe.0, &by, End::Used);
            let arguments = process.command_line.split_whitespace().skip(1).map(str::to_owned);
            let line: Vec<String> = std::iter::once(exe.0.to_string()).chain(arguments).collect();
            for runs in commands::of_line(&line).into_iter().skip(1) {
                self.run(runs, &by);
            }
            of_root.insert(process.pid, by);
        }
        let (state, modules) = view.typed::<ProcessModule>()?;
        self.missing(state);
        let mut seen = BTreeSet::new();
        for module in modules.into_iter().filter(|module| !module.deleted) {
            if let Some(by) = of_root.get(&module.pid)
                && seen.insert(Arc::clone(&module.path.0))
            {
                self.file(&module.path.0, by, End::Used);
            }
        }
        Ok(())
    }
}
