//! `accounts`: the lines of /etc/passwd with what other lines and files say of them: passwd(5),
//! shells(5), login.defs(5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::login_defs::LoginDef;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, Group, User};
use crate::model::view::{Loaded, View};

const SHELLS: &str = "/etc/shells";
/// What counts as listed where there is no /etc/shells.
const USUAL_SHELLS: [&str; 2] = ["/bin/sh", "/bin/csh"];
/// Programs that let nobody in, by their last names.
const NO_SHELLS: [&str; 8] =
    ["nologin", "false", "true", "sync", "shutdown", "halt", "null", "poweroff"];
/// The uid of nobody, which belongs to no person though it is high.
const NOBODY: i64 = 65_534;

facts! {
    /// Lines of /etc/passwd, with what other lines and files say of them.
    #[table(name = "accounts", origin = Derived, location = "/etc/passwd")]
    pub struct Account {
        /// The user's name.
        pub name: Arc<str>,
        /// User id.
        pub uid: i64,
        /// Primary group id.
        pub gid: i64,
        /// The name of that group; none where /etc/group has none with this id.
        pub group: Option<Arc<str>>,
        /// Home directory.
        pub home: AbsPath,
        /// Login shell as written.
        pub shell: AbsPath,
        /// Whether it belongs to the system and not to a person: uid below UID_MIN of login.defs, or nobody's. root does.
        pub system: bool,
        /// Whether /etc/shells lists the shell and it is not nologin.
        pub valid_shell: bool,
        /// Whether the shell lets anybody in: it is empty (/bin/sh) or any program but nologin, false, true, sync, shutdown, halt.
        pub login: bool,
        /// The other users with the same uid; none where there are none.
        pub same_uid: Option<Arc<str>>,
        /// Whether an earlier line has the same name.
        pub repeated: bool,
        /// Line in /etc/passwd.
        pub line: i64,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        Account::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[User::TABLE, Group::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (users_state, users) = view.typed::<User>()?;
        let (groups_state, groups) = view.typed::<Group>()?;
        let (shells_state, shells) = shells(view)?;
        let first = number(view, "UID_MIN")?.unwrap_or(1000);
        let mut names: BTreeMap<i64, Arc<str>> = BTreeMap::new();
        for group in groups {
            names.entry(group.gid).or_insert(group.name);
        }
        let same = sharing(users.iter().map(|user| (user.uid, &user.name)));
        let mut seen = BTreeSet::new();
        let rows: Vec<Account> = users
            .iter()
            .map(|user| {
                let shell = match &*user.shell.0 {
                    "" => "/bin/sh",
                    shell => shell,
                };
                let name = shell.rsplit('/').next().unwrap_or_default();
                Account {
                    name: Arc::clone(&user.name),
                    uid: user.uid,
                    gid: user.gid,
                    group: names.get(&user.gid).cloned(),
                    home: user.home.clone(),
                    shell: user.shell.clone(),
                    system: user.uid < first || user.uid == NOBODY,
                    valid_shell: shells.contains(shell) && !shell.contains("nologin"),
                    login: !NO_SHELLS.contains(&name),
                    same_uid: others(&same, user.uid, &user.name),
                    repeated: !seen.insert(&*user.name),
                    line: user.line,
                }
            })
            .collect();
        let state = users_state.and(groups_state).and(shells_state);
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// The shells that /etc/shells lists.
fn shells(view: &View<'_>) -> Result<(TableState, BTreeSet<String>), FactError> {
    let config = view.config()?;
    Ok(match config.get(SHELLS).map(|file| &file.text) {
        Some(Ok(text)) => {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            let listed = lines.filter(|line| line.starts_with('/')).map(str::to_owned).collect();
            (TableState::Collected, listed)
        }
        Some(Err(problem)) => {
            (TableState::truncated(format!("{SHELLS}: {problem}")), BTreeSet::new())
        }
        None => (config.state().clone(), USUAL_SHELLS.map(str::to_owned).into()),
    })
}

/// A number in login.defs.
pub(super) fn number(view: &View<'_>, key: &str) -> Result<Option<i64>, FactError> {
    let settings = view.typed::<LoginDef>()?.1;
    let setting = settings.iter().find(|setting| setting.effective && &*setting.key == key);
    Ok(setting.and_then(|setting| setting.int_value))
}

/// The names of those who share an id.
pub(super) fn sharing<'a>(
    ids: impl Iterator<Item = (i64, &'a Arc<str>)>,
) -> BTreeMap<i64, BTreeSet<&'a str>> {
    let mut sharing: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for (id, name) in ids {
        sharing.entry(id).or_default().insert(name);
    }
    sharing.retain(|_, names| names.len() > 1);
    sharing
}

/// How many names a list shows.
const SHOWN: usize = 20;

/// The names of the others with an id, as a list; none where there are none.
pub(super) fn others(
    sharing: &BTreeMap<i64, BTreeSet<&str>>,
    id: i64,
    name: &str,
) -> Option<Arc<str>> {
    let names = sharing.get(&id)?.iter().filter(|other| **other != name).take(SHOWN);
    Some(names.copied().collect::<Vec<&str>>().join(", ").into())
}

#[cfg(test)]
pub(super) mod testing {
    //! Users and texts for the tests of tables about accounts.

    use super::*;

    pub(crate) fn user(name: &str, uid: i64, shell: &str, line: i64) -> User {
        User {
            name: name.into(),
            uid,
            gid: uid,
            gecos: "".into(),
            home: AbsPath(if uid == 0 { "/root".into() } else { format!("/home/{name}").into() }),
            shell: AbsPath(shell.into()),
            password: "shadowed".into(),
            line,
        }
    }

    pub(crate) fn text(path: &str, text: &str) -> ConfigFile {
        ConfigFile { path: AbsPath(path.into()), text: Some(text.into()), problem: None }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{text, user};
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn group(name: &str, gid: i64) -> Group {
        Group { name: name.into(), gid, members: Vec::new(), line: 1 }
    }

    #[test]
    fn lines_know_each_other() {
        let facts = MemoryFacts::new()
            .with([
                user("root", 0, "/bin/bash", 1),
                user("toor", 0, "/sbin/nologin", 2),
                user("a", 500, "", 3),
                user("a", 1500, "/opt/shell", 4),
            ])
            .with([group("root", 0), group("a", 500)])
            .with([text("/etc/shells", "# shells\n/bin/bash # x\n/bin/sh\n/sbin/nologin\n")]);
        let (state, rows) = View::new(&facts).typed::<Account>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                (row.same_uid.as_deref(), row.repeated, row.valid_shell, row.login, row.system)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Some("toor"), false, true, true, true),
                (Some("root"), false, false, false, true),
                (None, false, true, true, true),
                (None, true, false, true, false),
            ]
        );
        assert_eq!(rows[2].group.as_deref(), Some("a"));
        assert_eq!(rows[3].group, None);
    }

    #[test]
    fn without_the_list_of_shells_the_usual_ones_count() {
        let facts = MemoryFacts::new()
            .with([user("a", 0, "/bin/sh", 1), user("b", 1, "/bin/zsh", 2)])
            .with([group("a", 0)]);
        let (state, _) = View::new(&facts).typed::<Account>().unwrap();
        assert!(!state.is_complete(), "there are no texts: nobody knows");
        let facts = facts.with([text("/etc/hosts", "")]);
        let (state, rows) = View::new(&facts).typed::<Account>().unwrap();
        assert!(state.is_complete());
        assert_eq!(rows.iter().map(|row| row.valid_shell).collect::<Vec<_>>(), [true, false]);
    }
}
