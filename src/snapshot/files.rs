//! The `files` table: blocks of paths in path order, front-coded, with the inode classes
//! `(kind, mode, uid, gid)` as a dictionary, so that permission rules open few blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bytes::{Cursor, put_bytes, put_int, put_uint};
use super::{SnapshotError, layout};
use crate::model::cell::{AbsPath, Mode, Time};
use crate::model::facts::FileClass;
use crate::model::table::{File, FileKind};

type Result<T> = std::result::Result<T, SnapshotError>;

/// Where one block is, and which classes it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) first_path: Box<str>,
    pub(super) frame: usize,
    /// Byte range in the raw frame.
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) rows: usize,
    /// One bit a class of the dictionary.
    pub(super) classes: Vec<u8>,
}

/// One compressed run of blocks: byte range in the stored section, and raw length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) start: usize,
    pub(super) stored: usize,
    pub(super) raw: u64,
}

/// The `files.index` section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) classes: Vec<FileClass>,
    pub(super) frames: Vec<Frame>,
    pub(super) blocks: Vec<Block>,
}

impl Block {
    /// Whether the block holds a file of this class.
    pub(super) fn has(&self, class: usize) -> bool {
        self.classes.get(class / 8).is_some_and(|byte| byte & (1 << (class % 8)) != 0)
    }
}

fn kind_code(kind: FileKind) -> u8 {
    match kind {
        FileKind::File => 0,
        FileKind::Directory => 1,
        FileKind::Link => 2,
        FileKind::Block => 3,
        FileKind::Char => 4,
        FileKind::Fifo => 5,
        FileKind::Socket => 6,
    }
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_uint(&mut out, self.classes.len() as u64);
        for class in &self.classes {
            out.push(kind_code(class.kind));
            for number in [class.mode, class.uid, class.gid] {
                put_uint(&mut out, u64::from(number));
            }
        }
        put_uint(&mut out, self.frames.len() as u64);
        for frame in &self.frames {
            put_uint(&mut out, frame.stored as u64);
            put_uint(&mut out, frame.raw);
        }
        put_uint(&mut out, self.blocks.len() as u64);
        for block in &self.blocks {
            put_bytes(&mut out, block.first_path.as_bytes());
            for number in [block.frame, block.length, block.rows] {
                put_uint(&mut out, number as u64);
            }
            put_bytes(&mut out, &block.classes);
        }
        out
    }

    pub(super) fn decode(raw: &[u8], stored_length: usize) -> Result<Self> {
        let malformed = |what: &str| SnapshotError::malformed(format!("{what} in files.index"));
        let mut cursor = Cursor::new(raw);
        let mut classes = Vec::new();
        for _ in 0..cursor.count(4)? {
            let kind = cursor.byte()?;
            let kind = FileKind::ALL.into_iter().find(|other| kind_code(*other) == kind);
            let mut number = || u32::try_from(cursor.uint()?).map_err(|_| malformed("a class"));
            let (mode, uid, gid) = (number()?, number()?, number()?);
            let kind = kind.filter(|_| mode <= 0o7777).ok_or_else(|| malformed("a class"))?;
            classes.push(FileClass { kind, mode, uid, gid });
        }
        let mut frames: Vec<Frame> = Vec::new();
        let mut start = 0usize;
        for _ in 0..cursor.count(2)? {
            let stored = usize::try_from(cursor.uint()?).map_err(|_| malformed("a frame"))?;
            let raw = cursor.uint()?;
            let end = start.checked_add(stored).filter(|end| *end <= stored_length);
            let end = end.ok_or_else(|| malformed("a frame"))?;
            if raw > layout::FRAME_LIMIT {
                return Err(SnapshotError::TooLarge("a frame of files".into()));
            }
            frames.push(Frame { start, stored, raw });
            start = end;
        }
        if start != stored_length {
            return Err(malformed("the length of all frames"));
        }
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..cursor.count(5)? {
            let first_path: Box<str> = cursor.text()?.into();
            let mut number = || usize::try_from(cursor.uint()?).map_err(|_| malformed("a block"));
            let (frame, length, rows) = (number()?, number()?, number()?);
            let classes = cursor.bytes()?.to_vec();
            let previous = blocks.last();
            let start = match previous {
                Some(last) if last.frame == frame => last.start + last.length,
                Some(last) if frame == last.frame + 1 => 0,
                None if frame == 0 => 0,
                _ => return Err(malformed("the order of blocks")),
            };
            let raw = frames.get(frame).map_or(0, |frame| frame.raw);
            let fits = start.checked_add(length).is_some_and(|end| end as u64 <= raw);
            if !fits || rows == 0 || rows > layout::BLOCK_FILES || length < rows {
                return Err(malformed("a block"));
            }
            if previous.is_some_and(|last| !in_order(&last.first_path, &first_path)) {
                return Err(malformed("the order of paths"));
            }
            blocks.push(Block { first_path, frame, start, length, rows, classes });
        }
        if !cursor.is_empty() {
            return Err(malformed("more bytes than blocks"));
        }
        Ok(Self { classes, frames, blocks })
    }
}

/// Whether `b` comes after `a` in path order.
pub(super) fn in_order(a: &str, b: &str) -> bool {
    crate::model::facts::path_order(a, b).is_lt()
}

/// Encodes a block, and gives its class bitmap. New classes are added to the dictionary.
pub(super) fn encode_block(
    files: &[File],
    classes: &mut BTreeMap<FileClass, usize>,
) -> (Vec<u8>, Vec<u8>) {
    let mut out = Vec::with_capacity(files.len() * 24);
    let mut bitmap = Vec::new();
    let mut previous: &str = "";
    for file in files {
        let path: &str = &file.path.0;
        let shared = previous.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        put_uint(&mut out, shared as u64);
        put_bytes(&mut out, &path.as_bytes()[shared..]);
        previous = path;
    }
    for file in files {
        let next = classes.len();
        let class = *classes.entry(file.class()).or_insert(next);
        if bitmap.len() <= class / 8 {
            bitmap.resize(class / 8 + 1, 0u8);
        }
        bitmap[class / 8] |= 1 << (class % 8);
        put_uint(&mut out, class as u64);
    }
    for file in files {
        put_int(&mut out, file.size);
    }
    let mut previous = 0i64;
    for file in files {
        put_int(&mut out, file.mtime.0.wrapping_sub(previous));
        previous = file.mtime.0;
    }
    for text in [|file: &File| file.link_target.clone(), |file: &File| file.capabilities.clone()] {
        for (index, text) in files.iter().enumerate().filter_map(|(i, f)| Some((i, text(f)?))) {
            put_uint(&mut out, index as u64 + 1);
            put_bytes(&mut out, text.as_bytes());
        }
        put_uint(&mut out, 0);
    }
    (out, bitmap)
}

/// Decodes the files of a block whose class `keep` wants (by dictionary position).
pub(super) fn decode_block(
    raw: &[u8],
    block: &Block,
    classes: &[FileClass],
    keep: &dyn Fn(usize) -> bool,
) -> Result<Vec<File>> {
    let malformed = || SnapshotError::malformed("a block of files");
    let mut cursor = Cursor::new(raw);
    let rows = block.rows;
    // First pass over the paths finds where they end; texts are made only for the files wanted.
    let mut spans = Vec::with_capacity(rows);
    for _ in 0..rows {
        let shared = usize::try_from(cursor.uint()?).map_err(|_| malformed())?;
        spans.push((shared, cursor.bytes()?));
    }
    let mut class = Vec::with_capacity(rows);
    for _ in 0..rows {
        let index = usize::try_from(cursor.uint()?).map_err(|_| malformed())?;
        if index >= classes.len() || !block.has(index) {
            return Err(malformed());
        }
        class.push(index);
    }
    let sizes = (0..rows).map(|_| cursor.int()).collect::<Result<Vec<_>>>()?;
    let mut time = 0i64;
    let mut times = Vec::with_capacity(rows);
    for _ in 0..rows {
        time = time.wrapping_add(cursor.int()?);
        times.push(time);
    }
    let links = sparse(&mut cursor, rows)?;
    let capabilities = sparse(&mut cursor, rows)?;
    if !cursor.is_empty() {
        return Err(malformed());
    }
    let mut files = Vec::new();
    let mut path: Vec<u8> = Vec::new();
    for (row, (shared, suffix)) in spans.into_iter().enumerate() {
        if shared > path.len() || shared + suffix.len() > layout::PATH_LIMIT {
            return Err(malformed());
        }
        path.truncate(shared);
        path.extend_from_slice(suffix);
        if row == 0 && path != block.first_path.as_bytes() {
            return Err(malformed());
        }
        if !keep(class[row]) {
            continue;
        }
        let FileClass { kind, mode, uid, gid } = classes[class[row]];
        files.push(File {
            path: AbsPath(std::str::from_utf8(&path).map_err(|_| malformed())?.into()),
            kind,
            mode: Mode(mode),
            uid,
            gid,
            size: sizes[row],
            mtime: Time(times[row]),
            link_target: links.get(&row).cloned(),
            capabilities: capabilities.get(&row).cloned(),
        });
    }
    Ok(files)
}

fn sparse(cursor: &mut Cursor<'_>, rows: usize) -> Result<BTreeMap<usize, Arc<str>>> {
    let mut texts = BTreeMap::new();
    loop {
        let index = usize::try_from(cursor.uint()?).unwrap_or(usize::MAX);
        if index == 0 {
            return Ok(texts);
        }
        if index > rows || texts.insert(index - 1, Arc::from(cursor.text()?)).is_some() {
            return Err(SnapshotError::malformed("a block of files"));
        }
    }
}
