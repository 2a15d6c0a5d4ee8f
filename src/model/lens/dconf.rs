//! `config.dconf`: keyfiles and locks of the dconf databases of the system: dconf(7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const DATABASES: &str = "/etc/dconf/db";
const PROFILES: &str = "/etc/dconf/profile";
/// What Debian makes the database of the login screen from.
const GREETERS: [&str; 2] = ["/etc/gdm3/greeter.dconf-defaults", "/etc/gdm/greeter.dconf-defaults"];

facts! {
    /// Settings and locks of the dconf databases of the system.
    #[table(name = "config.dconf", origin = Lens, location = "{path}")]
    pub struct Dconf {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The database: the name of its directory without `.d`.
        pub database: Arc<str>,
        /// `value`, or `lock`: users cannot change the key.
        pub kind: Arc<str>,
        /// The key with its path, without the first `/`, for example `org/gnome/desktop/session/idle-delay`.
        pub key: Arc<str>,
        /// The value as written, without the quotes of a text and the type before a number; none for a lock.
        pub value: Option<Arc<str>>,
        /// The value as a number.
        pub int_value: Option<i64>,
        /// Whether no later file of the database sets the key again.
        pub effective: bool,
        /// Whether a profile in /etc/dconf/profile names the database: else nobody reads it.
        pub used: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Dconf::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Dconf>(files);
        let used = used_databases(files, &mut reading);
        let mut rows: Vec<Dconf> = Vec::new();
        for file in files.under(DATABASES) {
            let rest = file.path.get(DATABASES.len() + 1..).unwrap_or_default();
            let Some((directory, name)) = rest.split_once('/') else { continue };
            let Some(database) = directory.strip_suffix(".d") else { continue };
            let is_used = used.contains(database);
            match name.strip_prefix("locks/") {
                Some(name) if !name.contains('/') => {
                    rows.extend(locks(&file.path, database, is_used, reading.text(file)));
                }
                None if !name.contains('/') => {
                    rows.extend(values(&file.path, database, is_used, reading.text(file)));
                }
                _ => {}
            }
        }
        for path in GREETERS {
            if let Some(file) = files.get(path) {
                rows.extend(values(&file.path, "greeter", true, reading.text(file)));
            }
        }
        let mut last: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate().filter(|(_, row)| &*row.kind == "value") {
            last.insert((Arc::clone(&row.database), Arc::clone(&row.key)), index);
        }
        let last: BTreeSet<usize> = last.into_values().collect();
        for (index, mut row) in rows.into_iter().enumerate() {
            row.effective = &*row.kind == "lock" || last.contains(&index);
            reading.push(row);
        }
        Ok(reading.done())
    }
}

/// The databases that profiles name with `system-db:` or `file-db:`.
fn used_databases(files: &ConfigFiles, reading: &mut Reading) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for file in files.in_directory(PROFILES, "") {
        for line in reading.text(file).lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix("system-db:") {
                used.insert(name.trim().to_owned());
            } else if let Some(path) = line.strip_prefix("file-db:") {
                used.insert(path.trim().rsplit('/').next().unwrap_or_default().to_owned());
            }
        }
    }
    used
}

fn row(path: &Arc<str>, line: i64, database: &str, used: bool, kind: &str, key: String) -> Dconf {
    Dconf {
        path: AbsPath(Arc::clone(path)),
        line,
        database: database.into(),
        kind: kind.into(),
        key: key.into(),
        value: None,
        int_value: None,
        effective: false,
        used,
    }
}

fn locks<'a>(
    path: &'a Arc<str>,
    database: &'a str,
    used: bool,
    text: &'a str,
) -> impl Iterator<Item = Dconf> + 'a {
    (1..).zip(text.lines()).filter_map(move |(line, text)| {
        let key = text.trim().strip_prefix('/')?;
        Some(row(path, line, database, used, "lock", key.to_owned()))
    })
}

/// A keyfile: groups in brackets, `key=value` in GVariant's text form.
fn values(path: &Arc<str>, database: &str, used: bool, text: &str) -> Vec<Dconf> {
    let mut group = String::new();
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.starts_with('#') {
            continue;
        }
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = name.trim().trim_matches('/').to_owned();
            continue;
        }
        let Some((key, value)) = text.split_once('=') else { continue };
        let key = if group.is_empty() {
            key.trim().to_owned()
        } else {
            format!("{group}/{}", key.trim())
        };
        let mut row = row(path, line, database, used, "value", key);
        let value = plain(value.trim());
        row.int_value = value.parse().ok();
        row.value = Some(value.into());
        rows.push(row);
    }
    rows
}

/// Without quotes, and without a type such as `uint32`.
fn plain(value: &str) -> &str {
    let typed = value.split_once(' ').filter(|(kind, _)| {
        matches!(*kind, "byte" | "int16" | "uint16" | "int32" | "uint32" | "int64" | "uint64")
    });
    let value = typed.map_or(value, |(_, value)| value.trim());
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    quoted('\'').or_else(|| quoted('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lens::testing::rows;

    #[test]
    fn later_files_count_and_locks_stand_apart() {
        let found: Vec<Dconf> = rows(
            &Lens,
            &[
                ("/etc/dconf/profile/user", "user-db:user\nsystem-db:local # ours\n"),
                (
                    "/etc/dconf/db/local.d/00-a",
                    "[org/gnome/desktop/session]\nidle-delay=uint32 900\n",
                ),
                (
                    "/etc/dconf/db/local.d/10-b",
                    "[org/gnome/desktop/session/]\n#idle-delay=uint32 1\nidle-delay = uint32 300\nx='a b'\n",
                ),
                ("/etc/dconf/db/local.d/locks/l", "# why\n/org/gnome/desktop/session/idle-delay\n"),
                (
                    "/etc/dconf/db/gdm.d/01",
                    "[org/gnome/login-screen]\nbanner-message-enable=true\n",
                ),
            ],
        );
        let shown: Vec<String> = found
            .iter()
            .map(|row| {
                let value = row.value.as_deref().unwrap_or("-");
                format!(
                    "{} {} {} {value} {} {}",
                    row.database, row.kind, row.key, row.effective, row.used
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "gdm value org/gnome/login-screen/banner-message-enable true true false",
                "local value org/gnome/desktop/session/idle-delay 900 false true",
                "local value org/gnome/desktop/session/idle-delay 300 true true",
                "local value org/gnome/desktop/session/x a b true true",
                "local lock org/gnome/desktop/session/idle-delay - true true",
            ]
        );
        assert_eq!(found.get(2).and_then(|row| row.int_value), Some(300));
    }
}
