//! What hostile bytes can make the program take: the allocator counts, and every bound is asserted.
//! One test, because the count is of the whole process.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod snapshot_support;

use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::table::{COLLECTED, Group, Package};
use assay::rules::Library;
use assay::snapshot::toc::{Entry, Frame};
use assay::snapshot::{Codec, Snapshot, layout};
use peak_alloc::PeakAlloc;
use snapshot_support::{Parts, Random, small};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const MEGABYTE: usize = 1 << 20;

/// The most bytes that were allocated at once while this ran, above what was there before.
fn peak(run: impl FnOnce()) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    run();
    ALLOCATED.peak_usage().saturating_sub(before)
}

/// Opens a container and reads all of it, in every way there is.
fn read_all(bytes: Vec<u8>) {
    if let Ok(snapshot) = Snapshot::from_bytes(bytes) {
        let _ = snapshot.verify();
        for table in COLLECTED.iter().filter(|table| table.name != "files") {
            let _ = snapshot.rows(table);
        }
        let _ = snapshot.scan_files(&|_| true, &mut |_| std::ops::ControlFlow::Continue(()));
    }
}

/// A container in which one section has these frames, with right hashes.
fn with_frames(table: &str, rows: u64, frames: &[(&[u8], usize)]) -> Vec<u8> {
    let mut parts = Parts::of(&small(Codec::Zstd));
    let (mut sections, mut at) = (Vec::new(), 0);
    for entry in &mut parts.toc.entries {
        let stored = entry.stored() as usize;
        if &*entry.name == table {
            entry.rows = rows;
            entry.frames = frames.iter().map(|(bytes, raw)| Frame::of(bytes, *raw)).collect();
            frames.iter().for_each(|(bytes, _)| sections.extend_from_slice(bytes));
        } else {
            sections.extend_from_slice(&parts.sections[at..at + stored]);
        }
        at += stored;
    }
    parts.sections = sections;
    parts.seal_as_is()
}

fn number(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn with_entry(change: impl Fn(&mut Entry)) -> Vec<u8> {
    let mut parts = Parts::of(&small(Codec::Zstd));
    parts.toc.entries.iter_mut().for_each(change);
    parts.seal_as_is()
}

/// 64 frames of the largest size, each really that large and some hundred bytes compressed.
fn bombs() {
    let bomb = zstd::bulk::compress(&vec![0; layout::MAX_FRAME], 19).unwrap();
    assert!(bomb.len() < 4096);
    for table in ["packages", "files", "host", "config"] {
        let many = with_frames(table, 1, &vec![(&*bomb, layout::MAX_FRAME); 64]);
        let used = peak(|| read_all(many));
        assert!(used < 3 * layout::MAX_FRAME, "{table}: {used} bytes");
    }
    // Ten times as much as the frame says that it is.
    let liar = with_frames("packages", 1, &[(&bomb, layout::MAX_FRAME / 10)]);
    let used = peak(|| read_all(liar));
    assert!(used < layout::MAX_FRAME / 5, "{used} bytes");
}

/// Every length of the table of contents, and of a table, near the largest numbers.
fn lengths() {
    for huge in [u64::MAX, u64::MAX - 7, 1 << 63, i64::MAX as u64, 1 << 40, u32::MAX.into()] {
        let count = huge as usize;
        let used = peak(|| {
            read_all(with_entry(|entry| entry.rows = huge));
            read_all(with_entry(|entry| entry.frames.iter_mut().for_each(|f| f.stored = count)));
            read_all(with_entry(|entry| entry.frames.iter_mut().for_each(|f| f.raw = count)));
        });
        assert!(used < MEGABYTE, "{huge}: {used} bytes");
        // Each number of a small table's payload in turn.
        let raw = Parts::of(&small(Codec::Raw));
        let entry = raw.toc.entries.iter().position(|e| &*e.name == Group::TABLE.name).unwrap();
        let start: u64 = raw.toc.entries[..entry].iter().map(Entry::stored).sum();
        let length = raw.toc.entries[entry].stored() as usize;
        let payload = &raw.sections[start as usize..][..length];
        for at in 0..payload.len() {
            let mut raw = payload[..at].to_vec();
            raw.extend(number(huge));
            raw.extend_from_slice(&payload[at + 1..]);
            let stored = zstd::bulk::compress(&raw, 1).unwrap();
            let bytes = with_frames(Group::TABLE.name, 1, &[(&stored, raw.len())]);
            let used = peak(|| read_all(bytes));
            assert!(used < MEGABYTE, "{huge} at {at}: {used} bytes");
        }
    }
}

/// As many rows, cells and texts as the bytes can be made to stand for.
fn multipliers() {
    // A column of optional texts without one value: an eighth of a byte a row.
    let mut raw = number(1);
    raw.extend(number(4));
    raw.extend(b"arch");
    raw.extend([4, 1]);
    let rows = layout::MAX_CELLS / Package::TABLE.columns.len();
    raw.extend(number(rows.div_ceil(8) as u64 + 1));
    raw.resize(raw.len() + rows.div_ceil(8) + 1, 0);
    let stored = zstd::bulk::compress(&raw, 3).unwrap();
    for claimed in [rows as u64, rows as u64 * 8, u64::MAX] {
        let bytes = with_frames("packages", claimed, &[(&stored, raw.len())]);
        let used = peak(|| read_all(bytes));
        assert!(used < 40 * layout::MAX_CELLS, "{claimed}: {used} bytes");
    }
}

/// Seeded damage under right hashes.
fn damage() {
    let bytes = small(Codec::Raw);
    let mut random = Random(23);
    let mut most = 0;
    for _ in 0..5_000 {
        let mut parts = Parts::of(&bytes);
        for _ in 0..1 + random.below(4) {
            let at = random.below(parts.sections.len());
            parts.sections[at] = random.below(256) as u8;
        }
        let damaged = parts.seal();
        most = most.max(peak(|| read_all(damaged)));
    }
    assert!(most < MEGABYTE, "{most} bytes");
}

/// YAML that is small and means much.
fn yaml() {
    let deep = "a: ".to_owned() + &"[".repeat(200_000);
    let aliases = (1..60).fold("a0: &a0 [x, x, x, x]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)
    });
    let keys = (0..200_000).map(|n| format!("k{n}: 1\n")).collect::<String>();
    for text in [deep, aliases, keys] {
        let length = text.len();
        let used = peak(|| {
            let mut library = Library::default();
            assert!(library.insert("security-best-practices/bomb.yaml", text));
            assert!(library.compile().is_err());
        });
        assert!(used < 64 * MEGABYTE, "{length} bytes of YAML took {used}");
    }
}

#[test]
fn hostile_bytes_take_little_memory() {
    bombs();
    lengths();
    multipliers();
    damage();
    yaml();
}
