//! The headers in a Berkeley DB hash database: `Packages`, as rpm wrote it up to 4.15.
//!
//! Format, after Berkeley DB's `dbinc/db_page.h`: pages of one size, words in the order of the
//! machine that wrote them. The first page describes the table; a bucket begins at the page that
//! its number and the description's `spares` tell, and goes on in a chain of pages. A page has an
//! index of items that grow from its end: keys and values in turn. A long value lies in a chain of
//! pages of its own.

use std::collections::HashSet;

use super::pieces::{MAX_HEADER, Pieces, Problems};
use crate::collect::Root;

const HASH_MAGIC: u32 = 0x0006_1561;
/// Versions whose pages are alike: Berkeley DB 3.1 to 6.
const VERSIONS: std::ops::RangeInclusive<u32> = 8..=10;
/// The description, as far as it is read.
const META: usize = 224;
const META_SUMS: u8 = 1;
const SPARES: usize = 96;

/// The head of each page.
const HEAD: usize = 26;
const TYPE_FREE: u8 = 0;
const TYPE_HASH_UNSORTED: u8 = 2;
const TYPE_OVERFLOW: u8 = 7;
const TYPE_HASH: u8 = 13;

/// An item on the page itself, and one on pages of its own.
const ITEM_HERE: u8 = 1;
const ITEM_OFF_PAGE: u8 = 3;

/// Shows the header of every package. What cannot be read is returned as problems, and the rest is
/// still shown.
pub(super) fn headers(
    root: &dyn Root,
    path: &str,
    show: &mut dyn FnMut(&[u8]),
) -> Result<Vec<String>, String> {
    let mut table = Table::open(Pieces::new(root, path))?;
    for bucket in 0..=table.last_bucket {
        match table.first_page(bucket) {
            Some(page) => table.chain(page, show),
            None => table.problems.add("a part of its table has no place"),
        }
    }
    table.find_unreached();
    Ok(table.problems.into_vec())
}

struct Table<'a> {
    file: Pieces<'a>,
    big_endian: bool,
    page_size: usize,
    last_page: u32,
    last_bucket: u32,
    spares: [u32; 32],
    /// Pages that were read: each is used once, so that loops end.
    used: HashSet<u32>,
    problems: Problems,
}

impl<'a> Table<'a> {
    fn open(mut file: Pieces<'a>) -> Result<Self, String> {
        let mut meta = [0; META];
        file.read(0, &mut meta)?;
        let says = |problem: &str| format!("{}: {problem}", file.path());
        let big_endian = match meta[12..16].try_into().map(u32::from_le_bytes) {
            Ok(HASH_MAGIC) => false,
            Ok(magic) if magic == HASH_MAGIC.swap_bytes() => true,
            _ => return Err(format!("{} is not a Berkeley DB hash table", file.path())),
        };
        let word = |at: usize| number(&meta, at, big_endian);
        if !VERSIONS.contains(&word(16)) {
            return Err(says(&format!(
                "version {} of Berkeley DB's hashes is not known",
                word(16)
            )));
        }
        if meta[24] != 0 {
            return Err(says("it is encrypted"));
        }
        if meta[26] & META_SUMS != 0 {
            return Err(says("its pages have checksums, as rpm never writes them"));
        }
        let page_size = word(20) as usize;
        if !(512..=65_536).contains(&page_size) || !page_size.is_power_of_two() {
            return Err(says(&format!("no database has pages of {page_size} bytes")));
        }
        let pages = u32::try_from(file.length()? / page_size as u64).unwrap_or(u32::MAX);
        let [mut last_page, mut last_bucket] = [word(32), word(72)];
        let mut problems = Problems::default();
        if last_page >= pages || last_bucket >= pages {
            problems.add("it is cut short");
            last_page = last_page.min(pages.saturating_sub(1));
            last_bucket = last_bucket.min(last_page);
        }
        let mut spares = [0; 32];
        for (index, spare) in spares.iter_mut().enumerate() {
            *spare = word(SPARES + index * 4);
        }
        let used = HashSet::new();
        Ok(Self { file, big_endian, page_size, last_page, last_bucket, spares, used, problems })
    }

    /// Where a bucket begins: buckets are made in groups, each twice as large as all before, and
    /// other pages lie between the groups.
    fn first_page(&self, bucket: u32) -> Option<u32> {
        let group = u32::BITS - bucket.leading_zeros();
        bucket.checked_add(*self.spares.get(group as usize)?)
    }

    /// Shows the values on a page and those that follow it.
    fn chain(&mut self, first: u32, show: &mut dyn FnMut(&[u8])) {
        let mut next = first;
        while next != 0 {
            let Some(page) = self.page(next, &[TYPE_HASH, TYPE_HASH_UNSORTED]) else { return };
            self.items(&page, show);
            next = self.word(&page, 16);
        }
    }

    fn items(&mut self, page: &[u8], show: &mut dyn FnMut(&[u8])) {
        let count = self.half(page, 20);
        let mut end = page.len();
        let mut key = None;
        for index in 0..count {
            let start = self.half(page, HEAD + index * 2);
            // Items lie one after another from the end of the page towards its index.
            if start < HEAD + count * 2 || start >= end {
                self.problems.add("a page of its table is damaged");
                return;
            }
            let item = &page[start..end];
            end = start;
            match key.take() {
                None => key = Some(item),
                Some(key) => self.pair(key, item, show),
            }
        }
        if key.is_some() || (count > 0 && end != self.half(page, 22)) {
            self.problems.add("a page of its table has lost packages");
        }
    }

    fn pair(&mut self, key: &[u8], value: &[u8], show: &mut dyn FnMut(&[u8])) {
        // Zero is where rpm kept the number that the next package gets.
        if key.first() != Some(&ITEM_HERE) || key.len() != 5 {
            self.problems.add("the number of a package is damaged");
            return;
        }
        if key[1..] == [0; 4] {
            return;
        }
        match (value.first(), value.len()) {
            (Some(&ITEM_HERE), _) => show(&value[1..]),
            (Some(&ITEM_OFF_PAGE), 12) => match self.off_page(value) {
                Some(header) => show(&header),
                None => self.problems.add("the header of a package cannot be read"),
            },
            _ => self.problems.add("the header of a package is damaged"),
        }
    }

    /// A value on pages of its own.
    fn off_page(&mut self, item: &[u8]) -> Option<Vec<u8>> {
        let length = usize::try_from(self.word(item, 8)).ok()?;
        if length > MAX_HEADER {
            return None;
        }
        let mut next = self.word(item, 4);
        let mut value = Vec::new();
        while value.len() < length {
            let page = self.page(next, &[TYPE_OVERFLOW])?;
            let here = page.get(HEAD..HEAD + self.half(&page, 22))?;
            if here.is_empty() || here.len() > length - value.len() {
                return None;
            }
            value.extend_from_slice(here);
            next = self.word(&page, 16);
        }
        (next == 0).then_some(value)
    }

    /// A page that was not used yet and is of one of these types.
    fn page(&mut self, number: u32, types: &[u8]) -> Option<Vec<u8>> {
        if number == 0 || number > self.last_page {
            self.problems.add("a page lies outside the file");
            return None;
        }
        if !self.used.insert(number) {
            self.problems.add("its pages form a loop");
            return None;
        }
        let mut page = vec![0; self.page_size];
        if let Err(problem) = self.file.read(u64::from(number) * self.page_size as u64, &mut page) {
            self.problems.add(&problem);
            return None;
        }
        if self.word(&page, 8) != number || !types.contains(&page[25]) {
            self.problems.add("a page is not what it should be");
            return None;
        }
        Some(page)
    }

    /// A page with content that no bucket leads to means that a link is damaged, and packages are
    /// missing.
    fn find_unreached(&mut self) {
        let mut head = [0; HEAD];
        for number in 1..=self.last_page {
            if self.used.contains(&number) {
                continue;
            }
            let offset = u64::from(number) * self.page_size as u64;
            if let Err(problem) = self.file.read(offset, &mut head) {
                self.problems.add(&problem);
                return;
            }
            let empty = match head[25] {
                TYPE_FREE => true,
                TYPE_HASH | TYPE_HASH_UNSORTED => self.half(&head, 20) == 0,
                _ => false,
            };
            if !empty {
                self.problems.add("nothing leads to one of its pages");
                return;
            }
        }
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        number(bytes, at, self.big_endian)
    }

    fn half(&self, bytes: &[u8], at: usize) -> usize {
        let half = bytes.get(at..at + 2).and_then(|half| half.try_into().ok()).unwrap_or_default();
        usize::from(if self.big_endian {
            u16::from_be_bytes(half)
        } else {
            u16::from_le_bytes(half)
        })
    }
}

fn number(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).unwrap_or_default();
    if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}
