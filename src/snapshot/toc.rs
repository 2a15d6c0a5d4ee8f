//! The table of contents: what sections there are, in which state, and the hash of every frame.
//! Public, because tools that repair, sign or test containers need it.

use std::sync::Arc;

use super::bytes::{Cursor, Problem, put_bytes, put_len, put_varint};
use super::{SnapshotError, layout};
use crate::model::state::TableState;

/// One frame: the unit of compression and of hashing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Bytes in the container.
    pub stored: usize,
    /// Bytes when decompressed.
    pub raw: usize,
    /// BLAKE3 of the stored bytes.
    pub hash: [u8; layout::HASH_LEN],
}

impl Frame {
    /// The frame that these stored bytes are.
    pub fn of(stored: &[u8], raw: usize) -> Self {
        Self { stored: stored.len(), raw, hash: *blake3::hash(stored).as_bytes() }
    }
}

/// One section: a table, or something that a newer writer added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table's name.
    pub name: Arc<str>,
    /// [`layout::FLAG_CRITICAL`] or 0.
    pub flags: u8,
    /// [`layout::CODEC_RAW`] or [`layout::CODEC_ZSTD`].
    pub codec: u8,
    /// See [`layout::SCHEMA_VERSION`].
    pub schema_version: u64,
    /// How far the table can be trusted.
    pub state: TableState,
    /// How many rows.
    pub rows: u64,
    /// The frames, in the order of the container.
    pub frames: Vec<Frame>,
}

impl Entry {
    /// Bytes in the container.
    pub fn stored(&self) -> u64 {
        self.frames.iter().map(|frame| frame.stored as u64).sum()
    }

    /// Bytes when decompressed.
    pub fn raw(&self) -> u64 {
        self.frames.iter().map(|frame| frame.raw as u64).sum()
    }

    /// Whether a reader must know the section.
    pub fn is_critical(&self) -> bool {
        self.flags & layout::FLAG_CRITICAL != 0
    }

    /// The hash of what the section says: its entry with state, row count and the frames' hashes.
    /// Equal hashes mean equal answers.
    pub fn hash(&self) -> [u8; layout::HASH_LEN] {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        *blake3::hash(&bytes).as_bytes()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.name.as_bytes());
        out.push(self.flags);
        out.push(self.codec);
        put_varint(out, self.schema_version);
        out.push(match &self.state {
            TableState::Collected => layout::STATE_COLLECTED,
            TableState::Truncated(_) => layout::STATE_TRUNCATED,
            TableState::Denied(_) => layout::STATE_DENIED,
            TableState::Absent(_) => layout::STATE_ABSENT,
        });
        if let Some(reason) = self.state.reason() {
            put_bytes(out, reason.as_bytes());
        }
        put_varint(out, self.rows);
        put_len(out, self.frames.len());
        for frame in &self.frames {
            put_len(out, frame.stored);
            put_len(out, frame.raw);
            out.extend_from_slice(&frame.hash);
        }
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Problem> {
        let name: Arc<str> = cursor.text(layout::MAX_NAME)?.into();
        let (flags, codec) = (cursor.u8()?, cursor.u8()?);
        let schema_version = cursor.varint()?;
        let state = match cursor.u8()? {
            layout::STATE_COLLECTED => TableState::Collected,
            layout::STATE_TRUNCATED => TableState::truncated(cursor.text(layout::MAX_REASON)?),
            layout::STATE_DENIED => TableState::denied(cursor.text(layout::MAX_REASON)?),
            layout::STATE_ABSENT => TableState::absent(cursor.text(layout::MAX_REASON)?),
            other => return Err(format!("{other} is not a state")),
        };
        let rows = cursor.varint()?;
        if rows > 0 && matches!(state, TableState::Denied(_) | TableState::Absent(_)) {
            return Err(format!("{} and still {rows} rows", state.name()));
        }
        // A frame's entry takes at least 34 bytes, so the count cannot outgrow the bytes.
        let count = cursor.len(cursor.left() / (layout::HASH_LEN + 2), "a count of frames")?;
        let mut frames = Vec::with_capacity(count);
        for _ in 0..count {
            let stored = cursor.len(usize::MAX, "the length of a frame")?;
            let raw = cursor.len(layout::MAX_FRAME, "the raw length of a frame")?;
            let hash = cursor.take(layout::HASH_LEN)?;
            let hash = hash.try_into().map_err(|_| "a hash is short".to_owned())?;
            if codec == layout::CODEC_RAW && stored != raw {
                return Err("a raw frame has two lengths".to_owned());
            }
            frames.push(Frame { stored, raw, hash });
        }
        Ok(Self { name, flags, codec, schema_version, state, rows, frames })
    }
}

/// The table of contents. Sections lie one after the other in its order, with nothing between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toc {
    /// The sections.
    pub entries: Vec<Entry>,
}

impl Toc {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, self.entries.len());
        for entry in &self.entries {
            entry.encode(&mut out);
        }
        out
    }

    /// Out of the bytes; `sections` is how many bytes the sections have in the container.
    ///
    /// # Errors
    /// The bytes are no table of contents, or promise other sections than there are.
    pub fn decode(bytes: &[u8], sections: u64) -> Result<Self, SnapshotError> {
        let toc = Self::parse(bytes).map_err(SnapshotError::BadToc)?;
        let mut promised: u64 = 0;
        for frame in toc.entries.iter().flat_map(|entry| &entry.frames) {
            promised = promised.saturating_add(frame.stored as u64);
        }
        match promised.cmp(&sections) {
            std::cmp::Ordering::Equal => Ok(toc),
            std::cmp::Ordering::Greater => Err(SnapshotError::Truncated(format!(
                "its sections have {promised} bytes and only {sections} are there"
            ))),
            std::cmp::Ordering::Less => Err(SnapshotError::BadToc(format!(
                "{} bytes belong to no section",
                sections - promised
            ))),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut cursor = Cursor::new(bytes);
        let count = cursor.len(layout::MAX_SECTIONS, "the count of sections")?;
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..count {
            let entry = Entry::decode(&mut cursor)?;
            if entries.iter().any(|other| other.name == entry.name) {
                return Err(format!("section {:?} is there twice", entry.name));
            }
            entries.push(entry);
        }
        cursor.end()?;
        Ok(Self { entries })
    }

    /// The table of contents and the footer behind it: what follows the sections.
    pub fn seal(&self) -> Vec<u8> {
        let mut out = self.encode();
        let (len, hash) = (out.len() as u64, blake3::hash(&out));
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(hash.as_bytes());
        out.extend_from_slice(&layout::END_MAGIC);
        out
    }
}
