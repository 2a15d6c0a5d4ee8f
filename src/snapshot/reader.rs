//! An opened snapshot. The table of contents is checked when it is opened; each section when it
//! is first read.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::files::{self, Block, Index};
use super::toc::{self, Entry};
use super::{SnapshotError, bytes, layout, table};
use crate::model::cell::Fact;
use crate::model::facts::{FactSource, FileClass, Row, Rows, is_under, path_order};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{COLLECTED, File};

type Result<T> = std::result::Result<T, SnapshotError>;

/// How many raw frames of files are kept.
const CACHED_FRAMES: usize = 4;

/// What the table of contents says of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The table's name, or a name this version does not know.
    pub name: Arc<str>,
    /// How far the table can be trusted.
    pub state: TableState,
    /// How many rows.
    pub rows: u64,
    /// Version of the encoding.
    pub schema_version: u64,
    /// Whether a reader must know it.
    pub critical: bool,
    /// Bytes in the file.
    pub stored: u64,
    /// Bytes when decompressed.
    pub raw: u64,
    /// BLAKE3 of the stored bytes, in hexadecimal.
    pub hash: String,
}

/// An opened snapshot.
#[derive(Debug)]
pub struct Snapshot {
    bytes: Vec<u8>,
    id: [u8; 32],
    entries: Vec<Entry>,
    index: OnceLock<std::result::Result<Arc<Index>, FactError>>,
    frames: Mutex<VecDeque<(usize, Arc<Vec<u8>>)>>,
}

impl Snapshot {
    /// Opens a file. It is read into memory (a snapshot is small: about 12 bytes a file of the
    /// host), so that nobody can change it while it is judged.
    ///
    /// # Errors
    /// The file cannot be read, or is not a sound snapshot.
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        if length > layout::LIMIT {
            return Err(SnapshotError::TooLarge("the file".into()));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(layout::LIMIT + 1).read_to_end(&mut bytes)?;
        Self::from_bytes(bytes)
    }

    /// Opens a snapshot that is already in memory.
    ///
    /// # Errors
    /// It is not a sound snapshot.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() as u64 > layout::LIMIT {
            return Err(SnapshotError::TooLarge("the file".into()));
        }
        let version = layout::MAGIC.len() - 1;
        match bytes.get(..layout::MAGIC.len()) {
            Some(magic) if magic == layout::MAGIC => {}
            Some(magic) if magic[..version] == layout::MAGIC[..version] => {
                return Err(SnapshotError::Newer(format!("format version {}", magic[version])));
            }
            None if !bytes.is_empty() && layout::MAGIC.starts_with(&bytes) => {
                return Err(SnapshotError::Truncated("not even the magic is whole"));
            }
            _ => return Err(SnapshotError::NotASnapshot),
        }
        let footer_at = bytes
            .len()
            .checked_sub(layout::FOOTER)
            .filter(|at| *at >= layout::MAGIC.len())
            .ok_or(SnapshotError::Truncated("there is no footer"))?;
        let mut footer = bytes::Cursor::new(&bytes[footer_at..]);
        let offset = u64::from_le_bytes(footer.fixed()?);
        let length = u64::from_le_bytes(footer.fixed()?);
        let id: [u8; 32] = footer.fixed()?;
        if footer.fixed()? != layout::END {
            return Err(SnapshotError::Truncated("the footer is missing"));
        }
        if offset.checked_add(length) != Some(footer_at as u64) {
            return Err(SnapshotError::malformed("the place of the table of contents"));
        }
        let toc_at = usize::try_from(offset).map_err(|_| SnapshotError::NotASnapshot)?;
        let toc = &bytes[toc_at..footer_at];
        if *blake3::hash(toc).as_bytes() != id {
            return Err(SnapshotError::Damaged("the table of contents".into()));
        }
        let entries = toc::decode(toc, offset)?;
        for entry in entries.iter().filter(|entry| entry.is_critical()) {
            let known = COLLECTED.iter().any(|table| table.name == &*entry.name);
            if !known || entry.schema_version > layout::SCHEMA_VERSION {
                return Err(SnapshotError::Newer(format!("section {}", entry.name)));
            }
        }
        Ok(Self { bytes, id, entries, index: OnceLock::new(), frames: Mutex::new(VecDeque::new()) })
    }

    /// The snapshot's id: the BLAKE3 of its table of contents, in hexadecimal.
    pub fn id(&self) -> String {
        blake3::Hash::from_bytes(self.id).to_hex().to_string()
    }

    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The sections in the order of the file.
    pub fn info(&self) -> Vec<Section> {
        self.entries
            .iter()
            .map(|entry| Section {
                name: Arc::clone(&entry.name),
                state: entry.state.clone(),
                rows: entry.rows,
                schema_version: entry.schema_version,
                critical: entry.is_critical(),
                stored: entry.stored,
                raw: entry.raw,
                hash: blake3::Hash::from_bytes(entry.hash).to_hex().to_string(),
            })
            .collect()
    }

    /// The BLAKE3 of a table's stored bytes: equal hashes mean equal rows.
    pub fn section_hash(&self, table: &str) -> Option<[u8; 32]> {
        self.entry(table).map(|entry| entry.hash)
    }

    /// Reads every section to the end.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<()> {
        for entry in &self.entries {
            self.checked(entry)?;
        }
        for table in COLLECTED.iter().filter(|table| table.name != File::TABLE.name) {
            self.decode(table)?;
        }
        let Some(index) = self.files_index()? else { return Ok(()) };
        let mut rows = 0;
        let mut last: Option<Arc<str>> = None;
        for block in &index.blocks {
            for file in self.block(&index, block, &|_| true)? {
                if last.as_ref().is_some_and(|last| !files::in_order(last, &file.path.0)) {
                    return Err(SnapshotError::malformed("the order of paths"));
                }
                last = Some(file.path.0);
                rows += 1;
            }
        }
        if self.entry(layout::FILES).is_some_and(|entry| entry.rows != rows) {
            return Err(SnapshotError::malformed("the row count of files"));
        }
        Ok(())
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name)
    }

    /// The stored bytes of a section, their checksum verified.
    fn checked(&self, entry: &Entry) -> Result<&[u8]> {
        let stored = self.stored(entry)?;
        if *blake3::hash(stored).as_bytes() != entry.hash {
            return Err(SnapshotError::Damaged(format!("section {}", entry.name)));
        }
        Ok(stored)
    }

    fn stored(&self, entry: &Entry) -> Result<&[u8]> {
        let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(entry.stored).unwrap_or(usize::MAX));
        self.bytes
            .get(start..end)
            .ok_or_else(|| SnapshotError::malformed(format!("the place of {}", entry.name)))
    }

    fn raw(&self, entry: &Entry) -> Result<Vec<u8>> {
        let stored = self.checked(entry)?;
        if entry.flags & layout::ZSTD != 0 {
            return bytes::decompress(stored, entry.raw, &entry.name);
        }
        if entry.raw != entry.stored {
            return Err(SnapshotError::malformed(format!("the length of {}", entry.name)));
        }
        Ok(stored.to_vec())
    }

    fn decode(&self, schema: &'static TableSchema) -> Result<Rows> {
        match self.entry(schema.name) {
            Some(entry) if entry.schema_version <= layout::SCHEMA_VERSION => {
                table::decode(&self.raw(entry)?, schema, entry.rows)
            }
            _ => Ok(Rows::new(schema)),
        }
    }

    fn files_index(&self) -> std::result::Result<Option<Arc<Index>>, FactError> {
        let (Some(index), Some(files)) =
            (self.entry(layout::FILES_INDEX), self.entry(layout::FILES))
        else {
            return Ok(None);
        };
        let read = || -> Result<Arc<Index>> {
            let stored = self.checked(files)?;
            Ok(Arc::new(Index::decode(&self.raw(index)?, stored.len())?))
        };
        self.index.get_or_init(|| read().map_err(FactError::from)).clone().map(Some)
    }

    /// The files of a block whose class `keep` wants.
    fn block(
        &self,
        index: &Index,
        block: &Block,
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<File>> {
        let frame = self.frame(index, block.frame)?;
        let range = block.start..block.start + block.length;
        let raw = frame.get(range).ok_or_else(|| SnapshotError::malformed("a block of files"))?;
        files::decode_block(raw, block, &index.classes, keep)
    }

    fn frame(&self, index: &Index, number: usize) -> Result<Arc<Vec<u8>>> {
        let mut cached = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, raw)) = cached.iter().find(|(at, _)| *at == number) {
            return Ok(Arc::clone(raw));
        }
        let malformed = || SnapshotError::malformed("a frame of files");
        let frame = index.frames.get(number).ok_or_else(malformed)?;
        let entry = self.entry(layout::FILES).ok_or_else(malformed)?;
        let end = frame.start + frame.stored;
        let stored = self.stored(entry)?.get(frame.start..end).ok_or_else(malformed)?;
        let raw = Arc::new(if entry.flags & layout::ZSTD != 0 {
            bytes::decompress(stored, frame.raw, layout::FILES)?
        } else {
            stored.to_vec()
        });
        if cached.len() == CACHED_FRAMES {
            cached.pop_front();
        }
        cached.push_back((number, Arc::clone(&raw)));
        Ok(raw)
    }

    /// The position of the block that would hold a path.
    fn block_of(index: &Index, path: &str) -> usize {
        index
            .blocks
            .partition_point(|block| path_order(&block.first_path, path).is_le())
            .saturating_sub(1)
    }
}

/// From a table's place in an error: damaged bytes seen by a [`FactSource`] method.
impl From<FactError> for SnapshotError {
    fn from(error: FactError) -> Self {
        Self::Malformed(error.message)
    }
}

impl FactSource for Snapshot {
    fn state(&self, table: &TableSchema) -> TableState {
        match self.entry(table.name) {
            Some(entry) if entry.schema_version > layout::SCHEMA_VERSION => TableState::absent(
                format!("section {} was written by a newer version of assay", table.name),
            ),
            Some(entry) => entry.state.clone(),
            None => TableState::absent(format!("the snapshot has no {} table", table.name)),
        }
    }

    fn rows(&self, table: &'static TableSchema) -> std::result::Result<Arc<Rows>, FactError> {
        Ok(Arc::new(self.decode(table)?))
    }

    fn file(&self, path: &str) -> std::result::Result<Option<File>, FactError> {
        let Some(index) = self.files_index()? else { return Ok(None) };
        let Some(block) = index.blocks.get(Self::block_of(&index, path)) else { return Ok(None) };
        let files = self.block(&index, block, &|_| true)?;
        Ok(files
            .binary_search_by(|file| path_order(&file.path.0, path))
            .ok()
            .and_then(|at| files.into_iter().nth(at)))
    }

    fn scan_files(
        &self,
        keep: &dyn Fn(FileClass) -> bool,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> std::result::Result<(), FactError> {
        let Some(index) = self.files_index()? else { return Ok(()) };
        let wanted: Vec<bool> = index.classes.iter().map(|class| keep(*class)).collect();
        for block in &index.blocks {
            if !(0..wanted.len()).any(|class| wanted[class] && block.has(class)) {
                continue;
            }
            for file in self.block(&index, block, &|class| wanted[class])? {
                if visit(Row::new(File::TABLE, &file.into_cells())).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn files_under(
        &self,
        directory: &str,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> std::result::Result<(), FactError> {
        let Some(index) = self.files_index()? else { return Ok(()) };
        let first = Self::block_of(&index, directory);
        for block in index.blocks.get(first..).unwrap_or_default() {
            let after = path_order(&block.first_path, directory).is_gt();
            if after && !is_under(&block.first_path, directory) {
                break;
            }
            for file in self.block(&index, block, &|_| true)? {
                if is_under(&file.path.0, directory)
                    && visit(Row::new(File::TABLE, &file.into_cells())).is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
