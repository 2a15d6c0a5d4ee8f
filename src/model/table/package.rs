//! Installed packages: the distribution's, and those of language ecosystems.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Version};

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

    /// Packages of language ecosystems that lie in the file system, each with the file that says so.
    #[table(name = "language_packages", origin = Collected, location = "{path}")]
    pub struct LanguagePackage {
        /// OSV's name of the ecosystem: `PyPI`, `npm`, `Maven`, `Go`, `RubyGems`, `crates.io` or `Packagist`.
        pub ecosystem: Arc<str>,
        /// The package's name as the ecosystem compares it: PyPI names in lower case with `-` between words, Maven's as `group:artifact`, the artifact alone where a jar does not tell its group.
        pub name: Arc<str>,
        /// The version; for Go without the leading `v`.
        pub version: Version,
        /// The file that says so: METADATA, package.json, the jar, the executable, ...
        pub path: AbsPath,
        /// Where inside that file, for an archive in an archive: `BOOT-INF/lib/x.jar`, parts joined by `!`.
        pub inside: Option<Arc<str>>,
        /// The distribution package that owns the file; none where it was installed past the distribution.
        pub package: Option<Arc<str>>,
    }
}

impl Package {
    /// `name-epoch:version-release.arch`, as Inspector names packages.
    pub fn nevra(&self) -> String {
        let version = &*self.version.0;
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let arch = self.arch.as_ref().map(|arch| format!(".{arch}")).unwrap_or_default();
        format!("{}-{epoch}:{rest}{arch}", self.name)
    }
}
