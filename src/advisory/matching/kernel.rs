//! Kernels: several may be installed, one runs, and live patches mend it while it does.

use std::cmp::Ordering;

use crate::model::table::Package;
use crate::model::version;

/// Which of several kernels a package is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// The one that runs.
    Running,
    /// The newest, on a host of which it is not known what runs: an image boots it.
    Newest,
    /// One that neither runs nor is the newest on an image.
    Other,
}

impl Kernel {
    /// Whether what it is vulnerable to can be met now or after the next start of an image.
    pub fn counts(self) -> bool {
        self != Self::Other
    }
}

/// The kernels of a host.
#[derive(Debug, Default)]
pub(super) struct Kernels {
    running: Option<String>,
    /// Whether an installed package is of the running kernel.
    found: bool,
    /// Any package is of a kernel.
    any: bool,
    /// The newest version of each manager's kernels.
    newest: Option<String>,
}

/// Packages of kernels that rpm leaves beside older ones, and how their names go on.
const RPM: [&str; 12] = [
    "",
    "-core",
    "-modules",
    "-modules-core",
    "-modules-extra",
    "-modules-internal",
    "-modules-partner",
    "-devel",
    "-debug",
    "-base",
    "-extra",
    "-optional",
];
/// Flavours of kernels, whose packages have the same endings.
const FLAVOURS: [&str; 14] = [
    "kernel",
    "kernel-rt",
    "kernel-rt-debug",
    "kernel-debug",
    "kernel-64k",
    "kernel-64k-debug",
    "kernel-zfcpdump",
    "kernel-uek",
    "kernel-uek-debug",
    "kernel-default",
    "kernel-azure",
    "kernel6.12",
    "kernel-lt",
    "kernel-ml",
];
/// Packages of kernels that dpkg leaves beside older ones, before the release.
const DPKG: [&str; 6] = [
    "linux-image-unsigned-",
    "linux-image-",
    "linux-modules-extra-",
    "linux-modules-",
    "linux-headers-",
    "linux-buildinfo-",
];
/// Packages of live patches, before the kernel that they are for.
const PATCHES: [&str; 2] = ["kernel-livepatch-", "kpatch-patch-"];

/// The kernel release (`uname -r`) that a package is of, or its beginning; none for packages that
/// are there once.
fn release_of(package: &Package) -> Option<String> {
    match &*package.manager {
        "rpm" => {
            let of_flavour = |flavour: &&str| {
                let rest = package.name.strip_prefix(*flavour);
                rest.is_some_and(|rest| RPM.contains(&rest))
            };
            FLAVOURS.iter().any(of_flavour).then(|| {
                let version = &*package.version.0;
                version.split_once(':').map_or(version, |(_, rest)| rest).to_owned()
            })
        }
        "dpkg" => {
            let rest = DPKG.iter().find_map(|prefix| package.name.strip_prefix(prefix))?;
            let rest = rest.strip_suffix("-common").unwrap_or(rest);
            rest.starts_with(|c: char| c.is_ascii_digit()).then(|| rest.to_owned())
        }
        _ => None,
    }
}

/// Whether a kernel of this release is the running one. rpm's releases are followed by the
/// architecture and a flavour; SUSE's packages have one more number than their kernels.
fn runs(release: &str, running: &str) -> bool {
    let begins = |begin: &str| {
        running
            .strip_prefix(begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
    };
    let shorter = || match running.rsplit_once('-') {
        Some((plain, flavour)) if flavour.starts_with(|c: char| c.is_ascii_lowercase()) => {
            release.rsplit_once('.').is_some_and(|(begin, _)| begin == plain)
        }
        _ => false,
    };
    begins(release) || shorter()
}

impl Kernels {
    pub(super) fn new(packages: &[Package], running: Option<&str>) -> Self {
        let mut kernels = Self { running: running.map(str::to_owned), ..Self::default() };
        for package in packages {
            let Some(release) = release_of(package) else { continue };
            kernels.any = true;
            kernels.found |= running.is_some_and(|running| runs(&release, running));
            let newer = |newest: &String| {
                version::compare(&package.manager, &package.version.0, newest)
                    == Some(Ordering::Greater)
            };
            if kernels.newest.as_ref().is_none_or(newer) {
                kernels.newest = Some(package.version.0.to_string());
            }
        }
        kernels
    }

    /// Which kernel a package is of; none for packages that are there once.
    pub(super) fn of(&self, package: &Package) -> Option<Kernel> {
        let release = release_of(package)?;
        Some(match self.running.as_deref() {
            Some(running) if runs(&release, running) => Kernel::Running,
            Some(_) if self.found => Kernel::Other,
            _ => {
                let same = |newest: &String| {
                    version::compare(&package.manager, &package.version.0, newest)
                        == Some(Ordering::Equal)
                };
                match self.newest.as_ref().is_some_and(same) {
                    true => Kernel::Newest,
                    false => Kernel::Other,
                }
            }
        })
    }

    /// Why the running kernel is not judged, where it belongs to none of the kernels that are
    /// installed.
    pub(super) fn doubt(&self) -> Option<String> {
        let running = self.running.as_ref().filter(|_| self.any && !self.found)?;
        Some(format!("the running kernel {running} is of no installed package"))
    }

    /// The running kernel, where this is a package of live patches for it.
    pub(super) fn patched_by(&self, package: &Package) -> Option<String> {
        let running = self.running.as_deref()?;
        let rest = PATCHES.iter().find_map(|prefix| package.name.strip_prefix(prefix))?;
        runs(&rest.replace('_', "."), running).then(|| running.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell::Version;

    fn package(manager: &str, name: &str, version: &str) -> Package {
        Package {
            manager: manager.into(),
            name: name.into(),
            version: Version(version.into()),
            arch: None,
            source: None,
            source_version: None,
            module: None,
            vendor: None,
            repository: None,
            status: "installed".into(),
        }
    }

    #[test]
    fn the_running_kernel_among_others() {
        for (manager, running, list) in [
            (
                "rpm",
                "5.14.0-427.13.1.el9_4.x86_64",
                [("kernel-core", "5.14.0-427.13.1.el9_4"), ("kernel-core", "5.14.0-503.el9")],
            ),
            (
                "rpm",
                "5.14.21-150500.55.19-default",
                [
                    ("kernel-default", "5.14.21-150500.55.19.1"),
                    ("kernel-default", "5.14.21-150500.55.28.1"),
                ],
            ),
            (
                "dpkg",
                "6.1.0-28-amd64",
                [
                    ("linux-image-6.1.0-28-amd64", "6.1.119-1"),
                    ("linux-image-6.1.0-30-amd64", "6.1.124-1"),
                ],
            ),
            (
                "dpkg",
                "5.15.0-91-generic",
                [
                    ("linux-headers-5.15.0-91", "5.15.0-91.101"),
                    ("linux-image-5.15.0-92-generic", "5.15.0-92.102"),
                ],
            ),
        ] {
            let [first, second] = list.map(|(name, version)| package(manager, name, version));
            let both = [first.clone(), second.clone()];
            let live = Kernels::new(&both, Some(running));
            assert_eq!(live.of(&first), Some(Kernel::Running), "{running}");
            assert_eq!(live.of(&second), Some(Kernel::Other), "{running}");
            assert_eq!(live.doubt(), None);
            let image = Kernels::new(&both, None);
            assert_eq!(image.of(&first), Some(Kernel::Other), "{running}");
            assert_eq!(image.of(&second), Some(Kernel::Newest), "{running}");
            let strange = Kernels::new(&both, Some("4.0.0-1-custom"));
            assert_eq!(strange.of(&second), Some(Kernel::Newest));
            assert!(strange.doubt().unwrap().contains("4.0.0-1-custom"));
        }
    }

    #[test]
    fn packages_that_are_there_once_are_of_no_kernel() {
        for (manager, name) in [
            ("rpm", "kernel-headers"),
            ("rpm", "kernel-tools"),
            ("rpm", "kernelshark"),
            ("dpkg", "linux-image-amd64"),
            ("dpkg", "linux-libc-dev"),
            ("apk", "linux-lts"),
        ] {
            assert_eq!(release_of(&package(manager, name, "1-1")), None, "{name}");
        }
        assert_eq!(Kernels::new(&[package("dpkg", "bash", "5")], Some("6.1.0")).doubt(), None);
    }

    #[test]
    fn live_patches_are_for_one_kernel() {
        for (running, name) in [
            ("6.1.12-19.43.amzn2023.x86_64", "kernel-livepatch-6.1.12-19.43"),
            ("5.14.0-427.13.1.el9_4.x86_64", "kpatch-patch-5_14_0-427_13_1"),
            ("5.14.21-150500.55.19-default", "kernel-livepatch-5_14_21-150500_55_19-default"),
        ] {
            let patch = package("rpm", name, "1.0-1");
            let kernels = Kernels::new(std::slice::from_ref(&patch), Some(running));
            assert_eq!(kernels.patched_by(&patch).as_deref(), Some(running));
            let other = Kernels::new(std::slice::from_ref(&patch), Some("6.1.120-1.amzn2023"));
            assert_eq!(other.patched_by(&patch), None);
        }
    }
}
