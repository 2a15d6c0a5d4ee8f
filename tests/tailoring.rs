//! A tailoring file changes what it names, says so wherever results are shown, and is refused whole
//! where something in it is wrong.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use assay::diagnostic::Diagnostic;
use assay::rules::{Library, Plan, Scope, Tailoring};
use serde_json::Value as Json;

/// A host on which a tailoring judges address space randomization otherwise.
fn host(place: &Path) -> PathBuf {
    let root = place.join("root");
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
        ("etc/sysctl.d/10.conf", "kernel.randomize_va_space = 2\n"),
        ("var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5.2\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn scan(root: &Path, tailoring: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["scan", "--package", "cis", "--fail-on", "none", "--root"])
        .arg(root)
        .arg("--tailoring")
        .arg(tailoring)
        .args(more)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Json> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcome<'l>(lines: &'l [Json], number: &str) -> &'l Json {
    lines.iter().find(|line| line["recommendation"] == number).unwrap()
}

#[test]
fn values_and_switches_change_verdicts_and_are_reported() {
    let place = tempfile::tempdir().unwrap();
    let root = host(place.path());
    let file = place.path().join("site.yaml");
    let ndjson = ["--format", "ndjson", "--outcomes"];
    fs::write(&file, "tailoring: None\nrules: {}\n").unwrap();
    let before = lines(&scan(&root, &file, &ndjson));
    assert_eq!(outcome(&before, "1.5.1")["verdict"], "pass");
    assert_eq!(outcome(&before, "5.4.2.5")["tailored"], Json::Null);
    assert_eq!(before.last().unwrap()["tailoring"], Json::Null);

    fs::write(
        &file,
        "tailoring: Ours\nrules:\n  cis/debian-12/1.5.1: { with: { values: ['3'] } }\n  \
         cis/debian-12/1.1.2.1.1: { off: 'No  disk\n    of its own' }\n",
    )
    .unwrap();
    let after = lines(&scan(&root, &file, &ndjson));
    assert_eq!(outcome(&after, "1.5.1")["verdict"], "fail");
    assert_eq!(outcome(&after, "1.5.1")["tailored"], "values = 3");
    let off = outcome(&after, "1.1.2.1.1");
    assert_eq!(off["verdict"], "not_applicable");
    assert_eq!(off["reason"], "switched off by Ours: No disk of its own");
    assert_eq!(
        after.last().unwrap()["tailoring"],
        serde_json::json!({
            "name": "Ours",
            "off": { "cis/debian-12/1.1.2.1.1": "No disk of its own" },
            "changed": { "cis/debian-12/1.5.1": { "values": "3" } },
        })
    );
    let changed = |line: &Json| line["type"] == "outcome" && line["tailored"] != Json::Null;
    assert_eq!(after.iter().filter(|line| changed(line)).count(), 2);

    let text = scan(&root, &file, &[]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("TAILORED  by Ours\n"), "{text}");
    assert!(text.contains("switched off: No disk of its own\n"), "{text}");
    assert!(text.contains("values = 3\n"), "{text}");
}

fn compiled(text: &str) -> Result<Plan, Vec<Diagnostic>> {
    let tailoring = Tailoring::parse("site.yaml", text.to_owned())?;
    let scope = Scope {
        benchmarks: Some(Default::default()),
        tailoring: Some(Arc::new(tailoring)),
        ..Scope::default()
    };
    Library::embedded().compile_for(&scope)
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = "\
tailoring: x
color: red
rules:
  cis/debian-12/5.1.99: { off: gone }
  cis/debian-12/5.3.3.2.2: { with: { leest: 16 } }
  cis/debian-12/2.3.3.1: { with: { hosts: '(' } }
  cis/debian-12/5.1.7: { with: [{ most: 5 }] }
  cis/debian-12/1.1.1.10: { with: { module: x } }
  cis/debian-12/5.1.16: { with: { most: many } }
  cis/debian-12/1.1.2.1.1: { off: '' }
  cis/debian-12/1.1.2.1.2: { off: x, with: { path: /x } }
  cis/debian-12/1.1.2.1.3: {}
  cis/debian-12/1.1.2.1.4: { with: {} }
  cis/ubuntu-22.04/1.1.2.1.4: { with: nodev }
  common-vulnerabilities/CVE-2021-4034: { with: { x: y } }
  security-best-practices/enable-aslr: { with: { x: y } }
";
    let found = compiled(text).unwrap_err();
    let mut codes: Vec<(String, usize)> = found
        .iter()
        .map(|diagnostic| {
            let (source, span) = diagnostic.place.as_ref().unwrap();
            assert_eq!(source.name, "site.yaml", "{diagnostic}");
            let line = source.text[..span.start].matches('\n').count() + 1;
            (diagnostic.code.to_string(), line)
        })
        .collect();
    codes.sort_by_key(|(_, line)| *line);
    let expected = [
        ("R006", 2),
        ("R026", 4),
        ("R015", 5),
        ("R012", 6),
        ("R012", 7),
        ("R015", 8),
        ("R010", 9),
        ("R012", 10),
        ("R007", 11),
        ("R007", 12),
        ("R012", 13),
        ("R005", 14),
        ("R015", 15),
        ("R015", 16),
    ];
    let expected = expected.map(|(code, line)| (code.to_owned(), line));
    assert_eq!(codes, expected, "{found:#?}");
}

#[test]
fn hostile_files_are_refused() {
    for text in ["", "[]", "tailoring: x", "rules: {}", "tailoring: x\nrules: []\n", "a: &b c\n"] {
        assert!(compiled(text).is_err(), "{text:?}");
    }
    let place = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("binary", b"\xff\xfe".to_vec()),
        ("large", vec![b'#'; 2 << 20]),
        ("bad", b"x: [".to_vec()),
    ] {
        let file = place.path().join(name);
        fs::write(&file, bytes).unwrap();
        let output = scan(&host(place.path()), &file, &[]);
        assert_eq!(output.status.code(), Some(3), "{name}");
        assert!(!output.stderr.is_empty());
    }
    let output = scan(&host(place.path()), &place.path().join("missing"), &[]);
    assert_eq!(output.status.code(), Some(3));
    let control = "tailoring: \"a\\u001b[2J\"\nrules: { cis/debian-12/1.1.2.1.1: { off: x } }\n";
    let file = place.path().join("control");
    fs::write(&file, control).unwrap();
    let output = scan(&host(place.path()), &file, &[]);
    assert!(output.status.success() && !output.stdout.contains(&0x1b));
}

#[test]
fn the_example_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tailoring.yaml");
    let plan = compiled(&fs::read_to_string(path).unwrap()).unwrap();
    let changed = plan.rules.iter().filter(|rule| rule.tailored.is_some()).count();
    assert_eq!(changed, 3, "the level of one is not in the profile");
}
