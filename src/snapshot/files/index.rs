//! The index of the `files` section: the classes, and where each block is and what it holds.

use super::plain_columns;
use crate::model::facts::{FileClass, path_order};
use crate::model::schema::Column;
use crate::model::table::FileKind;
use crate::snapshot::bytes::{Cursor, Problem, put_bytes, put_len, put_varint};
use crate::snapshot::column::{self, Columns, Described, Unfit};
use crate::snapshot::layout;
use crate::snapshot::toc::Frame;

/// Where a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::snapshot) struct BlockPlace {
    /// Which frame of the section.
    pub(in crate::snapshot) frame: usize,
    /// Its first byte in the raw frame.
    pub(in crate::snapshot) at: usize,
    /// Its bytes.
    pub(in crate::snapshot) len: usize,
    /// Its files.
    pub(in crate::snapshot) rows: usize,
    /// The path of its first file.
    pub(in crate::snapshot) first: Box<str>,
    /// The classes of its files, ascending places in [`Index::classes`].
    pub(in crate::snapshot) classes: Vec<u32>,
}

/// The index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::snapshot) struct Index {
    /// In the order in which the files first have them.
    pub(in crate::snapshot) classes: Vec<FileClass>,
    /// In path order.
    pub(in crate::snapshot) blocks: Vec<BlockPlace>,
    /// The columns in each block, and where each of [`plain_columns`] is among them.
    pub(in crate::snapshot) stored: Vec<Described>,
    pub(in crate::snapshot) wanted: Vec<Option<usize>>,
}

impl Index {
    /// The bytes, for blocks with these columns.
    pub(super) fn encode(&self, columns: &[&Column]) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, columns.len());
        columns.iter().for_each(|column| column::describe(&mut out, column));
        put_len(&mut out, self.classes.len());
        for class in &self.classes {
            let kind = FileKind::ALL.iter().position(|kind| *kind == class.kind);
            out.push(kind.unwrap_or(FileKind::ALL.len()) as u8);
            for number in [class.mode, class.uid, class.gid] {
                put_varint(&mut out, u64::from(number));
            }
        }
        put_len(&mut out, self.blocks.len());
        let mut frame = 0;
        for block in &self.blocks {
            put_len(&mut out, block.frame - frame);
            frame = block.frame;
            put_len(&mut out, block.len);
            put_len(&mut out, block.rows);
            put_bytes(&mut out, block.first.as_bytes());
            put_len(&mut out, block.classes.len());
            let mut next = 0;
            for class in &block.classes {
                put_varint(&mut out, u64::from(class - next));
                next = class + 1;
            }
        }
        out
    }

    /// Reads the index of a section of `rows` files in these frames, the index itself left out.
    pub(in crate::snapshot) fn decode(
        raw: &[u8],
        frames: &[Frame],
        rows: u64,
    ) -> Result<Self, Unfit> {
        let mut cursor = Cursor::new(raw);
        let plain: Vec<&'static Column> = plain_columns().collect();
        let Columns { stored, wanted } = Columns::decode(&mut cursor, &plain)?;
        let mut index = Self { classes: Vec::new(), blocks: Vec::new(), stored, wanted };
        // A class takes at least 4 bytes, a block 6.
        for _ in 0..cursor.len(cursor.left() / 4, "the count of classes")? {
            index.classes.push(class(&mut cursor)?);
        }
        let count = cursor.len(cursor.left() / 6, "the count of blocks")?;
        let mut total = 0;
        for _ in 0..count {
            let block = place(&mut cursor, &index, frames)?;
            total += block.rows as u64;
            index.blocks.push(block);
        }
        cursor.end()?;
        match index.blocks.last() {
            Some(last) => {
                let used = last.at + last.len;
                if last.frame + 1 != frames.len() || frames.last().map(|f| f.raw) != Some(used) {
                    return Err(Unfit::Bad("bytes belong to no block".into()));
                }
            }
            None if !frames.is_empty() => return Err(Unfit::Bad("a frame has no block".into())),
            None => {}
        }
        if total != rows {
            return Err(Unfit::Bad(format!("its blocks have {total} files, not {rows}")));
        }
        Ok(index)
    }

    /// The block that holds a path, if any does.
    pub(in crate::snapshot) fn block_of(&self, path: &str) -> Option<usize> {
        self.blocks.partition_point(|block| path_order(&block.first, path).is_le()).checked_sub(1)
    }
}

fn class(cursor: &mut Cursor<'_>) -> Result<FileClass, Problem> {
    let kind = usize::from(cursor.u8()?);
    let kind = *FileKind::ALL.get(kind).ok_or_else(|| format!("{kind} is not a kind of file"))?;
    let mut number = || -> Result<u32, Problem> {
        u32::try_from(cursor.varint()?).map_err(|_| "a number of a class is too large".into())
    };
    let (mode, uid, gid) = (number()?, number()?, number()?);
    if mode > 0o7777 {
        return Err(format!("{mode:o} is not a mode"));
    }
    Ok(FileClass { kind, mode, uid, gid })
}

/// The next block: right behind the one before it, or at the start of the next frame.
fn place(cursor: &mut Cursor<'_>, index: &Index, frames: &[Frame]) -> Result<BlockPlace, Problem> {
    let raw = |frame: usize| frames.get(frame).map_or(0, |frame| frame.raw);
    let step = cursor.len(1, "a step between frames")?;
    let (frame, at) = match (index.blocks.last(), step) {
        (None, 0) => (0, 0),
        (Some(last), 0) => (last.frame, last.at + last.len),
        (Some(last), _) if last.at + last.len == raw(last.frame) => (last.frame + 1, 0),
        _ => return Err("a frame begins before the last one ends".into()),
    };
    let len = cursor.len(raw(frame).saturating_sub(at), "the length of a block")?;
    let rows = cursor.len(layout::BLOCK_FILES, "the files of a block")?;
    let first = cursor.text(layout::MAX_FILE_TEXT)?;
    if rows == 0 || !first.starts_with('/') || first.contains('\0') {
        return Err("a block has no files or a bad first path".into());
    }
    if index.blocks.last().is_some_and(|last| !path_order(&last.first, first).is_lt()) {
        return Err("the blocks are not in path order".into());
    }
    let held = cursor.len(rows, "the classes of a block")?;
    let mut classes = Vec::with_capacity(held);
    let mut next = 0;
    for _ in 0..held {
        let class = cursor.len(index.classes.len(), "a class")? + next;
        if class >= index.classes.len() {
            return Err(format!("there is no class {class}"));
        }
        classes.push(class as u32);
        next = class + 1;
    }
    Ok(BlockPlace { frame, at, len, rows, first: first.into(), classes })
}
