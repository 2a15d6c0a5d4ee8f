//! `config.pwquality`: /etc/security/pwquality.conf and its drop-ins, pwquality.conf(5). The
//! library reads pwquality.conf.d/*.conf in byte order and the main file after them, and the last
//! setting of a key counts.

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
        /// Whether this is the last setting of its key, which counts.
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
        for (position, file) in order.into_iter().enumerate() {
            for (line, text) in (1i64..).zip(reading.text(file).lines()) {
                let text = text.split('#').next().unwrap_or_default().trim();
                if text.is_empty() {
                    continue;
                }
                let (key, value) = match text.split_once(['=', ' ', '\t']) {
                    Some((key, value)) => (key, Some(value.trim_matches([' ', '\t', '=']))),
                    None => (text, None),
                };
                settings.push((position, file, line, key.trim().to_ascii_lowercase(), value));
            }
        }
        let last: BTreeMap<&str, (usize, i64)> = settings
            .iter()
            .map(|(position, _, line, key, _)| (key.as_str(), (*position, *line)))
            .collect();
        for (position, file, line, key, value) in &settings {
            reading.push(Pwquality {
                path: AbsPath(Arc::clone(&file.path)),
                line: *line,
                key: key.as_str().into(),
                value: value.map(Arc::from),
                int_value: value.and_then(|value| value.parse().ok()),
                effective: last.get(key.as_str()) == Some(&(*position, *line)),
            });
        }
        Ok(reading.done())
    }
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
}
