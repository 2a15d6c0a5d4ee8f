//! What can be wrong with a snapshot.

use std::io;

use crate::diagnostic::codes::snapshot as codes;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::state::FactError;

/// A snapshot that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The magic is missing.
    #[error("it does not begin as a snapshot does")]
    NotASnapshot,
    /// It ends too early.
    #[error("it ends too early: {0}")]
    Truncated(&'static str),
    /// Its format, or a critical section, is not known.
    #[error("{0} is not known to this version of assay")]
    Newer(String),
    /// A checksum does not match.
    #[error("the checksum of {0} does not match its bytes")]
    Damaged(String),
    /// The layout is not followed.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A length is over the limit.
    #[error("{0} is larger than assay will hold in memory")]
    TooLarge(String),
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The writer was given a path that does not come after the one before.
    #[error("the file {0} does not come after the one before it")]
    OutOfOrder(String),
}

impl SnapshotError {
    /// Malformed, with what.
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// The diagnostic code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotASnapshot => codes::NOT_A_SNAPSHOT,
            Self::Truncated(_) => codes::TRUNCATED,
            Self::Newer(_) => codes::NEWER_FORMAT,
            Self::Damaged(_) => codes::DAMAGED,
            Self::Malformed(_) => codes::MALFORMED,
            Self::TooLarge(_) => codes::TOO_LARGE,
            Self::Io(_) => codes::UNREADABLE,
            Self::OutOfOrder(_) => codes::OUT_OF_ORDER,
        }
    }

    /// The diagnostic, naming the file.
    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        Diagnostic::error(self.code(), format!("{path}: {self}"))
            .help(format!("run `assay explain {}` to know more", self.code()))
    }
}

impl From<SnapshotError> for FactError {
    fn from(error: SnapshotError) -> Self {
        Self { code: error.code().0.id, message: error.to_string() }
    }
}
