//! systemd units of a root that has every odd case there is, against what systemctl says of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use assay::collect::{DirectoryRoot, LiveRoot, Root, system};
use assay::model::state::TableState;
use assay::model::table::Service;

const LIB: &str = "usr/lib/systemd/system";
const ETC: &str = "etc/systemd/system";
const RUN: &str = "run/systemd/system";

/// A service that is installed for multi-user.target.
const WANTED: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
/// A service without [Install].
const STATIC: &str = "[Service]\nExecStart=/bin/true\n";

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for directory in [LIB, ETC, RUN, "dev"] {
            fs::create_dir_all(tree.path(directory)).unwrap();
        }
        // The merge of /usr, as every current distribution has it.
        symlink("usr/lib", tree.path("lib")).unwrap();
        tree
    }

    fn path(&self, path: impl AsRef<Path>) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn services(&self) -> BTreeMap<String, Service> {
        let root = DirectoryRoot::open(self.0.path()).unwrap();
        let (state, rows) = system::services(&root);
        assert_eq!(state, TableState::Collected);
        rows.into_iter().map(|row| (row.name.to_string(), row)).collect()
    }

    /// Every unit in its state; states are those that systemd 252 and 257 give.
    fn odd() -> (Self, Vec<(&'static str, &'static str)>) {
        let tree = Self::new();
        let mut expected = Vec::new();
        tree.file("dev/null", "");
        let mut unit = |name: &'static str, state: &'static str| expected.push((name, state));

        tree.file(&format!("{LIB}/multi-user.target"), "[Unit]\nDescription=x\n");
        // It has an alias that [Install] does not know.
        unit("multi-user.target", "indirect");
        tree.link(&format!("{ETC}/default.target"), "/lib/systemd/system/multi-user.target");
        unit("default.target", "alias");

        tree.file(&format!("{LIB}/plain.service"), WANTED);
        unit("plain.service", "disabled");
        tree.file(&format!("{LIB}/static.service"), STATIC);
        unit("static.service", "indirect");
        tree.file(&format!("{LIB}/on.service"), WANTED).link(
            &format!("{ETC}/multi-user.target.wants/on.service"),
            "/usr/lib/systemd/system/on.service",
        );
        unit("on.service", "enabled");
        // Names in a .wants directory count, not where the links lead.
        tree.file(&format!("{LIB}/dangling.service"), WANTED)
            .link(&format!("{ETC}/multi-user.target.wants/dangling.service"), "/nowhere");
        unit("dangling.service", "enabled");
        tree.file(&format!("{LIB}/runtime.service"), WANTED)
            .link(&format!("{RUN}/multi-user.target.wants/runtime.service"), "x");
        unit("runtime.service", "enabled-runtime");
        tree.file(&format!("{LIB}/vendor.service"), WANTED)
            .link(&format!("{LIB}/multi-user.target.wants/vendor.service"), "../vendor.service");
        unit("vendor.service", "disabled");
        tree.file(&format!("{LIB}/required.service"), WANTED)
            .link(&format!("{ETC}/x.target.requires/required.service"), "x");
        unit("required.service", "enabled");
        // A file there is no link.
        tree.file(&format!("{LIB}/copied.service"), WANTED)
            .file(&format!("{ETC}/multi-user.target.wants/copied.service"), WANTED);
        unit("copied.service", "disabled");
        tree.file(&format!("{LIB}/static-wanted.service"), STATIC)
            .link(&format!("{ETC}/multi-user.target.wants/static-wanted.service"), "x");
        unit("static-wanted.service", "enabled");

        tree.file(&format!("{LIB}/masked.service"), WANTED)
            .link(&format!("{ETC}/masked.service"), "/dev/null");
        unit("masked.service", "masked");
        tree.file(&format!("{LIB}/emptied.service"), WANTED)
            .file(&format!("{ETC}/emptied.service"), "");
        unit("emptied.service", "masked");
        tree.file(&format!("{LIB}/masked-for-now.service"), WANTED)
            .link(&format!("{RUN}/masked-for-now.service"), "/dev/null");
        unit("masked-for-now.service", "masked-runtime");
        tree.link(&format!("{LIB}/vendor-mask.service"), "/dev/null");
        unit("vendor-mask.service", "masked");
        tree.link(&format!("{ETC}/mask-far.service"), "../../../../dev/null");
        unit("mask-far.service", "masked");
        tree.file(&format!("{LIB}/masked-enabled.service"), WANTED)
            .link(&format!("{ETC}/masked-enabled.service"), "/dev/null")
            .link(&format!("{ETC}/multi-user.target.wants/masked-enabled.service"), "x");
        unit("masked-enabled.service", "masked");

        // Aliases: by the vendor, by enabling, of an alias, dangling, to itself, of a wrong type.
        tree.link(&format!("{LIB}/alias-static.service"), "static.service");
        unit("alias-static.service", "alias");
        tree.file(
            &format!("{LIB}/aliased.service"),
            "[Service]\nExecStart=/bin/a\n[Install]\nAlias=other.service\n",
        )
        .link(&format!("{ETC}/other.service"), "/lib/systemd/system/aliased.service");
        unit("aliased.service", "enabled");
        unit("other.service", "alias");
        tree.link(&format!("{LIB}/alias-of-alias.service"), "alias-static.service");
        unit("alias-of-alias.service", "alias");
        tree.file(&format!("{LIB}/known.service"), WANTED)
            .link(&format!("{ETC}/elsewhere.service"), "/usr/lib/systemd/system/known.service");
        unit("known.service", "indirect");
        unit("elsewhere.service", "alias");
        tree.link(&format!("{ETC}/lost.service"), "/usr/lib/systemd/system/gone.service");
        unit("lost.service", "bad");
        tree.file(&format!("{LIB}/self.service"), WANTED)
            .link(&format!("{ETC}/self.service"), "/usr/lib/systemd/system/self.service");
        unit("self.service", "bad");
        tree.link(&format!("{ETC}/type.socket"), "/usr/lib/systemd/system/static.service");
        unit("type.socket", "bad");
        tree.link(&format!("{ETC}/loop-a.service"), "loop-b.service")
            .link(&format!("{ETC}/loop-b.service"), "loop-a.service");
        unit("loop-a.service", "bad");
        unit("loop-b.service", "bad");
        tree.file(&format!("{LIB}/a.mount"), "[Mount]\nWhat=x\nWhere=/a\n")
            .link(&format!("{ETC}/b.mount"), "/usr/lib/systemd/system/a.mount");
        unit("a.mount", "indirect");
        unit("b.mount", "bad");

        // Linked files.
        tree.file("opt/app/linked.service", WANTED)
            .link(&format!("{ETC}/linked.service"), "/opt/app/linked.service");
        unit("linked.service", "linked");
        tree.file("opt/app/linked-run.service", WANTED)
            .link(&format!("{RUN}/linked-run.service"), "/opt/app/linked-run.service");
        unit("linked-run.service", "linked-runtime");
        tree.file("opt/app/linked-on.service", WANTED)
            .link(&format!("{ETC}/linked-on.service"), "/opt/app/linked-on.service")
            .link(&format!("{ETC}/multi-user.target.wants/linked-on.service"), "x");
        unit("linked-on.service", "enabled");
        tree.link(&format!("{ETC}/linked-renamed.service"), "/opt/app/linked.service");
        unit("linked-renamed.service", "alias");
        tree.link(&format!("{ETC}/linked-gone.service"), "/opt/app/gone.service");
        unit("linked-gone.service", "bad");

        // Templates and instances.
        tree.file(&format!("{LIB}/tpl@.service"), WANTED)
            .link(&format!("{ETC}/multi-user.target.wants/tpl@one.service"), "x");
        unit("tpl@.service", "indirect");
        unit("tpl@one.service", "enabled");
        tree.file(
            &format!("{LIB}/default@.service"),
            "[Service]\nExecStart=/bin/a %i\n[Install]\nWantedBy=x.target\nDefaultInstance=a\n",
        )
        .link(&format!("{ETC}/x.target.wants/default@a.service"), "x");
        unit("default@.service", "enabled");
        tree.file(&format!("{LIB}/idle@.service"), WANTED);
        unit("idle@.service", "disabled");
        tree.file(&format!("{LIB}/vendor-inst@.service"), STATIC)
            .link(&format!("{LIB}/x.target.wants/vendor-inst@b.service"), "x");
        unit("vendor-inst@.service", "static");
        unit("vendor-inst@b.service", "static");
        tree.link(&format!("{LIB}/alias-tpl@.service"), "tpl@.service");
        unit("alias-tpl@.service", "alias");
        tree.link(&format!("{ETC}/tpl@two.service"), "/usr/lib/systemd/system/tpl@.service");
        unit("tpl@two.service", "enabled");
        tree.file(&format!("{LIB}/bad@.mount"), "[Mount]\nWhat=x\nWhere=/a\n");
        unit("bad@.mount", "bad");

        // [Install] from drop-ins, in any directory; masked drop-ins; broken ones.
        tree.file(&format!("{LIB}/dropped.service"), STATIC)
            .file(&format!("{ETC}/dropped.service.d/a.conf"), "[Install]\nWantedBy=x.target\n");
        unit("dropped.service", "disabled");
        tree.file(&format!("{LIB}/undropped.service"), STATIC)
            .file(&format!("{LIB}/undropped.service.d/a.conf"), "[Install]\nWantedBy=x.target\n")
            .link(&format!("{ETC}/undropped.service.d/a.conf"), "/dev/null");
        unit("undropped.service", "static");
        tree.file(&format!("{LIB}/reset.service"), WANTED)
            .file(&format!("{ETC}/reset.service.d/z.conf"), "[Install]\nWantedBy=\n");
        unit("reset.service", "static");
        tree.file(&format!("{LIB}/broken-drop.service"), WANTED)
            .file(&format!("{ETC}/broken-drop.service.d/z.conf"), "[Install\nWantedBy=\n");
        unit("broken-drop.service", "bad");
        tree.file(&format!("{LIB}/lost-drop.service"), WANTED)
            .link(&format!("{ETC}/lost-drop.service.d/z.conf"), "/nowhere.conf");
        unit("lost-drop.service", "bad");
        tree.file(&format!("{LIB}/broken.service"), "[Service\nExecStart=/bin/a\n");
        unit("broken.service", "bad");

        // Also=, and what it must not be.
        tree.file(
            &format!("{LIB}/also.service"),
            "[Service]\nExecStart=/bin/a\n[Install]\nAlso=also.socket\n",
        );
        unit("also.service", "indirect");
        tree.file(
            &format!("{LIB}/also.socket"),
            "[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\n",
        )
        .link(&format!("{ETC}/sockets.target.wants/also.socket"), "x");
        unit("also.socket", "enabled");
        tree.file(&format!("{LIB}/also-bad.service"), "[Install]\nAlso=no unit\n");
        unit("also-bad.service", "bad");

        // Overrides: /etc over /usr, and one in /run.
        tree.file(&format!("{LIB}/over.service"), STATIC)
            .file(&format!("{ETC}/over.service"), WANTED);
        unit("over.service", "disabled");
        tree.file("usr/local/lib/systemd/system/local.service", WANTED)
            .file(&format!("{LIB}/local.service"), STATIC);
        unit("local.service", "disabled");
        tree.file("run/systemd/generator/made.service", STATIC);
        unit("made.service", "generated");
        tree.file("run/systemd/transient/passing.service", STATIC);
        unit("passing.service", "transient");
        // A preset decides what installing does, not what is.
        tree.file("etc/systemd/system-preset/00.preset", "enable plain.service\n");
        (tree, expected)
    }
}

#[test]
fn every_odd_case_has_its_state() {
    let (tree, expected) = Tree::odd();
    let services = tree.services();
    let seen: Vec<(&str, &str)> = expected
        .iter()
        .map(|(name, _)| (*name, services.get(*name).map_or("(none)", |row| &*row.enabled)))
        .collect();
    assert_eq!(seen, expected);
    let expected: BTreeMap<_, _> = expected.into_iter().collect();
    let more: Vec<_> =
        services.keys().filter(|name| !expected.contains_key(name.as_str())).collect();
    assert_eq!(more, ["default@a.service"]);
}

#[test]
fn masks_hold_in_an_image_without_devices() {
    let tree = Tree::new();
    tree.link(&format!("{ETC}/a.service"), "/dev/null")
        .link(&format!("{ETC}/b.service"), "../../../dev/null")
        .file(&format!("{LIB}/c.service"), STATIC)
        .file(&format!("{LIB}/c.service.d/x.conf"), "[Install]\nWantedBy=x.target\n")
        .link(&format!("{ETC}/c.service.d/x.conf"), "/dev/null")
        .link(&format!("{ETC}/d.service"), "/dev/nothing");
    let services = tree.services();
    let seen: Vec<&str> = services.values().map(|row| &*row.enabled).collect();
    assert_eq!(seen, ["masked", "masked", "static", "bad"]);
}

#[test]
#[ignore = "needs systemctl (package systemd)"]
fn every_odd_case_is_as_systemctl_says() {
    let (tree, _) = Tree::odd();
    let ours = states(tree.services().into_values());
    compare(tree.0.path(), &ours);
}

#[test]
#[ignore = "needs systemctl (package systemd), and reads this machine's units"]
fn this_machine_is_as_systemctl_says() {
    let root = LiveRoot::open().unwrap();
    let (state, rows) = system::services(&root);
    assert_eq!(state, TableState::Collected);
    assert!(rows.len() > 20, "only {} units", rows.len());
    compare(Path::new("/"), &states(rows));
}

fn states(rows: impl IntoIterator<Item = Service>) -> BTreeMap<String, String> {
    rows.into_iter().map(|row| (row.name.to_string(), row.enabled.to_string())).collect()
}

fn systemctl(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("systemctl")
        .arg(format!("--root={}", root.display()))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("systemctl must be installed: {error}"));
    String::from_utf8(output.stdout).unwrap()
}

/// Every unit that either side knows.
fn compare(root: &Path, ours: &BTreeMap<String, String>) {
    let listing = systemctl(root, &["list-unit-files", "--no-legend", "--no-pager"]);
    let mut theirs: BTreeMap<String, String> = listing
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect();
    assert!(!theirs.is_empty(), "systemctl lists nothing");
    // Instances that only links name are not in the list.
    for name in ours.keys() {
        if !theirs.contains_key(name) {
            let state = systemctl(root, &["is-enabled", name]);
            theirs.insert(name.clone(), state.trim().to_owned());
        }
    }
    assert_eq!(*ours, theirs);
}

#[test]
fn settings_come_from_the_file_and_its_drop_ins() {
    let tree = Tree::new();
    tree.file(
        &format!("{LIB}/web-app@.service"),
        "[Service]\nUser=www-%i\nExecStart=-/bin/old\nExecStart=+/usr/bin/app --name=%i \\\n  --password=hunter2\n",
    )
    .file(&format!("{LIB}/service.d/00-all.conf"), "[Service]\nNice=1\n")
    .file(&format!("{ETC}/web-@.service.d/10-x.conf"), "[Service]\nExecStart=\n")
    .file(&format!("{ETC}/web-app@a.service.d/20-x.conf"), "[Service]\nExecStart=@/bin/new argv0 %I\n")
    .file(&format!("{LIB}/web-app@a.service.d/20-x.conf"), "[Service]\nUser=hidden\n")
    .link(&format!("{ETC}/web-app@a.service.d/30-x.conf"), "/dev/null")
    .file(&format!("{LIB}/dyn.service"), "[Service]\nDynamicUser=yes\nExecStart=/bin/a; x\n")
    .file(&format!("{LIB}/root.service"), "[Service]\nUser=a\nUser=\nExecStart=/bin/x --token abc\n")
    .link(&format!("{LIB}/x.target.wants/web-app@a.service"), "x");
    let services = tree.services();

    let app = &services["web-app@a.service"];
    assert_eq!(app.user.as_deref(), Some("www-a"));
    assert_eq!(app.exec_start, ["/bin/new argv0 a".into()]);
    let files: Vec<&str> = app.drop_ins.iter().map(|path| &**path).collect();
    assert_eq!(
        files,
        [
            "/usr/lib/systemd/system/service.d/00-all.conf",
            "/etc/systemd/system/web-@.service.d/10-x.conf",
            "/etc/systemd/system/web-app@a.service.d/20-x.conf",
        ]
    );
    assert_eq!(&*app.path.0, "/usr/lib/systemd/system/web-app@.service");
    let template = &services["web-app@.service"];
    assert_eq!(template.user.as_deref(), Some("www-%i"));
    assert!(!template.exec_start.iter().any(|line| line.contains("hunter2")));
    assert_eq!(services["dyn.service"].user.as_deref(), Some("dyn"));
    assert_eq!(services["root.service"].user, None);
    assert!(!services["root.service"].exec_start[0].contains("abc"));
}

#[test]
fn what_the_default_target_reaches_starts() {
    let tree = Tree::new();
    tree.file(&format!("{LIB}/multi-user.target"), "[Unit]\nRequires=basic.target\n")
        .file(
            &format!("{LIB}/basic.target"),
            "[Unit]\nWants=a.socket masked.service tpl@.service\n",
        )
        .link(&format!("{ETC}/default.target"), "/lib/systemd/system/multi-user.target")
        .file(&format!("{LIB}/a.socket"), "[Socket]\nListenStream=1\n")
        .file(&format!("{LIB}/a.service"), STATIC)
        .file(&format!("{LIB}/sysinit.target"), "[Unit]\nDescription=x\n")
        .link(&format!("{ETC}/masked.service"), "/dev/null")
        .file(
            &format!("{LIB}/tpl@.service"),
            "[Unit]\nBindsTo=bound-%i.service\n[Service]\nExecStart=/bin/a\n",
        )
        .file(&format!("{LIB}/bound-basic.service"), STATIC)
        .file(&format!("{LIB}/plain.service"), WANTED)
        .file(&format!("{LIB}/up.service"), STATIC)
        .link(&format!("{ETC}/multi-user.target.upholds/up.service"), "x")
        .file(&format!("{LIB}/b.timer"), "[Timer]\nOnBootSec=1\n")
        .link(&format!("{ETC}/timers.target.wants/b.timer"), "x");
    let services = tree.services();
    let started: Vec<&str> =
        services.values().filter(|row| row.starts_at_boot).map(|row| &*row.name).collect();
    assert_eq!(
        started,
        [
            "a.socket",
            "basic.target",
            "bound-basic.service",
            "default.target",
            "multi-user.target",
            "sysinit.target",
            "tpl@basic.service",
            "up.service",
        ]
    );
    assert_eq!(services["multi-user.target"].aliases, ["default.target".into()]);
    assert_eq!(services["default.target"].aliases, ["multi-user.target".into()]);
}

#[test]
fn scripts_without_a_unit_are_generated() {
    let tree = Tree::new();
    tree.file(&format!("{LIB}/multi-user.target"), "[Unit]\nDescription=x\n")
        .link(&format!("{ETC}/default.target"), "/lib/systemd/system/multi-user.target")
        .file("usr/lib/systemd/system-generators/systemd-sysv-generator", "x")
        .file(&format!("{LIB}/native.service"), STATIC)
        .link("etc/rc2.d/S01old", "../init.d/old")
        .link("etc/rc3.d/K01off", "../init.d/off");
    for script in ["old", "off.sh", "native"] {
        tree.file(&format!("etc/init.d/{script}"), "#!/bin/sh\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(tree.path(format!("etc/init.d/{script}")), mode).unwrap();
    }
    tree.file("etc/init.d/README", "not a script");
    let services = tree.services();
    let generated: Vec<(&str, bool)> = services
        .values()
        .filter(|row| &*row.enabled == "generated")
        .map(|row| (&*row.name, row.starts_at_boot))
        .collect();
    assert_eq!(generated, [("off.service", false), ("old.service", true)]);
    assert_eq!(&*services["old.service"].path.0, "/etc/init.d/old");
}

#[test]
fn scripts_are_the_services_where_there_is_no_systemd() {
    let tree = Tree::new();
    // As Amazon Linux 2018.03 and older have it.
    tree.link("etc/init.d", "rc.d/init.d")
        .link("etc/rc3.d", "rc.d/rc3.d")
        .link("etc/rc.d/rc3.d/S90crond", "../init.d/crond")
        .link("etc/rc.d/rc3.d/K10cups", "../init.d/cups");
    for script in ["crond", "cups"] {
        tree.file(&format!("etc/rc.d/init.d/{script}"), "#!/bin/sh\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(tree.path(format!("etc/rc.d/init.d/{script}")), mode).unwrap();
    }
    let services = tree.services();
    let shown = |name: &str| (services[name].enabled.to_string(), services[name].starts_at_boot);
    assert_eq!(shown("crond.service"), ("enabled".to_owned(), true));
    assert_eq!(shown("cups.service"), ("disabled".to_owned(), false));
    assert_eq!(services.len(), 2);
}

#[test]
fn a_root_without_systemd_has_no_table() {
    let tree = tempfile::tempdir().unwrap();
    let root = DirectoryRoot::open(tree.path()).unwrap();
    let (state, rows) = system::services(&root);
    assert!(matches!(state, TableState::Absent(_)), "{state}");
    assert!(rows.is_empty());
    assert!(!root.is_live());
}

#[test]
fn templates_that_breed_come_to_an_end() {
    let tree = Tree::new();
    tree.file(&format!("{LIB}/default.target"), "[Unit]\nWants=x@a.service\n").file(
        &format!("{LIB}/x@.service"),
        "[Unit]\nWants=x@%ia.service x@%ib.service\n[Service]\nExecStart=/bin/a\n",
    );
    let root = DirectoryRoot::open(tree.0.path()).unwrap();
    let (state, rows) = system::services(&root);
    assert!(matches!(state, TableState::Truncated(_)), "{state}");
    assert!(rows.len() < 30_000);
}
