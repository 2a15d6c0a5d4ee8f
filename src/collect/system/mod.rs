//! What a host is set up to run and to let through, from files alone: units, kernel modules and
//! firewall rules. On the running host the same functions add what only it can tell.

mod active;
mod units;

pub use units::services;
