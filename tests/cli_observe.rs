//! Observing from the command line: what comes and goes within the window is seen, a signal ends
//! it early and loses nothing, and sections that were not asked for are said to be so.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap()
}

fn observer(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn rows(file: &Path, table: &str) -> Vec<Json> {
    let output = assay(&["snapshot", "cat", file.to_str().unwrap(), table]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const SECTIONS: &str = "--sections=host,sockets,processes";

#[test]
fn what_comes_and_goes_is_seen_and_a_signal_loses_nothing() {
    for (name, which) in [("int", Signal::INT), ("term", Signal::TERM)] {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("host.assay");
        let path = file.to_str().unwrap();
        let child = observer(&["collect", "--duration", "10m", SECTIONS, "-o", path]);
        thread::sleep(Duration::from_millis(500));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        // Several samples long, even where other programs keep the processors busy.
        thread::sleep(Duration::from_secs(4));
        drop((listener, client));
        thread::sleep(Duration::from_millis(500));
        signal(&child, which);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        assert!(said.contains("C004") && said.contains("of 600 seconds"), "{name}: {said}");

        let host = rows(&file, "host").remove(0);
        assert_eq!(host["requested_seconds"], 600);
        let observed = host["observed_seconds"].as_u64().unwrap();
        assert!((1..600).contains(&observed), "{host}");
        let info = assay(&["snapshot", "info", path]);
        let info = String::from_utf8_lossy(&info.stdout);
        assert!(info.contains(&format!("{observed} s of 600 s, stopped early")), "{info}");
        let sockets = rows(&file, "sockets");
        let listening = |row: &&Json| row["state"] == "listening" && row["local_port"] == port;
        let seen = sockets.iter().find(listening).unwrap();
        assert_eq!(seen["traffic"], true, "{seen}");
        assert!(
            sockets.iter().any(|row| row["state"] == "connected" && row["remote_port"] == port)
        );
    }
}

#[test]
fn an_unused_port_is_a_finding_only_where_it_was_watched() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("host.assay");
    let path = file.to_str().unwrap();
    let verdict = |duration: &[&str]| {
        let collect = ["collect", SECTIONS, "-o", path];
        assert!(assay(&[&collect, duration].concat()).status.success());
        let scan = assay(&["scan", "--package=rba", "--format=ndjson", "--outcomes", path]);
        let text = String::from_utf8(scan.stdout).unwrap();
        let lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kind: &str| {
            let rule = "runtime-behavior-analysis/unused-listening-tcp-ports";
            lines.iter().find(|line| line["type"] == kind && line["rule"] == rule).cloned()
        };
        (of("outcome").unwrap()["verdict"].clone(), of("finding"))
    };
    let (one_look, finding) = verdict(&[]);
    assert_eq!((one_look, finding), (Json::from("unknown"), None));
    let (watched, finding) = verdict(&["--duration=1s"]);
    assert_eq!(watched, "fail");
    let evidence = finding.unwrap()["evidence"].to_string();
    assert!(evidence.contains(&format!(":{port}")), "{evidence}");
}

#[test]
fn sections_that_were_not_asked_for_say_so() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    let file = place.path().join("some.assay");
    let (root, file) = (root.to_str().unwrap(), file.to_str().unwrap());
    let collect =
        |sections: &str| assay(&["collect", "--root", root, "--sections", sections, "-o", file]);
    assert!(collect("users,groups").status.success());
    let info = assay(&["snapshot", "info", file]).stdout;
    let info = String::from_utf8_lossy(&info);
    for line in
        info.lines().filter(|line| line.starts_with("config ") || line.starts_with("files "))
    {
        assert!(line.ends_with("absent (it was not asked for)"), "{line}");
    }
    assert!(info.lines().any(|line| line.starts_with("users ") && line.ends_with("collected")));
    // What needs the others is unknown, and nothing passes for lack of facts.
    let scan = assay(&["scan", "--package=sbp", "--format=ndjson", "--outcomes", file]);
    let text = String::from_utf8(scan.stdout).unwrap();
    let verdicts = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let passed = verdicts.filter(|line| line["verdict"] == "pass").count();
    assert_eq!(passed, 0, "{text}");

    let output = collect("users,nonsense");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nonsense") && said.contains("kernel_parameters"), "{said}");
}

#[test]
fn times_are_read_as_people_write_them() {
    for (time, code) in [("25h", 2), ("-5s", 2), ("10", 2), ("soon", 2), ("0s", 0)] {
        let time = format!("--duration={time}");
        let output = assay(&["collect", "--sections=sockets", "-o", "/dev/null", &time]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{time}: {said}");
    }
    let only = ["collect", "--sections=users", "--duration=1m", "-o", "/dev/null"];
    assert_eq!(assay(&only).status.code(), Some(2), "nothing would be observed");
    assert_eq!(assay(&["scan", "--root", "/", "--duration=1m"]).status.code(), Some(2));
}

#[test]
fn a_signal_leaves_no_half_of_a_file() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let out = place.path().join("findings.ndjson");
    let (pipe, out) = (pipe.to_str().unwrap(), out.to_str().unwrap());
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/debian-12.assay");
    // Nobody reads from the pipe: the scan waits, with its first output begun.
    let child =
        observer(&["scan", sample, "--format=ndjson", "-o", out, "--format=text", "-o", pipe]);
    let files = || fs::read_dir(place.path()).unwrap().count();
    while files() < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(files(), 1, "only the pipe is left");
}
