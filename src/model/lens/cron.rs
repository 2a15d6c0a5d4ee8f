//! `config.cron`: jobs of crontabs, crontab(5), cron(8): /etc/crontab, /etc/cron.d, the crontabs of
//! users, and anacrontab(5).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// Where crontabs of users lie: Debian, SUSE, others. The name of the file is the user.
const SPOOLS: [&str; 3] = ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron"];
/// Endings of names in /etc/cron.d that cronie passes over.
const LEFTOVERS: [&str; 4] = ["~", ".rpmsave", ".rpmorig", ".rpmnew"];

facts! {
    /// Jobs and settings of crontabs.
    #[table(name = "config.cron", origin = Lens, location = "{path}")]
    pub struct Cron {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `job`, `anacron` (a job of /etc/anacrontab) or `setting` (a variable such as MAILTO).
        pub kind: Arc<str>,
        /// When it runs: five fields joined by one space, or `@reboot` and its like; for anacron period and delay. For a setting its name.
        pub schedule: Arc<str>,
        /// The user that it runs as; none for a setting.
        pub user: Option<Arc<str>>,
        /// The command, or the value of a setting.
        pub command: Arc<str>,
    }
}

pub(super) struct Lens;

/// Whose lines a file holds.
enum Kind {
    /// A crontab with a field for the user.
    System,
    /// The crontab of this user.
    User(Arc<str>),
    Anacron,
}

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Cron::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Cron>(files);
        let debian = files.get("/etc/debian_version").is_some();
        let mut crontabs: Vec<(&Text, Kind)> = Vec::new();
        crontabs.extend(files.get("/etc/crontab").map(|file| (file, Kind::System)));
        let drop_ins = files.in_directory("/etc/cron.d", "");
        let drop_ins = drop_ins.filter(|file| is_read(file.name(), debian));
        crontabs.extend(drop_ins.map(|file| (file, Kind::System)));
        for spool in SPOOLS {
            let own = files.in_directory(spool, "").filter(|file| !file.name().starts_with('.'));
            crontabs.extend(own.map(|file| (file, Kind::User(file.name().into()))));
        }
        crontabs.extend(files.get("/etc/anacrontab").map(|file| (file, Kind::Anacron)));
        for (file, kind) in crontabs {
            for (line, text) in (1..).zip(reading.text(file).lines()) {
                if let Some(row) = entry(file, &kind, line, text) {
                    reading.push(row);
                }
            }
        }
        Ok(reading.done())
    }
}

/// Whether cron reads a file of this name in /etc/cron.d. Debian's takes letters, digits, `_` and
/// `-` only.
fn is_read(name: &str, debian: bool) -> bool {
    match debian {
        true => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
        false => !name.starts_with(['.', '#']) && !LEFTOVERS.iter().any(|end| name.ends_with(end)),
    }
}

fn entry(file: &Text, kind: &Kind, line: i64, text: &str) -> Option<Cron> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let row = |kind: &str, schedule: &str, user: Option<Arc<str>>, command: &str| Cron {
        path: AbsPath(Arc::clone(&file.path)),
        line,
        kind: kind.into(),
        schedule: schedule.into(),
        user,
        command: command.into(),
    };
    if let Some((name, value)) = setting(text) {
        return Some(row("setting", name, None, value));
    }
    // A dash before a job keeps SUSE's cron from logging it.
    let text = text.strip_prefix('-').unwrap_or(text);
    let count = match kind {
        Kind::Anacron => 2,
        _ if text.starts_with('@') => 1,
        _ => 5,
    };
    let (schedule, rest) = words(text, count)?;
    match kind {
        Kind::System => {
            let (user, command) = words(rest, 1)?;
            Some(row("job", &schedule, Some(user.into()), command))
        }
        Kind::User(user) => Some(row("job", &schedule, Some(Arc::clone(user)), rest)),
        Kind::Anacron => {
            let (_, command) = words(rest, 1)?;
            Some(row("anacron", &schedule, Some("root".into()), command))
        }
    }
}

/// The first words joined by one space, and what follows them; none where nothing follows.
fn words(text: &str, count: usize) -> Option<(String, &str)> {
    let mut rest = text;
    let mut list = Vec::new();
    for _ in 0..count {
        let (word, after) = rest.split_once([' ', '\t'])?;
        list.push(word);
        rest = after.trim_start();
    }
    (!rest.is_empty()).then(|| (list.join(" "), rest))
}

/// `NAME = value`, quotes removed.
fn setting(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let unquoted = |text: &'_ str| -> Option<(usize, usize)> {
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        (text.len() > 1 && text.ends_with(quote)).then(|| (1, text.len() - 1))
    };
    let strip = |text| unquoted(text).map_or(text, |(from, to)| &text[from..to]);
    let name = strip(name.trim());
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (named && name.chars().all(good)).then(|| (name, strip(value.trim())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn jobs_of_every_crontab() {
        let rows: Vec<Cron> = rows(
            &Lens,
            &[
                ("/etc/debian_version", "12\n"),
                (
                    "/etc/crontab",
                    "# x\nSHELL=/bin/sh\nMAILTO = \"a b\"\n17 *\t* * *  root  cd / && x=1 run\n",
                ),
                ("/etc/cron.d/aide", "@daily root /usr/bin/aide --check\n0 5 * * * root\n"),
                ("/etc/cron.d/a.dpkg-old", "@daily root hidden\n"),
                ("/var/spool/cron/crontabs/bob", "*/5 * * * * true % input\n"),
                ("/etc/anacrontab", "1 5 cron.daily nice run-parts /etc/cron.daily\n"),
            ],
        );
        let shown: Vec<String> = rows
            .iter()
            .map(|r| {
                format!(
                    "{} {} [{}] {:?} {}",
                    r.line,
                    r.kind,
                    r.schedule,
                    r.user.as_deref(),
                    r.command
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 setting [SHELL] None /bin/sh",
                "3 setting [MAILTO] None a b",
                "4 job [17 * * * *] Some(\"root\") cd / && x=1 run",
                "1 job [@daily] Some(\"root\") /usr/bin/aide --check",
                "1 job [*/5 * * * *] Some(\"bob\") true % input",
                "1 anacron [1 5] Some(\"root\") nice run-parts /etc/cron.daily",
            ]
        );
    }
}
