//! Files that are nothing but secrets, known by place and name: they are not read at all.

/// Whole names.
const NAMES: [&str; 54] = [
    ".credentials",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".mylogin.cnf",
    ".netrc",
    ".pgpass",
    ".s3cfg",
    ".smbcredentials",
    ".vault-token",
    "authkey",
    "chap-secrets",
    "chrony.keys",
    "credentials",
    "gshadow",
    "gshadow-",
    "htdigest",
    "htpasswd",
    "ipsec.secrets",
    "kadm5.keytab",
    "keys.conf",
    "krb5.keytab",
    "master.passwd",
    "munge.key",
    "netrc",
    "nslcd-secret",
    "ntp.keys",
    "opasswd",
    "opasswd.old",
    "pam_radius.conf",
    "pam_radius_auth.conf",
    "pap-secrets",
    "passdb.tdb",
    "passwd.client",
    "passwd.digest",
    "pgpass",
    "pwdb",
    "random-seed",
    "rndc.key",
    "sasl_passwd",
    "sasldb2",
    "secrets.tdb",
    "secrets.yml",
    "secrets.yaml",
    "security/opasswd",
    "shadow",
    "shadow-",
    "shadow.org",
    "smbcredentials",
    "smbpasswd",
    "srp-secrets",
    "tsig.key",
    "userlist.txt",
    "vault-token",
];

/// Endings of names.
const ENDINGS: [&str; 20] = [
    ".age",
    ".gpg",
    ".htpasswd",
    ".jceks",
    ".jks",
    ".kdb",
    ".kdbx",
    ".key",
    ".keystore",
    ".keytab",
    ".p12",
    ".p8",
    ".pfx",
    ".pgp",
    ".pkcs12",
    ".ppk",
    ".pvk",
    ".sasl_passwd",
    ".secret",
    ".secrets",
];

/// Directories all of whose files are secrets, or so full of them in words of their own that no
/// text is worth the danger.
const DIRECTORIES: [&str; 17] = [
    "/etc/credstore/",
    "/etc/credstore.encrypted/",
    "/etc/freeradius/",
    "/etc/frr/",
    "/etc/ipsec.d/private/",
    "/etc/letsencrypt/accounts/",
    "/etc/letsencrypt/archive/",
    "/etc/pki/private/",
    "/etc/quagga/",
    "/etc/raddb/",
    "/etc/ssl/private/",
    "/etc/swanctl/private/",
    "/etc/swanctl/rsa/",
    "/etc/sysconfig/network-scripts/keys-",
    "/run/credentials/",
    "/run/secrets/",
    "/usr/lib/credstore/",
];

/// Whether a file is nothing but secrets.
pub fn is_secret_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    // Copies that editors, tools and people leave beside it.
    let original = [
        "-",
        "~",
        ".bak",
        ".old",
        ".orig",
        ".save",
        ".swp",
        ".dpkg-old",
        ".dpkg-dist",
        ".rpmsave",
        ".rpmnew",
    ]
    .iter()
    .find_map(|copy| lower.strip_suffix(copy))
    .unwrap_or(&lower);
    NAMES.contains(&&*lower)
        || NAMES.contains(&original)
        || ENDINGS.iter().any(|ending| original.ends_with(ending))
        || (original.starts_with("ssh_host_") && original.ends_with("_key"))
        || ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"]
            .iter()
            .any(|kind| original.starts_with(kind) && !original.ends_with(".pub"))
        || original.ends_with("_rsa")
        || original.ends_with("-key.pem")
        || original.starts_with("privkey") && original.ends_with(".pem")
        || DIRECTORIES.iter().any(|directory| path.starts_with(directory))
        || path.starts_with("/etc/pki/") && path.contains("/private/")
}

#[cfg(test)]
mod tests {
    use super::is_secret_file;

    #[test]
    fn files_of_secrets_are_known() {
        for path in [
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/gshadow.bak",
            "/etc/security/opasswd",
            "/etc/ssh/ssh_host_rsa_key",
            "/etc/ssl/private/x.pem",
            "/etc/pki/tls/private/localhost.pem",
            "/etc/nginx/.htpasswd",
            "/etc/bind/rndc.key",
            "/etc/krb5.keytab",
            "/etc/letsencrypt/live/x/privkey1.pem",
            "/etc/keys/id_ed25519",
            "/etc/rsyncd.secrets",
            "/etc/sysconfig/network-scripts/keys-wlan0",
        ] {
            assert!(is_secret_file(path), "{path}");
        }
        for path in [
            "/etc/passwd",
            "/etc/passwd-",
            "/etc/ssh/ssh_host_rsa_key.pub",
            "/etc/ssh/sshd_config",
            "/etc/sudoers",
            "/etc/apt/sources.list",
            "/etc/pam.d/passwd",
        ] {
            assert!(!is_secret_file(path), "{path}");
        }
    }
}
