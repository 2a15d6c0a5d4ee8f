//! `assay serve` over HTTP.
#![cfg(feature = "server")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and signs with the time that it is"
)]

mod boto3;
mod crowd;
mod door;
mod hostile;
mod killed;
mod rust;
mod support;
