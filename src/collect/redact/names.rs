//! Whether the name of a setting is the name of a secret.

/// Last words that make a name a secret's.
const SECRET_WORDS: [&str; 24] = [
    "apikey",
    "authkey",
    "authorization",
    "authpass",
    "authtok",
    "authtoken",
    "bindpw",
    "credential",
    "dbpass",
    "masterauth",
    "pass",
    "passcode",
    "passkey",
    "privpass",
    "psk",
    "pw",
    "pwd",
    "requirepass",
    "rootpw",
    "secretkeybase",
    "storepass",
    "keypass",
    "token",
    "webhook",
];

/// Endings of last words that were written without a separator (`PGPASSWORD`, `clientsecret`).
const SECRET_ENDINGS: [&str; 12] = [
    "accesskey",
    "apitoken",
    "accesstoken",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "presharedkey",
    "privatekey",
    "secret",
    "secretkey",
    "sharedkey",
];

/// Words before `key` that make it a secret one; a key alone is a name, a path or a field.
const KEY_OWNERS: [&str; 32] = [
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "authentication",
    "client",
    "cookie",
    "crypt",
    "deploy",
    "encrypt",
    "encryption",
    "hmac",
    "master",
    "mac",
    "ntlm",
    "preshared",
    "private",
    "root",
    "secret",
    "service",
    "session",
    "shared",
    "sign",
    "signing",
    "storage",
    "wep",
    "wireless",
    "wpa",
];

/// Words after `password` that still mean its value.
const VALUE_WORDS: [&str; 16] = [
    "base",
    "base64",
    "crypt",
    "crypted",
    "data",
    "digest",
    "encoded",
    "encrypted",
    "hash",
    "hashed",
    "md",
    "plain",
    "plaintext",
    "sha",
    "text",
    "value",
];

/// Names that end like a secret's and hold none.
const HARMLESS: [&str; 8] = [
    "nopasswd",
    "nopassword",
    "loadcredential",
    "importcredential",
    "conditioncredential",
    "assertcredential",
    "authpasswd",
    "forcepasswd",
];

/// Whether a name such as `DB_PASSWORD`, `javax.net.ssl.keyStorePassword` or `bind-pw` is a secret's.
pub(super) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let glued: String = words.concat();
    if HARMLESS.contains(&&*glued) {
        return false;
    }
    let before = words.len().checked_sub(2).and_then(|index| words.get(index));
    is_secret_word(last)
        || last == "key" && before.is_some_and(|word| KEY_OWNERS.contains(&&**word))
        || VALUE_WORDS.contains(&&**last)
            && before.is_some_and(|word| is_secret_word(word) || word == "key" && words.len() > 2)
}

fn is_secret_word(word: &str) -> bool {
    SECRET_WORDS.contains(&word) || SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Names that hold a secret when only white space stands between name and value: programs with
/// such a grammar (ppp, OpenLDAP, Redis, netrc, bind, wpa_supplicant, kickstart, msmtp, chrony).
pub(super) fn is_directive(name: &str) -> bool {
    matches!(
        &*words(name).concat(),
        "password"
            | "passwd"
            | "passphrase"
            | "secret"
            | "bindpw"
            | "rootpw"
            | "rootpwmodpw"
            | "ldappasswd"
            | "requirepass"
            | "masterauth"
            | "wpapsk"
            | "wpapassphrase"
            | "psk"
            | "wirelesskey"
            | "wirelesskeys"
            | "authpass"
            | "authpassword"
            | "insecurepassword"
            | "sslpassword"
            | "proxypassword"
            | "httpproxypassword"
            | "privatekey"
            | "sharedsecret"
            | "apikey"
            | "apitoken"
            | "authtoken"
            | "token"
            | "rocommunity"
            | "rwcommunity"
            | "trapcommunity"
            | "community"
    )
}

/// The words of a name in lower case, digits at their ends left out.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut previous = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_acronym = letter.is_ascii_uppercase()
            && previous.is_ascii_uppercase()
            && letters.peek().is_some_and(char::is_ascii_lowercase);
        let boundary = previous.is_ascii_lowercase() && letter.is_ascii_uppercase() || ends_acronym;
        if !letter.is_ascii_alphanumeric() || boundary {
            finish(&mut words, &mut word);
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter.to_ascii_lowercase());
        }
        previous = letter;
    }
    finish(&mut words, &mut word);
    words
}

fn finish(words: &mut Vec<String>, word: &mut String) {
    let letters = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if !letters.is_empty() {
        words.push(letters.to_owned());
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::{is_secret, words};

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(
            words("javax.net.ssl.keyStorePassword"),
            ["javax", "net", "ssl", "key", "store", "password"]
        );
        assert_eq!(words("DB_PASSWORD_2"), ["db", "password"]);
        assert_eq!(words("HTTPProxyToken"), ["http", "proxy", "token"]);
        assert_eq!(words("wep-key0"), ["wep", "key"]);
    }

    #[test]
    fn secrets_are_known_by_their_last_word() {
        for name in [
            "password",
            "PASSWD",
            "DB_PASSWORD",
            "db-pass",
            "keyStorePassword",
            "client_secret",
            "clientsecret",
            "PGPASSWORD",
            "MYSQL_PWD",
            "api_key",
            "apiKey",
            "X-Api-Key",
            "aws_secret_access_key",
            "AccountKey",
            "PrivateKey",
            "private_key",
            "psk",
            "wpa-psk",
            "bind_pw",
            "bindpw",
            "ldap_default_authtok",
            "SECRET_KEY_BASE",
            "auth_token",
            "_authToken",
            "Authorization",
            "password_hash",
            "wep-key0",
            "passphrase",
            "SetCredential",
            "PresharedKey",
            "GITHUB_TOKEN",
            "secret",
            "token",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn settings_about_secrets_are_not_secrets() {
        for name in [
            "PasswordAuthentication",
            "PermitEmptyPasswords",
            "PASS_MAX_DAYS",
            "PASS_MIN_LEN",
            "NOPASSWD",
            "passwd_timeout",
            "passwd_tries",
            "password_file",
            "key",
            "ssl_key_path",
            "public_key",
            "HostKey",
            "AuthorizedKeysFile",
            "tokens",
            "LoadCredential",
            "smtp_sasl_password_maps",
            "credentials",
            "try_first_pass_x",
            "authtok_type",
            "bypass",
            "compass",
            "minlen",
            "remember",
            "PubkeyAuthentication",
            "monkey",
            "hotkey",
            "keyboard",
            "password_expiration",
            "password-hash-rounds",
            "encrypt_method",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
