//! OSV: one JSON object a vulnerability; in a zip archive, alone, in a list, or one a line.
//!
//! Format: <https://ossf.github.io/osv-schema/>.

use std::io::{BufRead as _, Read as _};

use serde::Deserialize;
use serde_json::Deserializer;
use serde_json::de::{IoRead, Read as JsonRead, SliceRead};

use super::error::FeedError;
use super::output::Output;
use super::source::{Budget, Document};
use super::{cve, json, osv_range, time};
use crate::advisory::record::{Advisory, Affected, Ecosystem, Naming, Score, Status};

/// Documents up to this size are read at once, which is faster; larger ones as a stream.
const AT_ONCE: u64 = 4 << 20;
/// Different scores that are kept of one entry; real ones have a few.
const MAX_SCORES: usize = 64;

#[derive(Deserialize)]
struct Entry {
    id: String,
    summary: Option<String>,
    details: Option<String>,
    aliases: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    related: Option<Vec<String>>,
    published: Option<String>,
    modified: Option<String>,
    withdrawn: Option<String>,
    severity: Option<Vec<Severity>>,
    affected: Option<Vec<Item>>,
    references: Option<Vec<Reference>>,
    database_specific: Option<Words>,
}

#[derive(Deserialize)]
struct Severity {
    r#type: String,
    score: String,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

/// The members of free-form objects that several databases use.
#[derive(Deserialize, Default)]
struct Words {
    severity: Option<serde_json::Value>,
    urgency: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Item {
    package: Option<Package>,
    ranges: Option<Vec<osv_range::Written>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<Severity>>,
    ecosystem_specific: Option<Words>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

/// Reads one document.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let mut begin = Vec::new();
    document.reader.by_ref().take(AT_ONCE).read_to_end(&mut begin)?;
    let list = begin.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let budget = std::rc::Rc::clone(&document.budget);
    if document.reader.fill_buf()?.is_empty() {
        return entries(SliceRead::new(&begin), list, &budget, out);
    }
    let whole = begin.as_slice().chain(&mut document.reader);
    entries(IoRead::new(whole), list, &budget, out)
}

fn entries<'de, R: JsonRead<'de>>(
    source: R,
    list: bool,
    budget: &Budget,
    out: &mut Output<'_>,
) -> Result<(), FeedError> {
    let mut take = |entry: Entry| {
        budget.entry();
        entry.take(out);
        Ok(())
    };
    let mut json = Deserializer::new(source);
    if !list {
        for entry in json.into_iter() {
            take(entry?)?;
        }
        return Ok(());
    }
    let mut failed = None;
    let each = json::Each::new(&mut take, &mut failed);
    let result = serde::de::DeserializeSeed::deserialize(each, &mut json).and_then(|()| json.end());
    json::outcome(result, failed)
}

impl Entry {
    /// Distributions put a word of their own before the CVE (`UBUNTU-CVE-2024-1`), and named the
    /// CVEs of an advisory in `related` before the format had `upstream`.
    fn take(self, out: &mut Output<'_>) {
        if self.withdrawn.is_some() {
            return out.skip("withdrawn");
        }
        out.made_at(self.modified.as_deref().and_then(time::parse));
        let items = self.affected.unwrap_or_default();
        let severity = self.database_specific.and_then(|words| word(words.severity));
        let mut scores = Scores { list: Vec::new(), word: severity };
        scores.add(self.severity);
        let mut affected = Vec::new();
        let mut of_distribution = false;
        for mut item in items {
            scores.add(item.severity.take());
            let Some(package) = item.package.take() else {
                out.leave_out("affected commits without a package");
                continue;
            };
            let ecosystem = Ecosystem::parse(&package.ecosystem);
            of_distribution |= ecosystem.manager().is_some();
            item.take(&ecosystem, &package.name, &mut affected, out);
        }
        if affected.is_empty() {
            return out.skip("no package version that could be compared");
        }
        let mut cves = cve::Ids::default();
        cves.add(&self.id);
        cves.add_all(self.aliases.as_ref());
        cves.add_all(self.upstream.as_ref());
        if cves.is_empty() && of_distribution {
            cves.add_all(self.related.as_ref());
        }
        out.advisory(Advisory {
            id: self.id,
            cves: cves.into_vec(),
            severity: scores.word,
            scores: scores.list,
            title: self.summary.unwrap_or_default(),
            description: self.details.unwrap_or_default(),
            references: self.references.into_iter().flatten().map(|link| link.url).collect(),
            published: self.published.as_deref().and_then(time::parse),
            affected,
        });
    }
}

impl Item {
    fn take(
        self,
        ecosystem: &Ecosystem,
        name: &str,
        affected: &mut Vec<Affected>,
        out: &mut Output<'_>,
    ) {
        let listed = self.versions.unwrap_or_default();
        let written = self.ranges.unwrap_or_default();
        let Some((ranges, versions)) = osv_range::check(written, listed, ecosystem, out) else {
            return out
                .leave_out("a package with neither ranges nor versions that can be compared");
        };
        let urgency = self.ecosystem_specific.and_then(|words| word(words.urgency));
        let status = match urgency.as_deref() {
            Some("unimportant") => Status::Unimportant,
            Some("end-of-life") => Status::EndOfLife,
            _ => Status::Affected,
        };
        affected.extend(namings(ecosystem).iter().map(|naming| Affected {
            ecosystem: ecosystem.clone(),
            package: name.to_owned(),
            naming: *naming,
            arch: None,
            module: None,
            repository: None,
            status,
            ranges: ranges.clone(),
            versions: versions.clone(),
        }));
    }
}

/// What the names of an ecosystem's records are. Where records of both kinds are found, a row of
/// each: both say the same of one build.
fn namings(ecosystem: &Ecosystem) -> &'static [Naming] {
    match ecosystem.name.as_str() {
        "Debian" | "Ubuntu" | "Alpine" | "Azure Linux" | "CBL-Mariner" | "Wolfi" | "Chainguard" => {
            &[Naming::Source]
        }
        name if name.starts_with("Ubuntu Pro") => &[Naming::Source],
        "Rocky Linux" | "SUSE" | "openSUSE" | "openEuler" | "Mageia" => {
            &[Naming::Source, Naming::Binary]
        }
        _ => &[Naming::Binary],
    }
}

fn word(value: Option<serde_json::Value>) -> Option<String> {
    value?.as_str().map(str::to_owned)
}

struct Scores {
    list: Vec<Score>,
    word: Option<String>,
}

impl Scores {
    fn add(&mut self, severities: Option<Vec<Severity>>) {
        for Severity { r#type, score } in severities.unwrap_or_default() {
            let version = match r#type.as_str() {
                "CVSS_V2" => "2.0",
                "CVSS_V3" if score.starts_with("CVSS:3.0/") => "3.0",
                "CVSS_V3" => "3.1",
                "CVSS_V4" => "4.0",
                _ => {
                    self.word.get_or_insert(score);
                    continue;
                }
            };
            let known = |known: &Score| known.vector == score;
            if self.list.len() < MAX_SCORES && !self.list.iter().any(known) {
                self.list.push(Score {
                    version: version.into(),
                    base: None,
                    vector: score,
                    source: "OSV".into(),
                });
            }
        }
    }
}
