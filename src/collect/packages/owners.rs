//! Which package owns a file, answered only for the files that are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::collect::Root;

/// Directories that a merged /usr makes links, and that packages still name by their old path.
const ALIASES: [&str; 8] =
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/sbin", "/usr/lib64"];

/// The files that are asked for, by directory, with their owners as they are found.
#[derive(Debug, Default)]
pub(in crate::collect) struct Owners {
    wanted: HashMap<String, HashMap<String, Option<Arc<str>>>>,
    aliases: Vec<(&'static str, String)>,
    /// Where a package's file was moved to by dpkg-divert(1), and for which package it was not; by
    /// directory and name.
    diversions: HashMap<String, HashMap<String, (String, String)>>,
}

impl Owners {
    /// Asks for files, by their paths as the walk shows them.
    pub(super) fn of<'a>(root: &dyn Root, files: impl Iterator<Item = &'a Arc<str>>) -> Self {
        let mut owners = Self::default();
        for path in files {
            let Some((directory, name)) = path.rsplit_once('/') else { continue };
            let names = match owners.wanted.get_mut(directory) {
                Some(names) => names,
                None => owners.wanted.entry(directory.to_owned()).or_default(),
            };
            names.insert(name.to_owned(), None);
        }
        if !owners.wanted.is_empty() {
            let is_link = |path: &&str| root.read_link(path).is_ok();
            owners.aliases = ALIASES
                .into_iter()
                .filter(is_link)
                .filter_map(|path| Some((path, root.resolve(path).ok()?)))
                .collect();
        }
        owners
    }

    /// Whether no file is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Says that the file at `path` lies at `to` unless it belongs to the package `by`.
    pub(super) fn divert(&mut self, path: &str, to: &str, by: &str) {
        let Some((directory, name)) = path.rsplit_once('/') else { return };
        let names = self.diversions.entry(directory.to_owned()).or_default();
        names.insert(name.to_owned(), (to.to_owned(), by.to_owned()));
    }

    /// Takes the files of a package, as directory and name; `list` shows them.
    pub(super) fn take(
        &mut self,
        package: &Arc<str>,
        list: impl FnOnce(&mut dyn FnMut(&[u8], &[u8])),
    ) {
        if self.is_empty() {
            return;
        }
        list(&mut |directory, name| {
            let text = std::str::from_utf8(directory).ok().zip(std::str::from_utf8(name).ok());
            if let Some((directory, name)) = text {
                self.own(directory, name, package);
            }
        });
    }

    /// Takes one file of a package by its whole path.
    pub(super) fn take_path(&mut self, package: &Arc<str>, path: &str) {
        if let Some((directory, name)) = path.rsplit_once('/') {
            self.own(directory, name, package);
        }
    }

    fn own(&mut self, directory: &str, name: &str, package: &Arc<str>) {
        let directory = directory.strip_suffix('/').unwrap_or(directory);
        let diverted = self.diversions.get(directory).and_then(|names| names.get(name));
        if let Some((to, by)) = diverted
            && **package != **by
        {
            let to = to.clone();
            if let Some((directory, name)) = to.rsplit_once('/') {
                self.own_at(directory, name, package);
            }
            return;
        }
        self.own_at(directory, name, package);
    }

    fn own_at(&mut self, directory: &str, name: &str, package: &Arc<str>) {
        let real = self.aliases.iter().find_map(|(alias, real)| {
            let rest = directory.strip_prefix(alias)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{real}{rest}"))
        });
        let directory = real.as_deref().unwrap_or(directory);
        if let Some(owner) = self.wanted.get_mut(directory).and_then(|names| names.get_mut(name)) {
            owner.get_or_insert_with(|| Arc::clone(package));
        }
    }

    /// The owner of a file that was asked for.
    pub(in crate::collect) fn owner(&self, path: &str) -> Option<Arc<str>> {
        let (directory, name) = path.rsplit_once('/')?;
        self.wanted.get(directory)?.get(name)?.clone()
    }
}
