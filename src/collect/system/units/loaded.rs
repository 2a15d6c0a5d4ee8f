//! A unit as systemd loads it: its file and drop-ins merged into the settings that rules ask for.

use super::dropins;
use super::search::{Content, Search};
use super::specifiers::expand;
use crate::collect::redact;
use crate::model::unit::{Assignment, Escapes, UnitName, commands, words};

/// Settings that make a unit pull in others when it starts.
const PULLS: [&str; 4] = ["Wants", "Requires", "BindsTo", "Upholds"];
/// Directories that do the same.
const PULL_DIRS: [&str; 3] = [".wants", ".requires", ".upholds"];

/// Settings that hold commands, in the order in which systemd runs them.
const COMMANDS: [&str; 9] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecReloadPost",
    "ExecStop",
    "ExecStopPre",
    "ExecStopPost",
];

/// What is taken from a unit's texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// `User=`, or the name of the user that `DynamicUser=` makes.
    pub(super) user: Option<String>,
    /// `ExecStart=`, secrets redacted.
    pub(super) exec_start: Vec<String>,
    /// `WorkingDirectory=` and all that is run, as `Key=command`, secrets redacted.
    pub(super) commands: Vec<String>,
    /// Drop-ins that hold something, in the order in which they apply.
    pub(super) drop_ins: Vec<String>,
    /// Units that it pulls in.
    pub(super) pulls: Vec<String>,
}

/// Loads a unit: `names` are its names, the main one first, `path` is its file.
pub(super) fn load(search: &Search<'_>, names: &[String], path: &str) -> Loaded {
    let mut loaded = Loaded::default();
    let Some(unit) = names.first().and_then(|name| UnitName::new(name)) else { return loaded };
    let mut settings = Settings::new(search);
    if let Content::Text(text) = search.content(path) {
        settings.read(&text.assignments, &unit);
    }
    for drop_in in dropins::for_loading(search, names) {
        if let Content::Text(text) = search.content(&drop_in) {
            settings.read(&text.assignments, &unit);
            if search.has_room(drop_in.len()) {
                loaded.drop_ins.push(drop_in);
            }
        }
    }
    for ending in PULL_DIRS {
        for (name, link) in dropins::dependencies(search, names, ending) {
            let is_link = search.root().read_link(&link).is_ok();
            let is_mask = matches!(search.content(&link), Content::Empty);
            if is_link && !is_mask && search.has_room(name.len()) {
                settings.pulls.push(name);
            }
        }
    }
    settings.implicit(&unit);
    loaded.pulls = settings.pulls.iter().filter_map(|name| instance_of(name, &unit)).collect();
    loaded.exec_start = settings.exec_start();
    loaded.commands = settings.commands();
    loaded.user = settings.user.or_else(|| settings.dynamic_user.then(|| unit.prefix.to_owned()));
    loaded
}

struct Settings<'s, 'r> {
    search: &'s Search<'r>,
    user: Option<String>,
    dynamic_user: bool,
    /// Whether `User=` is only for `ExecStart=`.
    start_only: bool,
    directory: Option<String>,
    /// The commands of each of [`COMMANDS`]: prefixes, and what follows them.
    exec: [Vec<(String, String)>; COMMANDS.len()],
    pulls: Vec<String>,
    no_defaults: bool,
    bus: bool,
}

impl<'s, 'r> Settings<'s, 'r> {
    fn new(search: &'s Search<'r>) -> Self {
        Self {
            search,
            user: None,
            dynamic_user: false,
            start_only: false,
            directory: None,
            exec: Default::default(),
            pulls: Vec::new(),
            no_defaults: false,
            bus: false,
        }
    }

    fn read(&mut self, assignments: &[Assignment], unit: &UnitName<'_>) {
        let service = unit.unit_type == "service";
        for entry in assignments {
            let value = entry.value.as_str();
            match (entry.section.as_str(), entry.key.as_str()) {
                // An empty value resets no dependency (systemd.unit(5)).
                ("Unit", key) if PULLS.contains(&key) => self.pull(value, unit),
                ("Service", "Sockets") if service => self.pull(value, unit),
                ("Unit", "DefaultDependencies") => self.no_defaults = boolean(value) == Some(false),
                ("Service", "User") if service => {
                    self.user = Some(expand(value, unit)).filter(|user| !user.is_empty());
                }
                ("Service", "DynamicUser") if service => {
                    self.dynamic_user = boolean(value) == Some(true);
                }
                ("Service", "Type") if service => self.bus |= value == "dbus",
                ("Service", "BusName") if service => self.bus |= !value.is_empty(),
                ("Service", "PermissionsStartOnly") if service => {
                    self.start_only = boolean(value) == Some(true);
                }
                ("Service" | "Socket", "WorkingDirectory") => {
                    self.directory = Some(expand(value, unit)).filter(|path| !path.is_empty());
                }
                ("Service" | "Socket", key) => self.command(key, value, unit),
                _ => {}
            }
        }
    }

    /// Takes the commands of a setting that holds some; an empty value resets it.
    fn command(&mut self, key: &str, value: &str, unit: &UnitName<'_>) {
        let place = COMMANDS.iter().position(|known| *known == key);
        let Some(list) = place.and_then(|place| self.exec.get_mut(place)) else { return };
        if value.is_empty() {
            list.clear();
        } else if self.search.has_room(value.len().saturating_mul(2)) {
            for command in commands(value) {
                let text = expand(&command.text, unit);
                list.push((command.prefixes, redact::command_line(&text).into_owned()));
            }
        }
    }

    fn exec_start(&self) -> Vec<String> {
        let lists = COMMANDS.iter().zip(&self.exec).filter(|(key, _)| **key == "ExecStart");
        lists.flat_map(|(_, list)| list).map(|(_, text)| text.clone()).collect()
    }

    fn commands(&self) -> Vec<String> {
        let directory = self.directory.iter().map(|path| format!("WorkingDirectory={path}"));
        let all = COMMANDS.iter().zip(&self.exec).flat_map(|(key, list)| {
            // Such a command runs as root, as one with the prefix `+` does.
            let root = if self.start_only && *key != "ExecStart" { "+" } else { "" };
            list.iter().map(move |(prefixes, text)| {
                let root = if prefixes.contains(['+', '!']) { "" } else { root };
                format!("{key}={root}{prefixes}{text}")
            })
        });
        directory.chain(all).collect()
    }

    fn pull(&mut self, value: &str, unit: &UnitName<'_>) {
        // The shortest name is `a.path`, so words take up to five times their length.
        if self.search.has_room(value.len().saturating_mul(5)) {
            let names = words(value, Escapes::Keep).unwrap_or_default();
            let names = names.iter().map(|name| expand(name, unit));
            self.pulls.extend(names.filter(|name| UnitName::new(name).is_some()));
        }
    }

    /// What a unit of its type requires without saying so.
    fn implicit(&mut self, unit: &UnitName<'_>) {
        let starts_late = matches!(unit.unit_type, "service" | "socket" | "timer" | "path");
        if starts_late && !self.no_defaults {
            self.pulls.push("sysinit.target".to_owned());
        }
        if self.bus {
            self.pulls.push("dbus.socket".to_owned());
        }
    }
}

/// A template that a unit pulls in becomes an instance, named after the unit's own instance or,
/// without one, its prefix.
fn instance_of(name: &str, unit: &UnitName<'_>) -> Option<String> {
    let parts = UnitName::new(name)?;
    if parts.instance != Some("") {
        return Some(name.to_owned());
    }
    let instance = unit.instance.filter(|instance| !instance.is_empty()).unwrap_or(unit.prefix);
    let name = parts.with_instance(instance);
    UnitName::new(&name).is_some().then_some(name)
}

/// systemd's words for true and false.
fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}
