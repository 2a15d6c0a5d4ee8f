//! `config.key_value`: files of shell-style assignments, `KEY=VALUE`, as in /etc/default. The last
//! assignment of a key counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Keyed, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

facts! {
    /// Shell-style assignments in configuration files; rules always say `path`.
    #[table(name = "config.key_value", origin = Lens, location = "{path}")]
    pub struct KeyValue {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The key, in the case it is written in.
        pub key: Arc<str>,
        /// The value, quotes removed.
        pub value: Arc<str>,
        /// The value as a decimal number.
        pub int_value: Option<i64>,
        /// Whether this is the last assignment of its key in the file, which counts.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        KeyValue::TABLE
    }

    fn keyed(&self) -> Option<Keyed> {
        Some(Keyed::PATH)
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<KeyValue>(files);
        for file in files.iter() {
            let text = reading.text(file);
            let assignments: Vec<(i64, &str, &str)> = (1..)
                .zip(text.lines())
                .filter_map(|(line, text)| assignment(text).map(|(key, value)| (line, key, value)))
                .collect();
            let last: BTreeMap<&str, i64> =
                assignments.iter().map(|(line, key, _)| (*key, *line)).collect();
            for (line, key, value) in assignments {
                reading.push(KeyValue {
                    path: AbsPath(Arc::clone(&file.path)),
                    line,
                    key: key.into(),
                    value: value.into(),
                    int_value: value.parse().ok(),
                    effective: last.get(key) == Some(&line),
                });
            }
        }
        Ok(reading.done())
    }
}

/// A key of letters, digits, `_`, `.` and `-`, and its value without quotes or comment.
pub(in crate::model) fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (key, value) = line.split_once('=')?;
    let key = key.trim_end();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if key.is_empty() || !key.bytes().all(good) {
        return None;
    }
    let value = value.trim();
    let quoted = |quote: char| {
        let rest = value.strip_prefix(quote)?;
        rest.find(quote).and_then(|end| rest.get(..end))
    };
    let bare = || value.split(" #").next().unwrap_or(value).trim_end();
    Some((key, quoted('"').or_else(|| quoted('\'')).unwrap_or_else(bare)))
}

#[cfg(test)]
mod tests {
    use super::assignment;

    #[test]
    fn assignments_are_read_as_a_shell_would() {
        assert_eq!(
            assignment("GRUB_CMDLINE_LINUX=\"audit=1\" # x"),
            Some(("GRUB_CMDLINE_LINUX", "audit=1"))
        );
        assert_eq!(assignment("  export UMASK=027 # why"), Some(("UMASK", "027")));
        assert_eq!(assignment("a = b"), Some(("a", "b")));
        assert_eq!(assignment("# A=1"), None);
        assert_eq!(assignment("if [ x = y ]; then"), None);
    }
}
