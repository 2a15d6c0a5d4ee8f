//! `sshd_algorithms`: the lists of algorithms that count for the SSH server where a system-wide
//! crypto policy has a say. On Red Hat Enterprise Linux 8 and its like the policy's back end sets
//! CRYPTO_POLICY, which the unit gives sshd as options, and options come before sshd_config; an
//! assignment in /etc/sysconfig/sshd takes its place. Later releases include the back end in
//! sshd_config, where it is one file among others.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::key_value::KeyValue;
use crate::model::lens::sshd::Sshd;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::{Loaded, View};

const BACK_END: &str = "/etc/crypto-policies/back-ends/opensshserver.config";
const OVERRIDE: &str = "/etc/sysconfig/sshd";
const VARIABLE: &str = "CRYPTO_POLICY";
const KEYWORDS: [&str; 7] = [
    "casignaturealgorithms",
    "ciphers",
    "hostbasedacceptedalgorithms",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
];

facts! {
    /// Lists of algorithms of the SSH server, from its configuration or the crypto policy.
    #[table(name = "sshd_algorithms", origin = Derived, location = "{path}")]
    pub struct SshdAlgorithms {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The keyword in lower case, older names replaced by today's.
        pub keyword: Arc<str>,
        /// The list as written.
        pub value: Arc<str>,
        /// Its algorithms, without the `+`, `-` or `^` before the list.
        pub values: Vec<Arc<str>>,
        /// Whether it is an option of the command line, which comes before sshd_config.
        pub option: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        SshdAlgorithms::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Sshd::TABLE, KeyValue::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (mut state, settings) = view.typed::<Sshd>()?;
        let assignments = view.typed::<KeyValue>()?.1;
        for path in [BACK_END, OVERRIDE] {
            if let Some(problem) =
                view.config()?.get(path).and_then(|file| file.text.as_ref().err())
            {
                let reason = format!("{path}: {problem}");
                state = state.and(crate::model::state::TableState::truncated(reason));
            }
        }
        let of = |path: &str| {
            assignments
                .iter()
                .find(|row| row.effective && &*row.path.0 == path && &*row.key == VARIABLE)
        };
        let options = match (of(BACK_END), of(OVERRIDE)) {
            (None, _) => Vec::new(),
            (Some(_), Some(other)) => options(other),
            (Some(back_end), None) => options(back_end),
        };
        let mut rows = Vec::new();
        for keyword in KEYWORDS {
            let configured = settings
                .iter()
                .find(|row| row.effective && row.r#match.is_none() && &*row.keyword == keyword);
            if let Some(row) = options.iter().find(|row| &*row.keyword == keyword) {
                rows.push(row.clone());
            } else if let Some(row) = configured {
                rows.push(SshdAlgorithms {
                    path: row.path.clone(),
                    line: row.line,
                    keyword: keyword.into(),
                    value: Arc::clone(&row.value),
                    values: row.values.clone(),
                    option: false,
                });
            }
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// The options `-oKEYWORD=LIST` in the value, the first of a keyword first.
fn options(row: &KeyValue) -> Vec<SshdAlgorithms> {
    let words = row.value.split_whitespace();
    let options = words.filter_map(|word| word.strip_prefix("-o")?.split_once('='));
    let rows = options.map(|(keyword, list)| {
        let keyword = match keyword.to_ascii_lowercase().as_str() {
            "hostbasedacceptedkeytypes" => "hostbasedacceptedalgorithms".to_owned(),
            "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms".to_owned(),
            other => other.to_owned(),
        };
        SshdAlgorithms {
            path: row.path.clone(),
            line: row.line,
            keyword: keyword.into(),
            value: list.into(),
            values: list.trim_start_matches(['+', '-', '^']).split(',').map(Arc::from).collect(),
            option: true,
        }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        let facts = MemoryFacts::new().with(texts.iter().map(|(path, words)| text(path, words)));
        let (state, rows) = View::new(&facts).typed::<SshdAlgorithms>().unwrap();
        assert!(state.is_complete());
        let rows =
            rows.iter().map(|r| format!("{} {} {}", r.path.0, r.keyword, r.values.join(" ")));
        rows.collect()
    }

    const SSHD: &str = "/etc/ssh/sshd_config";

    #[test]
    fn options_come_before_the_configuration() {
        let policy = "CRYPTO_POLICY='-oCiphers=a,b -oPubkeyAcceptedKeyTypes=c'\n";
        let config = "Ciphers x\nMACs y,z\nMACs w\n";
        assert_eq!(
            shown(&[(BACK_END, policy), (SSHD, config)]),
            [
                format!("{BACK_END} ciphers a b"),
                format!("{SSHD} macs y z"),
                format!("{BACK_END} pubkeyacceptedalgorithms c"),
            ]
        );
        assert_eq!(
            shown(&[(BACK_END, policy), (SSHD, config), (OVERRIDE, "CRYPTO_POLICY=\n")]),
            [format!("{SSHD} ciphers x"), format!("{SSHD} macs y z")]
        );
    }

    #[test]
    fn the_back_end_of_later_releases_is_included() {
        let policy = "Ciphers a,b\nMACs m\n";
        let own = "Ciphers +c\nInclude /etc/crypto-policies/back-ends/opensshserver.config\n";
        assert_eq!(
            shown(&[(BACK_END, policy), (SSHD, own)]),
            [format!("{BACK_END} macs m"), format!("{SSHD} ciphers c")]
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
        );
        assert!(shown(&[(BACK_END, policy), (SSHD, "Port 22\n")]).is_empty());
    }
}
