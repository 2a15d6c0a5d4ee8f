//! The processor and the kernels.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::collect::binaries::machine_name;
use crate::collect::{Root, text};
use crate::model::table::FileKind;

/// Releases of the installed kernels.
pub(super) fn kernels(root: &dyn Root) -> Vec<Arc<str>> {
    let lists =
        ["/usr/lib/modules", "/lib/modules"].map(|path| root.list(path).unwrap_or_default());
    let releases: BTreeSet<String> = lists
        .into_iter()
        .flatten()
        .filter(|(_, kind)| *kind == FileKind::Directory)
        .map(|(name, _)| name)
        .collect();
    releases.into_iter().map(Arc::from).collect()
}

/// The machine that the programs of an image are for.
pub(super) fn architecture(root: &dyn Root) -> Option<Arc<str>> {
    const PROGRAMS: [&str; 6] = [
        "/bin/sh",
        "/usr/bin/env",
        "/bin/busybox",
        "/sbin/init",
        "/usr/bin/bash",
        "/usr/lib/systemd/systemd",
    ];
    PROGRAMS.iter().find_map(|path| {
        let head = root.read_at(path, 0, 64).ok()?;
        (head.get(..4)? == b"\x7fELF").then_some(())?;
        let two = [*head.get(18)?, *head.get(19)?];
        let little = head.get(5) == Some(&1);
        let code = if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) };
        // As uname -m has it.
        Some(match code {
            3 => "i686".into(),
            40 => "armv7l".into(),
            21 if little => "ppc64le".into(),
            243 => "riscv64".into(),
            258 => "loongarch64".into(),
            code => machine_name(code),
        })
    })
}

/// Whether the processor has no-execute pages and the kernel uses them; only x86 says so.
pub(super) fn no_execute(root: &dyn Root) -> Option<bool> {
    if !root.is_live() {
        return None;
    }
    let info = text::small(root, "/proc/cpuinfo")?;
    let flags = info.lines().find(|line| line.starts_with("flags"))?;
    let refused = text::small(root, "/proc/cmdline")
        .is_some_and(|line| line.split_whitespace().any(|word| word == "noexec=off"));
    Some(flags.split_whitespace().any(|flag| flag == "nx") && !refused)
}
