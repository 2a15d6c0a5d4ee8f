//! From which repository a package was installed, where the package manager records it.
//!
//! yum (Amazon Linux 2, CentOS 7) keeps a directory for each package,
//! `yumdb/<letter>/<hash>-<name>-<version>-<release>-<arch>`, with a file for each fact. dnf keeps a
//! history in SQLite: `rpm` has the packages, `trans_item` what was done with them and from where.

use std::collections::HashMap;
use std::sync::Arc;

use super::pages::Pages;
use super::sqlite;
use crate::collect::{Root, text};
use crate::model::table::Package;

const YUMDB: &str = "/var/lib/yum/yumdb";
const HISTORY: &str = "/var/lib/dnf/history.sqlite";
/// What dnf names as the repository of a package that was there already.
const SYSTEM: &str = "@System";
/// More packages than any host has, or had in its history.
const MAX_RECORDS: usize = 1 << 20;

/// Repositories by package.
#[derive(Default)]
pub(super) struct Origins(HashMap<String, Arc<str>>);

impl Origins {
    /// What yum and dnf recorded; nothing where there is no record that can be read.
    pub(super) fn read(root: &dyn Root) -> Self {
        let mut origins = Self::default();
        origins.read_yum(root);
        if let Ok(path) = root.resolve(HISTORY) {
            // A history that cannot be read tells nothing, as one that is not there.
            let _ = origins.read_dnf(root, &path);
        }
        origins
    }

    /// The repository of a package.
    pub(super) fn of(&self, package: &Package) -> Option<Arc<str>> {
        let version =
            package.version.0.split_once(':').map_or(&*package.version.0, |(_, rest)| rest);
        let arch = package.arch.as_deref().unwrap_or_default();
        self.0.get(&format!("{}-{version}-{arch}", package.name)).cloned()
    }

    fn read_yum(&mut self, root: &dyn Root) {
        for (letter, _) in root.list(YUMDB).unwrap_or_default() {
            let directory = format!("{YUMDB}/{letter}");
            for (name, _) in root.list(&directory).unwrap_or_default() {
                let Some((_, package)) = name.split_once('-') else { continue };
                let repository = text::word(root, &format!("{directory}/{name}/from_repo"));
                if let Some(repository) = repository
                    && self.0.len() < MAX_RECORDS
                {
                    self.0.insert(package.to_owned(), repository.into());
                }
            }
        }
    }

    /// Tables and columns of dnf 4's history, version 1.2: repo(id, repoid); rpm(item_id, name,
    /// epoch, version, release, arch); trans_item(id, trans_id, item_id, repo_id, action, ...).
    fn read_dnf(&mut self, root: &dyn Root, path: &str) -> Result<(), String> {
        let mut pages = Pages::open(root, path)?;
        let mut repositories: HashMap<u64, Arc<str>> = HashMap::new();
        sqlite::table(&mut pages, "repo", &mut |row| {
            if let Some(name) = row.text(1).filter(|name| name != SYSTEM)
                && repositories.len() < MAX_RECORDS
            {
                repositories.insert(row.id, name.into());
            }
        })?;
        let mut came_from: HashMap<u64, Arc<str>> = HashMap::new();
        sqlite::table(&mut pages, "trans_item", &mut |row| {
            let (Some(item), Some(repository)) = (row.integer(2), row.integer(3)) else { return };
            // The last time that it came from somewhere counts.
            if let Some(name) = repositories.get(&repository)
                && came_from.len() < MAX_RECORDS
            {
                came_from.insert(item, Arc::clone(name));
            }
        })?;
        sqlite::table(&mut pages, "rpm", &mut |row| {
            let words = [row.text(1), row.text(3), row.text(4), row.text(5)];
            if let [Some(name), Some(version), Some(release), Some(arch)] = words
                && let Some(repository) = came_from.get(&row.integer(0).unwrap_or(row.id))
                && self.0.len() < MAX_RECORDS
            {
                let package = format!("{name}-{version}-{release}-{arch}");
                self.0.insert(package, Arc::clone(repository));
            }
        })?;
        Ok(())
    }
}
