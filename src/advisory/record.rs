//! What a feed says, in one form for all of them. A record says only what its feed says: joining
//! feeds (scores, texts, known exploitation) is for the database.

use crate::model::cell::Time;

/// Everything that one feed file gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feed {
    /// Advisories with the packages that they are about.
    pub advisories: Vec<Advisory>,
    /// What is known of single CVEs whatever the package: scores, texts, known exploitation.
    pub vulnerabilities: Vec<Vulnerability>,
    /// Statements that silence a match: products that are not affected, with the reason.
    pub exceptions: Vec<Exception>,
    /// When the feed was made, where it says so.
    pub made_at: Option<Time>,
    /// What was read and what was left out, for the counts that an import prints and stores.
    pub counts: Counts,
}

/// How much of a feed became records. Nothing is left out silently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries (definitions, advisories, updates) in the feed.
    pub entries: u64,
    /// Entries that became records.
    pub taken: u64,
    /// Entries left out: the reason and how many.
    pub skipped: Vec<(String, u64)>,
    /// Parts of entries that were taken, and things beside the entries, left out: the reason and
    /// how many.
    pub left_out: Vec<(String, u64)>,
}

impl Counts {
    /// These counts and those of another file together.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.taken += other.taken;
        merge(&mut self.skipped, &other.skipped);
        merge(&mut self.left_out, &other.left_out);
    }
}

/// Adds counts by reason; the reasons stay sorted.
fn merge(counts: &mut Vec<(String, u64)>, others: &[(String, u64)]) {
    for (reason, more) in others {
        match counts.binary_search_by(|(known, _)| known.cmp(reason)) {
            Ok(at) => {
                if let Some((_, count)) = counts.get_mut(at) {
                    *count += more;
                }
            }
            Err(at) => counts.insert(at, (reason.clone(), *more)),
        }
    }
}

/// One advisory: what a vendor said on one day about some CVEs and some packages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Advisory {
    /// The vendor's id: `ALSA-2026:1234`, `DSA-5678-1`, `ALAS2-2024-2400`, or the CVE itself where
    /// the feed has no other (Debian tracker, secdb).
    pub id: String,
    /// The CVEs it is about, without repetition. May be empty: then the advisory's own id names the
    /// finding.
    pub cves: Vec<String>,
    /// The vendor's word for the severity, as written.
    pub severity: Option<String>,
    /// Scores that the advisory itself carries.
    pub scores: Vec<Score>,
    /// One line.
    pub title: String,
    /// The text.
    pub description: String,
    /// Links.
    pub references: Vec<String>,
    /// First published.
    pub published: Option<Time>,
    /// The packages it is about.
    pub affected: Vec<Affected>,
}

/// One package of one release that an advisory is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affected {
    /// The distribution release or language ecosystem.
    pub ecosystem: Ecosystem,
    /// The package's name in that ecosystem.
    pub package: String,
    /// Whether the name is a source or a binary package.
    pub naming: Naming,
    /// The architecture; none: every one.
    pub arch: Option<String>,
    /// The rpm module and stream (`nodejs:18`) that it is about, where the feed says so.
    pub module: Option<String>,
    /// The repository (`extras/docker`, `kernel-livepatch`); none: the release's own.
    pub repository: Option<String>,
    /// What the vendor says of it.
    pub status: Status,
    /// The versions that are affected: any of these. Empty with `Status::Affected`: all versions.
    pub ranges: Vec<Range>,
    /// Single affected versions beside the ranges.
    pub versions: Vec<String>,
}

/// What a package name in a feed means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// A source package: its version is compared with the installed source version.
    Source,
    /// A binary package.
    Binary,
}

/// A distribution release or a language ecosystem, for example (`AlmaLinux`, `8`), (`Debian`,
/// `12`), (`Amazon Linux`, `2023`), (`Alpine`, `v3.19`), (`Azure Linux`, `3.0`), (`PyPI`, ``).
/// The names are OSV's where OSV has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ecosystem {
    /// The name.
    pub name: String,
    /// The release; empty for a language ecosystem.
    pub release: String,
}

/// Half-open or closed interval of versions, by the ecosystem's own order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first affected version; none: from the beginning.
    pub introduced: Option<String>,
    /// How it ends.
    pub end: End,
}

/// How a range of affected versions ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It does not: no fix is there.
    #[default]
    Open,
    /// This version and later are fixed.
    Fixed(String),
    /// This is the last affected version.
    Last(String),
}

/// What a vendor says of a package and a CVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Affected in its ranges.
    Affected,
    /// Affected, and the vendor will not or not yet mend it (`no-dsa`, `ignored`, `postponed`,
    /// `will not fix`, `deferred`).
    Deferred,
    /// Affected, and the release has ended.
    EndOfLife,
    /// The vendor says that it does not matter (`unimportant`, `negligible`).
    Unimportant,
    /// Not affected: nothing is to be matched, and another feed's row for the same package, release
    /// and CVE does not count.
    NotAffected,
    /// The vendor has not judged it yet (`undetermined`, `under investigation`).
    Undetermined,
}

/// A score with its vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// CVSS version: `2.0`, `3.0`, `3.1`, `4.0`.
    pub version: String,
    /// The base score, 0 to 10; none where the feed has only the vector.
    pub base: Option<f64>,
    /// The vector.
    pub vector: String,
    /// Who gave it.
    pub source: String,
}

/// What is known of a CVE whatever the package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vulnerability {
    /// The CVE.
    pub id: String,
    /// Scores.
    pub scores: Vec<Score>,
    /// Text.
    pub description: Option<String>,
    /// Links.
    pub references: Vec<String>,
    /// The day (`2025-08-25`) on which it was put on the list of known exploited vulnerabilities.
    pub known_exploited_since: Option<String>,
    /// Whether ransomware campaigns use it.
    pub ransomware: bool,
    /// EPSS probability and percentile, 0 to 1.
    pub epss: Option<(f64, f64)>,
}

/// A statement that a product is not affected by a CVE (CSAF, OpenVEX), or that it is fixed there.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    /// The CVE.
    pub id: String,
    /// The products, as package URLs (`pkg:deb/debian/curl@7.88.1-10`); a purl without a version
    /// is every version.
    pub products: Vec<String>,
    /// The reason, in the words of the statement (`vulnerable_code_not_present`, ...).
    pub reason: String,
    /// Who says so.
    pub author: String,
}
