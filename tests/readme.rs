//! Every command in the README runs, in order, in a place of its own.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The lines of the README's `sh` blocks.
fn commands(readme: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            other if inside && !other.trim().is_empty() => list.push(other.to_owned()),
            _ => {}
        }
    }
    list
}

/// A small host that passes for an image.
fn image(root: &Path) {
    for folder in ["etc/ssh", "var/lib/dpkg", "usr/bin"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
        ("etc/ssh/sshd_config", "PermitRootLogin yes\n"),
        (
            "var/lib/dpkg/status",
            "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\nArchitecture: amd64\n",
        ),
    ] {
        fs::write(root.join(path), text).unwrap();
    }
}

/// Serves on a free port until it says where it is, and ends it.
fn serve(words: &[String], place: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(words)
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn every_command_runs() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("image");
    image(&root);
    for folder in ["snapshots", "examples"] {
        std::os::unix::fs::symlink(project.join(folder), place.path().join(folder)).unwrap();
    }
    let commands = commands(&fs::read_to_string(project.join("README.md")).unwrap());
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        if command == "cargo test" {
            continue; // This is it.
        }
        let words: Vec<String> = command
            .strip_prefix("cargo run --release -- ")
            .or_else(|| command.strip_prefix("assay "))
            .unwrap_or_else(|| panic!("the README has another program: {command}"))
            .split_whitespace()
            .map(|word| word.replace("/mnt/image", root.to_str().unwrap()))
            .collect();
        // A scan of this host reads all of it, which is no test's business: its root is the image.
        let words = if words == ["scan", "--fail-on", "none"] {
            ["scan", "--fail-on", "none", "--root", root.to_str().unwrap()]
                .map(String::from)
                .to_vec()
        } else {
            words
        };
        if words[0] == "serve" {
            serve(&words, place.path());
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(&words)
            .current_dir(place.path())
            .output()
            .unwrap();
        let code = output.status.code().unwrap();
        let findings = words[0] == "scan" && !words.contains(&"none".to_owned());
        assert!(
            code == 0 || (findings && code == 1),
            "{command}: exit {code}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
