//! The advisory database: what goes in comes out, the same bytes whatever the order, damage of any
//! kind refused with a code, signatures, and the command.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod command;

use std::path::Path;

use assay::advisory::db::{Builder, Database, DbError, Input};
use assay::advisory::feed::{Context, read};
use assay::advisory::record::{Ecosystem, Naming};

/// A file of tests/fixtures/advisories.
fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/advisories");
    std::fs::read(folder.join(name)).unwrap()
}

/// The bytes of a database made of these fixtures, in this order.
fn database(names: &[&str]) -> Result<Vec<u8>, DbError> {
    let mut builder = Builder::new();
    for name in names {
        let bytes = fixture(name);
        let hash = blake3::hash(&bytes).to_hex().to_string();
        builder.begin(&Input { name: (*name).into(), hash, fetched: None });
        let mut sink = |record| builder.add(record);
        let summary = read(None, name, &bytes, &Context::default(), &mut sink).unwrap();
        builder.end(&summary);
    }
    builder.finish()
}

const ALL: [&str; 8] = [
    "osv.json",
    "debian-tracker.json",
    "dsa.list",
    "updateinfo.xml",
    "secdb.yaml",
    "openvex.json",
    "kev.json",
    "nvd.json",
];

/// Everything that a damaged file could be asked for.
fn refusal(bytes: Vec<u8>) -> Option<DbError> {
    Database::from_bytes(bytes).and_then(|database| database.verify()).err()
}

#[test]
fn what_goes_in_comes_out() {
    let database = Database::from_bytes(database(&ALL).unwrap()).unwrap();
    database.verify().unwrap();
    assert_eq!(database.feeds().len(), ALL.len());
    for feed in database.feeds() {
        assert!(feed.entries > 0 && feed.hash.len() == 64, "{feed:?}");
    }
    // Every row of every feed is found again by its package, and says what the feed said.
    let mut rows = 0;
    for name in ["osv.json", "debian-tracker.json", "dsa.list", "updateinfo.xml", "secdb.yaml"] {
        let bytes = fixture(name);
        let feed = assay::advisory::feed::collect(None, name, &bytes, &Context::default()).unwrap();
        for advisory in feed.advisories {
            for affected in advisory.affected {
                let release = database.release(&affected.ecosystem).unwrap().unwrap();
                let found = release.find(&affected.package, affected.naming).unwrap();
                let same = found.map(Result::unwrap).any(|row| {
                    let number = release.advisory(row.advisory).unwrap();
                    let text = database.advisory(number).unwrap();
                    let qualifier = release.qualifier(row.qualifier).unwrap();
                    text.id == advisory.id
                        && text.title == advisory.title
                        && row.status == affected.status
                        && qualifier.arch == affected.arch
                        && qualifier.module == affected.module
                        && qualifier.repository == affected.repository
                });
                assert!(same, "{name}: {} {affected:?}", advisory.id);
                rows += 1;
            }
        }
    }
    assert!(rows > 20, "{rows}");
    let other = Ecosystem::new("Debian", "1");
    assert!(database.release(&other).unwrap().is_none());
}

#[test]
fn vulnerabilities_are_found_by_their_id() {
    let database = Database::from_bytes(database(&ALL).unwrap()).unwrap();
    for number in 0..database.vulnerabilities().unwrap() {
        let id = database.vulnerability(number).unwrap().id;
        assert_eq!(database.find_vulnerability(&id).unwrap(), Some(number), "{id}");
    }
    for id in ["", "CVE-1900-0001", "ZZZ"] {
        assert_eq!(database.find_vulnerability(id).unwrap(), None, "{id}");
    }
}

#[test]
fn the_same_feeds_in_any_order_are_the_same_bytes() {
    let advisories = &ALL[..5];
    let first = database(advisories).unwrap();
    let mut turned = advisories.to_vec();
    for _ in 0..turned.len() {
        turned.rotate_left(1);
        assert!(database(&turned).unwrap() == first, "{turned:?}");
    }
    turned.reverse();
    assert!(database(&turned).unwrap() == first);
}

#[test]
fn a_database_without_advisories_is_refused() {
    assert_eq!(database(&["kev.json"]).unwrap_err(), DbError::NoAdvisories);
}

#[test]
fn a_database_that_is_cut_anywhere_is_refused() {
    let whole = database(&ALL).unwrap();
    assert_eq!(refusal(whole.clone()), None);
    for len in 0..whole.len() {
        let error = refusal(whole[..len].to_vec()).unwrap();
        let cut = ["V020", "V021", "V024"].contains(&&*error.code().to_string());
        assert!(cut, "{len}: {error}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(refusal(longer).is_some());
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    let mut bytes = database(&ALL).unwrap();
    for at in 0..bytes.len() {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        assert!(refusal(bytes.clone()).is_some(), "byte {at}");
        bytes[at] ^= bit;
    }
}

#[test]
fn other_files_are_told_from_databases() {
    for bytes in [&b""[..], b"{}", b"PK\x03\x04", b"\x89ASSAY\n\0 and so on"] {
        let error = Database::from_bytes(bytes.to_vec()).unwrap_err();
        assert_eq!(error, DbError::NotADatabase);
    }
    let mut newer = database(&ALL).unwrap();
    newer[8] = 9;
    assert_eq!(Database::from_bytes(newer).unwrap_err(), DbError::NewerFormat(9));
    let place = tempfile::tempdir().unwrap();
    let error = Database::open(place.path()).unwrap_err();
    assert_eq!(error.code().to_string(), "V025");
}

#[test]
fn names_that_a_feed_has_twice_are_one_package() {
    let database = Database::from_bytes(database(&["dsa.list", "debian-tracker.json"]).unwrap());
    let database = database.unwrap();
    let ecosystems: Vec<_> = database.ecosystems().collect();
    assert!(ecosystems.iter().all(|ecosystem| ecosystem.name == "Debian"), "{ecosystems:?}");
    let release = database.release(&ecosystems[0]).unwrap().unwrap();
    assert_eq!(release.find("no-such-package", Naming::Source).unwrap().count(), 0);
}
