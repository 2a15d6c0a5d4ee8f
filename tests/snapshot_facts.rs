//! The container: it answers as the facts it was made of.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[expect(dead_code, reason = "the tests of damage use the rest")]
mod snapshot_support;

use std::ops::ControlFlow;
use std::sync::Arc;

use assay::model::cell::Fact;
use assay::model::facts::{FactSource, MemoryFacts, Rows, path_order};
use assay::model::schema::TableSchema;
use assay::model::state::TableState;
use assay::model::table::{COLLECTED, File};
use assay::model::value::Value;
use assay::snapshot::{Codec, Snapshot, SnapshotError, Writer, write_atomically};
use proptest::prelude::*;
use snapshot_support::{file, small, snapshot_of};

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

fn at(source: &dyn FactSource, paths: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    source
        .files_at(paths, &mut |row| {
            files.push(row.typed().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    files
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

fn any_rows(table: &'static TableSchema) -> BoxedStrategy<Rows> {
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

/// Whether a table in this state has rows.
fn held(state: &TableState) -> bool {
    matches!(state, TableState::Collected | TableState::Truncated(_))
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
            let rows = if held(&state) { rows } else { Rows::new(rows.schema()) };
            facts.set(state.clone(), rows);
        }
        let modes = [0o644, 0o4755, 0o777, 0o600, 0o1777];
        let paths = if held(&state) { paths } else { Default::default() };
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
        for directory in ["/", "", "/a", "/a/", "/a/b", "/a-", "/nowhere", "nowhere"] {
            prop_assert_eq!(under(&snapshot, directory), under(&facts, directory));
        }
        for known in &all {
            prop_assert_eq!(snapshot.file(&known.path.0).unwrap(), Some(known.clone()));
        }
        let mut paths: Vec<&str> = all.iter().step_by(2).map(|file| &*file.path.0).collect();
        paths.extend(["", "/", "/b/none", "/~"]);
        paths.sort_by(|a, b| path_order(a, b));
        paths.dedup();
        let found = at(&snapshot, &paths);
        prop_assert!(found.len() >= all.len().div_ceil(2));
        prop_assert_eq!(found, at(&facts, &paths));
        for unknown in ["/not/there", "", "/", "/~"] {
            prop_assert_eq!(snapshot.file(unknown).unwrap(), facts.file(unknown).unwrap());
        }
    }
}

#[test]
fn the_order_of_the_tables_does_not_change_the_bytes() {
    let write = |reverse: bool| {
        let mut writer = Writer::new(Codec::Zstd);
        let mut tables: Vec<&'static TableSchema> =
            COLLECTED.iter().copied().filter(|table| table.name != "files").collect();
        if reverse {
            tables.reverse();
        }
        tables.iter().for_each(|t| writer.missing(t, &TableState::absent("a test")).unwrap());
        writer.finish().unwrap()
    };
    assert_eq!(write(false), write(true));
}

#[test]
fn many_files_are_found_over_blocks_and_frames() {
    for codec in [Codec::Zstd, Codec::Raw] {
        let mut writer = Writer::new(codec);
        let path = |n: usize| format!("/srv/{:03}/{:03}", n / 1000, n % 1000);
        for n in 0..70_000 {
            let mode = if n == 69_000 { 0o4755 } else { 0o644 };
            writer.push_file(file(&path(n), mode, 0)).unwrap();
        }
        writer.files_state(TableState::Collected);
        let bytes = writer.finish().unwrap();
        assert!(bytes.len() < 70_000 * 12, "{} bytes", bytes.len());
        let snapshot = Snapshot::from_bytes(bytes).unwrap();
        snapshot.verify().unwrap();
        let setuid: Vec<Arc<str>> = scan(&snapshot, true).into_iter().map(|f| f.path.0).collect();
        assert_eq!(setuid, [Arc::from(path(69_000))]);
        for n in (0..70_000).step_by(997).chain([2047, 2048, 16_383, 16_384, 69_999]) {
            assert_eq!(snapshot.file(&path(n)).unwrap().unwrap().path.0, path(n).into());
        }
        let paths: Vec<String> = (0..75_000).step_by(331).map(path).collect();
        let wanted: Vec<&str> = paths.iter().map(String::as_str).collect();
        let found: Vec<Arc<str>> = at(&snapshot, &wanted).into_iter().map(|f| f.path.0).collect();
        let there = &wanted[..70_000usize.div_ceil(331)];
        assert_eq!(found.iter().map(|path| &**path).collect::<Vec<_>>(), there);
        for number in 0..70 {
            assert_eq!(under(&snapshot, &format!("/srv/{number:03}")).len(), 1000);
        }
        assert_eq!(scan(&snapshot, false).len(), 70_000);
        assert_eq!(snapshot.file("/srv/042/999/x").unwrap(), None);
    }
}

#[test]
fn a_visitor_can_stop() {
    let snapshot = Snapshot::from_bytes(small(Codec::Zstd)).unwrap();
    let mut seen = 0;
    let mut stop = |_: assay::model::facts::Row<'_>| {
        seen += 1;
        if seen % 3 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    snapshot.scan_files(&|_| true, &mut stop).unwrap();
    snapshot.files_under("/usr", &mut stop).unwrap();
    assert_eq!(seen, 6);
}

#[test]
fn files_out_of_order_are_refused() {
    let mut writer = Writer::new(Codec::Zstd);
    writer.push_file(file("/a/b", 0o644, 0)).unwrap();
    writer.push_file(file("/a-b", 0o644, 0)).unwrap();
    for path in ["/a-b", "/a", "/a/c"] {
        let error = writer.push_file(file(path, 0o644, 0)).unwrap_err();
        assert!(matches!(error, SnapshotError::FileOrder { .. }), "{error}");
    }
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let long = format!("/{}", "x".repeat(1 << 20));
    for (path, mode, code) in [
        ("relative", 0, "S009"),
        ("/zero\0byte", 0, "S009"),
        ("/a", 0o10000, "S009"),
        (&long, 0, "S008"),
    ] {
        let error = Writer::new(Codec::Zstd).push_file(file(path, mode, 0)).unwrap_err();
        assert_eq!(error.code().0.id, code, "{error}");
    }
    let mut writer = Writer::new(Codec::Zstd);
    let rows = Rows::of([file("/a", 0o644, 0)]);
    assert!(writer.table(&rows, &TableState::denied("no")).is_err(), "rows that were denied");
    let mut writer = Writer::new(Codec::Zstd);
    writer.push_file(file("/a", 0o644, 0)).unwrap();
    writer.files_state(TableState::absent("no"));
    assert_eq!(writer.finish().unwrap_err().code().0.id, "S009");
}

#[test]
fn a_walk_that_did_not_end_is_truncated() {
    let mut writer = Writer::new(Codec::Zstd);
    writer.push_file(file("/a", 0o644, 0)).unwrap();
    let snapshot = Snapshot::from_bytes(writer.finish().unwrap()).unwrap();
    assert!(matches!(snapshot.state(File::TABLE), TableState::Truncated(_)));
    let empty = Writer::new(Codec::Zstd).finish().unwrap();
    let snapshot = Snapshot::from_bytes(empty).unwrap();
    assert!(matches!(snapshot.state(File::TABLE), TableState::Absent(_)));
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.assay");
    write_atomically(&path, b"old").unwrap();
    write_atomically(&path, &small(Codec::Zstd)).unwrap();
    Snapshot::open(&path).unwrap().verify().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(write_atomically(&folder.path().join("no/such/place"), b"x").is_err());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("host.assay", &link).unwrap();
    write_atomically(&link, b"through").unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read(&path).unwrap(), b"through");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no part is left behind");
    write_atomically(std::path::Path::new("/dev/null"), b"gone").unwrap();
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn exported_text_is_safe_and_valid_json() {
    let mut rows = Rows::new(assay::model::table::Group::TABLE);
    let hostile = "a\u{1b}[31m\u{9b}2J\u{202e}\"\\\n\u{7f}é";
    rows.push(vec![
        Value::text(hostile),
        Value::Int(-1),
        Value::List([Value::text(hostile)].into()),
        Value::Int(1),
    ]);
    let mut facts = MemoryFacts::new();
    facts.set(TableState::truncated(hostile), rows);
    facts.set(TableState::Collected, Rows::of([file("/bin/su", 0o4755, 0)]));
    let snapshot = Snapshot::from_bytes(snapshot_of(&facts, Codec::Raw)).unwrap();
    let mut out = Vec::new();
    snapshot.export(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["id"], snapshot.id());
    let groups = &json["tables"]["groups"];
    assert_eq!(groups["reason"], hostile);
    assert_eq!(groups["rows"][0]["name"], hostile);
    assert_eq!(groups["rows"][0]["gid"], -1);
    assert_eq!(json["tables"]["files"]["rows"][0]["mode"], "4755");
    assert_eq!(json["tables"]["users"]["state"], "absent");
    let mut lines = Vec::new();
    snapshot.print_table(File::TABLE, &mut lines).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(line, json["tables"]["files"]["rows"][0]);
}
