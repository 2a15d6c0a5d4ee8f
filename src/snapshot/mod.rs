//! Rank 1. The container: the only place that knows its bytes. The layout is documented in
//! `snapshots/README.md`, the constants stand in [`layout`].
//!
//! [`Writer`] makes a snapshot, [`Snapshot`] opens one and is a
//! [`FactSource`](crate::model::facts::FactSource).

mod atomic;
mod bytes;
mod column;
mod error;
mod export;
mod facts;
mod files;
mod info;
pub mod layout;
mod reader;
mod source;
mod table;
pub mod toc;
mod writer;

pub use atomic::{AtomicFile, abandon_parts, check_writable, write_atomically};
pub use error::SnapshotError;
pub use export::write_row;
pub use info::Section;
pub use reader::Snapshot;
pub use writer::{Codec, Writer};
