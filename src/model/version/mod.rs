//! The order of package versions, exactly as each package manager has it.
//!
//! The orders are total over any text (checked by property), so that sorting and searching by them
//! is safe whatever a snapshot holds; two texts can be equal without being the same (`1.0` and
//! `1.0-0` of dpkg). The managers themselves are the oracle in `tests/lens_versions.rs`.

mod apk;
mod dpkg;
mod rpm;

use std::cmp::Ordering;

/// How two versions are ordered by a package manager, named as `packages.manager` names it
/// (`dpkg`, `rpm`, `apk`); `None` for a manager that is not known, which must not be guessed.
pub fn compare(manager: &str, a: &str, b: &str) -> Option<Ordering> {
    match manager {
        "apk" => Some(apk::compare(a, b)),
        "dpkg" => Some(dpkg::compare(a, b)),
        "rpm" => Some(rpm::compare(a, b)),
        _ => None,
    }
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
    use super::compare;
    use proptest::prelude::*;
    use std::cmp::Ordering;

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
            Just("99999999999999999999"),
        ];
        prop_oneof![
            9 => prop::collection::vec(part, 0..7).prop_map(|parts| parts.concat()),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn every_order_is_total(
            manager in prop_oneof![Just("apk"), Just("dpkg"), Just("rpm")],
            a in version(),
            b in version(),
            c in version(),
        ) {
            let order = |a: &str, b: &str| compare(manager, a, b).unwrap();
            prop_assert_eq!(order(&a, &a), Ordering::Equal);
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
                prop_assert_ne!(order(&a, &c), Ordering::Greater);
                if order(&a, &b) == Ordering::Less || order(&b, &c) == Ordering::Less {
                    prop_assert_eq!(order(&a, &c), Ordering::Less);
                }
            }
        }
    }

    #[test]
    fn a_manager_that_is_not_known_is_not_guessed() {
        assert_eq!(compare("pacman", "1", "2"), None);
    }
}
