//! systemd units as text: the syntax of unit files, of the words in their values, of command lines
//! and of unit names. Pure and total; formats after systemd.syntax(7), systemd.unit(5),
//! systemd.service(5) and the behaviour of systemd 252 and 257 where the pages are silent.

mod command;
mod name;
mod words;

pub use command::{Command, commands};
pub use name::{NameKind, UnitName};
pub use words::{Escapes, words};

/// The longest line, continuations joined, that systemd reads; a longer one ends the reading.
const LONGEST_LINE: usize = 1024 * 1024;

/// One `Key=value` of a unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section it stands in, without brackets; sections are told apart by case.
    pub section: String,
    /// The key, white space around it removed.
    pub key: String,
    /// The value, continuation lines joined by one space each, white space around it removed.
    /// Empty where nothing follows the `=`: for settings that are lists, this resets the list.
    pub value: String,
    /// The line it begins on, counted from 1.
    pub line: u32,
}

/// A line that systemd does not take, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line it begins on, counted from 1.
    pub line: u32,
    /// A few words.
    pub what: &'static str,
    /// Whether systemd stops reading the file here, so that what follows does not count and the
    /// unit is not usable (`bad`). Otherwise it only skips the line.
    pub fatal: bool,
}

/// A unit file, or a drop-in, as read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitText {
    /// The assignments in the order of the file.
    pub assignments: Vec<Assignment>,
    /// What systemd would complain about.
    pub problems: Vec<Problem>,
}

impl UnitText {
    /// Whether the whole file can be read.
    pub fn is_readable(&self) -> bool {
        !self.problems.iter().any(|problem| problem.fatal)
    }

    /// The values of a key of a section, in order.
    pub fn values<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.assignments
            .iter()
            .filter(move |entry| entry.section == section && entry.key == key)
            .map(|entry| entry.value.as_str())
    }
}

/// Reads the text of a unit file or a drop-in.
///
/// Comment lines begin with `#` or `;` and may stand between continuation lines. A line whose last
/// backslash is not itself escaped goes on in the next one. What follows a `\0` counts as a new
/// line, as systemd reads it. Assignments before the first section are problems, not rows.
pub fn parse(text: &str) -> UnitText {
    let mut unit = UnitText::default();
    let mut section: Option<String> = None;
    let mut pending: Option<(u32, String)> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);

    for (line, content) in lines(text) {
        if content.trim_start_matches(is_white).starts_with(['#', ';']) {
            continue;
        }
        let (start, mut joined) = match pending.take() {
            Some((start, before)) if before.len() + content.len() > LONGEST_LINE => {
                unit.problem(start, "continuation line too long", true);
                return unit;
            }
            Some((start, before)) => (start, before + content),
            None if content.len() > LONGEST_LINE => {
                unit.problem(line, "line too long", true);
                return unit;
            }
            None => (line, content.to_owned()),
        };
        // An even run of backslashes is escaped backslashes, an odd one escapes the line's end.
        let backslashes = joined.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 1 {
            joined.pop();
            joined.push(' ');
            pending = Some((start, joined));
            continue;
        }
        if unit.line(start, &joined, &mut section).is_err() {
            return unit;
        }
    }
    if let Some((start, joined)) = pending {
        // A fatal problem at the very end stops nothing more.
        let _ = unit.line(start, &joined, &mut section);
    }
    unit
}

/// The file cannot be read on.
struct Stop;

impl UnitText {
    fn problem(&mut self, line: u32, what: &'static str, fatal: bool) {
        self.problems.push(Problem { line, what, fatal });
    }

    fn line(&mut self, line: u32, content: &str, section: &mut Option<String>) -> Result<(), Stop> {
        let content = content.trim_matches(is_white);
        if content.is_empty() {
            return Ok(());
        }
        if let Some(header) = content.strip_prefix('[') {
            let name = header.strip_suffix(']').filter(|name| is_safe(name));
            let Some(name) = name else {
                self.problem(line, "invalid section header", true);
                return Err(Stop);
            };
            *section = Some(name.to_owned());
            return Ok(());
        }
        let Some(section) = section else {
            self.problem(line, "assignment outside of a section", false);
            return Ok(());
        };
        match content.split_once('=') {
            None => self.problem(line, "missing '='", false),
            Some(("", _)) => self.problem(line, "missing key name before '='", false),
            Some((key, value)) => self.assignments.push(Assignment {
                section: section.clone(),
                key: key.trim_matches(is_white).to_owned(),
                value: value.trim_matches(is_white).to_owned(),
                line,
            }),
        }
        Ok(())
    }
}

/// systemd's white space.
fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// A section's name holds no control character, quote or backslash.
fn is_safe(name: &str) -> bool {
    !name.chars().any(|c| c.is_ascii_control() || matches!(c, '"' | '\'' | '\\'))
}

/// The lines of a text with their numbers. A line ends with `\n`, `\r`, both in either order, or
/// `\0`; a `\0` does not count for the numbers, which are to be found again in an editor.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    let mut number = 1u32;
    std::iter::from_fn(move || {
        let current = rest?;
        let line = number;
        let Some(end) = current.bytes().position(|byte| matches!(byte, b'\n' | b'\r' | 0)) else {
            rest = None;
            return Some((line, current));
        };
        let bytes = current.as_bytes();
        let length = match (bytes.get(end), bytes.get(end + 1)) {
            (Some(b'\n'), Some(b'\r')) | (Some(b'\r'), Some(b'\n')) => 2,
            _ => 1,
        };
        if bytes.get(end) != Some(&0) {
            number = number.saturating_add(1);
        }
        rest = current.get(end + length..).filter(|rest| !rest.is_empty());
        current.get(..end).map(|content| (line, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triples(text: &str) -> Vec<(String, String, u32)> {
        parse(text)
            .assignments
            .into_iter()
            .map(|a| (format!("{}.{}", a.section, a.key), a.value, a.line))
            .collect()
    }

    fn one(text: &str) -> String {
        let unit = parse(&format!("[S]\n{text}"));
        assert_eq!(unit.assignments.len(), 1, "{unit:?}");
        unit.assignments[0].value.clone()
    }

    #[test]
    fn assignments_keep_section_and_line() {
        let text =
            "# c\n[Unit]\nDescription = a b \n\n[Service]\r\nExecStart=/bin/x=1\nExecStart=\n";
        assert_eq!(
            triples(text),
            [
                ("Unit.Description".into(), "a b".into(), 3),
                ("Service.ExecStart".into(), "/bin/x=1".into(), 6),
                ("Service.ExecStart".into(), String::new(), 7),
            ]
        );
    }

    #[test]
    fn continuations_join_over_comments() {
        assert_eq!(one("A=one\\\n  two\\\n# no\n;no\n three\n"), "one   two  three");
        assert_eq!(one("A=one\\\n\n"), "one");
        assert_eq!(one("A=one\\"), "one");
        assert_eq!(one("A=one\\\\\n"), "one\\\\");
        assert_eq!(triples("[S]\nA=x\\\\\\\n y\nB=1\n")[1].2, 4);
        // A continued comment is no continuation: the comment is skipped before.
        assert_eq!(triples("[S]\n# x \\\nA=1\n").len(), 1);
    }

    #[test]
    fn a_continuation_swallows_the_next_assignment_and_header() {
        assert_eq!(one("A=1\\\n[Install]\n"), "1 [Install]");
    }

    #[test]
    fn problems_are_named() {
        let unit = parse("A=1\n[S]\nx\n=1\n[broken\nB=2\n");
        let lines: Vec<_> = unit.problems.iter().map(|p| (p.line, p.fatal)).collect();
        assert_eq!(lines, [(1, false), (3, false), (4, false), (5, true)]);
        assert!(!unit.is_readable());
        assert!(unit.assignments.is_empty());
    }

    #[test]
    fn odd_line_ends() {
        assert_eq!(triples("\u{feff}[S]\rA=1\n\rB=2\0C=3")[1], ("S.B".into(), "2".into(), 3));
        assert_eq!(triples("[S]\rA=1\n\rB=2\0C=3")[2], ("S.C".into(), "3".into(), 3));
    }

    #[test]
    fn too_long_is_refused() {
        let mut text = String::from("[S]\nA=");
        for _ in 0..3000 {
            text.push_str(&"x".repeat(500));
            text.push_str("\\\n");
        }
        assert!(!parse(&text).is_readable());
    }
}
