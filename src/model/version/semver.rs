//! The order of Semantic Versioning 2.0.0, section 11, which npm, Go modules and Cargo follow.
//!
//! `[v]major.minor.patch[-prerelease][+build]`. What is looser is taken as it is meant: a missing
//! part of the core is 0, there may be more parts than three, a part that is no number comes after
//! those that are. The build does not count.

use super::key::Key;

/// What a part of a key begins with.
const END: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;
const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// A key with this order.
pub(super) fn key(version: &str, key: &mut Key) {
    let version = version.trim().trim_start_matches(['v', 'V', '=']).trim_start();
    let version = version.split('+').next().unwrap_or(version);
    let (core, prerelease) = match version.split_once('-') {
        Some((core, prerelease)) => (core, Some(prerelease)),
        None => (version, None),
    };
    let mut core: Vec<&str> = core.split('.').collect();
    while core.last().is_some_and(|part| part.bytes().all(|byte| byte == b'0')) {
        core.pop();
    }
    parts(core, key);
    match prerelease {
        Some(prerelease) => {
            key.byte(PRERELEASE);
            parts(prerelease.split('.'), key);
        }
        None => key.byte(RELEASE),
    }
}

fn parts<'a>(parts: impl IntoIterator<Item = &'a str>, key: &mut Key) {
    for part in parts {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            key.byte(NUMBER);
            key.number(part.as_bytes());
        } else {
            key.byte(TEXT);
            key.text(part.as_bytes());
        }
    }
    key.byte(END);
}

#[cfg(test)]
mod tests {
    use super::super::tests::rises;

    #[test]
    fn as_the_specification_says() {
        rises(
            "semver",
            &[
                "0.0.0-0",
                "0",
                "0.0.1",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "v1.0.1+build.7",
                "1.9",
                "1.10.0",
                "99999999999999999999.0.0",
            ],
            &[("1.0.0", "1.0"), ("1.0.0+a", "1.0.0+b"), ("v1", "=1"), ("1.2.0", "v1.2")],
        );
    }
}
