//! The order of versions by package manager.

use std::cmp::Ordering;

/// How two versions are ordered; none for an unknown package manager.
pub fn compare(manager: &str, a: &str, b: &str) -> Option<Ordering> {
    match manager {
        "dpkg" => Some(dpkg(a, b)),
        "rpm" => Some(rpm_version::rpm_evr_compare(a, b)),
        _ => None,
    }
}

fn dpkg(a: &str, b: &str) -> Ordering {
    let (epoch_a, a) = a.split_once(':').unwrap_or(("0", a));
    let (epoch_b, b) = b.split_once(':').unwrap_or(("0", b));
    let (upstream_a, revision_a) = a.rsplit_once('-').unwrap_or((a, ""));
    let (upstream_b, revision_b) = b.rsplit_once('-').unwrap_or((b, ""));
    part(epoch_a, epoch_b)
        .then_with(|| part(upstream_a, upstream_b))
        .then_with(|| part(revision_a, revision_b))
}

fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (first_a, first_b) = (weight(a.first()), weight(b.first()));
            if first_a == 0 && first_b == 0 {
                break;
            }
            if first_a != first_b {
                return first_a.cmp(&first_b);
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (digits_a, rest_a) = digits(a);
        let (digits_b, rest_b) = digits(b);
        let order = digits_a.len().cmp(&digits_b.len()).then_with(|| digits_a.cmp(digits_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// Order of a character outside numbers: `~`, the end or a digit, letters, the rest.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

/// The number that text begins with, leading zeros removed, and the rest.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    let start = digits.iter().position(|byte| *byte != b'0').unwrap_or(digits.len());
    (&digits[start..], rest)
}
