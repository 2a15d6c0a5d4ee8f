//! `config.login_defs`: /etc/login.defs, login.defs(5). A key and its value, separated by white
//! space; where a key stands twice, the last one counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/login.defs";

facts! {
    /// Settings of /etc/login.defs.
    #[table(name = "config.login_defs", origin = Lens, location = "{path}")]
    pub struct LoginDef {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The key, in upper case as written.
        pub key: Arc<str>,
        /// The value, quotes removed.
        pub value: Arc<str>,
        /// The value as a number: decimal, octal after 0, hexadecimal after 0x.
        pub int_value: Option<i64>,
        /// Whether this is the last assignment of its key, which counts.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        LoginDef::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<LoginDef>(files);
        let Some(file) = files.get(PATH) else { return Ok(reading.done()) };
        let text = reading.text(file);
        let assignments: Vec<(i64, &str, &str)> = (1..)
            .zip(text.lines())
            .filter_map(|(line, text)| assignment(text).map(|(key, value)| (line, key, value)))
            .collect();
        let last: BTreeMap<&str, i64> =
            assignments.iter().map(|(line, key, _)| (*key, *line)).collect();
        for (line, key, value) in assignments {
            reading.push(LoginDef {
                path: AbsPath(Arc::clone(&file.path)),
                line,
                key: key.into(),
                value: value.into(),
                int_value: number(value),
                effective: last.get(key) == Some(&line),
            });
        }
        Ok(reading.done())
    }
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (key, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    // A quote ends the value.
    let value = rest.trim_start_matches([' ', '\t', '"']);
    Some((key, value.split('"').next().unwrap_or_default()))
}

/// A number as strtol(3) reads it with base 0.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let value = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    value.ok().map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn the_last_assignment_counts() {
        let text = "# PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t99999\nUMASK 022\n PASS_MAX_DAYS 90 \n";
        let rows: Vec<LoginDef> = rows(&Lens, &[(PATH, text)]);
        let shown: Vec<_> =
            rows.iter().map(|r| (r.line, &*r.key, r.int_value, r.effective)).collect();
        assert_eq!(
            shown,
            [
                (2, "PASS_MAX_DAYS", Some(99999), false),
                (3, "UMASK", Some(0o22), true),
                (4, "PASS_MAX_DAYS", Some(90), true),
            ]
        );
    }
}
