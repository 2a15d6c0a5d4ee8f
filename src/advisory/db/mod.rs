//! The advisory database: one flat file that is used as it lies there. `README.md` beside this
//! file describes its bytes, the constants stand in [`layout`].
//!
//! [`Builder`] makes one of the records of feeds; [`Database`] opens one and reads the parts that a
//! host needs, each checked against its hash before use.

mod blocks;
mod build;
mod bytes;
mod error;
mod index;
pub mod layout;
mod reader;
mod record;
mod release;
mod signature;
mod toc;

pub use build::{Builder, Input};
pub use error::DbError;
pub use reader::{Database, MAX_KEPT};
pub use record::{AdvisoryText, ExceptionText, FeedInfo, VulnerabilityText};
pub use release::{Place, Qualifier, RangeRow, Release, RowEnd};
pub use signature::{PublicKey, signature_of};
