//! Rank 1. The container: the only place that knows its bytes. The layout is documented in
//! `snapshots/README.md`, the constants stand in [`layout`].
//!
//! [`Writer`] makes a snapshot, [`Snapshot`] opens one and is a
//! [`FactSource`](crate::model::facts::FactSource).

mod bytes;
mod error;
mod export;
mod files;
pub mod layout;
mod reader;
mod table;
mod toc;
mod writer;

pub use error::SnapshotError;
pub use reader::{Section, Snapshot};
pub use writer::{Codec, Writer, write_atomically};
