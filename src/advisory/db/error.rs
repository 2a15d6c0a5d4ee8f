//! What can be wrong with a database.

use crate::diagnostic::codes::advisory as codes;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::state::FactError;

/// A database that cannot be used or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// It does not begin with the magic.
    #[error("this is not an advisory database: it does not begin with the magic of one")]
    NotADatabase,
    /// It ends too early.
    #[error("the database is cut short: {0}")]
    Truncated(String),
    /// A version above the one this reader knows.
    #[error("the database has format version {0}, and this assay reads up to version {known}", known = super::layout::FORMAT_VERSION)]
    NewerFormat(u32),
    /// Bytes that do not have the hash that was written.
    #[error("{0} does not match its hash")]
    HashMismatch(String),
    /// The bytes make no sense, though they are as they were written.
    #[error("{place} makes no sense: {problem}")]
    Malformed {
        /// The part.
        place: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The operating system would not read.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// A signature is required and there is none that can be read.
    #[error("it is not signed: {0}")]
    Unsigned(String),
    /// The signature is by another key or for other bytes.
    #[error("the signature is not right: {0}")]
    WrongSignature(String),
    /// The key cannot be used.
    #[error("the public key cannot be used: {0}")]
    BadKey(String),
    /// More than the format holds.
    #[error("{0} is more than a database holds")]
    TooLarge(&'static str),
    /// No advisory was taken.
    #[error("the feeds hold no advisory about any package")]
    NoAdvisories,
}

impl DbError {
    /// The diagnostic code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotADatabase => codes::NOT_A_DATABASE,
            Self::Truncated(_) => codes::DATABASE_CUT,
            Self::NewerFormat(_) => codes::DATABASE_NEWER,
            Self::HashMismatch(_) => codes::DATABASE_HASH,
            Self::Malformed { .. } => codes::DATABASE_MALFORMED,
            Self::Unreadable(_) => codes::DATABASE_UNREADABLE,
            Self::Unsigned(_) => codes::UNSIGNED,
            Self::WrongSignature(_) => codes::WRONG_SIGNATURE,
            Self::BadKey(_) => codes::BAD_KEY,
            Self::TooLarge(_) => codes::DATABASE_TOO_LARGE,
            Self::NoAdvisories => codes::NO_ADVISORIES,
        }
    }

    /// The diagnostic, naming the file.
    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        Diagnostic::error(self.code(), format!("{path}: {self}"))
            .help(format!("run `assay explain {}` to know more", self.code()))
    }

    pub(in crate::advisory) fn malformed(place: impl Into<String>, problem: &'static str) -> Self {
        Self::Malformed { place: place.into(), problem }
    }
}

impl From<DbError> for FactError {
    fn from(error: DbError) -> Self {
        Self { code: error.code().0.id, message: error.to_string() }
    }
}
