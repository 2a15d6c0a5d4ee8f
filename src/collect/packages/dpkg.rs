//! dpkg: the status file, the fragments of status.d (distroless images), and the lists of files.
//! Format: deb822(5), dpkg(1) FILES.

use std::sync::Arc;

use super::Inventory;
use crate::collect::{Root, text};
use crate::model::cell::Version;
use crate::model::table::Package;

const STATUS: &str = "/var/lib/dpkg/status";
const FRAGMENTS: &str = "/var/lib/dpkg/status.d";
const INFO: &str = "/var/lib/dpkg/info";

pub(super) fn read(root: &dyn Root) -> Option<Inventory> {
    let mut packages = Vec::new();
    let mut problems = Vec::new();
    let mut found = false;
    let mut add = |path: &str, whole: bool| match text::read(root, path) {
        Ok(Some(content)) => {
            found = true;
            packages.extend(paragraphs(&content).filter_map(|text| package(text, whole)));
        }
        Ok(None) => {}
        Err(error) => {
            found = true;
            problems.push(format!("{path}: {}", text::sentence(&error)));
        }
    };
    add(STATUS, true);
    for (name, _) in root.list(FRAGMENTS).unwrap_or_default() {
        if !name.ends_with(".md5sums") {
            add(&format!("{FRAGMENTS}/{name}"), false);
        }
    }
    found.then(|| Inventory {
        packages,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
    })
}

fn paragraphs(content: &str) -> impl Iterator<Item = &str> {
    content.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty())
}

/// One paragraph; `with_status` where a `Status` field is expected.
fn package(paragraph: &str, with_status: bool) -> Option<Package> {
    let field = |name: &str| {
        paragraph.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    };
    let name = field("Package")?;
    let version = field("Version").unwrap_or_default();
    // The third word of Status is the state: install ok installed.
    let status = match field("Status") {
        Some(status) => status.split_whitespace().nth(2)?,
        None if with_status => return None,
        None => "installed",
    };
    if version.is_empty() && status == "installed" {
        return None;
    }
    // Source: name, or name (version) where it is not the package's own.
    let (source, source_version) = match field("Source") {
        None => (name, version),
        Some(source) => match source.split_once('(') {
            Some((source, rest)) => (source.trim(), rest.trim_end_matches(')').trim()),
            None => (source, version),
        },
    };
    Some(Package {
        manager: "dpkg".into(),
        name: name.into(),
        version: Version(version.into()),
        arch: field("Architecture").map(Arc::from),
        source: Some(source.into()),
        source_version: Some(Version(source_version.into())),
        module: None,
        vendor: None,
        repository: None,
        status: status.into(),
    })
}

/// Shows every file of every package.
pub(super) fn owners(root: &dyn Root, show: &mut dyn FnMut(&str, &Arc<str>)) {
    for (name, _) in root.list(INFO).unwrap_or_default() {
        let Some(package) = name.strip_suffix(".list") else { continue };
        let package = package.split(':').next().unwrap_or(package).into();
        let Ok(Some(content)) = text::read(root, &format!("{INFO}/{name}")) else { continue };
        content.lines().for_each(|path| show(path, &package));
    }
    // A diverted file lies elsewhere: three lines each, from, to, by whom.
    let Ok(Some(content)) = text::read(root, "/var/lib/dpkg/diversions") else { return };
    let lines: Vec<&str> = content.lines().collect();
    for diversion in lines.chunks_exact(3) {
        show(diversion[1], &diversion[2].into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_a_package() {
        let text = "Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.1-1)\n\
                    Version: 3.0.1-1+b1\nArchitecture: amd64\nDescription: x\n Status: no\n";
        let package = package(text, true).unwrap();
        assert_eq!(&*package.version.0, "3.0.1-1+b1");
        assert_eq!(package.source.as_deref(), Some("openssl"));
        assert_eq!(&*package.source_version.unwrap().0, "3.0.1-1");
        assert_eq!(&*package.status, "installed");
    }

    #[test]
    fn what_was_removed_keeps_its_state() {
        let text = "Package: telnet\nStatus: deinstall ok config-files\nVersion: 1\n";
        assert_eq!(&*package(text, true).unwrap().status, "config-files");
        assert!(package("Package: x\nVersion: 1\n", true).is_none());
        assert_eq!(&*package("Package: x\nVersion: 1\n", false).unwrap().status, "installed");
    }
}
