//! apk: the installed database. Format: the "installed" database of apk-tools, one letter a field.

use std::sync::Arc;

use super::Inventory;
use crate::collect::{Root, text};
use crate::model::cell::Version;
use crate::model::table::Package;

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

fn content(root: &dyn Root) -> Option<Result<String, String>> {
    DATABASES.iter().find_map(|path| match text::read(root, path) {
        Ok(content) => content.map(Ok),
        Err(error) => Some(Err(format!("{path}: {}", text::sentence(&error)))),
    })
}

pub(super) fn read(root: &dyn Root) -> Option<Inventory> {
    Some(match content(root)? {
        Ok(content) => Inventory {
            packages: content.split("\n\n").filter_map(package).collect(),
            problem: None,
        },
        Err(problem) => Inventory { packages: Vec::new(), problem: Some(problem) },
    })
}

fn package(paragraph: &str) -> Option<Package> {
    let field = |letter: &str| {
        paragraph.lines().find_map(|line| line.strip_prefix(letter)?.strip_prefix(':'))
    };
    let version: Arc<str> = field("V")?.into();
    Some(Package {
        manager: "apk".into(),
        name: field("P")?.into(),
        version: Version(Arc::clone(&version)),
        arch: field("A").map(Arc::from),
        source: field("o").map(Arc::from),
        source_version: Some(Version(version)),
        module: None,
        vendor: None,
        repository: None,
        status: "installed".into(),
    })
}

/// Shows every file of every package: `F:` names a directory, `R:` a file in it.
pub(super) fn owners(root: &dyn Root, show: &mut dyn FnMut(&str, &Arc<str>)) {
    let Some(Ok(content)) = content(root) else { return };
    let mut package: Arc<str> = "".into();
    let mut directory = String::new();
    for line in content.lines() {
        match line.split_once(':') {
            Some(("P", name)) => package = name.into(),
            Some(("F", path)) => directory = path.to_owned(),
            Some(("R", name)) if directory.is_empty() => show(&format!("/{name}"), &package),
            Some(("R", name)) => show(&format!("/{directory}/{name}"), &package),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_paragraph_is_a_package() {
        let package =
            super::package("C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl\nF:lib\n").unwrap();
        assert_eq!((&*package.name, &*package.version.0), ("musl", "1.2.4-r2"));
        assert!(super::package("P:half").is_none());
    }
}
