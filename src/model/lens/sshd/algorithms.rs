//! Lists of algorithms in sshd_config(5): signs before a list, and patterns in a list that takes
//! away.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::lens::glob;

/// Keywords whose value is such a list. It may add to the default (`+`, `^`) or take from it (`-`).
const KEYWORDS: [&str; 8] = [
    "casignaturealgorithms",
    "ciphers",
    "gssapikexalgorithms",
    "hostbasedacceptedalgorithms",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
];

pub(super) fn is_list(keyword: &str) -> bool {
    KEYWORDS.contains(&keyword)
}

/// The names in a list without its sign; patterns of a list that takes away are replaced by the
/// names that they take.
pub(super) fn names(list: &str) -> Vec<Arc<str>> {
    let (taken, list) = match list.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, list.trim_start_matches(['+', '^'])),
    };
    let items = || list.split(',').filter(|item| !item.is_empty());
    if !taken || !list.contains(['*', '?', '!']) {
        return items().map(Arc::from).collect();
    }
    let literal = items().filter(|item| !item.contains(['*', '?', '!']));
    let candidates: BTreeSet<&str> = literal.chain(known()).collect();
    let is_taken = |name: &&str| {
        let speaks = |pattern: &str| glob::matches(pattern, name);
        items().any(speaks) && !items().filter_map(|item| item.strip_prefix('!')).any(speaks)
    };
    candidates.into_iter().filter(is_taken).map(Arc::from).collect()
}

/// Every algorithm that an OpenSSH of the last fifteen years has, distributions' own ones too.
fn known<'a>() -> impl Iterator<Item = &'a str> {
    [CIPHERS, MACS, KEY_EXCHANGES, KEYS].into_iter().flat_map(str::split_whitespace)
}

const CIPHERS: &str = "3des-cbc aes128-cbc aes128-ctr aes128-gcm@openssh.com aes192-cbc \
    aes192-ctr aes256-cbc aes256-ctr aes256-gcm@openssh.com arcfour arcfour128 arcfour256 \
    blowfish-cbc cast128-cbc chacha20-poly1305@openssh.com rijndael-cbc@lysator.liu.se";

const MACS: &str = "hmac-md5 hmac-md5-96 hmac-md5-96-etm@openssh.com hmac-md5-etm@openssh.com \
    hmac-ripemd160 hmac-ripemd160-etm@openssh.com hmac-ripemd160@openssh.com hmac-sha1 \
    hmac-sha1-96 hmac-sha1-96-etm@openssh.com hmac-sha1-etm@openssh.com hmac-sha2-256 \
    hmac-sha2-256-96 hmac-sha2-256-etm@openssh.com hmac-sha2-512 hmac-sha2-512-96 \
    hmac-sha2-512-etm@openssh.com umac-128-etm@openssh.com umac-128@openssh.com \
    umac-64-etm@openssh.com umac-64@openssh.com";

const KEY_EXCHANGES: &str = "curve25519-sha256 curve25519-sha256@libssh.org \
    diffie-hellman-group-exchange-sha1 diffie-hellman-group-exchange-sha256 \
    diffie-hellman-group1-sha1 diffie-hellman-group14-sha1 diffie-hellman-group14-sha256 \
    diffie-hellman-group16-sha512 diffie-hellman-group18-sha512 ecdh-sha2-nistp256 \
    ecdh-sha2-nistp384 ecdh-sha2-nistp521 gss-curve25519-sha256- gss-gex-sha1- gss-group1-sha1- \
    gss-group14-sha1- gss-group14-sha256- gss-group16-sha512- gss-nistp256-sha256- \
    mlkem768x25519-sha256 sntrup4591761x25519-sha512@tinyssh.org sntrup761x25519-sha512 \
    sntrup761x25519-sha512@openssh.com";

const KEYS: &str = "ecdsa-sha2-nistp256 ecdsa-sha2-nistp256-cert-v01@openssh.com \
    ecdsa-sha2-nistp384 ecdsa-sha2-nistp384-cert-v01@openssh.com ecdsa-sha2-nistp521 \
    ecdsa-sha2-nistp521-cert-v01@openssh.com rsa-sha2-256 rsa-sha2-256-cert-v01@openssh.com \
    rsa-sha2-512 rsa-sha2-512-cert-v01@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com \
    sk-ecdsa-sha2-nistp256@openssh.com sk-ssh-ed25519-cert-v01@openssh.com \
    sk-ssh-ed25519@openssh.com ssh-dss ssh-dss-cert-v01@openssh.com ssh-ed25519 \
    ssh-ed25519-cert-v01@openssh.com ssh-rsa ssh-rsa-cert-v00@openssh.com \
    ssh-rsa-cert-v01@openssh.com webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn signs_and_patterns() {
        let shown = |list: &str| names(list).join(" ");
        assert_eq!(shown("+a,b"), "a b");
        assert_eq!(shown("^a"), "a");
        assert_eq!(shown("-a,x*y"), "a");
        assert_eq!(
            shown("-umac-64*,hmac-sha?"),
            "hmac-sha1 umac-64-etm@openssh.com umac-64@openssh.com"
        );
        assert_eq!(shown("-!aes256-cbc,aes*-cbc"), "aes128-cbc aes192-cbc");
        assert_eq!(shown("aes*"), "aes*");
    }
}
