//! Scripts of /etc/init.d without a unit of their own: systemd's generator makes services of them
//! when it starts (systemd-sysv-generator(8)). On a host without systemd they are the services:
//! init(8) starts those that its run level has a link for.

use std::collections::{BTreeMap, BTreeSet};

use super::install::Nothing;
use super::search::Search;
use crate::model::table::FileKind;
use crate::model::unit::UnitName;

/// Where the scripts are.
const SCRIPTS: &str = "/etc/init.d";
/// Directories of links that start scripts, and the target that then wants them.
const RUN_LEVELS: [(&str, &str); 5] = [
    ("/etc/rc1.d", "rescue.target"),
    ("/etc/rc2.d", "multi-user.target"),
    ("/etc/rc3.d", "multi-user.target"),
    ("/etc/rc4.d", "multi-user.target"),
    ("/etc/rc5.d", "graphical.target"),
];
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-sysv-generator",
    "/lib/systemd/system-generators/systemd-sysv-generator",
];

/// A script that becomes a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// The script.
    pub(super) path: String,
    /// The targets that will want it.
    pub(super) wanted_by: BTreeSet<&'static str>,
}

impl Script {
    /// Whether a run level in which users work starts it.
    pub(super) fn is_started(&self) -> bool {
        self.wanted_by.iter().any(|target| *target != "rescue.target")
    }
}

/// The services that the generator would make, by name.
pub(super) fn scripts(search: &Search<'_>) -> BTreeMap<String, Script> {
    let mut scripts = BTreeMap::new();
    let generated = GENERATORS.iter().any(|path| search.root().metadata(path).is_ok());
    // OpenRC has scripts there, too, and no such run levels.
    let has_levels = || RUN_LEVELS.iter().any(|(place, _)| !search.list(place).is_empty());
    let alone = search.is_empty() && has_levels();
    if !generated && !alone {
        return scripts;
    }
    for (file, _) in search.list(SCRIPTS).iter() {
        let path = format!("{SCRIPTS}/{file}");
        let name = service_name(file);
        let is_unit = UnitName::new(&name).is_some();
        if is_unit && is_script(search, &path) && search.unit(&name).err() == Some(Nothing::Missing)
        {
            let script = Script { path, wanted_by: BTreeSet::new() };
            scripts.entry(name).or_insert(script);
        }
    }
    for (directory, target) in RUN_LEVELS {
        for (link, _) in search.list(directory).iter() {
            if let Some(script) = started(link).and_then(|name| scripts.get_mut(&name)) {
                script.wanted_by.insert(target);
            }
        }
    }
    scripts
}

/// A regular file, links followed, that its owner may execute.
fn is_script(search: &Search<'_>, path: &str) -> bool {
    let real = search.root().resolve(path);
    let meta = real.and_then(|real| search.root().metadata(&real));
    meta.is_ok_and(|meta| meta.kind == FileKind::File && meta.mode & 0o100 != 0)
}

/// `S20name`: the service that the link starts.
fn started(link: &str) -> Option<String> {
    let rest = link.strip_prefix('S')?;
    let (order, name) = rest.split_at_checked(2)?;
    let counts = order.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty();
    counts.then(|| service_name(name))
}

fn service_name(script: &str) -> String {
    format!("{}.service", script.strip_suffix(".sh").unwrap_or(script))
}
