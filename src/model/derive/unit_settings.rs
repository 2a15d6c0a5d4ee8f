//! `unit_settings`: what each systemd unit is set to, its file and drop-ins put together:
//! systemd.unit(5), systemd.exec(5), systemd.service(5), systemd.socket(5), systemd.timer(5),
//! systemd.path(5).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{ConfigFile, Service};
use crate::model::unit;
use crate::model::view::{Loaded, View};

facts! {
    /// Settings of systemd units, drop-ins put together, with the place of each.
    #[table(name = "unit_settings", origin = Derived, location = "{path}")]
    pub struct UnitSetting {
        /// Unit name with its type, for example `ssh.service`.
        pub unit: Arc<str>,
        /// The unit file or drop-in.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The section without brackets.
        pub section: Arc<str>,
        /// The key as written.
        pub key: Arc<str>,
        /// The value, continued lines joined; empty where a list begins anew.
        pub value: Arc<str>,
        /// Whether it counts: no later assignment takes its place or begins its list anew.
        pub effective: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        UnitSetting::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Service::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (services_state, services) = view.typed::<Service>()?;
        let config = view.config()?;
        let mut reading = Reading::of::<UnitSetting>(&config);
        for service in &services {
            let mut rows = settings(service, &config, &mut reading);
            mark(&mut rows);
            rows.into_iter().for_each(|row| reading.push(row));
        }
        let Loaded { state, rows } = reading.done();
        Ok(Loaded { state: services_state.and(state), rows })
    }
}

/// Every assignment of a unit in the order in which systemd reads them.
fn settings(service: &Service, config: &ConfigFiles, reading: &mut Reading) -> Vec<UnitSetting> {
    let paths = std::iter::once(&service.path.0).chain(&service.drop_ins);
    let mut rows = Vec::new();
    // A unit that an old script or a generator stands for has no text of its own.
    for file in paths.filter_map(|path| config.get(path)) {
        let text = reading.text(file);
        // One file forms any number of units: a drop-in of a type, a template.
        if !reading.afford(text.len()) {
            break;
        }
        rows.extend(unit::parse(text).assignments.into_iter().map(|entry| UnitSetting {
            unit: Arc::clone(&service.name),
            path: AbsPath(Arc::clone(&file.path)),
            line: entry.line.into(),
            section: entry.section.into(),
            key: entry.key.into(),
            value: entry.value.into(),
            effective: true,
        }));
    }
    rows
}

/// How assignments of a key go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'a> {
    /// The last one counts.
    Single(&'a str),
    /// All count; an empty one of any key of the group begins anew.
    List(&'a str),
    /// All count, and nothing takes them back.
    Grows,
}

/// Settings between units, of which an empty one changes nothing.
const DEPENDENCIES: [&str; 24] = [
    "After",
    "Before",
    "BindsTo",
    "BindTo",
    "Conflicts",
    "JoinsNamespaceOf",
    "OnFailure",
    "OnSuccess",
    "PartOf",
    "PropagateReloadFrom",
    "PropagateReloadTo",
    "PropagatesReloadTo",
    "PropagatesStopTo",
    "ReloadPropagatedFrom",
    "Requires",
    "RequiresMountsFor",
    "RequiresOverridable",
    "Requisite",
    "RequisiteOverridable",
    "Sockets",
    "StopPropagatedFrom",
    "Upholds",
    "Wants",
    "WantsMountsFor",
];

/// Settings whose values add up.
const LISTS: [&str; 71] = [
    "Alias",
    "Also",
    "AmbientCapabilities",
    "BPFProgram",
    "BindPaths",
    "BindReadOnlyPaths",
    "CPUAffinity",
    "CacheDirectory",
    "CapabilityBoundingSet",
    "ConfigurationDirectory",
    "DeviceAllow",
    "DisableControllers",
    "Documentation",
    "Environment",
    "EnvironmentFile",
    "ExecCondition",
    "ExecPaths",
    "ExecReload",
    "ExecReloadPost",
    "ExecSearchPath",
    "ExecStart",
    "ExecStartPost",
    "ExecStartPre",
    "ExecStop",
    "ExecStopPost",
    "ExecStopPre",
    "ExtensionDirectories",
    "ExtensionImages",
    "IODeviceLatencyTargetSec",
    "IODeviceWeight",
    "IOReadBandwidthMax",
    "IOReadIOPSMax",
    "IOWriteBandwidthMax",
    "IOWriteIOPSMax",
    "IPAddressAllow",
    "IPAddressDeny",
    "IPEgressFilterPath",
    "IPIngressFilterPath",
    "ImportCredential",
    "InaccessibleDirectories",
    "InaccessiblePaths",
    "LoadCredential",
    "LoadCredentialEncrypted",
    "LogExtraFields",
    "LogFilterPatterns",
    "LogsDirectory",
    "MountImages",
    "NFTSet",
    "NoExecPaths",
    "OpenFile",
    "PassEnvironment",
    "ReadOnlyDirectories",
    "ReadOnlyPaths",
    "ReadWriteDirectories",
    "ReadWritePaths",
    "RequiredBy",
    "RestrictAddressFamilies",
    "RestrictFileSystems",
    "RestrictNetworkInterfaces",
    "RuntimeDirectory",
    "SetCredential",
    "SetCredentialEncrypted",
    "SocketBindAllow",
    "SocketBindDeny",
    "StateDirectory",
    "SupplementaryGroups",
    "SystemCallFilter",
    "SystemCallLog",
    "TemporaryFileSystem",
    "UnsetEnvironment",
    "UpheldBy",
];

/// Lists that several keys fill: name of the group, and its keys.
const SHARED: [(&str, &[&str]); 3] = [
    (
        "timer",
        &[
            "OnActiveSec",
            "OnBootSec",
            "OnCalendar",
            "OnStartupSec",
            "OnUnitActiveSec",
            "OnUnitInactiveSec",
        ],
    ),
    ("path", &["DirectoryNotEmpty", "PathChanged", "PathExists", "PathExistsGlob", "PathModified"]),
    (
        "listen",
        &[
            "ListenDatagram",
            "ListenFIFO",
            "ListenMessageQueue",
            "ListenNetlink",
            "ListenSequentialPacket",
            "ListenSpecial",
            "ListenStream",
            "ListenUSBFunction",
        ],
    ),
];

fn kind(key: &str) -> Kind<'_> {
    if DEPENDENCIES.contains(&key) {
        return Kind::Grows;
    }
    let shared = SHARED.iter().find(|(_, keys)| keys.contains(&key)).map(|(group, _)| *group);
    let checks = ["Condition", "Assert"].into_iter().find(|group| key.starts_with(group));
    match shared.or(checks) {
        Some(group) => Kind::List(group),
        None if LISTS.contains(&key) || key == "WantedBy" => Kind::List(key),
        None => Kind::Single(key),
    }
}

/// Marks what a later assignment takes the place of.
fn mark(rows: &mut [UnitSetting]) {
    let mut begins: BTreeMap<(Arc<str>, Kind<'_>), usize> = BTreeMap::new();
    let keys: Vec<(Arc<str>, Arc<str>, bool)> = rows
        .iter()
        .map(|row| (Arc::clone(&row.section), Arc::clone(&row.key), row.value.is_empty()))
        .collect();
    for (at, (section, key, is_empty)) in keys.iter().enumerate() {
        let kind = kind(key);
        if matches!(kind, Kind::Single(_)) || (matches!(kind, Kind::List(_)) && *is_empty) {
            begins.insert((Arc::clone(section), kind), at);
        }
    }
    for (at, (row, (section, key, _))) in rows.iter_mut().zip(&keys).enumerate() {
        let begin = begins.get(&(Arc::clone(section), kind(key)));
        row.effective = begin.is_none_or(|begin| at >= *begin);
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn service(name: &str, path: &str, drop_ins: &[&str]) -> Service {
        Service {
            name: name.into(),
            path: AbsPath(path.into()),
            enabled: "static".into(),
            starts_at_boot: false,
            active: None,
            user: None,
            exec_start: Vec::new(),
            commands: None,
            aliases: Vec::new(),
            drop_ins: drop_ins.iter().map(|path| Arc::from(*path)).collect(),
        }
    }

    fn shown(facts: &MemoryFacts) -> Vec<String> {
        let rows = View::new(facts).typed::<UnitSetting>().unwrap().1;
        rows.iter()
            .map(|row| {
                let mark = if row.effective { "" } else { " -" };
                let place = row.path.0.rsplit('/').next().unwrap();
                format!("{place}:{} {}.{}={}{mark}", row.line, row.section, row.key, row.value)
            })
            .collect()
    }

    #[test]
    fn the_last_of_a_single_setting_and_all_of_a_list_count() {
        let facts = MemoryFacts::new()
            .with([
                text("/usr/lib/systemd/system/a.service", "[Unit]\nAfter=x\nConditionUser=a\n[Service]\nUser=a\nExecStart=/a\nPrivateTmp=no\n"),
                text("/etc/systemd/system/a.service.d/1.conf", "[Unit]\nAfter=\nAfter=y\nConditionHost=\n[Service]\nExecStart=\nExecStart=/b\nExecStart=/c\n"),
                text("/etc/systemd/system/a.service.d/2.conf", "[Service]\nPrivateTmp=\\\n  yes\n"),
                text("/etc/systemd/system/b.service", "[Service]\nUser=not asked\n"),
            ])
            .with([service(
                "a.service",
                "/usr/lib/systemd/system/a.service",
                &["/etc/systemd/system/a.service.d/1.conf", "/etc/systemd/system/a.service.d/2.conf"],
            )]);
        assert_eq!(
            shown(&facts),
            [
                "a.service:2 Unit.After=x",
                "a.service:3 Unit.ConditionUser=a -",
                "a.service:5 Service.User=a",
                "a.service:6 Service.ExecStart=/a -",
                "a.service:7 Service.PrivateTmp=no -",
                "1.conf:2 Unit.After=",
                "1.conf:3 Unit.After=y",
                "1.conf:4 Unit.ConditionHost=",
                "1.conf:6 Service.ExecStart=",
                "1.conf:7 Service.ExecStart=/b",
                "1.conf:8 Service.ExecStart=/c",
                "2.conf:2 Service.PrivateTmp=yes",
            ]
        );
    }

    #[test]
    fn timers_and_sockets_begin_all_their_lists_anew() {
        let path = "/etc/systemd/system/a.timer";
        let facts = MemoryFacts::new()
            .with([text(
                path,
                "[Timer]\nOnCalendar=daily\nOnBootSec=5\nOnBootSec=\nOnUnitActiveSec=1h\n",
            )])
            .with([service("a.timer", path, &[])]);
        assert_eq!(
            shown(&facts),
            [
                "a.timer:2 Timer.OnCalendar=daily -",
                "a.timer:3 Timer.OnBootSec=5 -",
                "a.timer:4 Timer.OnBootSec=",
                "a.timer:5 Timer.OnUnitActiveSec=1h",
            ]
        );
    }

    #[test]
    fn a_drop_in_that_could_not_be_read_leaves_it_open() {
        let mut unreadable = text("/etc/systemd/system/a.service.d/1.conf", "");
        unreadable.text = None;
        unreadable.problem = Some("permission denied".into());
        let facts = MemoryFacts::new().with([unreadable]).with([service(
            "a.service",
            "/usr/lib/systemd/system/a.service",
            &["/etc/systemd/system/a.service.d/1.conf"],
        )]);
        let (state, _) = View::new(&facts).typed::<UnitSetting>().unwrap();
        assert!(!state.is_complete(), "{state:?}");
    }
}
