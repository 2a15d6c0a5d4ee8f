//! Facts to a snapshot. Deterministic: the same facts give the same bytes, in whatever order the
//! tables come.

use super::files::FilesWriter;
use super::toc::{Entry, Frame, Toc};
use super::{SnapshotError, layout, table};
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::TableState;
use crate::model::table::{COLLECTED, File, Host};

/// How frames are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Compressed: for files.
    Zstd,
    /// As they are: for a scan that collects and judges in one process.
    Raw,
}

/// Makes frames.
pub(super) struct Packer {
    codec: Codec,
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, zstd: None }
    }

    fn code(&self) -> u8 {
        match self.codec {
            Codec::Zstd => layout::CODEC_ZSTD,
            Codec::Raw => layout::CODEC_RAW,
        }
    }

    /// Appends one frame.
    pub(super) fn pack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Frame, SnapshotError> {
        if raw.len() > layout::MAX_FRAME {
            return Err(SnapshotError::too_large("a frame (bytes)", layout::MAX_FRAME));
        }
        match self.codec {
            Codec::Raw => {
                out.extend_from_slice(raw);
                Ok(Frame::of(raw, raw.len()))
            }
            Codec::Zstd => {
                let stored = self.compress(raw).map_err(unwritable)?;
                out.extend_from_slice(&stored);
                Ok(Frame::of(&stored, raw.len()))
            }
        }
    }

    fn compress(&mut self, raw: &[u8]) -> std::io::Result<Vec<u8>> {
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            empty => empty.insert(zstd::bulk::Compressor::new(layout::ZSTD_LEVEL)?),
        };
        zstd.compress(raw)
    }
}

fn unwritable(error: std::io::Error) -> SnapshotError {
    SnapshotError::Unwritable(error.to_string())
}

/// Writes one snapshot into memory. Files are pushed one by one and leave as frames, so that a
/// host with millions of them needs little memory: 3 to 8 bytes a file with [`Codec::Zstd`], some
/// 25 with [`Codec::Raw`].
pub struct Writer {
    packer: Packer,
    sections: Vec<(Entry, Vec<u8>)>,
    files: FilesWriter,
    files_state: Option<TableState>,
}

impl Writer {
    /// An empty snapshot, in which every table is absent.
    pub fn new(codec: Codec) -> Self {
        Self {
            packer: Packer::new(codec),
            sections: Vec::new(),
            files: FilesWriter::default(),
            files_state: None,
        }
    }

    /// Adds a table. The rows of `files` must come in path order.
    ///
    /// # Errors
    /// A row does not fit the schema, the state says that there are no rows, the table was added
    /// before or is not a collected one, or it is above a limit of the format.
    pub fn table(&mut self, rows: &Rows, state: &TableState) -> Result<(), SnapshotError> {
        let schema = rows.schema();
        let refuse = |problem: &str| {
            Err(SnapshotError::InvalidRow { table: schema.name.into(), problem: problem.into() })
        };
        if !rows.is_empty() && !has_rows(state) {
            return refuse(&format!("it has rows and its state is {}", state.name()));
        }
        if schema.name == File::TABLE.name {
            for row in rows.iter() {
                match row.typed() {
                    Some(file) => self.push_file(file)?,
                    None => return refuse("a row is not a file"),
                }
            }
            self.files_state(state.clone());
            return Ok(());
        }
        if !COLLECTED.iter().any(|table| table.name == schema.name) {
            return refuse("a snapshot does not hold computed tables");
        }
        if self.sections.iter().any(|(entry, _)| &*entry.name == schema.name) {
            return refuse("it was written before");
        }
        let (mut stored, mut frames) = (Vec::new(), Vec::new());
        if has_rows(state) {
            for raw in table::encode(rows)?.chunks(layout::TABLE_FRAME) {
                frames.push(self.packer.pack(raw, &mut stored)?);
            }
        }
        let entry = self.entry(schema, state.clone(), rows.len() as u64, frames);
        self.sections.push((entry, stored));
        Ok(())
    }

    /// Says why a table has no rows.
    ///
    /// # Errors
    /// As for [`Writer::table`].
    pub fn missing(
        &mut self,
        schema: &'static TableSchema,
        state: &TableState,
    ) -> Result<(), SnapshotError> {
        self.table(&Rows::new(schema), state)
    }

    /// Adds a file. Files come in [path order](crate::model::facts::path_order), each path once.
    ///
    /// # Errors
    /// The path does not come after the one before, is not absolute or holds a zero byte, or
    /// something is above a limit of the format.
    pub fn push_file(&mut self, file: File) -> Result<(), SnapshotError> {
        self.files.push(file, &mut self.packer)
    }

    /// Sets the state of the `files` table. Without it the table is absent or, where files were
    /// pushed, truncated: a walk that did not end must not look complete.
    pub fn files_state(&mut self, state: TableState) {
        self.files_state = Some(state);
    }

    /// The finished snapshot.
    ///
    /// # Errors
    /// Files were pushed and their state says that there are none, or something is above a limit
    /// of the format.
    pub fn finish(mut self) -> Result<Vec<u8>, SnapshotError> {
        let rows = self.files.rows();
        let state = match self.files_state.take() {
            None if rows > 0 => TableState::truncated("the walk did not come to its end"),
            None => TableState::absent("files were not collected"),
            Some(state) if rows > 0 && !has_rows(&state) => {
                return Err(SnapshotError::InvalidRow {
                    table: File::TABLE.name.into(),
                    problem: format!("it has rows and its state is {}", state.name()),
                });
            }
            Some(state) => state,
        };
        let files = std::mem::take(&mut self.files);
        let (mut out, frames) = match has_rows(&state) {
            true => files.finish(&mut self.packer)?,
            false => (Vec::new(), Vec::new()),
        };
        let files = self.entry(File::TABLE, state, rows, frames);

        let order = |entry: &Entry| COLLECTED.iter().position(|table| table.name == &*entry.name);
        self.sections.sort_by_key(|(entry, _)| order(entry));
        let mut head = layout::MAGIC.to_vec();
        head.push(layout::FORMAT_VERSION);
        let mut toc = Toc::default();
        for (entry, stored) in self.sections {
            head.extend_from_slice(&stored);
            toc.entries.push(entry);
        }
        toc.entries.push(files);
        // The files are the most of it by far, so they move and are not copied.
        out.extend_from_slice(&head);
        out.rotate_right(head.len());
        out.extend_from_slice(&toc.seal());
        Ok(out)
    }

    fn entry(
        &self,
        schema: &TableSchema,
        state: TableState,
        rows: u64,
        frames: Vec<Frame>,
    ) -> Entry {
        // What the host is decides which rules apply: a reader must not go on without it.
        let critical = schema.name == Host::TABLE.name;
        Entry {
            name: schema.name.into(),
            flags: if critical { layout::FLAG_CRITICAL } else { 0 },
            codec: self.packer.code(),
            schema_version: layout::SCHEMA_VERSION,
            state,
            rows,
            frames,
        }
    }
}

/// Whether a table in this state can have rows.
fn has_rows(state: &TableState) -> bool {
    matches!(state, TableState::Collected | TableState::Truncated(_))
}
