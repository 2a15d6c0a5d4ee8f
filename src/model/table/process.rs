//! Processes and what they have mapped.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::AbsPath;

facts! {
    /// Processes seen in the observation window; live only.
    #[table(name = "processes", origin = Collected, location = "process {name} ({pid})")]
    pub struct Process {
        /// Process id.
        pub pid: i64,
        /// Parent's process id.
        pub parent: i64,
        /// Name as the kernel has it.
        pub name: Arc<str>,
        /// Executable, where it could be seen; none for kernel threads.
        pub exe: Option<AbsPath>,
        /// Command line, secrets redacted.
        pub command_line: Arc<str>,
        /// Effective user id.
        pub uid: i64,
        /// Effective group id.
        pub gid: i64,
        /// Name of the systemd unit it runs in.
        pub unit: Option<Arc<str>>,
        /// What a security module calls it, for SELinux `user:role:domain:level`; none where there is none.
        pub label: Option<Arc<str>>,
    }

    /// Executables and libraries that processes have mapped; live only.
    #[table(name = "process_modules", origin = Collected, location = "{path}")]
    pub struct ProcessModule {
        /// Process id.
        pub pid: i64,
        /// The mapped file.
        pub path: AbsPath,
        /// Whether its file was deleted or replaced after it was mapped.
        pub deleted: bool,
    }
}
