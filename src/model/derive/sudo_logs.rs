//! `sudo_logs`: the files that sudo logs to, and whether the audit rules record changes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audit_watches::AuditWatch;
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::sudo::defaults::SudoDefault;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::{Loaded, View};

/// Where the benchmarks have sudo log to.
const USUAL: &str = "/var/log/sudo.log";

facts! {
    /// Log files of sudo, and whether audit rules in force record who changes them.
    #[table(name = "sudo_logs", origin = Derived, location = "{path}")]
    pub struct SudoLog {
        /// The log: each that `logfile` names, /var/log/sudo.log where none is named.
        pub path: AbsPath,
        /// Where it is named.
        pub set_in: Option<AbsPath>,
        /// The line in it.
        pub set_line: Option<i64>,
        /// Whether rules record every write and change of attributes by anybody.
        pub audited: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        SudoLog::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[SudoDefault::TABLE, AuditWatch::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (settings_state, settings) = view.typed::<SudoDefault>()?;
        let (watches_state, watches) = view.typed::<AuditWatch>()?;
        let audited = |log: &str| {
            watches.iter().any(|watch| {
                let whole = ["a", "w"].iter().all(|perm| watch.perms.iter().any(|p| &**p == *perm));
                watch.everybody && whole && watch.names.iter().any(|name| &**name == log)
            })
        };
        let mut logs: BTreeMap<Arc<str>, Option<(AbsPath, i64)>> = BTreeMap::new();
        for setting in settings.iter().filter(|s| s.effective && &*s.name == "logfile") {
            if let Some(log) = setting.value.as_ref().filter(|value| value.starts_with('/')) {
                let place = || Some((setting.path.clone(), setting.line));
                logs.entry(Arc::clone(log)).or_insert_with(place);
            }
        }
        if logs.is_empty() {
            logs.insert(USUAL.into(), None);
        }
        let rows = logs.into_iter().map(|(log, place)| {
            let (set_in, set_line) = place.unzip();
            SudoLog { audited: audited(&log), path: AbsPath(log), set_in, set_line }
        });
        let rows = Arc::new(Rows::of(rows));
        Ok(Loaded { state: settings_state.and(watches_state), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(sudoers: &str, rules: &str) -> Vec<String> {
        let facts = MemoryFacts::new()
            .with([text("/etc/sudoers", sudoers), text("/etc/audit/rules.d/a.rules", rules)])
            .with::<crate::model::table::File>([]);
        let rows = View::new(&facts).typed::<SudoLog>().unwrap().1;
        rows.iter().map(|r| format!("{} {:?} {}", r.path.0, r.set_line, r.audited)).collect()
    }

    #[test]
    fn each_log_needs_a_watch() {
        let sudoers = "Defaults logfile=/a\nDefaults:ann logfile=\"/b\"\nDefaults !syslog\n";
        let rules = "-w /a -p wa\n-w /b -p w\n-w /var/log/sudo.log -p wa\n";
        assert_eq!(shown(sudoers, rules), ["/a Some(1) true", "/b Some(2) false"]);
        assert_eq!(shown("Defaults !logfile\n", rules), ["/var/log/sudo.log None true"]);
        assert_eq!(shown("", "-w /b -p wa\n"), ["/var/log/sudo.log None false"]);
    }
}
