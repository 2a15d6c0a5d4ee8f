//! Secrets never enter a snapshot. Files that are nothing but secrets are not read at all
//! ([`is_secret_file`]); inside texts, secrets are replaced by [`MARK`] with the lines kept, so that
//! evidence still names the right line.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// What stands in a secret's place. It does not tell the secret's length.
pub const MARK: &str = "[redacted]";

/// Values of secret-looking keys that say no secret, as in `passwd: files systemd`.
const HARMLESS: [&str; 26] = [
    "yes", "no", "true", "false", "on", "off", "none", "null", "never", "always", "required",
    "optional", "files", "compat", "systemd", "sss", "ldap", "nis", "db", "dns", "winbind",
    "default", "prompt", "ask", "enabled", "disabled",
];

/// Patterns whose every match is a secret, with what stands before it kept in group 1.
const ALWAYS: [&str; 12] = [
    // crypt(5) hashes, and those of grub, OpenLDAP and argon2.
    r"()\$(?:1|2[abxy]?|5|6|7|y|gy|md5|sha1|apr1|argon2(?:id?|d)|pbkdf2[\w-]*|scrypt)\$[./A-Za-z0-9$=,+-]{8,}",
    r"(grub\.pbkdf2\.)[A-Za-z0-9.]+",
    r"(\{(?:SSHA|SHA|SMD5|MD5|CRYPT|SSHA256|SSHA512|PBKDF2[\w-]*)\})\S+",
    // Credentials in addresses.
    r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s:@]*:[^/\s@]+",
    r"(?i)((?:authorization|proxy-authorization)[\x22']?\s*[:=]\s*[\x22']?(?:basic|bearer|token|digest)\s+)\S+",
    r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}",
    // Tokens that show by their own form.
    r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"()\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{8,}|sk_(?:live|test)_[A-Za-z0-9]{8,}|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,})",
    r"()\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
    // Settings whose value follows a space.
    r"(?i)(^\s*(?:requirepass|masterauth|rootpw|bindpw|r[ow]community6?|trap2?sink\s+\S+)\s+)\S.*",
    r"(?i)((?:^|\s)(?:login|account|user)\s+\S+\s+password\s+)\S+",
    r"(?i)(\bsecret\s+)[\x22'][^\x22']+[\x22']",
];

/// Key, separator and value of an assignment whose key ends in a word for a secret.
const ASSIGNED: &str = r#"(?i)((?:^|[^A-Za-z0-9_-])[A-Za-z0-9_.-]*(?:password|passwd|passphrase|passcode|secret|token|credential|credentials|psk|private[_-]?key|api[_-]?key|apikey|access[_-]?key|secret[_-]?key|secret[_-]?access[_-]?key|account[_-]?key|shared[_-]?key|encryption[_-]?key|auth[_-]?pass|bind[_-]?pw|pwd|userpass)["']?\s*[:=>]{1,2}\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;<>"'&]+)"#;

/// An option that takes a secret as its next word.
const OPTION: &str = r#"(?i)((?:^|\s)--?(?:[a-z-]*(?:password|passwd|passphrase|secret|token|api-key|access-key|secret-key))\s+)([^\s-]\S*)"#;

/// Whether a file is nothing but secrets, by its place and name.
pub fn is_secret_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let endings = [".key", ".p12", ".pfx", ".jks", ".keytab", ".kdbx", ".ppk", ".gpg", ".pgp"];
    let names = [
        "shadow",
        "shadow-",
        "gshadow",
        "gshadow-",
        "opasswd",
        "opasswd.old",
        ".htpasswd",
        ".pgpass",
        ".netrc",
        ".my.cnf",
        "krb5.keytab",
        "ipsec.secrets",
        "chap-secrets",
        "pap-secrets",
        "smbpasswd",
        "passdb.tdb",
        "random-seed",
        "credentials",
        ".git-credentials",
        "rndc.key",
        "chrony.keys",
    ];
    names.contains(&name)
        || endings.iter().any(|ending| name.ends_with(ending))
        || (name.starts_with("ssh_host_") && name.ends_with("_key"))
        || (name.starts_with("id_") && !name.ends_with(".pub"))
        || path.contains("/ssl/private/")
        || path.contains("/pki/") && path.contains("/private/")
        || path.starts_with("/etc/wireguard/")
        || path.starts_with("/etc/credstore")
}

struct Patterns {
    always: Vec<Regex>,
    assigned: Option<Regex>,
    option: Option<Regex>,
}

fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| Patterns {
        always: ALWAYS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect(),
        assigned: Regex::new(ASSIGNED).ok(),
        option: Regex::new(OPTION).ok(),
    })
}

/// A configuration text with its secrets replaced, line by line.
pub fn text(text: &str) -> Cow<'_, str> {
    let mut out: Option<String> = None;
    let mut in_key = false;
    let mut done = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let begins = body.contains("-----BEGIN ") && body.contains("PRIVATE KEY");
        let redacted = if in_key || begins {
            in_key = !body.contains("-----END ");
            Cow::Borrowed(MARK)
        } else {
            redact_line(body)
        };
        if redacted != body {
            let out = out.get_or_insert_with(|| text[..done].to_owned());
            out.push_str(&redacted);
            out.push_str(&line[body.len()..]);
        } else if let Some(out) = &mut out {
            out.push_str(line);
        }
        done += line.len();
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A command line with its secrets replaced.
pub fn command_line(line: &str) -> Cow<'_, str> {
    let option = patterns().option.as_ref();
    let redacted = option
        .map_or(Cow::Borrowed(line), |option| option.replace_all(line, format!("${{1}}{MARK}")));
    match redact_line(&redacted) {
        Cow::Borrowed(_) => redacted,
        Cow::Owned(owned) => Cow::Owned(owned),
    }
}

fn redact_line(line: &str) -> Cow<'_, str> {
    // Most lines of most files have nothing that any pattern could want.
    if !might_hold_secret(line) {
        return Cow::Borrowed(line);
    }
    let mut current = Cow::Borrowed(line);
    for pattern in &patterns().always {
        if let Cow::Owned(changed) = pattern.replace_all(&current, format!("${{1}}{MARK}")) {
            current = Cow::Owned(changed);
        }
    }
    if let Some(assigned) = &patterns().assigned {
        let replace = |found: &regex::Captures<'_>| {
            let value = found[2].trim_matches(['"', '\'']);
            // sudoers(5) tags a command with `PASSWD:` or `NOPASSWD:`.
            let harmless = found[1].trim_end().ends_with("PASSWD:")
                || value.is_empty()
                || value.starts_with(['$', '%', '/', '['])
                || HARMLESS.iter().any(|word| value.eq_ignore_ascii_case(word));
            let kept = if harmless { &found[2] } else { MARK };
            format!("{}{kept}", &found[1])
        };
        if let Cow::Owned(changed) = assigned.replace_all(&current, replace) {
            current = Cow::Owned(changed);
        }
    }
    current
}

fn might_hold_secret(line: &str) -> bool {
    line.bytes().any(|byte| matches!(byte, b'=' | b':' | b'$' | b'{' | b'>' | b'_' | b'-' | b'.'))
        || line.split_whitespace().count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced() {
        for line in [
            "password = hunter2secret",
            "DB_PASSWORD='hunter2secret'",
            "  \"api_key\": \"hunter2secret\",",
            "aws_secret_access_key=hunter2secret",
            "proxy=http://user:hunter2secret@proxy:3128/",
            "Authorization: Bearer hunter2secret",
            "requirepass hunter2secret",
            "<password>hunter2secret</password>",
            "machine example login me password hunter2secret",
            "psk=\"hunter2secret\"",
            "rocommunity hunter2secret",
            "root:$6$salt$hunter2secret",
            "password_pbkdf2 root grub.pbkdf2.sha512.10000.hunter2secret",
            "rootpw {SSHA}hunter2secret",
            "export TOKEN=hunter2secret",
            "secret \"hunter2secret\";",
        ] {
            let redacted = text(line);
            assert!(!redacted.contains("hunter2secret"), "{line} -> {redacted}");
            assert!(redacted.contains(MARK), "{line} -> {redacted}");
        }
    }

    #[test]
    fn tokens_are_known_by_their_form() {
        for token in [
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_abcdefghijklmnopqrstuvwxyz012345",
            "xoxb-1234567890-abcdef",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        ] {
            assert_eq!(text(&format!("x {token} y")), format!("x {MARK} y"));
        }
    }

    #[test]
    fn a_private_key_keeps_its_lines() {
        let key = "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\nabc\n-----END OPENSSH PRIVATE KEY-----\nb\n";
        assert_eq!(text(key), "a\n[redacted]\n[redacted]\n[redacted]\n[redacted]\nb\n");
    }

    #[test]
    fn what_lenses_need_stays() {
        for line in [
            "PasswordAuthentication no",
            "PasswordAuthentication=no",
            "PASS_MAX_DAYS\t90",
            "passwd:         files systemd",
            "password requisite pam_pwquality.so retry=3 minlen=14",
            "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt",
            "%admin ALL=(ALL) NOPASSWD: ALL",
            "ExecStart=/usr/bin/foo --config=/etc/foo.conf",
            "net.ipv4.conf.all.rp_filter = 1",
            "-w /etc/shadow -p wa -k identity",
            "GRUB_CMDLINE_LINUX=\"audit=1 apparmor=1\"",
            "minlen = 14",
            "HostKey /etc/ssh/ssh_host_ed25519_key",
            "deny=5 unlock_time=900",
            "use_authtok=yes",
        ] {
            assert_eq!(text(line), line);
        }
    }

    #[test]
    fn command_lines_lose_their_secrets() {
        for line in [
            "mysql --password hunter2secret -u root",
            "app --token=hunter2secret",
            "curl http://me:hunter2secret@host/",
            "env API_KEY=hunter2secret run",
        ] {
            assert!(!command_line(line).contains("hunter2secret"), "{line}");
        }
        assert_eq!(command_line("sshd -D -p 22"), "sshd -D -p 22");
    }

    #[test]
    fn secret_files_are_known() {
        for path in ["/etc/shadow", "/etc/ssh/ssh_host_rsa_key", "/etc/ssl/private/x.pem"] {
            assert!(is_secret_file(path), "{path}");
        }
        for path in ["/etc/passwd", "/etc/ssh/ssh_host_rsa_key.pub", "/etc/ssh/sshd_config"] {
            assert!(!is_secret_file(path), "{path}");
        }
    }
}
