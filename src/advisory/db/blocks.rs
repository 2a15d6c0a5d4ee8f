//! Texts, compressed in blocks: a record is found by its number, and one block is decompressed for
//! it. The head of such a section names each block's first record, place, lengths and hash.

use std::ops::Range;
use std::sync::Arc;

use super::bytes::{Cursor, Problem, put_int};
use super::{DbError, layout};

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The number of its first record.
    first: u32,
    /// How many records it has.
    count: u32,
    /// Where it begins in the body.
    pub(super) at: u64,
    /// Bytes in the file.
    pub(super) stored: usize,
    /// Bytes when decompressed.
    raw: usize,
    /// BLAKE3 of the bytes in the file.
    hash: [u8; layout::HASH_LEN],
}

/// The blocks of a section.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// How many records there are.
    pub(super) records: u32,
    pub(super) blocks: Vec<Block>,
}

impl Directory {
    /// Out of the head of a section whose body has this many bytes.
    pub(super) fn decode(head: &[u8], body: u64) -> Result<Self, Problem> {
        let mut cursor = Cursor(head);
        let records = cursor.u32()?;
        let mut blocks: Vec<Block> = Vec::new();
        let mut at: u64 = 0;
        let mut first: u32 = 0;
        while !cursor.0.is_empty() {
            let count = u32::try_from(cursor.int()?).map_err(|_| "a count is too large")?;
            let stored = usize::try_from(cursor.int()?).map_err(|_| "a block is too large")?;
            let raw = usize::try_from(cursor.int()?).map_err(|_| "a block is too large")?;
            if count == 0 || raw > layout::MAX_BLOCK || stored > 2 * layout::MAX_BLOCK {
                return Err("a block is too large");
            }
            blocks.push(Block { first, count, at, stored, raw, hash: cursor.hash()? });
            at = at.checked_add(stored as u64).ok_or("a block is too large")?;
            first = first.checked_add(count).ok_or("a count is too large")?;
        }
        if first != records || at != body {
            return Err("its blocks are not what it promises");
        }
        Ok(Self { records, blocks })
    }

    /// The block of a record, its number, and the record's place in it.
    pub(super) fn find(&self, record: u32) -> Option<(usize, &Block, u32)> {
        if record >= self.records {
            return None;
        }
        let index = self.blocks.partition_point(|block| block.first <= record).checked_sub(1)?;
        let block = self.blocks.get(index)?;
        Some((index, block, record - block.first))
    }
}

impl Block {
    /// The records, the hash of the stored bytes checked.
    pub(super) fn open(&self, stored: &[u8], place: &str) -> Result<Arc<Opened>, DbError> {
        self.check(stored, place)?;
        let raw = zstd::bulk::decompress(stored, self.raw)
            .map_err(|_| DbError::malformed(place, "a block cannot be decompressed"))?;
        if raw.len() == self.raw {
            let opened = Opened::new(raw, self.count);
            opened.map(Arc::new).map_err(|problem| DbError::malformed(place, problem))
        } else {
            Err(DbError::malformed(place, "a block has another length than it claims"))
        }
    }

    /// Compares the stored bytes with their hash.
    fn check(&self, stored: &[u8], place: &str) -> Result<(), DbError> {
        if *blake3::hash(stored).as_bytes() == self.hash {
            Ok(())
        } else {
            Err(DbError::HashMismatch(place.to_owned()))
        }
    }
}

/// Compresses bytes that are read as a whole: their number, and one zstd frame.
pub(super) fn pack(raw: &[u8]) -> Result<Vec<u8>, DbError> {
    let mut out = (raw.len() as u64).to_le_bytes().to_vec();
    let stored = zstd::bulk::compress(raw, layout::ZSTD_LEVEL)
        .map_err(|_| DbError::TooLarge("the index of a release"))?;
    out.extend(stored);
    Ok(out)
}

/// What [`pack`] compressed. No length is believed that the stored bytes could not come to.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut cursor = Cursor(packed);
    let raw = cursor.u64()?;
    let most = layout::MAX_RATIO * (cursor.0.len() as u64) + layout::RATIO_START;
    if raw > most.min(layout::MAX_WHOLE) {
        return Err("it is larger than a section may be");
    }
    let raw = raw as usize;
    let bytes = zstd::bulk::decompress(cursor.0, raw).map_err(|_| "it cannot be decompressed")?;
    if bytes.len() == raw { Ok(bytes) } else { Err("it has another length than it claims") }
}

/// A block of texts, decompressed.
#[derive(Debug)]
pub(super) struct Opened {
    raw: Vec<u8>,
    /// Where each record begins and ends.
    records: Vec<Range<usize>>,
}

impl Opened {
    fn new(raw: Vec<u8>, count: u32) -> Result<Self, Problem> {
        let mut cursor = Cursor(&raw);
        let mut records = Vec::new();
        for _ in 0..count {
            let len = cursor.count()?;
            let at = raw.len() - cursor.0.len();
            cursor.take(len)?;
            records.push(at..at + len);
        }
        cursor.end()?;
        Ok(Self { raw, records })
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.raw.len() + self.records.len() * size_of::<Range<usize>>()
    }

    /// The record at a place.
    pub(super) fn record(&self, place: u32) -> Result<&[u8], Problem> {
        let range = self.records.get(place as usize).cloned();
        range.and_then(|range| self.raw.get(range)).ok_or("there is no such record")
    }

    /// Every record.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.records.iter().filter_map(|range| self.raw.get(range.clone()))
    }
}

/// Writes the records of a section.
#[derive(Default)]
pub(super) struct Writer {
    records: u32,
    in_block: u32,
    raw: Vec<u8>,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Writer {
    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), DbError> {
        put_int(&mut self.raw, record.len() as u64);
        self.raw.extend_from_slice(record);
        self.records = self.records.checked_add(1).ok_or(DbError::TooLarge("a text section"))?;
        self.in_block += 1;
        if self.raw.len() >= layout::BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DbError> {
        if self.in_block == 0 {
            return Ok(());
        }
        if self.raw.len() > layout::MAX_BLOCK {
            return Err(DbError::TooLarge("the text of an advisory"));
        }
        let stored = zstd::bulk::compress(&self.raw, layout::ZSTD_LEVEL)
            .map_err(|_| DbError::TooLarge("a block of texts"))?;
        put_int(&mut self.head, u64::from(self.in_block));
        put_int(&mut self.head, stored.len() as u64);
        put_int(&mut self.head, self.raw.len() as u64);
        self.head.extend_from_slice(blake3::hash(&stored).as_bytes());
        self.body.extend_from_slice(&stored);
        self.raw.clear();
        self.in_block = 0;
        Ok(())
    }

    /// The head and the body.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Vec<u8>), DbError> {
        self.flush()?;
        let mut head = self.records.to_le_bytes().to_vec();
        head.append(&mut self.head);
        Ok((head, self.body))
    }
}
