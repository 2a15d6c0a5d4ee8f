//! dpkg: the status file with its journal of updates, the fragments of status.d (distroless
//! images), the lists of files and the diversions. Format: deb822(5), dpkg(1) FILES,
//! dpkg-divert(1).

use std::sync::Arc;

use super::{Inventory, Owners};
use crate::collect::{Root, text};
use crate::model::cell::Version;
use crate::model::table::Package;

const DIRECTORY: &str = "/var/lib/dpkg";
const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";
const FRAGMENTS: &str = "/var/lib/dpkg/status.d";
const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";

/// Whether there is a database.
pub(super) fn exists(root: &dyn Root) -> bool {
    root.resolve(STATUS).is_ok() || root.resolve(FRAGMENTS).is_ok()
}

/// Every package, and the owners of the files that are asked for.
pub(super) fn read(root: &dyn Root, owners: &mut Owners) -> Option<Inventory> {
    let mut inventory = Inventory::default();
    let mut found = false;
    let mut add =
        |path: &str, inventory: &mut Inventory, with_status: bool| match text::read(root, path) {
            Ok(Some(content)) => {
                found = true;
                read_paragraphs(path, &content, with_status, inventory);
            }
            Ok(None) => {}
            Err(error) => {
                found = true;
                inventory.problems.push(format!("{path}: {}", text::sentence(&error)));
            }
        };
    add(STATUS, &mut inventory, true);
    // What an interrupted dpkg has not yet merged into the status file replaces what is there.
    for (name, _) in root.list(UPDATES).unwrap_or_default() {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let mut newer = Inventory::default();
            add(&format!("{UPDATES}/{name}"), &mut newer, true);
            inventory.packages.retain(|old| {
                !newer.packages.iter().any(|new| new.name == old.name && new.arch == old.arch)
            });
            inventory.packages.append(&mut newer.packages);
            inventory.problems.append(&mut newer.problems);
        }
    }
    let fragments = root.list(FRAGMENTS).unwrap_or_default();
    for (name, _) in fragments.iter().filter(|(name, _)| !name.ends_with(".md5sums")) {
        add(&format!("{FRAGMENTS}/{name}"), &mut inventory, false);
    }
    if found && !owners.is_empty() {
        read_owners(root, owners);
        read_sums(root, &inventory, owners);
    }
    if !found && root.list(DIRECTORY).is_err_and(|error| !text::is_missing(&error)) {
        inventory.problems.push(format!("{DIRECTORY}: no permission"));
        return Some(inventory);
    }
    found.then_some(inventory)
}

fn read_paragraphs(path: &str, content: &str, with_status: bool, inventory: &mut Inventory) {
    let mut damaged = 0;
    let mut fields = Fields::default();
    for line in content.lines().chain([""]) {
        if line.is_empty() {
            match fields.package(with_status) {
                Ok(package) => inventory.packages.extend(package),
                Err(()) => damaged += 1,
            }
            fields = Fields::default();
        } else if !line.starts_with([' ', '\t', '#']) {
            fields.take(line);
        }
    }
    if damaged > 0 {
        inventory.problems.push(format!("{path}: {damaged} packages cannot be read"));
    }
}

/// The fields of one paragraph that are of use.
#[derive(Default)]
struct Fields<'a> {
    any: bool,
    package: Option<&'a str>,
    status: Option<&'a str>,
    version: Option<&'a str>,
    source: Option<&'a str>,
    architecture: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, line: &'a str) {
        self.any = true;
        // Most fields of a paragraph are others; their first letter tells.
        let field = match line.as_bytes().first() {
            Some(b'P' | b'p') => ("Package:", &mut self.package),
            Some(b'V' | b'v') => ("Version:", &mut self.version),
            Some(b'A' | b'a') => ("Architecture:", &mut self.architecture),
            Some(b'S' | b's') if matches!(line.as_bytes().get(1), Some(b't' | b'T')) => {
                ("Status:", &mut self.status)
            }
            Some(b'S' | b's') => ("Source:", &mut self.source),
            _ => return,
        };
        let (name, slot) = field;
        if let Some((key, value)) = line.split_at_checked(name.len())
            && key.eq_ignore_ascii_case(name)
        {
            slot.get_or_insert(value.trim());
        }
    }

    /// The package; none for a paragraph about one that is not there at all.
    fn package(&self, with_status: bool) -> Result<Option<Package>, ()> {
        if !self.any {
            return Ok(None);
        }
        let name = self.package.filter(|name| !name.is_empty()).ok_or(())?;
        // The third word of Status is the state: install ok installed.
        let status = match self.status {
            Some(status) => status.split_whitespace().nth(2).ok_or(())?,
            None if with_status => return Err(()),
            None => "installed",
        };
        if status == "not-installed" {
            return Ok(None);
        }
        let version = self.version.filter(|version| !version.is_empty()).ok_or(())?;
        // Source: name, or name (version) where it is not the package's own.
        let (source, source_version) = match self.source {
            None => (name, version),
            Some(source) => match source.split_once('(') {
                Some((source, rest)) => (source.trim(), rest.trim_end_matches(')').trim()),
                None => (source, version),
            },
        };
        Ok(Some(Package {
            manager: "dpkg".into(),
            name: name.into(),
            version: Version(version.into()),
            arch: self.architecture.map(Arc::from),
            source: Some(source.into()),
            source_version: Some(Version(source_version.into())),
            module: None,
            vendor: None,
            repository: None,
            status: status.into(),
        }))
    }
}

fn read_owners(root: &dyn Root, owners: &mut Owners) {
    // Three lines each: from, to, by whom (`:` for the administrator).
    let diversions = text::read(root, DIVERSIONS).ok().flatten().unwrap_or_default();
    let lines: Vec<&str> = diversions.lines().collect();
    for diversion in lines.chunks_exact(3) {
        owners.divert(diversion[0], diversion[1], diversion[2]);
    }
    for (name, _) in root.list(INFO).unwrap_or_default() {
        let Some(package) = name.strip_suffix(".list") else { continue };
        let package: Arc<str> = package.split(':').next().unwrap_or(package).into();
        let Ok(Some(content)) = text::read(root, &format!("{INFO}/{name}")) else { continue };
        content.lines().for_each(|path| owners.take_path(&package, path));
    }
}

/// Fragments have no lists but sums of their files.
fn read_sums(root: &dyn Root, inventory: &Inventory, owners: &mut Owners) {
    if root.resolve(FRAGMENTS).is_err() {
        return;
    }
    for package in &inventory.packages {
        let path = format!("{FRAGMENTS}/{}.md5sums", package.name);
        let Ok(Some(content)) = text::read(root, &path) else { continue };
        for file in content.lines().filter_map(|line| line.split_once("  ")) {
            owners.take_path(&package.name, &format!("/{}", file.1.trim_start_matches("./")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, with_status: bool) -> Inventory {
        let mut inventory = Inventory::default();
        read_paragraphs("status", content, with_status, &mut inventory);
        inventory
    }

    #[test]
    fn a_paragraph_is_a_package() {
        let text = "Package: libssl3\nStatus: install ok installed\nPriority: optional\n\
                    Source: openssl (3.0.1-1)\nVersion: 3.0.1-1+b1\nArchitecture: amd64\n\
                    Description: x\n Status: no\nSection: libs\n\n";
        let inventory = read(&format!("{text}{}", text.replace("libssl3", "other")), true);
        assert_eq!(inventory.packages.len(), 2);
        assert!(inventory.problems.is_empty());
        let package = &inventory.packages[0];
        assert_eq!(&*package.version.0, "3.0.1-1+b1");
        assert_eq!(package.source.as_deref(), Some("openssl"));
        assert_eq!(package.source_version.as_ref().map(|it| &*it.0), Some("3.0.1-1"));
        assert_eq!(&*package.status, "installed");
    }

    #[test]
    fn what_was_removed_keeps_its_state() {
        let text = "Package: telnet\nStatus: deinstall ok config-files\nVersion: 1\n";
        assert_eq!(&*read(text, true).packages[0].status, "config-files");
        let text = "Package: x\nStatus: purge ok not-installed\n";
        let inventory = read(text, true);
        assert!(inventory.packages.is_empty() && inventory.problems.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        for text in ["Package: x\nVersion: 1\n", "Status: install ok installed\n", "garbage\n"] {
            assert_eq!(read(text, true).problems.len(), 1, "{text}");
        }
        assert_eq!(&*read("Package: x\nVersion: 1\n", false).packages[0].status, "installed");
    }
}
