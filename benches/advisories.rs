//! Matching with 40,000 vulnerabilities: look-ups in the index, a host of 221 packages, and opening.
#![expect(clippy::unwrap_used, reason = "a broken bench should stop")]

use assay::advisory::db::{Builder, Database, Input};
use assay::advisory::feed::{Kind, Record, Summary};
use assay::advisory::matching::Matcher;
use assay::advisory::record::{
    Advisory, Affected, Counts, Ecosystem, End, Naming, Range, Status, Vulnerability,
};
use assay::model::cell::{Time, Version};
use assay::model::facts::MemoryFacts;
use assay::model::table::{Host, LanguagePackage, Package};
use assay::model::view::View;
use divan::counter::ItemsCount;

const VULNERABILITIES: usize = 40_000;
/// Names of packages that the feed knows; a host has 221 of them.
const NAMES: usize = 3_000;
const INSTALLED: usize = 221;

fn main() {
    divan::main();
}

fn name(number: usize) -> String {
    format!("package{:04}", number * 7919 % NAMES)
}

/// Each vulnerability is in one package, most of them mended before what the host has.
fn bytes() -> Vec<u8> {
    let mut builder = Builder::new();
    builder.begin(&Input { name: "feed".into(), ..Input::default() });
    for number in 0..VULNERABILITIES {
        let id = format!("CVE-{}-{:05}", 2005 + number / 2000, number);
        let fixed = format!("{}.{}-{}", number % 12, number % 40, number % 5);
        let affected = Affected {
            ecosystem: Ecosystem::new("Debian", "12"),
            package: name(number * number % NAMES + number / NAMES),
            naming: Naming::Source,
            arch: None,
            module: None,
            repository: None,
            status: Status::Affected,
            ranges: vec![Range { introduced: None, end: End::Fixed(fixed) }],
            versions: Vec::new(),
        };
        builder.add(Record::Advisory(Advisory {
            id: id.clone(),
            cves: vec![id.clone()],
            description: format!("A flaw of {number} in what {id} names, as long as others are."),
            affected: vec![affected],
            ..Advisory::default()
        }));
        let epss = Some((0.01, 0.5));
        builder.add(Record::Vulnerability(Vulnerability { id, epss, ..Vulnerability::default() }));
    }
    builder.end(&Summary { kind: Kind::DebianTracker, made_at: None, counts: Counts::default() });
    builder.finish().unwrap()
}

fn host() -> MemoryFacts {
    let packages: Vec<Package> = (0..INSTALLED)
        .map(|number| Package {
            manager: "dpkg".into(),
            name: name(number * 13).into(),
            version: Version("11.20-1".into()),
            arch: Some("amd64".into()),
            source: None,
            source_version: None,
            module: None,
            vendor: None,
            repository: None,
            status: "installed".into(),
        })
        .collect();
    let host = Host {
        hostname: "h".into(),
        agent_id: "i-1".into(),
        family: "linux".into(),
        os: Some("debian".into()),
        os_version: Some("12".into()),
        os_like: Vec::new(),
        os_name: None,
        kernel_running: None,
        kernels_installed: Vec::new(),
        arch: None,
        source: "root".into(),
        collected_at: Time(0),
        observed_seconds: 0,
        requested_seconds: None,
        privileged: true,
        nx: None,
        collector: "1".into(),
        tags: Vec::new(),
    };
    MemoryFacts::new().with([host]).with(packages).with(Vec::<LanguagePackage>::new())
}

/// What an installed version means for every row of its package: name, place among the versions,
/// and a comparison a row.
#[divan::bench]
fn look_up_packages(bencher: divan::Bencher<'_, '_>) {
    let database = Database::from_bytes(bytes()).unwrap();
    let release = database.release(&Ecosystem::new("Debian", "12")).unwrap().unwrap();
    let names: Vec<String> = (0..1000).map(name).collect();
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        let mut affected = 0;
        for name in &names {
            let place = release.place(&release.scheme.key("11.20-1")).unwrap();
            let rows = release.find(name, Naming::Source).unwrap();
            affected += rows.filter(|row| row.as_ref().unwrap().contains(place)).count();
        }
        affected
    });
}

/// A whole host, with the texts of what it has.
#[divan::bench]
fn judge_a_host(bencher: divan::Bencher<'_, '_>) {
    let databases = [Database::from_bytes(bytes()).unwrap()];
    let facts = host();
    let matcher = Matcher { databases: &databases, include_unfixed: false };
    bencher
        .counter(ItemsCount::new(INSTALLED))
        .bench_local(|| matcher.judge(&View::new(&facts)).unwrap().found.len());
}

/// Opening, and the index of one release.
#[divan::bench]
fn open_and_index(bencher: divan::Bencher<'_, '_>) {
    let bytes = bytes();
    bencher.with_inputs(|| bytes.clone()).bench_local_values(|bytes| {
        let database = Database::from_bytes(bytes).unwrap();
        database.release(&Ecosystem::new("Debian", "12")).unwrap().unwrap().rows()
    });
}
