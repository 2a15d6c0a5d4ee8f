//! `dot_files`: files with a dot before their name in the home directories of those who can log in.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::accounts::Account;
use super::homes::{MAX_USERS, limited};
use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::paths::Paths;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, FileKind, Group, User};
use crate::model::view::{Loaded, View};

/// How many files are looked at in all homes together.
const MAX_LOOKS: usize = 4_000_000;
/// How many rows there can be.
const MAX_ROWS: usize = 100_000;

facts! {
    /// Files whose name begins with a dot in the home directory, at any depth, of users with a shell that lets them in.
    #[table(name = "dot_files", origin = Derived, location = "{path}")]
    pub struct DotFile {
        /// The user's name.
        pub user: Arc<str>,
        /// The user's id.
        pub uid: i64,
        /// The user's primary group id.
        pub gid: i64,
        /// As in `accounts`.
        pub valid_shell: bool,
        /// The file.
        pub path: AbsPath,
        /// Its name.
        pub name: Arc<str>,
        /// How deep it lies: 1 directly in the home directory.
        pub depth: i64,
        /// `file` or `link`.
        pub kind: FileKind,
        /// The file's owner.
        pub owner: i64,
        /// The file's group.
        pub group_id: i64,
        /// Whether the user owns it.
        pub owned: bool,
        /// Whether its group is the user's primary group.
        pub group_owned: bool,
        /// Permission bits.
        pub mode: Mode,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        DotFile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[User::TABLE, Group::TABLE, File::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, accounts) = view.typed::<Account>()?;
        let mut state = limited(state.and(view.files_state()), accounts.len());
        let mut paths = Paths::new(view.source());
        // Users who share a home are shown its files together: it is looked through once.
        let mut homes: BTreeMap<Arc<str>, Vec<Account>> = BTreeMap::new();
        for account in accounts.into_iter().take(MAX_USERS) {
            if (account.login || account.valid_shell)
                && account.home.0.starts_with('/')
                && let Some(home) = paths.follow(&account.home.0)?
            {
                homes.entry(home.path.0).or_default().push(account);
            }
        }
        let mut rows = Vec::new();
        let mut looks = 0;
        for (home, users) in &homes {
            // Nobody's own dot files lie all over the system.
            if &**home == "/" {
                continue;
            }
            view.source().files_under(home, &mut |row| {
                looks += 1;
                if looks > MAX_LOOKS || rows.len() > MAX_ROWS {
                    return ControlFlow::Break(());
                }
                if let Some(file) = row.typed::<File>() {
                    rows.extend(users.iter().filter_map(|user| dot_file(&file, home, user)));
                }
                ControlFlow::Continue(())
            })?;
        }
        if looks > MAX_LOOKS || rows.len() > MAX_ROWS {
            state = state.and(TableState::truncated("the homes hold too many files"));
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

fn dot_file(file: &File, home: &str, user: &Account) -> Option<DotFile> {
    let path = &file.path.0;
    let inside = path.get(home.len() + 1..)?;
    let name = inside.rsplit('/').next()?;
    if !name.starts_with('.') || !matches!(file.kind, FileKind::File | FileKind::Link) {
        return None;
    }
    Some(DotFile {
        user: Arc::clone(&user.name),
        uid: user.uid,
        gid: user.gid,
        valid_shell: user.valid_shell,
        path: file.path.clone(),
        name: name.into(),
        depth: i64::try_from(inside.split('/').count()).unwrap_or(i64::MAX),
        kind: file.kind,
        owner: file.uid.into(),
        group_id: file.gid.into(),
        owned: i64::from(file.uid) == user.uid,
        group_owned: i64::from(file.gid) == user.gid,
        mode: file.mode,
    })
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::{text, user};
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn homes_of_those_who_can_log_in_are_looked_through() {
        let facts = MemoryFacts::new()
            .with([
                user("a", 1000, "/bin/sh", 1),
                user("b", 1001, "/usr/sbin/nologin", 2),
                User { home: AbsPath("/".into()), ..user("c", 1002, "/bin/sh", 3) },
            ])
            .with([Group { name: "g".into(), gid: 0, members: Vec::new(), line: 1 }])
            .with([text("/etc/shells", "/bin/sh\n")])
            .with([
                inode("/", FileKind::Directory, 0o755, 0),
                inode("/.x", FileKind::File, 0o644, 0),
                inode("/home", FileKind::Directory, 0o755, 0),
                inode("/home/a", FileKind::Directory, 0o755, 1000),
                inode("/home/a/.config", FileKind::Directory, 0o755, 1000),
                inode("/home/a/.config/.deep", FileKind::File, 0o644, 1000),
                inode("/home/a/.netrc", FileKind::File, 0o644, 0),
                inode("/home/a/x", FileKind::File, 0o644, 0),
                inode("/home/b", FileKind::Directory, 0o755, 1001),
                inode("/home/b/.netrc", FileKind::File, 0o644, 0),
            ]);
        let (state, rows) = View::new(&facts).typed::<DotFile>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> = rows.iter().map(|row| (&*row.path.0, row.depth, row.owned)).collect();
        assert_eq!(shown, [("/home/a/.config/.deep", 2, true), ("/home/a/.netrc", 1, false)]);
    }
}
