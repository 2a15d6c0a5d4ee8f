//! Commands that only look: every code, every table and every shell has its answer.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::io::Write;
use std::process::{Command, Stdio};

fn assay(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The first words of the lines of a list.
fn listed(arguments: &[&str]) -> Vec<String> {
    let (code, out, _) = assay(arguments);
    assert_eq!(code, Some(0));
    let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    out.lines().map(first).collect()
}

#[test]
fn every_code_is_explained() {
    let codes = listed(&["explain"]);
    assert!(codes.len() > 50, "{codes:?}");
    for code in codes {
        let (exit, out, _) = assay(&["explain", &code.to_lowercase()]);
        assert_eq!(exit, Some(0));
        assert!(out.starts_with(&format!("{code}: ")) && out.lines().count() >= 3, "{out}");
    }
    let (exit, _, said) = assay(&["explain", "X999"]);
    assert_eq!(exit, Some(2));
    assert!(said.contains("X999"), "{said}");
}

#[test]
fn every_table_is_described() {
    let tables = listed(&["facts"]);
    assert!(tables.len() > 40, "{tables:?}");
    for table in tables {
        let (exit, out, _) = assay(&["facts", &table]);
        assert_eq!(exit, Some(0));
        assert!(out.starts_with(&format!("{table}: ")) && out.lines().count() >= 4, "{out}");
    }
    assert_eq!(assay(&["facts", "nothing"]).0, Some(2));
}

#[test]
fn every_rule_is_shown() {
    let (_, out, _) = assay(&["rules", "list", "--format", "json"]);
    let rules: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let of = |package: &str| rules.iter().filter(|rule| rule["package"] == package).count();
    assert_eq!((of("sbp"), of("rba")), (9, 6));
    let (mut benchmark, mut some) = (String::new(), Vec::new());
    for rule in &rules {
        // Of every benchmark one; showing all takes long.
        let first = rule["benchmark"].as_str().is_none_or(|name| name != benchmark);
        if first {
            benchmark = rule["benchmark"].as_str().unwrap_or_default().to_owned();
            some.push(rule);
        }
    }
    for rule in some {
        let (exit, out, _) = assay(&["rules", "show", rule["id"].as_str().unwrap()]);
        assert_eq!(exit, Some(0), "{rule}");
        let title = rule["title"].as_str().unwrap();
        assert!(out.contains(title), "{rule}: {out}");
    }
    let (_, out, _) = assay(&["rules", "show", "cis/debian-12/1.3.1.1"]);
    assert!(out.contains("id: 1.3.1.1,") && out.contains("package-installed.yaml"), "{out}");
    assert!(!out.contains("id: 1.3.1.3,"), "{out}");
    for id in ["cis/debian-12/99.9", "cis/debian-99/1.1", "sbp/nothing", ""] {
        assert_eq!(assay(&["rules", "show", id]).0, Some(2), "{id}");
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (exit, out, _) = assay(&["completions", shell]);
        assert_eq!(exit, Some(0), "{shell}");
        for word in ["scan", "snapshot", "--waivers", "--fail-on"] {
            assert!(out.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let script = assay(&["completions", "bash"]).1;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    assert_eq!(assay(&["completions", "tcsh"]).0, Some(2));
}
