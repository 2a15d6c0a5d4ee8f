//! The entry points of `fuzz/`, over seeded mutations of real bytes: they come back, whatever they
//! are given.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "../fuzz/entry.rs"]
mod entry;
#[expect(dead_code, reason = "the tests of damage use the rest")]
mod snapshot_support;

use std::fs;
use std::path::{Path, PathBuf};

use assay::advisory::db::{Builder, Database, Input};
use assay::advisory::feed::{Context, read};
use snapshot_support::Random;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Pieces that have a meaning somewhere.
const WORDS: [&[u8]; 24] = [
    b"\n",
    b"\0",
    b" ",
    b"\t",
    b"\\\n",
    b"#",
    b"'",
    b"\"",
    b"[",
    b"{",
    b"*",
    b"?",
    b"..",
    b"/",
    b"=",
    b":",
    b"- ",
    b"Include /etc/*\n",
    b"Match all\n",
    b"@include common-auth\n",
    b"&a",
    b"*a",
    b"\xff\xfe",
    b"\xf0\x9f\x92\xa9",
];

/// A few changes: bytes set, cut out, doubled, moved, or words put in.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let length = random.below(1 + (bytes.len() - at).min(40));
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let piece: Vec<u8> = bytes.drain(at..at + length).collect();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => {
                let word = WORDS[random.below(WORDS.len())];
                let piece = word.repeat(1 + random.below(3));
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
}

#[test]
fn snapshots() {
    let mut random = Random(1);
    let small = snapshot_support::small(assay::snapshot::Codec::Raw);
    let sample = fs::read(project("snapshots/almalinux-8.assay")).unwrap();
    for _ in 0..1_500 {
        for seed in [&small, &sample] {
            let mut bytes = seed.clone();
            // Bytes are set, so that the places of the parts stay and the decoders are reached.
            for _ in 0..1 + random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = random.below(256) as u8;
            }
            entry::snapshot(&bytes);
        }
        let mut bytes = small.clone();
        mutate(&mut bytes, &mut random);
        entry::snapshot(&bytes);
    }
}

#[test]
fn advisories() {
    let feed = fs::read(project("tests/fixtures/advisories/dsa.list")).unwrap();
    let mut builder = Builder::new();
    builder.begin(&Input::default());
    let mut sink = |record| builder.add(record);
    let summary = read(None, "dsa.list", &feed, &Context::default(), &mut sink).unwrap();
    builder.end(&summary);
    let file = builder.finish().unwrap();
    let database = Database::from_bytes(file.clone()).unwrap();
    let ecosystem = database.ecosystems().next().unwrap();
    let index = database.release(&ecosystem).unwrap().unwrap().bytes().to_vec();
    let mut random = Random(4);
    for _ in 0..4_000 {
        let mut bytes = index.clone();
        // Most often numbers are set: a table that moved is told by the frame.
        match random.below(4) {
            0 => mutate(&mut bytes, &mut random),
            _ => {
                for _ in 0..1 + random.below(6) {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }
            }
        }
        entry::advisories(&bytes);
        let mut bytes = file.clone();
        mutate(&mut bytes, &mut random);
        entry::advisories(&bytes);
    }
}

/// Every `.yaml` below a directory.
fn yaml(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            yaml(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(fs::read(path).unwrap());
        }
    }
}

#[test]
fn rules() {
    let mut seeds = Vec::new();
    yaml(&project("rulesets"), &mut seeds);
    seeds.retain(|seed| seed.len() < 8_000);
    seeds.sort();
    let mut random = Random(2);
    for _ in 0..2_000 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        mutate(&mut bytes, &mut random);
        entry::rules(&bytes);
    }
}

#[test]
fn lenses() {
    let files = entry::configuration();
    assert!(files.len() > 100, "{}", files.len());
    let mut random = Random(3);
    for round in 0..120 {
        let which = random.below(files.len().min(256));
        let text = files[which].text.as_deref().unwrap_or("a = b\n");
        let mut bytes = text.as_bytes().to_vec();
        bytes.truncate(20_000);
        mutate(&mut bytes, &mut random);
        bytes.insert(0, which as u8);
        entry::lenses(&bytes);
        if round % 50 == 0 {
            entry::lenses(&[which as u8]);
        }
    }
}

#[test]
fn feeds() {
    let mut seeds: Vec<Vec<u8>> = fs::read_dir(project("tests/fixtures/advisories"))
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    seeds.sort();
    assert!(seeds.len() > 10);
    let mut random = Random(4);
    for _ in 0..3_000 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        mutate(&mut bytes, &mut random);
        entry::feeds(&bytes);
    }
}

#[test]
fn bills() {
    let seeds = [
        r#"{"bomFormat":"CycloneDX","metadata":{"component":{"type":"container","name":"x","components":[]}},
            "components":[{"type":"operating-system","name":"debian","version":"12"},{"type":"library","name":"bash",
            "purl":"pkg:deb/debian/bash@5.2-2?arch=amd64&distro=debian-12&upstream=bash%405.2-1",
            "properties":[{"name":"syft:location:0:path","value":"/x"}]}],"compositions":[{"aggregate":"complete"}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","name":"x","documentDescribes":["a"],"packages":[{"SPDXID":"a","name":"x"},
            {"SPDXID":"b","name":"y","sourceInfo":"built package from: z 1","externalRefs":[{"referenceType":"purl",
            "referenceLocator":"pkg:rpm/rhel/y@1-1?epoch=2&distro=rhel-9.2"}]}]}"#,
    ];
    let mut random = Random(5);
    for seed in seeds {
        entry::bills(seed.as_bytes());
        for _ in 0..2_000 {
            let mut bytes = seed.as_bytes().to_vec();
            mutate(&mut bytes, &mut random);
            entry::bills(&bytes);
        }
    }
}

/// Databases as rpm wrote them, an archive, and texts.
#[test]
fn packages() {
    let recorded = |name: &str| {
        let bytes = fs::read(project("tests/fixtures/rpm").join(name)).unwrap();
        zstd::decode_all(&*bytes).unwrap()
    };
    let seeds = [
        recorded("rpmdb.sqlite.zst"),
        recorded("Packages.db.zst"),
        recorded("Packages.zst"),
        b"Package: a\nStatus: install ok installed\nVersion: 1\nSource: b (2)\n\n".to_vec(),
        b"P:a\nV:1\nA:x\no:b\nF:lib\nR:x\n\n".to_vec(),
        recorded("rpmdb.sqlite.zst"),
    ];
    let mut random = Random(6);
    for round in 0..600 {
        let which = round % seeds.len();
        let mut bytes = seeds[which].clone();
        if which < 3 {
            // The heads of pages and blobs do most harm.
            for _ in 0..1 + random.below(6) {
                let block = random.below(bytes.len() / 16) * 16;
                let byte = random.below(256) as u8;
                let values = [0, 1, 0x7f, 0x80, 0xff, byte];
                bytes[block + random.below(16)] = values[random.below(values.len())];
            }
        } else {
            mutate(&mut bytes, &mut random);
        }
        bytes.insert(0, which as u8);
        entry::packages(&bytes);
    }
}
