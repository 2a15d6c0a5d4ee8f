//! The `files` section: blocks of up to 2,048 files in path order, several blocks a frame, and an
//! index as the last frame. The four columns that make a [`FileClass`] are one number into a
//! dictionary, and the index says which classes each block holds, so that a permission rule opens
//! only the blocks that have what it looks for.
//!
//! [`FileClass`]: crate::model::facts::FileClass

mod block;
mod index;
mod write;

use crate::model::cell::Fact;
use crate::model::schema::Column;
use crate::model::table::File;

pub(super) use block::{Block, Want};
pub(super) use index::Index;
pub(super) use write::FilesWriter;

/// The columns that a block stores as columns; the others are in the path and the class.
const PLAIN: [&str; 4] = ["size", "mtime", "link_target", "capabilities"];

/// The schema of the columns in [`PLAIN`].
fn plain_columns() -> impl Iterator<Item = &'static Column> {
    File::TABLE.columns.iter().filter(|column| PLAIN.contains(&column.name))
}

/// A byte of a path as path order ranks it: `/` below all others.
fn rank(byte: u8) -> u8 {
    if byte == b'/' { 0 } else { byte }
}

/// Whether a path that shares exactly `shared` bytes with `previous` and goes on with `rest`
/// comes after it in path order.
fn comes_after(previous: &[u8], shared: usize, rest: &[u8]) -> bool {
    match (previous.get(shared), rest.first()) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(old), Some(new)) => rank(*new) > rank(*old),
    }
}

#[cfg(test)]
mod tests;
