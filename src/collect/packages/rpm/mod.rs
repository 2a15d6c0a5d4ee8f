//! rpm: its database in each of the three formats that hosts have, read without librpm. Whatever
//! cannot be read is said, so that a host is never judged as if it had no packages.

mod bdb;
mod header;
mod ndb;
mod origin;
mod pages;
mod pieces;
mod sqlite;

use std::sync::Arc;

use self::header::{Header, tag};
use self::origin::Origins;
use super::{Inventory, Owners};
use crate::collect::Root;
use crate::model::cell::Version;
use crate::model::table::Package;

/// Where rpm keeps its database, newest place first.
const PLACES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

/// Shows the header of every package in the database at a path, and says what could not be read.
type Headers = fn(&dyn Root, &str, &mut dyn FnMut(&[u8])) -> Result<Vec<String>, String>;

/// The formats by the database's file name, newest first.
const FORMATS: [(&str, Headers); 3] =
    [("rpmdb.sqlite", sqlite::headers), ("Packages.db", ndb::headers), ("Packages", bdb::headers)];

/// Whether there is a database.
pub(super) fn exists(root: &dyn Root) -> bool {
    PLACES.iter().any(|place| {
        FORMATS.iter().any(|(name, _)| root.resolve(&format!("{place}/{name}")).is_ok())
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
    let origins = Origins::read(root);
    for package in &mut inventory.packages {
        package.repository = origins.of(package);
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
    for (name, headers) in FORMATS {
        let Ok(path) = root.resolve(&format!("{place}/{name}")) else { continue };
        found = true;
        let problems = read_database(root, &path, headers, &mut inventory.packages, owners);
        inventory.problems.extend(problems);
        // What an older rpm left beside the database that is in use says nothing any more.
        if inventory.packages.len() > before {
            break;
        }
    }
    found
}

/// Reads one database and says what could not be read of it.
fn read_database(
    root: &dyn Root,
    path: &str,
    headers: Headers,
    packages: &mut Vec<Package>,
    owners: &mut Owners,
) -> Vec<String> {
    let mut damaged = 0;
    let read = headers(root, path, &mut |blob| {
        let header = Header::new(blob);
        match header.as_ref().and_then(package) {
            Some(package) => {
                owners.take(&package.name, |show| {
                    header.iter().for_each(|header| header.files(show));
                });
                packages.push(package);
            }
            None => damaged += 1,
        }
    });
    let mut problems = read.unwrap_or_else(|problem| vec![problem]);
    if damaged > 0 {
        problems.push(format!("{damaged} packages cannot be read"));
    }
    for problem in &mut problems {
        if !problem.contains(path) {
            *problem = format!("{path}: {problem}");
        }
    }
    problems
}

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
pub(in crate::collect) fn source_of(file: &str) -> Option<(&str, &str)> {
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
