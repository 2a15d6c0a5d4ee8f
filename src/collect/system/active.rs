//! Which units of the running host are active.

use std::collections::BTreeSet;

use crate::collect::Root;
use crate::model::table::FileKind;
use crate::model::unit::UnitName;

/// Where systemd puts its control groups: alone in the new hierarchy, beside the others in the old.
const CONTROL_GROUPS: [&str; 3] =
    ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
/// Where systemd notes each unit that it runs processes for, until the unit is inactive again.
const INVOCATIONS: &str = "/run/systemd/units";
/// systemd makes this when it has started as the first process (sd_booted(3)).
const BOOTED: &str = "/run/systemd/system";
/// Control groups that are looked at, and how deep they may be nested.
const MOST_GROUPS: usize = 50_000;
const DEEPEST: usize = 16;

/// The units that are active; nothing is known of a host that does not run, or not with systemd.
pub(super) struct Active(Option<BTreeSet<String>>);

impl Active {
    /// Looks at the running host.
    pub(super) fn of(root: &dyn Root) -> Self {
        if !root.is_live() || root.metadata(BOOTED).is_err() {
            return Self(None);
        }
        let mut active = BTreeSet::new();
        for (name, _) in root.list(INVOCATIONS).unwrap_or_default() {
            active.extend(name.strip_prefix("invocation:").map(ToOwned::to_owned));
        }
        for tree in CONTROL_GROUPS {
            let mut left = MOST_GROUPS;
            walk(root, tree, DEEPEST, &mut left, &mut active);
        }
        Self(Some(active))
    }

    /// Whether a unit is active; only services, scopes and slices can be told.
    pub(super) fn of_unit(&self, name: &str) -> Option<bool> {
        let unit_type = UnitName::new(name)?.unit_type;
        let active = self.0.as_ref()?;
        matches!(unit_type, "service" | "scope" | "slice").then(|| active.contains(name))
    }
}

fn walk(
    root: &dyn Root,
    group: &str,
    depth: usize,
    left: &mut usize,
    active: &mut BTreeSet<String>,
) {
    for (name, kind) in root.list(group).unwrap_or_default() {
        if kind != FileKind::Directory || *left == 0 {
            continue;
        }
        *left -= 1;
        let path = format!("{group}/{name}");
        if UnitName::new(&name).is_some() && has_processes(root, &path) {
            active.insert(name);
        }
        if depth > 0 {
            walk(root, &path, depth - 1, left, active);
        }
    }
}

/// Whether a group, or one below it, has processes. The old hierarchy only tells of the group.
fn has_processes(root: &dyn Root, group: &str) -> bool {
    let read = |file: &str| root.read(&format!("{group}/{file}"), 1 << 20).ok();
    match read("cgroup.events") {
        Some(events) => events.split(|byte| *byte == b'\n').any(|line| line == b"populated 1"),
        None => read("cgroup.procs").is_some_and(|processes| !processes.is_empty()),
    }
}
