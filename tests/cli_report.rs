//! Results that were written down give the same report as the scan that wrote them.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap()
}

/// Snapshots of hosts, one of them without findings.
const SAMPLES: [&str; 5] = [
    "almalinux-8.assay",
    "debian-12-hardened.assay",
    "debian-12-planted.assay",
    "debian-12.assay",
    "debian-13.assay",
];

/// The results of the samples, with or without verdicts, and of one that is bad.
fn results(place: &Path, outcomes: bool) -> (String, Vec<String>) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let bad = place.join("bad.assay");
    fs::write(&bad, "no snapshot").unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let file = text(&place.join("results.ndjson"));
    let samples = SAMPLES.map(|name| text(&samples.join(name)));
    let paths: Vec<String> = samples.into_iter().chain([text(&bad)]).collect();
    let mut arguments = vec!["scan", "--format", "ndjson", "-o", &file];
    arguments.extend(paths.iter().map(String::as_str));
    if outcomes {
        arguments.push("--outcomes");
    }
    assert_eq!(assay(&arguments).status.code(), Some(4), "one is refused");
    (file, paths)
}

#[test]
fn a_report_of_written_results_is_that_of_the_scan() {
    let place = tempfile::tempdir().unwrap();
    let (file, paths) = results(place.path(), true);
    for format in ["csv", "junit"] {
        let mut arguments = vec!["scan", "--format", format];
        arguments.extend(paths.iter().map(String::as_str));
        let scanned = String::from_utf8(assay(&arguments).stdout).unwrap();
        let report = assay(&["report", &file, "--format", format]);
        assert!(report.status.success());
        let report = String::from_utf8(report.stdout).unwrap();
        let difference = scanned.lines().zip(report.lines()).find(|(a, b)| a != b);
        assert_eq!(difference, None, "{format}");
        assert_eq!(scanned.len(), report.len(), "{format}");
    }
    let html = place.path().join("report.html");
    let html = html.to_str().unwrap();
    assert!(assay(&["report", &file, "-o", html]).status.success());
    let page = fs::read_to_string(html).unwrap();
    for wanted in ["Full report: 5 hosts", "5 judged, 1 refused", "CIS Debian Linux 12 Benchmark"] {
        assert!(page.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_host_without_findings_is_known_from_the_summary() {
    let place = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/debian-12-hardened.assay");
    let file = place.path().join("results.ndjson");
    let (sample, file) = (sample.to_str().unwrap(), file.to_str().unwrap());
    let scan = assay(&["scan", "--format", "ndjson", "--outcomes", "-o", file, sample]);
    assert_eq!(scan.status.code(), Some(0));
    let report = |format: &str| {
        String::from_utf8(assay(&["report", file, "--format", format]).stdout).unwrap()
    };
    let page = report("html");
    assert!(page.contains("Debian GNU/Linux 12"), "{page}");
    assert!(!page.contains("not written") && !page.contains("1970"));
    // An older program did not write it.
    let written = fs::read_to_string(file).unwrap();
    fs::write(file, written.replace("\"without_findings\":[", "\"other\":[")).unwrap();
    for (format, known) in
        [("junit", "debian-12-hardened.assay\" hostname"), ("html", "not written")]
    {
        let report = report(format);
        assert!(report.contains(known) && !report.contains("1970"), "{format}");
    }
}

#[test]
fn without_verdicts_nothing_is_said_about_rules() {
    let place = tempfile::tempdir().unwrap();
    let (file, _) = results(place.path(), false);
    let page = String::from_utf8(assay(&["report", &file]).stdout).unwrap();
    assert!(page.contains("Finding report"));
    for wanted in ["Rules checked", "CIS scores", ">Pass<", "No potential security issues"] {
        assert!(!page.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_part_of_a_result_and_what_is_none_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let (file, _) = results(place.path(), true);
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let cut = place.path().join("cut");
    let cut = cut.to_str().unwrap();
    let last = lines.len() - 1;
    for (text, word) in [
        (lines[..last].join("\n"), "summary"),
        (whole[..whole.len() / 2].to_owned(), "not JSON"),
        (format!("{whole}{}\n", lines[0]), "after the summary"),
        ("{\"type\":\"finding\"}\n".to_owned(), "line 1"),
        ("[]\n".to_owned(), "line 1"),
        (String::new(), "summary"),
        (whole.replacen("\"verdict\":\"", "\"verdict\":\"un", 1), "not a line"),
    ] {
        fs::write(cut, text).unwrap();
        let output = assay(&["report", cut]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("A003") && said.contains(word), "{word}: {said}");
        assert!(output.stdout.is_empty());
    }
    let output = assay(&["report", "arn:aws:inspector:x"]);
    assert_eq!(output.status.code(), Some(2));
    let output =
        assay(&["report", "arn:aws:inspector:x", "--data", place.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4), "there is no store");
    assert!(!place.path().join("store.db").exists());
}
