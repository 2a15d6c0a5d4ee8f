//! `config.sysctl`: kernel parameters as `sysctl --system` would set them, sysctl.conf(5),
//! sysctl.d(5). A file name found in an earlier directory hides the same name in later ones; the
//! files are read in the order of their names and /etc/sysctl.conf last; the last line about a key
//! counts, one that only excludes it too, as for systemd-sysctl(8). ufw(8), where it is switched on,
//! reads a file of its own when it starts, after all that: ufw-framework(8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text, glob};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const DIRECTORIES: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];
const MAIN: &str = "/etc/sysctl.conf";
/// ufw's switch, and what names its file.
const UFW: (&str, &str) = ("/etc/ufw/ufw.conf", "ENABLED");
const UFW_FILE: (&str, &str) = ("/etc/default/ufw", "IPT_SYSCTL");

facts! {
    /// Assignments of kernel parameters in sysctl.d and sysctl.conf.
    #[table(name = "config.sysctl", origin = Lens, location = "{path}")]
    pub struct SysctlRow {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The parameter with dots; may hold `*`.
        pub key: Arc<str>,
        /// The value, white space folded; none where a line only excludes the key from globs.
        pub value: Option<Arc<str>>,
        /// Whether this is the last assignment of its key, which counts.
        pub effective: bool,
    }
}

/// Whether a key that may hold `*` speaks of a parameter. `*` stands for one part of the name.
pub fn is_match(pattern: &str, key: &str) -> bool {
    pattern == key || (is_glob(pattern) && glob::matches(&swapped(pattern), &swapped(key)))
}

/// Whether a key may speak of several parameters.
pub fn is_glob(key: &str) -> bool {
    key.contains(['*', '?', '['])
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        SysctlRow::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<SysctlRow>(files);
        let mut by_name: BTreeMap<&str, &Text> = BTreeMap::new();
        for directory in DIRECTORIES {
            for file in files.in_directory(directory, ".conf") {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                by_name.entry(name).or_insert(file);
            }
        }
        let mut rows: Vec<SysctlRow> = Vec::new();
        let of_ufw = variable(UFW, files, &mut reading)
            .filter(|on| on.eq_ignore_ascii_case("yes"))
            .and_then(|_| files.get(variable(UFW_FILE, files, &mut reading)?));
        for file in by_name.into_values().chain(files.get(MAIN)).chain(of_ufw) {
            for (line, text) in (1..).zip(reading.text(file).lines()) {
                let Some((key, value)) = assignment(text) else { continue };
                rows.push(SysctlRow {
                    path: AbsPath(Arc::clone(&file.path)),
                    line,
                    key: key.into(),
                    value: value.map(Arc::from),
                    effective: false,
                });
            }
        }
        let last: BTreeMap<Arc<str>, usize> =
            rows.iter().enumerate().map(|(at, row)| (Arc::clone(&row.key), at)).collect();
        for at in last.into_values() {
            rows[at].effective = true;
        }
        let expanded = expand(&rows);
        rows.into_iter().chain(expanded).for_each(|row| reading.push(row));
        Ok(reading.done())
    }
}

/// The last value of a variable in a file of a shell, without its quotes.
fn variable<'a>(
    (path, name): (&str, &str),
    files: &'a ConfigFiles,
    reading: &mut Reading,
) -> Option<&'a str> {
    let lines = reading.text(files.get(path)?).lines();
    let mut values = lines.filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    let value = values.next_back()?.split(" #").next()?.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

/// What globs set for `all` and `default`, which are interfaces on every host: the last glob that
/// speaks of one counts, unless a line names it exactly.
fn expand(rows: &[SysctlRow]) -> Vec<SysctlRow> {
    let exact: BTreeSet<&str> = rows.iter().map(|row| &*row.key).collect();
    let mut last: BTreeMap<String, &SysctlRow> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.value.is_some() && is_glob(&row.key)) {
        let Some((_, name)) = row.key.rsplit_once('.').filter(|(_, name)| !is_glob(name)) else {
            continue;
        };
        for place in ["ipv4.conf.all", "ipv4.conf.default", "ipv6.conf.all", "ipv6.conf.default"] {
            let key = format!("net.{place}.{name}");
            if is_match(&row.key, &key) && !exact.contains(&*key) {
                last.insert(key, row);
            }
        }
    }
    let named = last.into_iter().map(|(key, row)| SysctlRow {
        key: key.into(),
        effective: true,
        ..row.clone()
    });
    named.collect()
}

fn assignment(line: &str) -> Option<(String, Option<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return None;
    }
    let (line, dash) =
        line.strip_prefix('-').map_or((line, false), |rest| (rest.trim_start(), true));
    match line.split_once('=') {
        Some((key, value)) => {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            Some((dotted(key.trim()), Some(value)))
        }
        // A key alone after a dash is excluded from what globs set.
        None if dash => Some((dotted(line), None)),
        None => None,
    }
}

/// With a slash as the first separator, slashes separate and dots belong to names.
fn dotted(key: &str) -> String {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.strip_prefix("proc/sys/").unwrap_or(key);
    match key.find(['/', '.']) {
        Some(at) if key.as_bytes()[at] == b'/' => swapped(key),
        _ => key.to_owned(),
    }
}

/// Dots for slashes and slashes for dots.
fn swapped(key: &str) -> String {
    let swap = |character| match character {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    key.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn the_last_file_by_name_wins_and_etc_hides_usr() {
        let rows: Vec<SysctlRow> = rows(
            &Lens,
            &[
                ("/usr/lib/sysctl.d/50-a.conf", "kernel.x = 0\n"),
                ("/etc/sysctl.d/50-a.conf", "# mine\nkernel/x=1\n"),
                ("/etc/sysctl.d/60-b.conf", "-kernel.x =  2   3\n"),
                ("/etc/sysctl.d/notes.txt", "kernel.x = 9\n"),
            ],
        );
        let shown: Vec<_> =
            rows.iter().map(|r| (&*r.path.0, r.line, r.value.as_deref(), r.effective)).collect();
        assert_eq!(
            shown,
            [
                ("/etc/sysctl.d/50-a.conf", 2, Some("1"), false),
                ("/etc/sysctl.d/60-b.conf", 1, Some("2 3"), true),
            ]
        );
    }

    #[test]
    fn ufw_speaks_last_where_it_is_on() {
        let value = |on: &str, of_ufw: &str| {
            let rows: Vec<SysctlRow> = rows(
                &Lens,
                &[
                    (MAIN, "net.ipv4.tcp_syncookies = 1\n"),
                    (UFW.0, on),
                    (UFW_FILE.0, of_ufw),
                    ("/etc/ufw/sysctl.conf", "net/ipv4/tcp_syncookies=0\n"),
                ],
            );
            let last = rows.iter().find(|row| row.effective).and_then(|row| row.value.clone());
            last.unwrap_or_default()
        };
        let named = "#IPT_SYSCTL=/x\nIPT_SYSCTL=\"/etc/ufw/sysctl.conf\"\n";
        assert_eq!(&*value("ENABLED=yes\n", named), "0");
        assert_eq!(&*value("ENABLED=no\n", named), "1");
        assert_eq!(&*value("#ENABLED=yes\n", named), "1");
        assert_eq!(&*value("ENABLED=yes\n", "IPT_SYSCTL=\n"), "1");
    }

    #[test]
    fn a_glob_speaks_of_all_and_default_unless_a_line_names_them() {
        let text = "-net.ipv4.conf.all.rp_filter\nnet.ipv4.conf.*.rp_filter=2\nnet/ipv4/conf/*/rp_filter = 1\n";
        let rows: Vec<SysctlRow> = rows(&Lens, &[(MAIN, text)]);
        let of = |key: &str| rows.iter().find(|row| &*row.key == key && row.effective);
        let default = of("net.ipv4.conf.default.rp_filter").unwrap();
        assert_eq!((default.value.as_deref(), default.line), (Some("1"), 3));
        assert_eq!(of("net.ipv4.conf.all.rp_filter").unwrap().value, None);
    }

    #[test]
    fn globs_stand_for_one_part() {
        assert!(is_match("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0.rp_filter"));
        assert!(!is_match("net.*.rp_filter", "net.ipv4.conf.eth0.rp_filter"));
        assert_eq!(dotted("net/ipv4/conf/eth0.1/x"), "net.ipv4.conf.eth0/1.x");
    }
}
