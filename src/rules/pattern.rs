//! Regular expressions and globs, compiled with limits, at the latest when first used.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

/// The most bytes a compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;
/// The most bytes a pattern may be written in.
const MAX_LENGTH: usize = 4096;

/// A pattern, known by its text.
#[derive(Clone)]
pub struct Pattern {
    /// As written in the rule.
    text: Arc<str>,
    glob: bool,
    compiled: Arc<OnceLock<Option<Regex>>>,
}

impl Pattern {
    /// A regular expression that has not been compiled yet.
    pub fn regex(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), glob: false, compiled: Arc::default() }
    }

    /// A glob: `*` and `?` stop at `/`, `**` does not, `[a-z]` and `[!a-z]` are classes,
    /// `{a,b}` are alternatives, `\` takes the next character as it is.
    pub fn glob(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), glob: true, compiled: Arc::default() }
    }

    /// As written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it is a glob.
    pub fn is_glob(&self) -> bool {
        self.glob
    }

    /// Compiles it now.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.text.len() > MAX_LENGTH {
            return Err(format!("the pattern has more than {MAX_LENGTH} bytes"));
        }
        build(&self.source()).map(|regex| {
            self.compiled.get_or_init(|| Some(regex));
        })
    }

    /// Whether it matches; `None` where it cannot be compiled, which [`Pattern::check`] tells.
    pub fn is_match(&self, text: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| build(&self.source()).ok());
        compiled.as_ref().map(|regex| regex.is_match(text))
    }

    fn source(&self) -> String {
        if self.glob { glob_to_regex(&self.text) } else { self.text.to_string() }
    }

    /// For a glob, the directory that everything it matches is below: `/etc/cron.d` for
    /// `/etc/cron.d/*.sh`. Only what holds no wildcard counts.
    pub fn directory(&self) -> Option<&str> {
        let wild = self.text.find(['*', '?', '[', '{', '\\']).unwrap_or(self.text.len());
        let literal = self.text.get(..wild)?;
        let end = literal.rfind('/')?;
        literal.starts_with('/').then(|| &literal[..end.max(1)])
    }
}

fn build(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            error => last_line(&error.to_string()),
        })
}

/// The regex crate draws the pattern over several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn glob_to_regex(glob: &str) -> String {
    let mut out = String::from("^(?s:");
    let mut characters = glob.chars().peekable();
    let mut depth = 0usize;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => out.push_str(".*"),
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                out.push('[');
                if characters.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
                for inner in characters.by_ref() {
                    match inner {
                        ']' => break,
                        '-' => out.push('-'),
                        other => push_literal(&mut out, other),
                    }
                }
                out.push(']');
            }
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '\\' => push_literal(&mut out, characters.next().unwrap_or('\\')),
            other => push_literal(&mut out, other),
        }
    }
    out.push_str(")$");
    out
}

fn push_literal(out: &mut String, character: char) {
    let mut buffer = [0u8; 4];
    out.push_str(&regex::escape(character.encode_utf8(&mut buffer)));
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.glob == other.glob
    }
}
impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.text, self.glob).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(glob: &str, path: &str) -> bool {
        Pattern::glob(glob).is_match(path).unwrap()
    }

    #[test]
    fn globs_know_about_slashes() {
        assert!(globs("/etc/*.conf", "/etc/a.conf"));
        assert!(!globs("/etc/*.conf", "/etc/x/a.conf"));
        assert!(globs("/etc/**.conf", "/etc/x/a.conf"));
        assert!(globs("/etc/rc[0-6].d/S*", "/etc/rc3.d/S01x"));
        assert!(!globs("/etc/rc[!0-6].d/S*", "/etc/rc3.d/S01x"));
        assert!(globs("/{usr,opt}/bin/a.b", "/opt/bin/a.b"));
        assert!(!globs("/usr/bin/a.b", "/usr/bin/aXb"));
        assert!(!globs("/etc/*.conf", "/etc/a.conf\nx"));
    }

    #[test]
    fn the_directory_of_a_glob() {
        assert_eq!(Pattern::glob("/etc/cron.d/*").directory(), Some("/etc/cron.d"));
        assert_eq!(Pattern::glob("/etc/cron.*/x").directory(), Some("/etc"));
        assert_eq!(Pattern::glob("/*").directory(), Some("/"));
        assert_eq!(Pattern::glob("**/x").directory(), None);
    }

    #[test]
    fn hostile_patterns_are_refused() {
        assert!(Pattern::regex("(").check().is_err());
        assert!(Pattern::regex("(?:a{1000}){1000}").check().is_err());
        assert!(Pattern::regex("(".repeat(60) + &")".repeat(60)).check().is_err());
        assert!(Pattern::regex("a".repeat(5000)).check().is_err());
        assert!(Pattern::glob("[").check().is_err());
        assert!(Pattern::regex("^a+$").check().is_ok());
    }
}
