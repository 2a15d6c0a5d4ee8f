//! Mounts of the running host (proc_pid_mountinfo(5)).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{read_text, unescape};
use crate::model::cell::AbsPath;
use crate::model::state::TableState;
use crate::model::table::Mount;

const MOUNTS: &str = "/proc/self/mountinfo";
const LARGEST: u64 = 64 * 1024 * 1024;

/// The mounts that this process sees, one for each mount point: where several are stacked, the
/// uppermost. Options are those of the mount, then those of the file system that it has not.
pub fn mounts() -> (TableState, Vec<Mount>) {
    match read_text(MOUNTS, LARGEST) {
        Ok((text, true)) => (TableState::Collected, parse(&text)),
        Ok((text, false)) => (TableState::truncated(format!("{MOUNTS} is too long")), parse(&text)),
        Err(error) => {
            (TableState::denied(format!("{MOUNTS} could not be read ({error})")), Vec::new())
        }
    }
}

/// The mounts of a mountinfo text, by mount point.
fn parse(text: &str) -> Vec<Mount> {
    let mounts: BTreeMap<String, Mount> =
        text.lines().filter_map(line).map(|mount| (mount.target.0.to_string(), mount)).collect();
    mounts.into_values().collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &str) -> Option<Mount> {
    let (own, system) = line.split_once(" - ")?;
    let mut own = own.split(' ').skip(4);
    let target = unescape(own.next()?);
    let mut system = system.split(' ');
    let fstype = unescape(system.next()?);
    let source = unescape(system.next()?);
    let mut options: Vec<Arc<str>> = Vec::new();
    for option in own.next()?.split(',').chain(system.next().unwrap_or_default().split(',')) {
        let option = unescape(option);
        // A file system that is mounted read-only here may be writable elsewhere.
        let known = options.iter().any(|known| **known == *option)
            || (matches!(&*option, "rw" | "ro") && !options.is_empty());
        if !option.is_empty() && !known {
            options.push(option.into());
        }
    }
    target.starts_with('/').then(|| Mount {
        target: AbsPath(target.into()),
        source: source.into(),
        fstype: fstype.into(),
        options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_mounts() {
        let text = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n\
            30 27 0:5 / /mnt/a\\040b ro,nosuid - tmpfs none rw,size=1k\n\
            31 27 0:6 / /auto rw - autofs systemd-1 rw\n\
            32 31 0:7 / /auto rw,nodev master:1 propagate_from:2 - ext4 /dev/vdb rw\n";
        let rows = parse(text);
        let seen: Vec<String> = rows
            .iter()
            .map(|m| format!("{} {} {} {}", m.target.0, m.source, m.fstype, m.options.join(",")))
            .collect();
        assert_eq!(
            seen,
            [
                "/ /dev/vda1 ext4 rw,relatime,errors=remount-ro",
                "/auto /dev/vdb ext4 rw,nodev",
                "/mnt/a b none tmpfs ro,nosuid,size=1k",
            ]
        );
    }

    #[test]
    fn damaged_lines_are_left_out() {
        for text in
            ["", "\n\n", " - ", "1 2 3 4 /a rw - ", "1 2 3 4 /a rw - x", "1 2 3 4 a rw - x y z"]
        {
            assert!(parse(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn this_machine_has_a_root() {
        let (state, rows) = mounts();
        assert_eq!(state, TableState::Collected);
        assert!(rows.iter().any(|mount| &*mount.target.0 == "/"));
    }
}
