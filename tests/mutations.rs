//! The entry points of `fuzz/`, over seeded mutations of real bytes: they come back, whatever they
//! are given.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "../fuzz/entry.rs"]
mod entry;
#[expect(dead_code, reason = "the tests of damage use the rest")]
mod snapshot_support;

use std::fs;
use std::path::{Path, PathBuf};

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
