//! `linked_files`: what links in /etc lead to. Distributions keep some of its files elsewhere, and
//! whoever asks for their owner and mode means those of the file.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::paths::Paths;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{File, FileKind};
use crate::model::view::{Loaded, View};

/// Directories whose links are followed.
const PLACES: [&str; 4] = ["/etc", "/etc/apt", "/etc/security", "/etc/ssh"];
/// More links than any real host has there.
const MAX_ROWS: usize = 5_000;

facts! {
    /// Links directly in /etc, /etc/apt, /etc/security and /etc/ssh, with what they lead to.
    #[table(name = "linked_files", origin = Derived, location = "{path}")]
    pub struct LinkedFile {
        /// The link.
        pub path: AbsPath,
        /// What it leads to, further links followed.
        pub target: AbsPath,
        /// What that is: `file`, `directory`, ...
        pub kind: FileKind,
        /// Its permission bits.
        pub mode: Mode,
        /// Its owner's user id.
        pub uid: i64,
        /// Its group id.
        pub gid: i64,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        LinkedFile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let mut links: Vec<Arc<str>> = Vec::new();
        view.source().files_under("/etc", &mut |row| {
            let file = row.typed::<File>().filter(|file| file.kind == FileKind::Link);
            if let Some(path) = file.map(|file| file.path.0)
                && path.rsplit_once('/').is_some_and(|(place, _)| PLACES.contains(&place))
            {
                links.push(path);
            }
            if links.len() > MAX_ROWS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let mut state = view.files_state();
        if links.len() > MAX_ROWS {
            state = state.and(TableState::truncated(format!("more than {MAX_ROWS} links in /etc")));
        }
        let mut paths = Paths::new(view.source());
        let mut rows = Rows::new(self.table());
        for link in links {
            if let Some(file) = paths.follow(&link)? {
                let row = LinkedFile {
                    path: AbsPath(link),
                    target: file.path,
                    kind: file.kind,
                    mode: file.mode,
                    uid: file.uid.into(),
                    gid: file.gid.into(),
                };
                rows.push(row.into_cells());
            }
        }
        Ok(Loaded { state, rows: Arc::new(rows) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn links_lead_to_files_or_nowhere() {
        let file = |path: &str, kind, mode, link_target: Option<&str>| File {
            path: AbsPath(path.into()),
            kind,
            mode: Mode(mode),
            uid: 0,
            gid: 0,
            size: 0,
            mtime: crate::model::cell::Time(0),
            link_target: link_target.map(Arc::from),
            capabilities: None,
        };
        let facts = MemoryFacts::new().with([
            file("/", FileKind::Directory, 0o755, None),
            file("/etc", FileKind::Directory, 0o755, None),
            file("/etc/deep", FileKind::Directory, 0o755, None),
            file("/etc/deep/issue", FileKind::Link, 0o777, Some("../../usr/issue")),
            file("/etc/issue", FileKind::Link, 0o777, Some("../usr/issue")),
            file("/etc/lost", FileKind::Link, 0o777, Some("/nowhere")),
            file("/etc/motd", FileKind::File, 0o666, None),
            file("/usr", FileKind::Directory, 0o755, None),
            file("/usr/issue", FileKind::File, 0o664, None),
        ]);
        let (state, rows) = View::new(&facts).typed::<LinkedFile>().unwrap();
        assert!(state.is_complete());
        let shown: Vec<_> = rows.iter().map(|r| (&*r.path.0, &*r.target.0, r.mode.0)).collect();
        assert_eq!(shown, [("/etc/issue", "/usr/issue", 0o664)]);
    }
}
