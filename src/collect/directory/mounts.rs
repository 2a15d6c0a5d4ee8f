//! Which mounts below a root belong to the host: its local file systems do; what the kernel makes
//! up (proc, sysfs, ...) and what another machine keeps (nfs, cifs, ...) does not.
//!
//! Format of /proc/self/mountinfo: proc_pid_mountinfo(5).

use super::names;

/// One mount, as far as a walk needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountPoint {
    id: u64,
    /// As the host that is collected from sees it.
    pub(crate) target: String,
    /// File system type.
    pub(crate) fstype: String,
}

/// The mounts at and below a root.
#[derive(Debug, Default)]
pub(crate) struct MountPoints {
    mounts: Vec<MountPoint>,
}

/// File systems that hold nothing but the kernel's own state.
const PSEUDO: [&str; 28] = [
    "autofs",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "ipathfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sysfs",
    "tracefs",
];

/// File systems whose files another machine keeps.
const NETWORK: [&str; 18] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "gfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "smbfs",
];

/// Where container runtimes mount the merged view of layers that are walked where they lie.
const CONTAINER_ROOTS: [&str; 6] = [
    "/run/containerd/",
    "/run/containers/",
    "/run/k3s/",
    "/var/lib/containerd/",
    "/var/lib/containers/",
    "/var/lib/docker/",
];

impl MountPoint {
    /// Why a walk does not enter it, where it does not.
    pub(crate) fn refusal(&self) -> Option<String> {
        let fstype = &*self.fstype;
        if PSEUDO.contains(&fstype) {
            return Some(format!("{fstype} is a file system of the kernel's own"));
        }
        if NETWORK.contains(&fstype) {
            return Some(format!("{fstype} is a network file system"));
        }
        // fuseblk is a local disk; every other fuse file system is some program's view.
        if fstype == "fuse" || fstype.starts_with("fuse.") {
            return Some(format!("{fstype} is served by a program"));
        }
        if fstype == "overlay" && CONTAINER_ROOTS.iter().any(|place| self.target.starts_with(place))
        {
            return Some(
                "it is a container's view of layers that are walked themselves".to_owned(),
            );
        }
        None
    }
}

impl MountPoints {
    /// Reads the text of mountinfo; `root` is the path of the root in it (`/` for the live host).
    pub(crate) fn parse(mountinfo: &[u8], root: &[u8]) -> Self {
        let root = root.strip_suffix(b"/").unwrap_or(root);
        let mounts =
            mountinfo.split(|byte| *byte == b'\n').filter_map(|line| mount(line, root)).collect();
        Self { mounts }
    }

    /// The mount with an id or, where the kernel does not tell ids, the one on top at a path.
    pub(crate) fn find(&self, id: Option<u64>, path: &str) -> Option<&MountPoint> {
        match id {
            Some(id) => self.mounts.iter().find(|mount| mount.id == id),
            None => self.mounts.iter().rfind(|mount| mount.target == path),
        }
    }

    /// The mount points below a directory that a walk enters, in path order, each once.
    pub(crate) fn wanted_under(&self, directory: &str) -> Vec<&str> {
        let mut targets: Vec<&str> = self
            .mounts
            .iter()
            .filter(|mount| crate::model::facts::is_under(&mount.target, directory))
            .filter(|mount| mount.refusal().is_none())
            .map(|mount| &*mount.target)
            .collect();
        targets.sort_by(|a, b| crate::model::facts::path_order(a, b));
        targets.dedup();
        targets
    }
}

fn mount(line: &[u8], root: &[u8]) -> Option<MountPoint> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let target = unescape(fields.nth(3)?);
    let below = target.strip_prefix(root)?;
    let target = match below.first() {
        None => "/".to_owned(),
        Some(b'/') => names::text(below).into_owned(),
        Some(_) => return None,
    };
    // Optional fields end with a lone hyphen.
    fields.by_ref().find(|field| *field == b"-")?;
    let fstype = String::from_utf8_lossy(fields.next()?).into_owned();
    Some(MountPoint { id, target, fstype })
}

/// Undoes the kernel's `\040` for white space and backslash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        23 22 0:21 / /proc rw shared:2 master:3 - proc proc rw\n\
        24 22 0:5 / /dev rw - devtmpfs udev rw\n\
        25 24 0:22 / /dev/shm rw - tmpfs tmpfs rw\n\
        26 22 0:33 / /mnt/two\\040words rw - nfs4 server:/x rw\n\
        27 22 0:44 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw\n\
        28 22 0:45 / /usr rw - overlay sysext ro\n\
        29 22 8:2 / /boot rw - xfs /dev/sda2 rw\n\
        damaged line\n";

    #[test]
    fn local_file_systems_are_entered_and_others_are_named() {
        let mounts = MountPoints::parse(SAMPLE, b"/");
        let refusal = |path| mounts.find(None, path).unwrap().refusal();
        assert_eq!(refusal("/boot"), None);
        assert_eq!(refusal("/dev/shm"), None);
        assert_eq!(refusal("/usr"), None, "a system extension is the host's own");
        assert!(refusal("/proc").unwrap().contains("proc"));
        assert!(refusal("/mnt/two words").unwrap().contains("network"));
        assert!(refusal("/var/lib/docker/overlay2/abc/merged").unwrap().contains("container"));
    }

    #[test]
    fn a_local_mount_below_a_refused_one_is_found() {
        let mounts = MountPoints::parse(SAMPLE, b"/");
        assert_eq!(mounts.wanted_under("/dev"), ["/dev/shm"]);
        assert_eq!(mounts.wanted_under("/"), ["/boot", "/dev/shm", "/usr"]);
    }

    #[test]
    fn targets_are_as_the_root_sees_them() {
        let mounts = MountPoints::parse(SAMPLE, b"/dev");
        assert_eq!(mounts.find(Some(25), "").unwrap().target, "/shm");
        assert_eq!(mounts.find(Some(24), "").unwrap().target, "/");
        assert_eq!(mounts.find(Some(29), ""), None);
    }
}
