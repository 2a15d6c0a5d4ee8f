//! The container: what goes in comes out, and nothing damaged is believed.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::ops::ControlFlow;
use std::sync::Arc;

use assay::model::cell::{AbsPath, Fact, Mode, Time};
use assay::model::facts::{FactSource, MemoryFacts, Rows};
use assay::model::state::TableState;
use assay::model::table::{COLLECTED, File, FileKind, Package};
use assay::model::value::Value;
use assay::snapshot::{Codec, Snapshot, SnapshotError, Writer, layout, write_atomically};
use proptest::prelude::*;

fn file(path: &str, mode: u32, uid: u32) -> File {
    File {
        path: AbsPath(path.into()),
        kind: FileKind::File,
        mode: Mode(mode),
        uid,
        gid: 0,
        size: path.len() as i64,
        mtime: Time(1_700_000_000 + i64::from(uid)),
        link_target: path.ends_with("link").then(|| "target".into()),
        capabilities: path.ends_with("ping").then(|| "cap_net_raw=ep".into()),
    }
}

/// The same facts as a snapshot.
fn snapshot_of(facts: &MemoryFacts, codec: Codec) -> Vec<u8> {
    let mut writer = Writer::new(codec);
    for table in COLLECTED.iter().filter(|table| table.name != "files") {
        writer.table(&facts.rows(table).unwrap(), &facts.state(table)).unwrap();
    }
    facts
        .scan_files(&|_| true, &mut |row| {
            writer.push_file(row.typed().unwrap()).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    writer.files_state(facts.state(File::TABLE));
    writer.finish().unwrap()
}

fn scan(source: &dyn FactSource, keep_setuid: bool) -> Vec<File> {
    let mut files = Vec::new();
    source
        .scan_files(&|class| !keep_setuid || class.mode & 0o4000 != 0, &mut |row| {
            files.push(row.typed().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    files
}

fn under(source: &dyn FactSource, directory: &str) -> Vec<String> {
    let mut paths = Vec::new();
    source
        .files_under(directory, &mut |row| {
            paths.push(row.get("path").to_string());
            ControlFlow::Continue(())
        })
        .unwrap();
    paths
}

fn cell_for(ty: assay::model::schema::ColumnType) -> BoxedStrategy<Value> {
    use assay::model::schema::ColumnType as T;
    let text = "[a-z\u{0}-\u{1f}é]{0,6}".prop_map(|text: String| Value::Text(text.into()));
    match ty {
        T::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        T::Mode => (0i64..=0o7777).prop_map(Value::Int).boxed(),
        T::Int | T::Time => any::<i64>().prop_map(Value::Int).boxed(),
        T::Text | T::Path | T::Version => text.boxed(),
        T::TextList => {
            prop::collection::vec(text, 0..3).prop_map(|list| Value::List(list.into())).boxed()
        }
        T::IntList => prop::collection::vec(any::<i64>().prop_map(Value::Int), 0..3)
            .prop_map(|list| Value::List(list.into()))
            .boxed(),
    }
}

fn any_rows(table: &'static assay::model::schema::TableSchema) -> BoxedStrategy<Rows> {
    let cells: Vec<BoxedStrategy<Value>> = table
        .columns
        .iter()
        .map(|column| {
            let cell = cell_for(column.ty);
            if column.optional { prop_oneof![Just(Value::Null), cell].boxed() } else { cell }
        })
        .collect();
    prop::collection::vec(cells, 0..5)
        .prop_map(move |list| {
            let mut rows = Rows::new(table);
            list.into_iter().for_each(|cells| rows.push(cells));
            rows
        })
        .boxed()
}

fn any_facts() -> impl Strategy<Value = MemoryFacts> {
    let small: Vec<BoxedStrategy<Rows>> =
        COLLECTED.iter().filter(|t| t.name != "files").map(|table| any_rows(table)).collect();
    let paths = prop::collection::btree_map("(/[a-c.-]{1,3}){1,4}(link|ping)?", 0u32..5, 0..40);
    let state = prop_oneof![
        Just(TableState::Collected),
        "[a-z ]{1,9}".prop_map(|reason: String| TableState::truncated(reason)),
        "[a-z ]{1,9}".prop_map(|reason: String| TableState::denied(reason)),
    ];
    (small, paths, state).prop_map(|(small, paths, state)| {
        let mut facts = MemoryFacts::new();
        for rows in small {
            facts.set(state.clone(), rows);
        }
        let modes = [0o644, 0o4755, 0o777, 0o600, 0o1777];
        let files = paths.iter().map(|(path, n)| file(path, modes[*n as usize], *n));
        facts.set(state, Rows::of(files));
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_snapshot_answers_as_the_facts_it_was_made_of(facts in any_facts(), raw: bool) {
        let codec = if raw { Codec::Raw } else { Codec::Zstd };
        let bytes = snapshot_of(&facts, codec);
        prop_assert_eq!(&bytes, &snapshot_of(&facts, codec), "the same facts, the same bytes");
        let snapshot = Snapshot::from_bytes(bytes).unwrap();
        snapshot.verify().unwrap();
        for table in COLLECTED.iter().filter(|table| table.name != "files") {
            prop_assert_eq!(snapshot.state(table), facts.state(table));
            prop_assert_eq!(snapshot.rows(table).unwrap(), facts.rows(table).unwrap());
        }
        prop_assert_eq!(snapshot.state(File::TABLE), facts.state(File::TABLE));
        let all = scan(&facts, false);
        prop_assert_eq!(&scan(&snapshot, false), &all);
        prop_assert_eq!(scan(&snapshot, true), scan(&facts, true));
        for directory in ["/", "/a", "/a/b", "/a-", "/nowhere"] {
            prop_assert_eq!(under(&snapshot, directory), under(&facts, directory));
        }
        for known in &all {
            prop_assert_eq!(snapshot.file(&known.path.0).unwrap(), Some(known.clone()));
        }
        prop_assert_eq!(snapshot.file("/not/there").unwrap(), None);
    }

    #[test]
    fn any_bytes_are_refused_or_read_without_panic(bytes: Vec<u8>) {
        let mut framed = layout::MAGIC.to_vec();
        framed.extend(bytes);
        prop_assert!(Snapshot::from_bytes(framed).is_err());
    }
}

/// A small snapshot with every kind of cell, and files over two blocks.
fn small(codec: Codec) -> Vec<u8> {
    let mut facts = MemoryFacts::new().with([Package {
        manager: "dpkg".into(),
        name: "openssl".into(),
        version: assay::model::cell::Version("3.0.15-1~deb12u1".into()),
        arch: None,
        source: Some("openssl".into()),
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        status: "installed".into(),
    }]);
    facts.set(
        TableState::truncated("2 directories could not be read"),
        Rows::of((0..12).map(|n| file(&format!("/usr/bin/tool{n:02}"), 0o755 + n % 2, n % 3))),
    );
    snapshot_of(&facts, codec)
}

#[test]
fn every_truncation_is_refused_with_a_code() {
    let bytes = small(Codec::Zstd);
    for length in 0..bytes.len() {
        let error = Snapshot::from_bytes(bytes[..length].to_vec()).unwrap_err();
        assert!(error.code().0.id.starts_with('S'), "{error}");
        if length >= layout::MAGIC.len() {
            assert!(matches!(error, SnapshotError::Truncated(_)), "at {length}: {error}");
        }
    }
}

/// A small deterministic generator; the tests need no better one.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn every_bit_flip_is_refused() {
    for codec in [Codec::Zstd, Codec::Raw] {
        let bytes = small(codec);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let judged = Snapshot::from_bytes(damaged).and_then(|snapshot| snapshot.verify());
                assert!(judged.is_err(), "byte {at} bit {bit} was believed");
            }
        }
    }
}

/// Mutates payloads and seals them again with right checksums, so that the decoders themselves
/// meet the damage: they refuse it or read something, but never panic and never trust a length.
#[test]
fn resealed_damage_never_panics() {
    let mut state = 7;
    let bytes = small(Codec::Raw);
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut damaged = bytes.clone();
        let toc_at =
            u64::from_le_bytes(bytes[bytes.len() - layout::FOOTER..][..8].try_into().unwrap())
                as usize;
        for _ in 0..1 + random(&mut state) % 3 {
            let at = layout::MAGIC.len() + random(&mut state) % (toc_at - layout::MAGIC.len());
            damaged[at] = random(&mut state) as u8;
        }
        reseal(&mut damaged, toc_at);
        match Snapshot::from_bytes(damaged) {
            Ok(snapshot) => {
                refused += usize::from(snapshot.verify().is_err());
                let _ = snapshot.file("/usr/bin/tool03");
                let _ = snapshot.export(&mut std::io::sink());
            }
            Err(error) => panic!("the table of contents is untouched: {error}"),
        }
    }
    assert!(refused > 5_000, "most damage is noticed by the decoders: {refused}");
}

/// Writes right checksums into the table of contents of a snapshot with raw sections.
fn reseal(bytes: &mut [u8], toc_at: usize) {
    let footer = bytes.len() - layout::FOOTER;
    let original = Snapshot::from_bytes(small(Codec::Raw)).unwrap();
    let mut offset = layout::MAGIC.len();
    for section in original.info() {
        let end = offset + section.stored as usize;
        let old = original.section_hash(&section.name).unwrap();
        let new = blake3::hash(&bytes[offset..end]);
        // Sections with equal bytes share a hash, so the entry is found behind its own name.
        let name = section.name.as_bytes();
        let toc = &mut bytes[toc_at..footer];
        let named = toc
            .windows(name.len() + 1)
            .position(|w| usize::from(w[0]) == name.len() && &w[1..] == name)
            .unwrap();
        let at = toc[named..].windows(32).position(|window| window == old).unwrap() + named;
        toc[at..at + 32].copy_from_slice(new.as_bytes());
        offset = end;
    }
    let id = blake3::hash(&bytes[toc_at..footer]);
    bytes[footer + 16..footer + 48].copy_from_slice(id.as_bytes());
}

/// A snapshot of one section with the given table of contents entry.
fn with_section(name: &str, flags: u8, payload: &[u8], raw: u64) -> Vec<u8> {
    let uint = |mut value: u64| {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    };
    let mut bytes = layout::MAGIC.to_vec();
    bytes.extend(payload);
    let toc_at = bytes.len() as u64;
    let mut toc = uint(1);
    toc.extend(uint(name.len() as u64));
    toc.extend(name.as_bytes());
    toc.extend([0, 0, 1, 1, flags]);
    toc.extend(uint(layout::MAGIC.len() as u64));
    toc.extend(uint(payload.len() as u64));
    toc.extend(uint(raw));
    toc.extend(blake3::hash(payload).as_bytes());
    bytes.extend(&toc);
    bytes.extend(toc_at.to_le_bytes());
    bytes.extend((toc.len() as u64).to_le_bytes());
    bytes.extend(blake3::hash(&toc).as_bytes());
    bytes.extend(layout::END);
    bytes
}

#[test]
fn an_unknown_section_is_skipped_and_an_unknown_critical_one_refused() {
    let snapshot = Snapshot::from_bytes(with_section("moonphase", 0, b"full", 4)).unwrap();
    snapshot.verify().unwrap();
    assert!(matches!(snapshot.state(Package::TABLE), TableState::Absent(_)));
    let error =
        Snapshot::from_bytes(with_section("moonphase", layout::CRITICAL, b"full", 4)).unwrap_err();
    assert_eq!(error.code().0.id, "S003");
}

#[test]
fn a_claimed_length_is_not_believed() {
    for raw in [layout::LIMIT, layout::LIMIT + 1, u64::MAX] {
        let bytes = with_section("packages", layout::ZSTD, b"tiny", raw);
        let judged = Snapshot::from_bytes(bytes).and_then(|snapshot| snapshot.verify());
        assert!(matches!(judged, Err(SnapshotError::TooLarge(_))), "{judged:?}");
    }
    let mut newer = small(Codec::Zstd);
    newer[layout::MAGIC.len() - 1] += 1;
    assert_eq!(Snapshot::from_bytes(newer).unwrap_err().code().0.id, "S003");
}

#[test]
fn files_out_of_order_are_refused() {
    let mut writer = Writer::new(Codec::Zstd);
    writer.push_file(file("/a/b", 0o644, 0)).unwrap();
    writer.push_file(file("/a-b", 0o644, 0)).unwrap();
    for path in ["/a-b", "/a", "/a/c"] {
        let error = writer.push_file(file(path, 0o644, 0)).unwrap_err();
        assert_eq!(error.code().0.id, "S008");
    }
}

#[test]
fn many_files_are_found_over_blocks_and_frames() {
    let mut writer = Writer::new(Codec::Zstd);
    let path = |n: usize| format!("/srv/{:03}/{:03}", n / 1000, n % 1000);
    for n in 0..70_000 {
        let mode = if n == 69_000 { 0o4755 } else { 0o644 };
        writer.push_file(file(&path(n), mode, 0)).unwrap();
    }
    writer.files_state(TableState::Collected);
    let bytes = writer.finish().unwrap();
    assert!(bytes.len() < 70_000 * 12, "{} bytes", bytes.len());
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    let setuid: Vec<Arc<str>> = scan(&snapshot, true).into_iter().map(|f| f.path.0).collect();
    assert_eq!(setuid, [Arc::from(path(69_000))]);
    for n in [0, 2047, 2048, 32_767, 32_768, 69_999] {
        assert_eq!(snapshot.file(&path(n)).unwrap().unwrap().path.0, path(n).into());
    }
    assert_eq!(under(&snapshot, "/srv/042").len(), 1000);
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.assay");
    write_atomically(&path, &small(Codec::Zstd)).unwrap();
    Snapshot::open(&path).unwrap().verify().unwrap();
    assert!(write_atomically(&folder.path().join("no/such/place"), b"x").is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left behind");
}
