//! Files, one after the other, into frames of blocks. Keeps one block and one frame besides what
//! is finished.

use std::collections::BTreeMap;

use super::index::{BlockPlace, Index};
use super::{PLAIN, comes_after, plain_columns};
use crate::model::cell::Cell;
use crate::model::facts::FileClass;
use crate::model::table::File;
use crate::model::value::Value;
use crate::snapshot::bytes::{put_bytes, put_len};
use crate::snapshot::toc::Frame;
use crate::snapshot::writer::Packer;
use crate::snapshot::{SnapshotError, column, layout};

/// The block that is being filled.
#[derive(Default)]
struct Pending {
    first: Box<str>,
    shared: Vec<u8>,
    lens: Vec<u8>,
    bytes: Vec<u8>,
    classes: Vec<u32>,
    plain: [Vec<Value>; PLAIN.len()],
    text: usize,
}

/// Writes the `files` section.
#[derive(Default)]
pub(in crate::snapshot) struct FilesWriter {
    out: Vec<u8>,
    frames: Vec<Frame>,
    frame: Vec<u8>,
    in_frame: usize,
    pending: Pending,
    last: Vec<u8>,
    classes: BTreeMap<FileClass, u32>,
    index: Index,
    rows: u64,
    raw: u64,
}

impl FilesWriter {
    /// How many files were pushed.
    pub(in crate::snapshot) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a file.
    pub(in crate::snapshot) fn push(
        &mut self,
        file: File,
        packer: &mut Packer,
    ) -> Result<(), SnapshotError> {
        check(&file)?;
        let class = file.class();
        // Spelled out, so that a new column cannot be forgotten here.
        let File { path, kind: _, mode: _, uid: _, gid: _, size, mtime, link_target, capabilities } =
            file;
        let path = &*path.0;
        let common = self.last.iter().zip(path.as_bytes()).take_while(|(a, b)| a == b).count();
        let rest = path.as_bytes().get(common..).unwrap_or_default();
        if self.rows > 0 && !comes_after(&self.last, common, rest) {
            return Err(SnapshotError::FileOrder {
                path: path.into(),
                previous: String::from_utf8_lossy(&self.last).into_owned(),
            });
        }
        let block = &mut self.pending;
        // A block is decoded on its own, so its first path is whole.
        let shared = if block.classes.is_empty() { 0 } else { common };
        if block.classes.is_empty() {
            block.first = path.into();
        }
        let rest = path.as_bytes().get(shared..).unwrap_or_default();
        put_len(&mut block.shared, shared);
        put_len(&mut block.lens, rest.len());
        block.bytes.extend_from_slice(rest);
        let link = link_target.as_ref().map_or(0, |text| text.len());
        block.text += rest.len() + link + capabilities.as_ref().map_or(0, |text| text.len());
        let next = self.index.classes.len() as u32;
        let place = *self.classes.entry(class).or_insert(next);
        if place == next {
            self.index.classes.push(class);
        }
        block.classes.push(place);
        let cells = [
            size.into_value(),
            mtime.into_value(),
            link_target.into_value(),
            capabilities.into_value(),
        ];
        for (column, cell) in block.plain.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.last.truncate(common);
        self.last.extend_from_slice(path.as_bytes().get(common..).unwrap_or_default());
        self.rows += 1;
        if self.rows > layout::MAX_FILES {
            return Err(SnapshotError::TooLarge {
                what: "the number of files".into(),
                limit: layout::MAX_FILES,
            });
        }
        if block.classes.len() >= layout::BLOCK_FILES || block.text >= layout::BLOCK_TEXT {
            self.end_block(packer)?;
        }
        Ok(())
    }

    /// The stored bytes of the section and its frames.
    pub(in crate::snapshot) fn finish(
        mut self,
        packer: &mut Packer,
    ) -> Result<(Vec<u8>, Vec<Frame>), SnapshotError> {
        self.end_block(packer)?;
        self.end_frame(packer)?;
        let index = self.index.encode(&plain_columns().collect::<Vec<_>>());
        if index.len() > layout::MAX_FRAME {
            let what = "the index of the files (bytes)";
            return Err(SnapshotError::too_large(what, layout::MAX_FRAME));
        }
        self.frames.push(packer.pack(&index, &mut self.out)?);
        Ok((self.out, self.frames))
    }

    fn end_block(&mut self, packer: &mut Packer) -> Result<(), SnapshotError> {
        let block = std::mem::take(&mut self.pending);
        if block.classes.is_empty() {
            return Ok(());
        }
        let start = self.frame.len();
        put_bytes(&mut self.frame, &block.shared);
        put_bytes(&mut self.frame, &block.lens);
        put_bytes(&mut self.frame, &block.bytes);
        let mut held = block.classes.clone();
        held.sort_unstable();
        held.dedup();
        let mut places = Vec::new();
        for class in &block.classes {
            put_len(&mut places, held.binary_search(class).unwrap_or_default());
        }
        put_bytes(&mut self.frame, &places);
        for (column, cells) in plain_columns().zip(&block.plain) {
            column::encode(&mut self.frame, column, cells.iter());
        }
        self.index.blocks.push(BlockPlace {
            frame: self.frames.len(),
            at: start,
            len: self.frame.len() - start,
            rows: block.classes.len(),
            first: block.first,
            classes: held,
        });
        self.in_frame += 1;
        if self.in_frame >= layout::FRAME_BLOCKS || self.frame.len() >= layout::FRAME_TARGET {
            self.end_frame(packer)?;
        }
        Ok(())
    }

    fn end_frame(&mut self, packer: &mut Packer) -> Result<(), SnapshotError> {
        if self.in_frame == 0 {
            return Ok(());
        }
        self.raw += self.frame.len() as u64;
        if self.raw > layout::MAX_FILES_RAW {
            return Err(SnapshotError::TooLarge {
                what: "the files table (bytes)".into(),
                limit: layout::MAX_FILES_RAW,
            });
        }
        self.frames.push(packer.pack(&self.frame, &mut self.out)?);
        self.frame.clear();
        self.in_frame = 0;
        Ok(())
    }
}

/// What the reader would refuse is refused before it is written.
fn check(file: &File) -> Result<(), SnapshotError> {
    let path = &*file.path.0;
    let texts = [Some(path), file.link_target.as_deref(), file.capabilities.as_deref()];
    if texts.into_iter().flatten().any(|text| text.len() > layout::MAX_FILE_TEXT) {
        return Err(SnapshotError::too_large("a text of a file (bytes)", layout::MAX_FILE_TEXT));
    }
    let problem = if !path.starts_with('/') {
        "is not absolute"
    } else if path.contains('\0') {
        "holds a zero byte"
    } else if file.mode.0 > 0o7777 {
        "has a mode above 07777"
    } else {
        return Ok(());
    };
    Err(SnapshotError::InvalidRow { table: "files".into(), problem: format!("{path:?} {problem}") })
}
