//! Rule files from a directory that the user names. Bounded, and nothing is skipped silently.

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::library::{FileKind, RuleFile};
use super::yaml::MAX_BYTES;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::rules as codes;

/// The most files of one directory.
const MAX_FILES: usize = 20_000;
/// The most bytes of all files of one directory.
const MAX_TOTAL: usize = 64 << 20;
/// Rulesets are three levels deep at most.
const MAX_DEPTH: usize = 4;
/// The most mistakes listed for one directory.
const MAX_ERRORS: usize = 100;

/// Every rule file in a directory, by path.
pub(crate) fn read(directory: &Path) -> Result<Vec<RuleFile>, Vec<Diagnostic>> {
    let mut walk = Walk { files: Vec::new(), errors: Vec::new(), total: 0, seen: 0 };
    walk.directory(directory, "", 0);
    if walk.errors.is_empty() && walk.files.is_empty() {
        let help = "a rules directory holds security-best-practices/, cis/controls/ and so on";
        let message = format!("{} holds no rule file", directory.display());
        walk.errors.push(Diagnostic::error(codes::UNREADABLE, message).help(help));
    }
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(walk.errors) }
}

struct Walk {
    files: Vec<RuleFile>,
    errors: Vec<Diagnostic>,
    total: usize,
    seen: usize,
}

impl Walk {
    fn error(&mut self, path: &Path, error: &dyn std::fmt::Display) {
        let message = format!("{} cannot be read: {error}", path.display());
        self.push(Diagnostic::error(codes::UNREADABLE, message));
    }

    fn push(&mut self, error: Diagnostic) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    fn directory(&mut self, path: &Path, prefix: &str, depth: usize) {
        let mut names = Vec::new();
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries.take(MAX_FILES) {
                    match entry {
                        Ok(entry) => names.push(entry.file_name()),
                        Err(error) => self.error(path, &error),
                    }
                }
            }
            Err(error) => return self.error(path, &error),
        }
        names.sort();
        for name in names {
            self.seen += 1;
            if self.seen > MAX_FILES || self.total > MAX_TOTAL {
                let message = format!("{} holds too many or too large files", path.display());
                return self.push(Diagnostic::error(codes::LIMIT, message));
            }
            let inner = path.join(&name);
            let name = name.to_string_lossy();
            match fs::metadata(&inner) {
                Ok(meta) if meta.is_dir() && name.starts_with('.') => {}
                Ok(meta) if meta.is_dir() && depth < MAX_DEPTH => {
                    self.directory(&inner, &format!("{prefix}{name}/"), depth + 1);
                }
                Ok(meta) if meta.is_file() => self.file(&inner, &format!("{prefix}{name}")),
                Ok(_) => {}
                Err(error) => self.error(&inner, &error),
            }
        }
    }

    fn file(&mut self, path: &Path, relative: &str) {
        let yaml = relative.ends_with(".yaml") || relative.ends_with(".yml");
        if !yaml {
            return;
        }
        let Some((kind, id)) = FileKind::of(relative) else {
            let message = format!("{} is in no place that rules have", path.display());
            let help = if relative.ends_with(".yml") {
                "name it .yaml"
            } else {
                "put it into security-best-practices/, runtime-behavior-analysis/, \
                 common-vulnerabilities/, cis/controls/ or cis/benchmarks/"
            };
            return self.push(Diagnostic::error(codes::BAD_PLACE, message).help(help));
        };
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        if let Err(error) = read {
            return self.error(path, &error);
        }
        self.total += bytes.len();
        match String::from_utf8(bytes) {
            Ok(text) => self.files.push(RuleFile {
                kind,
                id: Arc::from(id),
                name: path.display().to_string(),
                text: Cow::Owned(text),
                tree: None,
            }),
            Err(_) => self.error(path, &"it is not UTF-8 text"),
        }
    }
}
