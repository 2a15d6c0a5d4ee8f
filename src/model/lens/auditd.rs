//! `config.auditd`: /etc/audit/auditd.conf, auditd.conf(5). Keywords and the words among the values
//! are read without regard to case; the last setting of a keyword counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/audit/auditd.conf";
/// Settings whose values are paths, names or formats, in which case counts.
const AS_WRITTEN: [&str; 9] = [
    "action_mail_acct",
    "dispatcher",
    "enable_krb5",
    "krb5_key_file",
    "krb5_principal",
    "log_file",
    "log_group",
    "name",
    "plugin_dir",
];

facts! {
    /// Settings of the audit daemon.
    #[table(name = "config.auditd", origin = Lens, location = "{path}")]
    pub struct Auditd {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The keyword in lower case.
        pub key: Arc<str>,
        /// The value; in lower case unless it is a path or a name. A program after `exec` stays as written.
        pub value: Arc<str>,
        /// The value as a number.
        pub int_value: Option<i64>,
        /// Whether this is the last setting of its keyword, which counts.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Auditd::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Auditd>(files);
        let Some(file) = files.get(PATH) else { return Ok(reading.done()) };
        let settings: Vec<(i64, String, String)> = (1..)
            .zip(reading.text(file).lines())
            .filter_map(|(line, text)| setting(text).map(|(key, value)| (line, key, value)))
            .collect();
        let last: BTreeMap<&str, i64> =
            settings.iter().map(|(line, key, _)| (key.as_str(), *line)).collect();
        for (line, key, value) in &settings {
            reading.push(Auditd {
                path: AbsPath(Arc::clone(&file.path)),
                line: *line,
                key: key.as_str().into(),
                value: value.as_str().into(),
                int_value: value.parse().ok(),
                effective: last.get(key.as_str()) == Some(line),
            });
        }
        Ok(reading.done())
    }
}

fn setting(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let key = key.trim().to_ascii_lowercase();
    let mut words = value.split_whitespace();
    let first = words.next().unwrap_or_default();
    let first = match AS_WRITTEN.contains(&key.as_str()) {
        true => first.to_owned(),
        false => first.to_ascii_lowercase(),
    };
    let value = std::iter::once(first.as_str()).chain(words).collect::<Vec<_>>().join(" ");
    (!key.is_empty()).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn case_does_not_count_and_the_last_setting_does() {
        let text = "# x\nMax_Log_File = 8\nspace_left_action = EXEC /Bin/X\nmax_log_file=32\nlog_file = /Var/a\n";
        let rows: Vec<Auditd> = rows(&Lens, &[(PATH, text)]);
        let shown: Vec<_> =
            rows.iter().map(|r| (r.line, &*r.key, &*r.value, r.effective)).collect();
        assert_eq!(
            shown,
            [
                (2, "max_log_file", "8", false),
                (3, "space_left_action", "exec /Bin/X", true),
                (4, "max_log_file", "32", true),
                (5, "log_file", "/Var/a", true),
            ]
        );
    }
}
