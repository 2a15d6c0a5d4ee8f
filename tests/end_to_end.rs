//! From a root to findings, as a user would: what is planted is found with file and line, its
//! clean twin has none of it, and what cannot be judged is never a pass.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
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

fn mode(root: &Path, path: &str, mode: u32) {
    fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
}

/// A Debian 12 host that the Security Best Practices have nothing to say about.
fn clean(root: &Path) {
    write(root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    write(root, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    write(
        root,
        "var/lib/dpkg/status",
        "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n",
    );
    write(
        root,
        "etc/ssh/sshd_config",
        "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nPasswordAuthentication no\n",
    );
    write(root, "etc/ssh/sshd_config.d/a.conf", "# nothing\n");
    write(root, "etc/login.defs", "PASS_MAX_DAYS 90\n");
    write(
        root,
        "etc/pam.d/common-password",
        "password requisite pam_pwquality.so\npassword required pam_unix.so remember=12\n",
    );
    write(
        root,
        "etc/security/pwquality.conf",
        "minlen = 14\nlcredit = -1\nucredit = -1\ndcredit = -1\nocredit = -1\n",
    );
    write(root, "etc/sysctl.d/10.conf", "kernel.randomize_va_space = 2\n");
    write(root, "usr/lib/systemd/system/agent.service", "[Service]\nExecStart=/opt/agent/run\n");
    write(root, "opt/agent/run", "#!/bin/sh\n");
    mode(root, "opt/agent/run", 0o755);
    for folder in ["etc/cron.d", "usr/bin", "srv"] {
        fs::create_dir_all(root.join(folder)).unwrap();
        mode(root, folder, 0o755);
    }
}

/// The same with one problem for every kind of evidence.
fn planted(root: &Path) {
    clean(root);
    write(root, "etc/ssh/sshd_config.d/a.conf", "# cloud\nPermitRootLogin yes\n");
    write(
        root,
        "etc/ssh/sshd_config",
        "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\nMatch Group x\n  PasswordAuthentication yes\n",
    );
    write(root, "etc/login.defs", "# ages\nPASS_MAX_DAYS 99999\n");
    write(
        root,
        "etc/pam.d/common-password",
        "password required pam_unix.so remember=12\npassword requisite pam_pwquality.so minlen=6\n",
    );
    write(root, "etc/sysctl.d/99.conf", "kernel.randomize_va_space = 0\n");
    mode(root, "usr/bin", 0o777);
    mode(root, "opt/agent/run", 0o757);
    write(root, "srv/everybody", "x");
    mode(root, "srv/everybody", 0o666);
    fs::create_dir(root.join("srv/open")).unwrap();
    mode(root, "srv/open", 0o777);
}

fn ndjson(arguments: &[&str]) -> Vec<Json> {
    let mut all = vec!["scan", "--format", "ndjson", "--outcomes", "--fail-on", "none"];
    all.extend(arguments);
    let output = assay(&all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `rule location:line` of every piece of evidence.
fn evidence(lines: &[Json]) -> BTreeSet<String> {
    let mut list = BTreeSet::new();
    for finding in lines.iter().filter(|line| line["type"] == "finding") {
        let rule = finding["rule"].as_str().unwrap();
        for item in finding["evidence"].as_array().unwrap() {
            let line = item["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
            list.insert(format!("{rule} {}{line}", item["location"].as_str().unwrap()));
        }
    }
    list
}

#[test]
fn what_is_planted_is_found_where_it_is_and_its_clean_twin_has_none_of_it() {
    let place = tempfile::tempdir().unwrap();
    let (bad, good) = (place.path().join("bad"), place.path().join("good"));
    planted(&bad);
    clean(&good);
    let bad = evidence(&ndjson(&["--root", bad.to_str().unwrap()]));
    let good = evidence(&ndjson(&["--root", good.to_str().unwrap()]));
    let sbp = "security-best-practices";
    for expected in [
        format!("{sbp}/disable-root-login-over-ssh /etc/ssh/sshd_config.d/a.conf:2"),
        format!("{sbp}/disable-password-authentication-over-ssh /etc/ssh/sshd_config:4"),
        format!("{sbp}/configure-password-maximum-age /etc/login.defs:2"),
        format!("{sbp}/configure-password-minimum-length /etc/pam.d/common-password:2"),
        format!("{sbp}/enable-aslr /etc/sysctl.d/99.conf:1"),
        format!("{sbp}/configure-permissions-for-system-directories /usr/bin"),
        "runtime-behavior-analysis/root-process-with-insecure-permissions /opt/agent/run".into(),
        "cis/debian-12/7.1.11 /srv/everybody".into(),
        "cis/debian-12/7.1.11 /srv/open".into(),
    ] {
        assert!(bad.contains(&expected), "{expected} is missing in {bad:#?}");
        assert!(!good.contains(&expected), "{expected} is a false finding");
    }
}

#[test]
fn collecting_and_scanning_apart_is_the_same_as_together() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    planted(&root);
    let file = place.path().join("host.assay");
    let (root, file) = (root.to_str().unwrap(), file.to_str().unwrap());
    assert!(assay(&["collect", "--root", root, "-o", file]).status.success());
    let strip = |lines: Vec<Json>| -> Vec<String> {
        let strip = |mut line: Json| {
            for member in ["snapshot", "finding"] {
                line.as_object_mut().unwrap().remove(member);
            }
            line.to_string()
        };
        lines.into_iter().map(strip).collect()
    };
    let together = strip(ndjson(&["--root", root]));
    assert!(together.len() > 50);
    assert_eq!(strip(ndjson(&[file])), together);
}

#[test]
fn a_package_without_a_rule_for_the_host_is_told() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    clean(root);
    let excluded = |release: &str| -> Vec<String> {
        write(root, "etc/os-release", release);
        let lines =
            ndjson(&["--root", root.to_str().unwrap(), "--package", "cis", "--package", "sbp"]);
        let exclusions = lines.iter().filter(|line| line["type"] == "exclusion");
        exclusions
            .filter(|line| line["title"] == "Rules package not supported by OS")
            .map(|line| line["description"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(excluded("ID=debian\nVERSION_ID=12\n"), [""; 0]);
    let told = excluded("ID=debian\nVERSION_ID=9\nPRETTY_NAME=\"Debian 9\"\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("CIS") && told[0].contains("Debian 9"), "{told:?}");
}

#[test]
fn threads_and_order_change_nothing() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut files: Vec<String> = fs::read_dir(&samples)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.ends_with(".assay"))
        .collect();
    assert!(files.len() >= 5, "the samples are part of the project: {files:?}");
    for (_, format) in assay::emit::Format::ALL {
        let scan = |threads: &str, files: &[String]| {
            let mut arguments = vec!["scan", "--format", format, "--threads", threads];
            arguments.extend(files.iter().map(String::as_str));
            assay(&arguments).stdout
        };
        let one = scan("1", &files);
        files.reverse();
        assert_eq!(one, scan("4", &files), "{format}");
    }
}

#[test]
fn every_format_carries_the_same_findings() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/debian-12-planted.assay");
    let scan = |format| assay(&["scan", "--format", format, sample.to_str().unwrap()]).stdout;
    let lines = ndjson(&[sample.to_str().unwrap()]);
    let findings = lines.iter().filter(|line| line["type"] == "finding").count();
    assert!(findings > 20);
    let inspector: Json = serde_json::from_slice(&scan("inspector")).unwrap();
    let listed = inspector["findings"].as_array().unwrap();
    let nothing = "No potential security issues found";
    assert_eq!(listed.iter().filter(|finding| finding["title"] != nothing).count(), findings);
    let sarif: Json = serde_json::from_slice(&scan("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), findings);
    let asff: Json = serde_json::from_slice(&scan("asff")).unwrap();
    let cyclonedx: Json = serde_json::from_slice(&scan("cyclonedx")).unwrap();
    let csv = scan("csv");
    let csv = csv::Reader::from_reader(&*csv).into_records().map(Result::unwrap);
    let xml = String::from_utf8(scan("junit")).unwrap();
    let html = String::from_utf8(scan("html")).unwrap();
    assert_eq!(asff.as_array().unwrap().len(), findings);
    assert_eq!(cyclonedx["vulnerabilities"].as_array().unwrap().len(), findings);
    assert_eq!(csv.filter(|row| &row[0] == "finding").count(), findings);
    assert_eq!(xml.matches("<failure ").count(), findings);
    let titles: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line["type"] == "finding")
        .map(|line| line["finding"]["title"].as_str().unwrap())
        .collect();
    for title in titles {
        let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert!(html.contains(&title.replace('"', "&quot;")), "{title}");
    }
    assert_eq!(lines.last().unwrap()["type"], "summary");
}

#[test]
fn bad_input_has_its_exit_code_and_a_sentence() {
    let place = tempfile::tempdir().unwrap();
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let file = place.path().join("file");
    fs::write(&file, "x").unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/debian-12.assay");
    let bytes = fs::read(&sample).unwrap();
    let cut = place.path().join("cut.assay");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let rules = place.path().join("rules/security-best-practices");
    fs::create_dir_all(&rules).unwrap();
    fs::write(
        rules.join("bad.yaml"),
        "title: x\nseverty: high\nfinding: x\ndescription: x\nremediation: x\ncheck:\n  from: filez\n  expect: each\nexamples: 3\ntitel: y\n",
    )
    .unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let rules_root = text(&place.path().join("rules"));
    for (arguments, code, word) in [
        (vec!["scan".into(), "--root".into(), text(&empty)], 5, "empty"),
        (vec!["scan".into(), "--root".into(), text(&file)], 4, "C001"),
        (vec!["scan".into(), "--root".into(), "/no/such/place".into()], 4, "C001"),
        (vec!["scan".into(), text(&cut)], 4, "S00"),
        (vec!["scan".into(), text(&empty)], 5, "no snapshot"),
        (vec!["scan".into(), "--nonsense".into()], 2, "nonsense"),
        (vec!["scan".into(), text(&sample), "--rules".into(), rules_root.clone()], 3, "filez"),
        (vec!["rules".into(), "check".into(), rules_root], 3, "severty"),
        (vec!["snapshot".into(), "verify".into(), text(&cut)], 4, "S00"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = assay(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    let output = assay(&["scan", &text(&cut), &text(&sample), "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(4), "one bad snapshot");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("\"type\":\"finding\""), "the good one is still judged");
}
