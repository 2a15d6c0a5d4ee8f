//! systemd units and whether they are enabled, computed from files alone: equal to what
//! `systemctl --root=DIR list-unit-files` and `is-enabled` say (compared with 252 and 257), so
//! that an image is answered like a running host.

mod boot;
mod dropins;
mod install;
mod loaded;
mod paths;
mod search;
mod specifiers;
mod sysv;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::boot::Units;
use self::install::{Nothing, Unit};
use self::search::Search;
use super::active::Active;
use crate::collect::Root;
use crate::collect::redact;
use crate::model::cell::AbsPath;
use crate::model::state::TableState;
use crate::model::table::{FileKind, Service};
use crate::model::unit::{NameKind, UnitName};

/// The units of a host, by name.
///
/// One row for every name in the unit search path (so templates and aliases have rows of their
/// own; an alias shows the settings of its unit), for every instance that a link or a starting
/// unit names, and for SysV scripts without a unit. `path` is the file behind all links, or the
/// mask. A name that leads nowhere, or to a file that systemd refuses, is `bad`. On a host without
/// systemd a script is `enabled` where a run level starts it, else `disabled`.
///
/// `active` says on a host that runs systemd whether a service, scope or slice is active: it has
/// processes in its control group, or systemd keeps its invocation in /run/systemd/units. Other
/// types of units have no value.
pub fn services(root: &dyn Root) -> (TableState, Vec<Service>) {
    let search = Search::new(root);
    let scripts = sysv::scripts(&search);
    if search.is_empty() && scripts.is_empty() {
        let state = match search.state() {
            TableState::Collected => TableState::absent("the host has no systemd unit files"),
            other => TableState::denied(other.reason().cloned().unwrap_or_default()),
        };
        return (state, Vec::new());
    }
    let names = listed(&search);
    let aliases = aliases(&search, &names);
    let mut units = Units::default();
    let started = boot::started(&search, &mut units, &aliases, &scripts);
    let active = Active::of(root);

    let mut rows = BTreeMap::new();
    for name in names.iter().chain(&started) {
        if rows.contains_key(name) {
            continue;
        }
        let unit = search.unit(name);
        // An instance that a unit pulls in and that has no template is no unit.
        if unit.as_ref().err() == Some(&Nothing::Missing) && !names.contains(name) {
            continue;
        }
        let mut row = empty(name);
        row.enabled = search.enablement(name, &unit).into();
        row.active = active.of_unit(name);
        match unit {
            Ok(Unit::Regular { name: main, path, .. }) => {
                let loaded = units.get(&search, &aliases, &main, &path);
                row.path = real_path(root, &path);
                row.starts_at_boot = started.contains(&main);
                row.active = active.of_unit(&main);
                row.user = loaded.user.as_deref().map(Arc::from);
                row.exec_start =
                    loaded.exec_start.iter().map(|line| line.as_str().into()).collect();
                let commands = loaded.commands.iter().map(|line| line.as_str().into());
                row.commands = Some(commands.collect());
                row.drop_ins = loaded.drop_ins.iter().map(|path| real_path(root, path).0).collect();
                let known = aliases.get(&main).into_iter().flatten();
                let known = std::iter::once(&main).chain(known).filter(|known| *known != name);
                row.aliases = known.map(|known| known.as_str().into()).collect();
            }
            Ok(Unit::Masked { path }) => row.path = AbsPath(path.into()),
            Err(_) => row.path = first_path(&search, name),
        }
        rows.insert(name.clone(), row);
    }
    for (name, script) in &scripts {
        let mut row = empty(name);
        row.path = AbsPath(script.path.as_str().into());
        if search.is_empty() {
            row.starts_at_boot = script.is_started();
            row.enabled = if row.starts_at_boot { "enabled" } else { "disabled" }.into();
        } else {
            row.starts_at_boot = started.contains(name);
            row.enabled = "generated".into();
        }
        row.active = active.of_unit(name);
        let command = redact::command_line(&format!("{} start", script.path)).into_owned();
        row.commands = Some(vec![format!("ExecStart={command}").into()]);
        row.exec_start = vec![command.into()];
        rows.entry(name.clone()).or_insert(row);
    }
    (search.state(), rows.into_values().collect())
}

fn empty(name: &str) -> Service {
    Service {
        name: name.into(),
        path: AbsPath::default(),
        enabled: "".into(),
        starts_at_boot: false,
        active: None,
        user: None,
        exec_start: Vec::new(),
        commands: Some(Vec::new()),
        aliases: Vec::new(),
        drop_ins: Vec::new(),
    }
}

/// Every unit name in the search path, and the instances that links name.
fn listed(search: &Search<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for dir in &search.dirs {
        for (name, kind) in &dir.entries {
            let is_unit = matches!(kind, FileKind::File | FileKind::Link);
            if is_unit && UnitName::new(name).is_some() {
                names.insert(name.clone());
            }
        }
    }
    for dir in &search.dirs {
        let instances = dir.wanted_instances.values().flatten();
        names.extend(
            instances
                .filter(|name| {
                    UnitName::new(name).is_some_and(|name| name.kind() == NameKind::Instance)
                        && search.unit(name).is_ok()
                })
                .cloned(),
        );
    }
    names
}

/// The other names of every unit that has some.
fn aliases(search: &Search<'_>, names: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alias in names {
        if let Ok(Unit::Regular { name, .. }) = search.unit(alias)
            && name != *alias
        {
            aliases.entry(name).or_default().insert(alias.clone());
        }
    }
    aliases
}

/// The path behind all links, as the `files` table has it.
fn real_path(root: &dyn Root, path: &str) -> AbsPath {
    AbsPath(root.resolve(path).unwrap_or_else(|_| path.to_owned()).into())
}

/// Where a name that systemd refuses stands.
fn first_path(search: &Search<'_>, name: &str) -> AbsPath {
    let dir = search.dirs.iter().find(|dir| dir.entries.contains_key(name));
    AbsPath(paths::join(dir.map_or("/", |dir| dir.path), name).into())
}
