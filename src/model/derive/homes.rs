//! `homes`: the home directory of every user in /etc/passwd, as it lies in the file system.

use std::sync::Arc;

use super::accounts::Account;
use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::paths::Paths;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, Group, User};
use crate::model::view::{Loaded, View};

/// As many users as are looked at; a look-up decodes a block of files.
pub(super) const MAX_USERS: usize = 10_000;

facts! {
    /// The home directory of each user in /etc/passwd.
    #[table(name = "homes", origin = Derived, location = "{path}")]
    pub struct Home {
        /// The user's name.
        pub user: Arc<str>,
        /// The user's id.
        pub uid: i64,
        /// The user's primary group id.
        pub gid: i64,
        /// As in `accounts`.
        pub system: bool,
        /// As in `accounts`.
        pub valid_shell: bool,
        /// As in `accounts`.
        pub login: bool,
        /// The home directory as /etc/passwd has it.
        pub path: AbsPath,
        /// Whether there is a directory, links followed.
        pub exists: bool,
        /// The directory's owner.
        pub owner: Option<i64>,
        /// The directory's group.
        pub group_id: Option<i64>,
        /// Whether the user owns the directory.
        pub owned: Option<bool>,
        /// The directory's permission bits.
        pub mode: Option<Mode>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        Home::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[User::TABLE, Group::TABLE, File::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, accounts) = view.typed::<Account>()?;
        let files_state = view.files_state();
        let complete = files_state.is_complete();
        let state = limited(state.and(files_state), accounts.len());
        let mut paths = Paths::new(view.source());
        let mut rows = Vec::new();
        for account in accounts.into_iter().take(MAX_USERS) {
            let file = match account.home.0.starts_with('/') {
                true => paths.follow(&account.home.0)?,
                false => None,
            };
            // What the walk did not see may be there.
            if file.is_none() && !complete {
                continue;
            }
            let directory =
                file.filter(|file| file.kind == crate::model::table::FileKind::Directory);
            let owner = directory.as_ref().map(|directory| i64::from(directory.uid));
            rows.push(Home {
                user: account.name,
                uid: account.uid,
                gid: account.gid,
                system: account.system,
                valid_shell: account.valid_shell,
                login: account.login,
                path: account.home,
                exists: directory.is_some(),
                owner,
                group_id: directory.as_ref().map(|directory| directory.gid.into()),
                owned: owner.map(|owner| owner == account.uid),
                mode: directory.map(|directory| directory.mode),
            });
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// The state where no more than [`MAX_USERS`] are looked at.
pub(super) fn limited(state: TableState, users: usize) -> TableState {
    if users > MAX_USERS {
        state.and(TableState::truncated(format!("only {MAX_USERS} users are looked at")))
    } else {
        state
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Inodes for the tests of tables about files.

    use crate::model::cell::{AbsPath, Mode, Time};
    use crate::model::table::{File, FileKind};

    pub(crate) fn inode(path: &str, kind: FileKind, mode: u32, uid: u32) -> File {
        File {
            path: AbsPath(path.into()),
            kind,
            mode: Mode(mode),
            uid,
            gid: uid,
            size: 0,
            mtime: Time(0),
            link_target: None,
            capabilities: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::{text, user};
    use super::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;
    use crate::model::table::FileKind;

    fn facts() -> MemoryFacts {
        MemoryFacts::new()
            .with([user("a", 1000, "/bin/sh", 1), user("b", 1001, "/bin/sh", 2)])
            .with([Group { name: "g".into(), gid: 0, members: Vec::new(), line: 1 }])
            .with([text("/etc/shells", "/bin/sh\n")])
            .with([
                inode("/", FileKind::Directory, 0o755, 0),
                inode("/home", FileKind::Directory, 0o755, 0),
                inode("/home/a", FileKind::Directory, 0o750, 0),
            ])
    }

    #[test]
    fn a_home_is_looked_up() {
        let (state, rows) = View::new(&facts()).typed::<Home>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> = rows.iter().map(|row| (row.exists, row.owned, row.mode)).collect();
        assert_eq!(shown, [(true, Some(false), Some(Mode(0o750))), (false, None, None)]);
    }

    #[test]
    fn what_was_not_seen_is_not_missing() {
        let mut facts = facts();
        facts.remove(File::TABLE, TableState::absent("not asked for"));
        let (state, rows) = View::new(&facts).typed::<Home>().unwrap();
        assert!(!state.is_complete() && rows.is_empty());
    }
}
