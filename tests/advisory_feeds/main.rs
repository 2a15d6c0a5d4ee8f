//! Feeds: samples of every kind row by row, real feeds against an independent reading, and feeds
//! that are broken or hostile.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod hostile;
mod real;
mod samples;

use std::path::{Path, PathBuf};

use assay::advisory::feed::{Context, Kind, collect};
use assay::advisory::record::{Affected, End, Feed};

/// A file of tests/fixtures/advisories.
fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/advisories");
    std::fs::read(folder.join(name)).unwrap()
}

/// A real feed: kept beside the repository, or beside the folder of a further work tree of it.
fn shared(name: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places =
        ["../shared/data", "../../shared/data"].map(|place| project.join(place).join(name));
    places.iter().find(|path| path.exists()).unwrap_or(&places[0]).clone()
}

fn read(kind: Option<Kind>, name: &str, bytes: &[u8]) -> Feed {
    collect(kind, name, bytes, &Context::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The code of the refusal; a feed that is taken is a failure.
fn refused(kind: Option<Kind>, bytes: &[u8]) -> String {
    let error = collect(kind, "feed", bytes, &Context::default()).unwrap_err();
    assert!(error.to_string().len() < 2000, "a message that is too long");
    assert!(!error.to_string().contains(char::is_control), "{error}");
    error.code().to_string()
}

/// Every row of a feed, in its order: advisory, CVEs, then the package.
fn rows(feed: &Feed) -> Vec<String> {
    let mut rows = Vec::new();
    for advisory in &feed.advisories {
        for affected in &advisory.affected {
            let cves = advisory.cves.join(",");
            rows.push(format!("{} {cves}| {}", advisory.id, row(affected)));
        }
    }
    rows
}

fn row(affected: &Affected) -> String {
    let mut row = format!("{} {:?} {}", affected.ecosystem, affected.naming, affected.package);
    for (word, value) in
        [("arch", &affected.arch), ("module", &affected.module), ("from", &affected.repository)]
    {
        if let Some(value) = value {
            row.push_str(&format!(" {word}={value}"));
        }
    }
    row.push_str(&format!(" {:?}", affected.status));
    for range in &affected.ranges {
        let first = range.introduced.as_deref().unwrap_or("");
        row.push_str(&match &range.end {
            End::Open => format!(" [{first},)"),
            End::Fixed(version) => format!(" [{first},{version})"),
            End::Last(version) => format!(" [{first},{version}]"),
        });
    }
    for version in &affected.versions {
        row.push_str(&format!(" ={version}"));
    }
    row
}
