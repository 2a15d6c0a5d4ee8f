//! `log_systems`: the programs that keep a host's log, which of them it uses, and whether journald
//! hands messages on: journald.conf(5).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::{self, ini::Ini};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{Host, Package, Service};
use crate::model::value::Value;
use crate::model::view::{Loaded, View};

facts! {
    /// Programs that keep the log: one row for each of `journald`, `journal-upload`, `rsyslog` and `syslog-ng`.
    #[table(name = "log_systems", origin = Derived, location = "{path}")]
    pub struct LogSystem {
        /// `journald`, `journal-upload`, `rsyslog` or `syslog-ng`.
        pub system: Arc<str>,
        /// The file that configures it, or for journald the one that says whether it hands on.
        pub path: AbsPath,
        /// The line that says whether journald hands on; none where nothing does.
        pub line: Option<i64>,
        /// Whether its package is installed; journald is part of systemd.
        pub installed: bool,
        /// Whether its service starts at boot.
        pub enabled: bool,
        /// Whether it is what keeps the log: it is enabled, or nothing says that another one is meant.
        pub used: bool,
        /// Whether journald hands messages on to a syslog daemon: of `journald`.
        pub forwards: Option<bool>,
    }
}

const JOURNALD: &str = "/etc/systemd/journald.conf";

/// Name, packages, units of which one starts it, the file to name.
type System = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);
const SYSTEMS: [System; 4] = [
    ("journald", &["systemd"], &["systemd-journald.service"], JOURNALD),
    (
        "journal-upload",
        &["systemd-journal-remote"],
        &["systemd-journal-upload.service"],
        "/etc/systemd/journal-upload.conf",
    ),
    ("rsyslog", &["rsyslog"], &["rsyslog.service"], "/etc/rsyslog.conf"),
    (
        "syslog-ng",
        &["syslog-ng", "syslog-ng-core"],
        &["syslog-ng.service"],
        "/etc/syslog-ng/syslog-ng.conf",
    ),
];

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        LogSystem::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Host::TABLE, Package::TABLE, Service::TABLE, Ini::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (hosts_state, hosts) = view.typed::<Host>()?;
        let (packages_state, packages) = view.typed::<Package>()?;
        let (services_state, services) = view.typed::<Service>()?;
        let loaded = view.table(Ini::TABLE)?;
        let settings: Vec<Ini> = loaded.rows.typed().collect();
        let settings_state = match lens::find(Ini::TABLE.name).and_then(lens::Lens::keyed) {
            Some(keyed) => view.state_of_rows(&loaded, keyed, &|config| is_journald(config))?,
            None => loaded.state,
        };
        let state = hosts_state.and(packages_state).and(services_state).and(settings_state);
        if !state.is_complete() {
            // What is used cannot be told from a part.
            return Ok(Loaded { state, rows: Arc::new(Rows::new(LogSystem::TABLE)) });
        }
        let forwarding = Forwarding::of(&settings);
        let installed: BTreeSet<&str> =
            packages.iter().filter(|p| &*p.status == "installed").map(|p| &*p.name).collect();
        let started: BTreeSet<&str> = services
            .iter()
            .filter(|service| match &*service.name {
                // It has no [Install] section: being there and not masked is enough.
                "systemd-journald.service" => !service.enabled.starts_with("masked"),
                _ => matches!(&*service.enabled, "enabled" | "enabled-runtime" | "generated"),
            })
            .flat_map(|service| service.aliases.iter().chain([&service.name]))
            .map(|name| &**name)
            .collect();
        let mut rows: Vec<LogSystem> = SYSTEMS
            .iter()
            .map(|(system, packages, units, path)| LogSystem {
                system: Arc::from(*system),
                path: AbsPath(Arc::from(*path)),
                line: None,
                installed: packages.iter().any(|name| installed.contains(name)),
                enabled: units.iter().any(|unit| started.contains(unit)),
                used: false,
                forwards: None,
            })
            .collect();
        let is_enabled = |name| rows.iter().any(|row| &*row.system == name && row.enabled);
        let used: &[&str] = if is_enabled("rsyslog") {
            &["rsyslog"]
        } else if is_enabled("syslog-ng") {
            &["syslog-ng"]
        } else if is_enabled("journal-upload") {
            &["journald", "journal-upload"]
        } else {
            match forwarding.says {
                Some(false) => &["journald", "journal-upload"],
                Some(true) => &["rsyslog", "syslog-ng"],
                None => &["journald", "journal-upload", "rsyslog", "syslog-ng"],
            }
        };
        for row in &mut rows {
            row.used = used.contains(&&*row.system);
            if &*row.system == "journald" {
                row.forwards =
                    Some(forwarding.says.unwrap_or_else(|| hosts.iter().any(by_default)));
                if let Some(place) = forwarding.place {
                    row.path = place.path.clone();
                    row.line = Some(place.line);
                }
            }
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// What the configuration of journald says about handing on: the last value that it can read.
struct Forwarding<'a> {
    says: Option<bool>,
    place: Option<&'a Ini>,
}

impl<'a> Forwarding<'a> {
    fn of(settings: &'a [Ini]) -> Self {
        let lines = settings.iter().filter(|row| {
            &*row.config.0 == JOURNALD
                && &*row.section == "Journal"
                && &*row.key == "ForwardToSyslog"
        });
        let last = lines.rev().find_map(|row| Some((boolean(&row.value)?, row)));
        Self { says: last.map(|(value, _)| value), place: last.map(|(_, row)| row) }
    }
}

fn is_journald(config: &Value) -> bool {
    matches!(config, Value::Text(path) if &**path == JOURNALD)
}

/// As systemd reads one.
fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Debian built journald to hand on until it shipped a file that says so instead, with systemd 253.
fn by_default(host: &Host) -> bool {
    let release = host.os_version.as_deref().unwrap_or_default();
    let major: Option<u32> = release.split('.').next().and_then(|text| text.parse().ok());
    let last = match host.os.as_deref() {
        Some("debian") => 12,
        Some("ubuntu") => 22,
        _ => return false,
    };
    major.is_some_and(|major| major <= last)
}
