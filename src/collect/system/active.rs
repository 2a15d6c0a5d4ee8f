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

#[cfg(test)]
mod tests {
    use std::io;
    use std::ops::ControlFlow;

    use super::*;
    use crate::collect::DirectoryRoot;
    use crate::collect::root::{Meta, Step};

    /// A directory that says it is the running host.
    struct Running(DirectoryRoot);

    impl Root for Running {
        fn metadata(&self, path: &str) -> io::Result<Meta> {
            self.0.metadata(path)
        }
        fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
            self.0.read(path, limit)
        }
        fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
            self.0.read_at(path, offset, length)
        }
        fn list(&self, directory: &str) -> io::Result<Vec<(String, FileKind)>> {
            self.0.list(directory)
        }
        fn read_link(&self, path: &str) -> io::Result<String> {
            self.0.read_link(path)
        }
        fn resolve(&self, path: &str) -> io::Result<String> {
            self.0.resolve(path)
        }
        fn walk(&self, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> io::Result<()> {
            self.0.walk(visit)
        }
        fn is_live(&self) -> bool {
            true
        }
    }

    #[test]
    fn groups_with_processes_and_noted_units_are_active() {
        let tree = tempfile::tempdir().unwrap();
        let root = Running(DirectoryRoot::open(tree.path()).unwrap());
        assert_eq!(Active::of(&root).of_unit("a.service"), None);

        let groups = tree.path().join("sys/fs/cgroup/system.slice");
        for (unit, events) in
            [("a.service", "populated 1\nfrozen 0\n"), ("b.service", "populated 0\n")]
        {
            std::fs::create_dir_all(groups.join(unit)).unwrap();
            std::fs::write(groups.join(unit).join("cgroup.events"), events).unwrap();
        }
        let units = tree.path().join("run/systemd/units");
        std::fs::create_dir_all(&units).unwrap();
        std::fs::create_dir_all(tree.path().join("run/systemd/system")).unwrap();
        std::os::unix::fs::symlink("0123", units.join("invocation:once.service")).unwrap();

        let active = Active::of(&root);
        let of = |name| active.of_unit(name);
        assert_eq!((of("a.service"), of("b.service")), (Some(true), Some(false)));
        assert_eq!((of("once.service"), of("none.service")), (Some(true), Some(false)));
        assert_eq!((of("a.timer"), of("not a unit")), (None, None));
    }
}
