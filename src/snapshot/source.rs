//! The bytes of a container, in memory or in a file. A file is never mapped: every read is a copy
//! whose hash is checked before use, so a file that is cut or changed while it is judged gives an
//! error and neither a signal nor other facts.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::toc::{Entry, Frame, Toc};
use super::{SnapshotError, layout};

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Vec<u8>),
    File { file: File, len: u64 },
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, SnapshotError> {
        // A pipe must not wait for its writer, and a device must not begin to do something.
        let regular = |meta: &Metadata| match meta.is_file() {
            true => Ok(()),
            false => Err(SnapshotError::Unreadable("it is not a regular file".into())),
        };
        regular(&std::fs::metadata(path).map_err(unreadable)?)?;
        let flags = OFlags::NONBLOCK.union(OFlags::NOCTTY).bits().cast_signed();
        let open = File::options().read(true).custom_flags(flags).open(path);
        let file = open.map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        regular(&meta)?;
        Ok(Self::File { file, len: meta.len() })
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// The bytes of a range that lies within [`Source::len`], copied.
    pub(super) fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, SnapshotError> {
        let short = || SnapshotError::Truncated(format!("{len} bytes are missing at {at}"));
        if at.checked_add(len as u64).is_none_or(|end| end > self.len()) {
            return Err(short());
        }
        match self {
            Self::Memory(_) => self.slice(at, len).map(<[u8]>::to_vec).ok_or_else(short),
            Self::File { file, .. } => {
                let mut bytes = vec![0; len];
                file.read_exact_at(&mut bytes, at).map_err(|error| match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => short(),
                    _ => unreadable(error),
                })?;
                Ok(bytes)
            }
        }
    }

    /// The bytes of a range without a copy, where they are in memory.
    fn slice(&self, at: u64, len: usize) -> Option<&[u8]> {
        match self {
            Self::Memory(bytes) => {
                let at = usize::try_from(at).ok()?;
                bytes.get(at..at.checked_add(len)?)
            }
            Self::File { .. } => None,
        }
    }

    /// The stored bytes of one frame, its hash checked.
    pub(super) fn stored(
        &self,
        entry: &Entry,
        frame: &Frame,
        at: u64,
    ) -> Result<Cow<'_, [u8]>, SnapshotError> {
        let stored = match self.slice(at, frame.stored) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(self.read(at, frame.stored)?),
        };
        if *blake3::hash(&stored).as_bytes() == frame.hash {
            Ok(stored)
        } else {
            Err(SnapshotError::HashMismatch(format!("section {:?}", entry.name)))
        }
    }

    /// Appends the raw bytes of one frame to `out`, its hash and its length checked.
    pub(super) fn frame(
        &self,
        entry: &Entry,
        frame: &Frame,
        at: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), SnapshotError> {
        let stored = self.stored(entry, frame, at)?;
        match entry.codec {
            layout::CODEC_RAW => out.extend_from_slice(&stored),
            layout::CODEC_ZSTD => decompress(entry, &stored, frame.raw, out)?,
            other => {
                return Err(SnapshotError::NewerFormat {
                    what: format!("the codec of section {:?}", entry.name),
                    found: u64::from(other),
                    known: u64::from(layout::CODEC_ZSTD),
                });
            }
        }
        Ok(())
    }

    /// Reads and checks everything around the sections. Gives the table of contents and its hash.
    pub(super) fn contents(&self) -> Result<(Toc, [u8; layout::HASH_LEN]), SnapshotError> {
        self.header()?;
        let truncated = |what: &str| SnapshotError::Truncated(what.to_owned());
        let (header, footer) = (layout::HEADER_LEN as u64, layout::FOOTER_LEN as u64);
        let before = (self.len().checked_sub(header + footer))
            .ok_or_else(|| truncated("it has no room for a footer"))?;
        let footer = self.read(header + before, layout::FOOTER_LEN)?;
        let (len, rest) = footer.split_at(8);
        let (hash, end) = rest.split_at(layout::HASH_LEN);
        if end != layout::END_MAGIC {
            return Err(truncated("it does not end with the footer"));
        }
        let len = u64::from_le_bytes(len.try_into().unwrap_or_default());
        let sections = before.checked_sub(len);
        let sections = sections.ok_or_else(|| truncated("its table of contents is not whole"))?;
        let len = usize::try_from(len).ok().filter(|len| *len <= layout::MAX_TOC);
        let len =
            len.ok_or_else(|| SnapshotError::too_large("the table of contents", layout::MAX_TOC))?;
        let bytes = self.read(header + sections, len)?;
        let id = blake3::hash(&bytes);
        if id.as_bytes() != hash {
            return Err(SnapshotError::HashMismatch("the table of contents".into()));
        }
        Ok((Toc::decode(&bytes, sections)?, *id.as_bytes()))
    }

    fn header(&self) -> Result<(), SnapshotError> {
        let there = usize::try_from(self.len()).unwrap_or(usize::MAX).min(layout::HEADER_LEN);
        let head = self.read(0, there)?;
        let (magic, version) = head.split_at(there.min(layout::MAGIC.len()));
        if magic.is_empty() || !layout::MAGIC.starts_with(magic) {
            return Err(SnapshotError::NotASnapshot);
        }
        match version {
            [layout::FORMAT_VERSION] => Ok(()),
            [found] => Err(SnapshotError::NewerFormat {
                what: "the snapshot".into(),
                found: u64::from(*found),
                known: u64::from(layout::FORMAT_VERSION),
            }),
            _ => Err(SnapshotError::Truncated(format!("it has {there} bytes"))),
        }
    }
}

fn unreadable(error: std::io::Error) -> SnapshotError {
    SnapshotError::Unreadable(error.to_string())
}

/// One zstd frame of exactly `raw` bytes. The buffer is at most [`layout::MAX_FRAME`], which the
/// table of contents was held to.
fn decompress(
    entry: &Entry,
    stored: &[u8],
    raw: usize,
    out: &mut Vec<u8>,
) -> Result<(), SnapshotError> {
    let bad = |problem: &str| SnapshotError::section(&entry.name, problem);
    let bytes = zstd::bulk::decompress(stored, raw)
        .map_err(|_| bad("a frame cannot be decompressed to the length it claims"))?;
    if bytes.len() != raw {
        return Err(bad("a frame has another length than it claims"));
    }
    if out.is_empty() {
        *out = bytes;
    } else {
        out.extend_from_slice(&bytes);
    }
    Ok(())
}
