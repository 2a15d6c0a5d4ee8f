//! What is judged: an installed package, and the names and versions by which feeds know it.

use std::sync::Arc;

use super::kernel::{Kernel, Kernels};
use crate::advisory::ecosystem;
use crate::advisory::record::{Ecosystem, Naming};
use crate::advisory::red_hat;
use crate::model::state::TableState;
use crate::model::table::{LanguagePackage, Package};

/// Packages, and whether they are all.
pub(super) struct Subjects {
    pub(super) state: TableState,
    pub(super) list: Vec<Subject>,
}

/// One installed package.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Its number among all that are judged.
    pub(super) number: usize,
    /// The package manager, or the language ecosystem.
    pub(super) ecosystem: Arc<str>,
    pub(super) language: bool,
    /// Where findings say it is.
    pub(super) location: Arc<str>,
    /// Name, version and architecture, as Inspector writes them.
    pub(super) label: Arc<str>,
    /// What feeds may call it, with the version that is compared under that name.
    pub(super) names: Vec<(Naming, Arc<str>, Arc<str>)>,
    pub(super) arch: Option<Arc<str>>,
    /// `name:stream` of the rpm module that it was built in; empty where only that it was is known.
    pub(super) module: Option<String>,
    /// The minor release that it was built for, where its version says so.
    pub(super) built_for: Option<(u32, u32)>,
    /// Where it was installed from, where that is known.
    pub(super) repository: Option<Arc<str>>,
    pub(super) kernel: Option<Kernel>,
    /// The kernel release that it patches while that runs.
    pub(super) patches: Option<String>,
}

/// Whether a package's files are there; a dpkg package of which only settings were left is not.
pub(super) fn is_there(package: &Package) -> bool {
    !matches!(&*package.status, "config-files" | "not-installed")
}

impl Subject {
    pub(super) fn package(number: usize, package: &Package, kernels: &Kernels) -> Self {
        let version = &package.version.0;
        let source = package.source.as_ref().unwrap_or(&package.name);
        let source_version = package.source_version.as_ref().map_or(version, |version| &version.0);
        let mut names = vec![
            (Naming::Binary, Arc::clone(&package.name), Arc::clone(version)),
            (Naming::Source, Arc::clone(source), Arc::clone(source_version)),
        ];
        names.extend(signed_twin(&package.manager, source, source_version));
        let label = package.module.as_deref();
        let stream = label.map(|label| label.splitn(3, ':').take(2).collect::<Vec<_>>().join(":"));
        let built = || version.contains(".module").then(String::new);
        Self {
            number,
            ecosystem: Arc::clone(&package.manager),
            language: false,
            location: format!("package {}", package.name).into(),
            label: package.nevra().into(),
            names,
            arch: package.arch.clone(),
            module: stream.or_else(built),
            built_for: red_hat::built_for(version).filter(|_| &*package.manager == "rpm"),
            repository: package.repository.clone(),
            kernel: kernels.of(package),
            patches: kernels.patched_by(package),
        }
    }

    pub(super) fn language(number: usize, package: &LanguagePackage) -> Self {
        let location = match &package.inside {
            Some(inside) => format!("{}!{inside}", package.path.0).into(),
            None => Arc::clone(&package.path.0),
        };
        let version = &package.version.0;
        Self {
            number,
            ecosystem: Arc::clone(&package.ecosystem),
            language: true,
            location,
            label: format!("{}-{version}", package.name).into(),
            names: vec![(Naming::Binary, Arc::clone(&package.name), Arc::clone(version))],
            arch: None,
            module: None,
            built_for: None,
            repository: None,
            kernel: None,
            patches: None,
        }
    }

    /// The version that is installed.
    pub(super) fn version(&self) -> &str {
        self.names.first().map_or("", |(_, _, version)| version)
    }

    /// Whether an ecosystem's feed is about this package: of the same manager, and of Ubuntu's the
    /// one that its version came from. A plain version is judged by Ubuntu and Ubuntu Pro, since a
    /// fix that only Pro has is still missing; one with `esm` in it by Pro alone, and a FIPS build
    /// by the feeds of FIPS builds.
    pub(super) fn is_judged_by(&self, ecosystem: &Ecosystem) -> bool {
        if ecosystem.manager() != Some(&*self.ecosystem) {
            return false;
        }
        if !ecosystem.name.starts_with("Ubuntu") {
            return true;
        }
        let of_kernel = |name: &str| name.starts_with("linux-") && name.contains("-fips");
        let fips = ecosystem::special_build(self.version()).is_some()
            || self.names.iter().any(|(_, name, _)| of_kernel(name));
        let from_pro = self.version().contains("esm");
        fips == ecosystem.name.contains("FIPS") && !(from_pro && ecosystem.name == "Ubuntu")
    }

    /// The minor release that it was built for, as `VERSION_ID` writes it.
    pub(super) fn minor(&self) -> Option<String> {
        self.built_for.map(|(major, minor)| format!("{major}.{minor}"))
    }

    /// Whether it is known to come from a repository of this stream of Red Hat's.
    pub(super) fn is_from(&self, stream: &Ecosystem) -> bool {
        self.repository.as_deref().is_some_and(|repository| red_hat::is_from(repository, stream))
    }

    /// Whether it is known to come from a repository of some stream.
    pub(super) fn is_from_stream(&self) -> bool {
        self.repository.as_deref().is_some_and(red_hat::has_stream)
    }

    /// The repository with advisories of its own that it came from; none: the release's own.
    pub(super) fn special_repository(&self) -> Option<Option<String>> {
        self.repository.as_deref().map(ecosystem::repository)
    }
}

/// Signed programs are packed once more in a source package of their own, whose version has `+` and
/// a count after the version of what was signed; advisories name what was signed.
///
/// `linux-signed-amd64 6.1.119+1` is `linux 6.1.119-1`, `grub-efi-amd64-signed 1+2.06+13+deb12u1`
/// is `grub2 2.06-13+deb12u1`.
fn signed_twin(manager: &str, source: &str, version: &str) -> Option<(Naming, Arc<str>, Arc<str>)> {
    if manager != "dpkg" {
        return None;
    }
    let revision = |version: &str, at: usize| {
        let (upstream, rest) = version.split_at(at);
        format!("{upstream}-{}", rest.trim_start_matches('+'))
    };
    let (name, version) = if source.starts_with("linux-signed-") {
        // Ubuntu's have the version of the kernel itself.
        let version = match (version.contains('-'), version.find('+')) {
            (false, Some(at)) => revision(version, at),
            _ => version.to_owned(),
        };
        let flavour = source.trim_start_matches("linux-signed-");
        let name = match flavour {
            "amd64" | "arm64" | "i386" => "linux".to_owned(),
            flavour => format!("linux-{flavour}"),
        };
        (name, version)
    } else if source == "linux-signed" {
        ("linux".to_owned(), version.to_owned())
    } else if source.starts_with("grub-efi-") && source.ends_with("-signed") {
        let (_, inner) = version.split_once('+')?;
        let at = inner.find('+')?;
        ("grub2".to_owned(), revision(inner, at))
    } else {
        return None;
    };
    Some((Naming::Source, name.into(), version.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_packages_are_what_was_signed() {
        for (source, version, name, inner) in [
            ("linux-signed-amd64", "6.1.119+1", "linux", "6.1.119-1"),
            ("linux-signed-amd64", "5.10.223+1~deb11u1", "linux", "5.10.223-1~deb11u1"),
            ("linux-signed", "5.15.0-91.101", "linux", "5.15.0-91.101"),
            ("linux-signed-aws", "5.15.0-1051.56", "linux-aws", "5.15.0-1051.56"),
            ("grub-efi-amd64-signed", "1+2.06+13+deb12u1", "grub2", "2.06-13+deb12u1"),
        ] {
            let (naming, found, version) = signed_twin("dpkg", source, version).unwrap();
            assert_eq!((naming, &*found, &*version), (Naming::Source, name, inner), "{source}");
        }
        assert_eq!(signed_twin("dpkg", "linux", "6.1.119-1"), None);
        assert_eq!(signed_twin("rpm", "linux-signed-amd64", "6.1.119+1"), None);
        assert_eq!(signed_twin("dpkg", "grub-efi-amd64-signed", "1"), None);
    }
}
