//! `privileged_programs`: whether the audit rules record each run of a program that runs with the
//! rights of its owner or group. Where the file system is mounted nosuid or noexec, it does not.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::audit_watches::AuditWatch;
use super::mounts::MountPoint;
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::{Rows, is_under};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{File, FileKind};
use crate::model::view::{Loaded, View};

/// The least id of a user where login.defs says nothing else.
const FIRST_USER: u32 = 1000;
const SET_ID: u32 = 0o6000;
const EXECUTABLE: u32 = 0o111;
/// How many are shown.
const MAX_ROWS: usize = 20_000;

facts! {
    /// Programs that run with the rights of their owner or group, and whether that is audited.
    #[table(name = "privileged_programs", origin = Derived, location = "{path}")]
    pub struct PrivilegedProgram {
        /// Absolute path.
        pub path: AbsPath,
        /// Whether a rule in force records each run of it by users who logged in.
        pub audited: bool,
        /// The file of that rule.
        pub rule_path: Option<AbsPath>,
        /// The line of that rule.
        pub rule_line: Option<i64>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        PrivilegedProgram::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[File::TABLE, AuditWatch::TABLE, MountPoint::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (watches_state, watches) = view.typed::<AuditWatch>()?;
        let (mounts_state, mounts) = view.typed::<MountPoint>()?;
        let mut state = view.files_state().and(watches_state).and(mounts_state);
        let mut by_name: BTreeMap<&str, &AuditWatch> = BTreeMap::new();
        for watch in watches.iter().filter(|watch| records_runs(watch)) {
            for name in &watch.names {
                by_name.entry(name).or_insert(watch);
            }
        }
        let wanted = |kind: FileKind, mode: u32| {
            kind == FileKind::File && mode & SET_ID != 0 && mode & EXECUTABLE != 0
        };
        let mut rows = Vec::new();
        let mut too_many = false;
        view.source().scan_files(&|class| wanted(class.kind, class.mode), &mut |row| {
            let file = row.typed::<File>().filter(|file| wanted(file.kind, file.mode.0));
            let Some(file) = file.filter(|file| works(&mounts, &file.path.0)) else {
                return ControlFlow::Continue(());
            };
            if rows.len() >= MAX_ROWS {
                too_many = true;
                return ControlFlow::Break(());
            }
            let watch = by_name.get(&*file.path.0);
            rows.push(PrivilegedProgram {
                audited: watch.is_some(),
                rule_path: watch.map(|watch| watch.path.clone()),
                rule_line: watch.map(|watch| watch.line),
                path: file.path,
            });
            ControlFlow::Continue(())
        })?;
        if too_many {
            state = state.and(TableState::truncated(format!("there are more than {MAX_ROWS}")));
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

fn records_runs(watch: &AuditWatch) -> bool {
    watch.perms.iter().any(|perm| &**perm == "x")
        && watch.fields.iter().all(|field| is_usual(field))
}

/// Whether a field narrows a rule to those who logged in and no further.
fn is_usual(field: &str) -> bool {
    let least = field.strip_prefix("auid>=").and_then(|id| id.parse::<u32>().ok());
    field == "auid!=unset" || least.is_some_and(|least| least <= FIRST_USER)
}

/// Whether the file system it is on lets it run with other rights.
fn works(mounts: &[MountPoint], path: &str) -> bool {
    let running = mounts.iter().any(|mount| &*mount.origin == "running");
    let mount = mounts
        .iter()
        .filter(|mount| !running || &*mount.origin == "running")
        .filter(|mount| &*mount.target.0 == "/" || is_under(path, &mount.target.0))
        .max_by_key(|mount| mount.target.0.len());
    let off = |option: &Arc<str>| matches!(&**option, "nosuid" | "noexec");
    !mount.is_some_and(|mount| mount.options.iter().any(off))
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn each_program_needs_a_rule() {
        let rules = "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=500 -F auid!=unset\n-w /usr/bin/a -p w\n-a always,exit -F path=/usr/bin/b -F perm=x -F uid=5\n";
        let fstab = "/dev/a / ext4 defaults 0 0\n/dev/b /srv ext4 nosuid 0 0\n";
        let facts = MemoryFacts::new()
            .with([text("/etc/audit/rules.d/a.rules", rules), text("/etc/fstab", fstab)])
            .with([
                inode("/etc/x", FileKind::Directory, 0o2755, 0),
                inode("/srv/x", FileKind::File, 0o4755, 0),
                inode("/usr/bin/a", FileKind::File, 0o2711, 0),
                inode("/usr/bin/b", FileKind::File, 0o4755, 0),
                inode("/usr/bin/c", FileKind::File, 0o4644, 0),
                inode("/usr/bin/d", FileKind::File, 0o755, 0),
                inode("/usr/bin/su", FileKind::File, 0o4755, 0),
            ]);
        let rows = View::new(&facts).typed::<PrivilegedProgram>().unwrap().1;
        let shown: Vec<_> =
            rows.iter().map(|row| (&*row.path.0, row.audited, row.rule_line)).collect();
        assert_eq!(
            shown,
            [
                ("/usr/bin/a", false, None),
                ("/usr/bin/b", false, None),
                ("/usr/bin/su", true, Some(1)),
            ]
        );
    }
}
