//! Texts of configuration files, secrets redacted: which they are ([`places`]), read while the
//! walk stands beside them, within bounds for one text and for all.

mod places;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use self::places::Class;
use super::root::Content;
use super::{Root, redact, text};
use crate::model::cell::AbsPath;
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::{ConfigFile, File, FileKind};

/// The most bytes of one text.
const FILE_LIMIT: usize = 512 * 1024;
/// The most bytes of all texts.
const TOTAL_LIMIT: usize = 24 << 20;
/// The most files.
const COUNT_LIMIT: usize = 50_000;
/// How many places a reason names.
const NAMED: usize = 3;

/// Text, or why there is none.
type Text = Result<Arc<str>, Arc<str>>;

/// Gathers the configuration files that a walk meets.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    texts: BTreeMap<Arc<str>, Text>,
    /// Links, read when the walk is over: their targets may lie anywhere in the root.
    links: Vec<Arc<str>>,
    total: usize,
    left_out: usize,
    unseen: Vec<String>,
    unseen_count: usize,
    /// The directory that was asked about last: its files come one after the other.
    directory: String,
    class: Option<Class>,
}

impl Gatherer {
    fn class(&mut self, path: &str) -> Class {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        match self.class {
            Some(class) if self.directory == directory => class,
            _ => {
                let class = places::class_of(directory);
                self.directory.clear();
                self.directory.push_str(directory);
                self.class = Some(class);
                class
            }
        }
    }

    /// Takes the file where it is configuration.
    pub(super) fn meet(&mut self, file: &File, content: &dyn Content) {
        let class = self.class(&file.path.0);
        if class == Class::Nothing || !places::is_config(class, &file.path.0) {
            return;
        }
        match file.kind {
            FileKind::File => self.add(&file.path.0, |path| {
                let size = usize::try_from(file.size).unwrap_or(usize::MAX);
                read_here(path, size, content)
            }),
            FileKind::Link if places::holds_switches(&self.directory) => {}
            // A link to nothing is how a unit is masked: it has no text.
            FileKind::Link if file.link_target.as_deref() == Some("/dev/null") => {
                self.add(&file.path.0, |_| Some(Ok("".into())));
            }
            FileKind::Link => self.links.push(Arc::clone(&file.path.0)),
            FileKind::Directory => {}
            FileKind::Block | FileKind::Char | FileKind::Fifo | FileKind::Socket => {
                self.add(&file.path.0, |_| Some(Err("not a regular file".into())));
            }
        }
    }

    /// Notes a place that could not be walked, where configuration could lie in it.
    pub(super) fn miss(&mut self, path: &str, reason: &str) {
        if places::class_of(path) == Class::Nothing {
            return;
        }
        self.unseen_count += 1;
        if self.unseen.len() < NAMED {
            self.unseen.push(format!("{path} ({reason})"));
        }
        self.texts.insert(path.into(), Err(reason.into()));
    }

    fn add(&mut self, path: &Arc<str>, read: impl FnOnce(&str) -> Option<Text>) {
        if self.total >= TOTAL_LIMIT || self.texts.len() >= COUNT_LIMIT {
            self.left_out += 1;
            return;
        }
        let Some(text) = read(path) else { return };
        self.total += text.as_ref().map_or(0, |text| text.len());
        self.texts.insert(Arc::clone(path), text);
    }

    /// All texts and the state of their table.
    pub(super) fn finish(mut self, root: &dyn Root) -> (TableState, Rows) {
        for path in std::mem::take(&mut self.links) {
            self.add(&path, |path| read_link(root, path));
        }
        let mut problems = Vec::new();
        if self.left_out > 0 {
            problems.push(format!(
                "{} configuration files are left out, beyond {COUNT_LIMIT} files or {} MiB",
                self.left_out,
                TOTAL_LIMIT >> 20
            ));
        }
        if self.unseen_count > 0 {
            let named = self.unseen.join(", ");
            problems.push(format!("{} places could not be read: {named}", self.unseen_count));
        }
        let rows = Rows::of(self.texts.into_iter().map(|(path, text)| ConfigFile {
            path: AbsPath(path),
            text: text.clone().ok(),
            problem: text.err(),
        }));
        let state = if problems.is_empty() {
            TableState::Collected
        } else {
            TableState::truncated(problems.join("; "))
        };
        (state, rows)
    }
}

/// The text of the file that the walk stands at.
fn read_here(path: &str, size: usize, content: &dyn Content) -> Option<Text> {
    if redact::is_secret_file(path) {
        return Some(Err(SECRET.into()));
    }
    if size > FILE_LIMIT {
        return Some(Err(too_large()));
    }
    // One byte more shows whether it has grown meanwhile; then it is read with all the room.
    for room in [size + 1, FILE_LIMIT + 1] {
        let mut bytes = vec![0; room];
        match content.read_at(0, &mut bytes) {
            Ok(length) if length < room => {
                bytes.truncate(length);
                return Some(readable(path, bytes));
            }
            Ok(_) => {}
            Err(error) => return Some(Err(text::sentence(&error).into())),
        }
    }
    Some(Err(too_large()))
}

/// The text of what a link points to; none where that is a directory or nothing.
fn read_link(root: &dyn Root, path: &str) -> Option<Text> {
    let target = match root.resolve(path) {
        Ok(target) => target,
        Err(error) if text::is_missing(&error) => return None,
        Err(error) => return Some(Err(text::sentence(&error).into())),
    };
    // The target may hold secrets though the link's own name does not say so.
    if redact::is_secret_file(path) || redact::is_secret_file(&target) {
        return Some(Err(SECRET.into()));
    }
    match root.read(&target, FILE_LIMIT as u64) {
        Ok(bytes) => Some(readable(&target, bytes)),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => None,
        Err(_) if target == "/dev/null" => Some(Ok("".into())),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(Err(too_large())),
        Err(error) => Some(Err(text::sentence(&error).into())),
    }
}

const SECRET: &str = "not collected: secret";

fn too_large() -> Arc<str> {
    format!("too large: more than {} KiB", FILE_LIMIT >> 10).into()
}

fn readable(path: &str, bytes: Vec<u8>) -> Text {
    if bytes.contains(&0) {
        return Err("not text".into());
    }
    let content = match String::from_utf8(bytes) {
        Ok(content) => content,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(redact::text_of(path, &content).as_ref().into())
}
