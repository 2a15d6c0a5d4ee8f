//! What cron and anacron run as root, from their texts (crontab(5), anacrontab(5)).

use std::sync::Arc;

use super::commands::{Runs, of_script, of_shell};
use crate::model::lens::ConfigFiles;

/// The directories whose programs the crontabs of distributions run.
pub(super) const RUN_PARTS: [&str; 5] = [
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/cron.yearly",
];

/// One thing that cron runs, and where that is written.
pub(super) struct Job {
    pub(super) from: Arc<str>,
    pub(super) runs: Runs,
}

/// Everything that cron runs as one of these users (all of them root), and the texts that say so.
pub(super) fn jobs(
    files: &ConfigFiles,
    is_root: &dyn Fn(&str) -> bool,
) -> (Vec<Job>, Vec<Arc<str>>) {
    let mut jobs = Vec::new();
    let mut texts = Vec::new();
    let mut read = |path: &Arc<str>, text: &str, fields: Fields| {
        texts.push(Arc::clone(path));
        for (line, command) in commands(text, fields, is_root) {
            let from: Arc<str> = format!("{path}:{line}").into();
            jobs.extend(
                of_shell(&command).into_iter().map(|runs| Job { from: from.clone(), runs }),
            );
        }
    };
    let system = files.get("/etc/crontab").into_iter();
    let dropped = files.in_directory("/etc/cron.d", "");
    for file in system.chain(dropped.filter(|file| is_read(&file.path))) {
        read(&file.path, file.text.as_deref().unwrap_or_default(), Fields::WithUser);
    }
    if let Some(file) = files.get("/etc/anacrontab") {
        read(&file.path, file.text.as_deref().unwrap_or_default(), Fields::Anacron);
    }
    for directory in ["/var/spool/cron/crontabs", "/var/spool/cron"] {
        for file in files.in_directory(directory, "") {
            if is_root(file.path.rsplit('/').next().unwrap_or_default()) {
                read(&file.path, file.text.as_deref().unwrap_or_default(), Fields::Own);
            }
        }
    }
    for directory in RUN_PARTS {
        for file in files.in_directory(directory, "").filter(|file| is_read(&file.path)) {
            let script = of_script(file.text.as_deref().unwrap_or_default());
            jobs.extend(script.into_iter().map(|runs| Job { from: file.path.clone(), runs }));
        }
    }
    (jobs, texts)
}

/// Whether cron and run-parts read a file of this name: no copies of editors and package managers.
pub(super) fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let copies = [".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".bak", ".placeholder"];
    !name.starts_with('.')
        && !name.ends_with(['~', ','])
        && !name.contains(".dpkg-")
        && !copies.iter().any(|ending| name.ends_with(ending))
}

/// What stands before the command in a line.
#[derive(Clone, Copy)]
enum Fields {
    /// Five fields of time or one `@word`, and a user.
    WithUser,
    /// Five fields of time or one `@word`.
    Own,
    /// A period, a delay and a name.
    Anacron,
}

/// The commands of a crontab that run as root, with their lines.
fn commands(text: &str, fields: Fields, is_root: &dyn Fn(&str) -> bool) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with('#') || is_setting(line) {
            continue;
        }
        let times = match fields {
            Fields::Anacron => 3,
            _ if line.starts_with('@') => 1,
            _ => 5,
        };
        let Some(mut rest) = after_fields(line, times) else { continue };
        if let Fields::WithUser = fields {
            let Some((user, command)) = rest.split_once(char::is_whitespace) else { continue };
            // `user:group` and `user/class` name more than the user.
            let user = user.split([':', '/']).next().unwrap_or_default();
            if !is_root(user) {
                continue;
            }
            rest = command.trim_start();
        }
        let command = match fields {
            Fields::Anacron => rest.to_owned(),
            _ => before_input(rest),
        };
        list.push((number + 1, command));
    }
    list
}

/// `NAME = VALUE`.
fn is_setting(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end().trim_matches(['"', '\'']);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn after_fields(line: &str, count: usize) -> Option<&str> {
    let mut rest = line;
    for _ in 0..count {
        rest = rest.split_once(char::is_whitespace)?.1.trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// The command up to the first `%`, after which its input begins; `\%` is a percent sign.
fn before_input(command: &str) -> String {
    let mut out = String::new();
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'%') => out.extend(chars.next()),
            '%' => break,
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, fields: Fields) -> Vec<(usize, String)> {
        commands(text, fields, &|user| user == "root")
    }

    #[test]
    fn lines_of_crontabs() {
        let text = "# no\nSHELL=/bin/sh\nMAILTO = x\n*/5 * * * * root /opt/a\n@reboot\troot\t/opt/b %x\n1 2 3 4 5 www /opt/c\n1 2 3\n";
        assert_eq!(
            of(text, Fields::WithUser),
            [(4, "/opt/a".to_owned()), (5, "/opt/b ".to_owned())]
        );
        assert_eq!(of("1 2 3 4 5 /opt/a \\% b\n", Fields::Own), [(1, "/opt/a % b".to_owned())]);
        assert_eq!(of("@daily 5 x nice /opt/a\n", Fields::Anacron)[0].1, "nice /opt/a");
    }

    #[test]
    fn copies_are_not_read() {
        for name in ["a~", "a.dpkg-old", "a.rpmsave", ".placeholder"] {
            assert!(!is_read(&format!("/etc/cron.d/{name}")), "{name}");
        }
        assert!(is_read("/etc/cron.d/0hourly"));
    }
}
