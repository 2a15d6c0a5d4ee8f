//! `ufw_policies`: what ufw does with what no rule speaks of: ufw(8), /etc/default/ufw.

use std::sync::Arc;

use super::firewalls::as_configured;
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::FirewallRule;
use crate::model::view::{Loaded, View};

facts! {
    /// Default policies of ufw. What its files say is what it puts into the kernel, so they are known on running hosts too.
    #[table(name = "ufw_policies", origin = Derived, location = "{path}")]
    pub struct UfwPolicy {
        /// `input`, `output` or `forward`.
        pub hook: Arc<str>,
        /// `accept`, `drop` or `reject`.
        pub policy: Arc<str>,
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: Option<i64>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        UfwPolicy::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[FirewallRule::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, rules) = view.typed::<FirewallRule>()?;
        let rows = rules.into_iter().filter(|rule| &*rule.engine == "ufw").filter_map(|rule| {
            Some(UfwPolicy {
                hook: rule.hook?,
                policy: rule.policy?,
                path: AbsPath(rule.origin),
                line: rule.line,
            })
        });
        Ok(Loaded { state: as_configured(state), rows: Arc::new(Rows::of(rows)) })
    }
}
