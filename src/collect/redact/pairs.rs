//! Values that stand beside the name of a secret: `name = value` in ini, shell and properties,
//! `name: value` in YAML and headers, `"name": "value"` in JSON, `name => value`, `<name>value</name>`,
//! `name="password" value="..."`, and `name value` where the name is a known directive.

use std::ops::Range;

use super::{Dialect, command, names};

/// Words that are settings and no secrets, whatever the name before them is.
const PLAIN_VALUES: [&str; 22] = [
    "yes", "no", "true", "false", "on", "off", "none", "null", "nil", "never", "always",
    "required", "optional", "disabled", "enabled", "enable", "disable", "prompt", "ask", "0", "1",
    "*",
];

/// Control values of PAM (pam.conf(5)): behind them `password` is a stack.
const PAM_CONTROLS: [&str; 6] =
    ["required", "requisite", "sufficient", "optional", "include", "substack"];

/// Sources of nsswitch.conf(5).
const NAME_SERVICES: [&str; 14] = [
    "files",
    "compat",
    "systemd",
    "sss",
    "ldap",
    "nis",
    "nisplus",
    "winbind",
    "db",
    "dns",
    "hesiod",
    "cache",
    "altfiles",
    "extrausers",
];

/// The ranges of a line that hold the value of a secret.
pub(super) fn find(line: &str, dialect: Dialect) -> Vec<Range<usize>> {
    let mut found = directive(line, dialect);
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|byte| matches!(byte, b'=' | b':' | b'>')) {
        let separator = at + step;
        at = separator + 1;
        let value = match bytes[separator] {
            b'>' => element(line, separator),
            _ => assignment(line, separator, dialect),
        };
        if let Some(value) = value {
            at = at.max(value.end);
            found.push(value);
        }
    }
    found.extend(named_attribute(line));
    if !matches!(dialect, Dialect::Command | Dialect::Pam) {
        found.extend(commands(line));
    }
    found
}

/// What known programs take, where the line holds a command.
fn commands(line: &str) -> Vec<Range<usize>> {
    let places = words(line);
    let arguments: Vec<&str> = places.iter().map(|place| &line[place.clone()]).collect();
    command::secrets(&arguments)
        .into_iter()
        .map(|(index, range)| {
            let start = places[index].start;
            // The quote around an argument is not part of it.
            let end = start
                + line[start + range.start..start + range.end].trim_end_matches(['"', '\'']).len();
            start + range.start..end + range.start
        })
        .collect()
}

/// The name that a text ends with: `export DB_PASSWORD` gives `DB_PASSWORD`.
pub(super) fn name_at_end(before: &str) -> &str {
    let before = before.trim_end_matches([' ', '\t', '"', '\'', ']', '\\', '`']);
    let start = before
        .rfind(|letter: char| {
            !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'))
        })
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    // The last part of a path is no name of a setting.
    if before[..start].ends_with('/') && !before[..start].ends_with("//") {
        return "";
    }
    &before[start..]
}

fn assignment(line: &str, separator: usize, dialect: Dialect) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let colon = bytes[separator] == b':';
    let next = bytes.get(separator + 1).copied();
    if colon && matches!(next, Some(b':' | b'/')) && bytes.get(separator + 2) != Some(&b' ') {
        // `::`, and the `://` of an address; `password:/x` has no second slash.
        if next == Some(b':') || bytes.get(separator + 2) == Some(&b'/') {
            return None;
        }
    }
    let name = name_at_end(line[..separator].trim_end_matches([':', '=', '+', '?', '!']));
    let quoted_auth =
        name == "auth" && line[..separator].trim_end().ends_with('"') || name == "_auth";
    let cookie = colon && name.to_ascii_lowercase().ends_with("cookie");
    if !(names::is_secret(name) || quoted_auth || cookie) {
        return None;
    }
    if dialect == Dialect::Sudoers && colon && name == "PASSWD" {
        return None;
    }
    let mut start = separator + 1;
    while matches!(bytes.get(start), Some(b'=' | b'>' | b' ' | b'\t' | b':')) {
        start += 1;
    }
    let value = value_range(line, separator, start, dialect)?;
    let text = line[value.clone()].trim();
    let harmless = PLAIN_VALUES.contains(&&*text.to_ascii_lowercase())
        || name == "passwd" && colon && is_name_service(text)
        || matches!(text, "|" | ">" | "|-" | ">-" | "|+" | ">+" | "{" | "[" | "\\");
    (!harmless && !text.is_empty()).then_some(value)
}

fn is_name_service(value: &str) -> bool {
    value.split_whitespace().all(|word| {
        NAME_SERVICES.contains(&word) || word.starts_with(['[', '#']) || word.ends_with(']')
    })
}

/// How far the value that begins at `start` reaches.
fn value_range(
    line: &str,
    separator: usize,
    start: usize,
    dialect: Dialect,
) -> Option<Range<usize>> {
    let rest = line.get(start..)?;
    let first = rest.chars().next()?;
    if matches!(first, '"' | '\'' | '`') {
        let inner = start + first.len_utf8();
        let end = closing_quote(line, inner, first).unwrap_or(line.len());
        return Some(inner..end);
    }
    if rest.starts_with("\\\"") {
        let inner = start + 2;
        let end = line[inner..].find("\\\"").map_or(line.len(), |length| inner + length);
        return Some(inner..end);
    }
    let until =
        |stops: &[char]| line[start..].find(stops).map_or(line.len(), |length| start + length);
    if let Some(quote) = open_quote(&line[..separator]) {
        let end = until(&[quote]);
        return Some(start..end);
    }
    let end = match dialect {
        Dialect::Options => until(&[' ', '\t', ',']),
        _ if leads_line(line, separator, dialect) => line.len(),
        // In the middle of a line a value has no spaces; `&` and `;` end it in addresses and lists.
        _ => until(&[' ', '\t', '&', ';', '<']),
    };
    Some(start..end)
}

/// Whether the name before the separator is the first thing on its line, so that the value is
/// everything after it.
fn leads_line(line: &str, separator: usize, dialect: Dialect) -> bool {
    if dialect == Dialect::Command {
        return false;
    }
    let before =
        line[..separator].trim_end_matches([':', '=', '+', '?', '!', ' ', '\t', '"', '\'', ']']);
    let lead = &before[..before.len() - name_at_end(before).len()];
    let words = lead.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, '#' | ';' | '-' | '$' | '"' | '\'' | '/' | '*' | '[' | '{' | ',')
    });
    matches!(
        words,
        "" | "export" | "set" | "local" | "readonly" | "declare" | "env" | "setenv" | "ENV"
    )
}

/// The quote that was opened and not closed in this text.
fn open_quote(before: &str) -> Option<char> {
    let mut open = None;
    let mut escaped = false;
    for (at, letter) in before.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (open, letter) {
            (_, '\\') => escaped = true,
            (Some(quote), letter) if quote == letter => open = None,
            // An apostrophe inside a word opens nothing.
            (None, '\'') if before[..at].ends_with(char::is_alphanumeric) => {}
            (None, '"' | '\'') => open = Some(letter),
            _ => {}
        }
    }
    // The quote that belongs to the name itself ("password": ...) was closed before it.
    open
}

fn closing_quote(line: &str, from: usize, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in line[from..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return Some(from + at),
            _ => {}
        }
    }
    None
}

/// `<password>value</password>`, `<entry key="password">value</entry>`.
fn element(line: &str, close: usize) -> Option<Range<usize>> {
    let open = line[..close].rfind('<')?;
    let tag = &line[open + 1..close];
    if tag.starts_with(['/', '!', '?']) || tag.ends_with('/') {
        return None;
    }
    let name = tag.split(char::is_whitespace).next().unwrap_or_default();
    let name = name.rsplit(':').next().unwrap_or_default();
    let attribute = ["name=", "key=", "id="].iter().find_map(|attribute| {
        let (_, rest) = tag.split_once(attribute)?;
        rest.split(['"', '\'']).nth(1)
    });
    if !names::is_secret(name) && !attribute.is_some_and(names::is_secret) {
        return None;
    }
    let start = close + 1;
    let end = line[start..].find('<').map_or(line.len(), |length| start + length);
    let harmless = PLAIN_VALUES.contains(&&*line[start..end].trim().to_ascii_lowercase());
    (!line[start..end].trim().is_empty() && !harmless).then_some(start..end)
}

/// `name="password" value="..."` in either order of the attributes.
fn named_attribute(line: &str) -> Option<Range<usize>> {
    let secret = ["name=", "key=", "\"name\":", "\"key\":"].iter().any(|attribute| {
        line.match_indices(attribute).any(|(at, _)| {
            let rest = line[at + attribute.len()..].trim_start();
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            quote.is_some_and(|quote| rest[1..].split(quote).next().is_some_and(names::is_secret))
        })
    });
    if !secret {
        return None;
    }
    let (at, attribute) = ["value=", "\"value\":", "Value="]
        .iter()
        .find_map(|attribute| line.find(attribute).map(|at| (at, attribute)))?;
    let after = at + attribute.len();
    let start = after + (line[after..].len() - line[after..].trim_start().len());
    value_range(line, at, start, Dialect::Plain).filter(|range| !range.is_empty())
}

/// `password value` at the beginning of a line, and the `password value` of netrc anywhere.
fn directive(line: &str, dialect: Dialect) -> Vec<Range<usize>> {
    if matches!(dialect, Dialect::Pam | Dialect::Sudoers | Dialect::NameService) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let words = words(line);
    // The words of netrc(5) and its like stand on one line or each on its own.
    let netrc = words.first().is_some_and(|first| {
        matches!(
            &line[first.clone()],
            "machine" | "default" | "login" | "user" | "account" | "poll" | "server"
        )
    });
    for (index, word) in words.iter().enumerate() {
        let name = line[word.clone()].trim_start_matches(['#', ';']);
        let first = index == 0;
        if let Some(option) = name.strip_prefix('-')
            && !option.contains('=')
            && option.len() > 1
            && names::is_secret(option)
        {
            // `--password value` in a unit, a crontab or a script.
            found.extend(
                words
                    .get(index + 1)
                    .filter(|next| !line[(*next).clone()].starts_with('-'))
                    .cloned(),
            );
            continue;
        }
        if !(first || netrc && matches!(name, "password" | "passwd" | "insecure-password")) {
            if name.eq_ignore_ascii_case("createuser") {
                found.extend(words.iter().skip(index + 2).cloned());
            }
            continue;
        }
        if name.eq_ignore_ascii_case("createuser") {
            // snmpd.conf(5): createUser NAME SHA "PHRASE" AES "PHRASE"
            found.extend(words.iter().skip(index + 2).cloned());
        }
        if name.contains([':', '=']) || !names::is_directive(name) {
            continue;
        }
        let Some(value) = words.get(index + 1) else { continue };
        let text = line[value.clone()].trim_matches(['"', '\'']);
        if text.starts_with(['=', ':', '['])
            || PAM_CONTROLS.contains(&text)
            || PLAIN_VALUES.contains(&&*text.to_ascii_lowercase())
            || name.ends_with("ommunity") && matches!(text, "public" | "private")
        {
            continue;
        }
        let end = if netrc { value.end } else { line.trim_end().len() };
        found.push(value.start..end);
    }
    found
}

/// Where the words of a line are.
fn words(line: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, letter) in line.char_indices() {
        match (letter.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..line.len()));
    words
}
