//! `config.sudo_defaults`: the `Defaults` of sudoers(5). The last setting of a name counts in its
//! scope; `+=` and `-=` change what was set before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Placed, entries};
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::sudoers::{Entry, Scope, Setting};
use crate::model::view::Loaded;

facts! {
    /// Settings of sudo: the Defaults of /etc/sudoers and what it includes.
    #[table(name = "config.sudo_defaults", origin = Lens, location = "{path}")]
    pub struct SudoDefault {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// For whom it holds: `global`, `user`, `host`, `runas` or `command`.
        pub scope: Arc<str>,
        /// The users, hosts or commands of the scope, negated ones with `!` before them.
        pub members: Vec<Arc<str>>,
        /// The setting's name.
        pub name: Arc<str>,
        /// `=`, `+=` or `-=`; none for a flag and for a name that is switched off.
        pub operator: Option<Arc<str>>,
        /// The value, quotes and escapes removed; none for a flag.
        pub value: Option<Arc<str>>,
        /// The value as a number, a fraction rounded up; 0 for `!timestamp_timeout` and its like.
        pub int_value: Option<i64>,
        /// Whether it is switched off with `!`.
        pub negated: bool,
        /// Whether no later setting of the name in the same scope takes its place.
        pub effective: bool,
    }
}

/// Settings that are numbers: switched off, they are 0.
const NUMBERS: [&str; 8] = [
    "closefrom",
    "command_timeout",
    "loglinelen",
    "maxseq",
    "passwd_timeout",
    "passwd_tries",
    "syslog_maxlen",
    "timestamp_timeout",
];

pub(in crate::model::lens) struct Lens;

impl super::super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        SudoDefault::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<SudoDefault>(files);
        let settings: Vec<(Arc<str>, i64, Setting)> = entries(files, &mut reading)
            .into_iter()
            .filter_map(|Placed { path, line, entry }| match entry {
                Entry::Setting(setting) => Some((path, line, setting)),
                _ => None,
            })
            .collect();
        // Where the last setting stands that says all of the value and does not only change it.
        let mut last: BTreeMap<(Scope, &[String], &str), usize> = BTreeMap::new();
        for (at, (_, _, setting)) in settings.iter().enumerate() {
            if !matches!(setting.value, Some(("+=" | "-=", _))) {
                last.insert((setting.scope, &setting.members, &setting.name), at);
            }
        }
        for (at, (path, line, setting)) in settings.iter().enumerate() {
            let key = (setting.scope, &*setting.members, &*setting.name);
            let effective = last.get(&key).is_none_or(|last| at >= *last);
            reading.push(row(path, *line, setting, effective));
        }
        Ok(reading.done())
    }
}

fn row(path: &Arc<str>, line: i64, setting: &Setting, effective: bool) -> SudoDefault {
    let value = setting.value.as_ref().map(|(_, value)| value.as_str());
    let off = setting.negated && NUMBERS.contains(&setting.name.as_str());
    SudoDefault {
        path: AbsPath(Arc::clone(path)),
        line,
        scope: setting.scope.name().into(),
        members: setting.members.iter().map(|member| member.as_str().into()).collect(),
        name: setting.name.as_str().into(),
        operator: setting.value.as_ref().map(|(operator, _)| Arc::from(*operator)),
        value: value.map(Arc::from),
        int_value: if off { Some(0) } else { value.and_then(number) },
        negated: setting.negated,
        effective,
    }
}

/// A whole number, or one with a fraction rounded up: 15.5 minutes are more than 15.
fn number(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let more = !negative && fraction.bytes().any(|byte| byte != b'0');
    let number = if whole.is_empty() && !fraction.is_empty() { 0 } else { whole.parse().ok()? };
    i64::checked_add(number, i64::from(more))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::rows;
    use super::*;

    #[test]
    fn the_last_setting_of_a_scope_counts() {
        let rows: Vec<SudoDefault> = rows(
            &Lens,
            &[
                (
                    "/etc/sudoers",
                    "Defaults timestamp_timeout=15.5,!lecture\n@includedir /etc/sudoers.d\nDefaults:bob timestamp_timeout=1\n",
                ),
                (
                    "/etc/sudoers.d/a",
                    "Defaults !timestamp_timeout, env_keep+=\"A\"\nDefaults lecture=always\n",
                ),
                ("/etc/sudoers.d/b.conf", "Defaults hidden\n"),
                ("/etc/sudoers.d/c~", "Defaults hidden\n"),
                ("/etc/sudoers.d/d/e", "Defaults hidden\n"),
                ("/usr/etc/sudoers", "Defaults hidden\n"),
            ],
        );
        let shown: Vec<String> = rows
            .iter()
            .map(|r| {
                format!(
                    "{}:{} {} {} {:?} {} {}",
                    r.path.0, r.line, r.scope, r.name, r.int_value, r.negated, r.effective
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "/etc/sudoers:1 global timestamp_timeout Some(16) false false",
                "/etc/sudoers:1 global lecture None true false",
                "/etc/sudoers.d/a:1 global timestamp_timeout Some(0) true true",
                "/etc/sudoers.d/a:1 global env_keep None false true",
                "/etc/sudoers.d/a:2 global lecture None false true",
                "/etc/sudoers:3 user timestamp_timeout Some(1) false true",
            ]
        );
    }

    #[test]
    fn numbers_are_rounded_up() {
        for (text, expected) in [
            ("15", Some(15)),
            ("2.5", Some(3)),
            ("2.0", Some(2)),
            ("-1", Some(-1)),
            (".5", Some(1)),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(number("15m"), None);
    }
}
