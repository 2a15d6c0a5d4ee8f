//! The order of versions, exactly as each package manager and each language's registry has it.
//!
//! The orders are total over any text (checked by property), so that sorting and searching by them
//! is safe whatever a snapshot holds; two texts can be equal without being the same (`1.0` and
//! `1.0-0` of dpkg). Each order also has a [`Scheme::key`] that compares by bytes. The managers
//! themselves are the oracle in `tests/lens_versions.rs`.

mod apk;
mod dpkg;
mod gem;
mod key;
mod maven;
mod pypi;
mod rpm;
mod semver;

use std::cmp::Ordering;

use self::key::Key;

/// How versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Debian and what descends from it.
    Dpkg,
    /// Red Hat, SUSE, Amazon, and what descends from them.
    Rpm,
    /// Alpine.
    Apk,
    /// Semantic versions: npm, Go, Cargo, and OSV's `SEMVER` ranges.
    Semver,
    /// Python.
    Pypi,
    /// Ruby.
    Gem,
    /// Java.
    Maven,
}

impl Scheme {
    /// Every scheme with its name; other names for it are in [`Scheme::parse`].
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Dpkg, "dpkg"),
        (Self::Rpm, "rpm"),
        (Self::Apk, "apk"),
        (Self::Semver, "semver"),
        (Self::Pypi, "pypi"),
        (Self::Gem, "gem"),
        (Self::Maven, "maven"),
    ];

    /// The scheme with this name, or that of a package manager as `packages.manager` names it;
    /// `None` for one that is not known, which must not be guessed.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "npm" | "go" | "golang" | "cargo" => Some(Self::Semver),
            "python" => Some(Self::Pypi),
            "rubygems" => Some(Self::Gem),
            "jar" => Some(Self::Maven),
            _ => Self::ALL.iter().find(|(_, known)| *known == name).map(|(scheme, _)| *scheme),
        }
    }

    /// How two versions are ordered.
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Apk => apk::compare(a, b),
            Self::Dpkg => dpkg::compare(a, b),
            Self::Rpm => rpm::compare(a, b),
            Self::Semver | Self::Pypi | Self::Gem | Self::Maven => self.key(a).cmp(&self.key(b)),
        }
    }

    /// Bytes that compare as the versions do: equal ones for versions that are equal.
    pub fn key(self, version: &str) -> Vec<u8> {
        let mut key = Key::default();
        match self {
            Self::Apk => apk::key(version, &mut key),
            Self::Dpkg => dpkg::key(version, &mut key),
            Self::Rpm => rpm::key(version, &mut key),
            Self::Semver => semver::key(version, &mut key),
            Self::Pypi => pypi::key(version, &mut key),
            Self::Gem => gem::key(version, &mut key),
            Self::Maven => maven::key(version, &mut key),
        }
        key.0
    }
}

/// How two versions are ordered by a package manager; see [`Scheme::parse`].
pub fn compare(manager: &str, a: &str, b: &str) -> Option<Ordering> {
    Scheme::parse(manager).map(|scheme| scheme.compare(a, b))
}

/// The number that a text begins with, leading zeros removed, and the rest.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (number, rest) = bytes.split_at(end);
    let start = number.iter().position(|byte| *byte != b'0').unwrap_or(end);
    (number.get(start..).unwrap_or_default(), rest)
}

/// The order of two numbers without leading zeros: they may be longer than any integer type.
fn number_order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::{Scheme, compare};
    use proptest::prelude::*;
    use std::cmp::Ordering;

    /// Checks versions in rising order, and pairs that are equal.
    pub(super) fn rises(scheme: &str, versions: &[&str], equal: &[(&str, &str)]) {
        for (index, a) in versions.iter().enumerate() {
            for b in versions.iter().skip(index + 1) {
                assert_eq!(compare(scheme, a, b), Some(Ordering::Less), "{a} {b}");
            }
        }
        for (a, b) in equal {
            assert_eq!(compare(scheme, a, b), Some(Ordering::Equal), "{a} {b}");
        }
    }

    /// Texts that share beginnings often enough for the rules to matter.
    fn version() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("0"),
            Just("00"),
            Just("1"),
            Just("01"),
            Just("9"),
            Just("10"),
            Just("a"),
            Just("b"),
            Just("Z"),
            Just("rc"),
            Just("_rc"),
            Just("_alpha"),
            Just("_p"),
            Just("_x"),
            Just("."),
            Just("."),
            Just("-"),
            Just("-r"),
            Just("-r1"),
            Just("~"),
            Just("~ab"),
            Just("^"),
            Just("+"),
            Just(":"),
            Just(" "),
            Just("é"),
            Just("!"),
            Just("v"),
            Just("dev"),
            Just("post1"),
            Just("final"),
            Just("SNAPSHOT"),
            Just("\0"),
            Just("99999999999999999999"),
        ];
        prop_oneof![
            9 => prop::collection::vec(part, 0..7).prop_map(|parts| parts.concat()),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8000))]
        #[test]
        fn every_order_is_total_and_its_keys_have_it(
            scheme in 0..Scheme::ALL.len(),
            a in version(),
            b in version(),
            c in version(),
        ) {
            let scheme = Scheme::ALL[scheme].0;
            let order = |a: &str, b: &str| scheme.compare(a, b);
            prop_assert_eq!(order(&a, &a), Ordering::Equal);
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
                prop_assert_ne!(order(&a, &c), Ordering::Greater);
                if order(&a, &b) == Ordering::Less || order(&b, &c) == Ordering::Less {
                    prop_assert_eq!(order(&a, &c), Ordering::Less);
                }
            }
            for (a, b) in [(&a, &b), (&b, &c), (&a, &c)] {
                let keys = scheme.key(a).cmp(&scheme.key(b));
                prop_assert_eq!(keys, order(a, b), "{:?} {:?} {:?}", scheme, a, b);
            }
        }
    }

    #[test]
    fn a_manager_that_is_not_known_is_not_guessed() {
        assert_eq!(compare("pacman", "1", "2"), None);
    }
}
