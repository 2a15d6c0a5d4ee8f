//! `config.modprobe`: modprobe.d(5). A file name found in an earlier directory hides the same name
//! in later ones; a backslash at the end of a line continues it.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text, glob};
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
const ENDINGS: [&str; 2] = [".conf", ".alias"];
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
        /// The module, with `_` for `-`, or a pattern; for an alias, the alias.
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
        let mut drop_ins: Vec<&Text> =
            ENDINGS.iter().flat_map(|ending| files.drop_ins(&DIRECTORIES, ending)).collect();
        drop_ins.sort_by_key(|file| file.name());
        for file in drop_ins {
            let text: Arc<str> = reading.text(file).into();
            let count = i64::try_from(text.lines().count()).unwrap_or(i64::MAX);
            let mut pending = String::new();
            let mut start = 1;
            for (line, text) in (1..).zip(text.lines()) {
                if pending.is_empty() {
                    start = line;
                }
                let more = text.strip_suffix('\\');
                pending.push_str(more.unwrap_or(text));
                if more.is_some() && line < count {
                    continue;
                }
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
    let module = folded(words.next()?);
    let rest = words.collect::<Vec<_>>().join(" ");
    // A blacklist takes one name and ignores the rest; the others say nothing without it.
    let argument = match command {
        "blacklist" => None,
        "alias" => Some(folded(rest.split(' ').next()?)),
        _ => Some(rest),
    };
    if argument.as_ref().is_some_and(String::is_empty) {
        return None;
    }
    Some((command.into(), module.into(), argument.map(Arc::from)))
}

/// The name with `_` for `-`, but for those within brackets of a pattern.
fn folded(name: &str) -> String {
    let mut inside = false;
    let fold = |character| {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        if character == '-' && !inside { '_' } else { character }
    };
    name.chars().map(fold).collect()
}

/// Whether a name that may hold `*` speaks of a module.
pub fn is_match(pattern: &str, module: &str) -> bool {
    pattern == module || (is_pattern(pattern) && glob::matches(pattern, module))
}

/// Whether a name may speak of several modules.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
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
