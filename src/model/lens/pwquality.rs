//! `config.pwquality`: /etc/security/pwquality.conf and its drop-ins, pwquality.conf(5). The
//! library reads pwquality.conf.d/*.conf in byte order and the main file after them, and the last
//! setting of a key counts. At a line that it does not understand it stops: what comes after it, in
//! the same file and in those that follow, is not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/security/pwquality.conf";
const DROP_INS: &str = "/etc/security/pwquality.conf.d";

facts! {
    /// Settings of pwquality.conf and its drop-ins.
    #[table(name = "config.pwquality", origin = Lens, location = "{path}")]
    pub struct Pwquality {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The key, in lower case.
        pub key: Arc<str>,
        /// The value; none for a flag such as `enforce_for_root`.
        pub value: Option<Arc<str>>,
        /// The value as a number.
        pub int_value: Option<i64>,
        /// Whether this is the last setting of its key that is read, which counts.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Pwquality::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Pwquality>(files);
        let order: Vec<&Text> =
            files.in_directory(DROP_INS, ".conf").chain(files.get(PATH)).collect();
        let mut settings = Vec::new();
        let mut stopped = false;
        for (position, file) in order.into_iter().enumerate() {
            for (line, text) in (1i64..).zip(reading.text(file).lines()) {
                let Some((key, value)) = setting(text) else { continue };
                stopped |= !understood(&key, value);
                settings.push((position, file, line, key, value, !stopped));
            }
        }
        let last: BTreeMap<&str, (usize, i64)> = settings
            .iter()
            .filter(|(.., read)| *read)
            .map(|(position, _, line, key, ..)| (key.as_str(), (*position, *line)))
            .collect();
        for (position, file, line, key, value, _) in &settings {
            reading.push(Pwquality {
                path: AbsPath(Arc::clone(&file.path)),
                line: *line,
                key: key.as_str().into(),
                value: (!value.is_empty()).then(|| Arc::from(*value)),
                int_value: value.parse().ok(),
                effective: last.get(key.as_str()) == Some(&(*position, *line)),
            });
        }
        Ok(reading.done())
    }
}

/// Settings whose value is a number, and those whose value is any text.
const NUMBERS: [&str; 16] = [
    "dcredit",
    "dictcheck",
    "difok",
    "enforcing",
    "gecoscheck",
    "lcredit",
    "maxclassrepeat",
    "maxrepeat",
    "maxsequence",
    "minclass",
    "minlen",
    "ocredit",
    "retry",
    "ucredit",
    "usercheck",
    "usersubstr",
];
const TEXTS: [&str; 4] = ["badwords", "dictpath", "enforce_for_root", "local_users_only"];

/// Whether the value of the setting is a number.
pub(in crate::model) fn is_number(key: &str) -> bool {
    NUMBERS.contains(&key)
}

/// Whether the library takes the setting; the key is in lower case.
pub(in crate::model) fn understood(key: &str, value: &str) -> bool {
    let number = || value.parse::<i32>().is_ok_and(|number| number != i32::MAX);
    TEXTS.contains(&key) || NUMBERS.contains(&key) && number()
}

/// The key in lower case and the value of a line.
fn setting(line: &str) -> Option<(String, &str)> {
    let (key, value) = key_and_value(line)?;
    Some((key.to_ascii_lowercase(), value))
}

/// The key and the value of a line as pwquality.conf and faillock.conf have them: separated by
/// white space, by `=`, or by both.
pub(in crate::model) fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let text = line.split('#').next().unwrap_or_default().trim();
    if text.is_empty() {
        return None;
    }
    let white = |c: char| c.is_ascii_whitespace();
    let end = text.find(|c| white(c) || c == '=').unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    let rest = rest.trim_start_matches(white);
    Some((key, rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(white)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn the_main_file_comes_last() {
        let rows: Vec<Pwquality> = rows(
            &Lens,
            &[
                (PATH, "# minlen = 8\nminlen = 9\nenforce_for_root\n"),
                ("/etc/security/pwquality.conf.d/50.conf", "minlen=14 # long\n"),
            ],
        );
        let shown: Vec<_> =
            rows.iter().map(|r| (&*r.key, r.line, r.int_value, r.effective)).collect();
        assert_eq!(
            shown,
            [
                ("minlen", 1, Some(14), false),
                ("minlen", 2, Some(9), true),
                ("enforce_for_root", 3, None, true),
            ]
        );
    }
    #[test]
    fn reading_ends_where_a_line_is_not_understood() {
        let shown = |drop_in: &str, main: &str| {
            let texts = [("/etc/security/pwquality.conf.d/50.conf", drop_in), (PATH, main)];
            let rows: Vec<Pwquality> = rows(&Lens, &texts);
            let rows = rows.into_iter().filter(|row| row.effective);
            rows.map(|row| format!("{}={:?}", row.key, row.int_value)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("MinLen 14\n", "difok\t=2\n"), "minlen=Some(14) difok=Some(2)");
        assert_eq!(shown("minlen = 14\nminlen = 9x\n", "difok = 2\n"), "minlen=Some(14)");
        assert_eq!(shown("", "a = 1\nminlen = 14\n"), "");
        assert_eq!(shown("minlen = = 14\n", ""), "");
        assert_eq!(shown("", "enforce_for_root\nretry\nminlen=14\n"), "enforce_for_root=None");
    }
}
