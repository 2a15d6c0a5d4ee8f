//! Feeds that are cut, swapped, bloated or made to break their reader: a code, never a short feed.

use super::{fixture, refused};
use assay::advisory::feed::{Context, Kind, collect, detect};

const SAMPLES: [(Kind, &str); 16] = [
    (Kind::Osv, "osv.json"),
    (Kind::Osv, "osv.jsonl"),
    (Kind::DebianTracker, "debian-tracker.json"),
    (Kind::DebianList, "dsa.list"),
    (Kind::UpdateInfo, "updateinfo.xml"),
    (Kind::Secdb, "secdb.yaml"),
    (Kind::Secdb, "secdb.json"),
    (Kind::Kev, "kev.json"),
    (Kind::Kev, "kev.csv"),
    (Kind::Epss, "epss.csv"),
    (Kind::Nvd, "nvd.json"),
    (Kind::OpenVex, "openvex.json"),
    (Kind::Oval, "oval-redhat.xml"),
    (Kind::Oval, "oval-ubuntu.xml"),
    (Kind::Oval, "oval-suse.xml"),
    (Kind::Csaf, "csaf.json"),
];

/// Every byte of small samples is tried, and of large ones as many.
fn stride(bytes: &[u8]) -> usize {
    1 + bytes.len() / 3000
}

#[test]
fn another_kind_is_refused() {
    for (kind, name) in SAMPLES {
        let bytes = fixture(name);
        assert_eq!(detect(&bytes).unwrap(), Some(kind), "{name}");
        for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(refused(Some(other), &bytes), "V002", "{name} as {other}");
        }
    }
}

/// Structured feeds tell at any length that they are cut. A list of lines tells it within a line.
#[test]
fn a_cut_feed_is_refused_at_every_length() {
    for (kind, name) in SAMPLES {
        let bytes = fixture(name);
        let whole = bytes.trim_ascii_end().len();
        let lines = matches!(kind, Kind::Epss | Kind::DebianList)
            || name.ends_with(".yaml")
            || name.ends_with(".jsonl")
            || name.ends_with(".csv");
        for length in (0..whole).step_by(stride(&bytes)) {
            let at_line = lines && (bytes[..length].ends_with(b"\n") || bytes[length] == b'\n');
            let result = collect(Some(kind), name, &bytes[..length], &Context::default());
            if !at_line {
                assert!(result.is_err(), "{name} cut at {length}: {result:?}");
            }
        }
    }
}

/// Whatever byte is damaged: an answer, never a panic.
#[test]
fn damage_never_panics() {
    for (kind, name) in SAMPLES {
        let bytes = fixture(name);
        for at in (0..bytes.len()).step_by(stride(&bytes)) {
            for value in [0, b'"', b'<', b'{', 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let _ = collect(Some(kind), name, &bytes, &Context::default());
            }
        }
    }
}

#[test]
fn damaged_compression_is_refused() {
    let plain = fixture("updateinfo.xml");
    let squeeze = |program: &str| super::real::pipe(program, &[], &plain);
    let zstd = Some(zstd::encode_all(plain.as_slice(), 3).unwrap());
    for bytes in [squeeze("gzip"), squeeze("xz"), squeeze("bzip2"), zstd].into_iter().flatten() {
        for length in [7, bytes.len() / 2, bytes.len() - 1] {
            let result = collect(None, "x", &bytes[..length], &Context::default());
            assert!(result.is_err(), "cut at {length} of {}", bytes.len());
        }
        let mut flipped = bytes.clone();
        let middle = bytes.len() / 2;
        flipped[middle] ^= 0x10;
        let result = collect(None, "x", &flipped, &Context::default());
        assert!(result.is_err(), "a flipped bit in {:?}", &bytes[..2]);
    }
}

#[test]
fn xml_bombs() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE updates [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
                <updates><update><id>&b;</id></update></updates>";
    assert_eq!(refused(Some(Kind::UpdateInfo), bomb.as_bytes()), "V006");
    let undeclared = "<updates><update><id>&b;</id></update></updates>";
    assert_eq!(refused(None, undeclared.as_bytes()), "V006");
    let deep = format!("<updates><update>{}", "<a>".repeat(1_000_000));
    assert_eq!(refused(None, deep.as_bytes()), "V005");
    let attribute = "<updates><update type=\"&b;\"/></updates>";
    assert_eq!(refused(None, attribute.as_bytes()), "V004");
    let two = "<updates><update a=\"1\" a=\"2\"/></updates>";
    assert_eq!(refused(None, two.as_bytes()), "V004");
    assert_eq!(refused(None, b"<updates></updates><updates/>"), "V004");
}

#[test]
fn json_bombs() {
    for (member, code) in [("x", "V003"), ("affected", "V004"), ("database_specific", "V004")] {
        let deep = "{\"severity\":[".repeat(1_000_000);
        let deep = format!("{{\"id\":\"X-1\",\"modified\":\"\",\"{member}\":{deep}");
        assert_eq!(refused(Some(Kind::Osv), deep.as_bytes()), code, "{member}");
    }
    let twice = br#"{"id":"X-1","id":"X-2","modified":"2020-01-01T00:00:00Z","affected":[]}"#;
    assert_eq!(refused(Some(Kind::Osv), twice), "V006");
    let tracker = String::from_utf8(fixture("debian-tracker.json")).unwrap();
    for (from, to) in [("porridge", "oatmeal"), ("10004", "10003"), ("bullseye", "bookworm")] {
        let twice = tracker.replace(from, to);
        assert_eq!(refused(None, twice.as_bytes()), "V006", "{from} as {to}");
    }
    let secdb = r#"{"reponame":"x","distroversion":"v3.1","packages":[{"pkg":{"name":"a","secfixes":{"1":["CVE-2020-1000"],"1":[]}}}]}"#;
    assert_eq!(refused(None, secdb.as_bytes()), "V006");
}

#[test]
fn yaml_bombs() {
    let text = String::from_utf8(fixture("secdb.yaml")).unwrap();
    let twice = text.replace("1.0-r0", "2.10-r1");
    assert_eq!(refused(None, twice.as_bytes()), "V006");
    let anchored = text.replace("secfixes:\n", "secfixes: &a\n");
    assert_eq!(refused(None, anchored.as_bytes()), "V006");
    let deep = format!("distroversion: v3\nx: {}\n", "[".repeat(100_000));
    assert!(["V004", "V005"].contains(&refused(None, deep.as_bytes()).as_str()));
}

/// A text of 4 GB, of which only the first bytes matter: it is given up at the bound.
#[test]
fn endless_texts_and_bombs_end_at_the_bound() {
    let mut start = b"{\"catalogVersion\":\"1\",\"vulnerabilities\":[{\"cveID\":\"".to_vec();
    start.resize(start.len() + (80 << 20), b'A');
    let packed = zstd::encode_all(start.as_slice(), 1).unwrap();
    assert!(packed.len() < 1 << 20);
    assert_eq!(refused(None, &packed), "V005");
    let mut start = b"<updates><update><id>".to_vec();
    start.resize(start.len() + (80 << 20), b'A');
    assert_eq!(refused(None, &zstd::encode_all(start.as_slice(), 1).unwrap()), "V005");
    let mut lines = b"#model_version:x\ncve,epss,percentile\n".to_vec();
    let comment = format!("#{}\n", "a".repeat(4000));
    for _ in 0..30_000 {
        lines.extend_from_slice(comment.as_bytes());
    }
    let bomb = zstd::encode_all(lines.as_slice(), 1).unwrap();
    assert_eq!(refused(None, &bomb), "V005", "a ratio that no feed has");
}

/// Members of a tar archive, as they are.
fn tarball(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn tar_archives() {
    let first = fixture("csaf.json");
    let second =
        String::from_utf8(first.clone()).unwrap().replace("CVE-2026-10001", "CVE-2026-10009");
    let long = format!("2026/{}/second.json", "x".repeat(150));
    let plain = tarball(&[
        ("2026/first.json", &first),
        ("index.txt", b"2026/first.json"),
        (&long, second.as_bytes()),
    ]);
    for bytes in [zstd::encode_all(plain.as_slice(), 3).unwrap(), plain.clone()] {
        let feed = super::read(None, "csaf.tar", &bytes);
        assert_eq!((feed.counts.entries, feed.counts.taken), (4, 2));
        assert_eq!(feed.advisories[2].cves, ["CVE-2026-10009"]);
        let other = ("a file in the archive that is no feed".to_owned(), 1);
        assert!(feed.counts.left_out.contains(&other), "{:?}", feed.counts);
    }
    // A cut is noticed even between two members.
    for length in (0..plain.len() - 512).step_by(512) {
        let result = collect(Some(Kind::Csaf), "x", &plain[..length], &Context::default());
        assert!(result.is_err(), "cut at {length} of {}", plain.len());
    }
    let twice = tarball(&[("a.json", &first), ("a.json", &first)]);
    assert_eq!(refused(None, &twice), "V006");
    let large = {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_path("a.json").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        archive.append(&header, &first[..]).unwrap();
        archive.into_inner().unwrap()
    };
    assert_eq!(refused(Some(Kind::Csaf), &large), "V005");
    for at in (0..plain.len()).step_by(37) {
        let mut damaged = plain.clone();
        damaged[at] ^= 0x41;
        let _ = collect(None, "x", &damaged, &Context::default());
    }
}
