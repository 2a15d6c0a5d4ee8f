//! The container: nothing damaged, cut or lying is believed, and nothing of it panics.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod snapshot_support;

use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::{File, FileKind, Package};
use assay::snapshot::toc::{Entry, Frame};
use assay::snapshot::{Codec, Snapshot, SnapshotError, layout};
use proptest::prelude::*;
use snapshot_support::{Parts, Random, small};

/// Opens and reads all of it.
fn judged(bytes: Vec<u8>) -> Result<(), SnapshotError> {
    Snapshot::from_bytes(bytes).and_then(|snapshot| snapshot.verify())
}

fn code(bytes: Vec<u8>) -> &'static str {
    judged(bytes).unwrap_err().code().0.id
}

#[test]
fn every_truncation_is_refused_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.assay");
    for codec in [Codec::Zstd, Codec::Raw] {
        let bytes = small(codec);
        for length in 0..bytes.len() {
            let error = Snapshot::from_bytes(bytes[..length].to_vec()).unwrap_err();
            let expected = if length == 0 { "S001" } else { "S002" };
            assert_eq!(error.code().0.id, expected, "at {length}: {error}");
            if length % 7 == 0 {
                std::fs::write(&path, &bytes[..length]).unwrap();
                assert_eq!(Snapshot::open(&path).unwrap_err(), error, "at {length}");
            }
        }
    }
}

#[test]
fn every_bit_flip_is_refused() {
    for codec in [Codec::Zstd, Codec::Raw] {
        let bytes = small(codec);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(judged(damaged).is_err(), "byte {at} bit {bit} was believed");
            }
        }
    }
}

#[test]
fn a_piece_that_is_missing_doubled_or_swapped_is_refused() {
    let bytes = small(Codec::Zstd);
    let mut random = Random(11);
    for _ in 0..2_000 {
        let from = random.below(bytes.len() - 1);
        let length = 1 + random.below((bytes.len() - from).min(64));
        let to = random.below(bytes.len() - length + 1);
        let piece = bytes[from..from + length].to_vec();
        let mut cut = bytes.clone();
        cut.drain(from..from + length);
        let mut doubled = bytes.clone();
        doubled.splice(to..to, piece.clone());
        let mut overwritten = bytes.clone();
        overwritten.splice(to..to + length, piece);
        for damaged in [cut, doubled, overwritten] {
            assert!(damaged == bytes || judged(damaged).is_err(), "{from} {length} {to}");
        }
    }
}

/// Damage under right hashes, so that the decoders themselves meet it: they refuse it or read
/// something, and never panic.
#[test]
fn resealed_damage_never_panics() {
    let bytes = small(Codec::Raw);
    let mut random = Random(7);
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut parts = Parts::of(&bytes);
        for _ in 0..1 + random.below(3) {
            let at = random.below(parts.sections.len());
            parts.sections[at] = random.below(256) as u8;
        }
        let snapshot = Snapshot::from_bytes(parts.seal()).unwrap();
        if let Err(error) = snapshot.verify() {
            refused += 1;
            assert!(["S006", "S008", "S013"].contains(&error.code().0.id), "{error}");
        }
        let _ = snapshot.file("/usr/bin/tool03");
        let _ = snapshot.files_under("/usr", &mut |_| std::ops::ControlFlow::Continue(()));
        let _ = snapshot.export(&mut std::io::sink());
    }
    assert!(refused > 5_000, "the decoders notice much of it: {refused}");
}

/// The same for compressed frames: zstd's own decoder meets the damage.
#[test]
fn resealed_damage_of_compressed_frames_never_panics() {
    let bytes = small(Codec::Zstd);
    let mut random = Random(5);
    for _ in 0..5_000 {
        let mut parts = Parts::of(&bytes);
        let at = random.below(parts.sections.len());
        parts.sections[at] = random.below(256) as u8;
        let snapshot = Snapshot::from_bytes(parts.seal()).unwrap();
        let _ = snapshot.verify();
    }
}

/// And for the table of contents, under its right hash.
#[test]
fn a_resealed_table_of_contents_never_panics() {
    let parts = Parts::of(&small(Codec::Raw));
    let toc = parts.toc.encode();
    let mut random = Random(3);
    for _ in 0..20_000 {
        let mut damaged = toc.clone();
        let at = random.below(damaged.len());
        damaged[at] = random.below(256) as u8;
        let mut bytes = layout::MAGIC.to_vec();
        bytes.push(layout::FORMAT_VERSION);
        bytes.extend_from_slice(&parts.sections);
        bytes.extend_from_slice(&damaged);
        bytes.extend_from_slice(&(damaged.len() as u64).to_le_bytes());
        bytes.extend_from_slice(blake3::hash(&damaged).as_bytes());
        bytes.extend_from_slice(&layout::END_MAGIC);
        if let Ok(snapshot) = Snapshot::from_bytes(bytes) {
            let _ = snapshot.verify();
            let _ = snapshot.export(&mut std::io::sink());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        let mut framed = layout::MAGIC.to_vec();
        framed.push(layout::FORMAT_VERSION);
        framed.extend(&bytes);
        prop_assert!(Snapshot::from_bytes(framed).is_err());
        prop_assert!(Snapshot::from_bytes(bytes).is_err());
    }
}

#[test]
fn a_changed_or_shortened_file_is_noticed_after_it_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.assay");
    let bytes = small(Codec::Zstd);
    std::fs::write(&path, &bytes).unwrap();
    let snapshot = Snapshot::open(&path).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    assert_eq!(snapshot.verify().unwrap_err().code().0.id, "S002");
    let mut other = bytes;
    other[layout::HEADER_LEN + 3] ^= 1;
    std::fs::write(&path, &other).unwrap();
    assert_eq!(snapshot.verify().unwrap_err().code().0.id, "S004");
    assert_eq!(Snapshot::open(folder.path()).unwrap_err().code().0.id, "S011");
    assert_eq!(Snapshot::open(&folder.path().join("none")).unwrap_err().code().0.id, "S011");
}

fn unknown(flags: u8, codec: u8) -> Vec<u8> {
    let mut parts = Parts::of(&small(Codec::Zstd));
    let payload = b"full";
    parts.toc.entries.push(Entry {
        name: "moonphase".into(),
        flags,
        codec,
        schema_version: 9,
        state: TableState::Collected,
        rows: 1,
        frames: vec![Frame::of(payload, payload.len())],
    });
    parts.sections.extend_from_slice(payload);
    parts.seal()
}

#[test]
fn an_unknown_section_is_skipped_and_an_unknown_critical_one_refused() {
    for codec in [layout::CODEC_RAW, 77] {
        let snapshot = Snapshot::from_bytes(unknown(0, codec)).unwrap();
        snapshot.verify().unwrap();
        assert_eq!(snapshot.rows(Package::TABLE).unwrap().len(), 2);
        let info = snapshot.info();
        assert!(info.iter().any(|section| &*section.name == "moonphase" && !section.known));
    }
    assert_eq!(code(unknown(layout::FLAG_CRITICAL, layout::CODEC_RAW)), "S007");
    let mut damaged = unknown(0, layout::CODEC_RAW);
    let at = damaged.windows(4).position(|window| window == b"full").unwrap();
    damaged[at] = b'F';
    assert_eq!(code(damaged), "S004");
}

#[test]
fn a_newer_format_is_refused_and_a_newer_section_is_absent() {
    let mut newer = small(Codec::Zstd);
    newer[layout::HEADER_LEN - 1] += 1;
    assert_eq!(code(newer), "S003");

    let with_newer = |table: &str| {
        let mut parts = Parts::of(&small(Codec::Zstd));
        let entry = parts.toc.entries.iter_mut().find(|entry| &*entry.name == table).unwrap();
        entry.schema_version += 1;
        parts.seal()
    };
    let snapshot = Snapshot::from_bytes(with_newer("packages")).unwrap();
    assert!(matches!(snapshot.state(Package::TABLE), TableState::Absent(_)));
    assert!(snapshot.rows(Package::TABLE).unwrap().is_empty());
    assert_eq!(snapshot.verify().unwrap_err().code().0.id, "S003");
    let snapshot = Snapshot::from_bytes(with_newer("files")).unwrap();
    assert!(matches!(snapshot.state(File::TABLE), TableState::Absent(_)));
    assert_eq!(snapshot.file("/usr/bin/tool03").unwrap(), None);
    assert_eq!(code(with_newer("host")), "S003", "the host's section is critical");
}

/// Changes one entry of the table of contents, and gives the code with which it is refused.
fn with_entry(table: &str, change: impl Fn(&mut Entry)) -> &'static str {
    let mut parts = Parts::of(&small(Codec::Zstd));
    change(parts.toc.entries.iter_mut().find(|entry| &*entry.name == table).unwrap());
    code(parts.seal_as_is())
}

#[test]
fn claims_of_the_table_of_contents_are_not_believed() {
    assert_eq!(with_entry("packages", |e| e.frames[0].raw = layout::MAX_FRAME + 1), "S005");
    assert_eq!(with_entry("packages", |e| e.frames[0].raw = layout::MAX_FRAME), "S006");
    assert_eq!(with_entry("packages", |e| e.frames[0].raw -= 1), "S006");
    assert_eq!(with_entry("packages", |e| e.frames[0].stored = usize::MAX), "S002");
    assert_eq!(with_entry("packages", |e| e.frames[0].stored -= 1), "S005");
    assert_eq!(with_entry("packages", |e| e.frames.clear()), "S005");
    assert_eq!(with_entry("packages", |e| e.codec = layout::CODEC_RAW), "S005");
    assert_eq!(with_entry("packages", |e| e.codec = 9), "S003");
    assert_eq!(with_entry("packages", |e| e.name = "host".into()), "S005");
    assert_eq!(with_entry("packages", |e| e.state = TableState::absent("no")), "S005");
    for rows in [0, 1, 3, 1 << 40, u64::MAX] {
        assert_eq!(with_entry("packages", |e| e.rows = rows), "S006", "{rows}");
        assert_eq!(
            with_entry("files", |e| e.rows = rows),
            if rows >> 28 > 0 { "S008" } else { "S006" }
        );
    }
}

/// The format stores the kind of a file by its place: the order must never change.
#[test]
fn the_kinds_of_files_keep_their_numbers() {
    let names: Vec<&str> = FileKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names, ["file", "directory", "link", "block", "char", "fifo", "socket"]);
}
