//! Installed packages.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::Version;

facts! {
    /// Installed packages.
    #[table(name = "packages", origin = Collected, location = "package {name}")]
    pub struct Package {
        /// `dpkg`, `rpm` or `apk`.
        pub manager: Arc<str>,
        /// Binary package name.
        pub name: Arc<str>,
        /// The full version as the manager compares it: `[epoch:]version[-release]`.
        pub version: Version,
        /// Architecture.
        pub arch: Option<Arc<str>>,
        /// Source package name (dpkg Source, rpm SOURCERPM, apk origin).
        pub source: Option<Arc<str>>,
        /// Source package version.
        pub source_version: Option<Version>,
        /// rpm module label (`name:stream:version:context`).
        pub module: Option<Arc<str>>,
        /// Vendor.
        pub vendor: Option<Arc<str>>,
        /// Repository it was installed from, where the host records it.
        pub repository: Option<Arc<str>>,
        /// `installed`, or another dpkg state such as `config-files`.
        pub status: Arc<str>,
    }
}
