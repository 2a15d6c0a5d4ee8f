//! `account_groups`: the lines of /etc/group with what other lines and /etc/passwd say of them:
//! group(5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accounts::{others, sharing};
use crate::facts;
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{Group, User};
use crate::model::view::{Loaded, View};

facts! {
    /// Lines of /etc/group, with what other lines and /etc/passwd say of them.
    #[table(name = "account_groups", origin = Derived, location = "/etc/group")]
    pub struct AccountGroup {
        /// The group's name.
        pub name: Arc<str>,
        /// Group id.
        pub gid: i64,
        /// The members that the line lists.
        pub members: Vec<Arc<str>>,
        /// The users whose primary group it is.
        pub primary_of: Vec<Arc<str>>,
        /// The other groups with the same id; none where there are none.
        pub same_gid: Option<Arc<str>>,
        /// Whether an earlier line has the same name.
        pub repeated: bool,
        /// Line in /etc/group.
        pub line: i64,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        AccountGroup::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Group::TABLE, User::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (groups_state, groups) = view.typed::<Group>()?;
        let (users_state, users) = view.typed::<User>()?;
        let mut primary: BTreeMap<i64, Vec<Arc<str>>> = BTreeMap::new();
        for user in users {
            primary.entry(user.gid).or_default().push(user.name);
        }
        let same = sharing(groups.iter().map(|group| (group.gid, &group.name)));
        let mut seen = BTreeSet::new();
        let rows: Vec<AccountGroup> = groups
            .iter()
            .map(|group| AccountGroup {
                name: Arc::clone(&group.name),
                gid: group.gid,
                members: group.members.clone(),
                // Groups that share an id share their users; the first one shows them.
                primary_of: primary.remove(&group.gid).unwrap_or_default(),
                same_gid: others(&same, group.gid, &group.name),
                repeated: !seen.insert(&*group.name),
                line: group.line,
            })
            .collect();
        Ok(Loaded { state: groups_state.and(users_state), rows: Arc::new(Rows::of(rows)) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::user;
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn ids_names_and_users_are_compared() {
        let group = |name: &str, gid, line| Group {
            name: name.into(),
            gid,
            members: vec!["m".into()],
            line,
        };
        let facts = MemoryFacts::new()
            .with([group("a", 1, 1), group("b", 1, 2), group("a", 2, 3)])
            .with([user("u", 1, "", 1), user("v", 2, "", 2)]);
        let (state, rows) = View::new(&facts).typed::<AccountGroup>().unwrap();
        assert!(state.is_complete());
        let shown: Vec<_> =
            rows.iter().map(|row| (row.same_gid.as_deref(), row.repeated)).collect();
        assert_eq!(shown, [(Some("b"), false), (Some("a"), false), (None, true)]);
        assert_eq!(rows[0].primary_of, ["u".into()]);
        assert_eq!(rows[2].primary_of, ["v".into()]);
    }
}
