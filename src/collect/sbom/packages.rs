//! The packages of a bill as rows, and how far they can be trusted to be all.

use std::sync::Arc;

use super::system::{System, of_purl};
use super::{Bill, Component, is_word};
use crate::collect::languages::normal_python_name;
use crate::collect::packages::source_of_rpm;
use crate::model::cell::{AbsPath, Version};
use crate::model::purl::Purl;
use crate::model::state::TableState;
use crate::model::table::{LanguagePackage, Package};

/// What a bill lists.
pub(super) struct Listed {
    pub(super) packages: Vec<Package>,
    pub(super) packages_state: TableState,
    pub(super) languages: Vec<LanguagePackage>,
    pub(super) languages_state: TableState,
    /// As `uname -m` spells it.
    pub(super) arch: Option<&'static str>,
}

/// Sorts the components of a bill into tables.
pub(super) fn of(bill: &Bill, system: Option<&System>) -> Listed {
    let mut packages = Vec::new();
    let mut languages = Vec::new();
    let mut foreign = 0;
    let mut unreadable = 0;
    let mut with_source = 0;
    for component in &bill.components {
        if let Some(manager) = manager(&component.purl) {
            if is_foreign(&component.purl, system) {
                foreign += 1;
            } else if let Some((package, told)) = package(component, manager) {
                with_source += usize::from(told);
                packages.push(package);
            } else {
                unreadable += 1;
            }
        } else if let Some((ecosystem, name)) = language(&component.purl) {
            match language_package(component, ecosystem, name) {
                Some(package) => languages.push(package),
                None => unreadable += 1,
            }
        }
    }
    let arch = packages.iter().find_map(|package: &Package| machine(package.arch.as_deref()?));
    packages.sort_by(|a, b| key(a).cmp(&key(b)));
    packages.dedup();
    languages.sort_by(|a, b| {
        (&a.path, &a.ecosystem, &a.name, &a.version.0).cmp(&(
            &b.path,
            &b.ecosystem,
            &b.name,
            &b.version.0,
        ))
    });
    languages.dedup();
    let mut both = Vec::new();
    both.extend(bill.incomplete.clone());
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            both.push(format!("{number} components {what}"));
        }
    };
    count(bill.unnamed, "have no package URL");
    count(unreadable, "have no name or version that makes sense");
    let mut reasons = both.clone();
    if foreign > 0 {
        reasons.push(format!("{foreign} packages are of another distribution"));
    }
    let by_source = packages.iter().any(|package| &*package.manager != "rpm");
    if by_source && with_source == 0 {
        reasons.push("it does not tell from which source a package was built".to_owned());
    }
    Listed {
        packages_state: state(
            packages.is_empty(),
            &reasons,
            "it lists no package of a distribution",
        ),
        languages_state: state(languages.is_empty(), &both, "it lists no package of a language"),
        packages,
        languages,
        arch,
    }
}

fn state(empty: bool, reasons: &[String], nothing: &str) -> TableState {
    match (empty, reasons.is_empty()) {
        (false, true) => TableState::Collected,
        (false, false) => TableState::truncated(reasons.join("; ")),
        (true, true) => TableState::absent(nothing),
        (true, false) => TableState::absent(format!("{nothing}; {}", reasons.join("; "))),
    }
}

fn key(package: &Package) -> (&str, &str, &str, Option<&str>) {
    (&package.manager, &package.name, &package.version.0, package.arch.as_deref())
}

fn manager(purl: &Purl) -> Option<&'static str> {
    Some(match purl.kind.as_str() {
        "deb" => "dpkg",
        "rpm" => "rpm",
        "apk" => "apk",
        _ => return None,
    })
}

/// Whether a package says that it is of another distribution than the host.
fn is_foreign(purl: &Purl, system: Option<&System>) -> bool {
    let (Some((id, _)), Some(system)) = (of_purl(purl), system) else { return false };
    system.id.as_deref().is_some_and(|own| own != id)
}

/// The row, and whether the bill tells the source package.
fn package(component: &Component, manager: &'static str) -> Option<(Package, bool)> {
    let purl = &component.purl;
    let version = purl.version_with_epoch();
    if !is_word(&purl.name) || !is_word(&version) {
        return None;
    }
    let told = component.source.clone().or_else(|| upstream(purl));
    let known = told.is_some();
    let (source, source_version) = match (told, manager) {
        (Some((name, version_of_source)), _) => {
            (Some(name), Some(version_of_source.unwrap_or_else(|| version.clone())))
        }
        // Generators leave out a source that is named as the package.
        (None, "dpkg" | "apk") => (Some(purl.name.clone()), Some(version.clone())),
        (None, _) => (None, None),
    };
    let word = |text: Option<String>| text.filter(|text| is_word(text)).map(Arc::<str>::from);
    let arch = purl.qualifier("arch").map(str::to_owned);
    let package = Package {
        manager: manager.into(),
        name: purl.name.as_str().into(),
        version: Version(version.into()),
        arch: word(arch),
        source: word(source),
        source_version: word(source_version).map(Version),
        module: word(
            component.module.clone().or_else(|| purl.qualifier("rpmmod").map(str::to_owned)),
        ),
        vendor: None,
        repository: None,
        status: "installed".into(),
    };
    Some((package, known))
}

/// The source package in Syft's qualifier: `upstream=glibc@2.36-9`, or rpm's file name.
fn upstream(purl: &Purl) -> Option<(String, Option<String>)> {
    let upstream = purl.qualifier("upstream")?;
    if let Some((name, version)) = source_of_rpm(upstream) {
        let version = match purl.qualifier("epoch") {
            Some(epoch) if epoch != "0" => format!("{epoch}:{version}"),
            _ => version.to_owned(),
        };
        return Some((name.to_owned(), Some(version)));
    }
    match upstream.split_once('@') {
        Some((name, version)) => Some((name.to_owned(), Some(version.to_owned()))),
        None => Some((upstream.to_owned(), None)),
    }
}

/// The ecosystem as OSV names it, and the name as it compares it.
fn language(purl: &Purl) -> Option<(&'static str, String)> {
    let joined = |sign: &str| match purl.namespace.as_str() {
        "" => purl.name.clone(),
        namespace => format!("{namespace}{sign}{}", purl.name),
    };
    Some(match purl.kind.as_str() {
        "pypi" => ("PyPI", normal_python_name(&purl.name)),
        "npm" => ("npm", joined("/")),
        "maven" => ("Maven", joined(":")),
        "golang" => ("Go", joined("/")),
        "gem" => ("RubyGems", purl.name.clone()),
        "cargo" => ("crates.io", purl.name.clone()),
        "composer" => ("Packagist", joined("/")),
        _ => return None,
    })
}

fn language_package(
    component: &Component,
    ecosystem: &'static str,
    name: String,
) -> Option<LanguagePackage> {
    let version = component.purl.version.as_str();
    let version = match ecosystem {
        "Go" => version.strip_prefix('v').unwrap_or(version),
        _ => version,
    };
    let path = component.path.as_deref().filter(|path| is_word(path)).unwrap_or("/");
    (is_word(&name) && is_word(version)).then(|| LanguagePackage {
        ecosystem: ecosystem.into(),
        name: name.into(),
        version: Version(version.into()),
        path: AbsPath(path.into()),
        inside: None,
        package: None,
    })
}

fn machine(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "amd64" | "x86_64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        "ppc64le" | "ppc64el" => "ppc64le",
        "s390x" => "s390x",
        _ => return None,
    })
}
