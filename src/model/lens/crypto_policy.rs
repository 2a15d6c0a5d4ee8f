//! `config.crypto_policy`: the system-wide crypto policy of Red Hat's systems: the policy that is
//! asked for, /etc/crypto-policies/config, the one that is in force, state/current beside it, and
//! what that one allows, state/CURRENT.pol: crypto-policies(7), update-crypto-policies(8).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// Files that name a policy.
const NAMES: [&str; 2] = ["/etc/crypto-policies/config", "/etc/crypto-policies/state/current"];
const IN_FORCE: &str = "/etc/crypto-policies/state/CURRENT.pol";

facts! {
    /// The system-wide crypto policy: its name and what it allows.
    #[table(name = "config.crypto_policy", origin = Lens, location = "{path}")]
    pub struct CryptoPolicy {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `policy` for its name, else the property in lower case, for example `cipher`.
        pub key: Arc<str>,
        /// What the property is limited to in lower case, for example `openssh-server`; none for all.
        pub scope: Option<Arc<str>>,
        /// The values in upper case; of a name the policy and its modules.
        pub values: Vec<Arc<str>>,
        /// The value as a number, where it is one.
        pub int_value: Option<i64>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        CryptoPolicy::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<CryptoPolicy>(files);
        for path in NAMES {
            let Some(file) = files.get(path) else { continue };
            let text = reading.text(file);
            let mut lines = (1..).zip(text.lines()).map(|(line, text)| (line, said(text)));
            if let Some((line, name)) = lines.find(|(_, text)| !text.is_empty()) {
                reading.push(row(&file.path, line, "policy", name.split(':')));
            }
        }
        if let Some(file) = files.get(IN_FORCE) {
            let text = reading.text(file);
            for (line, text) in (1..).zip(text.lines()) {
                if let Some((key, values)) = said(text).split_once('=') {
                    reading.push(row(&file.path, line, key.trim(), values.split_whitespace()));
                }
            }
        }
        Ok(reading.done())
    }
}

/// The line without its comment.
fn said(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

fn row<'a>(
    path: &Arc<str>,
    line: i64,
    key: &str,
    values: impl Iterator<Item = &'a str>,
) -> CryptoPolicy {
    let key = key.to_ascii_lowercase();
    let (key, scope) = match key.split_once('@') {
        Some((key, scope)) => (key.trim_end(), Some(scope.trim())),
        None => (key.as_str(), None),
    };
    let values: Vec<Arc<str>> =
        values.map(|value| value.trim().to_ascii_uppercase().into()).collect();
    CryptoPolicy {
        path: AbsPath(Arc::clone(path)),
        line,
        key: key.into(),
        scope: scope.map(Arc::from),
        int_value: match values.as_slice() {
            [only] => only.parse().ok(),
            _ => None,
        },
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn names_and_properties_are_read() {
        let texts = [
            (NAMES[0], "# c\n\n default:No-Sha1 # d\nLEGACY\n"),
            (NAMES[1], "DEFAULT"),
            (
                IN_FORCE,
                "# Policy dump\nhash = SHA2-256 SHA1\nprotocol =\nmin_rsa_size = 2048\ncipher@OpenSSH-Server = AES-256-GCM\n",
            ),
            ("/etc/crypto-policies/state/x", "a = b\n"),
        ];
        let shown: Vec<String> = rows::<CryptoPolicy>(&Lens, &texts)
            .iter()
            .map(|r| {
                let scope = r.scope.as_deref().unwrap_or("-");
                format!("{} {} {scope} {} {:?}", r.line, r.key, r.values.join("|"), r.int_value)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "3 policy - DEFAULT|NO-SHA1 None",
                "1 policy - DEFAULT None",
                "2 hash - SHA2-256|SHA1 None",
                "3 protocol -  None",
                "4 min_rsa_size - 2048 Some(2048)",
                "5 cipher openssh-server AES-256-GCM None",
            ]
        );
    }
}
