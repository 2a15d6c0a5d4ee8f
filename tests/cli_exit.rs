//! Every way in which a scan ends has its exit code and a sentence, and nothing that a path can lead
//! to makes it wait.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Ends a child that waits for something which never comes, so that the test tells it.
fn output(mut command: Command) -> Output {
    let child: Child = command.spawn().unwrap();
    let id = child.id().to_string();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if ended.recv_timeout(Duration::from_secs(120)).is_err() {
            Command::new("kill").args(["-9", &id]).status().unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    guard.join().unwrap();
    output
}

fn assay(arguments: &[&str]) -> Output {
    output(command(arguments))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

fn sample(name: &str) -> String {
    samples().join(name).display().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A root whose worst finding among the best practices is of medium severity.
fn root(place: &Path) -> PathBuf {
    let root = place.join("root");
    write(&root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    write(&root, "etc/login.defs", "PASS_MAX_DAYS 99999\n");
    write(
        &root,
        "var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nVersion: 5\n",
    );
    root
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_snapshot_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fifo(&at("pipe"));
    fs::create_dir(at("folder")).unwrap();
    fifo(&at("folder/pipe.assay"));
    symlink("loop.assay", at("folder/loop.assay")).unwrap();
    symlink("loop", at("loop")).unwrap();
    fs::File::create(at("huge")).unwrap().set_len(1 << 42).unwrap();
    let mut begun = fs::File::create(at("begun")).unwrap();
    begun.write_all(&fs::read(sample("debian-12.assay")).unwrap()[..64]).unwrap();
    begun.set_len(1 << 42).unwrap();
    let whole = fs::read(sample("debian-12.assay")).unwrap();
    fs::write(at("half"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("nothing"), "").unwrap();
    let paths = ["pipe", "folder", "loop", "huge", "begun", "half", "nothing", "missing"];
    let paths = paths.map(|name| text(&at(name)).to_owned());
    for path in paths.iter().map(String::as_str).chain(["/dev/null", "/dev/zero"]) {
        for arguments in [vec!["scan", path], vec!["snapshot", "info", path]] {
            let output = assay(&arguments);
            assert_eq!(output.status.code(), Some(4), "{arguments:?}: {}", said(&output));
            assert!(
                said(&output).contains(" S0") || said(&output).contains("[S0"),
                "{arguments:?}"
            );
        }
    }
    // One line for each that is bad, and the good one is judged.
    let good = sample("debian-12-hardened.assay");
    let mut all: Vec<&str> = vec!["scan", "--format", "ndjson", &good];
    all.extend(paths.iter().map(String::as_str));
    let output = assay(&all);
    assert_eq!(output.status.code(), Some(4));
    let said = said(&output);
    assert_eq!(said.lines().filter(|line| line.contains("was not judged")).count(), 9, "{said}");
    let last: Json =
        serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().last().unwrap())
            .unwrap();
    assert_eq!(last["snapshots"], serde_json::json!({"read": 1, "refused": 9}));
}

#[test]
fn what_is_no_root_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    fifo(&place.path().join("pipe"));
    symlink("loop", place.path().join("loop")).unwrap();
    let names = ["pipe", "loop", "missing"].map(|name| text(&place.path().join(name)).to_owned());
    for path in names.iter().map(String::as_str).chain(["/dev/null"]) {
        let output = assay(&["scan", "--root", path]);
        assert_eq!(output.status.code(), Some(4), "{path}: {}", said(&output));
        assert!(said(&output).contains("C001"), "{}", said(&output));
    }
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let output = assay(&["scan", "--root", text(&empty)]);
    assert_eq!(output.status.code(), Some(5));
    assert!(said(&output).contains("C002"), "{}", said(&output));
}

#[test]
fn a_folder_without_the_right_to_read_it_is_refused() {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = place.path().join("assay");
    fs::copy(env!("CARGO_BIN_EXE_assay"), &binary).unwrap();
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let root = rustix::process::geteuid().is_root();
    for (arguments, code) in [(vec!["scan", "--root"], 4), (vec!["scan"], 4)] {
        let mut command = Command::new(&binary);
        command.args(&arguments).arg(&closed).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if root {
            command.uid(65534).gid(65534);
        }
        let output = output(command);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("denied"), "{}", said(&output));
    }
}

#[test]
fn the_gate_is_where_it_was_put() {
    let place = tempfile::tempdir().unwrap();
    let root = root(place.path());
    let scan = |more: &[&str]| {
        let mut all = vec!["scan", "--root", text(&root), "--package", "sbp"];
        all.extend(more);
        let output = assay(&all);
        (output.status.code().unwrap(), said(&output))
    };
    for (fail_on, code) in
        [("informational", 1), ("low", 1), ("medium", 1), ("high", 0), ("none", 0)]
    {
        assert_eq!(scan(&["--fail-on", fail_on]).0, code, "{fail_on}");
    }
    assert_eq!(scan(&[]).0, 0, "high is the default");
    // A host that was looked at once says nothing about ports that nobody uses.
    let unknown = ["scan", "--package", "rba", "--fail-on", "none", "--strict"];
    let snapshot = place.path().join("no-files.assay");
    let sections = ["collect", "--root", text(&root), "--sections", "host", "-o", text(&snapshot)];
    assert_eq!(assay(&sections).status.code(), Some(0));
    let mut strict = unknown.to_vec();
    strict.push(text(&snapshot));
    assert_eq!(assay(&strict).status.code(), Some(1), "unknown, and strict");
    strict.retain(|word| *word != "--strict");
    assert_eq!(assay(&strict).status.code(), Some(0), "unknown, and not strict");
    // No benchmark is about this system.
    write(&root, "etc/os-release", "ID=plan9\nVERSION_ID=4\n");
    let output = assay(&["scan", "--root", text(&root), "--package", "cis"]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(said(&output).contains("A001"), "{}", said(&output));
}

#[test]
fn a_wrong_command_line_is_told_before_anything_is_judged() {
    let place = tempfile::tempdir().unwrap();
    let missing = place.path().join("no/such/file");
    let sample = sample("debian-12.assay");
    for (arguments, word) in [
        (vec!["-o", text(&missing)], "C003"),
        (vec!["-o", text(place.path())], "C003"),
        (vec!["--format", "sarif", "--format", "ndjson"], "-o"),
        (vec!["--format", "sarif", "-o", "a", "-o", "b"], "-o"),
        (vec!["--fail-on", "severe"], "severe"),
        (vec!["--package", "cvs"], "cvs"),
        (vec!["--threads", "0"], "0"),
        (vec!["--threads", "many"], "many"),
        (vec!["--profile", "Level 9"], "Level 9"),
        (vec!["--duration", "15m"], "--duration"),
        (vec!["--tag", "x"], "KEY=VALUE"),
    ] {
        let mut all = vec!["scan", sample.as_str()];
        all.extend(&arguments);
        let output = assay(&all);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(word), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn every_mistake_of_a_rule_file_is_told() {
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        "security-best-practices/x.yaml",
        "title: x\nseverity: severe\nfinding: x\ndescription: x\nremediation: x\ncheck:\n  from: \
         filez\n  expect: each\n  must: { mode: 1 }\napplies_to: { famly: linux }\nexampels: []\n",
    );
    let root = root(place.path());
    for arguments in [
        vec!["rules", "check", text(place.path())],
        vec!["scan", "--root", text(&root), "--rules", text(place.path())],
    ] {
        let output = assay(&arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let said = said(&output);
        for word in ["severe", "filez", "famly", "exampels", "examples"] {
            assert!(said.contains(word), "{arguments:?}: {word} is missing in {said}");
        }
    }
}

#[test]
fn several_formats_go_to_their_files() {
    let place = tempfile::tempdir().unwrap();
    let (sarif, lines) = (place.path().join("a.sarif"), place.path().join("b.ndjson"));
    let sample = sample("debian-12-planted.assay");
    let output = assay(&[
        "scan",
        &sample,
        "--format",
        "sarif",
        "-o",
        text(&sarif),
        "--format",
        "ndjson",
        "-o",
        text(&lines),
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(output.stdout.is_empty());
    let log: Json = serde_json::from_slice(&fs::read(sarif).unwrap()).unwrap();
    let lines = fs::read_to_string(lines).unwrap();
    let findings = lines.lines().filter(|line| line.starts_with("{\"type\":\"finding\"")).count();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), findings);
}

#[test]
fn paths_come_from_standard_input_too() {
    let mut command = command(&["scan", "-", "--format", "ndjson", "--fail-on", "none"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let names = ["debian-12.assay", "debian-13.assay"].map(sample).join("\n");
    child.stdin.take().unwrap().write_all(names.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("\"snapshots\":{\"read\":2,\"refused\":0}"), "{out}");
}

#[test]
fn a_reader_who_has_seen_enough_changes_no_verdict() {
    let folder = samples().display().to_string();
    for (arguments, code) in [
        (vec!["scan", &folder, "--format", "ndjson", "--fail-on", "none"], 0),
        (vec!["scan", &folder, "--format", "text"], 1),
        (vec!["rules", "list"], 0),
        (vec!["rules", "schema"], 0),
        (vec!["facts"], 0),
        (vec!["explain"], 0),
        (vec!["completions", "bash"], 0),
        (vec!["--help"], 0),
    ] {
        let mut child = command(&arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert_eq!(said(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_link_to_a_snapshot_is_a_snapshot_and_a_link_to_a_folder_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    symlink(sample("debian-12.assay"), place.path().join("a.assay")).unwrap();
    symlink(place.path(), place.path().join("again")).unwrap();
    let output = assay(&["scan", text(place.path()), "--format", "ndjson", "--fail-on", "none"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("\"snapshots\":{\"read\":1,\"refused\":0}"), "{out}");
}
