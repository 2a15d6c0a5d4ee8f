//! The order of RubyGems: `Gem::Version`.
//!
//! Segments of digits or of letters; a text comes before a number, a missing segment is 0, zeros
//! at the end of the release part and of the rest do not count. A dash begins a prerelease.

use super::key::Key;

/// What a segment of a key begins with: zeros and a text, the end, zeros and a number. A missing
/// segment is 0, so that zeros before something else are counted with it.
const TEXT: u8 = 1;
const END: u8 = 2;
const NUMBER: u8 = 3;

/// A key with this order.
pub(super) fn key(version: &str, key: &mut Key) {
    let version = version.trim().replace('-', ".pre.");
    let segments = segments(&version);
    let release = segments.iter().position(|s| !is_number(s)).unwrap_or(segments.len());
    let (release, rest) = segments.split_at(release);
    let mut zeros = 0;
    for segment in without_zeros(release).iter().chain(without_zeros(rest)) {
        if !is_number(segment) {
            key.byte(TEXT);
            key.int(zeros);
            key.text(segment.as_bytes());
        } else if is_zero(segment) {
            zeros += 1;
            continue;
        } else {
            key.byte(NUMBER);
            key.falling(zeros);
            key.number(segment.as_bytes());
        }
        zeros = 0;
    }
    key.byte(END);
}

fn is_number(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_zero(segment: &str) -> bool {
    segment.bytes().all(|byte| byte == b'0')
}

fn without_zeros<'s, 'a>(segments: &'s [&'a str]) -> &'s [&'a str] {
    let zeros = segments.iter().rev().take_while(|segment| is_zero(segment)).count();
    segments.get(..segments.len() - zeros).unwrap_or_default()
}

fn segments(version: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.bytes().next() {
        let kind: fn(&u8) -> bool = match first {
            b'0'..=b'9' => u8::is_ascii_digit,
            b'a'..=b'z' | b'A'..=b'Z' => u8::is_ascii_alphabetic,
            _ => {
                let mut characters = rest.chars();
                characters.next();
                rest = characters.as_str();
                continue;
            }
        };
        let end = rest.bytes().position(|byte| !kind(&byte)).unwrap_or(rest.len());
        let (segment, after) = rest.split_at(end);
        segments.push(segment);
        rest = after;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::super::tests::rises;

    #[test]
    fn as_rubygems_says() {
        rises(
            "gem",
            &[
                "0.a", "0", "0.0.1", "1.0.a.1", "1.0.a.2", "1.0.a10", "1.0.b1", "1-x", "1",
                "1.0.0.1", "1.0.1", "1.9", "1.10", "5.2.4",
            ],
            &[("1.0", "1"), ("1.0.a", "1.a"), ("1-a", "1.pre.a"), ("", "0"), ("1.b.0", "1.b")],
        );
    }
}
