//! `config.limits`: resource limits of sessions, limits.conf(5), as pam_limits(8) reads them: the
//! main file, then the drop-ins by name. For one domain the last value of an item counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// The main file; the vendor's counts where /etc has none.
const MAIN: [&str; 2] = ["/etc/security/limits.conf", "/usr/etc/security/limits.conf"];
const DROP_INS: [&str; 2] = ["/etc/security/limits.d", "/usr/etc/security/limits.d"];

facts! {
    /// Resource limits of sessions.
    #[table(name = "config.limits", origin = Lens, location = "{path}")]
    pub struct Limit {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `*`, `%`, a user, `@group`, `%group`, or a range of ids.
        pub domain: Arc<str>,
        /// `soft`, `hard`, or `-` for both.
        pub r#type: Arc<str>,
        /// The item in lower case, for example `core`; none where the line frees the domain of all limits.
        pub item: Option<Arc<str>>,
        /// The value in lower case; `unlimited` also where it is written as `infinity` or `-1`.
        pub value: Option<Arc<str>>,
        /// The value as a number.
        pub int_value: Option<i64>,
        /// Whether no later line for the same domain and item takes its place.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Limit::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Limit>(files);
        let main = MAIN.iter().find_map(|path| files.get(path));
        let mut rows: Vec<Limit> = Vec::new();
        for file in main.into_iter().chain(files.drop_ins(&DROP_INS, ".conf")) {
            let lines = (1..).zip(reading.text(file).lines());
            rows.extend(lines.filter_map(|(line, text)| limit(file, line, text)));
        }
        // Where the last word on each part of a limit is said.
        let mut last: BTreeMap<Part, usize> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            for part in parts(&row.r#type) {
                last.insert((Arc::clone(&row.domain), row.item.clone(), *part), at);
            }
        }
        for (at, mut row) in rows.into_iter().enumerate() {
            row.effective = parts(&row.r#type).iter().any(|part| {
                last.get(&(Arc::clone(&row.domain), row.item.clone(), *part)) == Some(&at)
            });
            reading.push(row);
        }
        Ok(reading.done())
    }
}

/// Domain, item, and `soft` or `hard`.
type Part = (Arc<str>, Option<Arc<str>>, &'static str);

/// What a type sets.
fn parts(kind: &str) -> &'static [&'static str] {
    match kind {
        "soft" => &["soft"],
        "hard" => &["hard"],
        _ => &["soft", "hard"],
    }
}

fn limit(file: &Text, line: i64, text: &str) -> Option<Limit> {
    let text = text.split('#').next().unwrap_or_default();
    let mut words = text.split_whitespace();
    let (domain, kind) = (words.next()?, words.next()?.to_ascii_lowercase());
    let (item, value) = (words.next().map(str::to_ascii_lowercase), words.next());
    // A dash alone frees the domain; other lines need all four words.
    let whole = matches!(kind.as_str(), "soft" | "hard" | "-") && value.is_some();
    let freed = kind == "-" && item.is_none();
    if !(whole || freed) {
        return None;
    }
    let value = value.map(|value| match value.to_ascii_lowercase().as_str() {
        "infinity" | "-1" => "unlimited".to_owned(),
        other => other.to_owned(),
    });
    Some(Limit {
        path: AbsPath(Arc::clone(&file.path)),
        line,
        domain: domain.into(),
        r#type: kind.into(),
        item: item.map(Arc::from),
        int_value: value.as_deref().and_then(|value| value.parse().ok()),
        value: value.map(Arc::from),
        effective: false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn the_last_line_for_a_domain_counts() {
        let rows: Vec<Limit> = rows(
            &Lens,
            &[
                (
                    MAIN[0],
                    "# x\n* hard core 0\n* soft core 0\nbob - nofile INFINITY\nann -\n* hard core\n",
                ),
                ("/etc/security/limits.d/a.conf", "*\tHARD\tcore 10 # why\nbob soft nofile 5\n"),
                ("/etc/security/limits.d/a.txt", "* hard core 99\n"),
            ],
        );
        let shown: Vec<String> = rows
            .iter()
            .map(|r| {
                format!(
                    "{} {} {} {:?} {:?} {}",
                    r.line,
                    r.domain,
                    r.r#type,
                    r.item,
                    r.value.as_deref(),
                    r.effective
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 * hard Some(\"core\") Some(\"0\") false",
                "3 * soft Some(\"core\") Some(\"0\") true",
                "4 bob - Some(\"nofile\") Some(\"unlimited\") true",
                "5 ann - None None true",
                "1 * hard Some(\"core\") Some(\"10\") true",
                "2 bob soft Some(\"nofile\") Some(\"5\") true",
            ]
        );
    }
}
