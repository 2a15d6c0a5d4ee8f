//! The way to a program: every directory that is passed and every link that is followed. Paths are
//! looked up together, in rounds: what a link leads to is asked for in the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::facts::path_order;
use crate::model::state::FactError;
use crate::model::table::{File, FileKind};
use crate::model::view::View;

/// As many links as the kernel follows in one path.
const MAX_LINKS: usize = 40;
/// The longest path of the kernel.
const MAX_PATH: usize = 4096;
/// Bytes of all paths that are looked up on one host.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What stands at the end of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A file that is run or read; where it is missing, who can create it decides what it is.
    File,
    /// A file that is in use already, whether it is still there or not.
    Used,
    /// A directory of which everything is run.
    Directory,
    /// A file in such a directory, which is run where it is executable.
    Part,
}

/// Something that root runs.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Where it may be: the first path that exists counts.
    pub(super) paths: Vec<String>,
    /// What runs it.
    pub(super) by: Arc<str>,
    /// What it is.
    pub(super) end: End,
}

/// A file or directory that was passed.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    pub(super) file: File,
    /// The first that passed it, or the first for which it is a problem.
    pub(super) by: Arc<str>,
    /// Why others than root can change what is run.
    pub(super) problem: Option<String>,
}

/// Follows every way. Gives what was passed, by path, and whether it was all that there is.
pub(super) fn follow(
    view: &View<'_>,
    targets: Vec<Target>,
) -> Result<(BTreeMap<Arc<str>, Passed>, bool), FactError> {
    let mut ways = Ways::default();
    ways.wanted.insert("/".to_owned());
    for path in targets.iter().flat_map(|target| &target.paths) {
        ways.ask(String::new(), &mut components(path));
    }
    let mut open = targets;
    while !open.is_empty() && !ways.overflow {
        ways.look_up(view)?;
        open.retain(|target| !ways.reach(target));
    }
    Ok((ways.passed, !ways.overflow))
}

#[derive(Default)]
struct Ways {
    known: BTreeMap<String, Option<File>>,
    wanted: BTreeSet<String>,
    bytes: usize,
    overflow: bool,
    passed: BTreeMap<Arc<str>, Passed>,
}

/// Where walking one path ended.
enum Walk {
    /// At a file, over these paths.
    There(Vec<String>),
    /// At nothing: the paths that were passed, and the name that the last of them lacks.
    Missing(Vec<String>, String),
    /// At a path that must be looked up first.
    Later,
}

impl Ways {
    /// Asks for a path and everything on the way to it, the names that come first last.
    fn ask(&mut self, mut place: String, names: &mut Vec<String>) {
        while let Some(name) = names.pop() {
            if name == ".." {
                place.truncate(place.rfind('/').unwrap_or(0));
                continue;
            }
            place = format!("{place}/{name}");
            if place.len() > MAX_PATH {
                return;
            }
            if !self.known.contains_key(&place) && self.wanted.insert(place.clone()) {
                self.bytes += place.len();
                self.overflow |= self.bytes > MAX_BYTES;
            }
        }
    }

    fn look_up(&mut self, view: &View<'_>) -> Result<(), FactError> {
        let wanted = std::mem::take(&mut self.wanted);
        let mut paths: Vec<&str> = wanted.iter().map(String::as_str).collect();
        paths.sort_by(|a, b| path_order(a, b));
        view.source().files_at(&paths, &mut |row| {
            if let Some(file) = row.typed::<File>() {
                self.known.insert(file.path.0.to_string(), Some(file));
            }
            ControlFlow::Continue(())
        })?;
        for path in wanted {
            self.known.entry(path).or_insert(None);
        }
        Ok(())
    }

    /// Walks to a target as far as paths are known; true where it is done.
    fn reach(&mut self, target: &Target) -> bool {
        for (position, path) in target.paths.iter().enumerate() {
            match self.walk(path) {
                Walk::Later => return false,
                Walk::There(passed) => {
                    self.note(target, &passed, None);
                    return true;
                }
                Walk::Missing(passed, name) => {
                    let is_only = target.paths.len() == 1;
                    let is_new = matches!(target.end, End::File | End::Directory);
                    if is_only && is_new && position == 0 {
                        self.note(target, &passed, Some(&name));
                    }
                }
            }
        }
        true
    }

    fn walk(&mut self, path: &str) -> Walk {
        let mut pending = components(path);
        let mut place = String::new();
        let mut passed = vec!["/".to_owned()];
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                place.truncate(place.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{place}/{name}");
            if next.len() > MAX_PATH {
                return Walk::There(Vec::new());
            }
            let file = match self.known.get(&next) {
                None => {
                    pending.push(name);
                    self.ask(place, &mut pending);
                    return Walk::Later;
                }
                Some(None) => return Walk::Missing(passed, name),
                Some(Some(file)) => file,
            };
            passed.push(next.clone());
            if file.kind != FileKind::Link {
                place = next;
                continue;
            }
            links += 1;
            let target = file.link_target.clone().unwrap_or_default();
            if links > MAX_LINKS || pending.len() + target.len() > MAX_PATH {
                return Walk::There(Vec::new());
            }
            if target.starts_with('/') {
                place.clear();
            }
            pending.extend(components(&target));
        }
        Walk::There(passed)
    }

    /// Notes what was passed, and what is wrong with it. `missing` is the name that is not in the
    /// last directory.
    fn note(&mut self, target: &Target, passed: &[String], missing: Option<&str>) {
        // Whether others can create and remove names of their own where the next one is.
        let mut shared = false;
        for (position, path) in passed.iter().enumerate() {
            let Some(Some(file)) = self.known.get(path) else { continue };
            let last = position + 1 == passed.len();
            let problem = if file.kind == FileKind::Link {
                // A link is its directory's; only where that is shared does its owner count.
                (shared && file.uid != 0).then(|| format!("it belongs to uid {}", file.uid))
            } else {
                let names = match (last, missing, target.end) {
                    (true, Some(name), _) => Some(format!("create {name} in it")),
                    (true, None, End::Directory) => Some("put programs into it".to_owned()),
                    _ => None,
                };
                problem(file, names.as_deref())
            };
            shared = file.kind == FileKind::Directory && file.mode.0 & 0o022 != 0;
            let relevant = match file.kind {
                // Its owner can make it executable.
                FileKind::File if last && target.end == End::Part => {
                    file.mode.0 & 0o111 != 0 || file.uid != 0
                }
                FileKind::File | FileKind::Directory => true,
                FileKind::Link => problem.is_some(),
                // What is a device is no program.
                FileKind::Block | FileKind::Char | FileKind::Fifo | FileKind::Socket => false,
            };
            if !relevant {
                continue;
            }
            let file = file.clone();
            match self.passed.get_mut(&*file.path.0) {
                Some(known) if known.problem.is_none() && problem.is_some() => {
                    *known = Passed { file, by: Arc::clone(&target.by), problem };
                }
                Some(_) => {}
                None => {
                    let key = Arc::clone(&file.path.0);
                    self.passed.insert(key, Passed { file, by: Arc::clone(&target.by), problem });
                }
            }
        }
    }
}

/// Why others than root can change a file, or what is run by way of a directory. `names` says what
/// they could do to a directory in which they may create names, even where they cannot remove them.
fn problem(file: &File, names: Option<&str>) -> Option<String> {
    let mode = file.mode.0;
    // In a sticky directory others cannot replace what belongs to root, but add to it.
    let sticky = file.kind == FileKind::Directory && mode & 0o1000 != 0;
    let can = match names {
        Some(names) if sticky => names,
        _ if sticky => "",
        _ => "write it",
    };
    if file.uid != 0 {
        Some(format!("it belongs to uid {}", file.uid))
    } else if can.is_empty() {
        None
    } else if mode & 0o002 != 0 {
        Some(format!("everybody can {can}"))
    } else if mode & 0o020 != 0 && file.gid != 0 {
        Some(format!("group {} can {can}", file.gid))
    } else {
        None
    }
}

/// The names of a path, the first one last.
fn components(path: &str) -> Vec<String> {
    let names = path.split('/').rev().filter(|name| !name.is_empty() && *name != ".");
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_comes_last() {
        assert_eq!(components("/usr/./bin//x"), ["x", "bin", "usr"]);
    }
}
