//! Paths looked up in the `files` table as the kernel would, links followed.

use std::collections::BTreeMap;

use super::facts::FactSource;
use super::state::FactError;
use super::table::{File, FileKind};

/// As many links as the kernel follows in one path.
const MAX_LINKS: usize = 40;
/// As many names as a path can have.
const MAX_NAMES: usize = 4096;

/// Looks paths up; what was looked up once is kept, since paths share most of their ways.
pub(super) struct Paths<'a> {
    source: &'a dyn FactSource,
    seen: BTreeMap<String, Option<File>>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(source: &'a dyn FactSource) -> Self {
        Self { source, seen: BTreeMap::new() }
    }

    /// The inode that an absolute path leads to, every link followed; its `path` is the real one.
    pub(super) fn follow(&mut self, path: &str) -> Result<Option<File>, FactError> {
        let mut pending = components(path);
        let mut place = String::new();
        let mut links = 0;
        let mut last = self.look("/")?;
        while let Some(name) = pending.pop() {
            if name == ".." {
                place.truncate(place.rfind('/').unwrap_or(0));
                last = self.look(if place.is_empty() { "/" } else { &place })?;
                continue;
            }
            let next = format!("{place}/{name}");
            let Some(file) = self.look(&next)? else { return Ok(None) };
            if file.kind != FileKind::Link {
                place = next;
                last = Some(file);
                continue;
            }
            links += 1;
            let target = file.link_target.unwrap_or_default();
            if links > MAX_LINKS || pending.len() > MAX_NAMES {
                return Ok(None);
            }
            if target.starts_with('/') {
                place.clear();
                last = self.look("/")?;
            }
            pending.extend(components(&target));
        }
        Ok(last)
    }

    fn look(&mut self, path: &str) -> Result<Option<File>, FactError> {
        if let Some(known) = self.seen.get(path) {
            return Ok(known.clone());
        }
        let file = self.source.file(path)?;
        self.seen.insert(path.to_owned(), file.clone());
        Ok(file)
    }
}

/// The names of a path, the first one last.
fn components(path: &str) -> Vec<String> {
    let names = path.split('/').rev().filter(|name| !name.is_empty() && *name != ".");
    names.map(str::to_owned).collect()
}

/// A link's target as a path, of where `path` is the link, without following any more links.
pub(super) fn joined(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = path.rsplit_once('/').map_or("", |(base, _)| base);
    let whole =
        if target.starts_with('/') { target.to_owned() } else { format!("{base}/{target}") };
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell::{AbsPath, Mode, Time};
    use crate::model::facts::MemoryFacts;

    fn file(path: &str, target: Option<&str>) -> File {
        File {
            path: AbsPath(path.into()),
            kind: if target.is_some() { FileKind::Link } else { FileKind::Directory },
            mode: Mode(0o755),
            uid: 0,
            gid: 0,
            size: 0,
            mtime: Time(0),
            link_target: target.map(Into::into),
            capabilities: None,
        }
    }

    #[test]
    fn links_are_followed_and_loops_end() {
        let facts = MemoryFacts::new().with([
            file("/", None),
            file("/home", Some("usr/./home")),
            file("/loop", Some("loop")),
            file("/usr", None),
            file("/usr/home", None),
            file("/usr/home/a", None),
        ]);
        let mut paths = Paths::new(&facts);
        let mut real = |path| paths.follow(path).unwrap().map(|file| file.path.0.to_string());
        assert_eq!(real("/home/a").as_deref(), Some("/usr/home/a"));
        assert_eq!(real("/home/a/../..").as_deref(), Some("/usr"));
        assert_eq!(real("/..").as_deref(), Some("/"));
        assert_eq!(real("/loop"), None);
        assert_eq!(real("/home/b"), None);
    }
}
