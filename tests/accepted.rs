//! Waivers and baselines: what was accepted does not stop a pipeline, for as long and as far as it
//! was accepted.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

const RULE: &str = "security-best-practices/configure-password-maximum-age";

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Place(tempfile::TempDir);

impl Place {
    /// A host with one finding: passwords get too old.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("root/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        place.write("root/etc/login.defs", "PASS_MAX_DAYS 99999\n");
        let module = "password requisite pam_pwquality.so minclass=4 minlen=14\n\
                      password required pam_unix.so remember=12\n";
        place.write("root/etc/pam.d/common-password", module);
        place.write("root/var/lib/dpkg/status", "");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn scan(&self, more: &[&str]) -> Output {
        let root = self.at("root");
        let mut all = vec!["scan", "--root", text(&root), "--package", "sbp"];
        all.extend(["--fail-on", "medium"]);
        all.extend(more);
        assay(&all)
    }

    /// The findings and the summary.
    fn lines(&self, more: &[&str]) -> Vec<Json> {
        let mut all = vec!["--format", "ndjson"];
        all.extend(more);
        let out = String::from_utf8(self.scan(&all).stdout).unwrap();
        let lines = out.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        lines.filter(|line| line["type"] != "exclusion").collect()
    }
}

#[test]
fn a_waiver_holds_until_its_day_and_says_why() {
    let place = Place::new();
    assert_eq!(place.scan(&[]).status.code(), Some(1));
    let waivers = |expires: &str| {
        let text =
            format!("waivers:\n  - rule: {RULE}\n    reason: LDAP\n    expires: {expires}\n");
        place.write("waivers.yaml", &text)
    };
    let file = waivers("2999-12-31");
    let output = place.scan(&["--waivers", text(&file)]);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("Waived until 2999-12-31: LDAP"), "{shown}");
    let lines = place.lines(&["--waivers", text(&file)]);
    assert_eq!(lines[0]["status"], "waived");
    assert_eq!(lines[0]["waiver"]["reason"], "LDAP");
    assert_eq!(lines[1]["statuses"]["waived"], 1);
    let out = place.scan(&["--waivers", text(&file), "--format", "sarif"]).stdout;
    let log: Json = serde_json::from_slice(&out).unwrap();
    let suppression = &log["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["justification"], "LDAP (until 2999-12-31)");

    let file = waivers("2020-02-29");
    let output = place.scan(&["--waivers", text(&file)]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("W003") && said.contains("2020-02-29"), "{said}");
    assert!(said.contains("waivers.yaml"), "{said}");
}

#[test]
fn a_bad_waiver_stops_the_scan() {
    let place = Place::new();
    let bad = place.write("bad.yaml", "waivers:\n  - rule: x\n    reasn: y\n    expires: never\n");
    let missing = place.at("missing.yaml");
    let output = place.scan(&["--waivers", text(&bad), "--waivers", text(&missing)]);
    assert_eq!(output.status.code(), Some(3));
    for word in ["reasn", "needs `reason`", "W002", "W001", "did you mean"] {
        assert!(said(&output).contains(word), "{word}: {}", said(&output));
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn a_baseline_knows_what_was_there_and_nothing_more() {
    let place = Place::new();
    let baseline = place.at("baseline.ndjson");
    place.scan(&["--format", "ndjson", "-o", text(&baseline)]);
    let with = ["--baseline", text(&baseline)];
    assert_eq!(place.scan(&with).status.code(), Some(0));
    let lines = place.lines(&with);
    assert_eq!(lines[0]["status"], "known");
    assert_eq!(lines[1]["statuses"]["known"], 1);
    // The same elsewhere in the file is the same; another value is not.
    place.write("root/etc/login.defs", "# ages\n\nPASS_MAX_DAYS 99999\n");
    assert_eq!(place.scan(&with).status.code(), Some(0));
    place.write("root/etc/login.defs", "PASS_MAX_DAYS 9999\n");
    assert_eq!(place.scan(&with).status.code(), Some(1));
    // Neither is another finding.
    place.write("root/etc/login.defs", "PASS_MAX_DAYS 99999\n");
    place.write("root/etc/sysctl.d/a.conf", "kernel.randomize_va_space = 1\n");
    assert_eq!(place.scan(&with).status.code(), Some(1));
}

#[test]
fn what_is_no_whole_baseline_stops_the_scan() {
    let place = Place::new();
    let whole = place.at("baseline.ndjson");
    place.scan(&["--format", "ndjson", "-o", text(&whole)]);
    let whole = fs::read_to_string(whole).unwrap();
    let first = whole.lines().next().unwrap();
    for (name, content) in [
        ("cut", &whole[..whole.len() / 2]),
        ("without its end", &format!("{first}\n")),
        ("empty", ""),
        ("no json", "hello\n"),
        ("other json", "{\"a\": 1}\n"),
    ] {
        let file = place.write("bad.ndjson", content);
        let output = place.scan(&["--baseline", text(&file)]);
        assert_eq!(output.status.code(), Some(3), "{name}");
        assert!(said(&output).contains("W004"), "{name}: {}", said(&output));
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    let place = Place::new();
    let baseline = place.at("baseline.ndjson");
    place.scan(&["--format", "ndjson", "-o", text(&baseline)]);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/waivers.yaml");
    let today = jiff::civil::date(2026, 1, 1);
    assert!(
        assay::assess::Accepted::read(std::slice::from_ref(&example), Some(&baseline), today)
            .is_ok()
    );
    let seeds = [fs::read(example).unwrap(), fs::read(&baseline).unwrap()];
    let mut random = Random(7);
    let (mut good, mut bad) = (0, 0);
    for round in 0..1_000 {
        let mut bytes = seeds[round % 2].clone();
        for _ in 0..1 + random.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => bytes.truncate(at + 1),
                2 => {
                    let end = (at + random.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let piece = bytes[at..(at + 30).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let file = place.at("mutated");
        fs::write(&file, bytes).unwrap();
        let read = match round % 2 {
            0 => assay::assess::Accepted::read(&[file], None, today),
            _ => assay::assess::Accepted::read(&[], Some(&file), today),
        };
        match read {
            Ok(_) => good += 1,
            Err(errors) => {
                assert!(!errors.is_empty());
                bad += 1;
            }
        }
    }
    assert!(good > 10 && bad > 300, "{good} {bad}");
}
