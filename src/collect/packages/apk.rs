//! apk: the installed database. Format: the "installed" database of apk-tools, one letter a field.

use std::sync::Arc;

use super::{Inventory, Owners};
use crate::collect::{Root, text};
use crate::model::cell::Version;
use crate::model::table::Package;

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// Whether there is a database.
pub(super) fn exists(root: &dyn Root) -> bool {
    DATABASES.iter().any(|path| root.resolve(path).is_ok())
}

/// Every package, and the owners of the files that are asked for.
pub(super) fn read(root: &dyn Root, owners: &mut Owners) -> Option<Inventory> {
    let mut paths: Vec<String> =
        DATABASES.iter().filter_map(|path| root.resolve(path).ok()).collect();
    paths.dedup();
    let mut inventory = Inventory::default();
    for path in &paths {
        match text::read(root, path) {
            Ok(content) => {
                read_database(path, &content.unwrap_or_default(), &mut inventory, owners)
            }
            Err(error) => inventory.problems.push(format!("{path}: {}", text::sentence(&error))),
        }
    }
    (!paths.is_empty()).then_some(inventory)
}

fn read_database(path: &str, content: &str, inventory: &mut Inventory, owners: &mut Owners) {
    let mut damaged = 0;
    for paragraph in content.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let Some(package) = package(paragraph) else {
            damaged += 1;
            continue;
        };
        if !owners.is_empty() {
            owners.take(&package.name, |show| files(paragraph, show));
        }
        inventory.packages.push(package);
    }
    if damaged > 0 {
        inventory.problems.push(format!("{path}: {damaged} packages cannot be read"));
    }
}

fn package(paragraph: &str) -> Option<Package> {
    let field = |letter: &str| {
        paragraph.lines().find_map(|line| line.strip_prefix(letter)?.strip_prefix(':'))
    };
    let version: Arc<str> = field("V").filter(|version| !version.is_empty())?.into();
    Some(Package {
        manager: "apk".into(),
        name: field("P").filter(|name| !name.is_empty())?.into(),
        version: Version(Arc::clone(&version)),
        arch: field("A").map(Arc::from),
        source: field("o").or_else(|| field("P")).map(Arc::from),
        source_version: Some(Version(version)),
        module: None,
        vendor: None,
        // The pinning tag: the repository that it was chosen from by name.
        repository: field("s").map(Arc::from),
        status: "installed".into(),
    })
}

/// Shows every file: `F:` names a directory, `R:` a file in it.
fn files(paragraph: &str, show: &mut dyn FnMut(&[u8], &[u8])) {
    let mut directory = String::from("/");
    for line in paragraph.lines() {
        if let Some(path) = line.strip_prefix("F:") {
            directory = format!("/{path}");
        } else if let Some(name) = line.strip_prefix("R:") {
            show(directory.as_bytes(), name.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_a_package() {
        let text = "C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl-src\nF:\nR:init\nF:lib\nR:ld.so\n";
        let package = package(text).unwrap();
        assert_eq!((&*package.name, &*package.version.0), ("musl", "1.2.4-r2"));
        assert_eq!(package.source.as_deref(), Some("musl-src"));
        let mut shown = Vec::new();
        files(text, &mut |directory, name| shown.push([directory, b"|", name].concat()));
        assert_eq!(shown, [b"/|init".to_vec(), b"/lib|ld.so".to_vec()]);
        assert!(super::package("P:half").is_none());
    }
}
