//! [`Root`]: the one way to a host's file system, so that the live host, a mounted directory, a
//! disk image and a container archive are one code path.

use std::io;
use std::ops::ControlFlow;

use crate::model::table::{File, FileKind};

/// What one inode is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its kind.
    pub kind: FileKind,
    /// Permission bits, `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content, seconds since 1970.
    pub mtime: i64,
}

/// The bytes of the regular file that a walk has just met. Nothing is opened before they are asked
/// for, and a file is opened once, by its name in the directory that is being read.
pub trait Content {
    /// Fills `buffer` from `offset` on, as far as the file has bytes, and says how many it has.
    ///
    /// # Errors
    /// As the system gives them; `InvalidInput` where it is not a regular file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// What a walk meets.
pub enum Step<'a> {
    /// An inode.
    File {
        /// The row for the `files` table.
        file: File,
        /// Numbers of the device and of the inode: equal among hard links.
        identity: (u64, u64),
        /// Its bytes, where it is a regular file.
        content: &'a dyn Content,
    },
    /// A place that the walk did not enter, and why (no permission, another file system, ...).
    Skipped {
        /// The path.
        path: String,
        /// The reason, in words.
        reason: String,
        /// Whether something that belongs to the host may be missing for it. A pseudo file system
        /// is not a loss; a directory without permission is.
        loss: bool,
    },
}

/// A file system to collect from. Paths are absolute as the host itself sees them, and no link,
/// absolute or relative, leads out of the root.
///
/// File names are bytes and paths here are text. A byte that is not part of valid UTF-8 is written
/// as U+FFFD and two hexadecimal digits, and so are the three bytes of a real U+FFFD, so that two
/// names never become one and a path that was listed can be opened again.
pub trait Root: Sync {
    /// The inode at a path; links in its directories are followed, the last one is not.
    ///
    /// # Errors
    /// As the system gives them; `NotFound` where there is none.
    fn metadata(&self, path: &str) -> io::Result<Meta>;

    /// The content of a regular file, links followed.
    ///
    /// # Errors
    /// As the system gives them; `InvalidInput` where it is not a regular file, `FileTooLarge`
    /// where it has more than `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;

    /// A part of a regular file, at most `length` bytes from `offset`, links followed.
    ///
    /// # Errors
    /// As for [`Root::read`].
    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// The names in a directory with their kinds, in byte order, `.` and `..` left out.
    ///
    /// # Errors
    /// As the system gives them.
    fn list(&self, directory: &str) -> io::Result<Vec<(String, FileKind)>>;

    /// Where a symbolic link points, as written.
    ///
    /// # Errors
    /// As the system gives them.
    fn read_link(&self, path: &str) -> io::Result<String>;

    /// The path that is reached when every link in `path` is followed inside the root.
    ///
    /// # Errors
    /// As the system gives them; `ELOOP` after 40 links.
    fn resolve(&self, path: &str) -> io::Result<String>;

    /// Every inode, in path order ([`path_order`](crate::model::facts::path_order)).
    ///
    /// # Errors
    /// The root itself cannot be read; what lies below is reported as [`Step::Skipped`].
    fn walk(&self, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> io::Result<()>;

    /// Whether this is the running host: only then do /proc and /sys speak of it.
    fn is_live(&self) -> bool;
}
