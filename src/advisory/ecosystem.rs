//! Which advisories are about which operating system: the one place that knows the names.
//!
//! Feeds name releases in many ways, and so do hosts. Both become an [`Ecosystem`], with the names
//! of OSV where OSV has one. A host is judged by the feeds of its own distribution alone; only a
//! rebuild that keeps the other's version numbers is judged by the other's.

use std::fmt;

use super::record::Ecosystem;
use super::red_hat;

impl Ecosystem {
    /// A distribution's release.
    pub fn new(name: impl Into<String>, release: impl Into<String>) -> Self {
        Self { name: name.into(), release: release.into() }
    }

    /// From `Name` or `Name:release` as OSV and `--release` write it. Releases are brought to one
    /// form: `Ubuntu:22.04:LTS` is `22.04`, `Debian:bookworm` is `12`, Red Hat's CPE suffixes
    /// (`enterprise_linux:9::baseos`) are their major version, and Ubuntu Pro has a name of its own.
    pub fn parse(text: &str) -> Self {
        let (name, release) = text.split_once(':').unwrap_or((text, ""));
        let (name, release) = (name.trim(), release.trim());
        match name {
            "Ubuntu" => ubuntu(release),
            "Debian" => Self::new(name, debian_release(release).unwrap_or(release)),
            red_hat::NAME => Self::new(name, red_hat::release(release)),
            "Alpine" if release.starts_with(|c: char| c.is_ascii_digit()) => {
                Self::new(name, format!("v{release}"))
            }
            "Azure Linux" if !release.is_empty() && !release.contains('.') => {
                Self::new(name, format!("{release}.0"))
            }
            _ => Self::new(name, release),
        }
    }

    /// From what [`Display`](fmt::Display) wrote, as it is.
    pub fn named(text: &str) -> Self {
        let (name, release) = text.split_once(':').unwrap_or((text, ""));
        Self::new(name, release)
    }

    /// The package manager whose version order holds, as `model::version` names it; `None` for
    /// language ecosystems.
    pub fn manager(&self) -> Option<&'static str> {
        Some(match self.name.as_str() {
            "Debian" | "Ubuntu" | "Ubuntu Pro" | "Echo" => "dpkg",
            "Alpine" | "Wolfi" | "Chainguard" | "MinimOS" | "Alpaquita" => "apk",
            "AlmaLinux" | "Amazon Linux" | "Azure Linux" | "CBL-Mariner" | "Fedora" | "Mageia"
            | "Oracle Linux" | "Photon OS" | "Red Hat" | "Rocky Linux" | "SUSE" | "openEuler"
            | "openSUSE" => "rpm",
            name if name.starts_with("Ubuntu Pro ") => "dpkg",
            _ => return None,
        })
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.release.is_empty() {
            return Ok(());
        }
        write!(f, ":{}", self.release)
    }
}

/// The ecosystems whose advisories judge a host with this os-release `ID` and `VERSION_ID`. None:
/// no feed is right for it, and another distribution's must not be used instead.
///
/// The release itself is the first; what else is sold for it follows: Ubuntu Pro, Red Hat's streams,
/// SUSE's modules.
pub fn of_host(id: &str, version: &str) -> Vec<Ecosystem> {
    let major = version.split('.').next().unwrap_or_default();
    let two = version.match_indices('.').nth(1).map_or(version, |(at, _)| version.split_at(at).0);
    if version.is_empty() && !matches!(id, "wolfi" | "chainguard" | "opensuse-tumbleweed") {
        return Vec::new();
    }
    let one = |name: &str, release: &str| vec![Ecosystem::new(name, release)];
    match id {
        "almalinux" => one("AlmaLinux", major),
        "alpine" if version.contains('_') => one("Alpine", "edge"),
        "alpine" => one("Alpine", &format!("v{two}")),
        "amzn" if version.starts_with("201") => one("Amazon Linux", "1"),
        "amzn" => one("Amazon Linux", version),
        "azurelinux" => one("Azure Linux", two),
        // From 9 on there is only CentOS Stream, whose builds run before the release's.
        "centos" if matches!(major, "5" | "6" | "7" | "8") => one(red_hat::NAME, major),
        "chainguard" => one("Chainguard", ""),
        "debian" | "raspbian" => one("Debian", if version.starts_with("3.") { two } else { major }),
        "fedora" => one("Fedora", version),
        "mageia" => one("Mageia", major),
        "mariner" => one("CBL-Mariner", two),
        "ol" => one("Oracle Linux", major),
        "openEuler" => one("openEuler", version),
        "opensuse-leap" => one("openSUSE", &format!("Leap {version}")),
        "opensuse-tumbleweed" => one("openSUSE", "Tumbleweed"),
        "photon" => one("Photon OS", two),
        "rhel" => red_hat::of_host(version),
        "rocky" => one("Rocky Linux", major),
        "sle_hpc" | "sled" | "sles" | "sles_sap" => suse_enterprise(id, version),
        "sle-micro" => one("SUSE", &format!("Linux Enterprise Micro {version}")),
        "sl-micro" => one("SUSE", &format!("Linux Micro {version}")),
        "ubuntu" | "pop" | "neon" => {
            UBUNTU_POCKETS.map(|name| Ecosystem::new(name, version)).to_vec()
        }
        "wolfi" => one("Wolfi", ""),
        _ => Vec::new(),
    }
}

/// Where Ubuntu's packages come from: FIPS builds have versions of their own.
const UBUNTU_POCKETS: [&str; 5] =
    ["Ubuntu", "Ubuntu Pro", "Ubuntu Pro FIPS", "Ubuntu Pro FIPS-updates", "Ubuntu Pro Realtime"];

/// A product of SUSE with what it is sold in parts: most packages of release 15 are in modules, and
/// fixes after general support in LTSS alone, where a host without it lacks them. Each service pack
/// has products of its own.
fn suse_enterprise(id: &str, version: &str) -> Vec<Ecosystem> {
    let products: &[&str] = match id {
        "sle_hpc" => &["High Performance Computing"],
        "sled" => &["Desktop", "Workstation Extension"],
        "sles_sap" => &["Server for SAP Applications", "Server for SAP applications", "Server"],
        _ => &["Server", "Server LTSS Extended Security"],
    };
    let name = |product: &&str| suse(&format!("Linux Enterprise {product}"), version);
    let mut names: Vec<String> = products.iter().map(name).collect();
    let long_term: Vec<String> = names.iter().map(|name| format!("{name}-LTSS")).collect();
    names.extend(long_term);
    if version.starts_with("15") {
        let module = |name| suse(&format!("Linux Enterprise Module for {name}"), version);
        names.extend(SUSE_MODULES.map(module));
    }
    if version.starts_with("12") || version.starts_with("15") {
        names.push(suse("Linux Enterprise High Availability Extension", version));
    }
    names.into_iter().map(|name| Ecosystem::new("SUSE", name)).collect()
}

/// Modules that a server of release 15 can have.
const SUSE_MODULES: [&str; 14] = [
    "Basesystem",
    "Certifications",
    "Containers",
    "Desktop Applications",
    "Development Tools",
    "HPC",
    "Legacy",
    "Live Patching",
    "Package Hub",
    "Public Cloud",
    "Python 3",
    "SAP Applications",
    "Server Applications",
    "Web and Scripting",
];

/// `15.5` is service pack 5 of release 15; from release 16 on there are no service packs.
fn suse(product: &str, version: &str) -> String {
    match version.split_once('.') {
        Some((major @ ("11" | "12" | "15"), pack)) => format!("{product} {major} SP{pack}"),
        _ => format!("{product} {version}"),
    }
}

/// Builds that stand beside the ordinary ones of a package and have versions and fixes of their own,
/// by the version: `2:2.28-236.0.1.ksplice1.el8` and `10:1.1.1k-12.el8_9_fips` of Oracle,
/// `3.0.2-0ubuntu1.12+Fips1` of Ubuntu. One says nothing of another. `None`: an ordinary build.
pub fn special_build(version: &str) -> Option<&'static str> {
    if version.contains(".ksplice") {
        Some("Ksplice")
    } else if version.to_ascii_lowercase().contains("fips") {
        Some("FIPS")
    } else {
        None
    }
}

/// The repository that a package came from, as [`Affected::repository`] names it: Amazon's extras
/// and live patches have advisories of their own. `None` for the release's own repositories.
///
/// [`Affected::repository`]: super::record::Affected::repository
pub fn repository(installed_from: &str) -> Option<String> {
    let id = installed_from.trim_start_matches('@');
    match id.strip_prefix("amzn2extra-") {
        Some("livepatch") => Some("kernel-livepatch".into()),
        Some(topic) => Some(format!("extras/{}", topic.to_ascii_lowercase())),
        None => id.starts_with("kernel-livepatch").then(|| "kernel-livepatch".into()),
    }
}

/// Ubuntu's releases in OSV's forms: `22.04:LTS`, `24.10`, `Pro:18.04:LTS`, `Pro:FIPS:18.04:LTS`.
fn ubuntu(release: &str) -> Ecosystem {
    let mut name = "Ubuntu".to_owned();
    let mut number = "";
    for part in release.split(':') {
        if part.starts_with(|c: char| c.is_ascii_digit()) {
            number = part;
        } else if let Some(found) = ubuntu_release(part) {
            number = found;
        } else if part != "LTS" && !part.is_empty() {
            name.push(' ');
            name.push_str(part);
        }
    }
    Ecosystem::new(name, number)
}

/// The number of a Debian release by its code name; `unstable` for sid.
pub fn debian_release(code_name: &str) -> Option<&'static str> {
    find(&DEBIAN, code_name)
}

/// The number of an Ubuntu release by its code name.
pub fn ubuntu_release(code_name: &str) -> Option<&'static str> {
    find(&UBUNTU, code_name)
}

fn find(names: &[(&str, &'static str)], code_name: &str) -> Option<&'static str> {
    names.iter().find(|(name, _)| *name == code_name).map(|(_, number)| *number)
}

const DEBIAN: [(&str, &str); 19] = [
    ("hamm", "2.0"),
    ("slink", "2.1"),
    ("potato", "2.2"),
    ("woody", "3.0"),
    ("sarge", "3.1"),
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", "unstable"),
    ("unstable", "unstable"),
];

const UBUNTU: [(&str, &str); 22] = [
    ("precise", "12.04"),
    ("trusty", "14.04"),
    ("utopic", "14.10"),
    ("vivid", "15.04"),
    ("wily", "15.10"),
    ("xenial", "16.04"),
    ("yakkety", "16.10"),
    ("zesty", "17.04"),
    ("artful", "17.10"),
    ("bionic", "18.04"),
    ("cosmic", "18.10"),
    ("disco", "19.04"),
    ("eoan", "19.10"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("jammy", "22.04"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_and_hosts_meet() {
        for (feed, id, version) in [
            ("AlmaLinux:8", "almalinux", "8.10"),
            ("Alpine:v3.19", "alpine", "3.19.1"),
            ("Alpine:3.19", "alpine", "3.19.1"),
            ("Alpine:edge", "alpine", "3.22_alpha20250108"),
            ("Amazon Linux:1", "amzn", "2018.03"),
            ("Amazon Linux:2", "amzn", "2"),
            ("Amazon Linux:2023", "amzn", "2023"),
            ("Azure Linux:3", "azurelinux", "3.0"),
            ("Debian:12", "debian", "12"),
            ("Debian:bookworm", "debian", "12"),
            ("Debian:bookworm", "raspbian", "12"),
            ("Red Hat:enterprise_linux:9::baseos", "rhel", "9.4"),
            ("Red Hat:8", "centos", "8"),
            ("Rocky Linux:9", "rocky", "9.3"),
            ("Oracle Linux:8", "ol", "8.9"),
            ("SUSE:Linux Enterprise Server 15 SP5", "sles", "15.5"),
            ("SUSE:Linux Enterprise Server 16.0", "sles", "16.0"),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "sles", "15.5"),
            ("SUSE:Linux Enterprise Server 12 SP5-LTSS", "sles", "12.5"),
            ("SUSE:Linux Enterprise Server for SAP Applications 15 SP3", "sles_sap", "15.3"),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP3", "sles_sap", "15.3"),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP6", "sled", "15.6"),
            ("SUSE:Linux Micro 6.0", "sl-micro", "6.0"),
            ("Red Hat:rhel_eus:9.2::appstream", "rhel", "9.2"),
            ("Red Hat:enterprise_linux_eus:10.0", "rhel", "10.0"),
            ("Ubuntu:Pro:FIPS-updates:20.04:LTS", "ubuntu", "20.04"),
            ("openSUSE:Leap 15.5", "opensuse-leap", "15.5"),
            ("Ubuntu:22.04:LTS", "ubuntu", "22.04"),
            ("Ubuntu:Pro:22.04:LTS", "ubuntu", "22.04"),
            ("Ubuntu:jammy", "ubuntu", "22.04"),
            ("Wolfi", "wolfi", ""),
        ] {
            let feed = Ecosystem::parse(feed);
            assert!(of_host(id, version).contains(&feed), "{feed} {id} {version}");
            assert!(feed.manager().is_some(), "{feed}");
        }
    }

    #[test]
    fn no_distribution_borrows_a_feed() {
        for (id, version) in [("amzn", "2"), ("amzn", "2023"), ("amzn", "2018.03")] {
            assert!(of_host(id, version).iter().all(|found| found.name == "Amazon Linux"));
        }
        for id in ["rocky", "almalinux", "ol", "fedora"] {
            assert!(of_host(id, "9").iter().all(|found| found.name != "Red Hat"), "{id}");
        }
        // Another service pack's fixes have versions of their own.
        let other = Ecosystem::parse("SUSE:Linux Enterprise Server 15 SP4-LTSS");
        assert!(!of_host("sles", "15.5").contains(&other));
        let later = Ecosystem::parse("Red Hat:rhel_eus:9.4::baseos");
        assert!(!of_host("rhel", "9.2").contains(&later));
        for (id, version) in [
            ("centos", "9"),
            ("centos", "10"),
            ("kali", "2024.1"),
            ("linuxmint", "21"),
            ("", ""),
            ("debian", ""),
        ] {
            assert!(of_host(id, version).is_empty(), "{id}");
        }
    }

    #[test]
    fn special_products_stay_apart() {
        assert_eq!(Ecosystem::parse("Ubuntu:Pro:FIPS:18.04:LTS").name, "Ubuntu Pro FIPS");
        let eus = Ecosystem::parse("Red Hat:rhel_eus:9.2::appstream");
        assert_eq!(eus, Ecosystem::new("Red Hat", "rhel_eus:9.2"));
        assert_eq!(Ecosystem::parse("PyPI").manager(), None);
    }

    #[test]
    fn repositories() {
        assert_eq!(repository("amzn2-core"), None);
        assert_eq!(repository("@amzn2extra-docker").as_deref(), Some("extras/docker"));
        assert_eq!(repository("amzn2extra-livepatch").as_deref(), Some("kernel-livepatch"));
        assert_eq!(repository("kernel-livepatch").as_deref(), Some("kernel-livepatch"));
    }
}
