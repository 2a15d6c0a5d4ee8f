//! Commands of sudoers with what stands before them: runas lists, options, tags, digests.

use super::Permission;
use super::scan::{Scanner, Unreadable};

/// Tags, each beside the one that takes it back.
const TAGS: [(&str, &str); 16] = [
    ("NOPASSWD", "PASSWD"),
    ("PASSWD", "NOPASSWD"),
    ("NOEXEC", "EXEC"),
    ("EXEC", "NOEXEC"),
    ("NOSETENV", "SETENV"),
    ("SETENV", "NOSETENV"),
    ("NOFOLLOW", "FOLLOW"),
    ("FOLLOW", "NOFOLLOW"),
    ("NOLOG_INPUT", "LOG_INPUT"),
    ("LOG_INPUT", "NOLOG_INPUT"),
    ("NOLOG_OUTPUT", "LOG_OUTPUT"),
    ("LOG_OUTPUT", "NOLOG_OUTPUT"),
    ("NOMAIL", "MAIL"),
    ("MAIL", "NOMAIL"),
    ("NOINTERCEPT", "INTERCEPT"),
    ("INTERCEPT", "NOINTERCEPT"),
];

const OPTIONS: [&str; 10] = [
    "APPARMOR_PROFILE",
    "CHROOT",
    "CWD",
    "LIMITPRIVS",
    "NOTAFTER",
    "NOTBEFORE",
    "PRIVS",
    "ROLE",
    "TIMEOUT",
    "TYPE",
];

const DIGESTS: [&str; 4] = ["sha224", "sha256", "sha384", "sha512"];

/// The commands of a rule. What stands before one holds for those after it, too.
pub(super) fn permissions(scanner: &mut Scanner<'_>) -> Result<Vec<Permission>, Unreadable> {
    let mut list = Vec::new();
    let mut current = Permission::default();
    loop {
        scanner.blanks();
        if scanner.accept('(') {
            (current.runas_users, current.runas_groups) = runas(scanner)?;
        }
        while let Some(option) = option(scanner)? {
            let name = option.split('=').next().unwrap_or_default().to_owned() + "=";
            current.options.retain(|other| !other.starts_with(&name));
            current.options.push(option);
        }
        while let Some((tag, opposite)) = tag(scanner)? {
            current.tags.retain(|other| other != opposite && other != tag);
            current.tags.push(tag.to_owned());
        }
        let command = command(scanner, true)?;
        list.push(Permission { command, ..current.clone() });
        scanner.blanks();
        if !scanner.accept(',') {
            return Ok(list);
        }
    }
}

/// A comma-separated list of commands; those of a `Defaults` line have no arguments.
pub(super) fn list(scanner: &mut Scanner<'_>, arguments: bool) -> Result<Vec<String>, Unreadable> {
    let mut list = Vec::new();
    loop {
        list.push(command(scanner, arguments)?);
        scanner.blanks();
        if !scanner.accept(',') {
            return Ok(list);
        }
    }
}

/// Users and groups; the parenthesis is open.
fn runas(scanner: &mut Scanner<'_>) -> Result<(Vec<String>, Vec<String>), Unreadable> {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    scanner.blanks();
    if !matches!(scanner.peek(), Some(')' | ':')) {
        users = scanner.members(false)?;
        scanner.blanks();
    }
    if scanner.accept(':') {
        scanner.blanks();
        if scanner.peek() != Some(')') {
            groups = scanner.members(false)?;
            scanner.blanks();
        }
    }
    scanner.expect(')')?;
    Ok((users, groups))
}

fn option(scanner: &mut Scanner<'_>) -> Result<Option<String>, Unreadable> {
    scanner.blanks();
    for name in OPTIONS {
        let mut ahead = scanner.clone();
        if ahead.keyword_before(name, '=') {
            *scanner = ahead;
            let value = scanner.setting_value()?;
            return Ok(Some(format!("{name}={value}")));
        }
    }
    Ok(None)
}

fn tag(scanner: &mut Scanner<'_>) -> Result<Option<(&'static str, &'static str)>, Unreadable> {
    scanner.blanks();
    for (name, opposite) in TAGS {
        let mut ahead = scanner.clone();
        if ahead.keyword_before(name, ':') {
            *scanner = ahead;
            return Ok(Some((name, opposite)));
        }
    }
    Ok(None)
}

/// One command with its arguments, digests left out.
fn command(scanner: &mut Scanner<'_>, arguments: bool) -> Result<String, Unreadable> {
    let mut negated = false;
    loop {
        // Digests come in a list of their own, before or after the negation.
        negated ^= scanner.negations();
        scanner.blanks();
        let mut ahead = scanner.clone();
        if !DIGESTS.into_iter().any(|name| ahead.keyword_before(name, ':')) {
            break;
        }
        *scanner = ahead;
        scanner.blanks();
        scanner.word(|c| matches!(c, ' ' | '\t' | ',' | '#' | ':'))?;
        scanner.blanks();
        scanner.accept(',');
    }
    let mut text = if scanner.peek() == Some('^') {
        expression(scanner)?
    } else {
        scanner.word(|c| matches!(c, ' ' | '\t' | ',' | ':' | '=' | '#' | '!' | '(' | ')'))?
    };
    let path = text.starts_with(['/', '^']);
    let alias = || text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !(path || text == "sudoedit" || text == "list" || alias()) {
        return Err(Unreadable);
    }
    if arguments && (path || text == "sudoedit") {
        scanner.blanks();
        let rest = if scanner.peek() == Some('^') {
            expression(scanner)?
        } else {
            scanner
                .word_or_empty(|c| matches!(c, ',' | ':' | '#'))
                .map(|rest| rest.trim_end().to_owned())?
        };
        if !rest.is_empty() {
            text.push(' ');
            text.push_str(&rest);
        }
    }
    Ok(if negated { format!("!{text}") } else { text })
}

/// A regular expression from `^` to the `$` that ends it.
fn expression(scanner: &mut Scanner<'_>) -> Result<String, Unreadable> {
    let mut text = String::new();
    while let Some(next) = scanner.take() {
        text.push(next);
        match next {
            '\\' => text.extend(scanner.take()),
            '$' if matches!(scanner.peek(), None | Some(' ' | '\t' | ',' | ':' | '#')) => {
                return Ok(text);
            }
            _ => {}
        }
    }
    Err(Unreadable)
}
