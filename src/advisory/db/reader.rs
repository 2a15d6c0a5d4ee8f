//! Opening a database and reading parts of it. As with snapshots, the file is never mapped: what is
//! read is a copy whose hash is checked before use, so that a file that changes meanwhile gives an
//! error and neither a signal nor other advisories. What is read depends on the host, not on the
//! size of the database: the index of its release, and the blocks of texts that it needs.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::blocks::{self, Directory, Opened};
use super::bytes::Cursor;
use super::record::{AdvisoryText, ExceptionText, FeedInfo, VulnerabilityText};
use super::release::Release;
use super::toc::{self, Entry};
use super::{DbError, layout};
use crate::advisory::record::Ecosystem;

/// Decompressed texts that are kept for the next host, in bytes.
pub const MAX_KEPT: usize = 8 << 20;

/// An opened database. Several threads may ask it at once.
#[derive(Debug)]
pub struct Database {
    source: Source,
    id: String,
    feeds: Vec<FeedInfo>,
    sections: Vec<Section>,
    recent: Mutex<Recent>,
}

#[derive(Debug)]
enum Source {
    File(File, u64),
    Memory(Vec<u8>),
}

/// A section and what was read of it.
#[derive(Debug)]
struct Section {
    entry: Entry,
    release: OnceLock<Result<Arc<Release>, DbError>>,
    directory: OnceLock<Result<Directory, DbError>>,
    exceptions: OnceLock<Result<Vec<ExceptionText>, DbError>>,
}

/// Blocks of texts that were used lately: all are forgotten when they become too many.
#[derive(Debug, Default)]
struct Recent {
    blocks: BTreeMap<(u64, usize), Arc<Opened>>,
    bytes: usize,
}

fn unreadable(error: std::io::Error) -> DbError {
    DbError::Unreadable(error.to_string())
}

impl Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// A range, copied, once it is known to lie in the file.
    fn read(&self, at: u64, len: u64) -> Result<Vec<u8>, DbError> {
        let short = || DbError::Truncated(format!("{len} bytes are missing at {at}"));
        let end = at.checked_add(len).filter(|end| *end <= self.len()).ok_or_else(short)?;
        let size = usize::try_from(len).map_err(|_| short())?;
        match self {
            Self::File(file, _) => {
                let mut bytes = vec![0; size];
                file.read_exact_at(&mut bytes, at).map_err(|error| match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => short(),
                    _ => unreadable(error),
                })?;
                Ok(bytes)
            }
            Self::Memory(bytes) => {
                let range = usize::try_from(at).ok().zip(usize::try_from(end).ok());
                let slice = range.and_then(|(at, end)| bytes.get(at..end));
                slice.map(<[u8]>::to_vec).ok_or_else(short)
            }
        }
    }
}

impl Database {
    /// Opens a database file.
    ///
    /// # Errors
    /// It is none, is cut or damaged, or cannot be read. Only what is read now is checked now.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        let regular = std::fs::metadata(path).map_err(unreadable)?.is_file();
        if !regular {
            return Err(DbError::Unreadable("it is not a regular file".into()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        Self::over(Source::File(file, len))
    }

    /// A database in memory.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, DbError> {
        Self::over(Source::Memory(bytes))
    }

    fn over(source: Source) -> Result<Self, DbError> {
        let there = source.len().min(layout::HEADER_LEN as u64);
        let header = source.read(0, there)?;
        let magic = header.get(..layout::MAGIC.len().min(header.len())).unwrap_or_default();
        if magic.is_empty() || !layout::MAGIC.starts_with(magic) {
            return Err(DbError::NotADatabase);
        }
        let mut cursor = Cursor(header.get(layout::MAGIC.len()..).unwrap_or_default());
        let cut = |_| DbError::Truncated(format!("it has {there} bytes"));
        let version = cursor.u32().map_err(cut)?;
        if version != layout::FORMAT_VERSION {
            return Err(DbError::NewerFormat(version));
        }
        let len = cursor.u32().map_err(cut)?;
        let hash = cursor.hash().map_err(cut)?;
        if len as usize > layout::MAX_TOC {
            return Err(DbError::malformed("the table of contents", "it is too large"));
        }
        let header_len = layout::HEADER_LEN as u64;
        let table = source.read(header_len, u64::from(len))?;
        let id = blake3::hash(&table);
        if *id.as_bytes() != hash {
            return Err(DbError::HashMismatch("the table of contents".into()));
        }
        let entries = toc::decode(&table, header_len + u64::from(len), source.len())?;
        let mut database = Self {
            source,
            id: id.to_hex().to_string(),
            feeds: Vec::new(),
            sections: entries.into_iter().map(Section::new).collect(),
            recent: Mutex::default(),
        };
        for kind in [layout::FEEDS, layout::ADVISORIES, layout::VULNERABILITIES, layout::EXCEPTIONS]
        {
            database.section(kind, "")?;
        }
        let section = database.section(layout::FEEDS, "")?;
        let head = database.head(&section.entry)?;
        let mut cursor = Cursor(&head);
        let feeds = cursor.list(FeedInfo::decode).and_then(|feeds| cursor.end().map(|()| feeds));
        database.feeds =
            feeds.map_err(|problem| DbError::malformed("the list of feeds", problem))?;
        Ok(database)
    }

    fn section(&self, kind: u8, name: &str) -> Result<&Section, DbError> {
        let found = self.find(kind, name);
        found.ok_or_else(|| DbError::malformed("the table of contents", "a section is missing"))
    }

    fn find(&self, kind: u8, name: &str) -> Option<&Section> {
        let wanted = |one: &&Section| one.entry.kind == kind && one.entry.name == name;
        self.sections.iter().find(wanted)
    }

    /// The head of a section, its hash checked.
    fn head(&self, entry: &Entry) -> Result<Vec<u8>, DbError> {
        let bytes = self.source.read(entry.at, entry.head)?;
        if *blake3::hash(&bytes).as_bytes() == entry.hash {
            Ok(bytes)
        } else {
            Err(DbError::HashMismatch(entry.place()))
        }
    }

    /// The BLAKE3 of the table of contents, in hexadecimal: it names the whole database.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.source.len()
    }

    /// Bytes of the file as they are, for its signature.
    pub(super) fn read(&self, at: u64, len: u64) -> Result<Vec<u8>, DbError> {
        self.source.read(at, len)
    }

    /// The feeds that it was made from.
    pub fn feeds(&self) -> &[FeedInfo] {
        &self.feeds
    }

    /// The releases that it has advisories about.
    pub fn ecosystems(&self) -> impl Iterator<Item = Ecosystem> {
        let releases = self.sections.iter().filter(|one| one.entry.kind == layout::RELEASE);
        releases.map(|section| Ecosystem::named(&section.entry.name))
    }

    /// The index of a release; none where the database says nothing of it.
    ///
    /// # Errors
    /// Its bytes are damaged.
    pub fn release(&self, ecosystem: &Ecosystem) -> Result<Option<Arc<Release>>, DbError> {
        let Some(section) = self.find(layout::RELEASE, &ecosystem.to_string()) else {
            return Ok(None);
        };
        let read = || {
            let head = self.head(&section.entry)?;
            blocks::unpack(&head)
                .and_then(|index| Release::decode(index, ecosystem.clone()))
                .map(Arc::new)
                .map_err(|problem| DbError::malformed(section.entry.place(), problem))
        };
        section.release.get_or_init(read).clone().map(Some)
    }

    /// The text of a version of a release, by its number there.
    ///
    /// # Errors
    /// Its bytes are damaged, or there is no such version.
    pub fn version(&self, ecosystem: &Ecosystem, number: u32) -> Result<String, DbError> {
        let section = self.section(layout::VERSIONS, &ecosystem.to_string())?;
        self.text(section, number, |bytes| {
            String::from_utf8(bytes.to_vec()).map_err(|_| "a version is not UTF-8")
        })
    }

    /// What an advisory says.
    ///
    /// # Errors
    /// Its bytes are damaged, or there is no such advisory.
    pub fn advisory(&self, number: u32) -> Result<AdvisoryText, DbError> {
        let section = self.section(layout::ADVISORIES, "")?;
        let text = self.text(section, number, AdvisoryText::decode)?;
        if text.feed < self.feeds.len() {
            return Ok(text);
        }
        Err(DbError::malformed(section.entry.place(), "there is no such feed"))
    }

    /// What is known of a vulnerability.
    ///
    /// # Errors
    /// Its bytes are damaged, or there is no such vulnerability.
    pub fn vulnerability(&self, number: u32) -> Result<VulnerabilityText, DbError> {
        self.text(self.section(layout::VULNERABILITIES, "")?, number, VulnerabilityText::decode)
    }

    /// The number of the vulnerability with this id: they stand in the order of their ids.
    ///
    /// # Errors
    /// The bytes on the way to it are damaged.
    pub fn find_vulnerability(&self, id: &str) -> Result<Option<u32>, DbError> {
        let (mut low, mut high) = (0, self.vulnerabilities()?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.vulnerability(middle)?.id.as_str().cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }

    /// How many vulnerabilities there are.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn vulnerabilities(&self) -> Result<u32, DbError> {
        Ok(self.directory(self.section(layout::VULNERABILITIES, "")?)?.records)
    }

    /// How many advisories there are.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn advisories(&self) -> Result<u32, DbError> {
        Ok(self.directory(self.section(layout::ADVISORIES, "")?)?.records)
    }

    /// The statements that silence matches.
    ///
    /// # Errors
    /// Their bytes are damaged.
    pub fn exceptions(&self) -> Result<&[ExceptionText], DbError> {
        let section = self.section(layout::EXCEPTIONS, "")?;
        let read = || {
            let head = self.head(&section.entry)?;
            let mut cursor = Cursor(&head);
            let list = cursor.list(ExceptionText::decode);
            list.and_then(|list| cursor.end().map(|()| list))
                .map_err(|problem| DbError::malformed(section.entry.place(), problem))
        };
        section.exceptions.get_or_init(read).as_deref().map_err(Clone::clone)
    }

    fn directory<'a>(&self, section: &'a Section) -> Result<&'a Directory, DbError> {
        let read = || {
            let head = self.head(&section.entry)?;
            Directory::decode(&head, section.entry.body)
                .map_err(|problem| DbError::malformed(section.entry.place(), problem))
        };
        section.directory.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// Decodes one record of a section of texts.
    fn text<T>(
        &self,
        section: &Section,
        number: u32,
        decode: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<T, DbError> {
        let bad = |problem| DbError::malformed(section.entry.place(), problem);
        let found = self.directory(section)?.find(number);
        let (index, block, place) = found.ok_or_else(|| bad("there is no such record"))?;
        let opened = self.block(section, index, block)?;
        opened.record(place).and_then(decode).map_err(bad)
    }

    fn block(
        &self,
        section: &Section,
        index: usize,
        block: &blocks::Block,
    ) -> Result<Arc<Opened>, DbError> {
        let key = (section.entry.at, index);
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent().blocks.get(&key) {
            return Ok(Arc::clone(known));
        }
        let opened = block.open(&self.stored(section, block)?, &section.entry.place())?;
        let mut recent = recent();
        if recent.bytes + opened.size() > MAX_KEPT {
            *recent = Recent::default();
        }
        recent.bytes += opened.size();
        recent.blocks.insert(key, Arc::clone(&opened));
        Ok(opened)
    }

    fn stored(&self, section: &Section, block: &blocks::Block) -> Result<Vec<u8>, DbError> {
        let at = section.entry.at + section.entry.head + block.at;
        self.source.read(at, block.stored as u64)
    }

    /// Reads every byte, compares every hash, and decodes every record.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), DbError> {
        let (advisories, vulnerabilities) = (self.advisories()?, self.vulnerabilities()?);
        for section in &self.sections {
            let (entry, name) = (&section.entry, Ecosystem::named(&section.entry.name));
            match entry.kind {
                layout::FEEDS => {}
                layout::RELEASE => {
                    let release = self.release(&name)?;
                    let versions = self.section(layout::VERSIONS, &entry.name)?;
                    let texts = self.directory(versions)?.records;
                    let check = |release: &Release| match release.versions() == texts {
                        true => release.check(advisories, vulnerabilities),
                        false => Err("it has another number of versions than of their texts"),
                    };
                    release
                        .map_or(Ok(()), |release| check(&release))
                        .map_err(|problem| DbError::malformed(entry.place(), problem))?;
                }
                layout::VERSIONS => {
                    self.each(section, &|bytes| {
                        std::str::from_utf8(bytes).map(drop).map_err(|_| "a version is not UTF-8")
                    })?;
                }
                layout::ADVISORIES => {
                    let feeds = self.feeds.len();
                    self.each(section, &|bytes| match AdvisoryText::decode(bytes)?.feed {
                        feed if feed < feeds => Ok(()),
                        _ => Err("there is no such feed"),
                    })?;
                }
                layout::VULNERABILITIES => {
                    self.each(section, &|bytes| VulnerabilityText::decode(bytes).map(drop))?;
                }
                layout::EXCEPTIONS => {
                    let known = |one: &ExceptionText| one.vulnerability < vulnerabilities;
                    if !self.exceptions()?.iter().all(known) {
                        return Err(DbError::malformed(
                            entry.place(),
                            "a vulnerability is out of place",
                        ));
                    }
                }
                _ => return Err(DbError::malformed(entry.place(), "its kind is not known")),
            }
        }
        Ok(())
    }

    /// Shows every record of a section of texts.
    fn each(
        &self,
        section: &Section,
        show: &dyn Fn(&[u8]) -> Result<(), &'static str>,
    ) -> Result<(), DbError> {
        let place = section.entry.place();
        for block in &self.directory(section)?.blocks {
            let opened = block.open(&self.stored(section, block)?, &place)?;
            opened
                .records()
                .try_for_each(show)
                .map_err(|problem| DbError::malformed(&*place, problem))?;
        }
        Ok(())
    }
}

impl Section {
    fn new(entry: Entry) -> Self {
        Self {
            entry,
            release: OnceLock::new(),
            directory: OnceLock::new(),
            exceptions: OnceLock::new(),
        }
    }
}
