//! How far a table can be trusted, and the error of a source that turned out to be damaged.

use std::fmt;
use std::sync::Arc;

/// What is known about a table. Anything but [`TableState::Collected`] makes a rule that would
/// need the missing rows *unknown*, never a pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TableState {
    /// Complete.
    Collected,
    /// Some rows are there, others are missing, for this reason.
    Truncated(Arc<str>),
    /// The host refused to show it, for this reason. Has no rows.
    Denied(Arc<str>),
    /// It was not looked for, or this source cannot have it. Has no rows.
    Absent(Arc<str>),
}

impl TableState {
    /// Truncated, with a reason.
    pub fn truncated(reason: impl Into<Arc<str>>) -> Self {
        Self::Truncated(reason.into())
    }

    /// Denied, with a reason.
    pub fn denied(reason: impl Into<Arc<str>>) -> Self {
        Self::Denied(reason.into())
    }

    /// Absent, with a reason.
    pub fn absent(reason: impl Into<Arc<str>>) -> Self {
        Self::Absent(reason.into())
    }

    /// Whether every row is there.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Collected)
    }

    /// Why rows may be missing.
    pub fn reason(&self) -> Option<&Arc<str>> {
        match self {
            Self::Collected => None,
            Self::Truncated(reason) | Self::Denied(reason) | Self::Absent(reason) => Some(reason),
        }
    }

    /// The word for it: `collected`, `truncated`, `denied`, `absent`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Truncated(_) => "truncated",
            Self::Denied(_) => "denied",
            Self::Absent(_) => "absent",
        }
    }

    /// The state of something computed from two tables: complete only if both are. A derived table
    /// has the rows that could be computed, so what is missing makes it truncated.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.reason(), other.reason()) {
            (None, None) => Self::Collected,
            (Some(reason), None) | (None, Some(reason)) => Self::Truncated(Arc::clone(reason)),
            (Some(a), Some(b)) if a == b => Self::Truncated(Arc::clone(a)),
            (Some(a), Some(b)) => Self::Truncated(format!("{a}; {b}").into()),
        }
    }
}

/// The bytes behind a fact source are damaged: the host cannot be judged. Carries the diagnostic
/// code's id and the sentence, so that the source's own rank decides both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct FactError {
    /// The diagnostic code's id.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for TableState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.reason() {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
