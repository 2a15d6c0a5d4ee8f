//! Real feeds, whole, against counts that are published with them and a reading by other programs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{read, rows, shared};

/// What a program makes of an input; `None` where the program is not installed.
pub(super) fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}");
    Some(output.stdout)
}

/// What `feeds.py` reads out of a file, sorted.
fn independent(kind: &str, file: &str) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisory_feeds/feeds.py");
    let output = Command::new("python3").args([script, kind]).arg(shared(file)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Our reading and the other one, line by line.
fn agree(kind: &str, file: &str) -> assay::advisory::record::Feed {
    let feed = read(None, file, &std::fs::read(shared(file)).unwrap());
    let mut ours = rows(&feed);
    ours.sort();
    let theirs = independent(kind, file);
    assert!(!ours.is_empty());
    assert_eq!(ours.len(), theirs.len(), "{file}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "{file}");
    }
    feed
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn almalinux() {
    let feed = agree("osv", "almalinux-osv-2026-08.zip");
    assert_eq!((feed.counts.entries, feed.counts.taken), (5680, 5680));
    let cves: std::collections::BTreeSet<_> =
        feed.advisories.iter().flat_map(|advisory| &advisory.cves).collect();
    assert_eq!(cves.len(), 6592);
    let with_cves = feed.advisories.iter().filter(|advisory| !advisory.cves.is_empty());
    assert_eq!(with_cves.map(|advisory| advisory.affected.len()).sum::<usize>(), 61_974);
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn debian_lists() {
    let dsa = agree("debian-list", "debian-dsa-2023-04.list");
    assert_eq!(dsa.counts.entries, 5406);
    let dla = agree("debian-list", "debian-dla-2023-04.list");
    assert_eq!(dla.counts.entries, 3534);
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn amazon() {
    for (file, place) in [
        ("1", "| Amazon Linux:1 Binary"),
        ("2", "| Amazon Linux:2 Binary"),
        ("2022", "| Amazon Linux:2022 Binary"),
        ("2023", "| Amazon Linux:2023 Binary"),
        ("2023_kernel-livepatch", "from=kernel-livepatch"),
        ("2_kernel-5.15", "from=extras/kernel-5.15"),
    ] {
        let feed = agree("updateinfo", &format!("amazon-updateinfo/updateinfo_{file}.xml.gz"));
        assert_eq!((feed.counts.entries, feed.counts.taken), (1, 1), "{file}");
        assert!(rows(&feed).iter().all(|row| row.contains(place)), "{file}: {:?}", rows(&feed));
    }
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn azure() {
    let feed = agree("oval", "azurelinux-3.0-oval-2024-10.xml.xz");
    assert_eq!((feed.counts.entries, feed.counts.taken), (1222, 1222));
    assert!(feed.counts.left_out.is_empty());
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn alpine() {
    for file in ["alpine-secdb/main.yaml", "alpine-secdb/community.yaml"] {
        let feed = agree("secdb", file);
        assert_eq!(feed.counts.entries, feed.counts.taken, "{file}");
    }
}

#[test]
#[ignore = "reads ../shared/data, which a plain clone does not have"]
fn known_exploited() {
    let file = "cisa-kev-2025-08.json";
    let feed = read(None, file, &std::fs::read(shared(file)).unwrap());
    assert_eq!(feed.vulnerabilities.len(), 1404);
    let mut ours: Vec<_> = feed
        .vulnerabilities
        .iter()
        .map(|one| {
            let since = one.known_exploited_since.as_deref().unwrap();
            format!("{} {since} {}", one.id, one.ransomware)
        })
        .collect();
    ours.sort();
    assert_eq!(ours, independent("kev", file));
}
