//! Secrets that are known by their own shape, whatever stands around them.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

/// A shape: the group named `secret` is hidden, or the whole match. `hint` stands in every match
/// in lower case, so that the expression is seldom run and compiled only when it is needed.
struct Shape {
    hints: &'static [&'static str],
    accepts: fn(&str) -> bool,
    pattern: LazyLock<Option<Regex>>,
}

macro_rules! shapes {
    ($($hints:expr, $accepts:expr => $pattern:literal,)*) => {
        [$(Shape {
            hints: &$hints,
            accepts: $accepts,
            pattern: LazyLock::new(|| Regex::new($pattern).ok()),
        },)*]
    };
}

static SHAPES: [Shape; 16] = shapes![
    // crypt(5), Apache's apr1, PHC strings (argon2, scrypt, pbkdf2), phpass.
    ["$"], any => r#"\$(?:1|2[abxy]?|3|5|6|7|y|gy|sm3y?|md5|sha1|apr1|[PH]|argon2(?:i|d|id)|s?crypt|pbkdf2[-a-z0-9]*|bcrypt[-a-z0-9]*|8|9|rounds=[0-9]+)[$,](?P<secret>(?:[^\s$:"']{0,64}\$){0,4}[./A-Za-z0-9+=-]{20,})"#,
    ["$"], any => r#"\$(?P<secret>(?:[PH]|S)\$[./A-Za-z0-9]{31,52})"#,
    // RFC 2307 userPassword.
    ["}"], any => r#"(?i)\{(?:s?md5|s?sha[0-9]*|ssha-?[0-9]*|crypt|pbkdf2[-a-z0-9]*|argon2[a-z]*|blf-crypt|plain|cleartext|cram-md5|ntlm?|lanman)\}(?P<secret>[^\s"':,}]+)"#,
    ["pbkdf2"], any => r#"(?i)\bpbkdf2[._](?:hmac[._])?sha[0-9]+[.:$](?P<secret>[0-9a-z.:$/+=]{16,})"#,
    // Credentials in an address.
    ["://"], any => r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@"'<>?#]*:(?P<secret>[^\s/"'<>]+)@"#,
    ["eyj"], any => r#"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"#,
    ["akia", "asia"], any => r#"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"#,
    ["gh", "glpat"], any => r#"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,})"#,
    ["xox", "xapp", "hooks.slack.com"], any => r#"\b(?:xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_-]+))"#,
    ["aiza"], any => r#"\bAIza[0-9A-Za-z_-]{30,}"#,
    ["k_live_", "k_test_"], any => r#"\b[rsp]k_(?:live|test)_[0-9A-Za-z]{10,}"#,
    ["npm_", "pypi-", "sg.", "hvs.", "hvb.", "hvr.", "sk-", "dop_v1", "age-secret-key"], any =>
        r#"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hv[sbr]\.[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{20,}|dop_v1_[0-9a-f]{32,}|AGE-SECRET-KEY-1[0-9A-Z]{20,})"#,
    ["bearer"], any => r#"(?i)\bbearer[ \t]+(?P<secret>[a-z0-9._~+/=-]{8,})"#,
    // The outputs of rsyslog to data bases in the old syntax: host, data base, user, password.
    ["ommysql", "ompgsql"], any => r#":om(?:mysql|pgsql):[^,\s]*,[^,\s]*,[^,\s]*,(?P<secret>[^;\s]+)"#,
    // squid's `login=user:password`.
    ["login="], any => r#"\blogin=[^\s:]+:(?P<secret>\S+)"#,
    ["basic"], is_base64 => r#"\b[Bb]asic[ \t]+(?P<secret>[A-Za-z0-9+/]+={0,2})"#,
];

fn any(_: &str) -> bool {
    true
}

/// Whether the word after "Basic" is base64 and not prose: long, with a digit, a sign, or capitals
/// and small letters mixed.
fn is_base64(word: &str) -> bool {
    let mixed = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase());
    let sign = word.bytes().any(|byte| !byte.is_ascii_alphabetic());
    word.len() >= 8 && (mixed || sign)
}

/// The hints of all shapes in their order.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let hints = SHAPES.iter().flat_map(|shape| shape.hints);
    AhoCorasick::builder().ascii_case_insensitive(true).build(hints).ok()
});

/// The shapes whose hints stand in a line, one bit each; all where that cannot be told.
fn hinted(line: &str) -> u32 {
    let Some(hints) = HINTS.as_ref() else { return u32::MAX };
    let mut shapes = 0;
    for hint in hints.find_overlapping_iter(line) {
        let mut at = hint.pattern().as_usize();
        for (number, shape) in SHAPES.iter().enumerate() {
            if at < shape.hints.len() {
                shapes |= 1 << number;
                break;
            }
            at -= shape.hints.len();
        }
    }
    shapes
}

/// The ranges of a line that hold a secret.
pub(super) fn find(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let hinted = hinted(line);
    for (number, shape) in SHAPES.iter().enumerate() {
        if hinted & (1 << number) == 0 {
            continue;
        }
        for captures in shape.pattern.as_ref().into_iter().flat_map(|it| it.captures_iter(line)) {
            let part = captures.name("secret").or_else(|| captures.get(0));
            found.extend(
                part.filter(|part| (shape.accepts)(part.as_str())).map(|part| part.range()),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{HINTS, SHAPES};

    #[test]
    fn every_expression_compiles() {
        assert!(HINTS.is_some());
        for shape in &SHAPES {
            assert!(shape.pattern.is_some(), "{:?}", shape.hints);
        }
    }
}
