//! Why a feed is refused.

use std::io;

use super::Kind;
use crate::diagnostic::codes::advisory as codes;
use crate::diagnostic::{Code, Diagnostic};

/// How much of a message of a library, or of a name from a feed, is repeated.
const QUOTE: usize = 240;

/// A feed that cannot be taken. What came before the error must not be kept either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// No kind fits the content.
    #[error("the content is of no kind of feed that is known")]
    Unrecognised,
    /// The kind that was named is not what the content is.
    #[error("this is not {expected}: the content is {found}")]
    WrongKind {
        /// The kind that was named.
        expected: Kind,
        /// What it is.
        found: Kind,
    },
    /// It ends too early.
    #[error("the feed is cut short: {0}")]
    Cut(String),
    /// It is not what its format requires.
    #[error("the feed makes no sense: {0}")]
    Malformed(String),
    /// Above a limit.
    #[error("the feed is too large: {0}")]
    TooLarge(String),
    /// Entities, document types, the same name twice.
    #[error("the feed has what feeds do not have: {0}")]
    Forbidden(String),
    /// The release must be said.
    #[error("the feed does not say which release it is for: {0}")]
    NeedsRelease(String),
    /// It contradicts itself.
    #[error("the feed contradicts itself: {0}")]
    Inconsistent(String),
    /// Nothing is in it.
    #[error("the feed has no entries")]
    Empty,
    /// The same, in one member of an archive.
    #[error("{member}: {error}")]
    In {
        /// The member's name.
        member: String,
        /// What is wrong with it.
        error: Box<Self>,
    },
}

impl FeedError {
    /// The diagnostic code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unrecognised => codes::UNRECOGNISED,
            Self::WrongKind { .. } => codes::WRONG_KIND,
            Self::Cut(_) => codes::CUT,
            Self::Malformed(_) => codes::MALFORMED,
            Self::TooLarge(_) => codes::TOO_LARGE,
            Self::Forbidden(_) => codes::FORBIDDEN,
            Self::NeedsRelease(_) => codes::NEEDS_RELEASE,
            Self::Inconsistent(_) => codes::INCONSISTENT,
            Self::Empty => codes::EMPTY_FEED,
            Self::In { error, .. } => error.code(),
        }
    }

    /// The diagnostic, naming the file.
    pub fn diagnostic(&self, path: &str) -> Diagnostic {
        Diagnostic::error(self.code(), format!("{path}: {self}"))
            .help(format!("run `assay explain {}` to know more", self.code()))
    }

    /// The same error, naming the member of an archive that has it.
    pub(super) fn within(self, member: &str) -> Self {
        Self::In { member: quote(member), error: Box::new(self) }
    }

    pub(super) fn malformed(problem: impl AsRef<str>) -> Self {
        Self::Malformed(quote(problem.as_ref()))
    }
}

/// A text from a feed as it may stand in a message: one line, no control characters, not long.
pub(super) fn quote(text: &str) -> String {
    let mut out: String = text.chars().take(QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTE).is_some() {
        out.push('…');
    }
    out.replace("\\\"", "\"").replace("\\'", "'")
}

impl From<io::Error> for FeedError {
    /// A limit that a reader met comes out as it went in.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Cut("it ends within its compressed data".into());
        }
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => Self::malformed(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for FeedError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return io::Error::from(error).into();
        }
        let place = format!("line {} column {}", error.line(), error.column());
        if error.is_eof() {
            return Self::Cut(format!("the JSON ends early, at {place}"));
        }
        let text = error.to_string();
        if text.starts_with("duplicate field") {
            return Self::Forbidden(quote(&text));
        }
        Self::malformed(text)
    }
}

impl From<FeedError> for io::Error {
    fn from(error: FeedError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
