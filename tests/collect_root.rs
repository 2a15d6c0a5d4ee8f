//! A directory as a root: what a walk shows, and what it must never do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use assay::collect::root::Step;
use assay::collect::{DirectoryRoot, Root};
use assay::model::facts::path_order;
use assay::model::table::{File, FileKind};
use rustix::fs::{CWD, FileType, Mode, OFlags};

#[derive(Default)]
struct Seen {
    files: Vec<File>,
    skipped: Vec<(String, String, bool)>,
}

fn walk(root: &Path) -> Seen {
    let mut seen = Seen::default();
    DirectoryRoot::open(root)
        .unwrap()
        .walk(&mut |step| {
            match step {
                Step::File { file, .. } => seen.files.push(file),
                Step::Skipped { path, reason, loss } => seen.skipped.push((path, reason, loss)),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    seen
}

fn paths(seen: &Seen) -> Vec<&str> {
    seen.files.iter().map(|file| &*file.path.0).collect()
}

#[test]
fn every_inode_comes_once_in_path_order() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "a/z", "a-b", "a.d", "a/b/c", "ä"] {
        std::fs::create_dir_all(root.path().join(name)).unwrap();
        std::fs::write(root.path().join(name).join("file"), "12345").unwrap();
    }
    symlink("/etc/shadow", root.path().join("a/link")).unwrap();
    let seen = walk(root.path());
    let mut sorted = paths(&seen);
    sorted.sort_by(|a, b| path_order(a, b));
    sorted.dedup();
    assert_eq!(paths(&seen), sorted);
    assert_eq!(seen.files.len(), 1 + 7 + 6 + 1, "{:?}", paths(&seen));
    assert!(seen.skipped.is_empty(), "{:?}", seen.skipped);
    let rows: BTreeMap<&str, &File> = seen.files.iter().map(|file| (&*file.path.0, file)).collect();
    assert_eq!(rows["/a/file"].size, 5);
    assert_eq!(rows["/a/link"].link_target.as_deref(), Some("/etc/shadow"));
    assert_eq!(rows["/"].kind, FileKind::Directory);
}

#[test]
fn modes_and_kinds_are_those_of_the_inode() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("suid");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o4751)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(CWD, root.path().join("pipe"), FileType::Fifo, mode, 0).unwrap();
    let seen = walk(root.path());
    let kinds: Vec<(&str, FileKind)> =
        seen.files.iter().map(|file| (&*file.path.0, file.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("/", FileKind::Directory),
            ("/pipe", FileKind::Fifo),
            ("/socket", FileKind::Socket),
            ("/suid", FileKind::File)
        ]
    );
    assert_eq!(seen.files[3].mode.0, 0o4751);
    let opened = DirectoryRoot::open(root.path()).unwrap();
    assert_eq!(opened.list("/").unwrap().len(), 3);
    assert_eq!(opened.metadata("/suid").unwrap().mode, 0o4751);
    for special in ["/pipe", "/socket"] {
        let error = opened.read(special, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{special}");
    }
    assert_eq!(opened.read("/", 100).unwrap_err().kind(), ErrorKind::IsADirectory);
}

#[test]
fn names_that_are_not_utf8_can_be_opened_again() {
    let root = tempfile::tempdir().unwrap();
    let bad = OsStr::from_bytes(b"bad\xff");
    std::fs::create_dir(root.path().join(bad)).unwrap();
    std::fs::write(root.path().join(bad).join("x"), "there").unwrap();
    // What a careless replacement or a text escape would turn the bad name into.
    std::fs::write(root.path().join("bad\u{FFFD}"), "1").unwrap();
    std::fs::write(root.path().join("bad\u{FFFD}ff"), "2").unwrap();
    std::fs::write(root.path().join("bad\\xff"), "3").unwrap();
    let seen = walk(root.path());
    let mut distinct = paths(&seen);
    distinct.dedup();
    assert_eq!(distinct.len(), 6);
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let mut contents: Vec<String> = seen
        .files
        .iter()
        .filter(|file| file.kind == FileKind::File)
        .map(|file| String::from_utf8(opened.read(&file.path.0, 10).unwrap()).unwrap())
        .collect();
    contents.sort();
    assert_eq!(contents, ["1", "2", "3", "there"]);
}

/// Makes `levels` directories in each other, with another beside every hundredth.
fn deep(root: &Path, name: &str, beside: Option<&str>, levels: usize) {
    let mode = Mode::from_raw_mode(0o755);
    let mut directory: OwnedFd = std::fs::File::open(root).unwrap().into();
    for level in 0..levels {
        rustix::fs::mkdirat(&directory, name, mode).unwrap();
        if let Some(beside) = beside.filter(|_| level % 100 == 0) {
            rustix::fs::mkdirat(&directory, beside, mode).unwrap();
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        directory = rustix::fs::openat(&directory, name, flags, Mode::empty()).unwrap();
    }
}

/// Removes a tree that is too deep for paths.
fn remove_deep(root: &Path) {
    let status = std::process::Command::new("rm").arg("-rf").arg(root).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_tree_of_ten_thousand_levels_is_walked_with_few_descriptors() {
    let root = tempfile::tempdir().unwrap();
    // "e" comes after "d", so it is shown on the way back up.
    deep(root.path(), "d", Some("e"), 10_000);
    let seen = walk(root.path());
    remove_deep(root.path());
    assert_eq!(seen.files.len(), 10_101);
    assert!(seen.skipped.is_empty(), "{:?}", seen.skipped.len());
}

#[test]
fn a_path_beyond_the_limit_is_reported() {
    let root = tempfile::tempdir().unwrap();
    deep(root.path(), &"n".repeat(250), None, 200);
    let seen = walk(root.path());
    remove_deep(root.path());
    assert_eq!(seen.skipped.len(), 1);
    assert!(seen.skipped[0].2, "it is a loss");
    assert!(seen.files.len() > 100);
}

#[test]
fn a_directory_without_permission_is_a_loss() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("closed")).unwrap();
    std::fs::write(root.path().join("closed/x"), "").unwrap();
    std::fs::set_permissions(root.path().join("closed"), PermissionsExt::from_mode(0o000)).unwrap();
    std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let seen = std::thread::scope(|scope| {
        let walking = scope.spawn(|| {
            // The thread gives root's rights up where it has them.
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65_534);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            walk(root.path())
        });
        walking.join().unwrap()
    });
    std::fs::set_permissions(root.path().join("closed"), PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(paths(&seen), ["/", "/closed"]);
    assert_eq!(seen.skipped.len(), 1);
    assert_eq!(seen.skipped[0].0, "/closed");
    assert!(seen.skipped[0].2);
}

#[test]
fn a_visitor_can_stop_the_walk() {
    let root = tempfile::tempdir().unwrap();
    for name in 0..100 {
        std::fs::write(root.path().join(name.to_string()), "").unwrap();
    }
    let mut seen = 0;
    DirectoryRoot::open(root.path())
        .unwrap()
        .walk(&mut |_| {
            seen += 1;
            if seen == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, 10);
}

#[test]
fn a_walk_offers_the_bytes_of_regular_files() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "0123456789").unwrap();
    symlink("file", root.path().join("link")).unwrap();
    let mut read = Vec::new();
    DirectoryRoot::open(root.path())
        .unwrap()
        .walk(&mut |step| {
            if let Step::File { file, content, .. } = step {
                let mut buffer = [0; 4];
                match content.read_at(3, &mut buffer) {
                    Ok(length) => read.push((file.path.0.to_string(), buffer[..length].to_vec())),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
                }
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(read, [("/file".to_owned(), b"3456".to_vec())]);
}

#[test]
fn a_read_is_limited_before_memory_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let sparse = std::fs::File::create(root.path().join("sparse")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let error = opened.read("/sparse", 1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    assert_eq!(opened.read_at("/sparse", 10 << 30, 5).unwrap(), b"");
    assert_eq!(opened.read_at("/sparse", 5, 3).unwrap(), [0, 0, 0]);
    assert_eq!(opened.read_at("/sparse", u64::MAX, 3).unwrap_or_default(), b"");
}

#[test]
fn links_stay_inside() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("shadow"), "outside").unwrap();
    let root = outside.path().join("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    symlink("../../shadow", root.join("etc/passwd")).unwrap();
    symlink(outside.path().join("shadow"), root.join("etc/group")).unwrap();
    symlink(outside.path(), root.join("opt")).unwrap();
    let opened = DirectoryRoot::open(&root).unwrap();
    for path in ["/etc/passwd", "/etc/group", "/opt/shadow", "/../shadow", "/etc/../../shadow"] {
        assert_eq!(opened.read(path, 100).unwrap_err().kind(), ErrorKind::NotFound, "{path}");
    }
    assert_eq!(opened.read_link("/etc/passwd").unwrap(), "../../shadow");
    assert_eq!(opened.read_link("/etc").unwrap_err().raw_os_error(), Some(22));
    let seen = walk(&root);
    assert_eq!(paths(&seen), ["/", "/etc", "/etc/group", "/etc/passwd", "/opt"]);
}

#[test]
fn a_file_is_no_root() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(DirectoryRoot::open(file.path()).unwrap_err().kind(), ErrorKind::NotADirectory);
    let missing = file.path().with_extension("missing");
    assert_eq!(DirectoryRoot::open(missing).unwrap_err().kind(), ErrorKind::NotFound);
}

/// The file capabilities of a walk beside what getcap prints.
#[test]
#[ignore = "needs root, setcap and getcap"]
fn capabilities_are_written_as_getcap_writes_them() {
    let root = tempfile::tempdir().unwrap();
    let sets = [
        "cap_net_raw=ep",
        "cap_net_admin,cap_net_raw=eip",
        "cap_net_raw=p cap_net_admin=i",
        "all=ep",
        "all=ep cap_net_raw-ep",
        "all=i cap_kill=ip",
        "cap_chown+i cap_fowner+p",
        "cap_bpf,cap_perfmon,cap_checkpoint_restore=eip",
        "=",
    ];
    for (index, set) in sets.iter().enumerate() {
        let file = root.path().join(index.to_string());
        std::fs::copy("/bin/true", &file).unwrap();
        let done = std::process::Command::new("setcap").arg(set).arg(&file).status().unwrap();
        assert!(done.success(), "{set}");
    }
    let seen = walk(root.path());
    for file in seen.files.iter().filter(|file| file.kind == FileKind::File) {
        let path = root.path().join(&file.path.0[1..]);
        let said = std::process::Command::new("getcap").arg(&path).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let said = said.trim_end().strip_prefix(path.to_str().unwrap()).unwrap().trim_start();
        assert_eq!(file.capabilities.as_deref(), Some(said), "{}", file.path.0);
    }
    assert_eq!(seen.files.len(), sets.len() + 1);
}
