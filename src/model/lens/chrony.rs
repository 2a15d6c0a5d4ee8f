//! `config.chrony`: chrony.conf(5) with its includes, configuration and source directories.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// Debian's place, and that of others; the first one there counts.
const MAIN: [&str; 2] = ["/etc/chrony/chrony.conf", "/etc/chrony.conf"];
/// As deep as chronyd follows includes.
const DEPTH: usize = 10;

facts! {
    /// Directives of chrony, in the order in which chronyd reads them.
    #[table(name = "config.chrony", origin = Lens, location = "{path}")]
    pub struct Chrony {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The directive in lower case, for example `server`, `pool`, `user`.
        pub directive: Arc<str>,
        /// What follows it, joined by one space.
        pub value: Arc<str>,
        /// The words that follow it.
        pub args: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Chrony::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reader = Reader { files, reading: Reading::of::<Chrony>(files) };
        if let Some(main) = MAIN.iter().find_map(|path| files.get(path)) {
            reader.file(main, 0, None);
        }
        Ok(reader.reading.done())
    }
}

struct Reader<'a> {
    files: &'a ConfigFiles,
    reading: Reading,
}

/// The only directives of a file of sources.
const SOURCES: [&str; 3] = ["peer", "pool", "server"];

impl<'a> Reader<'a> {
    /// Reads a file; only some directives where `only` says so.
    fn file(&mut self, file: &'a Text, depth: usize, only: Option<&[&str]>) {
        let text = self.reading.text(file);
        if !self.reading.afford(text.len().max(1)) || self.reading.is_full() {
            return;
        }
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.starts_with(['!', ';', '#', '%']) {
                continue;
            }
            let mut words = text.split_whitespace();
            let Some(directive) = words.next().map(str::to_ascii_lowercase) else { continue };
            if only.is_some_and(|only| !only.contains(&directive.as_str())) {
                continue;
            }
            let args: Vec<&str> = words.collect();
            self.reading.push(Chrony {
                path: AbsPath(Arc::clone(&file.path)),
                line,
                directive: directive.as_str().into(),
                value: args.join(" ").into(),
                args: args.iter().map(|arg| Arc::from(*arg)).collect(),
            });
            self.follow(&directive, &args, depth);
        }
    }

    fn follow(&mut self, directive: &str, args: &[&str], depth: usize) {
        if !matches!(directive, "include" | "confdir" | "sourcedir") {
            return;
        }
        if depth >= DEPTH {
            self.reading.truncate(format!("chrony.conf includes files more than {DEPTH} deep"));
            return;
        }
        let files = self.files;
        if directive == "include" {
            for pattern in args {
                for file in files.globbed(pattern, &mut self.reading) {
                    self.file(file, depth + 1, None);
                }
            }
            return;
        }
        let (ending, only) = match directive {
            "confdir" => (".conf", None),
            _ => (".sources", Some(&SOURCES[..])),
        };
        // Files of all directories by name; a name in an earlier one hides it in later ones.
        let mut by_name: BTreeMap<&str, &Text> = BTreeMap::new();
        for directory in args {
            for file in files.in_directory(directory.trim_end_matches('/'), ending) {
                if !self.reading.afford(file.path.len()) {
                    return;
                }
                by_name.entry(file.name()).or_insert(file);
            }
        }
        for file in by_name.into_values() {
            self.file(file, depth + 1, only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{files, rows};
    use super::*;
    use crate::model::lens::Lens as _;

    #[test]
    fn directories_are_read_in_place() {
        let rows: Vec<Chrony> = rows(
            &Lens,
            &[
                (
                    MAIN[0],
                    "! x\n Confdir /etc/chrony/conf.d /usr/share/c\nUser  _chrony\nsourcedir /run/s\ninclude /etc/chrony/*.inc\n",
                ),
                ("/etc/chrony/conf.d/b.conf", "server a iburst\n"),
                ("/usr/share/c/a.conf", "pool p\n"),
                ("/usr/share/c/b.conf", "hidden\n"),
                ("/run/s/x.sources", "server b\nuser root\n"),
                ("/etc/chrony/z.inc", "makestep 1 3\n"),
                (MAIN[1], "hidden\n"),
            ],
        );
        let shown: Vec<String> =
            rows.iter().map(|r| format!("{} {}", r.directive, r.value)).collect();
        assert_eq!(
            shown,
            [
                "confdir /etc/chrony/conf.d /usr/share/c",
                "pool p",
                "server a iburst",
                "user _chrony",
                "sourcedir /run/s",
                "server b",
                "include /etc/chrony/*.inc",
                "makestep 1 3",
            ]
        );
    }

    #[test]
    fn includes_of_itself_come_to_an_end() {
        let text = format!("include /etc/chrony.conf\n{}", "include /etc/*\n".repeat(50));
        let loaded = Lens.load(&files(&[(MAIN[1], &text)])).unwrap();
        assert!(!loaded.state.is_complete());
    }
}
