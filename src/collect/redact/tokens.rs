//! Secrets that are known by their own shape, whatever stands around them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A shape: the group named `secret` is hidden, or the whole match. `hint` stands in every match
/// in lower case, so that the expression is seldom run and compiled only when it is needed.
struct Shape {
    hints: &'static [&'static str],
    pattern: LazyLock<Option<Regex>>,
}

macro_rules! shapes {
    ($($hints:expr => $pattern:literal,)*) => {
        [$(Shape { hints: &$hints, pattern: LazyLock::new(|| Regex::new($pattern).ok()) },)*]
    };
}

static SHAPES: [Shape; 14] = shapes![
    // crypt(5), Apache's apr1, PHC strings (argon2, scrypt, pbkdf2), phpass.
    ["$"] => r#"\$(?:1|2[abxy]?|3|5|6|7|y|gy|sm3y?|md5|sha1|apr1|[PH]|argon2(?:i|d|id)|s?crypt|pbkdf2[-a-z0-9]*|bcrypt[-a-z0-9]*|8|9|rounds=[0-9]+)[$,](?P<secret>(?:[^\s$:"']{0,64}\$){0,4}[./A-Za-z0-9+=-]{20,})"#,
    ["$"] => r#"\$(?P<secret>(?:[PH]|S)\$[./A-Za-z0-9]{31,52})"#,
    // RFC 2307 userPassword.
    ["}"] => r#"(?i)\{(?:s?md5|s?sha[0-9]*|ssha-?[0-9]*|crypt|pbkdf2[-a-z0-9]*|argon2[a-z]*|blf-crypt|plain|cleartext|cram-md5|ntlm?|lanman)\}(?P<secret>[^\s"':,}]+)"#,
    ["pbkdf2"] => r#"(?i)\bpbkdf2[._](?:hmac[._])?sha[0-9]+[.:$](?P<secret>[0-9a-z.:$/+=]{16,})"#,
    // Credentials in an address.
    ["://"] => r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@"'<>?#]*:(?P<secret>[^\s/"'<>]+)@"#,
    ["eyj"] => r#"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"#,
    ["akia", "asia"] => r#"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"#,
    ["gh", "glpat"] => r#"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,})"#,
    ["xox", "xapp", "hooks.slack.com"] => r#"\b(?:xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9/_-]+))"#,
    ["aiza"] => r#"\bAIza[0-9A-Za-z_-]{30,}"#,
    ["k_live_", "k_test_"] => r#"\b[rsp]k_(?:live|test)_[0-9A-Za-z]{10,}"#,
    ["npm_", "pypi-", "sg.", "hvs.", "hvb.", "hvr.", "sk-", "dop_v1", "age-secret-key"] =>
        r#"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hv[sbr]\.[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{20,}|dop_v1_[0-9a-f]{32,}|AGE-SECRET-KEY-1[0-9A-Z]{20,})"#,
    ["bearer"] => r#"(?i)\bbearer[ \t]+(?P<secret>[a-z0-9._~+/=-]{8,})"#,
    // A word after "Basic" is base64 and not prose if it has a digit, a capital inside or padding.
    ["basic"] => r#"\b[Bb]asic[ \t]+(?P<secret>[A-Za-z0-9+/]*(?:[0-9+/]|[a-z][A-Z]|[A-Z]{2})[A-Za-z0-9+/]*={0,2})"#,
];

/// The ranges of a line that hold a secret.
pub(super) fn find(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let lower = line.to_ascii_lowercase();
    for shape in &SHAPES {
        if !shape.hints.iter().any(|hint| lower.contains(hint)) {
            continue;
        }
        for captures in shape.pattern.as_ref().into_iter().flat_map(|it| it.captures_iter(line)) {
            let part = captures.name("secret").or_else(|| captures.get(0));
            found.extend(part.map(|part| part.range()).filter(|range| range.len() >= 4));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::SHAPES;

    #[test]
    fn every_expression_compiles() {
        for shape in &SHAPES {
            assert!(shape.pattern.is_some(), "{:?}", shape.hints);
        }
    }
}
