//! The order of dpkg: deb-version(7), and `dpkg --compare-versions` where that is silent.
//!
//! `[epoch:]upstream[-revision]`. The epoch is a number, missing means 0. Upstream and revision are
//! each compared by turns of non-digits and numbers: `~` sorts before the end, the end before
//! letters, letters before everything else. A missing revision equals `0`.

use std::cmp::Ordering;

use super::key::Key;
use super::{digits, number_order};

/// How dpkg orders two versions. What it would refuse as a version is ordered by the same rules.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, upstream_a, revision_a) = split(a.trim());
    let (epoch_b, upstream_b, revision_b) = split(b.trim());
    part(epoch_a, epoch_b)
        .then_with(|| part(upstream_a, upstream_b))
        .then_with(|| part(revision_a, revision_b))
}

/// Epoch, upstream version, revision.
fn split(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (weight_a, weight_b) = (weight(a.first()), weight(b.first()));
            if weight_a != weight_b {
                return weight_a.cmp(&weight_b);
            }
            if weight_a == 0 {
                break;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (number_a, rest_a) = digits(a);
        let (number_b, rest_b) = digits(b);
        let order = number_order(number_a, number_b);
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// A key with the order of [`compare`].
pub(super) fn key(version: &str, key: &mut Key) {
    let (epoch, upstream, revision) = split(version.trim());
    for part in [epoch, upstream, revision] {
        part_key(part.as_bytes(), key);
    }
}

/// Turns of non-digits, which end in [`END`], and numbers. Only the first turn can be without
/// non-digits, so that the end of a part is an [`END`] where a turn would begin.
fn part_key(mut part: &[u8], key: &mut Key) {
    loop {
        let end = part.iter().position(u8::is_ascii_digit).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        for byte in word {
            key.byte(rank(*byte));
        }
        key.byte(END);
        let (number, rest) = digits(rest);
        key.number(number);
        part = rest;
        if part.is_empty() {
            return key.byte(END);
        }
    }
}

/// The end of non-digits in a key: above `~`, below everything else.
const END: u8 = 2;
/// Letters in a key; what is neither a letter nor `~` comes behind the 52 of them.
const LETTERS: u8 = 3;

/// [`weight`] in a byte.
fn rank(byte: u8) -> u8 {
    match byte {
        b'~' => 1,
        b'A'..=b'Z' => LETTERS + (byte - b'A'),
        b'a'..=b'z' => LETTERS + 26 + (byte - b'a'),
        _ => {
            let below = |first: u8, count: u8| byte.saturating_sub(first).min(count);
            let passed = below(b'0', 10) + below(b'A', 26) + below(b'a', 26) + below(b'~', 1);
            LETTERS + 52 + (byte - passed)
        }
    }
}

/// Order of a character among non-digits; the end and a digit, where a number begins, are 0.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None | Some(b'0'..=b'9') => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering::{Equal, Less};

    #[test]
    fn as_dpkg_says() {
        for (a, b) in [
            ("1.0~rc1", "1.0"),
            ("1.0~~", "1.0~"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+"),
            ("3.1.2+dfsg-1", "3.1.2+dfsg0-1+b1"),
            ("9", "10"),
            ("1.0-1", "1.0-1.1"),
            ("2.0", "1:1.0"),
            ("1:1.0", "10:0.1"),
            ("1.0-1~bpo12+1", "1.0-1"),
            ("1-2-3", "1-2-4"),
            ("0.105-31+deb11u1", "0.105-33"),
            ("99999999999999999999", "100000000000000000000"),
        ] {
            assert_eq!(compare(a, b), Less, "{a} {b}");
        }
        for (a, b) in [("1.0", "1.0-0"), ("0:1", "1"), ("1.00", "1.0"), (" 1 ", "1"), ("", "0")] {
            assert_eq!(compare(a, b), Equal, "{a} {b}");
        }
    }
}
