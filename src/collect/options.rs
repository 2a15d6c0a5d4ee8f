//! How a host is collected, and why it could not be.

use std::io;
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::collect as codes;
use crate::model::cell::Time;
use crate::snapshot::SnapshotError;

/// How a host is collected.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tags to give the host.
    pub tags: Vec<(String, String)>,
    /// When collecting begins; the library looks at no clock.
    pub now: Time,
    /// For how long sockets and processes of a live host are observed.
    pub duration: Duration,
    /// The tables to collect, by name; all of them where there is none. `host` is always there.
    pub sections: Option<Vec<String>>,
}

impl Options {
    /// Whether a table is asked for.
    pub fn wants(&self, table: &str) -> bool {
        self.sections.as_ref().is_none_or(|names| names.iter().any(|name| name == table))
    }
}

/// Why a host could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The root cannot be opened or read.
    #[error("{path}: {error}")]
    Unusable {
        /// The root as the user gave it.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// There is no operating system in the root.
    #[error("nothing that looks like an operating system was found: {0}")]
    Empty(String),
    /// What should be a software bill of materials is none, or cannot be used.
    #[error("the bill of materials cannot be used: {0}")]
    Sbom(String),
    /// It lists nothing.
    #[error("the bill of materials lists no package")]
    EmptySbom,
    /// The snapshot could not be written.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
}

impl CollectError {
    /// The diagnostic that tells it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Unusable { .. } => Diagnostic::error(codes::ROOT_UNUSABLE, self.to_string())
                .help("give the directory where the image or host is mounted"),
            Self::Empty(_) => Diagnostic::error(codes::ROOT_EMPTY, self.to_string())
                .help("check that the image is mounted there: a failed mount looks like this"),
            Self::Sbom(_) => Diagnostic::error(codes::SBOM_UNUSABLE, self.to_string())
                .help("give CycloneDX or SPDX (2.2, 2.3, 3.0) as JSON"),
            Self::EmptySbom => Diagnostic::error(codes::SBOM_EMPTY, self.to_string())
                .help("check what the generator was pointed at"),
            Self::Snapshot(error) => Diagnostic::error(error.code(), error.to_string()),
        }
    }
}
