//! `assay serve` over HTTP.
#![cfg(feature = "server")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and signs with the time that it is"
)]

mod door;
mod support;
