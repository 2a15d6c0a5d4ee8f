//! Inodes, and the texts of configuration files.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Cell, Mode, Time};
use crate::model::facts::FileClass;
use crate::model::schema::ColumnType;
use crate::model::value::Value;

/// The kind of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A block device.
    Block,
    /// A character device.
    Char,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::File,
        Self::Directory,
        Self::Link,
        Self::Block,
        Self::Char,
        Self::Fifo,
        Self::Socket,
    ];

    /// The word for it in facts and rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Block => "block",
            Self::Char => "char",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
        }
    }
}

impl Cell for FileKind {
    const TYPE: ColumnType = ColumnType::Text;
    fn into_value(self) -> Value {
        Value::text(self.name())
    }
    fn from_value(value: &Value) -> Option<Self> {
        let text = value.as_text()?;
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

facts! {
    /// Every inode on the chosen mounts, in path order.
    #[table(name = "files", origin = Collected, location = "{path}")]
    pub struct File {
        /// Absolute path.
        pub path: AbsPath,
        /// `file`, `directory`, `link`, `block`, `char`, `fifo` or `socket`.
        pub kind: FileKind,
        /// Permission bits, with setuid, setgid and sticky.
        pub mode: Mode,
        /// Owner's user id.
        pub uid: u32,
        /// Group id.
        pub gid: u32,
        /// Size in bytes.
        pub size: i64,
        /// Last change of the content.
        pub mtime: Time,
        /// Where a symbolic link points, as written.
        pub link_target: Option<Arc<str>>,
        /// File capabilities as `getcap` writes them, for example `cap_net_raw=ep`.
        pub capabilities: Option<Arc<str>>,
    }

    /// Texts of configuration files, secrets redacted.
    #[table(name = "config", origin = Collected, location = "{path}")]
    pub struct ConfigFile {
        /// Absolute path; a link is listed by its own path with its target's text.
        pub path: AbsPath,
        /// The text, with line numbers kept; none where it could not be collected.
        pub text: Option<Arc<str>>,
        /// Why there is no text: denied, too large, not text.
        pub problem: Option<Arc<str>>,
    }
}

impl File {
    /// The part that permission rules ask about.
    pub fn class(&self) -> FileClass {
        FileClass { kind: self.kind, mode: self.mode.0, uid: self.uid, gid: self.gid }
    }
}
