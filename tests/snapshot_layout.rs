//! The layout as `snapshots/README.md` tells it, read by a second reader that was written from that
//! page and shares no code with the first: both must see the same rows in every sample.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use assay::model::facts::{FactSource, Row};
use assay::model::table::COLLECTED;
use assay::model::value::Value;
use assay::snapshot::{Snapshot, layout};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

fn page() -> String {
    fs::read_to_string(folder().join("README.md")).unwrap()
}

fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut list: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "assay")).collect();
    list.sort();
    assert!(list.len() >= 5);
    list
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self) -> u64 {
        let mut value = 0;
        for place in 0.. {
            let byte = self.byte();
            value |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                break;
            }
        }
        value
    }

    fn size(&mut self) -> usize {
        usize::try_from(self.number()).unwrap()
    }

    fn signed(&mut self) -> i64 {
        let number = self.number();
        let half = i64::try_from(number / 2).unwrap();
        if number.is_multiple_of(2) { half } else { -half - 1 }
    }

    fn blob(&mut self) -> Bytes<'a> {
        let length = self.size();
        Bytes(self.take(length))
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.blob().0.to_vec()).unwrap()
    }

    fn bits(&mut self, count: usize) -> Vec<bool> {
        let bytes = self.take(count.div_ceil(8));
        (0..count).map(|at| bytes[at / 8] >> (at % 8) & 1 == 1).collect()
    }
}

struct Section {
    name: String,
    critical: bool,
    state: u8,
    rows: usize,
    frames: Vec<Vec<u8>>,
}

/// The sections of a container, every hash compared, every frame unpacked.
fn sections(file: &[u8]) -> Vec<Section> {
    assert_eq!(file[..8], [0x89, 0x41, 0x53, 0x53, 0x41, 0x59, 0x0a, 0x01]);
    let (body, footer) = file.split_at(file.len() - 48);
    assert_eq!(footer[40..], [0x59, 0x41, 0x53, 0x53, 0x41, 0x0a, 0x00, 0x89]);
    let length = u64::from_le_bytes(footer[..8].try_into().unwrap());
    let (body, toc) = body.split_at(body.len() - usize::try_from(length).unwrap());
    assert_eq!(blake3::hash(toc).as_bytes(), &footer[8..40]);
    let (mut toc, mut body) = (Bytes(toc), Bytes(&body[8..]));
    let count = toc.size();
    let list = (0..count).map(|_| section(&mut toc, &mut body)).collect();
    assert!(toc.0.is_empty() && body.0.is_empty());
    list
}

fn section(toc: &mut Bytes<'_>, body: &mut Bytes<'_>) -> Section {
    let (name, flags, codec) = (toc.text(), toc.byte(), toc.byte());
    assert_eq!(toc.number(), 1, "the version of the schema");
    let state = toc.byte();
    if state != 0 {
        assert!(!toc.text().is_empty());
    }
    let rows = toc.size();
    let frames = (0..toc.size())
        .map(|_| {
            let (stored, raw) = (toc.size(), toc.size());
            let bytes = body.take(stored);
            assert_eq!(blake3::hash(bytes).as_bytes(), toc.take(32));
            match codec {
                0 => bytes.to_vec(),
                _ => zstd::bulk::decompress(bytes, raw).unwrap(),
            }
        })
        .collect();
    Section { name, critical: flags & 1 == 1, state, rows, frames }
}

struct Column {
    name: String,
    kind: u8,
    optional: bool,
}

fn columns(bytes: &mut Bytes<'_>) -> Vec<Column> {
    let count = bytes.size();
    let one =
        |_| Column { name: bytes.text(), kind: bytes.byte(), optional: bytes.byte() & 1 == 1 };
    (0..count).map(one).collect()
}

fn ints(bytes: &mut Bytes<'_>, count: usize) -> Vec<Value> {
    let differences = bytes.byte() == 1;
    let mut last = 0i64;
    let mut next = || {
        let number = bytes.signed();
        last = if differences { last.wrapping_add(number) } else { number };
        Value::Int(last)
    };
    (0..count).map(|_| next()).collect()
}

fn texts(bytes: &mut Bytes<'_>, count: usize) -> Vec<Value> {
    let size = bytes.size();
    let lengths: Vec<usize> = (0..size).map(|_| bytes.size()).collect();
    let dictionary: Vec<Value> = lengths
        .into_iter()
        .map(|length| Value::text(String::from_utf8(bytes.take(length).to_vec()).unwrap()))
        .collect();
    let mut fresh = 0;
    let mut next = || match bytes.size() {
        0 => {
            fresh += 1;
            dictionary[fresh - 1].clone()
        }
        code => dictionary[code - 1].clone(),
    };
    (0..count).map(|_| next()).collect()
}

/// The cells of one column.
fn cells(mut bytes: Bytes<'_>, column: &Column, rows: usize) -> Vec<Value> {
    let present = if column.optional { bytes.bits(rows) } else { vec![true; rows] };
    let count = present.iter().filter(|there| **there).count();
    let values: Vec<Value> = match column.kind {
        0 => bytes.bits(count).into_iter().map(Value::Bool).collect(),
        1..=3 => ints(&mut bytes, count),
        4..=6 => texts(&mut bytes, count),
        _ => {
            let lengths: Vec<usize> = (0..count).map(|_| bytes.size()).collect();
            let total = lengths.iter().sum();
            let all = match column.kind {
                7 => texts(&mut bytes, total),
                _ => ints(&mut bytes, total),
            };
            let mut all = all.into_iter();
            lengths.into_iter().map(|n| Value::List(all.by_ref().take(n).collect())).collect()
        }
    };
    assert!(bytes.0.is_empty(), "column {}", column.name);
    let mut values = values.into_iter();
    present
        .into_iter()
        .map(|there| if there { values.next().unwrap() } else { Value::Null })
        .collect()
}

type Table = Vec<(String, Vec<Value>)>;

/// The columns of a table by name.
fn table(section: &Section) -> Table {
    let raw = section.frames.concat();
    let mut bytes = Bytes(&raw);
    let columns = columns(&mut bytes);
    let one = |column: Column| {
        let values = cells(bytes.blob(), &column, section.rows);
        (column.name, values)
    };
    columns.into_iter().map(one).collect()
}

const KINDS: [&str; 7] = ["file", "directory", "link", "block", "char", "fifo", "socket"];

/// The columns of `files`, all blocks one after the other.
fn files(section: &Section) -> Table {
    let (index, frames) = section.frames.split_last().unwrap();
    let mut index = Bytes(index);
    let columns = columns(&mut index);
    let count = index.size();
    let classes: Vec<[Value; 4]> = (0..count)
        .map(|_| {
            let kind = Value::text(KINDS[usize::from(index.byte())]);
            let mut number = || Value::Int(index.size() as i64);
            [kind, number(), number(), number()]
        })
        .collect();
    let names = ["path", "kind", "mode", "uid", "gid"].map(str::to_owned).into_iter();
    let names = names.chain(columns.iter().map(|column| column.name.clone()));
    let mut out: Table = names.map(|name| (name, Vec::new())).collect();
    let (mut frame, mut at) = (0, 0);
    for _ in 0..index.size() {
        if index.number() == 1 {
            (frame, at) = (frame + 1, 0);
        }
        let (length, rows, first) = (index.size(), index.size(), index.text());
        let mut next = 0;
        let held: Vec<usize> = (0..index.size())
            .map(|_| {
                next += index.size() + 1;
                next - 1
            })
            .collect();
        let mut block = Bytes(&frames[frame][at..at + length]);
        at += length;
        let (mut shared, mut lengths, mut bytes) = (block.blob(), block.blob(), block.blob());
        let mut places = block.blob();
        let mut path = Vec::new();
        for row in 0..rows {
            path.truncate(shared.size());
            path.extend_from_slice(bytes.take(lengths.size()));
            let text = String::from_utf8(path.clone()).unwrap();
            assert!(row > 0 || text == first);
            out[0].1.push(Value::text(text));
            let class = &classes[held[places.size()]];
            for (column, value) in out[1..5].iter_mut().zip(class) {
                column.1.push(value.clone());
            }
        }
        for (number, column) in columns.iter().enumerate() {
            out[5 + number].1.extend(cells(block.blob(), column, rows));
        }
        assert!(block.0.is_empty());
    }
    out
}

/// What the project's own reader gives, in the same form.
fn expected(snapshot: &Snapshot, name: &str) -> Table {
    let schema = *COLLECTED.iter().find(|table| table.name == name).unwrap();
    let names = schema.columns.iter().map(|column| column.name.to_owned());
    let mut out: Table = names.map(|name| (name, Vec::new())).collect();
    let mut add = |row: Row<'_>| {
        for (column, cell) in out.iter_mut().zip(row.cells()) {
            column.1.push(cell.clone());
        }
        ControlFlow::Continue(())
    };
    if name == "files" {
        snapshot.scan_files(&|_| true, &mut add).unwrap();
    } else {
        snapshot.rows(schema).unwrap().iter().for_each(|row| {
            let _ = add(row);
        });
    }
    out
}

#[test]
fn a_reader_made_from_the_page_sees_the_same() {
    for path in samples() {
        let bytes = fs::read(&path).unwrap();
        let snapshot = Snapshot::from_bytes(bytes.clone()).unwrap();
        let sections = sections(&bytes);
        let mut rows = 0;
        for section in sections {
            assert_eq!(section.critical, section.name == "host");
            assert_eq!(section.frames.is_empty(), section.state > 1, "{}", section.name);
            if section.frames.is_empty() {
                continue;
            }
            let read = if section.name == "files" { files(&section) } else { table(&section) };
            for (name, wanted) in expected(&snapshot, &section.name) {
                // A column that came after the sample was written has no values in it.
                let none = vec![Value::Null; section.rows];
                let stored = read.iter().find(|column| column.0 == name);
                let read = stored.map_or(&none, |column| &column.1);
                assert!(*read == wanted, "{} {}.{name}", path.display(), section.name);
                assert_eq!(wanted.len(), section.rows);
            }
            rows += section.rows;
        }
        assert!(rows > 30, "{}: {rows}", path.display());
    }
}

#[test]
fn the_page_has_the_constants_of_the_code() {
    let page = page();
    let hex = |bytes: &[u8]| {
        let list: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("`{}`", list.join(" "))
    };
    for wanted in [
        format!("| magic | {} |", hex(&layout::MAGIC)),
        format!("| version of the frame | {} |", hex(&[layout::FORMAT_VERSION])),
        format!("the last {} bytes", layout::FOOTER_LEN),
        format!("{} |\n", hex(&layout::END_MAGIC)),
        format!("at most {} files", layout::BLOCK_FILES),
    ] {
        assert!(page.contains(&wanted), "{wanted}");
    }
    let limits = [
        ("MAX_SECTIONS", layout::MAX_SECTIONS as u64),
        ("MAX_TOC", layout::MAX_TOC as u64),
        ("MAX_NAME", layout::MAX_NAME as u64),
        ("MAX_REASON", layout::MAX_REASON as u64),
        ("MAX_FRAME", layout::MAX_FRAME as u64),
        ("MAX_TABLE", layout::MAX_TABLE as u64),
        ("MAX_CELLS", layout::MAX_CELLS as u64),
        ("MAX_COLUMNS", layout::MAX_COLUMNS as u64),
        ("MAX_FILE_TEXT", layout::MAX_FILE_TEXT as u64),
        ("MAX_FILES", layout::MAX_FILES),
        ("MAX_FILES_RAW", layout::MAX_FILES_RAW),
    ];
    for (name, value) in limits {
        assert!(page.contains(&format!("| `{name}` | {value} |")), "{name}");
    }
    let told = page.lines().filter(|line| line.starts_with("| `MAX_")).count();
    assert_eq!(told, limits.len());
}
