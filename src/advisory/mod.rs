//! Rank 1. Security advisories: feeds to records, records to one flat database, the database and a
//! host's packages to matches.
//!
//! - [`record`]: what a feed says, in one form for all of them.
//! - [`ecosystem`]: which feeds are about which operating systems.
//! - [`red_hat`]: update streams of one release, each with fixes of its own.
//! - [`db`]: the database, its bytes and its makers.
//! - [`matching`]: a host's packages and databases to matches.
//! - [`feed`]: one file a kind of feed, each a pure function from bytes to records.

pub mod db;
pub mod ecosystem;
pub mod feed;
pub mod matching;
pub mod record;
pub mod red_hat;
