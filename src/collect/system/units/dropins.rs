//! Drop-ins and dependency directories of a unit (systemd.unit(5)): the directories that count for
//! a name, and the files in them, one for each file name, in the order of the file names.

use std::collections::BTreeMap;

use super::paths::join;
use super::search::Search;
use crate::model::table::FileKind;
use crate::model::unit::{NameKind, UnitName};

/// Drop-ins whose [Install] section counts: those of the name and of its template.
pub(super) fn for_install(search: &Search<'_>, name: &str, template: Option<&str>) -> Vec<String> {
    let names = std::iter::once(name).chain(template);
    let directories = names.flat_map(|name| {
        let wanted = format!("{name}.d");
        search
            .dirs
            .iter()
            .filter(move |dir| dir.entries.contains_key(&wanted))
            .map(move |dir| join(dir.path, &format!("{name}.d")))
    });
    files(search, directories.collect(), |name| name.ends_with(".conf")).into_values().collect()
}

/// Drop-ins of a unit that is loaded under these names, its main name first.
pub(super) fn for_loading(search: &Search<'_>, names: &[String]) -> Vec<String> {
    let directories = directories(search, names, ".d");
    files(search, directories, |name| name.ends_with(".conf")).into_values().collect()
}

/// The links in the dependency directories (`.wants`, `.requires`, `.upholds`) of a unit that is
/// loaded under these names: unit name and path of the link.
pub(super) fn dependencies(
    search: &Search<'_>,
    names: &[String],
    ending: &str,
) -> BTreeMap<String, String> {
    files(search, directories(search, names, ending), |_| true)
}

/// The directories with this ending for each name, most important first: for every directory of
/// the search path those of the name, its template and the prefixes that end in dashes; at last
/// those of the unit type.
fn directories(search: &Search<'_>, names: &[String], ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |candidates: &[String]| {
        for dir in &search.dirs {
            for candidate in candidates {
                let wanted = format!("{candidate}{ending}");
                if matches!(dir.entries.get(&wanted), Some(FileKind::Directory | FileKind::Link)) {
                    found.push(join(dir.path, &wanted));
                }
            }
        }
    };
    let mut unit_type = None;
    for name in names.iter().filter_map(|name| UnitName::new(name)) {
        let mut candidates = Vec::new();
        related(name.full, &mut candidates);
        look(&candidates);
        unit_type = Some(name.unit_type.to_owned());
    }
    look(unit_type.as_slice());
    found
}

/// The names whose directories count for a name: itself, for an instance its template, and the
/// same again for what is left when the part after the last dash is cut off. A template's cut name
/// is a plain one.
fn related(name: &str, out: &mut Vec<String>) {
    // Every turn makes the prefix shorter or the name a template; names seen add nothing new.
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let Some(parts) = UnitName::new(&name) else { continue };
        if out.contains(&name) {
            continue;
        }
        let instance = parts.instance.filter(|_| parts.kind() == NameKind::Instance);
        if let Some(prefix) = shorter(parts.prefix) {
            open.push(match instance {
                Some(instance) => format!("{prefix}@{instance}.{}", parts.unit_type),
                None => format!("{prefix}.{}", parts.unit_type),
            });
        }
        open.extend(instance.and_then(|_| parts.template()));
        out.push(name);
    }
}

/// `foo-bar` and `foo-bar-` become `foo-`; without an inner dash there is nothing shorter.
fn shorter(prefix: &str) -> Option<String> {
    let inner = prefix.strip_suffix('-').unwrap_or(prefix);
    let end = inner.rfind('-')?;
    (end > 0).then(|| inner.get(..=end).unwrap_or_default().to_owned())
}

/// The files of several directories by name: the first directory that has a name wins.
fn files(
    search: &Search<'_>,
    directories: Vec<String>,
    wanted: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for directory in directories {
        for (name, _) in search.list(&directory).iter() {
            if wanted(name) {
                let path = join(&directory, name);
                files.entry(name.clone()).or_insert(path);
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_whose_directories_count() {
        let of = |name: &str| {
            let mut out = Vec::new();
            related(name, &mut out);
            out
        };
        assert_eq!(of("a-b-c.service"), ["a-b-c.service", "a-b-.service", "a-.service"]);
        assert_eq!(
            of("a-b@x.service"),
            ["a-b@x.service", "a-b@.service", "a-.service", "a-@x.service", "a-@.service"]
        );
        assert_eq!(of("-a.mount"), ["-a.mount"]);
        assert_eq!(of("a--b.timer"), ["a--b.timer", "a--.timer", "a-.timer"]);
    }
}
