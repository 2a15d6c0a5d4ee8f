//! What starting the host would start: everything that the default target reaches.
//!
//! Followed are `Wants=`, `Requires=`, `BindsTo=`, `Upholds=`, `Sockets=`, the `.wants`,
//! `.requires` and `.upholds` directories, and what services, sockets, timers and paths require by
//! default. A socket, timer or path that starts counts for itself, not for the service it starts
//! later. Not seen are units that udev, generators other than the one for SysV scripts, or the
//! kernel command line add when the host runs; conditions are not evaluated.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::install::Unit;
use super::loaded::{Loaded, load};
use super::search::Search;
use super::sysv::Script;

/// Most units that are followed; names can be made without end by templates that pull in longer
/// instances of themselves.
const MOST_UNITS: usize = 20_000;

/// Units by main name: every one that was asked for, loaded.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub(super) loaded: BTreeMap<String, Loaded>,
}

impl Units {
    /// The settings of a unit, loaded when they are first asked for.
    pub(super) fn get(
        &mut self,
        search: &Search<'_>,
        aliases: &BTreeMap<String, BTreeSet<String>>,
        name: &str,
        path: &str,
    ) -> &Loaded {
        self.loaded.entry(name.to_owned()).or_insert_with(|| {
            let others = aliases.get(name).into_iter().flatten().cloned();
            let names: Vec<String> = std::iter::once(name.to_owned()).chain(others).collect();
            load(search, &names, path)
        })
    }
}

/// The main names of the units that start at boot.
pub(super) fn started(
    search: &Search<'_>,
    units: &mut Units,
    aliases: &BTreeMap<String, BTreeSet<String>>,
    scripts: &BTreeMap<String, Script>,
) -> BTreeSet<String> {
    let mut wanted: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (name, script) in scripts {
        for target in &script.wanted_by {
            wanted.entry(target).or_default().push(name);
        }
    }
    let mut started = BTreeSet::new();
    // Without a default target systemd starts the rescue target.
    let first = match search.unit("default.target") {
        Ok(Unit::Regular { name, .. }) => name,
        _ => "rescue.target".to_owned(),
    };
    let mut queued = BTreeSet::from([first.clone()]);
    let mut open = VecDeque::from([first]);
    let mut queue = |name: &String, open: &mut VecDeque<String>| {
        if queued.len() >= MOST_UNITS {
            search.trouble(format!("more than {MOST_UNITS} units pull in one another"));
        } else if queued.insert(name.clone()) {
            open.push_back(name.clone());
        }
    };
    while let Some(name) = open.pop_front() {
        let mut names = vec![name.clone()];
        match search.unit(&name) {
            Ok(Unit::Regular { name: main, path, .. }) => {
                for name in &units.get(search, aliases, &main, &path).pulls {
                    queue(name, &mut open);
                }
                names.extend(aliases.get(&main).into_iter().flatten().cloned());
                names.push(main.clone());
                started.insert(main);
            }
            Err(_) if scripts.contains_key(&name) => {
                started.insert(name);
                continue;
            }
            _ => continue,
        }
        for name in names.iter().filter_map(|name| wanted.get(name.as_str())).flatten() {
            queue(name, &mut open);
        }
    }
    started
}
