//! Packages of language ecosystems: what installers leave in the file system, found by name during
//! the one walk. Only candidates are opened, each within bounds; what the bounds leave out is said
//! in the table's state.
//!
//! One file an ecosystem. What only lists wishes (lock files, requirements) says nothing of what is
//! there and is not read.

mod composer;
mod gem;
mod jar;
mod npm;
mod program;
mod python;

pub(super) use self::python::normal as normal_python_name;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::binaries;
use super::losses::Losses;
use super::root::Content;
use super::text;
use crate::model::cell::{AbsPath, Version};
use crate::model::state::TableState;
use crate::model::table::{File, FileKind, LanguagePackage};

/// The most bytes of a file that describes one package.
const FILE_LIMIT: usize = 1 << 20;
/// The most bytes of a file that describes many.
const LIST_LIMIT: usize = 32 << 20;
/// The most bytes of all of them.
const TOTAL_LIMIT: usize = 512 << 20;
/// The most bytes that are unpacked of all archives.
const UNPACKED_LIMIT: u64 = 8 << 30;
/// The most packages.
const COUNT_LIMIT: usize = 200_000;
/// The longest name or version.
const MAX_WORD: usize = 512;

/// A package as its file tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    ecosystem: &'static str,
    name: String,
    version: String,
    inside: Option<String>,
}

impl Found {
    /// None where a word is empty or longer than any real one.
    fn new(ecosystem: &'static str, name: &str, version: &str) -> Option<Self> {
        let (name, version) = (name.trim(), version.trim());
        let fits = |word: &str| {
            !word.is_empty() && word.len() <= MAX_WORD && !word.contains(char::is_control)
        };
        (fits(name) && fits(version)).then(|| Self {
            ecosystem,
            name: name.to_owned(),
            version: version.to_owned(),
            inside: None,
        })
    }
}

/// How the files of one kind are read.
struct Kind {
    /// The most bytes that are read.
    limit: usize,
    /// The packages in a file's text; none where it is damaged. A file may well speak of nothing.
    read: fn(path: &str, text: &str) -> Option<Vec<Found>>,
}

/// What a file is, by its path alone. Nearly every file of a host is nothing, which the last
/// letters of its path tell.
fn kind_of(path: &str) -> Option<Kind> {
    let one = |read| Some(Kind { limit: FILE_LIMIT, read });
    let (directory, name) = path.rsplit_once('/')?;
    match name {
        "METADATA" | "PKG-INFO" if python::describes(directory) => one(python::read),
        "package.json" if npm::is_installed(directory) => one(npm::read),
        "installed.json" if directory.ends_with("/composer") => {
            Some(Kind { limit: LIST_LIMIT, read: composer::read })
        }
        _ if name.ends_with(".gemspec") && gem::is_installed(directory) => one(gem::read),
        _ if name.ends_with(".egg-info") => one(python::read),
        _ => None,
    }
}

/// Gathers the packages that a walk meets.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    found: BTreeMap<Arc<str>, Vec<Found>>,
    count: usize,
    total: usize,
    unpacked: u64,
    unread: Losses,
}

impl Gatherer {
    /// Takes the file where it describes packages.
    pub(super) fn meet(&mut self, file: &File, content: &dyn Content) {
        if file.kind != FileKind::File || file.size == 0 {
            return;
        }
        let path = &file.path.0;
        let size = u64::try_from(file.size).unwrap_or_default();
        let (found, problem) = if let Some(kind) = kind_of(path) {
            match self.take(path, size, &kind, content) {
                Ok(found) => (found, None),
                Err(reason) => (Vec::new(), Some(reason)),
            }
        } else if jar::is_archive(path) {
            let mut room = UNPACKED_LIMIT.saturating_sub(self.unpacked);
            let before = room;
            let read = jar::read(path, size, content, &mut room);
            self.unpacked += before - room;
            read
        } else if binaries::is_candidate(file) {
            match program::read(content) {
                Ok(read) => read,
                Err(error) => (Vec::new(), Some(text::sentence(&error))),
            }
        } else {
            return;
        };
        self.add(path, found);
        if let Some(problem) = problem {
            self.unread.add(path, &problem);
        }
    }

    fn take(
        &mut self,
        path: &str,
        size: u64,
        kind: &Kind,
        content: &dyn Content,
    ) -> Result<Vec<Found>, String> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > kind.limit {
            return Err(format!("too large: more than {} KiB", kind.limit >> 10));
        }
        self.total += size;
        if self.total > TOTAL_LIMIT {
            return Err(format!("beyond {} MiB in all", TOTAL_LIMIT >> 20));
        }
        let mut bytes = vec![0; size];
        let length = content.read_at(0, &mut bytes).map_err(|error| text::sentence(&error))?;
        bytes.truncate(length);
        let text = String::from_utf8_lossy(&bytes);
        (kind.read)(path, &text).ok_or_else(|| "it does not say what it is".to_owned())
    }

    fn add(&mut self, path: &Arc<str>, mut found: Vec<Found>) {
        found.sort();
        found.dedup();
        if self.count + found.len() > COUNT_LIMIT {
            self.unread.add(path, "there are too many packages");
        } else if !found.is_empty() {
            self.count += found.len();
            self.found.insert(Arc::clone(path), found);
        }
    }

    /// The files that describe packages.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.found.keys()
    }

    /// All packages by path, and the state of their table; `owner` tells which distribution package
    /// a file belongs to.
    pub(super) fn finish(
        self,
        owner: impl Fn(&str) -> Option<Arc<str>>,
    ) -> (TableState, Vec<LanguagePackage>) {
        let mut rows = Vec::with_capacity(self.count);
        for (path, found) in self.found {
            let package = owner(&path);
            rows.extend(found.into_iter().map(|found| LanguagePackage {
                ecosystem: found.ecosystem.into(),
                name: found.name.into(),
                version: Version(found.version.into()),
                path: AbsPath(Arc::clone(&path)),
                inside: found.inside.map(Arc::from),
                package: package.clone(),
            }));
        }
        (self.unread.state("descriptions of packages"), rows)
    }
}
