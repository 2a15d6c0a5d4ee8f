//! `time_daemons`: the user that each time daemon runs as: chronyd(8), chrony.conf(5), ntpd(8) and
//! the scripts with which distributions start them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::lens::chrony::Chrony;
use crate::model::lens::key_value::assignment;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, Host, Package, Service};
use crate::model::view::{Loaded, View};

facts! {
    /// Time daemons that are installed, with the user each runs as.
    #[table(name = "time_daemons", origin = Derived, location = "{path}")]
    pub struct TimeDaemon {
        /// `chrony` or `ntp`.
        pub daemon: Arc<str>,
        /// The user.
        pub user: Arc<str>,
        /// The file that says so, or would.
        pub path: AbsPath,
        /// The line in it; none where the daemon's own default holds.
        pub line: Option<i64>,
    }
}

/// Names of the variable with a daemon's options, and the files that set it.
type Options = &'static [(&'static str, &'static str)];
const CHRONY_OPTIONS: Options =
    &[("DAEMON_OPTS", "/etc/default/chrony"), ("OPTIONS", "/etc/sysconfig/chronyd")];
const NTP_OPTIONS: Options = &[
    ("NTPD_OPTS", "/etc/default/ntp"),
    ("NTPD_OPTS", "/etc/default/ntpsec"),
    ("OPTIONS", "/etc/sysconfig/ntpd"),
];
/// The script with which Debian and Ubuntu start ntpd names its user last, so that it counts.
const NTP_SCRIPTS: [&str; 2] = ["/etc/init.d/ntp", "/etc/init.d/ntpsec"];

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        TimeDaemon::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Host::TABLE, Package::TABLE, Service::TABLE, ConfigFile::TABLE, Chrony::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (hosts_state, hosts) = view.typed::<Host>()?;
        let (packages_state, packages) = view.typed::<Package>()?;
        let (services_state, services) = view.typed::<Service>()?;
        let (chrony_state, settings) = view.typed::<Chrony>()?;
        let config = view.config()?;
        let installed: BTreeSet<&str> =
            packages.iter().filter(|p| &*p.status == "installed").map(|p| &*p.name).collect();
        let state = hosts_state
            .and(packages_state)
            .and(services_state)
            .and(chrony_state)
            .and(config.state().clone())
            .and(unread(&config));
        if !state.is_complete() {
            // The user cannot be told from a part.
            return Ok(Loaded { state, rows: Arc::new(Rows::new(TimeDaemon::TABLE)) });
        }
        let mut rows = Vec::new();
        if installed.contains("chrony") {
            let host = hosts.first();
            rows.extend(chrony(&config, &services, &settings, host));
        }
        if ["ntp", "ntpsec", "ntpd"].iter().any(|name| installed.contains(name)) {
            rows.extend(ntp(&config, &services));
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// Whether a file that names options could not be read.
fn unread(config: &ConfigFiles) -> TableState {
    let files = CHRONY_OPTIONS.iter().chain(NTP_OPTIONS).map(|(_, path)| *path);
    for path in files.chain(NTP_SCRIPTS) {
        if let Some(Err(problem)) = config.get(path).map(|file| &file.text) {
            return TableState::truncated(format!("{path}: {problem}"));
        }
    }
    TableState::Collected
}

fn row(daemon: &str, user: &str, path: &str, line: Option<i64>) -> TimeDaemon {
    let user = user.split(':').next().unwrap_or(user);
    TimeDaemon { daemon: daemon.into(), user: user.into(), path: AbsPath(Arc::from(path)), line }
}

/// `-u` on the command line counts, then the last `user`, then what the distribution built in.
fn chrony(
    config: &ConfigFiles,
    services: &[Service],
    settings: &[Chrony],
    host: Option<&Host>,
) -> Vec<TimeDaemon> {
    let units = ["chrony.service", "chronyd.service"];
    let (found, certain) = option(config, services, &units, CHRONY_OPTIONS);
    let mut rows: Vec<TimeDaemon> =
        found.iter().map(|(user, path, line)| row("chrony", user, path, *line)).collect();
    if !certain {
        rows.push(match settings.iter().rfind(|row| &*row.directive == "user") {
            Some(setting) => row("chrony", &setting.value, &setting.path.0, Some(setting.line)),
            None => built_in(host),
        });
    }
    rows
}

fn built_in(host: Option<&Host>) -> TimeDaemon {
    let os = host.and_then(|host| host.os.as_deref()).unwrap_or_default();
    let is = |names: &[&str]| {
        let like = |word: &Arc<str>| names.contains(&&**word);
        names.contains(&os) || host.is_some_and(|host| host.os_like.iter().any(like))
    };
    if is(&["debian", "ubuntu"]) {
        row("chrony", "_chrony", "/etc/chrony/chrony.conf", None)
    } else if is(&["rhel", "fedora", "amzn"]) {
        row("chrony", "chrony", "/etc/chrony.conf", None)
    } else {
        row("chrony", "root", "/etc/chrony.conf", None)
    }
}

fn ntp(config: &ConfigFiles, services: &[Service]) -> Vec<TimeDaemon> {
    for path in NTP_SCRIPTS {
        if let Some((line, user)) = last(config, path, "RUNASUSER") {
            return vec![row("ntp", user, path, Some(line))];
        }
    }
    let units = ["ntp.service", "ntpd.service", "ntpsec.service"];
    let (found, _) = option(config, services, &units, NTP_OPTIONS);
    match found {
        Some((user, path, line)) => vec![row("ntp", &user, &path, line)],
        None => vec![row("ntp", "root", "/etc/ntp.conf", None)],
    }
}

/// The last assignment of a variable in a file.
fn last<'c>(config: &'c ConfigFiles, path: &str, key: &str) -> Option<(i64, &'c str)> {
    let text = config.get(path)?.text.as_deref().ok()?;
    let lines = (1..).zip(text.lines());
    let found = lines.filter_map(|(line, text)| Some((line, assignment(text)?)));
    found.filter(|(_, (name, _))| *name == key).last().map(|(line, (_, value))| (line, value))
}

/// A user, and the file and line that name it.
type Named = (String, Arc<str>, Option<i64>);

/// The user after `-u`: in the file of options, which units put last, or in the unit's command. And
/// whether it holds for certain: that of a file does where the unit uses its variable.
fn option(
    config: &ConfigFiles,
    services: &[Service],
    units: &[&str],
    variables: Options,
) -> (Option<Named>, bool) {
    let unit = services.iter().find(|service| units.contains(&&*service.name));
    let commands = || unit.iter().flat_map(|unit| unit.exec_start.iter().rev());
    for (key, path) in variables {
        let Some((line, value)) = last(config, path, key) else { continue };
        let words: Vec<&str> = value.split_whitespace().collect();
        if let Some(user) = user(&words) {
            let names = [format!("${key}"), format!("${{{key}}}")];
            let uses = |command: &Arc<str>| {
                command.split_whitespace().any(|word| names.iter().any(|name| name == word))
            };
            let certain = unit.is_none() || commands().any(uses);
            return (Some((user, Arc::from(*path), Some(line))), certain);
        }
    }
    for command in commands() {
        let words: Vec<&str> = command.split_whitespace().collect();
        if let (Some(user), Some(unit)) = (user(&words), unit) {
            let path = unit.drop_ins.last().unwrap_or(&unit.path.0);
            return (Some((user, Arc::clone(path), None)), true);
        }
    }
    (None, false)
}

/// The value of the last `-u`, as a word of its own or not.
fn user(words: &[&str]) -> Option<String> {
    let own = words.windows(2).filter(|pair| pair.first() == Some(&"-u")).filter_map(|p| p.get(1));
    let mut joined = words.iter().rev().filter_map(|word| word.strip_prefix("-u"));
    let user = own.copied().last().or_else(|| joined.find(|user| !user.is_empty()))?;
    Some(user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lens::testing::files;

    fn unit(command: &str) -> Vec<Service> {
        vec![Service {
            name: "chrony.service".into(),
            path: AbsPath("/u".into()),
            enabled: "enabled".into(),
            starts_at_boot: true,
            active: None,
            user: None,
            exec_start: vec![command.into()],
            commands: None,
            aliases: Vec::new(),
            drop_ins: Vec::new(),
        }]
    }

    fn runs_as(services: &[Service], texts: &[(&str, &str)]) -> (Option<String>, bool) {
        let (found, certain) = option(&files(texts), services, &["chrony.service"], CHRONY_OPTIONS);
        (found.map(|found| found.0), certain)
    }

    #[test]
    fn the_option_of_the_file_counts_before_that_of_the_unit() {
        let file = [("/etc/sysconfig/chronyd", "OPTIONS=\"-F 2 -u x\"\nOPTIONS=\"-F 2 -uroot\"\n")];
        let root = || Some("root".to_owned());
        assert_eq!(runs_as(&unit("/usr/sbin/chronyd -u a $OPTIONS"), &file), (root(), true));
        assert_eq!(runs_as(&unit("/usr/sbin/chronyd"), &file), (root(), false));
        assert_eq!(runs_as(&[], &file), (root(), true));
        assert_eq!(runs_as(&unit("/usr/sbin/chronyd -u a -u b"), &[]), (Some("b".into()), true));
        assert_eq!(runs_as(&unit("/usr/sbin/chronyd"), &[]), (None, false));
    }

    #[test]
    fn the_script_of_ntpd_has_the_last_word() {
        let texts = [
            ("/etc/init.d/ntp", "RUNASUSER=ntp\n"),
            ("/etc/default/ntp", "NTPD_OPTS='-g -u root'\n"),
            ("/etc/sysconfig/ntpd", "OPTIONS=\"-u ntpd:ntp -p /x\"\n"),
        ];
        assert_eq!(&*ntp(&files(&texts), &[])[0].user, "ntp");
        assert_eq!(&*ntp(&files(&texts[1..]), &[])[0].user, "root");
        assert_eq!(&*ntp(&files(&texts[2..]), &[])[0].user, "ntpd");
        assert_eq!(&*ntp(&files(&[]), &[])[0].user, "root");
    }
}
