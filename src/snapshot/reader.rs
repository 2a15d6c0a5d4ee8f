//! An opened snapshot. The table of contents is checked when it is opened; each frame when it is
//! first read.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::files::{Block, Index, Want};
use super::source::Source;
use super::table::unfit_in;
use super::toc::{Entry, Frame, Toc};
use super::{SnapshotError, layout, table};
use crate::model::cell::Fact;
use crate::model::facts::{Row, Rows};
use crate::model::schema::TableSchema;
use crate::model::table::{COLLECTED, File};

pub(super) type Result<T> = std::result::Result<T, SnapshotError>;

/// Raw frames, the last used at the end.
type Cache = VecDeque<(usize, Arc<Vec<u8>>)>;

/// An opened snapshot. Reads only what it is asked for, and keeps no decoded table.
#[derive(Debug)]
pub struct Snapshot {
    source: Source,
    toc: Toc,
    id: [u8; layout::HASH_LEN],
    index: OnceLock<Result<Arc<Index>>>,
    frames: Mutex<Cache>,
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
        let (index, frames) = (OnceLock::new(), Mutex::new(VecDeque::new()));
        Ok(Self { source, toc, id, index, frames })
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

    /// A raw frame of files, kept for the next block that is in it.
    fn cached_frame(&self, entry: &Entry, number: usize) -> Result<Arc<Vec<u8>>> {
        let mut cache = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = cache.iter().position(|(cached, _)| *cached == number)
            && let Some((_, raw)) = cache.remove(at)
        {
            cache.push_back((number, Arc::clone(&raw)));
            return Ok(raw);
        }
        drop(cache);
        let raw = Arc::new(self.read_frame(entry, number)?);
        let mut cache = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push_back((number, Arc::clone(&raw)));
        let bytes = |cache: &Cache| cache.iter().map(|(_, raw)| raw.len()).sum::<usize>();
        while bytes(&cache) > layout::CACHE_BYTES && cache.len() > 1 {
            cache.pop_front();
        }
        Ok(raw)
    }

    /// The place in its block of the file with this path.
    pub(super) fn find_file(&self, path: &str) -> Result<Option<(usize, usize)>> {
        let Some((entry, index)) = self.index()? else { return Ok(None) };
        let Some(number) = index.block_of(path) else { return Ok(None) };
        let frame = self.frame_of(entry, &index, number)?;
        let row = Block::new(&index, number, &frame).and_then(|block| block.find(path));
        let row = row.map_err(|problem| SnapshotError::section(File::TABLE.name, problem))?;
        Ok(row.map(|row| (number, row)))
    }

    /// Shows the wanted files of one block.
    pub(super) fn visit_block(
        &self,
        number: usize,
        want: Want<'_>,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let Some((entry, index)) = self.index()? else { return Ok(ControlFlow::Continue(())) };
        let frame = self.frame_of(entry, &index, number)?;
        Block::new(&index, number, &frame)
            .and_then(|block| block.visit(want, visit))
            .map_err(|problem| SnapshotError::section(File::TABLE.name, problem))
    }

    fn frame_of(&self, entry: &Entry, index: &Index, number: usize) -> Result<Arc<Vec<u8>>> {
        let missing = || SnapshotError::section(&entry.name, "a block is missing");
        self.cached_frame(entry, index.blocks.get(number).ok_or_else(missing)?.frame)
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
