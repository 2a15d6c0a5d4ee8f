//! `root_executables`: what units start as root, and each directory on the way to it, with what lets
//! others than root change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{File, FileKind, Service};
use crate::model::view::{Loaded, View};

/// As many links as the kernel follows in one path.
const MAX_LINKS: usize = 40;

facts! {
    /// Programs that units start as root, and the directories on the way to them.
    #[table(name = "root_executables", origin = Derived, location = "{path}")]
    pub struct RootExecutable {
        /// The file or directory.
        pub path: AbsPath,
        /// The first unit, by name, that starts it.
        pub unit: Arc<str>,
        /// Permission bits.
        pub mode: Mode,
        /// Owner.
        pub uid: i64,
        /// Group.
        pub gid: i64,
        /// Why others than root can change it; none where they cannot.
        pub problem: Option<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        RootExecutable::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Service::TABLE, File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, services) = view.typed::<Service>()?;
        let state = state.and(view.files_state());
        let mut found: BTreeMap<Arc<str>, RootExecutable> = BTreeMap::new();
        // Units share most of their ways; a look-up decodes a block of files.
        let mut seen: Seen = BTreeMap::new();
        for service in &services {
            let masked = service.enabled.starts_with("masked");
            let as_root =
                service.user.as_deref().is_none_or(|user| matches!(user, "" | "root" | "0"));
            if masked || !as_root {
                continue;
            }
            for command in &service.exec_start {
                let program = command.split_whitespace().next().unwrap_or_default();
                if program.starts_with('/') {
                    way(view, program, &service.name, &mut found, &mut seen)?;
                }
            }
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(found.into_values())) })
    }
}

/// Files that were looked up, by path.
type Seen = BTreeMap<String, Option<File>>;

/// Adds a program and every directory that is passed on the way to it, links followed.
fn way(
    view: &View<'_>,
    program: &str,
    unit: &Arc<str>,
    found: &mut BTreeMap<Arc<str>, RootExecutable>,
    seen: &mut Seen,
) -> Result<(), FactError> {
    let mut pending: Vec<String> = components(program);
    let mut place = String::new();
    let mut links = 0;
    while let Some(name) = pending.pop() {
        if name == ".." {
            place.truncate(place.rfind('/').unwrap_or(0));
            continue;
        }
        let path = format!("{place}/{name}");
        if !seen.contains_key(&path) {
            seen.insert(path.clone(), view.source().file(&path)?);
        }
        let Some(file) = seen.get(&path).cloned().flatten() else { return Ok(()) };
        if file.kind == FileKind::Link {
            links += 1;
            let target = file.link_target.unwrap_or_default();
            if links > MAX_LINKS || pending.len() > 4096 {
                return Ok(());
            }
            if target.starts_with('/') {
                place.clear();
            }
            pending.extend(components(&target));
            continue;
        }
        place = path;
        if !found.contains_key(&file.path.0) {
            found.insert(Arc::clone(&file.path.0), row(file, unit));
        }
    }
    Ok(())
}

/// The names of a path, the first one last.
fn components(path: &str) -> Vec<String> {
    let names = path.split('/').rev().filter(|name| !name.is_empty() && *name != ".");
    names.map(str::to_owned).collect()
}

fn row(file: File, unit: &Arc<str>) -> RootExecutable {
    let mode = file.mode.0;
    // In a sticky directory others cannot replace what belongs to root.
    let sticky = file.kind == FileKind::Directory && mode & 0o1000 != 0;
    let problem = if file.uid != 0 {
        Some(format!("it belongs to uid {}", file.uid))
    } else if mode & 0o002 != 0 && !sticky {
        Some("everybody can write it".to_owned())
    } else if mode & 0o020 != 0 && file.gid != 0 && !sticky {
        Some(format!("group {} can write it", file.gid))
    } else {
        None
    };
    RootExecutable {
        path: file.path,
        unit: Arc::clone(unit),
        mode: file.mode,
        uid: file.uid.into(),
        gid: file.gid.into(),
        problem: problem.map(Arc::from),
    }
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn the_first_name_comes_last() {
        assert_eq!(components("/usr/./bin//x"), ["x", "bin", "usr"]);
    }
}
