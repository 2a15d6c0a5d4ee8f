//! Commands: the arguments in which known programs take secrets, in the command line of a process
//! and wherever a line of text holds a command (units, crontabs, scripts).

use std::borrow::Cow;
use std::ops::Range;

use super::{Dialect, MARK, Output, names, redact_line};

/// The command line without its secrets, arguments joined by spaces. Arguments are separated by
/// zero bytes, as in /proc/PID/cmdline, or by spaces: with zero bytes an argument that holds
/// spaces is hidden whole.
pub fn command_line(command: &str) -> Cow<'_, str> {
    let arguments: Vec<&str> = if command.contains('\0') {
        command.trim_end_matches('\0').split('\0').collect()
    } else {
        command.split(' ').collect()
    };
    let mut hidden = secrets(&arguments).into_iter().peekable();
    let mut joined = String::with_capacity(command.len());
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            joined.push(' ');
        }
        match hidden.next_if(|(place, _)| *place == index) {
            Some((_, range)) => {
                joined.push_str(&argument[..range.start]);
                joined.push_str(MARK);
                joined.push_str(&argument[range.end..]);
            }
            None => joined.push_str(argument),
        }
    }
    // Once more as a whole, for what shows by its own shape or by its name.
    let mut whole = Output::new(&joined);
    redact_line(&joined, 0, Dialect::Command, &mut whole);
    let whole = whole.finish();
    if *whole == *command { Cow::Borrowed(command) } else { Cow::Owned(whole.into_owned()) }
}

/// The parts of arguments that are secrets, by the argument's index, in order; one an argument.
pub(super) fn secrets(arguments: &[&str]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut program = "";
    let mut login = false;
    let mut next = None;
    for (index, argument) in arguments.iter().enumerate() {
        let name = program_name(argument);
        if is_known(name) {
            program = name;
            login = false;
        }
        login |= *argument == "login";
        let whole = 0..argument.len();
        let hidden = match next.take() {
            Some(Takes::Secret) if !argument.starts_with("--") => Some(whole),
            Some(Takes::Account) => account(argument, 0),
            _ => inside(argument, program),
        };
        found.extend(hidden.filter(|range| !range.is_empty()).map(|range| (index, range)));
        next = announced(argument, program, login);
        // A pipe or a semicolon ends the command.
        if matches!(*argument, "|" | "||" | "&&" | ";" | "&") || argument.ends_with(';') {
            program = "";
            next = None;
        }
    }
    // htpasswd -b FILE USER PASSWORD
    let batch = |argument: &&str| argument.starts_with('-') && argument.contains('b');
    if let Some(at) = arguments.iter().position(|argument| program_name(argument) == "htpasswd")
        && arguments[at..].iter().any(batch)
        && let Some(last) = arguments.last().filter(|last| !last.starts_with('-'))
    {
        found.push((arguments.len() - 1, 0..last.len()));
    }
    found
}

/// What the next argument is.
enum Takes {
    Secret,
    /// `user:password`.
    Account,
}

/// Programs whose options are known.
const PROGRAMS: [&str; 37] = [
    "7z",
    "7za",
    "bcp",
    "buildah",
    "curl",
    "docker",
    "htpasswd",
    "ipmitool",
    "ldapadd",
    "ldapdelete",
    "ldapmodify",
    "ldappasswd",
    "ldapsearch",
    "ldapwhoami",
    "mariadb",
    "mariadb-admin",
    "mariadb-dump",
    "mongo",
    "mongodump",
    "mongorestore",
    "mongosh",
    "mysql",
    "mysqladmin",
    "mysqlcheck",
    "mysqldump",
    "mysqlimport",
    "net",
    "openssl",
    "podman",
    "redis-cli",
    "rpcclient",
    "skopeo",
    "smbclient",
    "sqlcmd",
    "sshpass",
    "usermod",
    "wget",
];

fn program_name(argument: &str) -> &str {
    let argument = argument.rsplit(['/', '=', '(', '`', '"', '\'']).next().unwrap_or_default();
    argument.trim_start_matches(['@', '-', '+', '!', ':'])
}

fn is_known(name: &str) -> bool {
    PROGRAMS.contains(&name) || name.starts_with("snmp") || name == "useradd"
}

/// What an option says about the argument after it.
fn announced(argument: &str, program: &str, login: bool) -> Option<Takes> {
    if let Some(long) = argument.strip_prefix('-')
        && !long.contains('=')
        && long.len() > 1
        && names::is_secret(long)
    {
        return Some(Takes::Secret);
    }
    let secret: &[&str] = match program {
        "sshpass" | "useradd" | "usermod" | "mongo" | "mongosh" | "mongodump" | "mongorestore" => {
            &["-p"]
        }
        "docker" | "podman" | "skopeo" | "buildah" if login => &["-p"],
        "redis-cli" => &["-a"],
        "ldapsearch" | "ldapadd" | "ldapmodify" | "ldapdelete" | "ldapwhoami" => &["-w"],
        "ldappasswd" => &["-w", "-s", "-a"],
        "openssl" => &["-k", "-K", "-passin", "-passout", "-pass", "-hmac"],
        "sqlcmd" | "bcp" | "ipmitool" => &["-P"],
        "curl" if matches!(argument, "-u" | "--user" | "-U" | "--proxy-user") => {
            return Some(Takes::Account);
        }
        "smbclient" | "rpcclient" | "net" if argument == "-U" => return Some(Takes::Account),
        name if name.starts_with("snmp") => &["-c", "-A", "-X"],
        _ => &[],
    };
    secret.contains(&argument).then_some(Takes::Secret)
}

/// The password of `user:password` or `user%password`.
fn account(argument: &str, from: usize) -> Option<Range<usize>> {
    let at = argument[from..].find([':', '%'])?;
    Some(from + at + 1..argument.len())
}

/// The secret inside one argument.
fn inside(argument: &str, program: &str) -> Option<Range<usize>> {
    let glued: &[&str] = match program {
        "mysql" | "mysqldump" | "mysqladmin" | "mysqlimport" | "mysqlcheck" | "mariadb"
        | "mariadb-dump" | "mariadb-admin" | "sshpass" | "7z" | "7za" => &["-p"],
        "redis-cli" => &["-a"],
        "ldapsearch" | "ldapadd" | "ldapmodify" | "ldapdelete" => &["-w"],
        "sqlcmd" => &["-P"],
        "openssl" => &["pass:"],
        _ => &[],
    };
    let prefix = glued.iter().find(|prefix| argument.starts_with(**prefix));
    if let Some(prefix) = prefix.filter(|prefix| argument.len() > prefix.len()) {
        return Some(prefix.len()..argument.len());
    }
    if program == "curl" && argument.starts_with("-u") && argument.len() > 2 {
        return account(argument, 2);
    }
    if argument.starts_with("--user=") || argument.starts_with("--proxy-user=") {
        return account(argument, argument.find('=')? + 1);
    }
    // `--password=two words` is one argument.
    let (name, value) = argument.split_once('=')?;
    let named = name.starts_with('-') && names::is_secret(name);
    (named && !value.is_empty()).then(|| name.len() + 1..argument.len())
}
