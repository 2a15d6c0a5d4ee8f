//! Roots that mean harm, and hosts that show little: collecting ends, in bounded time and memory,
//! and says what it could not see.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use assay::collect::{CollectError, DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::schema::TableSchema;
use assay::model::state::TableState;
use assay::model::table::{Binary, ConfigFile, File, Group, Host, Package, Shadow, User};
use assay::snapshot::{Codec, Snapshot};

fn collected(root: &Path) -> Result<Snapshot, CollectError> {
    let root = DirectoryRoot::open(root).unwrap();
    let bytes = collect(&root, &Options::default(), Codec::Raw, &Silent)?;
    Ok(Snapshot::from_bytes(bytes).unwrap())
}

fn write(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn fifo(path: &Path) {
    let kind = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
}

fn rows<F: Fact>(snapshot: &Snapshot) -> Vec<F> {
    snapshot.rows(F::TABLE).unwrap().typed().collect()
}

fn is_not_collected(snapshot: &Snapshot, table: &'static TableSchema) -> bool {
    !snapshot.state(table).is_complete()
}

#[test]
fn an_empty_root_is_no_host() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(collected(root.path()), Err(CollectError::Empty(_))));
    std::fs::create_dir(root.path().join("lost+found")).unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    let error = collected(root.path()).err().unwrap();
    assert_eq!(error.diagnostic().code.0.id, "C002");
    write(root.path(), "/etc/passwd", "root:x:0:0::/:\n");
    assert!(collected(root.path()).is_ok());
}

#[test]
fn pipes_and_directories_in_place_of_files_do_not_block() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("etc/sysctl.d")).unwrap();
    std::fs::create_dir_all(root.path().join("usr/lib")).unwrap();
    for name in ["os-release", "hostname", "machine-id", "passwd", "sysctl.d/a.conf"] {
        fifo(&root.path().join("etc").join(name));
    }
    std::fs::create_dir(root.path().join("etc/group")).unwrap();
    symlink("/etc/os-release", root.path().join("etc/shadow")).unwrap();
    write(
        root.path(),
        "/var/lib/dpkg/status",
        "Package: a\nStatus: install ok installed\nVersion: 1\n",
    );
    let snapshot = collected(root.path()).unwrap();
    for table in [User::TABLE, Group::TABLE, Shadow::TABLE] {
        assert!(is_not_collected(&snapshot, table), "{}", table.name);
    }
    let config = rows::<ConfigFile>(&snapshot);
    let pipe = config.iter().find(|row| &*row.path.0 == "/etc/sysctl.d/a.conf").unwrap();
    assert_eq!(pipe.problem.as_deref(), Some("not a regular file"));
    assert_eq!(rows::<Package>(&snapshot).len(), 1);
}

#[test]
fn a_file_of_ten_gigabytes_takes_no_memory() {
    let root = tempfile::tempdir().unwrap();
    for path in
        ["etc/passwd", "etc/os-release", "etc/big.conf", "var/lib/dpkg/status", "usr/bin/big"]
    {
        write(root.path(), path, "");
        let file = std::fs::File::options().write(true).open(root.path().join(path)).unwrap();
        file.set_len(10 << 30).unwrap();
        file.set_permissions(PermissionsExt::from_mode(0o755)).unwrap();
    }
    let snapshot = collected(root.path()).unwrap();
    assert!(is_not_collected(&snapshot, User::TABLE));
    assert!(is_not_collected(&snapshot, Package::TABLE));
    let config = rows::<ConfigFile>(&snapshot);
    let big = config.iter().find(|row| &*row.path.0 == "/etc/big.conf").unwrap();
    assert!(big.problem.as_deref().unwrap().contains("too large"));
    assert_eq!(snapshot.file("/usr/bin/big").unwrap().unwrap().size, 10 << 30);
}

#[test]
fn links_do_not_lead_out_of_the_root() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "/secret", "root:x:0:0:outside-the-root:/:\nID=outside-the-root\n");
    let root = outside.path().join("root");
    write(&root, "/etc/group", "root:x:0:\n");
    for name in ["passwd", "os-release", "hostname", "relative.conf"] {
        symlink("../../secret", root.join("etc").join(name)).unwrap();
    }
    symlink(outside.path().join("secret"), root.join("etc/absolute.conf")).unwrap();
    symlink("..", root.join("etc/up")).unwrap();
    symlink("loop", root.join("etc/loop")).unwrap();
    symlink("b.conf", root.join("etc/a.conf")).unwrap();
    symlink("a.conf", root.join("etc/b.conf")).unwrap();
    write(&root, "/usr/lib/os-release", "ID=inside\n");
    let kept = DirectoryRoot::open(&root).unwrap();
    let bytes = collect(&kept, &Options::default(), Codec::Raw, &Silent).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("outside-the-root"));
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    assert_eq!(rows::<Host>(&snapshot)[0].os.as_deref(), Some("inside"));
    let config = rows::<ConfigFile>(&snapshot);
    let looping = config.iter().find(|row| &*row.path.0 == "/etc/a.conf").unwrap();
    assert!(looping.problem.is_some(), "a link that leads nowhere is said");
}

#[test]
fn malformed_accounts_are_counted() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "/etc/passwd",
        b"root:x:0:0:root:/root:/bin/bash\n\nbroken\n+@nis\n+::::::\nbob:x:99999999999:1::/:\n\
          \xff:x:5:5::/:/bin/sh\n",
    );
    let snapshot = collected(root.path()).unwrap();
    let users = rows::<User>(&snapshot);
    assert_eq!(users.iter().map(|user| user.line).collect::<Vec<_>>(), [1, 7]);
    let TableState::Truncated(reason) = snapshot.state(User::TABLE) else {
        unreachable!("two lines are malformed")
    };
    assert!(reason.contains('2') && reason.contains('3'), "{reason}");
}

/// Collects as a user without any right: the thread gives root's up where it has them.
fn collected_without_rights(root: &Path) -> Snapshot {
    std::thread::scope(|scope| {
        let collecting = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65_534);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            collected(root).unwrap()
        });
        collecting.join().unwrap()
    })
}

#[test]
fn without_permission_the_tables_say_so() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "/etc/passwd", "root:x:0:0::/:\n");
    write(root.path(), "/etc/shadow", "root:*:1::::::\n");
    write(root.path(), "/etc/sudoers.d/x", "x\n");
    write(root.path(), "/etc/private.conf", "x\n");
    write(root.path(), "/usr/bin/closed.so", [0u8; 100]);
    let mode = |path: &str, mode: u32| {
        std::fs::set_permissions(root.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    for path in ["etc/shadow", "etc/sudoers.d", "etc/private.conf", "usr/bin/closed.so"] {
        mode(path, 0o000);
    }
    let snapshot = collected_without_rights(root.path());
    mode("etc/sudoers.d", 0o755);
    assert!(!rows::<Host>(&snapshot)[0].privileged);
    assert!(matches!(snapshot.state(Shadow::TABLE), TableState::Denied(_)));
    for table in [ConfigFile::TABLE, File::TABLE, Binary::TABLE] {
        let TableState::Truncated(reason) = snapshot.state(table) else {
            unreachable!("{} lacks something", table.name)
        };
        let place = if table.name == Binary::TABLE.name { "closed.so" } else { "/etc/sudoers.d" };
        assert!(reason.contains(place), "{}: {reason}", table.name);
    }
    let config = rows::<ConfigFile>(&snapshot);
    for path in ["/etc/private.conf", "/etc/sudoers.d"] {
        let row = config.iter().find(|row| &*row.path.0 == path).unwrap();
        assert!(row.problem.is_some(), "{path}");
    }
}

#[test]
fn too_many_texts_are_left_out_and_said() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "/etc/passwd", "root:x:0:0::/:\n");
    let text = "x".repeat(500_000);
    for index in 0..60 {
        write(root.path(), &format!("/etc/big/{index}.conf"), &text);
    }
    let snapshot = collected(root.path()).unwrap();
    let TableState::Truncated(reason) = snapshot.state(ConfigFile::TABLE) else {
        unreachable!("30 MB are over the limit")
    };
    assert!(reason.contains("left out"), "{reason}");
}

#[test]
fn only_the_sections_that_are_asked_for_are_collected() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "/etc/passwd", "root:x:0:0::/:\n");
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let sections = Some(vec!["users".to_owned()]);
    let options = Options { sections, ..Options::default() };
    let bytes = collect(&opened, &options, Codec::Raw, &Silent).unwrap();
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    assert_eq!(rows::<User>(&snapshot).len(), 1);
    assert_eq!(rows::<Host>(&snapshot).len(), 1);
    for table in [File::TABLE, ConfigFile::TABLE, Package::TABLE, Group::TABLE] {
        let TableState::Absent(reason) = snapshot.state(table) else {
            unreachable!("{} was not asked for", table.name)
        };
        assert!(reason.contains("not asked for"), "{reason}");
    }
}

#[test]
fn the_same_root_gives_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "/etc/passwd", "root:x:0:0::/:\n");
    for index in 0..50 {
        write(root.path(), &format!("/usr/bin/{index}"), "#!/bin/sh\n");
        write(root.path(), &format!("/etc/{index}.conf"), "a = b\n");
    }
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let once = collect(&opened, &Options::default(), Codec::Zstd, &Silent).unwrap();
    let twice = collect(&opened, &Options::default(), Codec::Zstd, &Silent).unwrap();
    assert!(once == twice);
}
