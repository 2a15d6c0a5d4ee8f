//! `unowned_files`: inodes whose owner or group no local account has.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, FileKind, Group, User};
use crate::model::view::{Loaded, View};

/// How many are shown.
const MAX_ROWS: usize = 20_000;

facts! {
    /// Inodes whose user or group id belongs to no account of this host.
    #[table(name = "unowned_files", origin = Derived, location = "{path}")]
    pub struct UnownedFile {
        /// Absolute path.
        pub path: AbsPath,
        /// `file`, `directory`, ...
        pub kind: FileKind,
        /// Owner's user id.
        pub uid: i64,
        /// Group id.
        pub gid: i64,
        /// Whether /etc/passwd has the user.
        pub user_known: bool,
        /// Whether /etc/group has the group.
        pub group_known: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        UnownedFile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[User::TABLE, Group::TABLE, File::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (users_state, users) = view.typed::<User>()?;
        let (groups_state, groups) = view.typed::<Group>()?;
        let state = users_state.and(groups_state);
        let config = view.table(ConfigFile::TABLE)?.state;
        let state = match config {
            TableState::Absent(_) | TableState::Denied(_) => state.and(config),
            _ => state,
        };
        // An id that is not known here may be known to a line, or a service, that was not seen.
        let state = match elsewhere(view)? {
            Some(service) => state.and(TableState::truncated(format!(
                "accounts also come from {service}, which only the running host can ask"
            ))),
            None => state,
        };
        if !state.is_complete() {
            return Ok(Loaded { state, rows: Arc::new(Rows::new(self.table())) });
        }
        let uids: BTreeSet<i64> = users.iter().map(|user| user.uid).collect();
        let gids: BTreeSet<i64> = groups.iter().map(|group| group.gid).collect();
        let known = |uid: u32, gid: u32| (uids.contains(&uid.into()), gids.contains(&gid.into()));
        let mut state = view.files_state();
        let mut rows: Vec<UnownedFile> = Vec::new();
        let mut too_many = false;
        view.source().scan_files(
            &|class| known(class.uid, class.gid) != (true, true),
            &mut |row| {
                let Some(file) = row.typed::<File>() else { return ControlFlow::Continue(()) };
                let (user_known, group_known) = known(file.uid, file.gid);
                if user_known && group_known {
                    return ControlFlow::Continue(());
                }
                if rows.len() >= MAX_ROWS {
                    too_many = true;
                    return ControlFlow::Break(());
                }
                rows.push(UnownedFile {
                    path: file.path,
                    kind: file.kind,
                    uid: file.uid.into(),
                    gid: file.gid.into(),
                    user_known,
                    group_known,
                });
                ControlFlow::Continue(())
            },
        )?;
        if too_many {
            let reason = format!("more than {MAX_ROWS} files belong to nobody");
            state = state.and(TableState::truncated(reason));
        }
        // What is absent or denied stays so: there was nothing to look at.
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// A service beside the local files that accounts come from, by nsswitch.conf(5). sssd stands there
/// on hosts that never set it up, so that it counts only with its configuration.
fn elsewhere(view: &View<'_>) -> Result<Option<String>, FactError> {
    let config = view.config()?;
    for service in services(&config) {
        let counts = match service.as_str() {
            "sss" => view.source().file("/etc/sssd/sssd.conf")?.is_some(),
            "ldap" | "nis" | "nisplus" | "winbind" | "hesiod" | "ato" | "oslogin" => true,
            _ => false,
        };
        if counts {
            return Ok(Some(format!("{service} (/etc/nsswitch.conf)")));
        }
    }
    Ok(None)
}

/// The services that nsswitch.conf names for users and groups.
fn services(config: &ConfigFiles) -> Vec<String> {
    let text = match config.get("/etc/nsswitch.conf").map(|file| &file.text) {
        Some(Ok(text)) => Arc::clone(text),
        _ => return Vec::new(),
    };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(database, _)| matches!(database.trim(), "passwd" | "group"))
        .flat_map(|(_, services)| services.split_whitespace())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::{text, user};
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn facts() -> MemoryFacts {
        MemoryFacts::new()
            .with([user("root", 0, "", 1), user("a", 1000, "", 2)])
            .with([Group { name: "root".into(), gid: 0, members: Vec::new(), line: 1 }])
            .with([
                inode("/", FileKind::Directory, 0o755, 0),
                inode("/group", FileKind::File, 0o644, 1000),
                inode("/sssd", FileKind::File, 0o644, 0),
                inode("/user", FileKind::Link, 0o777, 1234),
            ])
            .with([text("/etc/nsswitch.conf", "passwd: files sss systemd # ldap\n")])
    }

    #[test]
    fn ids_without_an_account_are_found() {
        let (state, rows) = View::new(&facts()).typed::<UnownedFile>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> =
            rows.iter().map(|row| (&*row.path.0, row.user_known, row.group_known)).collect();
        assert_eq!(shown, [("/group", true, false), ("/user", false, false)]);
    }

    #[test]
    fn a_directory_service_may_know_them() {
        let facts = facts().with([text("/etc/nsswitch.conf", "group: compat ldap\n")]);
        let (state, rows) = View::new(&facts).typed::<UnownedFile>().unwrap();
        assert!(rows.is_empty() && state.reason().unwrap().contains("ldap"), "{state}");
    }
}
