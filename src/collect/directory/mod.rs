//! [`DirectoryRoot`] and [`LiveRoot`]: a mounted directory and the running host as a
//! [`Root`](super::Root).
//!
//! Mounts below the root are part of it where they are local file systems, since an image that is
//! mounted with its own /boot and /var is one host; pseudo and network file systems are skipped
//! and named. Nothing is written, and nothing but regular files and directories is opened for
//! reading: opening a device can do things (a watchdog starts), opening a pipe can wait for ever.

mod capability;
mod confined;
mod live;
mod mounts;
mod names;
mod walk;

use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Statx, StatxFlags};
use rustix::io::Errno;

use self::confined::Confined;
use super::root::{Meta, Root, Step};
use crate::model::table::FileKind;

pub use live::LiveRoot;

/// Buffer for one getdents64 call.
const LIST_BUFFER: usize = 32 * 1024;
/// What statx is asked for.
const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::MNT_ID);

/// A directory that holds a host's file system, for example a mounted image.
#[derive(Debug)]
pub struct DirectoryRoot {
    confined: Confined,
    /// With the right to do so, reading leaves the access times of the root alone.
    reading: OFlags,
}

impl DirectoryRoot {
    /// Opens a directory as a root.
    ///
    /// # Errors
    /// As the system gives them; `NotADirectory` where it is something else.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path.as_ref(), flags, Mode::empty())?;
        Ok(Self::confined_to(Confined::new(root)))
    }

    fn confined_to(confined: Confined) -> Self {
        let reading = OFlags::RDONLY | OFlags::NONBLOCK;
        let reading =
            if rustix::process::geteuid().is_root() { reading | OFlags::NOATIME } else { reading };
        Self { confined, reading }
    }

    /// Opens a regular file, links followed. It is looked at before it is opened for reading.
    fn open_file(&self, path: &str) -> io::Result<(OwnedFd, Statx)> {
        let path = names::bytes(path);
        let place = self.confined.open(&path, OFlags::PATH, true)?;
        regular(&stat(&place)?)?;
        drop(place);
        let file = match self.confined.open(&path, self.reading, true) {
            // NOATIME is refused for files whose owner this user namespace does not have.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => {
                self.confined.open(&path, self.reading.difference(OFlags::NOATIME), true)?
            }
            other => other?,
        };
        let status = stat(&file)?;
        regular(&status)?;
        Ok((file, status))
    }
}

impl Root for DirectoryRoot {
    fn metadata(&self, path: &str) -> io::Result<Meta> {
        let place = self.confined.open(&names::bytes(path), OFlags::PATH, false)?;
        let status = stat(&place)?;
        Ok(Meta {
            kind: kind(&status).ok_or(Errno::INVAL)?,
            mode: permissions(&status),
            uid: status.stx_uid,
            gid: status.stx_gid,
            size: status.stx_size,
            mtime: status.stx_mtime.tv_sec,
        })
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let (file, status) = self.open_file(path)?;
        if status.stx_size > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Files of /proc say that they are empty and are not.
        let mut bytes = vec![0; usize::try_from(status.stx_size).unwrap_or(0).max(4095) + 1];
        let mut filled = 0;
        loop {
            if filled == bytes.len() {
                bytes.resize(bytes.len() * 2, 0);
            }
            match rustix::io::read(&file, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if filled as u64 > limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let (file, _) = self.open_file(path)?;
        let mut bytes = vec![0; length];
        let filled = fill_at(&file, offset, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<(String, FileKind)>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let directory = self.confined.open(&names::bytes(directory), flags, true)?;
        let mut buffer = [MaybeUninit::uninit(); LIST_BUFFER];
        let mut entries = RawDir::new(&directory, &mut buffer);
        let mut list = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let kind = match file_kind(entry.file_type()) {
                Some(kind) => kind,
                None => match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(status) => match file_kind(FileType::from_raw_mode(status.st_mode)) {
                        Some(kind) => kind,
                        None => continue,
                    },
                    // It was removed meanwhile.
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            list.push((names::text(name.to_bytes()).into_owned(), kind));
        }
        list.sort_unstable();
        Ok(list)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        let link = self.confined.open(&names::bytes(path), OFlags::PATH, false)?;
        match rustix::fs::readlinkat(&link, c"", Vec::new()) {
            Ok(target) => Ok(names::text(target.as_bytes()).into_owned()),
            // What an empty name says where the place is not a link.
            Err(Errno::NOENT) => Err(Errno::INVAL.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn resolve(&self, path: &str) -> io::Result<String> {
        let components = self.confined.resolve(&names::bytes(path))?;
        if components.is_empty() {
            return Ok("/".to_owned());
        }
        let mut path = String::new();
        for component in components {
            path.push('/');
            path.push_str(&names::text(&component));
        }
        Ok(path)
    }

    fn walk(&self, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> io::Result<()> {
        walk::walk(&self.confined, self.reading, visit)
    }

    fn is_live(&self) -> bool {
        false
    }
}

fn stat(file: &OwnedFd) -> io::Result<Statx> {
    Ok(rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, WANTED)?)
}

fn regular(status: &Statx) -> io::Result<()> {
    match kind(status) {
        Some(FileKind::File) => Ok(()),
        Some(FileKind::Directory) => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

fn kind(status: &Statx) -> Option<FileKind> {
    file_kind(FileType::from_raw_mode(u32::from(status.stx_mode)))
}

fn permissions(status: &Statx) -> u32 {
    u32::from(status.stx_mode) & 0o7777
}

fn file_kind(kind: FileType) -> Option<FileKind> {
    match kind {
        FileType::RegularFile => Some(FileKind::File),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::Link),
        FileType::BlockDevice => Some(FileKind::Block),
        FileType::CharacterDevice => Some(FileKind::Char),
        FileType::Fifo => Some(FileKind::Fifo),
        FileType::Socket => Some(FileKind::Socket),
        FileType::Unknown => None,
    }
}

/// Reads until the buffer is full or the file ends.
fn fill_at(file: &OwnedFd, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let Some(from) = offset.checked_add(filled as u64) else { break };
        match rustix::io::pread(file, &mut buffer[filled..], from) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}
