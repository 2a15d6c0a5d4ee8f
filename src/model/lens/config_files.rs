//! The texts that lenses read, looked up as the programs look them up: by path, by directory with
//! an ending, or by glob.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::ConfigFile;
use crate::model::view::Loaded;

/// One configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The path it is known by; a link is known by its own path and has its target's text.
    pub path: Arc<str>,
    /// The text, or why it could not be collected.
    pub text: Result<Arc<str>, Arc<str>>,
}

/// What a lens has read so far: rows, and the files that it needed and could not have.
#[derive(Debug)]
pub struct Reading {
    rows: Rows,
    state: TableState,
}

impl Reading {
    /// Nothing read yet; as complete as the `config` table itself.
    pub fn of<F: Fact>(files: &ConfigFiles) -> Self {
        Self { rows: Rows::new(F::TABLE), state: files.state.clone() }
    }

    /// The text of a file, or a note that it is missing from what is read.
    pub fn text<'a>(&mut self, file: &'a Text) -> &'a str {
        match &file.text {
            Ok(text) => text,
            Err(problem) => {
                let missing = TableState::truncated(format!("{}: {problem}", file.path));
                self.state = std::mem::replace(&mut self.state, TableState::Collected).and(missing);
                ""
            }
        }
    }

    /// Adds a row.
    pub fn push(&mut self, fact: impl Fact) {
        self.rows.push(fact.into_cells());
    }

    /// Says that something was left out.
    pub fn truncate(&mut self, reason: String) {
        let left_out = TableState::truncated(reason);
        self.state = std::mem::replace(&mut self.state, TableState::Collected).and(left_out);
    }

    /// The table.
    pub fn done(self) -> Loaded {
        Loaded { state: self.state, rows: Arc::new(self.rows) }
    }
}

/// The `config` table as a map of paths.
#[derive(Debug, Clone)]
pub struct ConfigFiles {
    state: TableState,
    files: BTreeMap<Arc<str>, Text>,
}

impl ConfigFiles {
    /// The files of a loaded `config` table.
    pub fn new(config: &Loaded) -> Self {
        let files = config
            .rows
            .typed::<ConfigFile>()
            .map(|file| {
                let path = file.path.0;
                let text = match (file.text, file.problem) {
                    (Some(text), _) => Ok(text),
                    (None, Some(problem)) => Err(problem),
                    (None, None) => Err(Arc::from("its text was not collected")),
                };
                (Arc::clone(&path), Text { path, text })
            })
            .collect();
        Self { state: config.state.clone(), files }
    }

    /// The state of the `config` table as a whole. A lens starts from it.
    pub fn state(&self) -> &TableState {
        &self.state
    }

    /// The file with exactly this path.
    pub fn get(&self, path: &str) -> Option<&Text> {
        self.files.get(path)
    }

    /// Every file directly or deeper below a directory, in byte order of the path.
    pub fn under<'a>(&'a self, directory: &'a str) -> impl Iterator<Item = &'a Text> {
        self.files
            .range::<str, _>((std::ops::Bound::Excluded(directory), std::ops::Bound::Unbounded))
            .map(|(_, text)| text)
            .take_while(move |text| text.path.starts_with(directory))
            .filter(move |text| crate::model::facts::is_under(&text.path, directory))
    }

    /// The files directly in a directory whose name has this ending, in byte order of the name.
    pub fn in_directory<'a>(
        &'a self,
        directory: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = &'a Text> {
        self.under(directory).filter(move |text| {
            let name = text.path.get(directory.len() + 1..).unwrap_or_default();
            !name.contains('/') && name.ends_with(ending)
        })
    }

    /// Every file, in byte order of the path.
    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.files.values()
    }
}
