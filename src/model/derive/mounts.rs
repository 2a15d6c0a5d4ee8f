//! `mounts`: the mount points of a host, as they are (live) and as /etc/fstab, mount units and
//! systemd itself will make them: mount(8), systemd.mount(5).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::lens::fstab::Fstab;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, Host, Mount, Service};
use crate::model::unit;
use crate::model::view::{Loaded, View};

facts! {
    /// Mount points, running and configured.
    #[table(name = "mounts", origin = Derived, location = "{path}")]
    pub struct MountPoint {
        /// The file that configures it; for a running mount its mount point.
        pub path: AbsPath,
        /// Line in /etc/fstab.
        pub line: Option<i64>,
        /// Mount point.
        pub target: AbsPath,
        /// Device or other source.
        pub source: Arc<str>,
        /// File system type.
        pub fstype: Arc<str>,
        /// Options; `nodev`, `nosuid` and `noexec` also where another option stands for them, and
        /// not where a later one takes them back.
        pub options: Vec<Arc<str>>,
        /// `running`, `fstab`, `unit` (a mount unit that starts at boot) or `systemd` (what it
        /// mounts by itself).
        pub origin: Arc<str>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        MountPoint::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Fstab::TABLE, Mount::TABLE, Service::TABLE, ConfigFile::TABLE, Host::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (configured_state, configured) = view.typed::<Fstab>()?;
        let (running_state, running) = view.typed::<Mount>()?;
        let (services_state, services) = view.typed::<Service>()?;
        let live = view.typed::<Host>()?.1.iter().any(|host| &*host.source == "live");
        // An image has no running mounts, and misses nothing by that.
        let running_state = if live { running_state } else { TableState::Collected };
        let mut rows: Vec<MountPoint> = running.into_iter().map(as_running).collect();
        let config = view.config()?;
        let lines: Vec<Fstab> =
            configured.into_iter().filter(|mount| mount.target.starts_with('/')).collect();
        let of_lines: BTreeSet<String> = lines.iter().map(|line| unit_name(&line.target)).collect();
        rows.extend(lines.into_iter().filter_map(|line| by_line(line, &services, &config)));
        let starting = services.iter().filter(|unit| unit.name.ends_with(".mount"));
        let starting = starting.filter(|unit| {
            unit.starts_at_boot && &*unit.enabled != "generated" && !of_lines.contains(&*unit.name)
        });
        rows.extend(starting.filter_map(|unit| as_unit(unit, &config)));
        let taken: BTreeSet<Arc<str>> = rows.iter().map(|row| Arc::clone(&row.target.0)).collect();
        if !live && services.iter().any(|unit| &*unit.name == "sysinit.target") {
            rows.extend(by_systemd().filter(|row| !taken.contains(&row.target.0)));
        }
        let rows = Arc::new(Rows::of(rows));
        let mut state = configured_state.and(running_state);
        if !services_state.is_complete() && has_systemd(&config) {
            // A mount unit may stand in place of a line.
            state = state.and(services_state);
        }
        Ok(Loaded { state, rows })
    }
}

/// Whether the host has systemd, as far as its configuration tells.
fn has_systemd(config: &ConfigFiles) -> bool {
    ["/etc/systemd", "/usr/lib/systemd"].iter().any(|place| config.under(place).next().is_some())
}

/// Whether a line is mounted at boot, or when somebody first looks: of `auto` and `noauto` the last
/// counts.
fn starts(options: &[Arc<str>]) -> bool {
    let last = options.iter().rev().find(|option| matches!(&***option, "auto" | "noauto"));
    last.is_none_or(|option| &**option == "auto")
        || options.iter().any(|option| &**option == "x-systemd.automount")
}

/// The mount of a line. systemd makes a unit of it, which stands behind one of that name in /etc or
/// /run and before the one that a package brings; drop-ins hold for both.
fn by_line(line: Fstab, services: &[Service], config: &ConfigFiles) -> Option<MountPoint> {
    let name = unit_name(&line.target);
    let unit = services.iter().find(|unit| *unit.name == *name);
    let own = unit.filter(|unit| {
        let path = &*unit.path.0;
        OWN_UNITS.iter().any(|place| path.strip_prefix(place) == Some(&*name))
    });
    let is_started = starts(&line.options) || unit.is_some_and(|unit| unit.starts_at_boot);
    match own {
        Some(unit) if unit.enabled.starts_with("masked") => None,
        Some(unit) => is_started.then(|| as_unit(unit, config))?,
        None => is_started.then(|| {
            let drop_ins = unit.map_or(&[][..], |unit| &unit.drop_ins);
            let options = mount_settings(drop_ins.iter().map(|path| &**path), config, "Options");
            let mut mount = as_configured(line);
            if let Some(options) = options {
                mount.options = resolved(options.split(','));
            }
            mount
        }),
    }
}

/// Where units of the administrator are, before those that are made from /etc/fstab.
const OWN_UNITS: [&str; 2] = ["/etc/systemd/system/", "/run/systemd/system/"];

/// The name of the unit of a mount point, as systemd-escape(1) makes it.
fn unit_name(target: &str) -> String {
    let path = target.trim_matches('/');
    let mut name = String::new();
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'/' if name.ends_with('-') => {}
            b'/' => name.push('-'),
            b'.' if at > 0 => name.push('.'),
            b':' | b'_' => name.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if name.is_empty() {
        name.push('-');
    }
    name + ".mount"
}

fn as_running(mount: Mount) -> MountPoint {
    MountPoint {
        path: mount.target.clone(),
        line: None,
        target: mount.target,
        source: mount.source,
        fstype: mount.fstype,
        options: mount.options,
        origin: "running".into(),
    }
}

fn as_configured(mount: Fstab) -> MountPoint {
    MountPoint {
        path: mount.path,
        line: Some(mount.line),
        target: AbsPath(mount.target),
        source: mount.source,
        fstype: mount.fstype,
        options: resolved(mount.options.iter().map(|option| &**option)),
        origin: "fstab".into(),
    }
}

/// The mount that a unit makes; none where its file says no mount point.
fn as_unit(service: &Service, config: &ConfigFiles) -> Option<MountPoint> {
    let last = |key: &str| {
        let drop_ins = service.drop_ins.iter().map(|path| &**path);
        mount_settings([&*service.path.0].into_iter().chain(drop_ins), config, key)
    };
    let target = last("Where")?;
    let target = if target.len() > 1 { target.trim_end_matches('/') } else { &target };
    Some(MountPoint {
        path: service.path.clone(),
        line: None,
        target: AbsPath(target.into()),
        source: last("What").unwrap_or_default(),
        fstype: last("Type").unwrap_or_default(),
        options: resolved(last("Options").as_deref().unwrap_or("defaults").split(',')),
        origin: "unit".into(),
    })
}

/// The last value of a setting of mount units in these files.
fn mount_settings<'a>(
    files: impl Iterator<Item = &'a str>,
    config: &ConfigFiles,
    key: &str,
) -> Option<Arc<str>> {
    let texts: Vec<unit::UnitText> = files
        .filter_map(|path| config.get(path)?.text.as_ref().ok().map(|text| unit::parse(text)))
        .collect();
    let values = texts.iter().flat_map(|text| text.values("Mount", key));
    values.last().map(|value| value.trim().into())
}

/// File systems that systemd mounts before it reads any configuration.
fn by_systemd() -> impl Iterator<Item = MountPoint> {
    const MOUNTS: [(&str, &str, &str); 2] =
        [("/dev/shm", "tmpfs", "nosuid,nodev"), ("/run", "tmpfs", "nosuid,nodev")];
    MOUNTS.into_iter().map(|(target, fstype, options)| MountPoint {
        path: AbsPath(target.into()),
        line: None,
        target: AbsPath(target.into()),
        source: fstype.into(),
        fstype: fstype.into(),
        options: resolved(options.split(',')),
        origin: "systemd".into(),
    })
}

/// Options in order, with those that stand for others resolved: the last word counts.
fn resolved<'a>(options: impl Iterator<Item = &'a str>) -> Vec<Arc<str>> {
    const RESTRICTING: [&str; 3] = ["nodev", "nosuid", "noexec"];
    let (mut list, mut on): (Vec<Arc<str>>, BTreeSet<&str>) = (Vec::new(), BTreeSet::new());
    for option in options.map(str::trim).filter(|option| !option.is_empty()) {
        match option {
            "defaults" => on.clear(),
            "user" | "users" => on.extend(RESTRICTING),
            "owner" | "group" => on.extend(["nodev", "nosuid"]),
            "dev" => drop(on.remove("nodev")),
            "suid" => drop(on.remove("nosuid")),
            "exec" => drop(on.remove("noexec")),
            _ => {}
        }
        match RESTRICTING.into_iter().find(|word| *word == option) {
            Some(word) => drop(on.insert(word)),
            None => list.push(option.into()),
        }
    }
    list.extend(RESTRICTING.into_iter().filter(|word| on.contains(word)).map(Arc::from));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn file(path: &str, text: &str) -> ConfigFile {
        ConfigFile { path: AbsPath(path.into()), text: Some(text.into()), problem: None }
    }

    fn service(name: &str, path: &str, drop_ins: &[&str]) -> Service {
        Service {
            name: name.into(),
            path: AbsPath(path.into()),
            enabled: "static".into(),
            starts_at_boot: true,
            active: None,
            user: None,
            exec_start: Vec::new(),
            commands: None,
            aliases: Vec::new(),
            drop_ins: drop_ins.iter().map(|path| Arc::from(*path)).collect(),
        }
    }

    #[test]
    fn the_last_option_counts() {
        let shown = |text: &str| resolved(text.split(',')).join(",");
        assert_eq!(shown("defaults,nodev,noexec"), "defaults,nodev,noexec");
        assert_eq!(shown("noexec,exec,rw"), "exec,rw");
        assert_eq!(shown("exec,noexec"), "exec,noexec");
        assert_eq!(shown("users,exec"), "users,exec,nodev,nosuid");
        assert_eq!(shown("nodev,defaults"), "defaults");
    }

    #[test]
    fn lines_that_are_not_mounted_at_boot() {
        let shown = |text: &str| starts(&text.split(',').map(Arc::from).collect::<Vec<_>>());
        assert_eq!(["defaults", "noauto,auto", "rw,noauto"].map(shown), [true, true, false]);
        assert!(shown("noauto,x-systemd.automount"));
    }

    #[test]
    fn a_line_stands_between_the_units_of_the_administrator_and_of_packages() {
        let names = ["/", "/tmp", "/var/log-x/", "/.a.b"].map(unit_name);
        assert_eq!(names, ["-.mount", "tmp.mount", "var-log\\x2dx.mount", "\\x2ea.b.mount"]);
        let shown = |path: &str, enabled: &str, texts: &[(&str, &str)]| {
            let mut unit = service("tmp.mount", path, &["/d/x.conf"]);
            unit.enabled = enabled.into();
            let texts = texts.iter().map(|(path, text)| file(path, text));
            let facts = MemoryFacts::new().with(texts.collect::<Vec<_>>()).with([unit]);
            let (_, rows) = View::new(&facts).typed::<MountPoint>().unwrap();
            let rows = rows.iter().map(|row| format!("{} {}", row.origin, row.options.join(",")));
            rows.collect::<Vec<_>>()
        };
        let line = ("/etc/fstab", "tmpfs /tmp tmpfs rw,nosuid 0 0\n");
        let vendor = ("/usr/lib/systemd/system/tmp.mount", "[Mount]\nWhere=/tmp\nOptions=nodev\n");
        let own = ("/etc/systemd/system/tmp.mount", "[Mount]\nWhere=/tmp\nOptions=noexec\n");
        assert_eq!(shown(vendor.0, "static", &[line, vendor]), ["fstab rw,nosuid"]);
        assert_eq!(shown(own.0, "static", &[line, own]), ["unit noexec"]);
        assert_eq!(shown(own.0, "masked", &[line]), [""; 0]);
        let drop_in = ("/d/x.conf", "[Mount]\nOptions=nodev\n");
        assert_eq!(shown(vendor.0, "static", &[line, vendor, drop_in]), ["fstab nodev"]);
    }

    #[test]
    fn units_and_systemd_make_mounts_too() {
        let facts = MemoryFacts::new()
            .with([
                file("/etc/fstab", "UUID=1 / ext4 defaults 0 1\ntmpfs /run tmpfs user 0 0\n"),
                file(
                    "/u/tmp.mount",
                    "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\nOptions=nosuid\n",
                ),
                file("/d/x.conf", "[Mount]\nOptions=mode=1777,noexec,nodev\n"),
            ])
            .with([
                service("tmp.mount", "/u/tmp.mount", &["/d/x.conf"]),
                service("sysinit.target", "/u/sysinit.target", &[]),
            ]);
        let (_, rows) = View::new(&facts).typed::<MountPoint>().unwrap();
        let shown: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {}", row.origin, row.target.0, row.options.join(",")))
            .collect();
        assert_eq!(
            shown,
            [
                "fstab / defaults",
                "fstab /run user,nodev,nosuid,noexec",
                "unit /tmp mode=1777,nodev,noexec",
                "systemd /dev/shm nodev,nosuid",
            ]
        );
    }
}
