//! Where in a text a secret may be: every secret that is recognised has one of these words near it,
//! on the same line or the line before. One pass over the text finds them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What may follow a word for it to count.
enum After {
    /// Anything.
    Any,
    /// The name of a hash and its end: the `6$` of `$6$`.
    HashName,
    /// The first letter of a hash: `{SSHA}x`.
    HashLetter,
}

const WORDS: [&str; 69] = [
    "pass",
    "pwd",
    "pw ",
    "pw\t",
    "pw=",
    "pw:",
    "secret",
    "token",
    "key",
    "psk",
    "cred",
    "auth",
    "bearer",
    "basic",
    "cookie",
    "community",
    "createuser",
    "pbkdf2",
    "://",
    "begin ",
    "eyj",
    "akia",
    "asia",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat",
    "glpat",
    "xox",
    "xapp",
    "aiza",
    "k_live_",
    "k_test_",
    "npm_",
    "pypi-",
    "sg.",
    "hvs.",
    "hvb.",
    "hvr.",
    "sk-",
    "dop_v1",
    "mysql",
    "ompgsql",
    "login=",
    "mariadb",
    "sshpass",
    "redis-cli",
    "ldap",
    "snmp",
    "curl",
    "smbclient",
    "rpcclient",
    "mongo",
    "openssl",
    "useradd",
    "usermod",
    "sqlcmd",
    "ipmitool",
    "docker",
    "podman",
    "skopeo",
    "7z ",
    "7z\t",
    "7za ",
    "7za\t",
    "$",
    "}",
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(WORDS)
        .ok()
});

/// Where the next word stands, from a place on.
pub(super) fn next(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    // A search that could not be built would miss every secret: then every line is looked at.
    let Some(search) = SEARCH.as_ref() else { return (!rest.is_empty()).then_some(from) };
    let mut words = search.find_iter(rest);
    let found = words.find(|word| {
        let after = rest.as_bytes().get(word.end()..).unwrap_or_default();
        let wanted = match WORDS.get(word.pattern().as_usize()) {
            Some(&"$") => After::HashName,
            Some(&"}") => After::HashLetter,
            _ => After::Any,
        };
        follows(&wanted, after)
    });
    found.map(|word| from + word.start())
}

fn follows(wanted: &After, after: &[u8]) -> bool {
    match wanted {
        After::Any => true,
        After::HashName => {
            let name = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            (1..=8).contains(&name) && matches!(after.get(name), Some(b'$' | b'-'))
        }
        After::HashLetter => {
            let is_hash = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/$".contains(byte);
            after.first().is_some_and(is_hash)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_place() {
        assert!(SEARCH.is_some());
        assert_eq!(next("a = b\nPassWord=c", 0), Some(6));
        assert_eq!(next("x:$6$abc", 0), Some(2));
        assert_eq!(next("{SSHA}abc", 0), Some(5));
        assert_eq!(next("secret x secret", 1), Some(9));
        assert_eq!(next("a=$HOME ${x} } {} $ 1$", 0), None);
        assert_eq!(next("", 0), None);
        assert_eq!(next("é", 5), None);
    }
}
