//! From the bytes of a file to the documents in it: decompression and archives, bounded.
//!
//! A document is read as a stream. Three bounds hold together: what all of it decompresses to, that
//! in relation to the compressed size, and what a reader takes in for one entry (an advisory, a
//! definition), so that no length that a feed claims is believed before the bytes are there.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use rawzip::{CompressionMethod, ZipArchive};

use super::error::FeedError;
use super::output::Output;
use super::tarball;

/// What one file may decompress to, in bytes. The largest real one, all of OSV, has about 3 GB.
const MAX_TOTAL: u64 = 16 << 30;
/// Real feeds are XML and JSON and compress up to about 60 to 1; this many to one, and a start for
/// small files, are allowed.
const MAX_RATIO: u64 = 400;
const RATIO_START: u64 = 64 << 20;
/// What one entry may have, in bytes. The largest real ones, of kernels, have a few megabytes.
pub(super) const MAX_ENTRY: u64 = 64 << 20;
/// The window that a compressed stream may ask for: that of `xz -9` and `zstd --long=27`.
const MAX_WINDOW_KIB: u32 = 128 << 10;
/// How much is looked at to tell what a file is.
const HEAD: u64 = 256 << 10;
/// Why a member is left out.
const NO_FEED: &str = "a file in the archive that is no feed";
/// Members of an archive with another ending are not feeds: licences, checksums.
const ENDINGS: [&str; 7] = ["json", "jsonl", "ndjson", "xml", "csv", "yaml", "yml"];

/// What may still be read.
#[derive(Debug)]
pub(super) struct Budget {
    total: Cell<u64>,
    entry: Cell<u64>,
    max_entry: Cell<u64>,
}

impl Budget {
    /// For what many bytes, compressed or not, decompress to.
    pub(super) fn new(compressed: usize) -> Rc<Self> {
        let by_ratio = (compressed as u64).saturating_mul(MAX_RATIO).saturating_add(RATIO_START);
        Rc::new(Self {
            total: Cell::new(by_ratio.min(MAX_TOTAL)),
            entry: Cell::new(MAX_ENTRY),
            max_entry: Cell::new(MAX_ENTRY),
        })
    }

    /// The next entry begins.
    pub(super) fn entry(&self) {
        self.entry.set(self.max_entry.get());
    }

    /// Entries may have this many bytes.
    pub(super) fn entries_up_to(&self, bytes: u64) {
        self.max_entry.set(bytes);
        self.entry.set(bytes);
    }

    fn take(&self, read: u64) -> Result<(), FeedError> {
        let total = self.total.get().checked_sub(read).ok_or_else(|| {
            FeedError::TooLarge("it decompresses to far more than real feeds do".into())
        })?;
        let entry = self.entry.get().checked_sub(read).ok_or_else(|| {
            FeedError::TooLarge(format!("one entry has more than {} bytes", self.max_entry.get()))
        })?;
        self.total.set(total);
        self.entry.set(entry);
        Ok(())
    }
}

/// A stream that ends with an error where the budget does.
struct Bounded<R> {
    inner: R,
    budget: Rc<Budget>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.take(read as u64)?;
        Ok(read)
    }
}

/// One document: a file, or a member of an archive.
pub(super) struct Document<'a> {
    /// The name of the file or member.
    pub(super) name: &'a str,
    /// The bytes, decompressed and bounded.
    pub(super) reader: Box<dyn BufRead + 'a>,
    /// The bound, to be told where entries begin.
    pub(super) budget: Rc<Budget>,
    /// The bytes as they are stored, and how they are packed.
    stored: &'a [u8],
    packing: Packing,
}

/// How a document is packed where it is stored.
#[derive(Debug, Clone, Copy)]
enum Packing {
    /// As a file is: by its magic bytes.
    File,
    /// A member of an archive, deflated or not.
    Member { deflated: bool },
}

impl Packing {
    fn open(self, stored: &[u8]) -> Result<Box<dyn Read + '_>, FeedError> {
        match self {
            Self::File => decompress(stored),
            Self::Member { deflated: false } => Ok(Box::new(stored)),
            Self::Member { deflated: true } => {
                Ok(Box::new(flate2::bufread::DeflateDecoder::new(stored)))
            }
        }
    }
}

impl<'a> Document<'a> {
    /// Over the bytes of a file.
    pub(super) fn new(
        name: &'a str,
        bytes: &'a [u8],
        budget: &Rc<Budget>,
    ) -> Result<Self, FeedError> {
        let reader = Packing::File.open(bytes)?;
        Ok(Self::over(name, reader, budget, bytes, Packing::File))
    }

    /// The same document from its beginning, for a reader that needs it twice. The budget is one
    /// for both; a member's checksum is compared by the first reading alone.
    pub(super) fn again(&self) -> Result<Self, FeedError> {
        let reader = self.packing.open(self.stored)?;
        Ok(Self::over(self.name, reader, &self.budget, self.stored, self.packing))
    }

    /// The bytes, for a reader that wants to own them.
    pub(super) fn take(&mut self) -> Box<dyn BufRead + 'a> {
        std::mem::replace(&mut self.reader, Box::new(io::empty()))
    }

    fn over(
        name: &'a str,
        inner: Box<dyn Read + 'a>,
        budget: &Rc<Budget>,
        stored: &'a [u8],
        packing: Packing,
    ) -> Self {
        let bounded = Bounded { inner, budget: Rc::clone(budget) };
        let reader = Box::new(BufReader::with_capacity(64 << 10, bounded));
        budget.entry();
        Self { name, reader, budget: Rc::clone(budget), stored, packing }
    }
}

/// Hands every document of a file to `read`.
pub(super) fn each(
    name: &str,
    bytes: &[u8],
    out: &mut Output<'_>,
    read: fn(&mut Document<'_>, &mut Output<'_>) -> Result<(), FeedError>,
) -> Result<(), FeedError> {
    let budget = Budget::new(bytes.len());
    if is_tar(bytes)? {
        let mut archive = Document::new(name, bytes, &budget)?;
        let mut left_out = 0;
        tarball::members(
            &mut archive,
            &mut |member| read(member, out).map(|()| true),
            &mut || left_out += 1,
        )?;
        out.leave_out_many(NO_FEED, left_out);
        return Ok(());
    }
    if !is_zip(bytes) {
        return read(&mut Document::new(name, bytes, &budget)?, out);
    }
    let mut names = BTreeSet::new();
    members(bytes, &budget, &mut |member| {
        if !names.insert(member.name.to_owned()) {
            let problem = "the archive has two members of this name";
            return Err(FeedError::Forbidden(problem.into()).within(member.name));
        }
        if !is_feed_name(member.name) {
            out.leave_out(NO_FEED);
            return Ok(true);
        }
        read(member, out)
            .and_then(|()| rest_is_sound(member))
            .map_err(|error| error.within(member.name))?;
        Ok(true)
    })
}

/// The beginning of the file's first document, for telling what it is.
pub(super) fn head(bytes: &[u8]) -> Result<Vec<u8>, FeedError> {
    let budget = Budget::new(bytes.len());
    let mut head = Vec::new();
    if is_tar(bytes)? {
        tarball::members(
            &mut Document::new("", bytes, &budget)?,
            &mut |member| {
                member.reader.as_mut().take(HEAD).read_to_end(&mut head)?;
                Ok(false)
            },
            &mut || {},
        )?;
        return Ok(head);
    }
    if !is_zip(bytes) {
        Document::new("", bytes, &budget)?.reader.take(HEAD).read_to_end(&mut head)?;
        return Ok(head);
    }
    members(bytes, &budget, &mut |member| {
        if !is_feed_name(member.name) {
            return Ok(true);
        }
        member.reader.as_mut().take(HEAD).read_to_end(&mut head)?;
        Ok(false)
    })?;
    Ok(head)
}

fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Whether a file, decompressed, is a tar archive.
fn is_tar(bytes: &[u8]) -> Result<bool, FeedError> {
    let mut head = Vec::new();
    if is_zip(bytes) {
        return Ok(false);
    }
    decompress(bytes)?.take(512).read_to_end(&mut head)?;
    Ok(tarball::is_tar(&head))
}

/// Whether a file of this name, in an archive or a directory, may be a feed.
pub fn is_feed_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

/// Reads what a reader left of a member, so that its checksum is compared.
fn rest_is_sound(member: &mut Document<'_>) -> Result<(), FeedError> {
    member.budget.entry();
    io::copy(&mut member.reader, &mut io::sink())?;
    Ok(())
}

/// Hands every file of a zip archive to `each` until that says no.
fn members(
    bytes: &[u8],
    budget: &Rc<Budget>,
    each: &mut dyn FnMut(&mut Document<'_>) -> Result<bool, FeedError>,
) -> Result<(), FeedError> {
    let archive = ZipArchive::from_slice(bytes).map_err(|error| damaged(&error))?;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(|error| damaged(&error))? {
        if entry.is_dir() {
            continue;
        }
        let path = entry.file_path();
        let name = String::from_utf8_lossy(path.as_ref());
        let go_on = member(&archive, &entry, &name, budget, each)?;
        if !go_on {
            break;
        }
    }
    Ok(())
}

fn member(
    archive: &rawzip::ZipSliceArchive<&[u8]>,
    entry: &rawzip::ZipFileHeaderRecord<'_>,
    name: &str,
    budget: &Rc<Budget>,
    each: &mut dyn FnMut(&mut Document<'_>) -> Result<bool, FeedError>,
) -> Result<bool, FeedError> {
    let stored =
        archive.get_entry(entry.wayfinder()).map_err(|error| damaged(&error).within(name))?;
    let data = stored.data();
    let deflated = match entry.compression_method() {
        CompressionMethod::STORE => false,
        CompressionMethod::DEFLATE => true,
        other => {
            let problem = format!("the archive's compression method {other:?} is not known");
            return Err(FeedError::malformed(problem).within(name));
        }
    };
    let packing = Packing::Member { deflated };
    let inner = Box::new(stored.verifying_reader(packing.open(data)?));
    each(&mut Document::over(name, inner, budget, data, packing))
}

fn damaged(error: &rawzip::Error) -> FeedError {
    FeedError::malformed(format!("the zip archive is damaged: {error}"))
}

/// The stream that a compressed file holds, by its magic bytes; others as they are.
fn decompress(bytes: &[u8]) -> Result<Box<dyn Read + '_>, FeedError> {
    Ok(match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, MAX_WINDOW_KIB + 1024))
        }
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(bytes)?),
        _ => Box::new(bytes),
    })
}
