//! Releases as OVAL and CSAF name them: in words, and as CPE.

use crate::advisory::record::{Ecosystem, Naming};
use crate::advisory::red_hat;

/// From a product's name: `Red Hat Enterprise Linux 8`, `Ubuntu 22.04 LTS (jammy)`, `SUSE Linux
/// Enterprise Server 15 SP5`. `None` for other products.
pub(super) fn of_name(name: &str) -> Option<Ecosystem> {
    let name = name.trim();
    if let Some(product) = name.strip_prefix("SUSE ")
        && ["Linux Enterprise ", "Linux Micro "].iter().any(|name| product.starts_with(name))
        && product.contains(|c: char| c.is_ascii_digit())
    {
        return Some(Ecosystem::new("SUSE", product));
    }
    if let Some(product) = name.strip_prefix("openSUSE ")
        && (product.starts_with("Leap ") || product == "Tumbleweed")
    {
        return Some(Ecosystem::new("openSUSE", product));
    }
    let (ecosystem, rest) = NAMES
        .into_iter()
        .find_map(|(prefix, ecosystem)| Some((ecosystem, name.strip_prefix(prefix)?)))?;
    let mut words = rest.split_whitespace();
    let release = words.next()?;
    let number = release.starts_with(|c: char| c.is_ascii_digit())
        && release.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // What follows names another product (`8.6 Extended Update Support`); Ubuntu's is decoration.
    let plain = match ecosystem {
        "Ubuntu" => true,
        "Red Hat" | "Debian" => words.next().is_none() && !release.contains('.'),
        _ => words.next().is_none(),
    };
    (number && plain).then(|| Ecosystem::parse(&format!("{ecosystem}:{release}")))
}

const NAMES: [(&str, &str); 10] = [
    ("AlmaLinux ", "AlmaLinux"),
    ("Azure Linux ", "Azure Linux"),
    ("CBL-Mariner ", "CBL-Mariner"),
    ("Debian GNU/Linux ", "Debian"),
    ("Debian ", "Debian"),
    ("Oracle Linux ", "Oracle Linux"),
    ("Photon OS ", "Photon OS"),
    ("Red Hat Enterprise Linux ", "Red Hat"),
    ("Rocky Linux ", "Rocky Linux"),
    ("Ubuntu ", "Ubuntu"),
];

/// From a CPE of Red Hat: `cpe:/a:redhat:enterprise_linux:8::appstream`. Its other products keep
/// their names. `None` for CPEs of others.
pub(super) fn of_cpe(cpe: &str) -> Option<Ecosystem> {
    let cpe = cpe.strip_prefix("cpe:2.3").or_else(|| cpe.strip_prefix("cpe:"))?;
    let product = cpe.split_once(":redhat:")?.1;
    Some(Ecosystem::new(red_hat::NAME, red_hat::release(product)))
}

/// From the name that a file is published under, for vendors whose files do not say it:
/// `azurelinux-3.0-oval.xml`, `cbl-mariner-2.0-oval.xml`.
pub(super) fn of_file(name: &str) -> Option<Ecosystem> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (ecosystem, rest) = [("Azure Linux", "azurelinux-"), ("CBL-Mariner", "cbl-mariner-")]
        .into_iter()
        .find_map(|(ecosystem, prefix)| Some((ecosystem, name.strip_prefix(prefix)?)))?;
    let release = rest.split('-').next()?;
    let number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    (release.contains('.') && release.bytes().all(number))
        .then(|| Ecosystem::new(ecosystem, release))
}

/// What a vendor's definitions name: these vendors' name the source package, whatever OVAL says.
pub(super) fn naming(ecosystem: &Ecosystem) -> Naming {
    match ecosystem.name.as_str() {
        "Azure Linux" | "CBL-Mariner" | "Debian" => Naming::Source,
        _ => Naming::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_products() {
        for (name, ecosystem) in [
            ("Red Hat Enterprise Linux 8", Some("Red Hat:8")),
            ("Red Hat Enterprise Linux 8.6 Extended Update Support", None),
            ("Red Hat Enterprise Linux", None),
            ("Red Hat CoreOS 4", None),
            ("Oracle Linux 7", Some("Oracle Linux:7")),
            ("AlmaLinux 9", Some("AlmaLinux:9")),
            ("Ubuntu 22.04 LTS (jammy)", Some("Ubuntu:22.04")),
            ("Debian GNU/Linux 12", Some("Debian:12")),
            ("SUSE Linux Enterprise Server 15 SP5", Some("SUSE:Linux Enterprise Server 15 SP5")),
            ("SUSE Linux Micro 6.0", Some("SUSE:Linux Micro 6.0")),
            ("SUSE Manager Server 4.3", None),
            ("openSUSE Leap 15.5", Some("openSUSE:Leap 15.5")),
            ("Azure Linux", None),
            ("bind", None),
            ("", None),
        ] {
            assert_eq!(
                of_name(name).map(|found| found.to_string()).as_deref(),
                ecosystem,
                "{name}"
            );
        }
    }

    #[test]
    fn cpes_and_files() {
        for (cpe, ecosystem) in [
            ("cpe:/a:redhat:enterprise_linux:8::appstream", Some("Red Hat:8")),
            ("cpe:/o:redhat:enterprise_linux:9", Some("Red Hat:9")),
            ("cpe:/a:redhat:rhel_eus:9.0::appstream", Some("Red Hat:rhel_eus:9.0")),
            ("cpe:/a:redhat:openshift:4.16::el9", Some("Red Hat:openshift:4.16")),
            ("cpe:/o:suse:sles:15:sp5", None),
            ("redhat", None),
        ] {
            assert_eq!(of_cpe(cpe).map(|found| found.to_string()).as_deref(), ecosystem, "{cpe}");
        }
        for (file, ecosystem) in [
            ("data/azurelinux-3.0-oval.xml", Some("Azure Linux:3.0")),
            ("cbl-mariner-2.0-oval-2024.xml.gz", Some("CBL-Mariner:2.0")),
            ("azurelinux-oval.xml", None),
            ("rhel-8.oval.xml", None),
        ] {
            assert_eq!(
                of_file(file).map(|found| found.to_string()).as_deref(),
                ecosystem,
                "{file}"
            );
        }
    }
}
