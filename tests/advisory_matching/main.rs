//! Which vulnerabilities a host has: every rule that decides, on small feeds of our own, and whole
//! real feeds against matchers that ask rpm and dpkg themselves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod command;
mod real;
mod semantics;
mod streams;

use assay::advisory::db::{Builder, Database, Input};
use assay::advisory::feed::{Kind, Record, Summary};
use assay::advisory::matching::{Matcher, Matches};
use assay::advisory::record::{
    Advisory, Affected, Counts, Ecosystem, End, Exception, Naming, Range, Status,
};
use assay::model::cell::{AbsPath, Time, Version};
use assay::model::facts::MemoryFacts;
use assay::model::table::{Host, LanguagePackage, Package};
use assay::model::view::View;

/// A row: from the beginning to a fixed version, of a binary package.
fn row(ecosystem: &str, package: &str, fixed: &str) -> Affected {
    Affected {
        ecosystem: Ecosystem::parse(ecosystem),
        package: package.into(),
        naming: Naming::Binary,
        arch: None,
        module: None,
        repository: None,
        status: Status::Affected,
        ranges: vec![Range { introduced: None, end: End::Fixed(fixed.into()) }],
        versions: Vec::new(),
    }
}

/// The same of a source package.
fn source_row(ecosystem: &str, package: &str, fixed: &str) -> Affected {
    Affected { naming: Naming::Source, ..row(ecosystem, package, fixed) }
}

/// A row without a fix.
fn open_row(ecosystem: &str, package: &str, status: Status) -> Affected {
    Affected { status, ranges: vec![Range::default()], ..source_row(ecosystem, package, "0") }
}

fn advisory(id: &str, cves: &[&str], affected: Vec<Affected>) -> Record {
    Record::Advisory(Advisory {
        id: id.into(),
        cves: cves.iter().map(|cve| (*cve).to_owned()).collect(),
        affected,
        ..Advisory::default()
    })
}

fn exception(id: &str, product: &str) -> Record {
    Record::Exception(Exception {
        id: id.into(),
        products: vec![product.into()],
        reason: "vulnerable_code_not_present".into(),
        author: "us".into(),
    })
}

fn database(records: Vec<Record>) -> Database {
    let mut builder = Builder::new();
    builder.begin(&Input { name: "feed".into(), ..Input::default() });
    records.into_iter().for_each(|record| builder.add(record));
    builder.end(&Summary { kind: Kind::Osv, made_at: None, counts: Counts::default() });
    Database::from_bytes(builder.finish().unwrap()).unwrap()
}

fn host(os: &str, version: &str) -> Host {
    Host {
        hostname: "h".into(),
        agent_id: "i-1".into(),
        family: "linux".into(),
        os: Some(os.into()),
        os_version: Some(version.into()),
        os_like: Vec::new(),
        os_name: None,
        kernel_running: None,
        kernels_installed: Vec::new(),
        arch: None,
        source: "root".into(),
        collected_at: Time(1_700_000_000),
        observed_seconds: 0,
        requested_seconds: None,
        privileged: true,
        nx: None,
        collector: "1".into(),
        tags: Vec::new(),
    }
}

fn package(manager: &str, name: &str, version: &str) -> Package {
    Package {
        manager: manager.into(),
        name: name.into(),
        version: Version(version.into()),
        arch: Some(if manager == "dpkg" { "amd64" } else { "x86_64" }.into()),
        source: None,
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        status: "installed".into(),
    }
}

fn language(ecosystem: &str, name: &str, version: &str, owner: Option<&str>) -> LanguagePackage {
    LanguagePackage {
        ecosystem: ecosystem.into(),
        name: name.into(),
        version: Version(version.into()),
        path: AbsPath(format!("/opt/{name}").into()),
        inside: None,
        package: owner.map(Into::into),
    }
}

fn facts(host: Host, packages: Vec<Package>) -> MemoryFacts {
    MemoryFacts::new().with([host]).with(packages).with(Vec::<LanguagePackage>::new())
}

fn judge(database: &[Database], facts: &MemoryFacts) -> Matches {
    let matcher = Matcher { databases: database, include_unfixed: false };
    matcher.judge(&View::new(facts)).unwrap()
}

/// `CVE package fixed` of everything that was found, sorted.
fn found(matches: &Matches) -> Vec<String> {
    let mut lines = Vec::new();
    for found in &matches.found {
        for hit in &found.hits {
            let fixed = hit.fixed.as_deref().unwrap_or("-");
            lines.push(format!("{} {} {fixed}", found.id, hit.label));
        }
    }
    lines
}
