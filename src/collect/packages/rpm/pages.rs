//! The pages of an SQLite database: the file itself, and over it what its write-ahead log has
//! committed. Format: <https://www.sqlite.org/fileformat2.html>.

use std::collections::HashMap;

use super::pieces::Pieces;
use crate::collect::Root;

/// The longest log that is read.
const MAX_LOG: u64 = 1 << 30;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The pages of a database.
pub(super) struct Pages<'a> {
    file: Pieces<'a>,
    log: Pieces<'a>,
    /// Where in the log the newest committed version of a page is.
    logged: HashMap<u32, u64>,
    size: usize,
    usable: usize,
    count: u32,
}

impl<'a> Pages<'a> {
    /// Opens the database at a path.
    pub(super) fn open(root: &'a dyn Root, path: &str) -> Result<Self, String> {
        let mut file = Pieces::new(root, path);
        let mut log = Pieces::new(root, &format!("{path}-wal"));
        let file_length = file.length()?;
        // A committed log can hold even the first page of a file that is still empty.
        let log_length = if root.metadata(log.path()).is_ok() { log.length()? } else { 0 };
        let committed =
            if log_length > 0 { read_log(&mut log, log_length)? } else { Log::default() };
        let mut header = [0; 100];
        match committed.pages.get(&1) {
            Some(offset) => log.read(*offset, &mut header)?,
            None => file.read(0, &mut header)?,
        }
        if header[..16] != *MAGIC {
            return Err(format!("{path} is not an SQLite database"));
        }
        let size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            size => return Err(format!("{path}: no database has pages of {size} bytes")),
        };
        if committed.page_size.is_some_and(|logged| logged != size) {
            return Err(format!("{path}: its log has pages of another size"));
        }
        let usable = size - usize::from(header[20]);
        if usable < 480 {
            return Err(format!("{path}: its pages have no room"));
        }
        if u32::from_be_bytes([header[56], header[57], header[58], header[59]]) > 1 {
            return Err(format!("{path}: its text is not UTF-8"));
        }
        let in_file = u32::try_from(file_length / size as u64).unwrap_or(u32::MAX);
        let count = committed.page_count.unwrap_or(in_file);
        Ok(Self { file, log, logged: committed.pages, size, usable, count })
    }

    /// How many bytes of a page hold content.
    pub(super) fn usable(&self) -> usize {
        self.usable
    }

    /// The content of a page; the first is 1.
    pub(super) fn page(&mut self, number: u32) -> Result<Vec<u8>, String> {
        if number == 0 || number > self.count {
            return Err(format!("{}: there is no page {number}", self.file.path()));
        }
        let mut page = vec![0; self.size];
        match self.logged.get(&number) {
            Some(offset) => self.log.read(*offset, &mut page)?,
            None => self.file.read(u64::from(number - 1) * self.size as u64, &mut page)?,
        }
        page.truncate(self.usable);
        Ok(page)
    }
}

/// What a write-ahead log has committed.
#[derive(Default)]
struct Log {
    pages: HashMap<u32, u64>,
    page_size: Option<usize>,
    page_count: Option<u32>,
}

/// Reads a log as far as its salts and checksums hold, and keeps what was committed by then: what
/// follows was left by an earlier use of the file, or by a transaction that did not end.
fn read_log(log: &mut Pieces<'_>, length: u64) -> Result<Log, String> {
    let mut header = [0u8; 32];
    if length < 32 {
        return Ok(Log::default());
    }
    if length > MAX_LOG {
        return Err(format!("{} is too large", log.path()));
    }
    log.read(0, &mut header)?;
    let big_endian = match word(&header, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Ok(Log::default()),
    };
    let size = word(&header, 8) as usize;
    if !(512..=65_536).contains(&size) || !size.is_power_of_two() || word(&header, 4) != 3_007_000 {
        return Ok(Log::default());
    }
    let mut sum = checksum((0, 0), &header[..24], big_endian);
    if sum != (word(&header, 24), word(&header, 28)) {
        return Ok(Log::default());
    }
    let mut committed = Log { page_size: Some(size), ..Log::default() };
    let mut pending: HashMap<u32, u64> = HashMap::new();
    let mut frame = vec![0; 24 + size];
    let mut offset = 32;
    while offset + frame.len() as u64 <= length {
        log.read(offset, &mut frame)?;
        let salted = frame[8..16] == header[16..24];
        sum = checksum(sum, &frame[..8], big_endian);
        sum = checksum(sum, &frame[24..], big_endian);
        let number = word(&frame, 0);
        if !salted || sum != (word(&frame, 16), word(&frame, 20)) || number == 0 {
            break;
        }
        pending.insert(number, offset + 24);
        let pages_after = word(&frame, 4);
        if pages_after != 0 {
            committed.pages.extend(pending.drain());
            committed.page_count = Some(pages_after);
        }
        offset += frame.len() as u64;
    }
    Ok(committed)
}

/// The log's checksum: two sums over words that feed each other.
fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let (mut first, mut second) = start;
    for pair in bytes.chunks_exact(8) {
        let (a, b) = if big_endian {
            (word(pair, 0), word(pair, 4))
        } else {
            (word(pair, 0).swap_bytes(), word(pair, 4).swap_bytes())
        };
        first = first.wrapping_add(a).wrapping_add(second);
        second = second.wrapping_add(b).wrapping_add(first);
    }
    (first, second)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}
