//! The language itself: what is refused, with all mistakes at once, and what the examples of a
//! rule have to prove.

use assay::diagnostic::Diagnostic;
use assay::engine::selftest::{self, CheckReport};
use assay::rules::Library;

const GOOD: &str = r#"
title: No telnet server
severity: medium
finding: "Instance {host.agent_id} has {daemon} installed."
description: Telnet sends passwords in the clear.
remediation: Remove the package.
params:
  daemon: { type: text, default: telnetd, doc: The package. }
check:
  from: packages
  where: { name: { in: [$daemon, inetutils-telnetd] }, status: installed }
  expect: none
examples:
  - { name: there, verdict: fail, facts: { packages: [{ name: telnetd, manager: dpkg, version: "1" }] }, evidence: [package telnetd] }
  - { name: removed, verdict: pass, facts: { packages: [{ name: telnetd, status: config-files }] } }
  - { name: other, verdict: pass, facts: { packages: [{ name: sshd }] } }
"#;

fn library(text: &str) -> Library {
    let mut library = Library::default();
    assert!(library.insert("security-best-practices/x.yaml", text));
    library
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.0.id).collect()
}

fn check(text: &str) -> CheckReport {
    selftest::check(&library(text))
}

#[test]
fn a_good_rule_is_clean() {
    let report = check(GOOD);
    assert!(report.is_clean(), "{:#?}", report.diagnostics);
    assert_eq!((report.files, report.examples, report.leaves), (1, 3, 2));
    assert_eq!(library(GOOD).shown("security-best-practices/x").as_deref(), Some(GOOD));
}

#[test]
fn five_mistakes_are_five_diagnostics_with_their_places() {
    let text = GOOD
        .replace("severity: medium", "severity: mediocre")
        .replace("remediation:", "remedation:")
        .replace("from: packages", "from: pakages")
        .replace("{host.agent_id}", "{host.agent}")
        .replace("verdict: fail", "verdict: failed");
    let report = check(&text);
    let found: Vec<(&str, &str)> = report
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let (source, span) = diagnostic.place.as_ref().expect("a place");
            (diagnostic.code.0.id, &source.text[span.start..span.end])
        })
        .collect();
    let has = |code: &str, text: &str| {
        assert!(
            found.iter().any(|(c, t)| *c == code && t.contains(text)),
            "{code} {text}: {found:#?}"
        );
    };
    has("R012", "mediocre");
    has("R006", "remedation");
    has("R007", "title");
    has("R008", "pakages");
    has("R015", "host.agent");
    has("R012", "failed");
    let helps: Vec<_> = report.diagnostics.iter().filter_map(|d| d.help.as_deref()).collect();
    assert!(helps.contains(&"did you mean `packages`?"), "{helps:?}");
    assert!(helps.contains(&"did you mean `remediation`?"), "{helps:?}");
}

#[test]
fn mistakes_in_conditions() {
    for (condition, code) in [
        ("{ nam: x }", "R009"),
        ("{ name: { equals: x } }", "R011"),
        ("{ name: { lt: 3 } }", "R010"),
        ("{ version: { lt: 3 } }", "R010"),
        ("{ name: null }", "R014"),
        ("{ name: { exists: true } }", "R014"),
        ("{ name: { in: [] } }", "R014"),
        ("{ name: { matches: '(' } }", "R012"),
        ("{ name: [a, b] }", "R010"),
        ("{ name: $nobody }", "R015"),
        ("{ any: [] }", "R014"),
        ("[name]", "R005"),
        ("{ name: x, name: y }", "R003"),
        ("{ name: &a x }", "R002"),
    ] {
        let text = GOOD.replace(
            "{ name: { in: [$daemon, inetutils-telnetd] }, status: installed }",
            condition,
        );
        let errors = library(&text).compile().expect_err(condition);
        assert!(codes(&errors).contains(&code), "{condition}: {errors:?}");
    }
    for (condition, code) in [
        ("{ mode: { bits_set: 22x } }", "R010"),
        ("{ mode: 9999 }", "R010"),
        ("{ mtime: { older_than: 90 } }", "R010"),
        ("{ path: etc/passwd }", "R012"),
        ("{ path: { under: [etc] } }", "R012"),
    ] {
        let text = GOOD.replace("from: packages", "from: files").replace(
            "{ name: { in: [$daemon, inetutils-telnetd] }, status: installed }",
            condition,
        );
        let errors = library(&text).compile().expect_err(condition);
        assert!(codes(&errors).contains(&code), "{condition}: {errors:?}");
    }
}

#[test]
fn each_needs_when_empty_and_must() {
    let each = GOOD.replace("expect: none", "expect: each\n  must: { version: '1' }");
    assert_eq!(codes(&library(&each).compile().unwrap_err()), ["R013"]);
    let nothing = GOOD.replace("expect: none", "expect: each\n  when_empty: pass");
    assert_eq!(codes(&library(&nothing).compile().unwrap_err()), ["R014"]);
}

#[test]
fn examples_have_to_prove_the_rule() {
    let wrong = GOOD.replace("name: there, verdict: fail", "name: there, verdict: pass");
    assert!(codes(&check(&wrong).diagnostics).contains(&"R023"));
    let wrong = GOOD.replace("name: other, verdict: pass", "name: other, verdict: unknown");
    assert_eq!(codes(&check(&wrong).diagnostics), ["R021"]);
    let wrong = GOOD.replace("evidence: [package telnetd]", "evidence: [package other]");
    assert_eq!(codes(&check(&wrong).diagnostics), ["R022"]);
    let untested = GOOD
        .replace("status: config-files", "status: installed")
        .replace("removed, verdict: pass", "removed, verdict: fail");
    assert_eq!(codes(&check(&untested).diagnostics), [] as [&str; 0]);
    let untested = GOOD.replace("status: installed }", "status: installed, manager: { ne: apk } }");
    let report = check(&untested);
    assert_eq!(codes(&report.diagnostics), [] as [&str; 0], "flipping it changes `there`");
    let untested = GOOD.replace(
        "status: installed }",
        "status: installed, any: [{ manager: dpkg }, { manager: apk }] }",
    );
    let report = check(&untested);
    assert_eq!(codes(&report.diagnostics), ["R024"], "{:?}", report.diagnostics);
    assert!(report.diagnostics[0].message.contains("apk"), "{:?}", report.diagnostics);
}

#[test]
fn hostile_files_are_refused() {
    let deep = format!("check: {}", "{not: ".repeat(5000));
    assert!(library(&deep).compile().is_err());
    let wide = format!("title: {}", "x".repeat(2 << 20));
    assert_eq!(codes(&library(&wide).compile().unwrap_err()), ["R004"]);
    let many: String = (0..1000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(library(&many).compile().unwrap_err().len() <= 200);
}

#[test]
fn a_new_file_is_right_as_it_is() {
    use assay::model::finding::RulesPackage;
    for (package, id) in [
        (RulesPackage::SecurityBestPractices, "my-rule"),
        (RulesPackage::RuntimeBehavior, "my-rule"),
        (RulesPackage::Cis, "my-control"),
        (RulesPackage::CommonVulnerabilities, "CVE-2030-12345"),
    ] {
        let mut library = Library::default();
        let text = assay::rules::scaffold(package, id);
        assert!(library.insert(&assay::rules::scaffold_path(package, id), text), "{id}");
        let report = selftest::check(&library);
        assert!(report.is_clean(), "{package:?}: {:#?}", report.diagnostics);
        assert!(report.examples > 1);
    }
}
