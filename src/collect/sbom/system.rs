//! Which distribution a bill is of, in the words of os-release.

use std::collections::BTreeMap;

use super::{Bill, is_word};
use crate::model::purl::Purl;

/// A distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct System {
    pub(super) id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) name: Option<String>,
}

impl System {
    pub(super) fn new(id: &str, version: &str, name: Option<&str>) -> Self {
        let word = |text: &str| is_word(text).then(|| text.to_owned());
        Self { id: word(&canonical(id)), version: word(version), name: name.and_then(word) }
    }
}

/// The distribution of a bill: as an operating system among its components, unless no package
/// agrees with that; then as most of its packages say it.
pub(super) fn of(bill: &Bill) -> Option<System> {
    let mut votes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for component in &bill.components {
        if let Some(distro) = of_purl(&component.purl) {
            *votes.entry(distro).or_default() += 1;
        }
    }
    let told = bill.system.clone().filter(|system| {
        let agrees = |id: &str| votes.is_empty() || votes.keys().any(|(voted, _)| voted == id);
        system.id.as_deref().is_some_and(agrees)
    });
    told.or_else(|| {
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        most.map(|((id, version), _)| System::new(&id, &version, None))
    })
}

/// The distribution's id and version that a package URL names: `distro=debian-12`.
pub(super) fn of_purl(purl: &Purl) -> Option<(String, String)> {
    let distro = purl.qualifier("distro")?;
    let digit = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
    let (id, version) = match distro.rsplit_once('-') {
        Some((id, version)) if digit(version) => (id, version),
        _ => (distro, ""),
    };
    Some((canonical(id), version.to_owned()))
}

/// os-release's ID for the names that generators use.
fn canonical(id: &str) -> String {
    let id = id.trim().to_lowercase();
    match id.as_str() {
        "alma" => "almalinux".into(),
        "amazon" | "amazonlinux" => "amzn".into(),
        "azure" => "azurelinux".into(),
        "cbl-mariner" => "mariner".into(),
        "opensuse.leap" => "opensuse-leap".into(),
        "opensuse.tumbleweed" => "opensuse-tumbleweed".into(),
        "oracle" | "oraclelinux" => "ol".into(),
        "redhat" => "rhel".into(),
        "rockylinux" => "rocky".into(),
        "suse linux enterprise server" | "suse" => "sles".into(),
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_of_package_urls() {
        for (distro, id, version) in [
            ("debian-12.5", "debian", "12.5"),
            ("redhat-9.2", "rhel", "9.2"),
            ("opensuse-leap-15.5", "opensuse-leap", "15.5"),
            ("opensuse-tumbleweed", "opensuse-tumbleweed", ""),
            ("amazon-2023", "amzn", "2023"),
            ("wolfi-20230201", "wolfi", "20230201"),
            ("bookworm", "bookworm", ""),
        ] {
            let purl = Purl::parse(&format!("pkg:deb/x/y@1?distro={distro}")).unwrap();
            assert_eq!(of_purl(&purl), Some((id.to_owned(), version.to_owned())), "{distro}");
        }
        assert_eq!(of_purl(&Purl::parse("pkg:deb/x/y@1").unwrap()), None);
    }
}
