//! Takes secrets out of text before it enters a snapshot: private keys, password hashes, values
//! of settings that are named like secrets, credentials in addresses and headers, tokens of known
//! make. Lines stay where they are, and the mark says nothing about the length of what it hides.
//!
//! What is needed to judge a host must survive: `PasswordAuthentication no` is a setting about
//! passwords, not a password. Names are therefore taken apart into words, and the last word
//! decides ([`names`]). In doubt a value is hidden: a rule that misses a value says so, a secret
//! that has left the host cannot be called back.

mod blocks;
mod command;
mod files;
mod names;
mod pairs;
mod tokens;
mod triggers;

use std::borrow::Cow;
use std::ops::Range;

pub use command::command_line;
pub use files::is_secret_file;

/// What stands where a secret was.
pub const MARK: &str = "[redacted]";

/// The text without its secrets.
pub fn text(text: &str) -> Cow<'_, str> {
    text_of("", text)
}

/// The same for the text of a file whose path says how to read words that could be either: the
/// `password` of PAM, `PASSWD:` of sudoers, `passwd:` of nsswitch.conf.
pub fn text_of<'a>(path: &str, text: &'a str) -> Cow<'a, str> {
    let dialect = Dialect::of(path);
    let mut out = Output::new(text);
    if dialect == Dialect::Accounts {
        accounts(text, &mut out);
        return out.finish();
    }
    let mut from = 0;
    while let Some(found) = triggers::next(text, from) {
        let line = line_around(text, found);
        if let Some(end) = blocks::redact(text, line.clone(), &mut out) {
            from = end;
            continue;
        }
        redact_line(&text[line.clone()], line.start, dialect, &mut out);
        from = blocks::redact_continuation(text, line.clone(), dialect, &mut out)
            .unwrap_or_else(|| next_line(text, line.end));
    }
    out.finish()
}

/// Whose grammar a text follows, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Nothing special.
    Plain,
    /// /etc/pam.d: `password` is the name of a stack.
    Pam,
    /// sudoers: `PASSWD:` is a tag.
    Sudoers,
    /// nsswitch.conf: `passwd:` is a database.
    NameService,
    /// fstab and mount units: a comma ends an option.
    Options,
    /// passwd and group: the second field is the password.
    Accounts,
    /// A command line.
    Command,
}

impl Dialect {
    fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        if matches!(path, "/etc/passwd" | "/etc/passwd-" | "/etc/group" | "/etc/group-") {
            Self::Accounts
        } else if path.contains("/pam.d/") || name == "pam.conf" {
            Self::Pam
        } else if path.contains("/sudoers") {
            Self::Sudoers
        } else if name.starts_with("nsswitch") {
            Self::NameService
        } else if name.starts_with("fstab") || name.ends_with(".mount") || name == "autofs" {
            Self::Options
        } else {
            Self::Plain
        }
    }
}

/// Hides what stands in the password field and is not one of the marks for no password there.
fn accounts(text: &str, out: &mut Output<'_>) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let [name, password, _, ..] = *line.splitn(3, ':').collect::<Vec<_>>()
            && !matches!(password, "" | "x" | "*" | "!" | "!!" | "*NP*")
        {
            let start = at + name.len() + 1;
            out.hide(start..start + password.len());
        }
        at += line.len();
    }
}

fn redact_line(line: &str, offset: usize, dialect: Dialect, out: &mut Output<'_>) {
    let mut hidden = tokens::find(line);
    hidden.extend(pairs::find(line, dialect));
    hidden.sort_by_key(|range| (range.start, range.end));
    for range in hidden {
        out.hide(range.start + offset..range.end + offset);
    }
}

/// The line, without its end, that holds a byte.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    start..line_end(text, at)
}

fn line_end(text: &str, from: usize) -> usize {
    let end = text[from..].find('\n').map_or(text.len(), |length| from + length);
    if end > from && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
}

/// Where the line after the one that ends at `end` begins.
fn next_line(text: &str, end: usize) -> usize {
    text[end..].find('\n').map_or(text.len(), |length| end + length + 1)
}

/// The text with ranges hidden, copied only if there are any.
struct Output<'a> {
    text: &'a str,
    out: String,
    copied: usize,
}

impl<'a> Output<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, out: String::new(), copied: 0 }
    }

    /// Puts the mark in place of a range. Ranges come in order; one that overlaps the one before
    /// only lengthens it.
    fn hide(&mut self, range: Range<usize>) {
        if range.end <= self.copied || range.is_empty() {
            return;
        }
        if range.start >= self.copied {
            if self.out.is_empty() {
                self.out.reserve(self.text.len());
            }
            self.out.push_str(&self.text[self.copied..range.start]);
            self.out.push_str(MARK);
        }
        self.copied = range.end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.copied..]);
        Cow::Owned(self.out)
    }
}

#[cfg(test)]
mod tests;
