//! What a host is set up to run and to let through, from files alone: units, kernel modules and
//! firewall rules. On the running host the same functions add what only it can tell.

mod active;
mod firewall;
mod modules;
mod units;

pub use firewall::firewall;
pub use modules::kernel_modules;
pub use units::services;
