//! What the headers of executables and libraries say.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::AbsPath;

facts! {
    /// ELF executables and shared libraries.
    #[table(name = "binaries", origin = Collected, location = "{path}")]
    pub struct Binary {
        /// Absolute path.
        pub path: AbsPath,
        /// `executable` or `library`.
        pub kind: Arc<str>,
        /// Machine, for example `x86_64`.
        pub machine: Arc<str>,
        /// Whether the stack is executable: PT_GNU_STACK with PF_X, or none where the kernel's default is executable.
        pub executable_stack: bool,
        /// Position independent.
        pub pie: bool,
        /// `none`, `partial` or `full`.
        pub relro: Arc<str>,
        /// The program interpreter.
        pub interpreter: Option<Arc<str>>,
        /// The distribution package that owns the file; none for third-party files.
        pub package: Option<Arc<str>>,
    }
}
