//! What only the running host can tell: kernel parameters, mounts, interfaces, and the sockets and
//! processes of an observation window. Everything comes from /proc, /sys and netlink; no program
//! is run.

mod files;
mod finished;
mod interfaces;
mod modules;
mod mounts;
mod netlink;
mod observe;
mod parameters;
mod process;
mod processes;
mod sockets;
mod traffic;

pub use interfaces::interfaces;
pub use mounts::mounts;
pub use observe::{Observation, observe};
pub use parameters::kernel_parameters;
