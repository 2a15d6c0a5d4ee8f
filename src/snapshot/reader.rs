//! An opened snapshot. The table of contents is checked when it is opened; each frame when it is
//! first read.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::files::{Block, Index, Want};
use super::source::Source;
use super::table::unfit_in;
use super::toc::{Entry, Frame, Toc};
use super::{SnapshotError, layout, table};
use crate::model::cell::Fact;
use crate::model::facts::{Row, Rows};
use crate::model::recent::Recent;
use crate::model::schema::TableSchema;
use crate::model::table::{COLLECTED, File};

pub(super) type Result<T> = std::result::Result<T, SnapshotError>;

/// An opened snapshot. Reads only what it is asked for, and keeps no decoded table.
#[derive(Debug)]
pub struct Snapshot {
    source: Source,
    toc: Toc,
    id: [u8; layout::HASH_LEN],
    index: OnceLock<Result<Arc<Index>>>,
    frames: Recent<usize, Vec<u8>>,
    blocks: Recent<usize, Block>,
}

impl Snapshot {
    /// Opens a file. It stays open, and sections are read when they are needed.
    ///
    /// # Errors
    /// The file cannot be read, is not a snapshot, or its table of contents is not sound.
    pub fn open(path: &Path) -> Result<Self> {
        Self::of(Source::open(path)?)
    }

    /// Opens a snapshot that is in memory.
    ///
    /// # Errors
    /// The bytes are not a snapshot, or the table of contents is not sound.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::of(Source::Memory(bytes))
    }

    fn of(source: Source) -> Result<Self> {
        let (toc, id) = source.contents()?;
        for entry in toc.entries.iter().filter(|entry| entry.is_critical()) {
            if !COLLECTED.iter().any(|table| table.name == &*entry.name) {
                return Err(SnapshotError::UnknownCritical(entry.name.to_string()));
            }
            too_new(entry)?;
        }
        let index = OnceLock::new();
        Ok(Self { source, toc, id, index, frames: Recent::default(), blocks: Recent::default() })
    }

    /// The snapshot's id: the BLAKE3 of its table of contents, in hexadecimal.
    pub fn id(&self) -> String {
        blake3::Hash::from_bytes(self.id).to_hex().to_string()
    }

    /// The size of the container in bytes.
    pub fn size(&self) -> u64 {
        self.source.len()
    }

    /// The table of contents.
    pub fn toc(&self) -> &Toc {
        &self.toc
    }

    /// The BLAKE3 of what a section says: its state, its row count and its frames. Equal hashes
    /// mean equal answers. None where there is no such section.
    pub fn section_hash(&self, table: &str) -> Option<[u8; layout::HASH_LEN]> {
        self.entry(table).map(Entry::hash)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.toc.entries.iter().find(|entry| &*entry.name == name)
    }

    /// The rows of a small table.
    pub(super) fn decode(&self, schema: &'static TableSchema) -> Result<Rows> {
        match self.entry(schema.name) {
            Some(entry) if !entry.frames.is_empty() => {
                too_new(entry)?;
                table::decode(&self.raw(entry)?, schema, entry.rows)
            }
            Some(entry) if entry.rows > 0 => {
                Err(SnapshotError::section(schema.name, "it has rows and no bytes"))
            }
            _ => Ok(Rows::new(schema)),
        }
    }

    /// The raw bytes of a whole section.
    fn raw(&self, entry: &Entry) -> Result<Vec<u8>> {
        if entry.raw() > layout::MAX_TABLE as u64 {
            let what = format!("section {:?} (bytes)", entry.name);
            return Err(SnapshotError::too_large(what, layout::MAX_TABLE));
        }
        let mut raw = Vec::new();
        self.each_frame(entry, &mut |frame, at| self.source.frame(entry, frame, at, &mut raw))?;
        Ok(raw)
    }

    /// Compares every frame of a section with its hash.
    pub(super) fn check_frames(&self, entry: &Entry) -> Result<()> {
        self.each_frame(entry, &mut |frame, at| self.source.stored(entry, frame, at).map(drop))
    }

    /// Calls with each frame of a section and its place.
    fn each_frame(
        &self,
        entry: &Entry,
        each: &mut dyn FnMut(&Frame, u64) -> Result<()>,
    ) -> Result<()> {
        let mut at = self.start(entry);
        for frame in &entry.frames {
            each(frame, at)?;
            at += frame.stored as u64;
        }
        Ok(())
    }

    /// Where a section begins: behind those before it in the table of contents.
    fn start(&self, entry: &Entry) -> u64 {
        let before = self.toc.entries.iter().take_while(|other| other.name != entry.name);
        layout::HEADER_LEN as u64 + before.map(Entry::stored).sum::<u64>()
    }

    fn read_frame(&self, entry: &Entry, number: usize) -> Result<Vec<u8>> {
        let missing = || SnapshotError::section(&entry.name, "a frame is missing");
        let (before, rest) = entry.frames.split_at_checked(number).ok_or_else(missing)?;
        let frame = rest.first().ok_or_else(missing)?;
        let at = self.start(entry) + before.iter().map(|frame| frame.stored as u64).sum::<u64>();
        let mut raw = Vec::new();
        self.source.frame(entry, frame, at, &mut raw)?;
        Ok(raw)
    }

    /// The index of the files; none where there is no `files` section with rows.
    pub(super) fn index(&self) -> Result<Option<(&Entry, Arc<Index>)>> {
        let Some(entry) = self.entry(File::TABLE.name) else { return Ok(None) };
        let Some((_, blocks)) = entry.frames.split_last() else {
            return match entry.rows {
                0 => Ok(None),
                _ => Err(SnapshotError::section(&entry.name, "it has rows and no bytes")),
            };
        };
        let read = || {
            too_new(entry)?;
            if entry.raw() > layout::MAX_FILES_RAW || entry.rows > layout::MAX_FILES {
                let limit = layout::MAX_FILES_RAW;
                return Err(SnapshotError::TooLarge { what: "the files table".into(), limit });
            }
            let raw = self.read_frame(entry, blocks.len())?;
            Index::decode(&raw, blocks, entry.rows)
                .map(Arc::new)
                .map_err(|unfit| unfit_in(File::TABLE.name, unfit))
        };
        Ok(Some((entry, self.index.get_or_init(read).clone()?)))
    }

    /// Shows the wanted files of one block.
    pub(super) fn visit_block(
        &self,
        number: usize,
        want: Want<'_>,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let Some((entry, index)) = self.index()? else { return Ok(ControlFlow::Continue(())) };
        let bad = |problem| SnapshotError::section(File::TABLE.name, problem);
        self.block(entry, &index, number)?.visit(&index, want, visit).map_err(bad)
    }

    /// A block, kept for the next question about its files.
    fn block(&self, entry: &Entry, index: &Index, number: usize) -> Result<Arc<Block>> {
        if let Some(block) = self.blocks.get(&number) {
            return Ok(block);
        }
        let missing = || SnapshotError::section(&entry.name, "a block is missing");
        let in_frame = index.blocks.get(number).ok_or_else(missing)?.frame;
        let frame = match self.frames.get(&in_frame) {
            Some(frame) => frame,
            None => {
                let raw = self.read_frame(entry, in_frame)?;
                let len = raw.len();
                self.frames.put(in_frame, raw, len, layout::CACHE_BYTES / 8)
            }
        };
        let block = Block::decode(index, number, &frame)
            .map_err(|problem| SnapshotError::section(File::TABLE.name, problem))?;
        let weight = block.weight();
        Ok(self.blocks.put(number, block, weight, layout::CACHE_BYTES))
    }
}

/// Whether a section was written with a later meaning of its columns.
pub(super) fn too_new(entry: &Entry) -> Result<()> {
    if entry.schema_version <= layout::SCHEMA_VERSION {
        return Ok(());
    }
    Err(SnapshotError::NewerFormat {
        what: format!("section {:?}", entry.name),
        found: entry.schema_version,
        known: layout::SCHEMA_VERSION,
    })
}
