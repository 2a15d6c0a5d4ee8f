//! `config.ini`: files of sections and `key=value` lines: systemd's own (systemd.syntax(7)), dnf
//! and yum, GDM and other GKeyFiles, dconf keyfiles, NetworkManager and whatever else begins with a
//! `[section]`. Files that one program reads together, as drop-ins, are one configuration, in the
//! order in which it reads them, and the last assignment of a key counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Keyed, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::unit;
use crate::model::view::Loaded;

/// Where systemd looks for the main file and its drop-ins, first place first.
const SYSTEMD: [&str; 5] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"];
/// Settings of systemd's files whose values add up; an empty one begins anew.
const LISTS: [&str; 6] = ["DNS", "Domains", "FallbackDNS", "FallbackNTP", "NTP", "PassEnvironment"];
/// NetworkManager's directories, first read first; a name in a later one hides it in earlier ones.
const NETWORK_MANAGER: [&str; 3] =
    ["/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"];
const NETWORK_MANAGER_MAIN: &str = "/etc/NetworkManager/NetworkManager.conf";

facts! {
    /// Settings of files with sections, drop-ins put together; rules always say `config`.
    #[table(name = "config.ini", origin = Lens, location = "{path}")]
    pub struct Ini {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The configuration it belongs to: the main file whose drop-in it is, as in
        /// /etc/systemd/journald.conf; for dconf the directory, as in /etc/dconf/db/gdm.d; for other
        /// files their own path.
        pub config: AbsPath,
        /// The section without brackets; empty before the first one.
        pub section: Arc<str>,
        /// The key as written.
        pub key: Arc<str>,
        /// The value.
        pub value: Arc<str>,
        /// The value as a number; for dconf without the name of its type.
        pub int_value: Option<i64>,
        /// Whether it counts: no later assignment of the key in its section and configuration takes its place.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Ini::TABLE
    }

    fn keyed(&self) -> Option<Keyed> {
        Some(Keyed { column: "config", of: configuration })
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Ini>(files);
        let mut groups: BTreeMap<Arc<str>, Vec<&Text>> = BTreeMap::new();
        for file in files.iter().filter(|file| !is_unit(&file.path)) {
            groups.entry(configuration(&file.path)).or_default().push(file);
        }
        for (config, members) in groups {
            let members = in_order(files, &config, members);
            let mut rows: Vec<Ini> = Vec::new();
            for file in members {
                let text = reading.text(file);
                if looks_like_ini(text) {
                    rows.extend(settings(file, &config, text));
                }
            }
            mark(&mut rows);
            rows.into_iter().for_each(|row| reading.push(row));
        }
        Ok(reading.done())
    }
}

/// Unit files have a table of their own.
fn is_unit(path: &str) -> bool {
    ["/systemd/system/", "/systemd/user/", "/systemd/system.control/", "/systemd/transient/"]
        .iter()
        .any(|part| path.contains(part))
        || path.contains("/systemd/generator")
        || path.contains("/systemd/network/")
}

/// The configuration that a file belongs to.
fn configuration(path: &str) -> Arc<str> {
    for place in SYSTEMD {
        let Some(rest) = path.strip_prefix(place).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let main = match rest.split_once('/') {
            Some((directory, _)) => directory.strip_suffix(".d"),
            None => Some(rest),
        };
        if let Some(main) = main.filter(|main| main.ends_with(".conf")) {
            return format!("/etc/systemd/{main}").into();
        }
    }
    if path == NETWORK_MANAGER_MAIN || NETWORK_MANAGER.iter().any(|place| is_in(path, place)) {
        return NETWORK_MANAGER_MAIN.into();
    }
    if let Some((directory, name)) = path.rsplit_once('/')
        && directory.starts_with("/etc/dconf/db/")
        && directory.ends_with(".d")
        && !name.is_empty()
    {
        return directory.into();
    }
    path.into()
}

fn is_in(path: &str, directory: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(own, _)| own == directory)
}

/// The files of a configuration in the order in which they are read.
fn in_order<'a>(files: &'a ConfigFiles, config: &str, members: Vec<&'a Text>) -> Vec<&'a Text> {
    if let Some(name) = config.strip_prefix("/etc/systemd/") {
        let main = SYSTEMD.iter().find_map(|place| files.get(&format!("{place}/{name}")));
        let places = SYSTEMD.map(|place| format!("{place}/{name}.d"));
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        return main.into_iter().chain(files.drop_ins(&places, ".conf")).collect();
    }
    if config == NETWORK_MANAGER_MAIN {
        // What the distribution ships is read before the main file, what /etc says after it.
        let (own, shipped): (Vec<&Text>, Vec<&Text>) = files
            .drop_ins(&NETWORK_MANAGER, ".conf")
            .into_iter()
            .partition(|file| is_in(&file.path, NETWORK_MANAGER[0]));
        return shipped.into_iter().chain(files.get(config)).chain(own).collect();
    }
    members
}

/// Whether the first line that says anything opens a section.
fn looks_like_ini(text: &str) -> bool {
    let first = text
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    first.is_some_and(|line| header(line).is_some())
}

fn header(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let (name, after) = inner.split_once(']')?;
    let after = after.trim_start();
    (after.is_empty() || after.starts_with(['#', ';'])).then_some(name.trim())
}

/// Section, key, value and line of each assignment.
fn settings<'a>(file: &'a Text, config: &'a Arc<str>, text: &str) -> Vec<Ini> {
    let row = |line: i64, section: &str, key: &str, value: &str| Ini {
        path: AbsPath(Arc::clone(&file.path)),
        line,
        config: AbsPath(Arc::clone(config)),
        section: section.into(),
        key: key.into(),
        int_value: value.rsplit(' ').next().and_then(|number| number.parse().ok()),
        value: value.into(),
        effective: true,
    };
    if config.starts_with("/etc/systemd/") {
        let assignments = unit::parse(text).assignments;
        return assignments
            .iter()
            .map(|entry| row(entry.line.into(), &entry.section, &entry.key, &entry.value))
            .collect();
    }
    let mut section = "";
    let mut rows: Vec<Ini> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let words = text.trim();
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = header(words) {
            section = name;
            continue;
        }
        // A value goes on in lines that begin with white space.
        if text.starts_with([' ', '\t'])
            && let Some(before) = rows.last_mut().filter(|row| row.line + 1 == line || is_list(row))
            && !words.contains('=')
        {
            before.value = format!("{} {words}", before.value).trim_start().into();
            before.int_value = None;
            continue;
        }
        if let Some((key, value)) = words.split_once('=') {
            rows.push(row(line, section, key.trim(), value.trim()));
        }
    }
    rows
}

/// Whether a value has gone on over a line before.
fn is_list(row: &Ini) -> bool {
    row.value.contains(' ')
}

/// Marks the assignments that a later one takes the place of.
fn mark(rows: &mut [Ini]) {
    let mut last: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let adds_up = row.config.0.starts_with("/etc/systemd/") && LISTS.contains(&&*row.key);
        if !adds_up || row.value.is_empty() {
            last.insert((Arc::clone(&row.section), Arc::clone(&row.key)), at);
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        let key = (Arc::clone(&row.section), Arc::clone(&row.key));
        row.effective = last.get(&key).is_none_or(|last| at >= *last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        rows::<Ini>(&Lens, texts)
            .into_iter()
            .map(|row| {
                let mark = if row.effective { "" } else { " -" };
                let Ini { path, line, section, key, value, .. } = row;
                format!("{}:{line} {section}.{key}={value}{mark}", path.0)
            })
            .collect()
    }

    #[test]
    fn drop_ins_of_systemd_come_after_the_main_file() {
        let texts = [
            ("/etc/systemd/journald.conf", "[Journal]\nStorage=auto\n#Compress=no\n"),
            ("/usr/lib/systemd/journald.conf.d/10.conf", "[Journal]\nStorage=volatile\n"),
            ("/etc/systemd/journald.conf.d/20.conf", "[Journal]\nStorage=\\\npersistent\n"),
            ("/usr/lib/systemd/journald.conf.d/20.conf", "[Journal]\nStorage=none\n"),
            ("/usr/lib/systemd/journald.conf", "[Journal]\nHidden=yes\n"),
            ("/etc/systemd/timesyncd.conf", "[Time]\nNTP=a b\n"),
            ("/etc/systemd/timesyncd.conf.d/a.conf", "[Time]\nNTP=\nNTP=c\nNTP=d\n"),
            ("/etc/systemd/system/x.service", "[Unit]\nHidden=yes\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "/etc/systemd/journald.conf:2 Journal.Storage=auto -",
                "/usr/lib/systemd/journald.conf.d/10.conf:2 Journal.Storage=volatile -",
                "/etc/systemd/journald.conf.d/20.conf:2 Journal.Storage=persistent",
                "/etc/systemd/timesyncd.conf:2 Time.NTP=a b -",
                "/etc/systemd/timesyncd.conf.d/a.conf:2 Time.NTP=",
                "/etc/systemd/timesyncd.conf.d/a.conf:3 Time.NTP=c",
                "/etc/systemd/timesyncd.conf.d/a.conf:4 Time.NTP=d",
            ]
        );
    }

    #[test]
    fn a_directory_of_dconf_is_one_configuration() {
        let texts = [
            ("/etc/dconf/db/local.d/00-a", "[org/gnome/desktop/session]\nidle-delay=uint32 900\n"),
            ("/etc/dconf/db/local.d/10-b", "[org/gnome/desktop/session]\nidle-delay=uint32 600\n"),
            ("/etc/dconf/db/local.d/locks/a", "/org/gnome/desktop/session/idle-delay\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "/etc/dconf/db/local.d/00-a:2 org/gnome/desktop/session.idle-delay=uint32 900 -",
                "/etc/dconf/db/local.d/10-b:2 org/gnome/desktop/session.idle-delay=uint32 600",
            ]
        );
        let rows: Vec<Ini> = rows(&Lens, &texts);
        assert_eq!(rows[1].int_value, Some(600));
        assert_eq!(&*rows[1].config.0, "/etc/dconf/db/local.d");
    }

    #[test]
    fn repositories_and_other_files_stand_for_themselves() {
        let texts = [
            (
                "/etc/yum.repos.d/a.repo",
                "# x\n[a]\ngpgcheck = 1\nbaseurl=http://x\n  http://y\n[b] ; c\ngpgcheck=0\n",
            ),
            ("/etc/profile", "if [ x ]; then\nA=b\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "/etc/yum.repos.d/a.repo:3 a.gpgcheck=1",
                "/etc/yum.repos.d/a.repo:4 a.baseurl=http://x http://y",
                "/etc/yum.repos.d/a.repo:7 b.gpgcheck=0",
            ]
        );
    }
}
