//! Installed packages, by manager. Every database that is there is read, once: for its packages
//! and for the owners of the files that were found.

mod apk;
mod dpkg;
mod owners;
mod rpm;

use std::sync::Arc;

pub(super) use self::owners::Owners;
pub(super) use self::rpm::source_of as source_of_rpm;
use super::Root;
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::Package;

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

/// All packages, the state of their table, and the owners of `files`.
pub(super) fn packages<'a>(
    root: &dyn Root,
    files: impl Iterator<Item = &'a Arc<str>>,
) -> (TableState, Rows, Owners) {
    let mut owners = Owners::of(root, files);
    let found: Vec<Inventory> =
        [dpkg::read(root, &mut owners), rpm::read(root, &mut owners), apk::read(root, &mut owners)]
            .into_iter()
            .flatten()
            .collect();
    if found.is_empty() {
        let state = TableState::absent("no package database (dpkg, rpm, apk) was found");
        return (state, Rows::of(Vec::<Package>::new()), owners);
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
    (state, Rows::of(packages), owners)
}

fn key(package: &Package) -> (&str, &str, &str, Option<&str>) {
    (&package.manager, &package.name, &package.version.0, package.arch.as_deref())
}
