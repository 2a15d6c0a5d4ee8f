//! What can be wrong with a container.

use crate::diagnostic::codes::snapshot as codes;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::state::FactError;

/// A container that cannot be read or written. Names that come out of a container are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It does not begin with the magic.
    #[error("this is not a snapshot: it does not begin with the snapshot magic")]
    NotASnapshot,
    /// It ends too early.
    #[error("the snapshot is cut short: {0}")]
    Truncated(String),
    /// A version above the one this reader knows.
    #[error("{what} has version {found}, and this assay reads up to version {known}")]
    NewerFormat {
        /// The container or a section.
        what: String,
        /// Its version.
        found: u64,
        /// The highest known version.
        known: u64,
    },
    /// Bytes that do not have the hash that was written.
    #[error("{0} does not match its hash")]
    HashMismatch(String),
    /// The table of contents cannot be read.
    #[error("the table of contents makes no sense: {0}")]
    BadToc(String),
    /// A section cannot be decoded.
    #[error("the {table} section makes no sense: {problem}")]
    BadSection {
        /// The section.
        table: String,
        /// What is wrong.
        problem: String,
    },
    /// A critical section that this reader does not know.
    #[error("the section {0:?} is unknown and marked as critical")]
    UnknownCritical(String),
    /// Above a limit of the format.
    #[error("{what} is above the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit, in bytes or items as `what` says.
        limit: u64,
    },
    /// The writer was given a row that does not fit.
    #[error("{table}: {problem}")]
    InvalidRow {
        /// The table.
        table: String,
        /// What is wrong.
        problem: String,
    },
    /// The writer was given a file that does not come after the one before.
    #[error("{path:?} does not come after {previous:?} in path order")]
    FileOrder {
        /// The file.
        path: String,
        /// The file before.
        previous: String,
    },
    /// The operating system would not read.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// The operating system would not write.
    #[error("cannot write it: {0}")]
    Unwritable(String),
    /// A required column is not there in the type that is needed.
    #[error("the {table} section has no column {column} of type {ty}")]
    MissingColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type's name.
        ty: &'static str,
    },
}

impl SnapshotError {
    /// The diagnostic code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotASnapshot => codes::NOT_A_SNAPSHOT,
            Self::Truncated(_) => codes::TRUNCATED,
            Self::NewerFormat { .. } => codes::NEWER_FORMAT,
            Self::HashMismatch(_) => codes::HASH_MISMATCH,
            Self::BadToc(_) => codes::BAD_TOC,
            Self::BadSection { .. } => codes::BAD_SECTION,
            Self::UnknownCritical(_) => codes::UNKNOWN_CRITICAL,
            Self::TooLarge { .. } => codes::TOO_LARGE,
            Self::InvalidRow { .. } => codes::INVALID_ROW,
            Self::FileOrder { .. } => codes::FILE_ORDER,
            Self::Unreadable(_) => codes::UNREADABLE,
            Self::Unwritable(_) => codes::UNWRITABLE,
            Self::MissingColumn { .. } => codes::MISSING_COLUMN,
        }
    }

    /// The diagnostic, naming the file.
    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        Diagnostic::error(self.code(), format!("{path}: {self}"))
            .help(format!("run `assay explain {}` to know more", self.code()))
    }

    pub(super) fn section(table: &str, problem: impl Into<String>) -> Self {
        Self::BadSection { table: table.escape_debug().to_string(), problem: problem.into() }
    }

    pub(super) fn too_large(what: impl Into<String>, limit: usize) -> Self {
        Self::TooLarge { what: what.into(), limit: limit as u64 }
    }
}

impl From<SnapshotError> for FactError {
    fn from(error: SnapshotError) -> Self {
        Self { code: error.code().0.id, message: error.to_string() }
    }
}

impl From<SnapshotError> for Diagnostic {
    fn from(error: SnapshotError) -> Self {
        Self::error(error.code(), error.to_string())
    }
}

impl From<SnapshotError> for std::io::Error {
    fn from(error: SnapshotError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}
