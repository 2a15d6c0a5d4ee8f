//! Rank 3. Targets in, reports out: many hosts in parallel, gates, exclusions.

mod accepted;
pub mod diff;
mod gate;
mod host;
mod ordered;
pub mod recorded;
mod scores;
#[cfg(feature = "server")]
pub mod store;
mod targets;
mod vulnerabilities;

pub use accepted::Accepted;
pub use gate::{Gate, Tally};
pub use host::host_report;
pub use targets::{TargetError, assess_each, snapshots, snapshots_about};
pub use vulnerabilities::Advisories;
