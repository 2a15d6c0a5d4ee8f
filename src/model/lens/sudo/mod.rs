//! The two tables of sudoers, and how sudo finds its files: sudoers(5).

pub mod defaults;
pub mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ConfigFiles, Reading, Text};
use crate::model::sudoers::{Entry, parse};

/// Where sudo looks for its file; the first one there counts.
const MAIN: [&str; 2] = ["/etc/sudoers", "/usr/etc/sudoers"];
/// As deep as sudo follows includes.
const DEPTH: usize = 128;
/// More entries than any real host has; includes can multiply them.
const MAX_ENTRIES: usize = 100_000;

/// One entry and where it stands.
struct Placed {
    path: Arc<str>,
    line: i64,
    entry: Entry,
}

/// Every entry in the order in which sudo reads them, included files in place.
fn entries(files: &ConfigFiles, reading: &mut Reading) -> Vec<Placed> {
    let mut reader =
        Reader { files, reading, parsed: BTreeMap::new(), out: Vec::new(), full: false };
    if let Some(main) = MAIN.iter().find_map(|path| files.get(path)) {
        reader.file(main, 0);
    }
    if reader.full {
        reader.reading.truncate(format!("sudoers has more than {MAX_ENTRIES} entries"));
    }
    reader.out
}

struct Reader<'a, 'r> {
    files: &'a ConfigFiles,
    reading: &'r mut Reading,
    /// Files that were read before, by path.
    parsed: BTreeMap<Arc<str>, Arc<[(i64, Entry)]>>,
    out: Vec<Placed>,
    /// Whether there is no room for what follows.
    full: bool,
}

impl<'a> Reader<'a, '_> {
    fn file(&mut self, file: &'a Text, depth: usize) {
        let text = self.reading.text(file);
        if self.full || !self.reading.afford(text.len().max(1)) {
            return;
        }
        let entries = match self.parsed.get(&file.path) {
            Some(entries) => Arc::clone(entries),
            None => {
                let entries: Arc<[(i64, Entry)]> =
                    parse(text).into_iter().map(|located| (located.line, located.entry)).collect();
                self.parsed.insert(Arc::clone(&file.path), Arc::clone(&entries));
                entries
            }
        };
        for (line, entry) in entries.iter() {
            match entry {
                Entry::Include { path, directory } => {
                    self.include(file, path, *directory, depth);
                }
                Entry::Unreadable => self.reading.truncate(format!(
                    "{}:{line}: sudo refuses this line, or it cannot be read here",
                    file.path
                )),
                _ if self.out.len() >= MAX_ENTRIES => {
                    self.full = true;
                    return;
                }
                entry => {
                    let path = Arc::clone(&file.path);
                    self.out.push(Placed { path, line: *line, entry: entry.clone() });
                }
            }
        }
    }

    fn include(&mut self, from: &Text, path: &str, directory: bool, depth: usize) {
        if depth >= DEPTH {
            self.reading.truncate(format!("sudoers includes more than {DEPTH} files deep"));
            return;
        }
        let path = self.resolved(from, path);
        let files = self.files;
        if !directory {
            if let Some(file) = files.get(&path) {
                self.file(file, depth + 1);
            }
            return;
        }
        // Names with a dot or a tilde at the end are those of editors and package managers.
        let path = path.trim_end_matches('/');
        for file in files.in_directory(path, "") {
            if !self.reading.afford(file.path.len()) {
                return;
            }
            if !file.name().contains('.') && !file.name().ends_with('~') {
                self.file(file, depth + 1);
            }
        }
    }

    /// An absolute path: a relative one begins where the file that names it lies.
    fn resolved(&self, from: &Text, path: &str) -> String {
        // The name of the host up to the first dot, which `%h` stands for.
        let host = || {
            let text = self.files.get("/etc/hostname").and_then(|file| file.text.clone().ok());
            text.and_then(|text| text.trim().split('.').next().map(str::to_owned))
                .unwrap_or_default()
        };
        let path = if path.contains("%h") { path.replace("%h", &host()) } else { path.to_owned() };
        if path.starts_with('/') {
            return path;
        }
        let directory = from.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        format!("{directory}/{path}")
    }
}
