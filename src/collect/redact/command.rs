//! Command lines of processes: what is hidden in text, and the arguments of programs that are
//! known to take passwords.

use std::borrow::Cow;

use super::{Dialect, MARK, Output, names, redact_line};

/// The command line without its secrets, arguments joined by spaces. Arguments are separated by
/// zero bytes, as in /proc/PID/cmdline, or by spaces: with zero bytes an argument that holds
/// spaces is hidden whole.
pub fn command_line(command: &str) -> Cow<'_, str> {
    let zero = command.contains('\0');
    let arguments: Vec<&str> = if zero {
        command.trim_end_matches('\0').split('\0').collect()
    } else {
        command.split(' ').collect()
    };
    let program =
        arguments.iter().find(|argument| !argument.contains('=')).copied().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let mut out: Vec<Cow<'_, str>> = Vec::with_capacity(arguments.len());
    let mut takes_secret = None;
    for argument in arguments {
        let hidden = match takes_secret.take() {
            Some(Takes::Secret) if !argument.starts_with("--") => Cow::Borrowed(MARK),
            Some(Takes::Account) => account(argument),
            _ => one(argument, program),
        };
        takes_secret = announces(argument, program);
        out.push(hidden);
    }
    let joined = out.join(" ");
    // Once more as a whole: secrets that the split by spaces has taken apart.
    let mut whole = Output::new(&joined);
    redact_line(&joined, 0, Dialect::Command, &mut whole);
    let whole = whole.finish();
    if *whole == *command { Cow::Borrowed(command) } else { Cow::Owned(whole.into_owned()) }
}

/// What the next argument is.
enum Takes {
    Secret,
    /// `user:password`.
    Account,
}

fn announces(argument: &str, program: &str) -> Option<Takes> {
    if let Some(long) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))
        && !long.contains('=')
        && long.len() > 1
        && names::is_secret(long)
    {
        return Some(Takes::Secret);
    }
    let secret: &[&str] = match program {
        "sshpass" | "mysqladmin" | "htpasswd" | "podman" | "docker" | "skopeo" | "buildah"
        | "unzip" | "zip" | "ipmitool" => &["-p", "-P"],
        "mongo" | "mongosh" | "mongodump" | "mongorestore" => &["-p"],
        "redis-cli" => &["-a", "--pass"],
        "ldapsearch" | "ldapadd" | "ldapmodify" | "ldapdelete" | "ldapwhoami" | "ldappasswd" => {
            &["-w", "-s", "-a"]
        }
        "snmpwalk" | "snmpget" | "snmpset" | "snmpbulkwalk" => &["-c", "-A", "-X"],
        "openssl" => &["-k", "-K", "-passin", "-passout", "-pass", "-hmac"],
        "useradd" | "usermod" => &["-p"],
        "sqlcmd" | "bcp" => &["-P"],
        "wget" | "curl"
            if argument == "-u"
                || argument == "--user"
                || argument == "-U"
                || argument == "--proxy-user" =>
        {
            return Some(Takes::Account);
        }
        "smbclient" | "rpcclient" | "net" if argument == "-U" => return Some(Takes::Account),
        _ => &[],
    };
    secret.contains(&argument).then_some(Takes::Secret)
}

/// Hides what stands behind the first `:` or `%`.
fn account(argument: &str) -> Cow<'_, str> {
    match argument.find([':', '%']) {
        Some(at) => Cow::Owned(format!("{}{MARK}", &argument[..=at])),
        None => Cow::Borrowed(argument),
    }
}

fn one<'a>(argument: &'a str, program: &str) -> Cow<'a, str> {
    let glued: &[&str] = match program {
        "mysql" | "mysqldump" | "mysqladmin" | "mysqlimport" | "mariadb" | "mariadb-dump"
        | "mariadb-admin" | "mysqlcheck" | "sshpass" | "7z" | "7za" => &["-p"],
        "redis-cli" => &["-a"],
        "ldapsearch" | "ldapadd" | "ldapmodify" | "ldapdelete" => &["-w"],
        "sqlcmd" => &["-P"],
        "openssl" => &["pass:"],
        _ => &[],
    };
    for prefix in glued {
        if argument.len() > prefix.len() && argument.starts_with(prefix) {
            return Cow::Owned(format!("{prefix}{MARK}"));
        }
    }
    if let Some(user) = argument.strip_prefix("--user=")
        && user.contains(':')
    {
        return Cow::Owned(format!("--user={}", account(user)));
    }
    // `--password=two words` is one argument.
    if let Some((name, value)) = argument.split_once('=')
        && !value.is_empty()
        && names::is_secret(name)
    {
        return Cow::Owned(format!("{name}={MARK}"));
    }
    Cow::Borrowed(argument)
}
