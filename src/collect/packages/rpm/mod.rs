//! rpm: the database in SQLite, read without librpm. Databases in the older formats (ndb, Berkeley
//! DB) are named as what cannot be read, so that their host is never judged as if it had no
//! packages.

mod header;
mod pages;
mod sqlite;

use std::sync::Arc;

use self::header::{Header, tag};
use self::pages::Pages;
use super::{Inventory, Owners};
use crate::collect::Root;
use crate::model::cell::Version;
use crate::model::table::Package;

/// Where rpm keeps its database, newest place first.
const PLACES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const SQLITE: &str = "rpmdb.sqlite";
/// Databases in other formats, by file name.
const OTHERS: [(&str, &str); 2] = [("Packages.db", "ndb"), ("Packages", "Berkeley DB")];

/// Whether there is a database.
pub(super) fn exists(root: &dyn Root) -> bool {
    PLACES.iter().any(|place| {
        [SQLITE, OTHERS[0].0, OTHERS[1].0]
            .iter()
            .any(|name| root.resolve(&format!("{place}/{name}")).is_ok())
    })
}

/// Every package, and the owners of the files that are asked for.
pub(super) fn read(root: &dyn Root, owners: &mut Owners) -> Option<Inventory> {
    let mut seen = Vec::new();
    let mut inventory = Inventory::default();
    let mut found = false;
    for place in PLACES {
        // One of the places is often a link to the other.
        let Ok(place) = root.resolve(place) else { continue };
        if seen.contains(&place) {
            continue;
        }
        found |= read_place(root, &place, &mut inventory, owners);
        seen.push(place);
    }
    found.then_some(inventory)
}

fn read_place(
    root: &dyn Root,
    place: &str,
    inventory: &mut Inventory,
    owners: &mut Owners,
) -> bool {
    let mut found = false;
    let before = inventory.packages.len();
    if let Ok(path) = root.resolve(&format!("{place}/{SQLITE}")) {
        found = true;
        inventory.problems.extend(read_sqlite(root, &path, &mut inventory.packages, owners));
    }
    if inventory.packages.len() > before {
        // What an older rpm left beside the database that is in use says nothing any more.
        return true;
    }
    for (name, format) in OTHERS {
        let path = format!("{place}/{name}");
        if root.resolve(&path).is_ok() {
            found = true;
            inventory
                .problems
                .push(format!("{path}: databases of rpm in {format} format are not read"));
        }
    }
    found
}

/// Reads one database and says what could not be read of it.
fn read_sqlite(
    root: &dyn Root,
    path: &str,
    packages: &mut Vec<Package>,
    owners: &mut Owners,
) -> Vec<String> {
    let mut damaged = 0;
    let read = Pages::open(root, path).and_then(|mut pages| {
        sqlite::second_column(&mut pages, "Packages", &mut |blob| {
            let Some(header) = Header::new(blob) else {
                damaged += 1;
                return;
            };
            match package(&header) {
                Some(package) => {
                    owners.take(&package.name, |show| header.files(show));
                    packages.push(package);
                }
                None => damaged += 1,
            }
        })
    });
    let mut problems: Vec<String> = match read {
        Ok(problems) => problems.into_iter().map(|problem| format!("{path}: {problem}")).collect(),
        Err(problem) if problem.contains(path) => vec![problem],
        Err(problem) => vec![format!("{path}: {problem}")],
    };
    if damaged > 0 {
        problems.push(format!("{path}: {damaged} packages cannot be read"));
    }
    // A journal with content means that a change was interrupted and not rolled back.
    let journal = format!("{path}-journal");
    let hot = root.read_at(&journal, 0, 8).is_ok_and(|magic| magic == JOURNAL_MAGIC);
    if hot {
        problems.push(format!("{journal}: a change of the database was interrupted"));
    }
    problems
}

const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

fn package(header: &Header<'_>) -> Option<Package> {
    let epoch = match header.number(tag::EPOCH) {
        Some(epoch) if epoch > 0 => format!("{epoch}:"),
        _ => String::new(),
    };
    let name = header.text(tag::NAME)?;
    let version = header.text(tag::VERSION)?;
    let release = header.text(tag::RELEASE)?;
    let source = header.text(tag::SOURCE_RPM);
    let source = source.as_deref().and_then(source_of);
    Some(Package {
        manager: "rpm".into(),
        name: name.into(),
        version: Version(format!("{epoch}{version}-{release}").into()),
        arch: header.text(tag::ARCH).map(Arc::from),
        source: source.map(|(name, _)| name.into()),
        // The name of a source package tells no epoch; packages share that of their source.
        source_version: source.map(|(_, version)| Version(format!("{epoch}{version}").into())),
        module: header.text(tag::MODULARITY_LABEL).filter(|label| !label.is_empty()).map(Arc::from),
        vendor: header.text(tag::VENDOR).map(Arc::from),
        repository: None,
        status: "installed".into(),
    })
}

/// Name and version-release out of `bash-5.1.8-6.el9.src.rpm`.
fn source_of(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (before_release, _) = stem.rsplit_once('-')?;
    let (name, _) = before_release.rsplit_once('-')?;
    Some((name, stem.get(name.len() + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::source_of;

    #[test]
    fn the_source_is_in_the_name_of_its_file() {
        assert_eq!(source_of("bash-5.1.8-6.el9.src.rpm"), Some(("bash", "5.1.8-6.el9")));
        assert_eq!(source_of("a-b-c-1~rc1-2.nosrc.rpm"), Some(("a-b-c", "1~rc1-2")));
        assert_eq!(source_of("(none)"), None);
        assert_eq!(source_of("x.src.rpm"), None);
    }
}
