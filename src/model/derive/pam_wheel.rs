//! `pam_wheel`: the modules that let only a group through, pam_wheel(8), with who is in that group.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::pam::{Pam, refusal_counts};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{Group, User};
use crate::model::view::{Loaded, View};

const MODULE: &str = "pam_wheel.so";
/// What it asks for where no group is named and /etc/group has it; the group with id 0 elsewhere.
const USUAL: &str = "wheel";

facts! {
    /// Uses of pam_wheel, which lets only the members of a group through, with who they are.
    #[table(name = "pam_wheel", origin = Derived, location = "{path}")]
    pub struct PamWheel {
        /// The file.
        pub path: AbsPath,
        /// The line in it.
        pub line: i64,
        /// The service whose stack it is in.
        pub service: Arc<str>,
        /// `auth` or `account`.
        pub r#type: Arc<str>,
        /// The control as written.
        pub control: Arc<str>,
        /// Whether its refusal is the last word of the stack: `required`, `requisite`, or as these in brackets.
        pub required: bool,
        /// The group that `group=` names; none where it names none.
        pub group: Option<Arc<str>>,
        /// Whether /etc/group has the group that is asked for.
        pub found: bool,
        /// Who is in it: by its line in /etc/group, or with a login shell and it as the primary group.
        pub members: Vec<Arc<str>>,
        /// Whether it asks about the user who calls (`use_uid`) and not about the login name.
        pub use_uid: bool,
        /// Whether it keeps the members out instead (`deny`).
        pub deny: bool,
        /// Whether it asks only those who want to be root (`root_only`).
        pub root_only: bool,
        /// Whether a module before it in its file, other than pam_rootok, can end the stack with success.
        pub passed_by: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        PamWheel::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Pam::TABLE, Group::TABLE, User::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, modules) = view.typed::<Pam>()?;
        let (groups_state, groups) = view.typed::<Group>()?;
        let (users_state, users) = view.typed::<User>()?;
        let mut by_name: BTreeMap<&str, &Group> = BTreeMap::new();
        for group in &groups {
            by_name.entry(&group.name).or_insert(group);
        }
        let root = groups.iter().find(|group| group.gid == 0);
        let rows = modules.iter().enumerate().filter(|(_, module)| &*module.module == MODULE).map(
            |(at, module)| {
                let named = module.args.iter().rev().find_map(|arg| arg.strip_prefix("group="));
                let group = match named {
                    Some(name) => by_name.get(name).copied(),
                    None => by_name.get(USUAL).copied().or(root),
                };
                let flag = |name: &str| module.args.iter().any(|arg| &**arg == name);
                PamWheel {
                    path: module.path.clone(),
                    line: module.line,
                    service: Arc::clone(&module.service),
                    r#type: Arc::clone(&module.r#type),
                    control: Arc::clone(&module.control),
                    required: refusal_counts(&module.control),
                    group: named.map(Arc::from),
                    found: group.is_some(),
                    members: group.map(|group| members(group, &users)).unwrap_or_default(),
                    use_uid: flag("use_uid"),
                    deny: flag("deny"),
                    root_only: flag("root_only"),
                    passed_by: modules.iter().take(at).any(|before| passes_by(before, module)),
                }
            },
        );
        let rows = Rows::of(rows);
        Ok(Loaded { state: state.and(groups_state).and(users_state), rows: Arc::new(rows) })
    }
}

fn members(group: &Group, users: &[User]) -> Vec<Arc<str>> {
    let mut members = group.members.clone();
    let shell = |user: &User| user.shell.0.rsplit('/').next().map(str::to_owned);
    let logs_in = |user: &&User| !matches!(shell(user).as_deref(), Some("nologin" | "false"));
    for user in users.iter().filter(|user| user.gid == group.gid).filter(logs_in) {
        if !members.contains(&user.name) {
            members.push(Arc::clone(&user.name));
        }
    }
    members
}

/// Whether success of a module means that another one, later in the stack, is not asked.
fn passes_by(before: &Pam, module: &Pam) -> bool {
    before.service == module.service
        && before.r#type == module.r#type
        && before.path == module.path
        && !["pam_rootok.so", MODULE].contains(&&*before.module)
        && (&*before.control == "sufficient" || before.control.contains("success=done"))
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::user;
    use super::*;
    use crate::model::facts::MemoryFacts;
    use crate::model::table::ConfigFile;

    #[test]
    fn the_group_is_looked_up() {
        let text = "auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid group=su\nauth required pam_wheel.so\nauth required pam_wheel.so group=none deny root_only\nauth sufficient pam_unix.so\nauth required pam_wheel.so group=su\n";
        let group = |name: &str, gid, members: &[&str]| Group {
            name: name.into(),
            gid,
            members: members.iter().map(|name| Arc::from(*name)).collect(),
            line: 1,
        };
        let facts = MemoryFacts::new()
            .with([ConfigFile {
                path: AbsPath("/etc/pam.d/su".into()),
                text: Some(text.into()),
                problem: None,
            }])
            .with([group("root", 0, &[]), group("su", 9, &["ann"])])
            .with([
                user("ann", 9, "", 1),
                user("bob", 9, "", 2),
                user("root", 0, "", 3),
                user("daemon", 9, "/usr/sbin/nologin", 4),
            ]);
        let (state, rows) = View::new(&facts).typed::<PamWheel>().unwrap();
        assert!(state.is_complete());
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                let flags = [row.found, row.use_uid, row.deny, row.root_only, row.passed_by];
                (row.line, row.group.as_deref(), row.members.join(" "), flags.map(u8::from))
            })
            .collect();
        assert_eq!(
            shown,
            [
                (2, Some("su"), "ann bob".to_owned(), [1, 1, 0, 0, 0]),
                (3, None, "root".to_owned(), [1, 0, 0, 0, 0]),
                (4, Some("none"), String::new(), [0, 0, 1, 1, 0]),
                (6, Some("su"), "ann bob".to_owned(), [1, 0, 0, 0, 1]),
            ]
        );
    }
}
