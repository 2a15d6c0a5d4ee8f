//! The walk: getdents64 and statx by directory descriptor, depth first, names sorted, so that
//! inodes come in path order with no list of paths in memory.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, Statx, StatxFlags};
use rustix::io::Errno;

use super::confined::Confined;
use super::mounts::MountPoints;
use super::{WANTED, capability, fill_at, kind, names, permissions, stat};
use crate::collect::root::{Content, Step};
use crate::collect::text;
use crate::model::cell::{AbsPath, Mode as FileMode, Time};
use crate::model::table::{File, FileKind};

/// How many directories are kept open; those further up are closed and opened again later.
const MAX_OPEN: usize = 48;
/// Longest path in bytes; below it a tree of one-letter directories is 16,000 levels deep.
const MAX_PATH: usize = 32 * 1024;
/// Most bytes of names that are kept for the directories between the root and the current place.
const MAX_NAMES: usize = 192 * 1024 * 1024;
/// How often a skipped file system may hold one that is walked that holds a skipped one.
const MAX_NESTING: usize = 16;
/// Longest target that a symbolic link can have (PATH_MAX).
const MAX_TARGET: usize = 4096;

type Visit<'a> = dyn FnMut(Step<'_>) -> ControlFlow<()> + 'a;

/// Shows every inode of the root and of the local file systems mounted in it.
pub(super) fn walk(confined: &Confined, reading: OFlags, visit: &mut Visit<'_>) -> io::Result<()> {
    let mut walk = Walk {
        confined,
        reading,
        mounts: mounts_of(confined),
        buffer: vec![MaybeUninit::uninit(); 64 * 1024],
        visit,
        names_kept: 0,
    };
    match walk.tree("/", 0) {
        Ok(()) | Err(Stop::Asked) => Ok(()),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn mounts_of(confined: &Confined) -> MountPoints {
    let read = || -> io::Result<MountPoints> {
        let path = std::fs::read_link(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&confined.root())
        ))?;
        let mountinfo = std::fs::read("/proc/self/mountinfo")?;
        Ok(MountPoints::parse(&mountinfo, std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str())))
    };
    // Without /proc every other file system is skipped and reported as a loss.
    read().unwrap_or_default()
}

enum Stop {
    Asked,
    Failed(io::Error),
}

struct Walk<'a, 'v> {
    confined: &'a Confined,
    reading: OFlags,
    mounts: MountPoints,
    buffer: Vec<MaybeUninit<u8>>,
    visit: &'a mut Visit<'v>,
    /// Bytes of names in all levels.
    names_kept: usize,
}

/// A directory between the root and the current place.
struct Level {
    /// None while it is closed to save descriptors.
    directory: Option<OwnedFd>,
    identity: (u64, u64),
    mount: MountMark,
    /// Names, each ended by a zero byte.
    names: Vec<u8>,
    /// Where each name begins and how long it is, in the order in which they are shown.
    order: Vec<(u32, u32)>,
    next: usize,
    /// Length of the directory's path, without a slash at the end.
    path_length: usize,
}

/// What tells file systems apart: the mount's id or, before Linux 5.8, the device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MountMark {
    Id(u64),
    Device(u64),
}

impl MountMark {
    fn of(status: &Statx) -> Self {
        if StatxFlags::from_bits_retain(status.stx_mask).contains(StatxFlags::MNT_ID) {
            Self::Id(status.stx_mnt_id)
        } else {
            Self::Device(identity(status).0)
        }
    }

    fn id(self) -> Option<u64> {
        match self {
            Self::Id(id) => Some(id),
            Self::Device(_) => None,
        }
    }
}

impl Walk<'_, '_> {
    fn show(&mut self, step: Step<'_>) -> Result<(), Stop> {
        match (self.visit)(step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Asked),
        }
    }

    fn skip(&mut self, path: &str, reason: impl Into<String>, loss: bool) -> Result<(), Stop> {
        self.show(Step::Skipped { path: path.to_owned(), reason: reason.into(), loss })
    }

    /// Walks the directory at `path` (the root, or a mount point) and all below it.
    fn tree(&mut self, start: &str, nesting: usize) -> Result<(), Stop> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let opened = self
            .confined
            .open(&names::bytes(start), flags, false)
            .and_then(|directory| stat(&directory).map(|status| (directory, status)));
        let (directory, status) = match opened {
            Ok(opened) => opened,
            Err(error) if start == "/" => return Err(Stop::Failed(error)),
            Err(error) => return self.skip(start, text::sentence(&error), true),
        };
        let mut path = start.to_owned();
        self.inode(directory.as_fd(), c".", &path, &status)?;
        if start == "/" {
            path.clear();
        }
        let mut stack = Vec::new();
        match self.level(directory, &status, &path) {
            Ok(level) => stack.push(level),
            Err(error) if start == "/" => return Err(Stop::Failed(error)),
            Err(error) => return self.skip(start, text::sentence(&error), true),
        }
        while let Some(level) = stack.last_mut() {
            path.truncate(level.path_length);
            let index = level.next;
            level.next += 1;
            let Some(level) = stack.last() else { break };
            let Some((name, text)) = level.name(index) else {
                let done = stack.pop();
                self.names_kept -= done.as_ref().map_or(0, |level| level.names.len());
                self.reopen(&mut stack, done.and_then(|level| level.directory), &path)?;
                continue;
            };
            path.push('/');
            path.push_str(&text);
            let Some(directory) = level.directory.as_ref().map(AsFd::as_fd) else { continue };
            let status = match rustix::fs::statx(
                directory,
                name,
                AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT,
                WANTED,
            ) {
                Ok(status) => status,
                // Removed since the directory was read.
                Err(Errno::NOENT) => continue,
                Err(error) => {
                    self.skip(&path, text::sentence(&error.into()), true)?;
                    continue;
                }
            };
            self.inode(directory, name, &path, &status)?;
            if kind(&status) != Some(FileKind::Directory) {
                continue;
            }
            if MountMark::of(&status) != level.mount
                && !self.enters_mount(&path, &status, nesting)?
            {
                continue;
            }
            match self.descend(directory, name, &path, &status) {
                Ok(deeper) => {
                    stack.push(deeper);
                    if let Some(far) = stack.len().checked_sub(MAX_OPEN + 1) {
                        stack[far].directory = None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.skip(&path, text::sentence(&error), true)?,
            }
        }
        Ok(())
    }

    /// Whether the file system mounted here is walked. Where it is not, says so, and walks the
    /// ones that are mounted in it and belong to the host.
    fn enters_mount(&mut self, path: &str, status: &Statx, nesting: usize) -> Result<bool, Stop> {
        let Some(mount) = self.mounts.find(MountMark::of(status).id(), path) else {
            self.skip(path, "another file system, and the kernel does not say of what type", true)?;
            return Ok(false);
        };
        let Some(reason) = mount.refusal() else { return Ok(true) };
        self.skip(path, reason, false)?;
        let nested: Vec<String> =
            self.mounts.wanted_under(path).into_iter().map(str::to_owned).collect();
        let mut walked: Option<&str> = None;
        for target in &nested {
            if walked.is_some_and(|walked| crate::model::facts::is_under(target, walked)) {
                continue;
            }
            walked = Some(target);
            if nesting < MAX_NESTING {
                self.tree(target, nesting + 1)?;
            } else {
                self.skip(target, "file systems are mounted in each other too deeply", true)?;
            }
        }
        Ok(false)
    }

    fn descend(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &CStr,
        path: &str,
        status: &Statx,
    ) -> io::Result<Level> {
        if path.len() > MAX_PATH {
            return Err(io::Error::other(format!("its path is longer than {MAX_PATH} bytes")));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
        self.level(directory, status, path)
    }

    /// Reads the names of a directory and puts them in order.
    fn level(&mut self, directory: OwnedFd, status: &Statx, path: &str) -> io::Result<Level> {
        let mut names = Vec::new();
        let mut order = Vec::new();
        let mut entries = RawDir::new(&directory, &mut self.buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            if self.names_kept + names.len() > MAX_NAMES {
                return Err(io::Error::other("it holds too many names"));
            }
            let bytes = name.to_bytes_with_nul();
            order.push((names.len() as u32, bytes.len() as u32));
            names.extend_from_slice(bytes);
        }
        self.names_kept += names.len();
        if names.is_ascii() {
            // The zero at the end sorts before every other byte.
            order.sort_unstable_by(|a, b| bytes_at(&names, *a).cmp(bytes_at(&names, *b)));
        } else {
            // In the order of the texts that stand for the names.
            order.sort_by_cached_key(|place| {
                let name = bytes_at(&names, *place);
                names::text(name.strip_suffix(b"\0").unwrap_or(name)).into_owned()
            });
        }
        Ok(Level {
            directory: Some(directory),
            identity: identity(status),
            mount: MountMark::of(status),
            names,
            order,
            next: 0,
            path_length: path.len(),
        })
    }

    /// Opens the directory on top of the stack again where it was closed: the parent of the one
    /// that was just finished, if it still is.
    fn reopen(
        &mut self,
        stack: &mut Vec<Level>,
        child: Option<OwnedFd>,
        path: &str,
    ) -> Result<(), Stop> {
        let mut child = child;
        let mut path = path;
        while let Some(level) = stack.last_mut() {
            if level.directory.is_some() {
                return Ok(());
            }
            path = path.get(..level.path_length).unwrap_or_default();
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            let parent = match &child {
                Some(child) => {
                    rustix::fs::openat(child, c"..", flags | OFlags::CLOEXEC, Mode::empty())
                        .map_err(io::Error::from)
                }
                None => self.confined.open(&names::bytes(path), flags, false),
            };
            let same = parent.and_then(|parent| {
                let found = identity(&stat(&parent)?) == level.identity;
                Ok(found.then_some(parent))
            });
            match same {
                Ok(Some(parent)) => {
                    level.directory = Some(parent);
                    return Ok(());
                }
                Ok(None) | Err(_) => {
                    self.skip(path, "it was moved while it was read", true)?;
                    let lost = stack.pop();
                    self.names_kept -= lost.map_or(0, |level| level.names.len());
                    child = None;
                }
            }
        }
        Ok(())
    }

    fn inode(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        path: &str,
        status: &Statx,
    ) -> Result<(), Stop> {
        let Some(kind) = kind(status) else {
            return self.skip(path, "the system does not say what it is", true);
        };
        let content =
            LazyFile { directory, name, reading: self.reading, file: OnceCell::new(), kind };
        let mode = permissions(status);
        let link_target = match kind {
            FileKind::Link => match target(directory, name) {
                Ok(target) => Some(target),
                Err(Errno::NOENT) => return Ok(()),
                Err(error) => {
                    self.skip(path, text::sentence(&error.into()), true)?;
                    None
                }
            },
            _ => None,
        };
        // Capabilities matter where the file can be executed.
        let capabilities = match kind {
            FileKind::File if mode & 0o111 != 0 => content.capabilities(),
            _ => None,
        };
        let file = File {
            path: AbsPath(Arc::from(path)),
            kind,
            mode: FileMode(mode),
            uid: status.stx_uid,
            gid: status.stx_gid,
            size: i64::try_from(status.stx_size).unwrap_or(i64::MAX),
            mtime: Time(status.stx_mtime.tv_sec),
            link_target,
            capabilities,
        };
        self.show(Step::File { file, identity: identity(status), content: &content })
    }
}

impl Level {
    /// A name, and the text that stands for it in paths.
    fn name(&self, index: usize) -> Option<(&CStr, Cow<'_, str>)> {
        let place = *self.order.get(index)?;
        let name = CStr::from_bytes_with_nul(bytes_at(&self.names, place)).ok()?;
        Some((name, names::text(name.to_bytes())))
    }
}

/// A name with the zero at its end.
fn bytes_at(names: &[u8], (start, length): (u32, u32)) -> &[u8] {
    names.get(start as usize..(start + length) as usize).unwrap_or_default()
}

fn identity(status: &Statx) -> (u64, u64) {
    (u64::from(status.stx_dev_major) << 32 | u64::from(status.stx_dev_minor), status.stx_ino)
}

fn target(directory: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<Arc<str>> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); MAX_TARGET];
    let (target, _) = rustix::fs::readlinkat_raw(directory, name, &mut buffer)?;
    Ok(Arc::from(&*names::text(target)))
}

/// A file that is opened when it is first asked for something.
struct LazyFile<'a> {
    directory: BorrowedFd<'a>,
    name: &'a CStr,
    reading: OFlags,
    kind: FileKind,
    file: OnceCell<Result<OwnedFd, Errno>>,
}

impl LazyFile<'_> {
    fn file(&self) -> Result<&OwnedFd, Errno> {
        let open = || {
            let flags = self.reading | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
            match rustix::fs::openat(self.directory, self.name, flags, Mode::empty()) {
                Err(Errno::PERM) => {
                    let flags = flags.difference(OFlags::NOATIME);
                    rustix::fs::openat(self.directory, self.name, flags, Mode::empty())
                }
                other => other,
            }
        };
        self.file.get_or_init(open).as_ref().map_err(|error| *error)
    }

    fn capabilities(&self) -> Option<Arc<str>> {
        let mut buffer = [0; capability::MAX_BYTES];
        let length = match self.file() {
            Ok(file) => rustix::fs::fgetxattr(file, capability::ATTRIBUTE, &mut buffer[..]),
            // Whoever may look into a directory may read attributes of files he cannot read.
            Err(_) => {
                let mut path =
                    format!("/proc/self/fd/{}/", std::os::fd::AsRawFd::as_raw_fd(&self.directory))
                        .into_bytes();
                path.extend_from_slice(self.name.to_bytes());
                rustix::fs::lgetxattr(&*path, capability::ATTRIBUTE, &mut buffer[..])
            }
        };
        match length {
            Ok(length) => Some(capability::text(buffer.get(..length)?).into()),
            Err(Errno::RANGE) => Some(capability::text(&[0xFF; capability::MAX_BYTES]).into()),
            Err(_) => None,
        }
    }
}

impl Content for LazyFile<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.kind != FileKind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        fill_at(self.file()?, offset, buffer)
    }
}
