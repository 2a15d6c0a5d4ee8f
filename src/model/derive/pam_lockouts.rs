//! `pam_lockouts`: whether the stacks that name pam_faillock lock anybody out: pam_faillock(8). It
//! counts a failure where it is called as `authfail` after the module that asks for the password, and
//! refuses a locked account as `preauth` before that module, or as `authsucc` after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::pam::{Pam, refusal_counts};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::{Loaded, View};

const MODULE: &str = "pam_faillock.so";
/// What asks for the password of local users.
const ASKS: &str = "pam_unix.so";

facts! {
    /// The authentication stacks that name pam_faillock.
    #[table(name = "pam_lockouts", origin = Derived, location = "{path}")]
    pub struct PamLockout {
        /// The file of the first line that names it.
        pub path: AbsPath,
        /// That line.
        pub line: i64,
        /// The service whose stack it is.
        pub service: Arc<str>,
        /// Whether failures are counted: a line with `authfail` comes after pam_unix.
        pub counts: bool,
        /// Whether locked accounts are refused: a line with `preauth` whose refusal counts comes before pam_unix, or one with `authsucc` after it.
        pub refuses: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        PamLockout::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Pam::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, modules) = view.typed::<Pam>()?;
        let mut stacks: BTreeMap<Arc<str>, Vec<Pam>> = BTreeMap::new();
        for module in modules.into_iter().filter(|module| &*module.r#type == "auth") {
            stacks.entry(Arc::clone(&module.service)).or_default().push(module);
        }
        let rows = stacks.into_iter().filter_map(|(service, stack)| lockout(service, &stack));
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

fn lockout(service: Arc<str>, stack: &[Pam]) -> Option<PamLockout> {
    let first = stack.iter().find(|module| &*module.module == MODULE)?;
    let asks = stack.iter().position(|module| &*module.module == ASKS);
    let called = |action: &'static str| {
        let lines = stack.iter().enumerate().filter(|(_, module)| &*module.module == MODULE);
        lines.filter(move |(_, module)| module.args.iter().any(|argument| &**argument == action))
    };
    let before = |at: usize| asks.is_none_or(|asks| at < asks);
    let after = |at: usize| asks.is_none_or(|asks| at > asks);
    Some(PamLockout {
        path: first.path.clone(),
        line: first.line,
        service,
        counts: called("authfail").any(|(at, _)| after(at)),
        refuses: called("preauth").any(|(at, line)| before(at) && refusal_counts(&line.control))
            || called("authsucc").any(|(at, _)| after(at)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(stack: &str) -> Vec<(i64, bool, bool)> {
        let facts = MemoryFacts::new().with([text("/etc/pam.d/common-auth", stack)]);
        let rows = View::new(&facts).typed::<PamLockout>().unwrap().1;
        rows.iter().map(|row| (row.line, row.counts, row.refuses)).collect()
    }

    #[test]
    fn the_places_of_the_lines_decide() {
        let unix = "auth [success=2 default=ignore] pam_unix.so";
        let fail = "auth [default=die] pam_faillock.so authfail";
        let pre = "auth requisite pam_faillock.so preauth";
        let stack = |lines: &[&str]| shown(&(lines.join("\n") + "\n"));
        assert_eq!(stack(&[pre, unix, fail]), [(1, true, true)]);
        assert_eq!(stack(&[unix, fail]), [(2, true, false)]);
        assert_eq!(stack(&[unix, fail, pre]), [(2, true, false)]);
        assert_eq!(stack(&[pre, fail, unix]), [(1, false, true)]);
        let success = "auth sufficient pam_faillock.so authsucc";
        assert_eq!(stack(&[unix, fail, success]), [(2, true, true)]);
        assert_eq!(stack(&["auth optional pam_faillock.so preauth", unix]), [(1, false, false)]);
        assert!(stack(&[unix, "account required pam_faillock.so"]).is_empty());
    }
}
