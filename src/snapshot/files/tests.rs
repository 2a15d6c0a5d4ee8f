use std::ops::ControlFlow;

use super::write::FilesWriter;
use super::*;
use crate::model::cell::{AbsPath, Mode, Time};
use crate::model::facts::path_order;
use crate::model::schema::ColumnType;
use crate::model::table::FileKind;
use crate::snapshot::bytes::put_bytes;
use crate::snapshot::column::Unfit;
use crate::snapshot::toc::Frame;
use crate::snapshot::writer::Packer;
use crate::snapshot::{Codec, layout};
use proptest::prelude::*;

fn file(path: &str) -> File {
    File {
        path: AbsPath(path.into()),
        kind: FileKind::File,
        mode: Mode(0o644),
        uid: 0,
        gid: 0,
        size: 7,
        mtime: Time(0),
        link_target: None,
        capabilities: None,
    }
}

/// One block: its raw frame, and the index.
fn written(paths: &[&str]) -> (Vec<u8>, Index) {
    let mut packer = Packer::new(Codec::Raw);
    let mut writer = FilesWriter::default();
    for path in paths {
        writer.push(file(path), &mut packer).unwrap();
    }
    let (mut out, frames) = writer.finish(&mut packer).unwrap();
    let (last, blocks) = frames.split_last().unwrap();
    let raw = out.split_off(out.len() - last.stored);
    let index = Index::decode(&raw, blocks, paths.len() as u64).map_err(|_| "unfit").unwrap();
    (out, index)
}

fn shown(frame: &[u8], index: &Index) -> Vec<String> {
    let mut paths = Vec::new();
    let block = Block::decode(index, 0, frame).unwrap();
    let visited = block.visit(index, Want::All, &mut |row| {
        assert_eq!(row.get("size").as_int(), Some(7));
        paths.push(row.get("path").to_string());
        ControlFlow::Continue(())
    });
    assert!(visited.unwrap().is_continue());
    paths
}

#[test]
fn every_column_of_a_file_is_stored_somewhere() {
    let stored: Vec<&str> =
        ["path", "kind", "mode", "uid", "gid"].into_iter().chain(PLAIN).collect();
    let columns: Vec<&str> = File::TABLE.columns.iter().map(|column| column.name).collect();
    assert_eq!(columns, stored);
}

#[test]
fn a_column_of_a_newer_writer_is_skipped() {
    const EXTRA: Column =
        Column { name: "colour", ty: ColumnType::Text, optional: false, doc: "of a newer writer" };
    let (mut frame, mut index) = written(&["/a", "/b"]);
    put_bytes(&mut frame, b"whatever it means");
    index.blocks[0].len = frame.len();
    let columns: Vec<&Column> = plain_columns().chain([&EXTRA]).collect();
    let raw = index.encode(&columns);
    let index = Index::decode(&raw, &[Frame::of(&frame, frame.len())], 2);
    let index = index.map_err(|_| "unfit").unwrap();
    assert_eq!(shown(&frame, &index), ["/a", "/b"]);
}

#[test]
fn a_missing_optional_column_is_null_and_a_missing_required_one_an_error() {
    let (frame, index) = written(&["/a", "/b"]);
    let decode = |columns: &[&Column]| {
        Index::decode(&index.encode(columns), &[Frame::of(&frame, frame.len())], 2)
    };
    let known: Vec<&Column> = plain_columns().collect();
    assert!(matches!(decode(&known[1..]), Err(Unfit::Missing(column)) if column.name == "size"));
    let older = decode(&known[..3]).map_err(|_| "unfit").unwrap();
    assert_eq!(older.wanted, [Some(0), Some(1), Some(2), None]);
}

proptest! {
    #[test]
    fn the_step_between_paths_orders_as_path_order_does(
        a in "/[a/.é-]{0,4}", b in "/[a/.é-]{0,4}",
    ) {
        let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let after = comes_after(a.as_bytes(), shared, &b.as_bytes()[shared..]);
        prop_assert_eq!(after, path_order(&a, &b).is_lt());
    }

    #[test]
    fn any_bytes_of_a_block_are_refused_or_read(bytes: Vec<u8>, at in 0usize..200, byte: u8) {
        let (frame, index) = written(&["/a", "/a/b", "/a/c", "/b"]);
        let mut damaged = frame.clone();
        let at = at % damaged.len();
        damaged[at] = byte;
        let mut unrelated = bytes;
        unrelated.resize(frame.len(), 0);
        for frame in [&damaged, &unrelated] {
            let all = &mut |_: crate::model::facts::Row<'_>| ControlFlow::Continue(());
            let _ = Block::decode(&index, 0, frame)
                .and_then(|block| block.visit(&index, Want::All, all));
        }
        let _ = Index::decode(&damaged, &[Frame::of(&frame, frame.len())], 4);
    }
}

#[test]
fn a_block_ends_where_its_texts_are_long() {
    let mut packer = Packer::new(Codec::Zstd);
    let mut writer = FilesWriter::default();
    let long = "x".repeat(4000);
    for number in 0..200 {
        writer.push(file(&format!("/{number:03}{long}")), &mut packer).unwrap();
    }
    let (_, frames) = writer.finish(&mut packer).unwrap();
    let limit = layout::FRAME_TARGET + layout::BLOCK_TEXT + layout::MAX_FILE_TEXT;
    assert!(frames.iter().all(|frame| frame.raw < limit));
    assert!(frames.len() > 1);
}
