//! `setuid_files`: programs that run with the rights of their owner or group.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Binary, File, FileKind};
use crate::model::view::{Loaded, View};

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
/// How many are shown.
const MAX_ROWS: usize = 20_000;

facts! {
    /// Regular files with the setuid or the setgid bit.
    #[table(name = "setuid_files", origin = Derived, location = "{path}")]
    pub struct SetuidFile {
        /// Absolute path.
        pub path: AbsPath,
        /// Permission bits.
        pub mode: Mode,
        /// Whether it runs as its owner.
        pub setuid: bool,
        /// Whether it runs as its group.
        pub setgid: bool,
        /// Owner's user id.
        pub uid: i64,
        /// Group id.
        pub gid: i64,
        /// Whether anybody may execute it: without an execute bit the others do nothing.
        pub executable: bool,
        /// The distribution package that it belongs to, where it is an ELF executable.
        pub package: Option<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        SetuidFile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[File::TABLE, Binary::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let mut state = view.files_state();
        let (binaries_state, binaries) = view.typed::<Binary>()?;
        let mut owners: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
        for binary in binaries {
            owners.extend(binary.package.map(|package| (binary.path.0, package)));
        }
        let set = |mode: u32| mode & (SETUID | SETGID) != 0;
        let mut rows = Vec::new();
        let mut too_many = false;
        view.source().scan_files(
            &|class| class.kind == FileKind::File && set(class.mode),
            &mut |row| {
                let file = row.typed::<File>();
                let file = file.filter(|file| file.kind == FileKind::File && set(file.mode.0));
                let Some(file) = file else { return ControlFlow::Continue(()) };
                if rows.len() >= MAX_ROWS {
                    too_many = true;
                    return ControlFlow::Break(());
                }
                rows.push(SetuidFile {
                    mode: file.mode,
                    setuid: file.mode.0 & SETUID != 0,
                    setgid: file.mode.0 & SETGID != 0,
                    uid: file.uid.into(),
                    gid: file.gid.into(),
                    executable: file.mode.0 & 0o111 != 0,
                    package: owners.get(&file.path.0).cloned(),
                    path: file.path,
                });
                ControlFlow::Continue(())
            },
        )?;
        if too_many {
            state = state.and(TableState::truncated(format!("there are more than {MAX_ROWS}")));
        }
        if !rows.is_empty() {
            // Without the binaries nobody knows whose they are.
            state = state.and(binaries_state);
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn programs_come_with_their_package() {
        let facts = MemoryFacts::new()
            .with([
                inode("/", FileKind::Directory, 0o2755, 0),
                inode("/opt/x", FileKind::File, 0o2711, 5),
                inode("/usr/bin/su", FileKind::File, 0o4755, 0),
                inode("/usr/bin/true", FileKind::File, 0o755, 0),
            ])
            .with([Binary {
                path: AbsPath("/usr/bin/su".into()),
                kind: "executable".into(),
                machine: "x86_64".into(),
                executable_stack: false,
                pie: true,
                relro: "full".into(),
                interpreter: None,
                package: Some("util-linux".into()),
            }]);
        let (state, rows) = View::new(&facts).typed::<SetuidFile>().unwrap();
        assert!(state.is_complete());
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (&*row.path.0, row.setuid, row.setgid, row.package.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [("/opt/x", false, true, None), ("/usr/bin/su", true, false, Some("util-linux"))]
        );
    }
}
