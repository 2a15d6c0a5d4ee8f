//! `config.aide`: what AIDE watches, with the attributes of each selection: aide.conf(5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::glob;
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const FILES: [&str; 2] = ["/etc/aide/aide.conf", "/etc/aide.conf"];
/// Debian runs the files of this directory through its wrapper.
const PARTS: &str = "/etc/aide/aide.conf.d";
/// Files read, those included more than once counted again.
const MAX_FILES: usize = 500;
/// More selections than any real configuration has.
const MAX_ROWS: usize = 20_000;

/// Groups that AIDE knows by itself.
const GROUPS: [(&str, &str); 5] = [
    ("R", "p+ftype+i+l+n+u+g+s+m+c+md5+X"),
    ("L", "p+ftype+i+l+n+u+g+X"),
    (">", "p+ftype+l+u+g+i+n+S+X"),
    ("X", "acl+selinux+xattrs+e2fsattrs+caps"),
    ("H", "md5+sha1+rmd160+tiger+crc32+haval+gost+crc32b+sha256+sha512+whirlpool"),
];

facts! {
    /// Selections of AIDE: what it watches, and which attributes of it.
    #[table(name = "config.aide", origin = Lens, location = "{path}")]
    pub struct Aide {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The path or regular expression that is watched, escapes of dots removed.
        pub target: Arc<str>,
        /// The attributes, groups replaced by what they stand for.
        pub attributes: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Aide::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reader = Reader {
            reading: Reading::of::<Aide>(files),
            groups: GROUPS
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            files: 0,
            rows: 0,
        };
        for path in FILES {
            reader.file(files, path);
        }
        let parts: Vec<Arc<str>> =
            files.in_directory(PARTS, "").map(|file| Arc::clone(&file.path)).collect();
        for path in parts {
            reader.file(files, &path);
        }
        Ok(reader.reading.done())
    }
}

struct Reader {
    reading: Reading,
    groups: BTreeMap<String, String>,
    files: usize,
    rows: usize,
}

impl Reader {
    fn file(&mut self, files: &ConfigFiles, path: &str) {
        let Some(file) = files.get(path) else { return };
        self.files += 1;
        if self.files > MAX_FILES || self.rows > MAX_ROWS {
            return self.reading.truncate("the configuration of AIDE is too large".to_owned());
        }
        let text = self.reading.text(file);
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if let Some(included) =
                text.strip_prefix("@@include").or_else(|| text.strip_prefix("@@x_include"))
            {
                self.include(files, included.trim());
            } else if text.starts_with('/') {
                self.selection(&file.path, line, text);
            } else if let Some((name, value)) = group(text) {
                self.groups.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A path, or a directory and a pattern of names.
    fn include(&mut self, files: &ConfigFiles, included: &str) {
        let mut words = included.split_whitespace();
        let (Some(place), pattern) = (words.next(), words.next()) else { return };
        let Some(pattern) = pattern else { return self.file(files, place) };
        let is_all = matches!(pattern, ".*" | "^.*$" | "^[a-zA-Z0-9_-]+$" | "*");
        let paths: Vec<Arc<str>> = files
            .in_directory(place, "")
            .filter(|file| {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                is_all || glob::matches(&pattern.replace(".*", "*").replace("\\.", "."), name)
            })
            .map(|file| Arc::clone(&file.path))
            .collect();
        for path in paths {
            self.file(files, &path);
        }
    }

    fn selection(&mut self, path: &Arc<str>, line: i64, text: &str) {
        let mut words = text.split_whitespace();
        let (Some(target), Some(mut attributes)) = (words.next(), words.next()) else { return };
        // A restriction to kinds of files may stand between them.
        if let Some(next) = words.next()
            && !next.starts_with('#')
        {
            attributes = next;
        }
        let mut set = BTreeSet::new();
        self.expand(attributes, 0, &mut set);
        self.rows += 1;
        self.reading.push(Aide {
            path: AbsPath(Arc::clone(path)),
            line,
            target: target.replace('\\', "").trim_end_matches('$').into(),
            attributes: set.into_iter().map(Arc::from).collect(),
        });
    }

    /// Adds and takes away attributes in the order in which they are written.
    fn expand(&self, text: &str, depth: usize, set: &mut BTreeSet<String>) {
        if depth > 8 {
            return;
        }
        let mut add = true;
        let mut word = String::new();
        for character in text.chars().chain(['+']) {
            if character != '+' && character != '-' {
                word.push(character);
                continue;
            }
            if !word.is_empty() {
                let mut part = BTreeSet::new();
                match self.groups.get(&word) {
                    Some(group) => self.expand(group, depth + 1, &mut part),
                    None => {
                        part.insert(std::mem::take(&mut word));
                    }
                }
                word.clear();
                if add {
                    set.append(&mut part);
                } else {
                    set.retain(|attribute| !part.contains(attribute));
                }
            }
            add = character == '+';
        }
    }
}

/// `Name = attributes`; settings such as `database_in=file:/x` look the same and do no harm.
fn group(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    good.then(|| (name, value.split_whitespace().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lens::testing::rows;

    #[test]
    fn groups_become_their_attributes() {
        let found: Vec<Aide> = rows(
            &Lens,
            &[
                (
                    "/etc/aide/aide.conf",
                    "Sums = sha512+sha256\nAll = p+i + x\nTools=p+Sums-sha256\n/sbin/auditctl Tools\n@@include /etc/aide/more\n!/var\n",
                ),
                ("/etc/aide/more", "/usr/sbin/auditd\\.x$ f p+u # why\n"),
            ],
        );
        let shown: Vec<String> = found
            .iter()
            .map(|row| {
                format!("{}:{} {} {}", row.path.0, row.line, row.target, row.attributes.join("+"))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "/etc/aide/aide.conf:4 /sbin/auditctl p+sha512",
                "/etc/aide/more:1 /usr/sbin/auditd.x p+u"
            ]
        );
    }

    #[test]
    fn circles_end() {
        let texts = [("/etc/aide.conf", "@@include /etc/aide.conf\nA=A+B\n/x A\n")];
        assert!(rows::<Aide>(&Lens, &texts).len() <= MAX_FILES);
    }
}
