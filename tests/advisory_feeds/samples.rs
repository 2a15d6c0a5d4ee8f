//! Samples of our own making: each row as it must come out.

use super::{fixture, read, rows};
use assay::advisory::feed::{Context, FeedError, Kind, collect};
use assay::advisory::record::{Ecosystem, Feed};
use assay::model::cell::Time;

/// 2026-03-01 and -02, midnight UTC.
const FIRST: i64 = 1_772_323_200;
const SECOND: i64 = FIRST + 86_400;

/// The sample, read as what it is and without being told what it is.
fn sample(kind: Kind, name: &str) -> Feed {
    let bytes = fixture(name);
    let feed = read(Some(kind), name, &bytes);
    assert_eq!(feed, read(None, name, &bytes), "{name}: the kind is told");
    feed
}

/// Reasons and how many.
type Reasons<'a> = Vec<(&'a str, u64)>;

fn counts(feed: &Feed) -> (u64, u64, Reasons<'_>, Reasons<'_>) {
    fn plain(list: &[(String, u64)]) -> Reasons<'_> {
        list.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
    }
    let counts = &feed.counts;
    (counts.entries, counts.taken, plain(&counts.skipped), plain(&counts.left_out))
}

#[test]
fn osv() {
    let feed = sample(Kind::Osv, "osv.json");
    let id = "SAMPLE-2026:0001 CVE-2026-10001,CVE-2026-10002|";
    assert_eq!(
        rows(&feed),
        [
            format!("{id} AlmaLinux:9 Binary blender-mill-libs Affected [,2:1.4-3.el9_4)"),
            format!("{id} Debian:12 Source blender-mill Unimportant [1.0-1,1.2-1] [1.4-1,) =0.9-1"),
            format!("{id} PyPI Binary blender-mill Affected [,1.4.1) =1.4.0"),
        ]
    );
    let advisory = &feed.advisories[0];
    assert_eq!(advisory.severity.as_deref(), Some("HIGH"));
    assert_eq!(advisory.scores[0].version, "3.1");
    assert_eq!(advisory.published, Some(Time(FIRST)));
    assert_eq!(advisory.title, "blender-mill: security update");
    assert_eq!(advisory.references, ["https://example.org/SAMPLE-2026:0001"]);
    assert_eq!(feed.made_at, Some(Time(SECOND + 36_000)));
    assert_eq!(
        counts(&feed),
        (
            1,
            1,
            vec![],
            vec![
                ("a package with neither ranges nor versions that can be compared", 1),
                ("a range of commits", 2),
                ("affected commits without a package", 1),
            ]
        )
    );
}

#[test]
fn osv_many_in_one_file() {
    let lines = sample(Kind::Osv, "osv.jsonl");
    assert_eq!(
        rows(&lines),
        ["SAMPLE-1 CVE-2026-1111| AlmaLinux:8 Binary oat Affected [,1-1)"],
        "a distribution's related CVEs are its own"
    );
    let skipped = [("no package version that could be compared", 1), ("withdrawn", 1)];
    assert_eq!((lines.counts.entries, lines.counts.taken), (3, 1));
    assert_eq!(counts(&lines).2, skipped);
    let text = String::from_utf8(fixture("osv.jsonl")).unwrap();
    let list = format!("[{}]", text.trim().replace('\n', ","));
    assert_eq!(read(None, "list.json", list.as_bytes()), lines);
}

#[test]
fn debian_list() {
    let feed = sample(Kind::DebianList, "dsa.list");
    let first = "DSA-9001-1 CVE-2026-10001,CVE-2026-10002| Debian";
    let second = "DSA-9000-2 | Debian";
    assert_eq!(
        rows(&feed),
        [
            format!("{first}:11 Source oatmeal Affected [,1:2.1-3+deb11u1)"),
            format!("{first}:12 Source oatmeal Affected [,1:2.4-1+deb12u2)"),
            format!("{first}:13 Source oatmeal NotAffected"),
            format!("{second}:12 Source porridge Affected [,3.0-2)"),
            format!("{second}:10 Source porridge EndOfLife [,)"),
            format!("{second}:9 Source porridge Affected [,)"),
            format!("{second}:8 Source porridge Deferred [,)"),
            format!("{second}:7 Source porridge Undetermined [,)"),
        ]
    );
    assert_eq!(feed.advisories[0].title, "oatmeal - security update");
    assert_eq!(feed.made_at, Some(Time(SECOND)));
    assert_eq!(
        counts(&feed),
        (
            3,
            2,
            vec![("an announcement about no package version", 1)],
            vec![("a line about unstable", 1), ("a release that is not known", 1)]
        )
    );
}

#[test]
fn debian_tracker() {
    let feed = sample(Kind::DebianTracker, "debian-tracker.json");
    let oatmeal = "CVE-2026-10001 CVE-2026-10001| Debian";
    let porridge = "CVE-2026-10003 CVE-2026-10003| Debian";
    assert_eq!(
        rows(&feed),
        [
            format!("{oatmeal}:11 Source oatmeal Affected [,1:2.1-3+deb11u1)"),
            format!("{oatmeal}:12 Source oatmeal Affected [,)"),
            format!("{oatmeal}:13 Source oatmeal NotAffected"),
            format!("{oatmeal}:10 Source oatmeal EndOfLife [,)"),
            format!("{oatmeal}:unstable Source oatmeal Deferred [,)"),
            "TEMP-0000000-ABCDEF | Debian:12 Source oatmeal Undetermined [,)".to_owned(),
            format!("{porridge}:12 Source porridge Unimportant [,)"),
            format!("{porridge}:13 Source porridge Unimportant [,3.1-1)"),
        ]
    );
    assert_eq!(
        counts(&feed),
        (4, 3, vec![("no release that is known", 1)], vec![("a release that is not known", 2)])
    );
}

#[test]
fn updateinfo() {
    let feed = sample(Kind::UpdateInfo, "updateinfo.xml");
    let id = "ALAS2-2026-9001 CVE-2026-10001|";
    assert_eq!(
        rows(&feed),
        [
            format!(
                "{id} Amazon Linux:2 Binary oatmeal arch=aarch64 from=extras/docker Affected [,3.0-1.amzn2)"
            ),
            format!("{id} Amazon Linux:2 Binary oatmeal arch=x86_64 Affected [,1:2.1-3.amzn2)"),
            format!("{id} Amazon Linux:2 Binary oatmeal-doc Affected [,2.1-3.amzn2)"),
            format!(
                "{id} Amazon Linux:2023 Binary kernel-livepatch-6.1.12-19.43 arch=x86_64 from=kernel-livepatch Affected [,1.0-1.amzn2023)"
            ),
            format!(
                "{id} Fedora:39 Binary grain arch=x86_64 module=grain:18 Affected [,18.2-1.module_f39)"
            ),
        ]
    );
    let advisory = &feed.advisories[0];
    assert_eq!(advisory.title, "oatmeal & milk");
    assert_eq!(advisory.description, "Too <hot>.");
    assert_eq!(advisory.severity.as_deref(), Some("important"));
    assert_eq!(advisory.published, Some(Time(FIRST + 22 * 3600 + 46 * 60)));
    assert_eq!(
        counts(&feed),
        (
            3,
            1,
            vec![
                ("an update of type bugfix that names no CVE", 1),
                ("an update without packages", 1)
            ],
            vec![
                ("a source package beside its binary ones", 1),
                ("an element that is no update", 1)
            ]
        )
    );
}

#[test]
fn updateinfo_of_another_repository_needs_the_release() {
    let text = String::from_utf8(fixture("updateinfo.xml")).unwrap();
    let text = text.replace("amazon-linux-2", "house").replace("Fedora 39", "House 1");
    let context = |release| Context { release };
    let error = collect(None, "x", text.as_bytes(), &context(None)).unwrap_err();
    assert_eq!(error.code().to_string(), "V007");
    let named = context(Some(Ecosystem::parse("Rocky Linux:9")));
    let feed = collect(None, "x", text.as_bytes(), &named).unwrap();
    assert!(rows(&feed).iter().all(|row| row.contains("| Rocky Linux:9 Binary")));
}

#[test]
fn secdb() {
    let feed = sample(Kind::Secdb, "secdb.yaml");
    assert_eq!(
        rows(&feed),
        [
            "CVE-2026-10001 CVE-2026-10001| Alpine:v3.19 Source oatmeal Affected [,2.10-r1)",
            "CVE-2026-10002 CVE-2026-10002| Alpine:v3.19 Source oatmeal Affected [,2.10-r1)",
            "CVE-2026-10003 CVE-2026-10003| Alpine:v3.19 Source oatmeal NotAffected",
            "XSA-900 | Alpine:v3.19 Source oatmeal Affected [,1.0-r0)",
        ]
    );
    let wolfi = sample(Kind::Secdb, "secdb.json");
    assert_eq!(
        rows(&wolfi),
        [
            "CVE-2026-10001 CVE-2026-10001| Wolfi Source oatmeal Affected [,2.10-r1)",
            "CVE-2026-10003 CVE-2026-10003| Wolfi Source oatmeal NotAffected",
        ]
    );
    assert_eq!(counts(&wolfi).2, [("a version that is none", 1)]);
    let nowhere = String::from_utf8(fixture("secdb.json")).unwrap().replace("wolfi", "example");
    assert_eq!(super::refused(None, nowhere.as_bytes()), "V007");
}

#[test]
fn known_exploitation() {
    let feed = sample(Kind::Kev, "kev.json");
    let csv = sample(Kind::Kev, "kev.csv");
    assert_eq!(feed.vulnerabilities, csv.vulnerabilities);
    let seen: Vec<_> = feed
        .vulnerabilities
        .iter()
        .map(|one| (one.id.as_str(), one.known_exploited_since.as_deref(), one.ransomware))
        .collect();
    assert_eq!(
        seen,
        [
            ("CVE-2026-10001", Some("2026-03-01"), true),
            ("CVE-2026-10002", Some("2026-02-01"), false)
        ]
    );
    assert_eq!(feed.made_at, Some(Time(SECOND + 17 * 3600 + 4 * 60 + 19)));
}

#[test]
fn epss() {
    let feed = sample(Kind::Epss, "epss.csv");
    assert_eq!(feed.vulnerabilities[0].epss, Some((0.91234, 0.99912)));
    assert_eq!(feed.vulnerabilities[1].epss, Some((0.00043, 0.08)));
    assert_eq!(feed.made_at, Some(Time(SECOND)));
}

#[test]
fn nvd() {
    let feed = sample(Kind::Nvd, "nvd.json");
    let [one] = feed.vulnerabilities.as_slice() else { panic!("{feed:?}") };
    let scores: Vec<_> =
        one.scores.iter().map(|score| (score.version.as_str(), score.base)).collect();
    assert_eq!(scores, [("3.1", Some(9.8)), ("2.0", Some(7.5))]);
    assert_eq!(one.description.as_deref(), Some("Too hot."));
    assert_eq!(
        counts(&feed),
        (2, 1, vec![("rejected", 1)], vec![("a vulnerability on another page of the answer", 1)])
    );
}

#[test]
fn openvex() {
    let feed = sample(Kind::OpenVex, "openvex.json");
    let seen: Vec<_> = feed
        .exceptions
        .iter()
        .map(|one| format!("{} {:?} {}", one.id, one.products, one.reason))
        .collect();
    assert_eq!(
        seen,
        [
            "CVE-2026-10001 [\"pkg:deb/debian/oatmeal@1:2.4-1?arch=amd64\"] vulnerable_code_not_present",
            "CVE-2026-10002 [\"pkg:rpm/sample/oatmeal\"] fixed",
        ]
    );
    assert_eq!(feed.exceptions[0].author, "Sample Ltd.");
    assert_eq!(
        counts(&feed),
        (
            5,
            2,
            vec![
                ("a statement about products that are no packages of a host", 1),
                ("a statement of status affected", 1),
                ("a statement that something is not affected, without a reason", 1)
            ],
            vec![("a product that is no package of a host", 2)]
        )
    );
}

#[test]
fn every_compression_gives_the_same() {
    let plain = fixture("updateinfo.xml");
    let expected = read(None, "updateinfo.xml", &plain);
    let run = |program: &str, arguments: &[&str]| super::real::pipe(program, arguments, &plain);
    for (program, arguments) in
        [("gzip", &["-9"][..]), ("xz", &["-9"]), ("bzip2", &[]), ("xz", &["--check=sha256"])]
    {
        let Some(bytes) = run(program, arguments) else { continue };
        assert_eq!(read(None, "updateinfo.xml.x", &bytes), expected, "{program}");
    }
    let bytes = zstd::encode_all(plain.as_slice(), 3).unwrap();
    assert_eq!(read(None, "updateinfo.xml.zst", &bytes), expected);
}

#[test]
fn an_error_never_comes_as_a_short_feed() {
    let mut taken = 0;
    let bytes = fixture("dsa.list");
    let bytes = &bytes[..bytes.len() - 2];
    let error = assay::advisory::feed::read(None, "x", bytes, &Context::default(), &mut |_| {
        taken += 1;
    });
    assert!(matches!(error, Err(FeedError::Cut(_))), "{error:?}");
    assert!(taken > 0, "records went out before the end was seen, and are to be dropped");
}

#[test]
fn oval_of_red_hat() {
    let feed = sample(Kind::Oval, "oval-redhat.xml");
    let first = "RHSA-2026:9001 CVE-2026-10001,CVE-2026-10002| Red Hat:8 Binary";
    let unfixed = "CVE-2026-10004 CVE-2026-10004| Red Hat:8 Binary";
    assert_eq!(
        rows(&feed),
        [
            format!("{first} oatmeal module=porridge:3 Affected [,1:2.1-3.el8)"),
            format!("{first} oatmeal-libs arch=aarch64 module=porridge:3 Affected [,2.1-3.el8)"),
            format!("{first} oatmeal-libs arch=x86_64 module=porridge:3 Affected [,2.1-3.el8)"),
            "RHSA-2026:9002 CVE-2026-10003| Red Hat:rhel_eus:8.6 Binary kernel Affected [,4.18.0-9.el8_6)"
                .to_owned(),
            format!("{unfixed} oatmeal Deferred [,)"),
            format!("{unfixed} oatmeal-libs EndOfLife [,)"),
            "CVE-2026-10005 CVE-2026-10005| Red Hat:8 Binary oatmeal NotAffected".to_owned(),
        ]
    );
    let advisory = &feed.advisories[0];
    assert_eq!(advisory.severity.as_deref(), Some("Important"));
    assert_eq!(advisory.title, "RHSA-2026:9001: oatmeal security update (Important)");
    assert_eq!(advisory.description, "Oatmeal boils over & burns.");
    assert_eq!(advisory.published, Some(Time(FIRST)));
    assert_eq!(feed.made_at, Some(Time(SECOND)));
    let scores: Vec<_> = feed
        .vulnerabilities
        .iter()
        .map(|one| (one.id.as_str(), one.scores[0].version.as_str(), one.scores[0].base))
        .collect();
    assert_eq!(
        scores,
        [("CVE-2026-10001", "3.1", Some(7.5)), ("CVE-2026-10002", "2.0", Some(5.0))]
    );
    assert_eq!(
        counts(&feed),
        (
            6,
            4,
            vec![
                ("a definition of an update that mends no vulnerability", 1),
                ("a definition of class inventory", 1),
            ],
            vec![("a condition on something other than packages", 1)]
        )
    );
}

#[test]
fn oval_of_ubuntu() {
    let feed = sample(Kind::Oval, "oval-ubuntu.xml");
    let id = "CVE-2026-10001 CVE-2026-10001|";
    assert_eq!(
        rows(&feed),
        [
            format!("{id} Ubuntu:22.04 Binary gruel Affected [,)"),
            format!("{id} Ubuntu:22.04 Binary gruel Deferred [,)"),
            format!("{id} Ubuntu:22.04 Binary gruel Undetermined [,)"),
            format!("{id} Ubuntu:22.04 Binary liboatmeal1 Affected [,1:2.1-3ubuntu1)"),
            format!("{id} Ubuntu:22.04 Binary oatmeal Affected [,1:2.1-3ubuntu1)"),
            format!("{id} Ubuntu Pro:22.04 Binary porridge Affected [,3.0-1+esm2)"),
        ]
    );
    assert_eq!(
        feed.vulnerabilities[0].scores[0].vector,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
    );
    assert_eq!(counts(&feed).3, [("a condition that must not hold", 1)]);
}

#[test]
fn oval_of_suse() {
    let feed = sample(Kind::Oval, "oval-suse.xml");
    let id = "CVE-2026-10001 CVE-2026-10001| SUSE:Linux Enterprise";
    assert_eq!(
        rows(&feed),
        [
            format!("{id} Module for Basesystem 15 SP5 Binary bran NotAffected"),
            format!("{id} Module for Basesystem 15 SP5 Binary gruel Affected [,)"),
            format!("{id} Module for Basesystem 15 SP5 Binary oatmeal Affected [,2.1-3.1)"),
            format!("{id} Server 15 SP5 Binary bran NotAffected"),
            format!("{id} Server 15 SP5 Binary gruel Affected [,)"),
            format!("{id} Server 15 SP5 Binary oatmeal Affected [,2.1-3.1)"),
        ]
    );
    let sources: Vec<_> =
        feed.vulnerabilities.iter().map(|one| one.scores[0].source.as_str()).collect();
    assert_eq!(sources, ["SUSE", "NVD"]);
}

/// A file that says neither in its words nor in its name which release it is for.
#[test]
fn oval_needs_a_release() {
    let text = String::from_utf8(fixture("oval-ubuntu.xml")).unwrap();
    let text = text.replace("Ubuntu 22.04 LTS", "Some Linux");
    let read = |name: &str, release| collect(None, name, text.as_bytes(), &Context { release });
    // The expression asks for another product, which is no host that is known.
    assert_eq!(read("x.xml", None).unwrap().counts.taken, 0);
    let text = text.replace("<extend_definition", "<notes").replace(" applicability_check", " x");
    let read = |name: &str, release| collect(None, name, text.as_bytes(), &Context { release });
    assert!(matches!(read("x.xml", None), Err(FeedError::NeedsRelease(_))));
    let named = read("azurelinux-3.0-oval.xml", None).unwrap();
    assert_eq!(named.advisories[0].affected[0].ecosystem, Ecosystem::new("Azure Linux", "3.0"));
    let given = read("x.xml", Some(Ecosystem::new("Debian", "12"))).unwrap();
    assert_eq!(given.advisories[0].affected[0].ecosystem, Ecosystem::new("Debian", "12"));
}

#[test]
fn csaf() {
    let feed = sample(Kind::Csaf, "csaf.json");
    let id = "CVE-2026-10001 CVE-2026-10001|";
    assert_eq!(
        rows(&feed),
        [
            format!("{id} Red Hat:8 Source oatmeal module=porridge:4 Deferred [,)"),
            format!(
                "{id} Red Hat:8 Binary oatmeal arch=x86_64 module=porridge:3 Affected [,1:2.1-3.el8)"
            ),
            format!(
                "{id} SUSE:Linux Enterprise Server 15 SP5 Binary gruel arch=x86_64 Affected [,2.0-1.1)"
            ),
            format!("{id} Red Hat:8 Binary bran NotAffected"),
        ]
    );
    assert_eq!(feed.advisories[0].severity.as_deref(), Some("Moderate"));
    assert_eq!(feed.advisories[0].title, "oatmeal: boils over");
    assert_eq!(feed.advisories[1].title, "not affected: vulnerable_code_not_present");
    let exception = &feed.exceptions[0];
    assert_eq!(exception.products, ["pkg:npm/left-pad@1.0.0"]);
    assert_eq!(
        (exception.reason.as_str(), exception.author.as_str()),
        ("vulnerable_code_not_present", "Sample Security")
    );
    assert_eq!(feed.vulnerabilities[0].scores[0].base, Some(7.5));
    assert_eq!(
        (feed.advisories[0].published, feed.made_at),
        (Some(Time(FIRST)), Some(Time(SECOND)))
    );
    assert_eq!(
        counts(&feed),
        (
            2,
            1,
            vec![("a vulnerability of no package of a release that is known", 1)],
            vec![
                ("a product that is no package", 2),
                ("a source package beside its binary ones", 1)
            ]
        )
    );
}

/// A feed that refers to what it does not have was put together wrongly.
#[test]
fn parts_that_are_not_there() {
    for (name, from, to) in [
        ("oval-redhat.xml", "id=\"t:oatmeal\"", "id=\"t:other\""),
        ("oval-redhat.xml", "id=\"o:libs\"", "id=\"o:other\""),
        ("oval-redhat.xml", "id=\"s:kernel\"", "id=\"s:other\""),
        ("oval-ubuntu.xml", "id=\"v:oatmeal\"", "id=\"v:other\""),
        ("csaf.json", "\"product_id\": \"bran\"", "\"product_id\": \"other\""),
    ] {
        let text = String::from_utf8(fixture(name)).unwrap();
        assert!(text.contains(from));
        let text = text.replacen(from, to, 1);
        assert_eq!(super::refused(None, text.as_bytes()), "V008", "{name} {from}");
    }
}
