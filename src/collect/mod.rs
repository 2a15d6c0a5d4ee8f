//! Rank 2. A root (the live host, a directory) to facts to a snapshot.

pub mod root;

pub use root::Root;
