//! The rules packages by the ARNs that scripts have written down.

use crate::model::finding::RulesPackage;

/// A rules package of Inspector's.
#[derive(Debug)]
pub(super) struct Package {
    /// Its ARN here.
    pub(super) arn: &'static str,
    /// The one that assay judges by; none for the package that needs a cloud's network.
    pub(super) package: Option<RulesPackage>,
    /// Inspector's name.
    pub(super) name: &'static str,
    /// Inspector's version.
    pub(super) version: &'static str,
    /// What it is about.
    pub(super) description: &'static str,
    /// Region, account and id elsewhere.
    elsewhere: [(&'static str, &'static str, &'static str); 2],
}

/// Who provides them.
pub(super) const PROVIDER: &str = "Amazon Web Services, Inc.";
const WEST: &str = "us-west-2";
const WEST_ACCOUNT: &str = "758058086616";
const EUROPE: &str = "eu-west-1";
const EUROPE_ACCOUNT: &str = "357557129151";

const fn judged(
    package: RulesPackage,
    description: &'static str,
    west: &'static str,
    europe: &'static str,
) -> Package {
    Package {
        arn: package.arn(),
        package: Some(package),
        name: package.name(),
        version: package.version(),
        description,
        elsewhere: [(WEST, WEST_ACCOUNT, west), (EUROPE, EUROPE_ACCOUNT, europe)],
    }
}

static ALL: [Package; 5] = [
    judged(
        RulesPackage::CommonVulnerabilities,
        "Whether the host's software is exposed to known vulnerabilities (CVE).",
        "0-9hgA516p",
        "0-ubA5XvBh",
    ),
    judged(
        RulesPackage::Cis,
        "Whether the host's configuration follows the CIS Benchmark of its operating system.",
        "0-H5hpSawc",
        "0-sJBhCr0F",
    ),
    judged(
        RulesPackage::SecurityBestPractices,
        "Whether the host follows practices that make it harder to break into.",
        "0-JJOtZiqQ",
        "0-SnojL3Z6",
    ),
    judged(
        RulesPackage::RuntimeBehavior,
        "Whether what the host does while it is observed makes it easier to break into.",
        "0-vg5GGHSD",
        "0-lLmwe1zd",
    ),
    Package {
        arn: "arn:aws:inspector:us-east-1:316112463485:rulespackage/0-PmNV0Tcd",
        package: None,
        name: "Network Reachability",
        version: "1.1",
        description: "Whether ports can be reached from outside a cloud's network. assay sees \
                      hosts and not the cloud, so a run lists this package as an exclusion.",
        elsewhere: [(WEST, WEST_ACCOUNT, "0-rD1z6dpl"), (EUROPE, EUROPE_ACCOUNT, "0-SPzU33xe")],
    },
];

/// The packages that hosts are judged by.
pub(super) fn listed() -> impl Iterator<Item = &'static Package> {
    ALL.iter().filter(|package| package.package.is_some())
}

/// The package with this ARN, of this region or another.
pub(super) fn find(arn: &str) -> Option<&'static Package> {
    ALL.iter().find(|package| {
        package.arn == arn
            || package.elsewhere.iter().any(|(region, account, id)| {
                arn == format!("arn:aws:inspector:{region}:{account}:rulespackage/{id}")
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::store::Kind;
    use crate::assess::store::arn::REGION;

    #[test]
    fn old_arns_are_known() {
        for package in &ALL {
            assert_eq!(Kind::of(package.arn), Some(Kind::RulesPackage));
            assert!(package.arn.contains(REGION));
        }
        let europe = "arn:aws:inspector:eu-west-1:357557129151:rulespackage/0-SnojL3Z6";
        assert_eq!(
            find(europe).and_then(|package| package.package),
            Some(RulesPackage::SecurityBestPractices)
        );
        assert!(find("arn:aws:inspector:eu-west-1:357557129151:rulespackage/0-gEjTy7T7").is_none());
    }
}
