//! `guarded_files`: files whose owner, group and mode rules ask about by name: logs, keys of the
//! SSH server, who may use cron and at, what belongs to auditd, boot loaders.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::lens::sshd::Sshd;
use crate::model::paths::joined;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, FileKind, Group, User};
use crate::model::view::{Loaded, View};

/// More files than the rules of any real host are about.
const MAX_ROWS: usize = 50_000;
const AUDIT_TOOLS: [&str; 8] =
    ["auditctl", "aureport", "ausearch", "autrace", "auditd", "augenrules", "audispd", "ausyscall"];
const SCHEDULERS: [&str; 4] =
    ["/etc/at.allow", "/etc/at.deny", "/etc/cron.allow", "/etc/cron.deny"];
/// Files of boot loaders, by name, below these directories.
const BOOT: [&str; 3] = ["/boot/grub", "/boot/grub2", "/boot/efi/EFI"];
const BOOT_FILES: [&str; 6] =
    ["grub.cfg", "grubenv", "user.cfg", "grub.conf", "menu.lst", "custom.cfg"];

facts! {
    /// Files that rules guard, with the names of their owner and group. Links are followed.
    #[table(name = "guarded_files", origin = Derived, location = "{path}")]
    pub struct GuardedFile {
        /// Absolute path.
        pub path: AbsPath,
        /// `log`, `ssh-private-key`, `ssh-public-key`, `scheduler` (cron.allow and its like), `audit-log`, `audit-log-directory`, `audit-config`, `audit-tool` or `boot-config`.
        pub class: Arc<str>,
        /// Permission bits.
        pub mode: Mode,
        /// Owner's user id.
        pub uid: i64,
        /// Group id.
        pub gid: i64,
        /// The owner's name; none where /etc/passwd has no such id.
        pub owner: Option<Arc<str>>,
        /// The group's name; none where /etc/group has no such id.
        pub group: Option<Arc<str>>,
        /// For logs and keys: why it is open to too many; none where it is not.
        pub problem: Option<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        GuardedFile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[File::TABLE, User::TABLE, Group::TABLE, ConfigFile::TABLE, Sshd::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (users_state, users) = view.typed::<User>()?;
        let (groups_state, groups) = view.typed::<Group>()?;
        let config = view.config()?;
        let (_, sshd) = view.typed::<Sshd>()?;
        let names = Names::new(&users, &groups, &config);
        let mut found = Found { names, rows: Vec::new(), too_many: false };
        for path in SCHEDULERS {
            found.look_up(view, path, "scheduler")?;
        }
        ssh_keys(view, &sshd, &mut found)?;
        audit(view, &config, &mut found)?;
        for directory in BOOT {
            found.below(view, directory, "boot-config", &|name, _| BOOT_FILES.contains(&name))?;
        }
        found.below(view, "/var/log", "log", &|_, path| !path.starts_with("/var/log/audit/"))?;
        let mut state =
            view.files_state().and(users_state).and(groups_state).and(config.state().clone());
        if found.too_many {
            state = state.and(TableState::truncated(format!("more than {MAX_ROWS} guarded files")));
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(found.rows)) })
    }
}

struct Found {
    names: Names,
    rows: Vec<GuardedFile>,
    too_many: bool,
}

impl Found {
    fn push(&mut self, file: &File, class: &str) {
        if self.rows.len() >= MAX_ROWS {
            self.too_many = true;
            return;
        }
        let mut row = GuardedFile {
            path: file.path.clone(),
            class: class.into(),
            mode: file.mode,
            uid: file.uid.into(),
            gid: file.gid.into(),
            owner: self.names.users.get(&file.uid.into()).cloned(),
            group: self.names.groups.get(&file.gid.into()).cloned(),
            problem: None,
        };
        row.problem = match class {
            "log" => self.names.log_problem(&row),
            "ssh-private-key" => private_key_problem(&row),
            "ssh-public-key" => problem(&row, 0o133, &["root"], &["root"]),
            _ => None,
        };
        self.rows.push(row);
    }

    /// A file by its path; where that is a link, the file that it leads to.
    fn look_up(&mut self, view: &View<'_>, path: &str, class: &str) -> Result<(), FactError> {
        let Some(file) = view.source().file(path)? else { return Ok(()) };
        let followed = match (&file.kind, &file.link_target) {
            (FileKind::Link, Some(target)) => view.source().file(&joined(path, target))?,
            _ => None,
        };
        self.push(&followed.unwrap_or(file), class);
        Ok(())
    }

    /// Every regular file below a directory that `keep` wants by its name and path.
    fn below(
        &mut self,
        view: &View<'_>,
        directory: &str,
        class: &str,
        keep: &dyn Fn(&str, &str) -> bool,
    ) -> Result<(), FactError> {
        view.source().files_under(directory, &mut |row| {
            if let Some(file) = row.typed::<File>() {
                let name = file.path.0.rsplit('/').next().unwrap_or_default();
                if file.kind == FileKind::File && keep(name, &file.path.0) {
                    self.push(&file, class);
                }
            }
            if self.too_many { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}

/// `HostKey` names keys; without it sshd looks for ssh_host_*_key in /etc/ssh. What lies there
/// beside a file of the same name and `.pub` is a key, too.
fn ssh_keys(view: &View<'_>, sshd: &[Sshd], found: &mut Found) -> Result<(), FactError> {
    let mut private: BTreeSet<String> = sshd
        .iter()
        .filter(|row| &*row.keyword == "hostkey")
        .map(|row| row.value.to_string())
        .collect();
    let mut public: BTreeSet<String> = private.iter().map(|path| format!("{path}.pub")).collect();
    view.source().files_under("/etc/ssh", &mut |row| {
        if let Some(file) = row.typed::<File>()
            && file.kind == FileKind::File
        {
            if file.path.0.ends_with("_key") {
                private.insert(file.path.0.to_string());
            } else if let Some(own) = file.path.0.strip_suffix(".pub") {
                public.insert(file.path.0.to_string());
                private.insert(own.to_owned());
            }
        }
        ControlFlow::Continue(())
    })?;
    for path in &private {
        found.look_up(view, path, "ssh-private-key")?;
    }
    for path in &public {
        found.look_up(view, path, "ssh-public-key")?;
    }
    Ok(())
}

/// auditd.conf(5) says where the log is; the tools are in /usr/sbin, or /sbin on older hosts.
fn audit(view: &View<'_>, config: &ConfigFiles, found: &mut Found) -> Result<(), FactError> {
    let log = log_file(config);
    let directory = log.rsplit_once('/').map_or("/", |(directory, _)| directory).to_owned();
    if let Some(file) = view.source().file(&directory)? {
        found.push(&file, "audit-log-directory");
    }
    found.below(view, &directory, "audit-log", &|_, _| true)?;
    found.below(view, "/etc/audit", "audit-config", &|name, _| {
        name.ends_with(".conf") || name.ends_with(".rules")
    })?;
    for tool in AUDIT_TOOLS {
        for directory in ["/usr/sbin", "/sbin"] {
            if let Some(file) = view.source().file(&format!("{directory}/{tool}"))? {
                found.push(&file, "audit-tool");
                break;
            }
        }
    }
    Ok(())
}

fn log_file(config: &ConfigFiles) -> String {
    let text = config.get("/etc/audit/auditd.conf").and_then(|file| file.text.as_deref().ok());
    let mut value = text.unwrap_or_default().lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("log_file").then(|| value.trim())
    });
    let value = value.next_back().filter(|value| value.starts_with('/'));
    value.unwrap_or("/var/log/audit/audit.log").to_owned()
}

/// Names of ids, and the users whose shell lets them in.
struct Names {
    users: BTreeMap<i64, Arc<str>>,
    groups: BTreeMap<i64, Arc<str>>,
    people: BTreeSet<Arc<str>>,
}

impl Names {
    fn new(users: &[User], groups: &[Group], config: &ConfigFiles) -> Self {
        let shells: BTreeSet<&str> = config
            .get("/etc/shells")
            .and_then(|file| file.text.as_deref().ok())
            .unwrap_or_default()
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with('/') && !line.ends_with("/nologin"))
            .collect();
        let person = |user: &&User| &*user.name != "root" && shells.contains(&*user.shell.0);
        let mut names = Self {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            people: users.iter().filter(person).map(|user| Arc::clone(&user.name)).collect(),
        };
        for user in users {
            names.users.entry(user.uid).or_insert_with(|| Arc::clone(&user.name));
        }
        for group in groups {
            names.groups.entry(group.gid).or_insert_with(|| Arc::clone(&group.name));
        }
        names
    }

    /// By the name of the log: who writes it needs it, and nobody else.
    fn log_problem(&self, row: &GuardedFile) -> Option<Arc<str>> {
        let name = row.path.0.rsplit('/').next().unwrap_or_default();
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        let rotated = |words: &[&str]| {
            words.iter().any(|word| {
                name.strip_prefix(word)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
            })
        };
        let below = |directory: &str| row.path.0.contains(&format!("/{directory}/"));
        if rotated(&["lastlog", "wtmp", "btmp"]) || name == "README" {
            return problem(row, 0o113, &["root"], &["root", "utmp"]);
        }
        if begins(&["cloud-init.log", "localmessages", "waagent.log"]) {
            return problem(row, 0o133, &["root", "syslog"], &["root", "adm"]);
        }
        if below("sssd") || matches!(name, "sssd" | "SSSD") {
            return problem(row, 0o117, &["root", "sssd", "SSSD"], &["root", "sssd", "SSSD"]);
        }
        if below("gdm") || below("gdm3") || matches!(name, "gdm" | "gdm3") {
            return problem(row, 0o117, &["root", "gdm"], &["root", "gdm", "gdm3"]);
        }
        if name.ends_with(".journal") || name.ends_with(".journal~") {
            return problem(row, 0o137, &["root"], &["root", "systemd-journal"]);
        }
        // A service may own its logs; a person may not.
        let owner = row.owner.as_deref().filter(|owner| !self.people.contains(*owner));
        let (mut owners, mut groups) = (vec!["root", "syslog"], vec!["root", "adm"]);
        owners.extend(owner);
        groups.extend(owner.and(row.group.as_deref()));
        problem(row, 0o137, &owners, &groups)
    }
}

/// The group ssh_keys (or _ssh) is there so that ssh-keysign can read them.
fn private_key_problem(row: &GuardedFile) -> Option<Arc<str>> {
    let keepers = ["ssh_keys", "_ssh"];
    let kept = row.group.as_deref().is_some_and(|group| keepers.contains(&group));
    problem(row, if kept { 0o137 } else { 0o177 }, &["root"], &["root", "ssh_keys", "_ssh"])
}

fn problem(
    row: &GuardedFile,
    forbidden: u32,
    owners: &[&str],
    groups: &[&str],
) -> Option<Arc<str>> {
    let root =
        |id: i64, name: &Option<Arc<str>>| if id == 0 { Some("root".into()) } else { name.clone() };
    let (owner, group) = (root(row.uid, &row.owner), root(row.gid, &row.group));
    let allowed = |name: &Option<Arc<str>>, list: &[&str]| {
        name.as_deref().is_some_and(|name| list.contains(&name))
    };
    let shown =
        |id: i64, name: &Option<Arc<str>>| name.as_deref().map_or(id.to_string(), str::to_owned);
    if row.mode.0 & forbidden != 0 {
        Some(format!("mode {:04o} has bits of {forbidden:04o}", row.mode.0).into())
    } else if !allowed(&owner, owners) {
        Some(format!("it belongs to {}", shown(row.uid, &owner)).into())
    } else if !allowed(&group, groups) {
        Some(format!("its group is {}", shown(row.gid, &group)).into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lens::testing::files;

    fn row(path: &str, mode: u32, owner: &str, group: &str) -> GuardedFile {
        GuardedFile {
            path: AbsPath(path.into()),
            class: "log".into(),
            mode: Mode(mode),
            uid: i64::from(owner != "root"),
            gid: i64::from(group != "root"),
            owner: Some(owner.into()),
            group: Some(group.into()),
            problem: None,
        }
    }

    #[test]
    fn every_log_has_its_readers() {
        let person = User {
            name: "person".into(),
            uid: 1000,
            gid: 1000,
            gecos: "".into(),
            home: AbsPath("/".into()),
            shell: AbsPath("/bin/sh".into()),
            password: "shadowed".into(),
            line: 1,
        };
        let config = files(&[("/etc/shells", "/bin/sh\n")]);
        let names = Names::new(&[person], &[], &config);
        let fine =
            |path, mode, owner, group| names.log_problem(&row(path, mode, owner, group)).is_none();
        assert!(fine("/var/log/wtmp", 0o664, "root", "utmp"));
        assert!(fine("/var/log/btmp-20250101", 0o660, "root", "utmp"));
        assert!(!fine("/var/log/wtmpx", 0o664, "root", "utmp"));
        assert!(fine("/var/log/auth.log", 0o640, "syslog", "adm"));
        assert!(!fine("/var/log/auth.log", 0o644, "root", "adm"));
        assert!(fine("/var/log/postgresql/x.log", 0o640, "postgres", "postgres"));
        assert!(!fine("/var/log/x.log", 0o640, "person", "adm"));
        assert!(!fine("/var/log/x.log", 0o640, "person", "root"));
        assert!(fine("/var/log/journal/a/system.journal", 0o640, "root", "systemd-journal"));
        assert!(fine("/var/log/cloud-init.log", 0o644, "syslog", "adm"));
    }

    #[test]
    fn keys_may_be_read_by_the_group_that_keeps_them() {
        assert!(private_key_problem(&row("/k", 0o640, "root", "ssh_keys")).is_none());
        assert!(private_key_problem(&row("/k", 0o640, "root", "root")).is_some());
        assert!(private_key_problem(&row("/k", 0o600, "root", "root")).is_none());
        assert!(private_key_problem(&row("/k", 0o600, "a", "root")).is_some());
        assert!(private_key_problem(&row("/k", 0o600, "root", "a")).is_some());
    }

    #[test]
    fn links_and_the_log_file_are_found() {
        assert_eq!(joined("/etc/ssh/a", "../x/./b"), "/etc/x/b");
        assert_eq!(joined("/etc/ssh/a", "/b"), "/b");
        let log = |text: &str| log_file(&files(&[("/etc/audit/auditd.conf", text)]));
        assert_eq!(log("# x\nLog_File = /srv/a.log\n"), "/srv/a.log");
        assert_eq!(log("log_group = adm\n"), "/var/log/audit/audit.log");
    }
}
