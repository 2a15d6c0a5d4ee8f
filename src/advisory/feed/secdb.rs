//! Alpine's secdb, YAML and JSON; Wolfi's and Chainguard's are of the same form.
//!
//! Format: <https://secdb.alpinelinux.org/>. For each source package the versions that mended
//! something, with the ids of what each mended. Version `0` says that the package never was
//! affected. One text may name one problem by several ids, separated by spaces.

use serde::Deserialize;

use super::error::{FeedError, quote};
use super::map::Pairs;
use super::output::Output;
use super::source::{Document, MAX_ENTRY};
use super::{cve, yaml};
use crate::advisory::record::{Advisory, Affected, Ecosystem, End, Naming, Range, Status};

/// A file as it is written.
#[derive(Deserialize, Default)]
pub(super) struct Written {
    pub(super) distroversion: Option<String>,
    pub(super) urlprefix: Option<String>,
    #[serde(default)]
    pub(super) packages: Vec<Item>,
}

#[derive(Deserialize, Default)]
pub(super) struct Item {
    pub(super) pkg: Package,
}

#[derive(Deserialize, Default)]
pub(super) struct Package {
    pub(super) name: String,
    #[serde(default)]
    pub(super) secfixes: Pairs<Option<Vec<String>>>,
}

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    document.budget.entries_up_to(MAX_ENTRY);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut document.reader, &mut text)?;
    let written = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text)?,
        false if !text.ends_with('\n') => {
            return Err(FeedError::Cut("its last line does not end".into()));
        }
        false => yaml::secdb(&text)?,
    };
    take(written, out)
}

fn take(written: Written, out: &mut Output<'_>) -> Result<(), FeedError> {
    let ecosystem = ecosystem(&written, out)?;
    for Item { pkg } in written.packages {
        for (version, ids) in pkg.secfixes.0 {
            if version.is_empty() || version.contains(char::is_whitespace) {
                out.skip("a version that is none");
                continue;
            }
            for names in ids.unwrap_or_default() {
                match advisory(&names, &pkg.name, &version, &ecosystem) {
                    Some(advisory) => out.advisory(advisory),
                    None => out.skip("a fix without an id"),
                }
            }
        }
    }
    Ok(())
}

fn ecosystem(written: &Written, out: &Output<'_>) -> Result<Ecosystem, FeedError> {
    let prefix = written.urlprefix.as_deref().unwrap_or_default();
    let known = match written.distroversion.as_deref() {
        Some(version) => Some(Ecosystem::new("Alpine", version)),
        None if prefix.contains("packages.wolfi.dev") => Some(Ecosystem::new("Wolfi", "")),
        None if prefix.contains("cgr.dev/chainguard") => Some(Ecosystem::new("Chainguard", "")),
        None => out.release().cloned(),
    };
    known.ok_or_else(|| {
        FeedError::NeedsRelease(format!("no distroversion, and packages from {}", quote(prefix)))
    })
}

fn advisory(names: &str, package: &str, version: &str, place: &Ecosystem) -> Option<Advisory> {
    // As people write them: `CVE_2019-2426`, and `CVE-????-????? XSA-295` where there is none yet.
    let cves = cve::all_in(&names.replace("CVE_", "CVE-"));
    let other = || names.split_whitespace().find(|word| !word.contains('?')).map(str::to_owned);
    let id = cves.first().cloned().or_else(other)?;
    let never = version == "0";
    let fixed = Range { introduced: None, end: End::Fixed(version.to_owned()) };
    let affected = Affected {
        ecosystem: place.clone(),
        package: package.to_owned(),
        naming: Naming::Source,
        arch: None,
        module: None,
        repository: None,
        status: if never { Status::NotAffected } else { Status::Affected },
        ranges: if never { Vec::new() } else { vec![fixed] },
        versions: Vec::new(),
    };
    Some(Advisory { id, cves, affected: vec![affected], ..Advisory::default() })
}
