//! The table of contents: what sections there are, where, and in what state.

use std::sync::Arc;

use super::bytes::{Cursor, put_bytes, put_uint};
use super::{SnapshotError, layout};
use crate::model::state::TableState;

/// One section as the table of contents has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) state: TableState,
    pub(super) rows: u64,
    pub(super) schema_version: u64,
    pub(super) flags: u8,
    pub(super) offset: u64,
    pub(super) stored: u64,
    pub(super) raw: u64,
    pub(super) hash: [u8; 32],
}

impl Entry {
    pub(super) fn is_critical(&self) -> bool {
        self.flags & layout::CRITICAL != 0
    }
}

pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    put_uint(&mut out, entries.len() as u64);
    for entry in entries {
        put_bytes(&mut out, entry.name.as_bytes());
        out.push(match entry.state {
            TableState::Collected => 0,
            TableState::Truncated(_) => 1,
            TableState::Denied(_) => 2,
            TableState::Absent(_) => 3,
        });
        put_bytes(&mut out, entry.state.reason().map_or(&[], |reason| reason.as_bytes()));
        for number in [entry.rows, entry.schema_version] {
            put_uint(&mut out, number);
        }
        out.push(entry.flags);
        for number in [entry.offset, entry.stored, entry.raw] {
            put_uint(&mut out, number);
        }
        out.extend_from_slice(&entry.hash);
    }
    out
}

/// Reads the table of contents; `end` is where the payloads end in the file.
pub(super) fn decode(bytes: &[u8], end: u64) -> Result<Vec<Entry>, SnapshotError> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.count(42)?;
    if count as u64 > layout::MAX_SECTIONS {
        return Err(SnapshotError::TooLarge("the table of contents".into()));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(count);
    for _ in 0..count {
        let name: Arc<str> = cursor.text()?.into();
        let tag = cursor.byte()?;
        let reason: Arc<str> = cursor.text()?.into();
        let state = match tag {
            0 => TableState::Collected,
            1 => TableState::Truncated(reason),
            2 => TableState::Denied(reason),
            3 => TableState::Absent(reason),
            _ => return Err(SnapshotError::malformed("the state of a section")),
        };
        let entry = Entry {
            name,
            state,
            rows: cursor.uint()?,
            schema_version: cursor.uint()?,
            flags: cursor.byte()?,
            offset: cursor.uint()?,
            stored: cursor.uint()?,
            raw: cursor.uint()?,
            hash: cursor.fixed()?,
        };
        let inside = entry.offset.checked_add(entry.stored).is_some_and(|last| last <= end);
        if !inside || entry.offset < layout::MAGIC.len() as u64 {
            return Err(SnapshotError::malformed(format!("the place of section {}", entry.name)));
        }
        if entry.raw > layout::LIMIT {
            return Err(SnapshotError::TooLarge(format!("section {}", entry.name)));
        }
        if entries.iter().any(|other| other.name == entry.name) {
            return Err(SnapshotError::malformed(format!("section {} is there twice", entry.name)));
        }
        entries.push(entry);
    }
    if !cursor.is_empty() {
        return Err(SnapshotError::malformed("the table of contents has more bytes than sections"));
    }
    Ok(entries)
}
