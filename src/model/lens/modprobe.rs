//! `config.modprobe`: modprobe.d(5). A file name found in an earlier directory hides the same name
//! in later ones; a backslash at the end of a line continues it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const DIRECTORIES: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];
const COMMANDS: [&str; 6] = ["alias", "blacklist", "install", "options", "remove", "softdep"];

facts! {
    /// Commands of modprobe.d.
    #[table(name = "config.modprobe", origin = Lens, location = "{path}")]
    pub struct Modprobe {
        /// The file.
        pub path: AbsPath,
        /// The line it begins on, from 1.
        pub line: i64,
        /// `alias`, `blacklist`, `install`, `options`, `remove` or `softdep`.
        pub command: Arc<str>,
        /// The module, with `_` for `-`; for an alias, the alias.
        pub module: Arc<str>,
        /// The rest of the line; none where there is none.
        pub argument: Option<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Modprobe::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Modprobe>(files);
        let mut by_name: BTreeMap<&str, &Text> = BTreeMap::new();
        for directory in DIRECTORIES {
            for file in files.in_directory(directory, ".conf") {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                by_name.entry(name).or_insert(file);
            }
        }
        for file in by_name.into_values() {
            let text: Arc<str> = reading.text(file).into();
            let mut pending = String::new();
            let mut start = 1;
            for (line, text) in (1..).zip(text.lines()) {
                if pending.is_empty() {
                    start = line;
                }
                if let Some(first) = text.strip_suffix('\\') {
                    pending.push_str(first);
                    continue;
                }
                pending.push_str(text);
                if let Some((command, module, argument)) = parse(&pending) {
                    let path = AbsPath(Arc::clone(&file.path));
                    reading.push(Modprobe { path, line: start, command, module, argument });
                }
                pending.clear();
            }
        }
        Ok(reading.done())
    }
}

/// Command, module, argument.
type Directive = (Arc<str>, Arc<str>, Option<Arc<str>>);

fn parse(line: &str) -> Option<Directive> {
    let mut words = line.split_whitespace();
    let command = words.next().filter(|word| COMMANDS.contains(word))?;
    let module = words.next()?.replace('-', "_");
    let rest = words.collect::<Vec<_>>().join(" ");
    Some((command.into(), module.into(), (!rest.is_empty()).then(|| rest.into())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn names_are_folded_and_lines_continue() {
        let rows: Vec<Modprobe> = rows(
            &Lens,
            &[
                (
                    "/etc/modprobe.d/a.conf",
                    "# x\ninstall usb-storage \\\n  /bin/false\nblacklist cramfs\n",
                ),
                ("/usr/lib/modprobe.d/a.conf", "blacklist hidden\n"),
                ("/etc/modprobe.d/a.txt", "blacklist hidden\n"),
            ],
        );
        let shown: Vec<_> =
            rows.iter().map(|r| (r.line, &*r.command, &*r.module, r.argument.as_deref())).collect();
        assert_eq!(
            shown,
            [(2, "install", "usb_storage", Some("/bin/false")), (4, "blacklist", "cramfs", None)]
        );
    }
}
