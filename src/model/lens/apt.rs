//! `config.apt`: the configuration of APT, apt.conf(5): the parts in /etc/apt/apt.conf.d by name,
//! then /etc/apt/apt.conf. The last assignment of a name counts, and names are compared without
//! regard to case.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PARTS: &str = "/etc/apt/apt.conf.d";
const MAIN: &str = "/etc/apt/apt.conf";
/// The most bytes of a name: blocks in blocks make long ones.
const LONGEST: usize = 4096;

facts! {
    /// Settings of APT.
    #[table(name = "config.apt", origin = Lens, location = "{path}")]
    pub struct Apt {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The whole name in lower case, for example `apt::install-recommends`; that of an item of a list ends with `::`.
        pub name: Arc<str>,
        /// The value, quotes removed.
        pub value: Arc<str>,
        /// The value as APT takes it where it asks for yes or no.
        pub on: Option<bool>,
        /// Whether no later assignment takes its place and nothing clears it.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Apt::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Apt>(files);
        let mut rows: Vec<Apt> = Vec::new();
        let parts = files.iter().filter(|file| {
            file.path.rsplit_once('/').is_some_and(|(place, name)| place == PARTS && is_part(name))
        });
        for file in parts.chain(files.get(MAIN)) {
            let text = reading.text(file);
            let mut reader =
                Reader { file, line: 1, start: 1, words: Vec::new(), blocks: Vec::new(), rows };
            if reader.read(text) {
                reading.truncate(format!("{}: what it includes is not read", file.path));
            }
            rows = reader.rows;
        }
        let last: BTreeMap<Arc<str>, usize> =
            rows.iter().enumerate().map(|(at, row)| (Arc::clone(&row.name), at)).collect();
        for (at, mut row) in rows.into_iter().enumerate() {
            let is_item = row.name.ends_with("::");
            row.effective &= is_item || last.get(&row.name) == Some(&at);
            reading.push(row);
        }
        Ok(reading.done())
    }
}

/// Whether APT reads a file of this name: no ending or `.conf`, and no other characters.
fn is_part(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let ending = name.rsplit_once('.').is_none_or(|(_, ending)| ending == "conf");
    ending && !name.starts_with('.') && name.bytes().all(good)
}

/// What a setting that is asked for yes or no says.
fn is_on(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "no" | "false" | "without" | "off" | "disable" => Some(false),
        "yes" | "true" | "with" | "on" | "enable" => Some(true),
        number => number.parse::<i64>().ok().map(|number| number != 0),
    }
}

struct Reader<'a> {
    file: &'a Text,
    line: i64,
    /// Where the statement that is being read begins.
    start: i64,
    words: Vec<String>,
    /// Names of the blocks that are open.
    blocks: Vec<String>,
    rows: Vec<Apt>,
}

impl Reader<'_> {
    /// Reads a file. True where it includes another one.
    fn read(&mut self, text: &str) -> bool {
        let mut includes = false;
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let after = rest.get(next.len_utf8()..).unwrap_or_default();
            let directive = ["#clear", "#include"].iter().any(|word| rest.starts_with(word));
            if rest.starts_with("//") || (next == '#' && !directive) {
                rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
                continue;
            }
            if rest.starts_with("/*") {
                let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
                rest = self.pass(rest, end);
                continue;
            }
            rest = match next {
                ';' => {
                    includes |= self.statement();
                    after
                }
                '{' => {
                    self.open();
                    after
                }
                '}' => {
                    includes |= self.statement();
                    self.blocks.pop();
                    after
                }
                '"' => {
                    let end = after.find('"').unwrap_or(after.len());
                    self.word(after.get(..end).unwrap_or_default());
                    let rest = self.pass(after, end);
                    rest.strip_prefix('"').unwrap_or(rest)
                }
                space if space.is_whitespace() => self.pass(rest, next.len_utf8()),
                _ => {
                    let ends = |c: char| c.is_whitespace() || ";{}\"".contains(c);
                    let end = rest.find(ends).unwrap_or(rest.len());
                    self.word(rest.get(..end).unwrap_or_default());
                    rest.get(end..).unwrap_or_default()
                }
            };
        }
        includes
    }

    /// What comes after the first bytes; their lines are counted.
    fn pass<'t>(&mut self, text: &'t str, bytes: usize) -> &'t str {
        let passed = text.get(..bytes).unwrap_or(text).matches('\n').count();
        self.line += i64::try_from(passed).unwrap_or_default();
        text.get(bytes..).unwrap_or_default()
    }

    fn word(&mut self, word: &str) {
        if self.words.is_empty() {
            self.start = self.line;
        }
        self.words.push(word.to_owned());
    }

    fn name(&self, own: &str) -> String {
        let mut name = String::new();
        for part in self.blocks.iter().map(String::as_str).chain([own]) {
            if name.len() + part.len() <= LONGEST {
                let joined = name.is_empty() || name.ends_with("::") || part.starts_with("::");
                let joint = if joined { "" } else { "::" };
                name = format!("{name}{joint}{part}");
            }
        }
        name.to_ascii_lowercase()
    }

    fn open(&mut self) {
        let words = std::mem::take(&mut self.words);
        let mut words = words.into_iter();
        let own = words.next().unwrap_or_default();
        if let Some(value) = words.next() {
            let name = self.name(&own);
            self.set(&name, &value);
        }
        self.blocks.push(own);
    }

    /// Ends a statement. True where it includes a file.
    fn statement(&mut self) -> bool {
        let words = std::mem::take(&mut self.words);
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["#include", ..] => return true,
            ["#clear", names @ ..] => {
                for name in names {
                    self.clear(&self.name(name));
                }
            }
            // A value alone is an item of the list that the block is.
            [value] if !self.blocks.is_empty() => {
                let name = self.name("::");
                self.set(&name, value);
            }
            [name, value, ..] => {
                let name = self.name(name);
                self.set(&name, value);
            }
            _ => {}
        }
        false
    }

    fn set(&mut self, name: &str, value: &str) {
        self.rows.push(Apt {
            path: AbsPath(Arc::clone(&self.file.path)),
            line: self.start,
            name: name.into(),
            value: value.into(),
            on: is_on(value),
            effective: true,
        });
    }

    /// Clears a name and all below it.
    fn clear(&mut self, name: &str) {
        let name = name.trim_end_matches(':');
        let below = format!("{name}::");
        for row in &mut self.rows {
            row.effective &= &*row.name != name && !row.name.starts_with(&below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;
    use proptest::prelude::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        let rows: Vec<Apt> = rows(&Lens, texts);
        let shown = rows.iter().filter(|row| row.effective).map(|row| {
            let file = row.path.0.rsplit('/').next().unwrap_or_default();
            format!("{file}:{} {}={} {:?}", row.line, row.name, row.value, row.on)
        });
        shown.collect()
    }

    #[test]
    fn spellings_of_one_name_are_equal() {
        let texts = [
            ("/etc/apt/apt.conf.d/00a", "APT::Install-Recommends \"true\"; // c\nAPT::X 1;\n"),
            (
                "/etc/apt/apt.conf.d/01b.conf",
                "# c\nAPT {\n  Install-Recommends\n   \"0\";\n  /* x\n */ Install-Suggests No; NeverAutoRemove { \"^a\"; \"^b;\"; };\n};\n",
            ),
            ("/etc/apt/apt.conf.d/02c.bak", "APT::Install-Recommends 1;"),
            ("/etc/apt/apt.conf.d/.d", "APT::Install-Recommends 1;"),
            (MAIN, "apt::x \"2\"; #clear APT::NeverAutoRemove;\nAPT::Y 3"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "01b.conf:3 apt::install-recommends=0 Some(false)",
                "01b.conf:6 apt::install-suggests=No Some(false)",
                "apt.conf:1 apt::x=2 Some(true)",
            ]
        );
        let list = [(MAIN, "A::B { \"x\"; \"y\"; };\nA::B:: z;\n")];
        assert_eq!(
            shown(&list),
            ["apt.conf:1 a::b::=x None", "apt.conf:1 a::b::=y None", "apt.conf:2 a::b::=z None"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ a-b#:;{}\"/*\\n]{0,80}") {
            let _ = shown(&[(MAIN, &text)]);
        }
    }
}
