//! `assay advisories`, as a user runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/advisories")
}

fn assay(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .arg("advisories")
        .args(arguments)
        .current_dir(place)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The exit code and what was said on standard error.
fn failed(output: &Output) -> (i32, String) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output.status.code().unwrap(), said)
}

/// A place with feeds in it.
fn place(feeds: &[&str]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for feed in feeds {
        std::fs::copy(fixtures().join(feed), place.path().join(feed)).unwrap();
    }
    place
}

#[test]
fn import_info_and_verify() {
    let place = place(&["dsa.list", "kev.json", "secdb.yaml"]);
    let here = place.path();
    let other = r#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-1999-0001","dateAdded":"2021-11-03"}]}"#;
    std::fs::write(here.join("kev.json"), other).unwrap();
    // The list of exploited vulnerabilities stands first and is read last.
    let said = out(&assay(here, &["import", "kev.json", "dsa.list", "-o", "a.db"]));
    assert!(said.contains("debian-list dsa.list ("), "{said}");
    assert!(said.contains("1 taken, 1 about nothing that an advisory names"), "{said}");
    out(&assay(here, &["import", "dsa.list", "kev.json", "-o", "b.db"]));
    let read = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(read("a.db") == read("b.db"), "the order of feeds makes no difference");
    let info = out(&assay(here, &["info", "a.db"]));
    assert!(info.contains("kev kev.json (") && info.contains("Debian:11"), "{info}");
    let said = out(&assay(here, &["verify", "a.db"]));
    assert!(said.starts_with("sound: "), "{said}");
    // A feed that tells no date has the one that the user tells.
    let said = out(&assay(here, &["import", "secdb", "secdb.yaml", "-o", "c.db"]));
    assert!(said.contains("secdb.yaml (date unknown)"), "{said}");
    let arguments = ["import", "secdb", "secdb.yaml", "-o", "c.db", "--fetched", "2026-11-02"];
    let said = out(&assay(here, &arguments));
    assert!(said.contains("secdb.yaml (2026-11-02"), "{said}");
}

#[test]
fn a_directory_is_one_feed() {
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    std::fs::create_dir_all(here.join("osv/deeper")).unwrap();
    std::fs::copy(fixtures().join("osv.json"), here.join("osv/deeper/one.json")).unwrap();
    std::fs::copy(fixtures().join("osv.jsonl"), here.join("osv/two.jsonl")).unwrap();
    std::fs::write(here.join("osv/LICENSE"), "words").unwrap();
    let said = out(&assay(here, &["import", "osv", "-o", "a.db", "osv/"]));
    assert_eq!(said.matches("osv osv (").count(), 1, "{said}");
    out(&assay(here, &["import", "./osv", "-o", "b.db"]));
    let read = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(read("a.db") == read("b.db"));
    std::fs::create_dir(here.join("empty")).unwrap();
    let (code, said) = failed(&assay(here, &["import", "./empty", "-o", "c.db"]));
    assert!(code == 3 && said.contains("V009"), "{said}");
}

#[test]
fn what_cannot_be_imported_leaves_no_database() {
    let place = place(&["dsa.list", "kev.json"]);
    let here = place.path();
    let mut half = std::fs::read(here.join("dsa.list")).unwrap();
    half.truncate(half.len() - 1);
    std::fs::write(here.join("half.list"), half).unwrap();
    for (arguments, exit, word) in [
        (&["import", "dsa.list", "half.list", "-o", "x.db"][..], 3, "V003"),
        (&["import", "epss", "kev.json", "-o", "x.db"], 3, "V002"),
        (&["import", "kev.json", "-o", "x.db"], 3, "V030"),
        (&["import", "missing.json", "-o", "x.db"], 3, "V025"),
        (&["import", "osv", "-o", "x.db"], 2, "kind"),
        (&["import", "dsa.list"], 2, "--output"),
        (&["import", "dsa.list", "-o", "no/such/x.db"], 2, "no/such"),
        (&["info", "dsa.list"], 3, "V020"),
        (&["verify", "missing.db"], 3, "V025"),
    ] {
        let (code, said) = failed(&assay(here, arguments));
        assert!(code == exit && said.contains(word), "{arguments:?}: {code} {said}");
        assert!(!here.join("x.db").exists(), "{arguments:?}");
    }
}

#[test]
fn a_signature_that_is_required_must_be_there() {
    let place = place(&["dsa.list"]);
    let here = place.path();
    out(&assay(here, &["import", "dsa.list", "-o", "a.db"]));
    // The key of the documentation of minisign.
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let (code, said) = failed(&assay(here, &["verify", "a.db", "--signed-by", key]));
    assert!(code == 3 && said.contains("V026"), "{said}");
    std::fs::write(here.join("a.db.minisig"), "untrusted comment: x\nAAAA\n").unwrap();
    let (code, said) = failed(&assay(here, &["verify", "a.db", "--signed-by", key]));
    assert!(code == 3 && said.contains("V026"), "{said}");
    for bad in ["RWQf6LRCGA9i53", "a.db", "missing.pub", ""] {
        let (code, said) = failed(&assay(here, &["verify", "a.db", "--signed-by", bad]));
        assert!(code == 3 && said.contains("V028"), "{bad}: {said}");
    }
}

#[test]
#[ignore = "signs with minisign"]
fn signatures_of_the_real_tool() {
    let place = place(&["dsa.list"]);
    let here = place.path();
    out(&assay(here, &["import", "dsa.list", "-o", "a.db"]));
    let minisign = |arguments: &[&str]| {
        let output = Command::new("minisign").args(arguments).current_dir(here).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for key in ["mine", "other"] {
        let (public, secret) = (format!("{key}.pub"), format!("{key}.key"));
        minisign(&["-G", "-W", "-p", &public, "-s", &secret]);
    }
    minisign(&["-S", "-s", "mine.key", "-t", "week 48", "-m", "a.db"]);
    let signed = out(&assay(here, &["verify", "a.db", "--signed-by", "mine.pub"]));
    assert!(signed.contains("signed: week 48"), "{signed}");
    // A scan can require it too.
    std::fs::create_dir_all(here.join("root/etc")).unwrap();
    std::fs::write(here.join("root/etc/os-release"), "ID=debian\nVERSION_ID=11\n").unwrap();
    for (key, exit) in [("mine.pub", Some(0)), ("other.pub", Some(3))] {
        let output = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(["scan", "--root", "root", "--package", "cve", "--fail-on", "none"])
            .args(["--advisories", "a.db", "--signed-by", key])
            .current_dir(here)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), exit, "{key}");
    }
    let line = std::fs::read_to_string(here.join("mine.pub")).unwrap();
    let line = line.lines().nth(1).unwrap();
    out(&assay(here, &["verify", "a.db", "--signed-by", line]));
    let (code, said) = failed(&assay(here, &["verify", "a.db", "--signed-by", "other.pub"]));
    assert!(code == 3 && said.contains("V027"), "{said}");
    // Another database that is sound, under the signature of the first.
    std::fs::copy(fixtures().join("secdb.yaml"), here.join("secdb.yaml")).unwrap();
    out(&assay(here, &["import", "secdb.yaml", "-o", "a.db"]));
    let (code, said) = failed(&assay(here, &["verify", "a.db", "--signed-by", "mine.pub"]));
    assert!(code == 3 && said.contains("V027"), "{said}");
}
