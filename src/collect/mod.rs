//! Rank 2. A root (the live host, a directory) to facts to a snapshot.

pub mod directory;
pub mod root;

pub use directory::{DirectoryRoot, LiveRoot};
pub use root::Root;
