//! The texts that lenses read, looked up as the programs look them up: by path, by directory with
//! an ending, or by glob.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::glob;
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

impl Text {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The most rows of one lens: several times what a host with everything installed has.
const MAX_ROWS: usize = 500_000;
/// The most bytes that includes make a lens read, a file counted each time and each path that is
/// compared with a pattern, too: includes of files that include others multiply.
const MAX_BYTES: usize = 64 << 20;
/// How many missing files a reason names.
const NAMED: usize = 3;

/// What a lens has read so far: rows, and the files that it needed and could not have.
#[derive(Debug)]
pub struct Reading {
    rows: Rows,
    state: TableState,
    /// Files whose text is missing, and why.
    missing: BTreeMap<Arc<str>, Arc<str>>,
    /// Bytes that includes made it read.
    bytes: usize,
}

impl Reading {
    /// Nothing read yet; as complete as the `config` table itself.
    pub fn of<F: Fact>(files: &ConfigFiles) -> Self {
        let rows = Rows::new(F::TABLE);
        Self { rows, state: files.state.clone(), missing: BTreeMap::new(), bytes: 0 }
    }

    /// The text of a file, or a note that it is missing from what is read.
    pub fn text<'a>(&mut self, file: &'a Text) -> &'a str {
        match &file.text {
            Ok(text) => text,
            Err(problem) => {
                self.missing.insert(Arc::clone(&file.path), Arc::clone(problem));
                ""
            }
        }
    }

    /// Counts bytes that an include makes it read. False once that is more than any real host
    /// needs, which makes the state truncated.
    pub fn afford(&mut self, bytes: usize) -> bool {
        let before = self.bytes;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES && before <= MAX_BYTES {
            let table = self.rows.schema().name;
            self.truncate(format!("the includes of {table} read more than {MAX_BYTES} bytes"));
        }
        self.bytes <= MAX_BYTES
    }

    /// Adds a row; past the most that a real host has it is left out, which makes the state
    /// truncated.
    pub fn push(&mut self, fact: impl Fact) {
        if self.is_full() {
            return;
        }
        self.rows.push(fact.into_cells());
        if self.is_full() {
            self.truncate(format!("{} has more than {MAX_ROWS} rows", self.rows.schema().name));
        }
    }

    /// Whether there is no room for another row.
    pub fn is_full(&self) -> bool {
        is_full(&self.rows)
    }

    /// Says that something was left out.
    pub fn truncate(&mut self, reason: String) {
        let left_out = TableState::truncated(reason);
        self.state = std::mem::replace(&mut self.state, TableState::Collected).and(left_out);
    }

    /// The table.
    pub fn done(mut self) -> Loaded {
        if !self.missing.is_empty() {
            let named: Vec<String> = self
                .missing
                .iter()
                .take(NAMED)
                .map(|(path, problem)| format!("{path}: {problem}"))
                .collect();
            let more = self.missing.len() - named.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.truncate(format!("{}{more}", named.join("; ")));
        }
        Loaded { state: self.state, rows: Arc::new(self.rows) }
    }
}

/// A path or pattern without `//`, `/./` and `/../`.
fn plain(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") {
        return path.into();
    }
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/")).into()
}

/// Whether a lens has left rows out because there were too many.
pub fn is_full(rows: &Rows) -> bool {
    rows.len() >= MAX_ROWS
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

    /// Those of the files whose path is wanted.
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let files = self.files.iter().filter(|(path, _)| wanted(path));
        let files = files.map(|(path, text)| (Arc::clone(path), text.clone())).collect();
        Self { state: self.state.clone(), files }
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
    pub fn under<'a>(&'a self, directory: &str) -> impl Iterator<Item = &'a Text> {
        self.files
            .range::<str, _>((std::ops::Bound::Excluded(directory), std::ops::Bound::Unbounded))
            .map(|(_, text)| text)
            .take_while(move |text| text.path.starts_with(directory))
            .filter(move |text| crate::model::facts::is_under(&text.path, directory))
    }

    /// The files directly in a directory whose name has this ending, in byte order of the name. No
    /// program that reads all of a directory reads hidden files.
    pub fn in_directory<'a>(
        &'a self,
        directory: &str,
        ending: &str,
    ) -> impl Iterator<Item = &'a Text> {
        self.under(directory).filter(move |text| {
            let name = text.path.get(directory.len() + 1..).unwrap_or_default();
            !name.contains('/') && !name.starts_with('.') && name.ends_with(ending)
        })
    }

    /// Drop-ins as systemd, sysctl, modprobe and others find them: the files with this ending in any
    /// of these directories, in byte order of the name; a name in an earlier directory hides it in
    /// later ones.
    pub fn drop_ins<'a>(&'a self, directories: &[&str], ending: &str) -> Vec<&'a Text> {
        let mut by_name: BTreeMap<&str, &Text> = BTreeMap::new();
        for directory in directories {
            for file in self.in_directory(directory, ending) {
                by_name.entry(file.name()).or_insert(file);
            }
        }
        by_name.into_values().collect()
    }

    /// The files that a pattern names, in byte order of the path, within what the reading can
    /// afford: each path that is compared costs.
    pub fn globbed<'a>(&'a self, pattern: &str, reading: &mut Reading) -> Vec<&'a Text> {
        let pattern = &*plain(pattern);
        if !pattern.contains(['*', '?', '[', '\\']) {
            return self
                .get(pattern)
                .filter(|_| reading.afford(pattern.len()))
                .into_iter()
                .collect();
        }
        let end = pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len());
        let literal = pattern.get(..end).unwrap_or_default();
        let directory = literal.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.under(directory)
            .take_while(|file| reading.afford(pattern.len() + file.path.len()))
            .filter(|file| glob::matches(pattern, &file.path))
            .collect()
    }

    /// Every file, in byte order of the path.
    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.files.values()
    }
}
