//! `assay scan --advisories`, as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

const FEED: &str = r#"{
  "openssl": {
    "CVE-2024-0001": {
      "description": "An example.",
      "releases": { "bookworm": { "status": "resolved", "fixed_version": "3.0.11-1~deb12u2", "urgency": "not yet assigned" } }
    },
    "CVE-2024-0002": {
      "releases": { "bookworm": { "status": "open", "urgency": "not yet assigned" } }
    },
    "CVE-2024-0003": {
      "releases": { "bookworm": { "status": "resolved", "fixed_version": "3.0.1", "urgency": "not yet assigned" } }
    }
  },
  "roundcube": {
    "CVE-2017-16651": {
      "releases": { "stretch": { "status": "resolved", "fixed_version": "1.2.3+dfsg.1-4+deb9u1", "urgency": "high" } }
    }
  },
  "absent": {
    "CVE-2024-0004": {
      "releases": { "bookworm": { "status": "resolved", "fixed_version": "2", "urgency": "high" } }
    }
  }
}"#;
const KEV: &str = r#"{"catalogVersion":"1","dateReleased":"2024-03-01T00:00:00Z","vulnerabilities":[
  {"cveID":"CVE-2024-0001","dateAdded":"2024-02-29","knownRansomwareCampaignUse":"Known"}]}"#;
const EPSS: &str = "#model_version:v1,score_date:2024-03-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0001,0.42,0.99\n";
const NVD: &str = r#"{"resultsPerPage":1,"startIndex":0,"totalResults":1,"timestamp":"2024-03-01T00:00:00.000","vulnerabilities":[
  {"cve":{"id":"CVE-2024-0001","vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"The text of the database of record."}],
   "metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}}],
              "cvssMetricV2":[{"source":"nvd@nist.gov","cvssData":{"version":"2.0","vectorString":"AV:N/AC:M/Au:N/C:N/I:P/A:N","baseScore":4.3}}]}}}]}"#;

fn assay(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).current_dir(place).output().unwrap()
}

fn said(output: &Output) -> (i32, String) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code().unwrap(), text)
}

/// A place with a database and a root whose system and packages these are.
fn place(system: &str, status: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    for (name, text) in
        [("debian.json", FEED), ("kev.json", KEV), ("epss.csv", EPSS), ("nvd.json", NVD)]
    {
        fs::write(here.join(name), text).unwrap();
    }
    let import = [
        "advisories",
        "import",
        "debian.json",
        "kev.json",
        "epss.csv",
        "nvd.json",
        "-o",
        "a.db",
        "--fetched",
        "2024-03-01",
    ];
    let output = assay(here, &import);
    assert!(output.status.success(), "{}", said(&output).1);
    for folder in ["etc", "var/lib/dpkg"] {
        fs::create_dir_all(here.join("root").join(folder)).unwrap();
    }
    fs::write(here.join("root/etc/os-release"), system).unwrap();
    fs::write(here.join("root/etc/hostname"), "h\n").unwrap();
    fs::write(here.join("root/var/lib/dpkg/status"), status).unwrap();
    place
}

const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n";
const OPENSSL: &str = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.11-1~deb12u1\n\n\
    Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u1\n";

fn scan(here: &Path, more: &[&str]) -> Vec<Json> {
    let mut all = vec![
        "scan",
        "--root",
        "root",
        "--package",
        "cve",
        "--format",
        "ndjson",
        "--outcomes",
        "--fail-on",
        "none",
        "--advisories",
        "a.db",
    ];
    all.extend(more);
    let output = assay(here, &all);
    assert!(output.status.success(), "{}", said(&output).1);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn findings(lines: &[Json]) -> Vec<&Json> {
    lines.iter().filter(|line| line["type"] == "finding").collect()
}

fn verdict<'a>(lines: &'a [Json], rule: &str) -> (&'a str, &'a str) {
    let line = lines.iter().find(|line| line["type"] == "outcome" && line["rule"] == rule).unwrap();
    (line["verdict"].as_str().unwrap(), line["reason"].as_str().unwrap_or_default())
}

#[test]
fn a_vulnerability_is_one_finding_in_inspectors_form() {
    let place = place(DEBIAN, OPENSSL);
    let lines = scan(place.path(), &[]);
    let [found] = *findings(&lines) else { panic!("{lines:?}") };
    assert_eq!(found["rule"], "common-vulnerabilities/installed-packages");
    assert_eq!(found["severity"], "High");
    let evidence = found["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 2);
    assert_eq!(evidence[0]["location"], "package libssl3");
    assert_eq!(evidence[0]["observed"], "3.0.11-1~deb12u1 is installed");
    assert_eq!(
        evidence[0]["expected"],
        "3.0.11-1~deb12u2 or later (CVE-2024-0001, debian-tracker debian.json)"
    );
    let finding = &found["finding"];
    assert_eq!(finding["id"], "CVE-2024-0001");
    let agent = finding["assetAttributes"]["agentId"].as_str().unwrap();
    assert_eq!(finding["title"], format!("Instance {agent} is vulnerable to CVE-2024-0001"));
    assert_eq!(finding["description"], "The text of the database of record.");
    let recommendation = finding["recommendation"].as_str().unwrap();
    assert!(
        recommendation.starts_with(
            "Use your Operating System's update feature to update packages \
             libssl3-0:3.0.11-1~deb12u1.amd64, openssl-0:3.0.11-1~deb12u1.amd64."
        ),
        "{recommendation}"
    );
    let attributes: Vec<String> = finding["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            format!("{}={}", pair["key"].as_str().unwrap(), pair["value"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        attributes[1..],
        [
            "CVE_ID=CVE-2024-0001",
            "package_name=libssl3-0:3.0.11-1~deb12u1.amd64,openssl-0:3.0.11-1~deb12u1.amd64",
            "CVSS2_SCORE=4.3",
            "CVSS2_VECTOR=AV:N/AC:M/Au:N/C:N/I:P/A:N",
            "CVSS3_SCORE=9.8",
            "CVSS3_VECTOR=CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "FIXED_VERSIONS=3.0.11-1~deb12u2",
            "ADVISORY_IDS=CVE-2024-0001",
            "KEV_DATE_ADDED=2024-02-29",
            "KEV_RANSOMWARE=known",
            "EPSS_PROBABILITY=0.42",
            "EPSS_PERCENTILE=0.99",
        ]
    );
    assert_eq!(verdict(&lines, "common-vulnerabilities/installed-packages").0, "fail");
    assert_eq!(verdict(&lines, "common-vulnerabilities/language-packages").0, "not_applicable");
    assert_eq!(verdict(&lines, "common-vulnerabilities/supported-release").0, "pass");
    // Without a fix it is found where that is asked for.
    let lines = scan(place.path(), &["--include-unfixed"]);
    let ids: Vec<_> = findings(&lines).iter().map(|line| line["finding"]["id"].clone()).collect();
    assert_eq!(ids, ["CVE-2024-0001", "CVE-2024-0002"]);
}

#[test]
fn every_format_names_the_vulnerability() {
    let place = place(DEBIAN, OPENSSL);
    let here = place.path();
    for format in ["text", "inspector", "ndjson", "sarif"] {
        let arguments = [
            "scan",
            "--root",
            "root",
            "--package",
            "cve",
            "--format",
            format,
            "--fail-on",
            "none",
            "--advisories",
            "a.db",
            "--include-unfixed",
        ];
        let text = String::from_utf8(assay(here, &arguments).stdout).unwrap();
        for id in ["CVE-2024-0001", "CVE-2024-0002"] {
            assert!(text.contains(id), "{format}: {text}");
        }
    }
    let arguments = ["scan", "--root", "root", "--package", "cve", "--advisories", "a.db"];
    let text = String::from_utf8(assay(here, &arguments).stdout).unwrap();
    assert!(text.contains("Note: 1 vulnerability without a fix"), "{text}");
    let arguments = [
        "scan",
        "--root",
        "root",
        "--package",
        "cve",
        "--format",
        "sarif",
        "--fail-on",
        "none",
        "--advisories",
        "a.db",
        "--include-unfixed",
    ];
    let sarif: Json = serde_json::from_slice(&assay(here, &arguments).stdout).unwrap();
    let run = &sarif["runs"][0];
    let ids: Vec<_> =
        run["results"].as_array().unwrap().iter().map(|r| r["ruleId"].clone()).collect();
    assert_eq!(
        ids,
        ["common-vulnerabilities/CVE-2024-0001", "common-vulnerabilities/CVE-2024-0002"]
    );
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

#[test]
fn a_gate_stops_on_a_vulnerability() {
    let place = place(DEBIAN, OPENSSL);
    let arguments = ["scan", "--root", "root", "--package", "cve", "--advisories", "a.db"];
    assert_eq!(said(&assay(place.path(), &arguments)).0, 1);
}

#[test]
fn a_rule_and_an_advisory_about_one_vulnerability_are_one_finding() {
    let status = "Package: roundcube\nStatus: install ok installed\nArchitecture: all\nVersion: 1.2.3+dfsg.1-4\n";
    let place = place("ID=debian\nVERSION_ID=\"9\"\n", status);
    let lines = scan(place.path(), &[]);
    let found = findings(&lines);
    let of = |id: &str| -> Vec<&Json> {
        found.iter().copied().filter(|line| line["finding"]["id"] == id).collect()
    };
    let [one] = *of("CVE-2017-16651") else { panic!("{found:?}") };
    assert_eq!(one["rule"], "common-vulnerabilities/CVE-2017-16651");
    assert_eq!(one["severity"], "High");
    let sources = one["evidence"].as_array().unwrap();
    assert_eq!(sources.len(), 2);
    let [ended] = *of("The release gets security updates") else { panic!("{found:?}") };
    assert_eq!(ended["rule"], "common-vulnerabilities/supported-release");
    assert!(sources.iter().any(|item| item["expected"].as_str().unwrap().contains("debian.json")));
}

#[test]
fn a_system_without_a_feed_is_unknown_and_no_pass() {
    for (system, reason) in [
        ("ID=gentoo\nPRETTY_NAME=Gentoo\n", "no feed is about Gentoo"),
        ("ID=debian\nVERSION_ID=11\n", "the databases have no advisories of Debian:11"),
    ] {
        let place = place(system, OPENSSL);
        let lines = scan(place.path(), &[]);
        let rule = "common-vulnerabilities/installed-packages";
        assert_eq!(verdict(&lines, rule), ("unknown", reason));
        let exclusions = lines.iter().filter(|line| line["type"] == "exclusion");
        let told = |line: &Json| line["description"].as_str().unwrap().contains(reason);
        assert_eq!(exclusions.filter(|line| told(line)).count(), 1);
        let arguments = [
            "scan",
            "--root",
            "root",
            "--package",
            "cve",
            "--advisories",
            "a.db",
            "--fail-on",
            "none",
            "--strict",
        ];
        assert_eq!(said(&assay(place.path(), &arguments)).0, 1, "{system}");
    }
}

#[test]
fn old_advisories_are_told_and_can_be_refused() {
    let place = place(DEBIAN, OPENSSL);
    let here = place.path();
    let base =
        ["scan", "--root", "root", "--package", "cve", "--fail-on", "none", "--advisories", "a.db"];
    let run = |more: &[&str]| said(&assay(here, &[&base[..], more].concat()));
    let (code, text) = run(&[]);
    assert!(code == 0 && text.contains("V031") && text.contains("2024-03-01"), "{text}");
    let (code, text) = run(&["--fail-stale"]);
    assert!(code == 3 && text.contains("error[V031]"), "{text}");
    let (code, text) = run(&["--fail-stale", "--max-age", "5200w"]);
    assert!(code == 0 && !text.contains("V031"), "{text}");
    for bad in ["", "d", "14", "14x", "-1d", "99999999999999999999w", "é"] {
        assert_eq!(run(&["--max-age", bad]).0, 2, "{bad}");
    }
    // What does not tell when it was made may be of any age.
    let output = assay(here, &["advisories", "import", "debian.json", "-o", "undated.db"]);
    assert!(output.status.success());
    let arguments = [
        "scan",
        "--root",
        "root",
        "--package",
        "cve",
        "--advisories",
        "undated.db",
        "--fail-stale",
    ];
    let (code, text) = said(&assay(here, &arguments));
    assert!(code == 3 && text.contains("is not known"), "{text}");
}

#[test]
fn a_database_that_cannot_be_used_stops_the_scan() {
    let place = place(DEBIAN, OPENSSL);
    let here = place.path();
    let mut bytes = fs::read(here.join("a.db")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(here.join("flipped.db"), &bytes).unwrap();
    fs::write(here.join("cut.db"), &bytes[..last]).unwrap();
    for (file, code) in
        [("debian.json", "V020"), ("missing.db", "V025"), ("cut.db", "V021"), (".", "V025")]
    {
        let arguments = ["scan", "--root", "root", "--package", "cve", "--advisories", file];
        let (exit, text) = said(&assay(here, &arguments));
        assert!(exit == 3 && text.contains(code), "{file}: {exit} {text}");
    }
    let arguments = ["scan", "--root", "root", "--package", "cve", "--advisories", "flipped.db"];
    let (exit, text) = said(&assay(here, &arguments));
    assert!(exit == 3 && text.contains("V023"), "{exit} {text}");
}

/// The last bytes of a database are a block of texts, which are read when a finding needs them.
#[test]
fn a_part_that_turns_out_damaged_is_a_bad_database_and_no_bad_host() {
    let place = place(DEBIAN, OPENSSL);
    let here = place.path();
    let collected = assay(here, &["collect", "--root", "root", "-o", "a.assay"]);
    assert!(collected.status.success(), "{}", said(&collected).1);
    let sound = fs::read(here.join("a.db")).unwrap();
    let mut damaged = 0;
    for from_end in (1..sound.len()).step_by(101) {
        let mut bytes = sound.clone();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        fs::write(here.join("b.db"), bytes).unwrap();
        for host in [&["--root", "root"][..], &["a.assay"]] {
            for explain in [&[][..], &["--explain", "CVE-2024-0001"]] {
                let mut all = vec!["scan", "--package", "cve", "--advisories", "b.db"];
                all.extend(["--fail-on", "none"]);
                all.extend(host.iter().chain(explain));
                let (code, text) = said(&assay(here, &all));
                assert!(matches!(code, 0 | 3), "{from_end} {all:?}: {code}, {text}");
                assert_eq!(code == 3, text.contains("error"), "{text}");
                damaged += usize::from(text.contains("the advisories cannot be used: V023"));
            }
        }
    }
    assert!(damaged > 3, "{damaged}");
}

#[test]
fn an_explanation_says_what_decided() {
    let place = place(DEBIAN, OPENSSL);
    let here = place.path();
    let explain = |id: &str| {
        let arguments = ["scan", "--root", "root", "--advisories", "a.db", "--explain", id];
        let output = assay(here, &arguments);
        assert!(output.status.success(), "{}", said(&output).1);
        String::from_utf8(output.stdout).unwrap()
    };
    for (id, words) in [
        (
            "CVE-2024-0001",
            &[
                "CVE-2024-0001 vulnerable",
                "libssl3-0:3.0.11-1~deb12u1.amd64",
                "fixed in 3.0.11-1~deb12u2",
            ][..],
        ),
        ("CVE-2024-0002", &["CVE-2024-0002 not vulnerable", "left out because there is no fix"]),
        ("CVE-2024-0003", &["CVE-2024-0003 not vulnerable", "outside the range"]),
        ("CVE-2024-0004", &["CVE-2024-0004 not vulnerable", "not installed: absent"]),
        (
            "CVE-2017-16651",
            &["not vulnerable", "are for Debian:9, which judge other systems than Debian 12"],
        ),
        ("CVE-1999-0001", &["not vulnerable", "CVE-1999-0001 is not in"]),
    ] {
        let text = explain(id);
        for word in words {
            assert!(text.contains(word), "{id}: no {word:?} in {text}");
        }
    }
    assert_eq!(assay(here, &["scan", "--explain", "CVE-2024-0001"]).status.code(), Some(2));
}
