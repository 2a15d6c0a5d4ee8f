//! `account_passwords`: how each user's password stands, from /etc/passwd and /etc/shadow together:
//! passwd(5), shadow(5).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::Account;
use crate::facts;
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{ConfigFile, Group, Shadow, User};
use crate::model::view::{Loaded, View};

facts! {
    /// How the password of each user in /etc/passwd stands.
    #[table(name = "account_passwords", origin = Derived, location = "{file}")]
    pub struct AccountPassword {
        /// The user's name.
        pub name: Arc<str>,
        /// User id.
        pub uid: i64,
        /// As in `accounts`.
        pub system: bool,
        /// As in `accounts`.
        pub valid_shell: bool,
        /// As in `accounts`.
        pub login: bool,
        /// Whether /etc/passwd leaves the password to /etc/shadow.
        pub shadowed: bool,
        /// `set`, `empty`, `locked` (! before a hash), `none` (* or ! alone), or `missing`: /etc/shadow has no line.
        pub status: Arc<str>,
        /// Whether no password opens it: locked, none or missing.
        pub locked: bool,
        /// Day of the last change, in days since 1970-01-01.
        pub last_change: Option<i64>,
        /// Days after which it must be changed.
        pub max_days: Option<i64>,
        /// Days of inactivity after which the account is locked.
        pub inactive_days: Option<i64>,
        /// The file with the password field: /etc/shadow or /etc/passwd.
        pub file: Arc<str>,
        /// Line in that file.
        pub line: i64,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        AccountPassword::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[User::TABLE, Group::TABLE, Shadow::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, accounts) = view.typed::<Account>()?;
        let users = view.typed::<User>()?.1;
        let (shadow_state, shadow) = view.typed::<Shadow>()?;
        let complete = shadow_state.is_complete();
        let mut lines: BTreeMap<Arc<str>, Shadow> = BTreeMap::new();
        for line in shadow {
            lines.entry(Arc::clone(&line.name)).or_insert(line);
        }
        let rows = accounts.into_iter().zip(users).filter_map(|(account, user)| {
            let shadowed = &*user.password == "shadowed";
            let line = lines.get(&account.name).filter(|_| shadowed);
            // A line that could not be seen may be there.
            if shadowed && line.is_none() && !complete {
                return None;
            }
            let status: Arc<str> = match (&*user.password, line) {
                (_, Some(line)) => Arc::clone(&line.status),
                ("shadowed", None) => "missing".into(),
                ("hash", _) => "set".into(),
                ("locked", _) => "none".into(),
                (other, _) => other.into(),
            };
            Some(AccountPassword {
                name: account.name,
                uid: account.uid,
                system: account.system,
                valid_shell: account.valid_shell,
                login: account.login,
                shadowed,
                locked: matches!(&*status, "locked" | "none" | "missing"),
                status,
                last_change: line.and_then(|line| line.last_change),
                max_days: line.and_then(|line| line.max_days),
                inactive_days: line.and_then(|line| line.inactive_days),
                file: if line.is_some() { "/etc/shadow" } else { "/etc/passwd" }.into(),
                line: line.map_or(account.line, |line| line.line),
            })
        });
        Ok(Loaded { state: state.and(shadow_state), rows: Arc::new(Rows::of(rows)) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::{text, user};
    use super::*;
    use crate::model::facts::MemoryFacts;
    use crate::model::state::TableState;

    fn shadow(name: &str, status: &str, line: i64) -> Shadow {
        Shadow {
            name: name.into(),
            status: status.into(),
            algorithm: None,
            last_change: Some(1),
            min_days: None,
            max_days: None,
            warn_days: None,
            inactive_days: None,
            expires: None,
            line,
        }
    }

    fn facts() -> MemoryFacts {
        let users = [("a", "shadowed"), ("b", "shadowed"), ("c", "empty"), ("d", "hash")]
            .map(|user_| User { password: user_.1.into(), ..user(user_.0, 1000, "/bin/sh", 7) });
        MemoryFacts::new().with(users).with([text("/etc/shells", "/bin/sh\n")]).with([Group {
            name: "g".into(),
            gid: 0,
            members: Vec::new(),
            line: 1,
        }])
    }

    #[test]
    fn both_files_are_joined() {
        let facts = facts().with([shadow("a", "empty", 2), shadow("c", "set", 3)]);
        let (state, rows) = View::new(&facts).typed::<AccountPassword>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> =
            rows.iter().map(|row| (&*row.status, row.locked, &*row.file, row.line)).collect();
        assert_eq!(
            shown,
            [
                ("empty", false, "/etc/shadow", 2),
                ("missing", true, "/etc/passwd", 7),
                ("empty", false, "/etc/passwd", 7),
                ("set", false, "/etc/passwd", 7),
            ]
        );
    }

    #[test]
    fn a_shadow_file_that_was_not_seen_is_no_missing_line() {
        let mut facts = facts();
        facts.remove(Shadow::TABLE, TableState::denied("no permission"));
        let (state, rows) = View::new(&facts).typed::<AccountPassword>().unwrap();
        assert!(!state.is_complete());
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["c", "d"]);
    }
}
