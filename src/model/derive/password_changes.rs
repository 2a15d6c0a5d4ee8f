//! `password_changes`: when each password in /etc/shadow was set, and whether that day had come when
//! the facts were collected: shadow(5).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{Host, Shadow};
use crate::model::view::{Loaded, View};

/// Seconds.
const DAY: i64 = 86_400;

facts! {
    /// When passwords were set, by the lines of /etc/shadow.
    #[table(name = "password_changes", origin = Derived, location = "/etc/shadow")]
    pub struct PasswordChange {
        /// The user's name.
        pub name: Arc<str>,
        /// As in `shadow`.
        pub status: Arc<str>,
        /// The day, in days since 1970-01-01.
        pub day: i64,
        /// Whether it lies after the day on which the facts were collected.
        pub in_future: bool,
        /// Line in /etc/shadow.
        pub line: i64,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        PasswordChange::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Host::TABLE, Shadow::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (host_state, hosts) = view.typed::<Host>()?;
        let (state, lines) = view.typed::<Shadow>()?;
        let today = hosts.first().map_or(i64::MAX, |host| host.collected_at.0.div_euclid(DAY));
        let rows = lines.into_iter().filter_map(|line| {
            let day = line.last_change?;
            let Shadow { name, status, line, .. } = line;
            Some(PasswordChange { name, status, day, in_future: day > today, line })
        });
        Ok(Loaded { state: host_state.and(state), rows: Arc::new(Rows::of(rows)) })
    }
}
