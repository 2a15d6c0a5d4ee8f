//! Rank 2. A root (the live host, a directory) or a bill of materials to facts to a snapshot.
//!
//! [`collect`] reads every table through one [`Root`] and writes it into one snapshot. A table that
//! cannot be had is written with its state and reason, never dropped.

mod accounts;
mod binaries;
mod config;
pub mod directory;
mod driver;
mod elf;
mod host;
mod languages;
pub mod live;
mod losses;
mod options;
mod packages;
pub mod redact;
pub mod root;
pub mod sbom;
pub mod system;
mod text;

pub use directory::{DirectoryRoot, LiveRoot};
pub use driver::collect;
pub use options::{CollectError, Options};
pub use root::Root;
pub use sbom::collect_sbom;
