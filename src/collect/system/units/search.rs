//! The directories that systemd looks for units in, read once and indexed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use rustix::io::Errno;

use super::paths::{self, basename, join};
use crate::collect::Root;
use crate::model::state::TableState;
use crate::model::table::FileKind;
use crate::model::unit::{UnitName, UnitText, parse};

/// The search path of the system manager, highest priority first (systemd.unit(5)). /lib counts
/// where it is not a link to /usr/lib, as it did before the merge of /usr.
const SEARCH_PATH: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    CONFIG,
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Where the administrator's units and links are.
pub(super) const CONFIG: &str = "/etc/systemd/system";
const GENERATORS: [&str; 3] =
    ["/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late"];
/// A link to it masks, whether or not the root has the device.
const NULL: &str = "/dev/null";
const TRANSIENT: &str = "/run/systemd/transient";

/// Largest unit file that is read.
const LARGEST: u64 = 1024 * 1024;
/// Most bytes of unit files that are read, and most bytes of settings that are kept: one drop-in
/// can count for every service. A host has about one megabyte of both.
const MOST_TEXT: usize = 64 * 1024 * 1024;
const MOST_KEPT: usize = 128 * 1024 * 1024;
/// Most directory entries that are looked at; a host has a few thousand.
const MOST_ENTRIES: usize = 20_000;

/// Names and kinds.
type Entries = Rc<[(String, FileKind)]>;

/// One directory of the search path.
#[derive(Debug, Default)]
pub(super) struct UnitDir {
    /// As the search path names it.
    pub(super) path: &'static str,
    /// Its names.
    pub(super) entries: BTreeMap<String, FileKind>,
    /// Links directly in it, with the name of what they point to.
    pub(super) links: BTreeMap<String, String>,
    /// The same the other way round.
    pub(super) links_to: BTreeMap<String, Vec<String>>,
    /// Names of the links in its `.wants`, `.requires` and `.upholds` directories.
    pub(super) wanted: BTreeSet<String>,
    /// Of these, the instances of each template.
    pub(super) wanted_instances: BTreeMap<String, BTreeSet<String>>,
}

impl UnitDir {
    /// Whether what is in it is gone after a restart.
    pub(super) fn is_runtime(&self) -> bool {
        paths::is_in(self.path, "/run")
    }
}

/// What a file is to systemd.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Nothing is there.
    Missing,
    /// An empty file or a device: a mask.
    Empty,
    /// A unit file or drop-in.
    Text(Rc<UnitText>),
    /// A directory, a pipe, a file that is too large, ...
    Unusable,
}

/// The search path of one root.
pub(super) struct Search<'r> {
    root: &'r dyn Root,
    pub(super) dirs: Vec<UnitDir>,
    texts: RefCell<BTreeMap<String, Content>>,
    lists: RefCell<BTreeMap<String, Entries>>,
    entries_left: Cell<usize>,
    text_left: Cell<usize>,
    kept_left: Cell<usize>,
    troubles: RefCell<BTreeSet<String>>,
}

impl<'r> Search<'r> {
    /// Whether no directory of the search path holds anything: the host has no systemd.
    pub(super) fn is_empty(&self) -> bool {
        self.dirs.iter().all(|dir| dir.entries.is_empty())
    }

    /// Reads every directory of the search path.
    pub(super) fn new(root: &'r dyn Root) -> Self {
        let mut search = Self {
            root,
            dirs: Vec::new(),
            texts: RefCell::default(),
            lists: RefCell::default(),
            entries_left: Cell::new(MOST_ENTRIES),
            text_left: Cell::new(MOST_TEXT),
            kept_left: Cell::new(MOST_KEPT),
            troubles: RefCell::default(),
        };
        let mut seen = BTreeSet::new();
        // Backwards, so that of two names for one directory the /usr one stays.
        for path in SEARCH_PATH.into_iter().rev() {
            let Ok(real) = root.resolve(path) else {
                search.note(path, root.metadata(path).err());
                continue;
            };
            if seen.insert(real) {
                let dir = search.directory(path);
                search.dirs.insert(0, dir);
            }
        }
        search
    }

    fn directory(&self, path: &'static str) -> UnitDir {
        let mut dir = UnitDir { path, ..UnitDir::default() };
        for (name, kind) in self.list(path).iter() {
            let full = join(path, name);
            match kind {
                FileKind::Link => {
                    if let Ok(target) = self.root.read_link(&full) {
                        let target = basename(&target).to_owned();
                        dir.links_to.entry(target.clone()).or_default().push(name.clone());
                        dir.links.insert(name.clone(), target);
                    }
                }
                FileKind::Directory if is_dependency_dir(name) => {
                    for (entry, kind) in self.list(&full).iter() {
                        if *kind != FileKind::Link {
                            continue;
                        }
                        if let Some(template) =
                            UnitName::new(entry).and_then(|name| name.template())
                        {
                            let instances = dir.wanted_instances.entry(template).or_default();
                            instances.insert(entry.clone());
                        }
                        dir.wanted.insert(entry.clone());
                    }
                }
                _ => {}
            }
            dir.entries.insert(name.clone(), *kind);
        }
        dir
    }

    /// The root itself.
    pub(super) fn root(&self) -> &'r dyn Root {
        self.root
    }

    /// The names in a directory with their kinds, links followed to it; none where there is none.
    /// Each is read once.
    pub(super) fn list(&self, path: &str) -> Entries {
        if let Some(entries) = self.lists.borrow().get(path) {
            return Rc::clone(entries);
        }
        let mut entries = self.root.list(path).unwrap_or_else(|error| {
            self.note(path, Some(error));
            Vec::new()
        });
        let left = self.entries_left.get();
        if entries.len() > left {
            self.trouble(format!("the unit directories have more than {MOST_ENTRIES} names"));
        }
        self.entries_left.set(left.saturating_sub(entries.len()));
        entries.truncate(left);
        let entries: Entries = entries.into();
        self.lists.borrow_mut().insert(path.to_owned(), Rc::clone(&entries));
        entries
    }

    /// What a file holds, links followed. Each is read once.
    pub(super) fn content(&self, path: &str) -> Content {
        if let Some(content) = self.texts.borrow().get(path) {
            return content.clone();
        }
        let content = self.read(path);
        self.texts.borrow_mut().insert(path.to_owned(), content.clone());
        content
    }

    fn read(&self, path: &str) -> Content {
        let real = match self.root.resolve(path) {
            Ok(real) => real,
            Err(error) => return self.failed(path, error),
        };
        match self.root.metadata(&real) {
            Ok(meta) if matches!(meta.kind, FileKind::Char | FileKind::Block) => Content::Empty,
            Ok(meta) if meta.kind != FileKind::File => Content::Unusable,
            Ok(meta) if meta.size == 0 => Content::Empty,
            Ok(_) => match self.root.read(&real, LARGEST) {
                Ok(bytes) if bytes.len() > self.text_left.get() => {
                    self.trouble(format!("the unit files have more than {MOST_TEXT} bytes"));
                    Content::Unusable
                }
                // systemd skips lines that are no UTF-8; the replacement character does no harm.
                Ok(bytes) => {
                    self.text_left.set(self.text_left.get() - bytes.len());
                    Content::Text(Rc::new(parse(&String::from_utf8_lossy(&bytes))))
                }
                Err(error) => self.failed(path, error),
            },
            Err(error) => self.failed(path, error),
        }
    }

    fn failed(&self, path: &str, error: io::Error) -> Content {
        if is_absence(&error) {
            let target = paths::link_target(self.root, path);
            let masks = path == NULL || target.is_ok_and(|target| target == NULL);
            return if masks { Content::Empty } else { Content::Missing };
        }
        self.note(path, Some(error));
        Content::Unusable
    }

    /// Remembers that something could not be read. That it is not there, or that links lead in a
    /// circle, is an answer and no trouble.
    pub(super) fn note(&self, path: &str, error: Option<io::Error>) {
        if let Some(error) = error
            && !is_absence(&error)
            && Errno::from_io_error(&error) != Some(Errno::LOOP)
        {
            self.trouble(format!("{path} could not be read ({error})"));
        }
    }

    /// Remembers why rows may be missing or wrong.
    pub(super) fn trouble(&self, reason: String) {
        self.troubles.borrow_mut().insert(reason);
    }

    /// Whether there is room to keep a setting of this length.
    pub(super) fn has_room(&self, length: usize) -> bool {
        let needed = length + size_of::<String>();
        match self.kept_left.get().checked_sub(needed) {
            Some(left) => {
                self.kept_left.set(left);
                true
            }
            None => {
                self.trouble(format!("the units have more than {MOST_KEPT} bytes of settings"));
                false
            }
        }
    }

    /// The state of what was read so far.
    pub(super) fn state(&self) -> TableState {
        let troubles = self.troubles.borrow();
        let Some(first) = troubles.first() else { return TableState::Collected };
        match troubles.len() {
            1 => TableState::truncated(first.as_str()),
            count => TableState::truncated(format!("{first}, and {} more like it", count - 1)),
        }
    }
}

/// Whether a link or a unit file at this path is inside the search path, so that a link to it is
/// another name of a unit and not a linked file.
pub(super) fn in_search_path(path: &str) -> bool {
    SEARCH_PATH.iter().any(|dir| paths::is_in(path, dir) && path != *dir)
}

/// Whether a unit file comes from a generator.
pub(super) fn is_generated(path: &str) -> bool {
    GENERATORS.contains(&paths::parent(path))
}

/// Whether a unit file was made at run time by a program.
pub(super) fn is_transient(path: &str) -> bool {
    paths::parent(path) == TRANSIENT
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn is_dependency_dir(name: &str) -> bool {
    [".wants", ".requires", ".upholds"].iter().any(|ending| name.ends_with(ending))
}
