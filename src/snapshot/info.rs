//! What a snapshot holds, and whether all of it is sound.

use std::sync::Arc;

use super::files::Want;
use super::reader::Result;
use super::{Snapshot, SnapshotError};
use crate::model::cell::Fact;
use crate::model::state::TableState;
use crate::model::table::{COLLECTED, File};

/// What the table of contents says of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The table's name, or a name this version does not know.
    pub name: Arc<str>,
    /// Whether this version knows it; an unknown section is skipped.
    pub known: bool,
    /// How far the table can be trusted.
    pub state: TableState,
    /// How many rows.
    pub rows: u64,
    /// Version of the meaning of its columns.
    pub schema_version: u64,
    /// Whether a reader must know it.
    pub critical: bool,
    /// Bytes in the container.
    pub stored: u64,
    /// Bytes when decompressed.
    pub raw: u64,
    /// The hash of what it says, in hexadecimal; see [`Snapshot::section_hash`].
    pub hash: String,
}

impl Snapshot {
    /// The sections in the order of the container.
    pub fn info(&self) -> Vec<Section> {
        let section = |entry: &super::toc::Entry| Section {
            name: Arc::clone(&entry.name),
            known: COLLECTED.iter().any(|table| table.name == &*entry.name),
            state: entry.state.clone(),
            rows: entry.rows,
            schema_version: entry.schema_version,
            critical: entry.is_critical(),
            stored: entry.stored(),
            raw: entry.raw(),
            hash: blake3::Hash::from_bytes(entry.hash()).to_hex().to_string(),
        };
        self.toc().entries.iter().map(section).collect()
    }

    /// Reads every byte: each section's frames against their hashes, and each table this version
    /// knows row by row.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<()> {
        for entry in &self.toc().entries {
            match COLLECTED.iter().find(|table| table.name == &*entry.name) {
                None => self.check_frames(entry)?,
                Some(table) if table.name == File::TABLE.name => self.verify_files()?,
                Some(table) => drop(self.decode(table)?),
            }
        }
        Ok(())
    }

    fn verify_files(&self) -> Result<()> {
        let Some((_, index)) = self.index()? else { return Ok(()) };
        for number in 0..index.blocks.len() {
            let shown = &mut |_: crate::model::facts::Row<'_>| std::ops::ControlFlow::Continue(());
            if self.visit_block(number, Want::All, shown)?.is_break() {
                return Err(SnapshotError::section(File::TABLE.name, "a block broke off"));
            }
        }
        Ok(())
    }
}
