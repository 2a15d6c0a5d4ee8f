//! Lenses against the programs whose files they read. Each program runs in a small root of its own,
//! at its true paths; the files of that root are collected and read through the lens, and both must
//! understand them alike.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod accounts;
mod audit;
mod chrony;
mod modprobe;
mod mounts;
mod pam;
mod sshd;
mod stage;
mod sudoers;
mod sysctl;
