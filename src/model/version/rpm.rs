//! The order of rpm: rpm-version(7), librpm's `rpmVersionCompare`.
//!
//! `[epoch:]version[-release]`. The epoch is a number, missing means 0. Version and release are
//! each compared segment by segment, of letters or of digits; everything else only separates.
//! `~` sorts before the end, `^` after the end but before any further segment. A version without
//! release is less than the same version with one, as librpm orders labels: the looser "a missing
//! release matches any" holds for dependencies only, and would call a vulnerable build fixed.

use std::cmp::Ordering;

use rpm_version::Evr;

/// How rpm orders two versions. What it would refuse as a version is ordered by the same rules.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    evr(a).cmp(&evr(b))
}

/// The epoch is there only where digits alone stand before a colon; the release follows the last
/// dash, as librpm splits labels.
fn evr(text: &str) -> Evr<'_> {
    let epoch =
        text.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit()));
    let (epoch, rest) = epoch.unwrap_or(("", text));
    let epoch = if epoch.is_empty() { "0" } else { epoch };
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    Evr::new(epoch, version, release)
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering::{Equal, Less};

    #[test]
    fn as_rpm_says() {
        for (a, b) in [
            ("1.0~rc1-1", "1.0-1"),
            ("1.0-1", "1.0^git1-1"),
            ("1.0^git1-1", "1.0.1-1"),
            ("1.0^~1", "1.0^"),
            ("1.0a", "1.0.1"),
            ("9-1", "10-1"),
            ("2.0-1", "1:1.0-1"),
            ("1.0-1.el8", "1.0-1.el8_5.1"),
            ("1.0", "1.0-1"),
            ("4.18.0-348.el8", "4.18.0-372.9.1.el8"),
            ("a", "1"),
        ] {
            assert_eq!(compare(a, b), Less, "{a} {b}");
        }
        for (a, b) in [("1.0-1", "0:1.0-1"), ("1.05", "1.5"), ("1_0", "1.0"), ("1.0.", "1.0")] {
            assert_eq!(compare(a, b), Equal, "{a} {b}");
        }
    }
}
