//! Installed packages, by manager. Every database that is there is read, once: for its packages
//! and for the owners of the binaries that were found.

mod apk;
mod dpkg;
mod owners;
mod rpm;

use std::sync::Arc;

use self::owners::Owners;
use super::Root;
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::{Binary, Package};

/// What one manager's databases gave: its packages, and why some may be missing.
#[derive(Debug, Default)]
struct Inventory {
    packages: Vec<Package>,
    problems: Vec<String>,
}

/// Whether there is a package database of any kind.
pub(super) fn exist(root: &dyn Root) -> bool {
    dpkg::exists(root) || rpm::exists(root) || apk::exists(root)
}

/// All packages, and the state of the table. Sets the packages that own the binaries.
pub(super) fn packages(root: &dyn Root, binaries: &mut [Binary]) -> (TableState, Rows) {
    let paths: Vec<Arc<str>> = binaries.iter().map(|binary| Arc::clone(&binary.path.0)).collect();
    let mut owners = Owners::of(root, &paths);
    let found: Vec<Inventory> =
        [dpkg::read(root, &mut owners), rpm::read(root, &mut owners), apk::read(root, &mut owners)]
            .into_iter()
            .flatten()
            .collect();
    for binary in binaries {
        binary.package = owners.owner(&binary.path.0);
    }
    if found.is_empty() {
        let state = TableState::absent("no package database (dpkg, rpm, apk) was found");
        return (state, Rows::of(Vec::<Package>::new()));
    }
    let mut problems = Vec::new();
    let mut packages = Vec::new();
    for inventory in found {
        problems.extend(inventory.problems);
        packages.extend(inventory.packages);
    }
    packages.sort_by(|a, b| key(a).cmp(&key(b)));
    packages.dedup();
    let state = match (problems.is_empty(), packages.is_empty()) {
        (true, false) => TableState::Collected,
        // No host has a package manager and nothing installed by it.
        (true, true) => TableState::absent("the package database holds no package"),
        (false, false) => TableState::truncated(problems.join("; ")),
        (false, true) => TableState::absent(problems.join("; ")),
    };
    (state, Rows::of(packages))
}

fn key(package: &Package) -> (&str, &str, &str, Option<&str>) {
    (&package.manager, &package.name, &package.version.0, package.arch.as_deref())
}
