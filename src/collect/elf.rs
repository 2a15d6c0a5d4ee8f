//! ELF files: elf(5). Only what is asked for is read, and nothing that a header claims is believed
//! beyond the bytes that are there.

use std::borrow::Cow;
use std::io;

use super::root::Content;

/// The header and, in nearly every file, all program headers.
const HEAD: usize = 1024;
/// More program headers than any linker writes.
const MAX_SEGMENTS: usize = 256;
/// More sections than any linker writes.
const MAX_SECTIONS: usize = 4096;
/// The most bytes of the sections' names.
const MAX_NAMES: usize = 1 << 20;

const PT_LOAD: u32 = 1;

/// A program header.
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) size: u64,
    address: u64,
}

/// Where a section lies in the file.
pub(super) struct Section {
    offset: u64,
    size: u64,
}

/// A file whose ident is right.
pub(super) struct Elf<'a> {
    head: &'a [u8],
    content: &'a dyn Content,
    wide: bool,
    little: bool,
}

impl<'a> Elf<'a> {
    /// Reads the beginning of a file into `head`; `None` where it is no ELF.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn open(
        head: &'a mut Vec<u8>,
        content: &'a dyn Content,
    ) -> io::Result<Option<Self>> {
        head.resize(HEAD, 0);
        let length = content.read_at(0, head)?;
        head.truncate(length);
        Ok(Self::new(head, content))
    }

    fn new(head: &'a [u8], content: &'a dyn Content) -> Option<Self> {
        let ident = head.get(..6)?;
        let (wide, little) = match (ident.get(..4)?, ident[4], ident[5]) {
            (b"\x7fELF", class @ 1..=2, order @ 1..=2) => (class == 2, order == 1),
            _ => return None,
        };
        Some(Self { head, content, wide, little })
    }

    /// Whether words have 64 bits.
    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }

    /// Bytes of the file, from what was read of it already where they lie there.
    pub(super) fn bytes(&self, offset: u64, length: usize) -> Option<Cow<'a, [u8]>> {
        let start = usize::try_from(offset).ok();
        let inside = start.and_then(|start| self.head.get(start..start.checked_add(length)?));
        if let Some(inside) = inside {
            return Some(Cow::Borrowed(inside));
        }
        let mut bytes = vec![0; length];
        let filled = self.content.read_at(offset, &mut bytes).ok()?;
        bytes.truncate(filled);
        Some(Cow::Owned(bytes))
    }

    /// A number of any width in the file's order.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
    }

    /// Two bytes of the header.
    pub(super) fn half(&self, at: usize) -> Option<u16> {
        u16::try_from(self.number(self.head.get(at..at + 2)?)).ok()
    }

    /// The program headers; `None` where they are not what they should be.
    pub(super) fn segments(&self) -> Option<Vec<Segment>> {
        let (place, size_at, least) = if self.wide { (32..40, 54, 56) } else { (28..32, 42, 32) };
        let table = self.table(place, size_at, least, MAX_SEGMENTS)?;
        let size = usize::from(self.half(size_at)?);
        let segment = |header: &[u8]| {
            let (flags_at, offset_at, address_at, size_at, width) =
                if self.wide { (4, 8, 16, 32, 8) } else { (24, 4, 8, 16, 4) };
            Some(Segment {
                kind: u32::try_from(self.field(header, 0, 4)).ok()?,
                flags: u32::try_from(self.field(header, flags_at, 4)).ok()?,
                offset: self.field(header, offset_at, width),
                address: self.field(header, address_at, width),
                size: self.field(header, size_at, width),
            })
        };
        table.chunks_exact(size).map(segment).collect()
    }

    /// A section by its name.
    pub(super) fn section(&self, name: &str) -> Option<Section> {
        let (place, size_at, least) = if self.wide { (40..48, 58, 64) } else { (32..36, 46, 40) };
        let table = self.table(place, size_at, least, MAX_SECTIONS)?;
        let size = usize::from(self.half(size_at)?);
        let section = |header: &[u8]| {
            let (offset_at, size_at, width) = if self.wide { (24, 32, 8) } else { (16, 20, 4) };
            Section {
                offset: self.field(header, offset_at, width),
                size: self.field(header, size_at, width),
            }
        };
        let names = table.chunks_exact(size).nth(usize::from(self.half(size_at + 4)?))?;
        let names = self.section_bytes(&section(names), MAX_NAMES as u64)?;
        let named = |header: &&[u8]| {
            let at = usize::try_from(self.field(header, 0, 4)).unwrap_or(usize::MAX);
            let rest = names.get(at..).and_then(|rest| rest.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| rest.first() == Some(&0))
        };
        table.chunks_exact(size).find(named).map(section)
    }

    /// The bytes of a section; `None` where the file does not hold them or it has more than `most`.
    pub(super) fn section_bytes(&self, section: &Section, most: u64) -> Option<Cow<'a, [u8]>> {
        let size = usize::try_from(section.size).ok().filter(|size| *size as u64 <= most)?;
        self.bytes(section.offset, size).filter(|bytes| bytes.len() == size)
    }

    /// The bytes that are loaded at an address.
    pub(super) fn at_address(&self, address: u64, length: u64) -> Option<Vec<u8>> {
        let segments = self.segments()?;
        let (segment, within) = segments.iter().find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            let inside = segment.kind == PT_LOAD && within.checked_add(length)? <= segment.size;
            inside.then_some((segment, within))
        })?;
        let length = usize::try_from(length).ok()?;
        let bytes = self.bytes(segment.offset.checked_add(within)?, length)?;
        (bytes.len() == length).then(|| bytes.into_owned())
    }

    /// A table of headers: where the place is in the file's header, and where the size of one, which
    /// the count follows.
    fn table(
        &self,
        place: std::ops::Range<usize>,
        size_at: usize,
        least: usize,
        most: usize,
    ) -> Option<Cow<'a, [u8]>> {
        let offset = self.number(self.head.get(place)?);
        let size = usize::from(self.half(size_at)?);
        let count = usize::from(self.half(size_at + 2)?);
        if size < least || count > most || size > 4096 {
            return None;
        }
        self.bytes(offset, size * count).filter(|table| table.len() == size * count)
    }

    fn field(&self, header: &[u8], at: usize, width: usize) -> u64 {
        header.get(at..at + width).map_or(0, |bytes| self.number(bytes))
    }
}
