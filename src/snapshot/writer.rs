//! Facts to a snapshot. Deterministic: the same facts give the same bytes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::files::{Block, Frame, Index, encode_block, in_order};
use super::toc::{self, Entry};
use super::{SnapshotError, bytes, layout, table};
use crate::model::cell::Fact;
use crate::model::facts::{FileClass, Rows};
use crate::model::schema::TableSchema;
use crate::model::state::TableState;
use crate::model::table::File;

/// How payloads are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Compressed: for files.
    Zstd,
    /// As they are: for a scan that collects and judges in one process.
    Raw,
}

/// Writes one snapshot into memory. Files are pushed one by one and leave as compressed frames,
/// so that a host with millions of them needs little memory.
#[derive(Debug)]
pub struct Writer {
    codec: Codec,
    out: Vec<u8>,
    entries: Vec<Entry>,
    pending: Vec<File>,
    last_path: Option<Arc<str>>,
    frame: Vec<u8>,
    frame_blocks: usize,
    files: Vec<u8>,
    index: Index,
    classes: BTreeMap<FileClass, usize>,
    file_rows: u64,
    files_state: TableState,
    files_raw: u64,
}

impl Writer {
    /// An empty snapshot, in which every table is absent.
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            out: layout::MAGIC.to_vec(),
            entries: Vec::new(),
            pending: Vec::new(),
            last_path: None,
            frame: Vec::new(),
            frame_blocks: 0,
            files: Vec::new(),
            index: Index::default(),
            classes: BTreeMap::new(),
            file_rows: 0,
            files_state: TableState::absent("files were not collected"),
            files_raw: 0,
        }
    }

    /// Adds a table other than `files`.
    ///
    /// # Errors
    /// Compression failed.
    pub fn table(&mut self, rows: &Rows, state: &TableState) -> Result<(), SnapshotError> {
        let raw = table::encode(rows);
        self.section(rows.schema().name, state.clone(), rows.len() as u64, &raw)
    }

    /// Says why a table has no rows.
    ///
    /// # Errors
    /// Compression failed.
    pub fn missing(
        &mut self,
        schema: &'static TableSchema,
        state: &TableState,
    ) -> Result<(), SnapshotError> {
        self.table(&Rows::new(schema), state)
    }

    /// Adds a file. Files come in path order.
    ///
    /// # Errors
    /// The path does not come after the one before, or compression failed.
    pub fn push_file(&mut self, file: File) -> Result<(), SnapshotError> {
        if self.last_path.as_ref().is_some_and(|last| !in_order(last, &file.path.0))
            || file.path.0.len() > layout::PATH_LIMIT
        {
            return Err(SnapshotError::OutOfOrder(file.path.0.to_string()));
        }
        self.last_path = Some(Arc::clone(&file.path.0));
        self.pending.push(file);
        if self.pending.len() == layout::BLOCK_FILES {
            self.end_block()?;
        }
        Ok(())
    }

    /// Sets the state of the `files` table; without it the table is absent.
    pub fn files_state(&mut self, state: TableState) {
        self.files_state = state;
    }

    /// The finished snapshot.
    ///
    /// # Errors
    /// Compression failed.
    pub fn finish(mut self) -> Result<Vec<u8>, SnapshotError> {
        self.end_block()?;
        self.end_frame()?;
        let mut classes: Vec<(FileClass, usize)> =
            std::mem::take(&mut self.classes).into_iter().collect();
        classes.sort_by_key(|(_, position)| *position);
        self.index.classes = classes.into_iter().map(|(class, _)| class).collect();
        let index = self.index.encode();
        self.section(layout::FILES_INDEX, self.files_state.clone(), self.file_rows, &index)?;
        let files = std::mem::take(&mut self.files);
        let (state, rows, raw) = (self.files_state.clone(), self.file_rows, self.files_raw);
        self.stored(layout::FILES, state, rows, &files, raw, self.codec == Codec::Zstd);
        let toc = toc::encode(&self.entries);
        let mut out = self.out;
        let offset = out.len() as u64;
        out.extend_from_slice(&toc);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&(toc.len() as u64).to_le_bytes());
        out.extend_from_slice(blake3::hash(&toc).as_bytes());
        out.extend_from_slice(&layout::END);
        Ok(out)
    }

    fn end_block(&mut self) -> Result<(), SnapshotError> {
        let Some(first) = self.pending.first() else { return Ok(()) };
        let first_path = first.path.0.as_ref().into();
        let (raw, classes) = encode_block(&self.pending, &mut self.classes);
        self.index.blocks.push(Block {
            first_path,
            frame: self.index.frames.len(),
            start: self.frame.len(),
            length: raw.len(),
            rows: self.pending.len(),
            classes,
        });
        self.file_rows += self.pending.len() as u64;
        self.pending.clear();
        self.frame.extend_from_slice(&raw);
        self.frame_blocks += 1;
        if self.frame_blocks == layout::FRAME_BLOCKS { self.end_frame() } else { Ok(()) }
    }

    fn end_frame(&mut self) -> Result<(), SnapshotError> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let raw = self.frame.len() as u64;
        let start = self.files.len();
        match self.codec {
            Codec::Zstd => self.files.extend_from_slice(&bytes::compress(&self.frame)?),
            Codec::Raw => self.files.extend_from_slice(&self.frame),
        }
        self.index.frames.push(Frame { start, stored: self.files.len() - start, raw });
        self.files_raw += raw;
        self.frame.clear();
        self.frame_blocks = 0;
        Ok(())
    }

    fn section(
        &mut self,
        name: &str,
        state: TableState,
        rows: u64,
        raw: &[u8],
    ) -> Result<(), SnapshotError> {
        let length = raw.len() as u64;
        match self.codec {
            Codec::Raw => self.stored(name, state, rows, raw, length, false),
            Codec::Zstd => {
                let stored = bytes::compress(raw)?;
                self.stored(name, state, rows, &stored, length, true);
            }
        }
        Ok(())
    }

    fn stored(
        &mut self,
        name: &str,
        state: TableState,
        rows: u64,
        stored: &[u8],
        raw: u64,
        compressed: bool,
    ) {
        let flags = if compressed { layout::ZSTD } else { 0 };
        // The host decides what applies, so a reader that cannot read it must not go on.
        let critical =
            if name == crate::model::table::Host::TABLE.name { layout::CRITICAL } else { 0 };
        self.entries.push(Entry {
            name: name.into(),
            state,
            rows,
            schema_version: layout::SCHEMA_VERSION,
            flags: flags | critical,
            offset: self.out.len() as u64,
            stored: stored.len() as u64,
            raw,
            hash: *blake3::hash(stored).as_bytes(),
        });
        self.out.extend_from_slice(stored);
    }
}

/// Writes a file whole or not at all: beside its place first, then moved there. Mode 0600, since
/// a snapshot tells much about a host.
///
/// # Errors
/// As the system gives them.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let write = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().inspect_err(|_| {
        // The first error is the one to tell; a part that cannot be removed adds nothing.
        let _ = std::fs::remove_file(&part);
    })
}
