//! The Debian security tracker's JSON: source package, CVE, release.
//!
//! Format: <https://security-tracker.debian.org/tracker/data/json>. An entry is one CVE of one
//! source package. `fixed_version` `0` says that the release never was affected.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::error::FeedError;
use super::map::Pairs;
use super::output::Output;
use super::source::{Budget, Document};
use crate::advisory::ecosystem;
use crate::advisory::record::{Advisory, Affected, Ecosystem, End, Naming, Range, Status};

#[derive(Deserialize)]
struct Entry {
    description: Option<String>,
    #[serde(default)]
    releases: Pairs<Release>,
}

#[derive(Deserialize)]
struct Release {
    status: String,
    fixed_version: Option<String>,
    urgency: Option<String>,
    nodsa: Option<String>,
    nodsa_reason: Option<String>,
}

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let budget = std::rc::Rc::clone(&document.budget);
    let mut json = serde_json::Deserializer::from_reader(&mut document.reader);
    Packages { budget: &budget, out }.deserialize(&mut json)?;
    json.end()?;
    Ok(())
}

/// The outermost object, one package at a time.
struct Packages<'a, 'b> {
    budget: &'a Budget,
    out: &'a mut Output<'b>,
}

impl<'de> DeserializeSeed<'de> for Packages<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("source packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut packages: A) -> Result<(), A::Error> {
        let mut names = std::collections::BTreeSet::new();
        while let Some(name) = packages.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            for (id, entry) in packages.next_value::<Pairs<Entry>>()?.0 {
                take(id, entry, &name, self.out);
            }
            self.budget.entry();
        }
        Ok(())
    }
}

fn take(id: String, entry: Entry, package: &str, out: &mut Output<'_>) {
    let mut affected = Vec::new();
    for (code_name, release) in entry.releases.0 {
        let Some(number) = ecosystem::debian_release(&code_name) else {
            out.leave_out("a release that is not known");
            continue;
        };
        let Some((status, ranges)) = judged(&release) else {
            out.leave_out("a status that is not known");
            continue;
        };
        affected.push(Affected {
            ecosystem: Ecosystem::new("Debian", number),
            package: package.to_owned(),
            naming: Naming::Source,
            arch: None,
            module: None,
            repository: None,
            status,
            ranges,
            versions: Vec::new(),
        });
    }
    if affected.is_empty() {
        return out.skip("no release that is known");
    }
    out.advisory(Advisory {
        cves: super::cve::all_in(&id),
        references: vec![format!("https://security-tracker.debian.org/tracker/{id}")],
        id,
        description: entry.description.unwrap_or_default(),
        affected,
        ..Advisory::default()
    });
}

/// The status and the affected versions; `None` where the tracker's words are not known.
fn judged(release: &Release) -> Option<(Status, Vec<Range>)> {
    let unimportant = release.urgency.as_deref() == Some("unimportant");
    let plain = if unimportant { Status::Unimportant } else { Status::Affected };
    let ended = release.urgency.as_deref() == Some("end-of-life");
    let deferred = release.nodsa.is_some() || release.nodsa_reason.is_some();
    let open = vec![Range::default()];
    Some(match (release.status.as_str(), release.fixed_version.as_deref()) {
        ("resolved", Some("0")) => (Status::NotAffected, Vec::new()),
        ("resolved", Some(version)) => {
            (plain, vec![Range { introduced: None, end: End::Fixed(version.to_owned()) }])
        }
        ("open", _) if ended => (Status::EndOfLife, open),
        ("open", _) if unimportant => (Status::Unimportant, open),
        ("open", _) if deferred => (Status::Deferred, open),
        ("open", _) => (Status::Affected, open),
        ("undetermined", _) => (Status::Undetermined, open),
        _ => return None,
    })
}
