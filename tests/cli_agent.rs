//! `assay agent run`: a snapshot that is kept fresh, and an agent that ends when it is asked to.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A small host.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
    fs::write(root.path().join("etc/machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    root
}

fn agent(root: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(["agent", "run", "--tag", "env=test", "--root"]).arg(root);
    command.arg("--out").arg(out).args(more);
    command
}

/// An agent that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn once_or_again_and_again() {
    let (root, place) = (root(), tempfile::tempdir().unwrap());
    // The directory is made.
    let out = place.path().join("agents/here");
    assert!(agent(root.path(), &out, &[]).status().unwrap().success());
    let kept = files(&out);
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("i-") && name.ends_with(".assay"), "{name}");
    let before = fs::read(file).unwrap();
    let said = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["snapshot", "cat"])
        .arg(file)
        .arg("host")
        .output()
        .unwrap();
    assert!(String::from_utf8(said.stdout).unwrap().contains("env=test"));

    // What is new on the host comes to be in the one file; what goes wrong is tried again.
    fs::write(root.path().join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    let mut child = Running(
        agent(root.path(), &out, &["--every", "1s"]).stderr(Stdio::null()).spawn().unwrap(),
    );
    let changed = |before: &[u8]| {
        for _ in 0..1500 {
            let now = fs::read(file).unwrap_or_default();
            if !now.is_empty() && now != before {
                return now;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the snapshot stays as it was");
    };
    let first = changed(&before);
    let elsewhere = place.path().join("moved");
    fs::rename(root.path().join("etc"), &elsewhere).unwrap();
    thread::sleep(Duration::from_millis(1500));
    fs::rename(&elsewhere, root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/passwd"), "root:x:0:0::/root:/bin/bash\n").unwrap();
    changed(&first);
    let pid = child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert_eq!(files(&out), std::slice::from_ref(file), "no half of a file is left");
}

#[test]
fn what_cannot_work_is_told() {
    let (root, place) = (root(), tempfile::tempdir().unwrap());
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let code = |command: &mut Command| command.output().unwrap().status.code().unwrap();
    assert_eq!(code(&mut agent(root.path(), &file, &[])), 70);
    assert_eq!(code(&mut agent(root.path(), place.path(), &["--every", "0s"])), 2);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(code(&mut agent(empty.path(), place.path(), &[])), 5);
    assert_eq!(files(place.path()), [file]);
}

/// The units are ones that systemd understands.
#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_takes_the_units() {
    let place = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/systemd");
    for unit in files(&folder).into_iter().filter(|path| {
        path.extension().is_some_and(|ending| ending == "service" || ending == "timer")
    }) {
        // The program that is tested, for the one that will be installed.
        let text = fs::read_to_string(&unit).unwrap();
        let text = text.replace("/usr/local/bin/assay", env!("CARGO_BIN_EXE_assay"));
        fs::write(place.path().join(unit.file_name().unwrap()), text).unwrap();
    }
    for unit in ["assay-agent.timer", "assay-agent.service", "assay-serve.service"] {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(place.path().join(unit))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains(unit), "{unit}: {said}");
    }
}
