//! One process, from its directory in /proc (proc_pid(5)).

use std::fs;
use std::io;
use std::path::Path;

use super::files::{is_denied, read, read_text};
use crate::collect::redact;
use crate::model::cell::AbsPath;
use crate::model::table::Process;
use crate::model::unit::UnitName;

/// Longest command line that is kept, in bytes.
const LONGEST_COMMAND: u64 = 8 * 1024;
/// Longest status or list of control groups.
const LONGEST: u64 = 64 * 1024;
/// The flag of a kernel thread among those of /proc/PID/stat.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What was seen of a process.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The row.
    pub(super) process: Process,
    /// Whether the executable could not be seen for lack of the right to.
    pub(super) exe_denied: bool,
    /// Whether it is a thread of the kernel.
    pub(super) kernel: bool,
    /// Whether its file system is another one than this process's: it runs in a container.
    pub(super) contained: bool,
}

/// Parts of /proc/PID/stat.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) name: String,
    pub(super) parent: i64,
    pub(super) kernel: bool,
    /// Ticks since the machine started; with the pid it names a process for good.
    pub(super) started: u64,
}

/// `1 (a name) S 0 ...`: the name is in the outermost brackets and may have any character.
pub(super) fn stat(text: &str) -> Option<Stat> {
    let (before, after) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at);
    let flags: u64 = field(6)?.parse().ok()?;
    Some(Stat {
        name: name.to_owned(),
        parent: field(1)?.parse().ok()?,
        kernel: flags & KERNEL_THREAD != 0,
        started: field(19)?.parse().ok()?,
    })
}

/// The stat of a process.
///
/// # Errors
/// As the system gives them: it is gone, or hidden.
pub(super) fn stat_of(directory: &Path) -> io::Result<Stat> {
    let (text, _) = read_text(directory.join("stat"), LONGEST)?;
    stat(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Looks at a process. None where it is gone or hidden.
pub(super) fn look(
    directory: &Path,
    pid: i64,
    stat: &Stat,
    own_root: Option<(u64, u64)>,
) -> Option<Seen> {
    let (status, _) = read_text(directory.join("status"), LONGEST).ok()?;
    let uid = effective(&status, "Uid:")?;
    let gid = effective(&status, "Gid:")?;
    let root = identity(&directory.join("root"));
    let contained = !stat.kernel && own_root.is_some() && root.is_some() && root != own_root;
    let (exe, exe_denied) = match fs::read_link(directory.join("exe")) {
        Ok(_) if contained => (None, false),
        Ok(path) => (executable(&path.to_string_lossy()), false),
        Err(error) => (None, is_denied(&error)),
    };
    let command = read(directory.join("cmdline"), LONGEST_COMMAND);
    let groups = read_text(directory.join("cgroup"), LONGEST);
    let label = read_text(directory.join("attr/current"), LONGEST).ok();
    let process = Process {
        pid,
        parent: stat.parent,
        name: stat.name.as_str().into(),
        exe,
        command_line: command.map(|(bytes, whole)| command_line(&bytes, whole)).unwrap_or_default(),
        uid,
        gid,
        unit: groups.ok().and_then(|(groups, _)| unit(&groups).map(Into::into)),
        label: label
            .map(|(label, _)| label.trim_end_matches(['\0', '\n']).into())
            .filter(|label: &std::sync::Arc<str>| !label.is_empty()),
    };
    Some(Seen { process, exe_denied, kernel: stat.kernel, contained })
}

/// Device and inode of a directory, to tell file systems apart.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    // Without the right to look, the answer is not known.
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// The second of the four ids behind a key of /proc/PID/status.
fn effective(status: &str, key: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The path of an executable, without the kernel's mark for files that are gone. One that never
/// had a name (memfd) has no path.
fn executable(link: &str) -> Option<AbsPath> {
    let path = link.strip_suffix(" (deleted)").unwrap_or(link);
    (path.starts_with('/') && !path.starts_with("/memfd:")).then(|| AbsPath(path.into()))
}

/// The arguments joined by one space, secrets redacted.
fn command_line(bytes: &[u8], whole: bool) -> std::sync::Arc<str> {
    let text = String::from_utf8_lossy(bytes);
    let words = text.trim_end_matches('\0').replace('\0', " ");
    let line = redact::command_line(&words);
    if whole { line.into() } else { format!("{line} ...").into() }
}

/// The unit of a process: the first part of its path in systemd's hierarchy that is no slice, as
/// `systemctl status PID` finds it. Units of a user's own manager belong to `user@UID.service`.
pub(super) fn unit(groups: &str) -> Option<&str> {
    let path = |wanted: &str| {
        groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            (controllers == wanted).then_some(path)
        })
    };
    // With both hierarchies mounted systemd uses the named one, and the new one is at its root.
    let path = path("name=systemd").or_else(|| path(""))?;
    path.split('/')
        // systemd writes `_` before names that could be files of the hierarchy.
        .map(|part| part.strip_prefix('_').unwrap_or(part))
        .filter_map(UnitName::new)
        .find(|name| name.unit_type != "slice")
        .map(|name| name.full)
}

/// The process ids in /proc, in order.
///
/// # Errors
/// As the system gives them.
pub(super) fn pids(proc: &Path) -> io::Result<Vec<i64>> {
    let mut pids: Vec<i64> = fs::read_dir(proc)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    Ok(pids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_brackets() {
        let text = "7 (a) b (c)) S 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 786067 3133440 360";
        let parsed = stat(text).unwrap();
        assert_eq!((parsed.name.as_str(), parsed.parent, parsed.started), ("a) b (c)", 3, 786_067));
        assert!(!parsed.kernel);
        for bad in ["", "7", "7 (a", ")(", "7 (a) S", "7 (a) S x x x x x x x"] {
            assert_eq!(stat(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn units_from_control_groups() {
        for (groups, expected) in [
            ("0::/system.slice/ssh.service\n", Some("ssh.service")),
            ("0::/user.slice/user-0.slice/session-2.scope", Some("session-2.scope")),
            (
                "0::/user.slice/user-1.slice/user@1.service/app.slice/x.service",
                Some("user@1.service"),
            ),
            ("4:memory:/a.service\n1:name=systemd:/init.scope\n0::/\n", Some("init.scope")),
            ("0::/system.slice/docker-abc.scope/inner", Some("docker-abc.scope")),
            ("0::/", None),
            ("nonsense", None),
        ] {
            assert_eq!(unit(groups), expected, "{groups}");
        }
    }

    #[test]
    fn ids_executables_and_commands() {
        let status = "Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t5\t6\t7\t8\n";
        assert_eq!((effective(status, "Uid:"), effective(status, "Gid:")), (Some(0), Some(6)));
        assert_eq!(effective("Uid:\tx", "Uid:"), None);
        assert_eq!(executable("/usr/bin/x (deleted)").unwrap().0.as_ref(), "/usr/bin/x");
        assert_eq!(executable("/memfd:x (deleted)"), None);
        assert_eq!(&*command_line(b"/bin/a\0--x\0y z\0", true), "/bin/a --x y z");
        assert!(!command_line(b"mysql\0--password=hunter2\0", true).contains("hunter2"));
    }

    #[test]
    fn this_process_sees_itself() {
        let pid = i64::from(std::process::id());
        let directory = Path::new("/proc").join(pid.to_string());
        let stat = stat_of(&directory).unwrap();
        let seen = look(&directory, pid, &stat, identity(Path::new("/proc/self/root"))).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(seen.process.exe.unwrap().0.as_ref(), exe.to_str().unwrap());
        assert!(!seen.contained && !seen.kernel && !seen.exe_denied);
        assert!(pids(Path::new("/proc")).unwrap().contains(&pid));
    }
}
