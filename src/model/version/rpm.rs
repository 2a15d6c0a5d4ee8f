//! The order of rpm: rpm-version(7), librpm's `rpmVersionCompare`.
//!
//! `[epoch:]version[-release]`. The epoch is a number, missing means 0. Version and release are
//! each compared segment by segment, of letters or of digits; everything else only separates.
//! `~` sorts before the end, `^` after the end but before any further segment. A version without
//! release is less than the same version with one, as librpm orders labels: the looser "a missing
//! release matches any" holds for dependencies only, and would call a vulnerable build fixed.

use std::cmp::Ordering;

use rpm_version::Evr;

use super::digits;
use super::key::Key;

/// How rpm orders two versions. What it would refuse as a version is ordered by the same rules.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let [a, b] = [a, b].map(|text| {
        let (epoch, version, release) = split(text);
        Evr::new(epoch, version, release)
    });
    a.cmp(&b)
}

/// The epoch is there only where digits alone stand before a colon; the release follows the last
/// dash, as librpm splits labels.
fn split(text: &str) -> (&str, &str, &str) {
    let epoch =
        text.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit()));
    let (epoch, rest) = epoch.unwrap_or(("", text));
    let epoch = if epoch.is_empty() { "0" } else { epoch };
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}

/// A key with the order of [`compare`].
pub(super) fn key(version: &str, key: &mut Key) {
    let (epoch, version, release) = split(version);
    key.number(epoch.as_bytes());
    part_key(version.as_bytes(), key);
    part_key(release.as_bytes(), key);
}

/// What a segment of a key begins with, in the order of rpm.
const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const WORD: u8 = 4;
const NUMBER: u8 = 5;

fn part_key(mut part: &[u8], key: &mut Key) {
    while let Some((first, rest)) = part.split_first() {
        match first {
            b'~' => key.byte(TILDE),
            b'^' => key.byte(CARET),
            b'0'..=b'9' => {
                let (number, rest) = digits(part);
                key.byte(NUMBER);
                key.number(number);
                part = rest;
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                let end = part.iter().position(|byte| !byte.is_ascii_alphabetic());
                let (word, rest) = part.split_at(end.unwrap_or(part.len()));
                key.byte(WORD);
                key.0.extend_from_slice(word);
                key.byte(0);
                part = rest;
                continue;
            }
            _ => {}
        }
        part = rest;
    }
    key.byte(END);
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
