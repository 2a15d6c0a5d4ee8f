//! `config.firewalld`: firewalld.conf(5). The first value of a key counts, later ones are errors to
//! firewalld, and so are lines with more than one `=`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/firewalld/firewalld.conf";

facts! {
    /// Settings of firewalld.conf.
    #[table(name = "config.firewalld", origin = Lens, location = "{path}")]
    pub struct Firewalld {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The key as written.
        pub key: Arc<str>,
        /// The value.
        pub value: Arc<str>,
        /// Whether no earlier line sets the key, so that this one counts.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Firewalld::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Firewalld>(files);
        let Some(file) = files.get(PATH) else { return Ok(reading.done()) };
        let mut seen = BTreeSet::new();
        for (line, text) in (1..).zip(reading.text(file).lines()) {
            let text = text.trim();
            let Some((key, value)) = text.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            if text.starts_with(['#', ';']) || value.is_empty() || value.contains('=') {
                continue;
            }
            reading.push(Firewalld {
                path: AbsPath(Arc::clone(&file.path)),
                line,
                key: key.into(),
                value: value.into(),
                effective: seen.insert(key),
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
    fn the_first_value_counts() {
        let text =
            "# DefaultZone=x\nDefaultZone=\nDefaultZone = drop \nDefaultZone=public\na=b=c\n";
        let shown: Vec<String> = rows::<Firewalld>(&Lens, &[(PATH, text)])
            .iter()
            .map(|row| format!("{} {}={} {}", row.line, row.key, row.value, row.effective))
            .collect();
        assert_eq!(shown, ["3 DefaultZone=drop true", "4 DefaultZone=public false"]);
    }
}
