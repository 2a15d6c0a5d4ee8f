//! The rows of one table of an SQLite database. Nothing that the file says is believed before it
//! is checked: each page is used once at most, so a loop ends, and nothing is allocated by a
//! length that the pages read so far do not cover.

use std::collections::HashSet;

use super::pages::Pages;
use super::pieces::{MAX_HEADER, Problems};
use crate::collect::Root;

/// Levels of a tree; four hold more rows than a disk.
const MAX_DEPTH: usize = 24;
/// How a journal that was not rolled back begins.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Shows the header of every package. What cannot be read is returned as problems, and the rest is
/// still shown.
pub(super) fn headers(
    root: &dyn Root,
    path: &str,
    show: &mut dyn FnMut(&[u8]),
) -> Result<Vec<String>, String> {
    let mut pages = Pages::open(root, path)?;
    let mut problems =
        table(&mut pages, "Packages", &mut |row| show(row.bytes(1).unwrap_or_default()))?;
    // A journal with content means that a change was interrupted and not rolled back.
    let journal = format!("{path}-journal");
    if root.read_at(&journal, 0, 8).is_ok_and(|magic| magic == JOURNAL_MAGIC) {
        problems.push(format!("{journal}: a change of the database was interrupted"));
    }
    Ok(problems)
}

/// A row of a table.
pub(super) struct Row<'a> {
    /// Its number, which a column that is the integer primary key leaves out.
    pub(super) id: u64,
    record: &'a [u8],
}

impl<'a> Row<'a> {
    /// A text or a blob.
    pub(super) fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        column(self.record, index).filter(|(kind, _)| *kind >= 12).map(|(_, bytes)| bytes)
    }

    /// A text, bytes that are not UTF-8 replaced.
    pub(super) fn text(&self, index: usize) -> Option<String> {
        self.bytes(index).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// A whole number that is not negative.
    pub(super) fn integer(&self, index: usize) -> Option<u64> {
        match column(self.record, index)? {
            (1..=6, bytes) if bytes.first().is_some_and(|first| *first < 0x80) => {
                Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            (8, _) => Some(0),
            (9, _) => Some(1),
            _ => None,
        }
    }
}

/// Shows every row of a table in their order. What cannot be read is returned as problems, and the
/// rest is still shown.
pub(super) fn table(
    pages: &mut Pages<'_>,
    name: &str,
    show: &mut dyn FnMut(Row<'_>),
) -> Result<Vec<String>, String> {
    let mut root_page = None;
    let mut problems = rows(pages, 1, &mut |row| {
        if row.bytes(0) == Some(b"table") && row.bytes(1) == Some(name.as_bytes()) {
            root_page = Some(row.integer(3).and_then(|page| u32::try_from(page).ok()));
        }
    });
    match root_page {
        Some(Some(page)) => {
            problems.extend(rows(pages, page, show));
            Ok(problems)
        }
        Some(None) => Err(format!("its table {name} has no place")),
        None => {
            problems.push(format!("it has no table {name}"));
            Err(problems.join("; "))
        }
    }
}

/// Shows every row below a page, and says what could not be read.
fn rows(pages: &mut Pages<'_>, start: u32, show: &mut dyn FnMut(Row<'_>)) -> Vec<String> {
    let mut walk = Walk { pages, used: HashSet::new(), problems: Problems::default() };
    let mut stack = vec![(start, 0)];
    while let Some((number, depth)) = stack.pop() {
        if depth > MAX_DEPTH {
            walk.problems.add("its tree is too deep");
            continue;
        }
        let Some(page) = walk.page(number) else { continue };
        // The first page begins with the header of the file.
        let base = if number == 1 { 100 } else { 0 };
        match page.get(base) {
            Some(&INTERIOR) => {
                let children = children(&page, base);
                stack.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
            }
            Some(&LEAF) => {
                // Rows that share bytes could be far more than the file holds.
                let mut room = page.len();
                for cell in cells(&page, base, 8) {
                    match walk.payload(&page, cell) {
                        Some(cell) if cell.here <= room => {
                            room -= cell.here;
                            show(Row { id: cell.id, record: &cell.payload });
                        }
                        _ => walk.problems.add("a row cannot be read"),
                    }
                }
            }
            _ => walk.problems.add(&format!("page {number} is not one of a table")),
        }
    }
    walk.problems.into_vec()
}

struct Walk<'a, 'b> {
    pages: &'a mut Pages<'b>,
    used: HashSet<u32>,
    problems: Problems,
}

impl Walk<'_, '_> {
    /// A page that was not used yet.
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        if !self.used.insert(number) {
            self.problems.add("its pages form a loop");
            return None;
        }
        match self.pages.page(number) {
            Ok(page) => Some(page),
            Err(problem) => {
                self.problems.add(&problem);
                None
            }
        }
    }

    /// A leaf's cell with its payload, overflow pages included.
    fn payload(&mut self, page: &[u8], at: usize) -> Option<Cell> {
        let (length, at) = varint(page, at)?;
        let (id, at) = varint(page, at)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_HEADER)?;
        let usable = self.pages.usable();
        let most = usable - 35;
        if length <= most {
            let payload = page.get(at..at.checked_add(length)?)?;
            return Some(Cell { id, payload: payload.to_vec(), here: length });
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (usable - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut payload = page.get(at..at.checked_add(local)?)?.to_vec();
        let mut next = u32_at(page, at + local)?;
        while payload.len() < length {
            if next == 0 {
                return None;
            }
            let overflow = self.page(next)?;
            next = u32_at(&overflow, 0)?;
            let rest = overflow.get(4..)?;
            payload.extend_from_slice(&rest[..rest.len().min(length - payload.len())]);
        }
        Some(Cell { id, payload, here: local })
    }
}

struct Cell {
    id: u64,
    payload: Vec<u8>,
    /// How much of it is in the cell.
    here: usize,
}

/// Where the cells of a page begin; `header` is the length of its header.
fn cells(page: &[u8], base: usize, header: usize) -> Vec<usize> {
    let count = page.get(base + 3..base + 5).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
    let pointers = page.get(base + header..).unwrap_or_default();
    pointers
        .chunks_exact(2)
        .take(usize::from(count))
        .map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])))
        .collect()
}

/// The children of an interior page, in order.
fn children(page: &[u8], base: usize) -> Vec<u32> {
    let mut children: Vec<u32> =
        cells(page, base, 12).into_iter().filter_map(|cell| u32_at(page, cell)).collect();
    children.extend(u32_at(page, base + 8));
    children
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(word.try_into().ok()?))
}

/// A number in one to nine bytes, and where the next begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0u64;
    for index in 0..9 {
        let byte = *bytes.get(at.checked_add(index)?)?;
        if index == 8 {
            return Some((number << 8 | u64::from(byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

/// The type and the bytes of one column of a record.
fn column(record: &[u8], index: usize) -> Option<(u64, &[u8])> {
    let (header, mut at) = varint(record, 0)?;
    let header = usize::try_from(header).ok()?;
    let mut start = header;
    for current in 0.. {
        if at >= header {
            return None;
        }
        let (kind, next) = varint(record, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            kind => usize::try_from((kind - 12) / 2).ok()?,
        };
        let end = start.checked_add(length)?;
        if current == index {
            return record.get(start..end).map(|bytes| (kind, bytes));
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x80], 0), None);
        assert_eq!(varint(&[], 5), None);
    }

    #[test]
    fn columns_stay_inside_their_record() {
        // Header of 3 bytes: NULL, a blob of 2.
        assert_eq!(column(&[3, 0, 16, b'a', b'b'], 1), Some((16, &b"ab"[..])));
        assert_eq!(column(&[3, 0, 200, b'a'], 1), None);
        assert_eq!(column(&[3, 0, 16, b'a', b'b'], 2), None);
        assert_eq!(column(&[], 0), None);
    }
}
