//! Installed packages, by manager. Every database that is there is read.

mod apk;
mod dpkg;
mod rpm;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Root;
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::Package;

/// What one manager's database gave: its packages, and why some may be missing.
struct Inventory {
    packages: Vec<Package>,
    problem: Option<String>,
}

/// All packages, and the state of the table.
pub(super) fn packages(root: &dyn Root) -> (TableState, Rows) {
    let found: Vec<Inventory> =
        [dpkg::read(root), rpm::read(root), apk::read(root)].into_iter().flatten().collect();
    if found.is_empty() {
        let state = TableState::absent("no package database (dpkg, rpm, apk) was found");
        return (state, Rows::new(Package::TABLE));
    }
    let problems: Vec<String> =
        found.iter().filter_map(|inventory| inventory.problem.clone()).collect();
    let mut packages: Vec<Package> =
        found.into_iter().flat_map(|inventory| inventory.packages).collect();
    packages.sort_by(|a, b| {
        (&a.manager, &a.name, &a.version.0, &a.arch).cmp(&(
            &b.manager,
            &b.name,
            &b.version.0,
            &b.arch,
        ))
    });
    let state = match (problems.is_empty(), packages.is_empty()) {
        (true, _) => TableState::Collected,
        (false, false) => TableState::truncated(problems.join("; ")),
        (false, true) => TableState::absent(problems.join("; ")),
    };
    (state, Rows::of(packages))
}

/// Which package owns each of the given files; files that no package owns are left out.
pub(super) fn owners(root: &dyn Root, files: &[Arc<str>]) -> HashMap<Arc<str>, Arc<str>> {
    let wanted: HashSet<String> = files.iter().map(|path| merged(path)).collect();
    let mut found: HashMap<String, Arc<str>> = HashMap::new();
    for source in [dpkg::owners, rpm::owners, apk::owners] {
        source(root, &mut |path, package| {
            let path = merged(path);
            if wanted.contains(&path) {
                found.entry(path).or_insert_with(|| Arc::clone(package));
            }
        });
    }
    files
        .iter()
        .filter_map(|path| Some((Arc::clone(path), Arc::clone(found.get(&merged(path))?))))
        .collect()
}

/// The path on a system whose /bin, /sbin and /lib* are links into /usr: packages still list the
/// old places.
fn merged(path: &str) -> String {
    let old = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"];
    if old.iter().any(|place| path.starts_with(place)) {
        format!("/usr{path}")
    } else {
        path.to_owned()
    }
}
