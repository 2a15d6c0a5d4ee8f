//! `assay diff`: what changed between two snapshots of one host, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn collect(root: &Path, file: &Path) {
    let output =
        assay(&["collect", "--root", root.to_str().unwrap(), "-o", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn package(name: &str, version: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
    )
}

#[test]
fn what_changed_is_shown_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    let (a, b) = (place.path().join("a.assay"), place.path().join("b.assay"));
    let ssh = package("openssh-server", "1:9.2p1-2");
    write(&root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    write(&root, "var/lib/dpkg/status", &format!("{ssh}{}", package("bash", "5.2-1")));
    write(&root, "etc/ssh/sshd_config", "# ours\nPermitRootLogin no\n");
    write(&root, "etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
    write(&root, "srv/app", "x");
    collect(&root, &a);

    let (old, new) = (a.to_str().unwrap(), b.to_str().unwrap());
    let more = format!("{ssh}{}{}", package("bash", "5.2-2"), package("telnetd", "1"));
    write(&root, "var/lib/dpkg/status", &more);
    write(&root, "etc/ssh/sshd_config", "# ours\nPermitRootLogin yes\n");
    write(&root, "etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    fs::set_permissions(root.join("srv/app"), fs::Permissions::from_mode(0o4755)).unwrap();
    collect(&root, &b);

    let output = assay(&["diff", old, new]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "Disable root login over SSH: pass -> fail",
        "+ /etc/ssh/sshd_config:2  permitrootlogin yes",
        "  + package telnetd",
        "  ~ package bash",
        "version 5.2-1 -> 5.2-2",
        "  - /etc/passwd ann",
        "  ~ /srv/app",
        "mode 0644 -> 4755",
        "- PermitRootLogin no",
        "+ PermitRootLogin yes",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    for line in ["# ours", "package openssh-server", "/etc/passwd root"] {
        assert!(!text.contains(line), "{line} is no difference\n{text}");
    }

    let output = assay(&["diff", "--json", old, new]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rule = lines
        .iter()
        .find(|line| line["rule"] == "security-best-practices/disable-root-login-over-ssh");
    let rule = rule.unwrap();
    assert_eq!((&rule["before"], &rule["after"]), (&"pass".into(), &"fail".into()));
    assert!(
        lines.iter().any(|line| line["name"] == "package telnetd" && line["change"] == "added")
    );

    let same = assay(&["diff", old, old]);
    assert!(String::from_utf8_lossy(&same.stdout).ends_with("no difference\n"));
}

#[test]
fn a_bad_snapshot_is_named() {
    let place = tempfile::tempdir().unwrap();
    let bad = place.path().join("bad.assay");
    fs::write(&bad, "no snapshot").unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/debian-12.assay");
    let output = assay(&["diff", sample.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("S001") && said.contains("bad.assay"), "{said}");
}
