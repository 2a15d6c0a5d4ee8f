//! Builds of one package that stand beside each other, each with fixes of its own: Red Hat's update
//! streams, SUSE's service packs, Ubuntu Pro's pockets, Oracle's builds for Ksplice and FIPS.

use assay::advisory::feed::{Context, read};

use super::*;

const MAIN: &str = "Red Hat:enterprise_linux:9::appstream";
const EUS: &str = "Red Hat:rhel_eus:9.2::appstream";

fn from(repository: &str, name: &str, version: &str) -> Package {
    Package { repository: Some(repository.into()), ..package("rpm", name, version) }
}

fn rhel(version: &str, package: Package, database: &[Database]) -> Vec<String> {
    let matches = judge(database, &facts(host("rhel", version), vec![package]));
    assert!(matches.packages.doubts.is_empty(), "{:?}", matches.packages);
    found(&matches)
}

/// One CVE that was mended in the main stream, in 9.1 while that was the newest and again with 9.4,
/// and in the extended support of 9.2; the last needed a second try.
fn mended_in_streams() -> Vec<Database> {
    vec![database(vec![
        advisory("RHSA-2023:1", &["CVE-2024-0001"], vec![row(MAIN, "kernel", "5.14-162.18.el9_1")]),
        advisory("RHSA-2024:2", &["CVE-2024-0001"], vec![row(MAIN, "kernel", "5.14-427.13.el9_4")]),
        advisory("RHSA-2024:3", &["CVE-2024-0001"], vec![row(EUS, "kernel", "5.14-284.40.el9_2")]),
        advisory("RHSA-2024:4", &["CVE-2024-0001"], vec![row(EUS, "kernel", "5.14-284.50.el9_2")]),
    ])]
}

#[test]
fn a_fix_in_the_packages_own_stream_decides() {
    let database = mended_in_streams();
    for (release, version, fixed) in [
        // Built for 9.1: mended there, whatever later releases needed.
        ("9.1", "5.14-162.17.el9_1", Some("5.14-427.13.el9_4")),
        ("9.1", "5.14-162.18.el9_1", None),
        ("9.1", "5.14-162.23.el9_1", None),
        // Built for 9.2: the last fix of its stream counts.
        ("9.2", "5.14-284.30.el9_2", Some("5.14-427.13.el9_4")),
        ("9.2", "5.14-284.45.el9_2", Some("5.14-427.13.el9_4")),
        ("9.2", "5.14-284.50.el9_2", None),
        ("9.2", "5.14-284.50.el9_2.1", None),
        // The same version and another minor release: that stream says nothing of it.
        ("9.3", "5.14-362.8.el9_3", Some("5.14-427.13.el9_4")),
        ("9.2", "5.14-284.60.el9", Some("5.14-427.13.el9_4")),
        ("9.4", "5.14-427.13.el9_4", None),
        ("9.6", "5.14-570.el9", None),
    ] {
        let expected: Vec<String> = fixed
            .into_iter()
            .map(|fixed| format!("CVE-2024-0001 kernel-0:{version}.x86_64 {fixed}"))
            .collect();
        assert_eq!(rhel(release, package("rpm", "kernel", version), &database), expected);
    }
}

#[test]
fn the_repository_tells_the_stream() {
    let database = mended_in_streams();
    let eus = |version| from("rhel-9-for-x86_64-baseos-eus-rpms", "kernel", version);
    // What it needs is the fix of its stream, not of another release.
    assert_eq!(
        rhel("9.2", eus("5.14-284.30.el9_2"), &database),
        ["CVE-2024-0001 kernel-0:5.14-284.30.el9_2.x86_64 5.14-284.50.el9_2"]
    );
    // Also where the version does not say for which release it was built.
    assert!(rhel("9.2", eus("5.14-284.60.el9"), &database).is_empty());
    let main = from("rhel-9-for-x86_64-baseos-rpms", "kernel", "5.14-284.60.el9");
    assert_eq!(rhel("9.2", main, &database).len(), 1);
}

/// Streams of one minor release are one line of builds: what one of them mended again was not mended
/// before. Where the repository says which stream it is, that one alone is asked.
#[test]
fn a_second_fix_in_a_stream_counts_whichever_says_it() {
    let database = [database(vec![
        advisory("A", &["CVE-2024-0001"], vec![row(MAIN, "vim", "8.2-20.el9_2.1")]),
        advisory("B", &["CVE-2024-0001"], vec![row(EUS, "vim", "8.2-20.el9_2.3")]),
        advisory("C", &["CVE-2024-0002"], vec![row(EUS, "vim", "8.2-20.el9_2.1")]),
        advisory(
            "D",
            &["CVE-2024-0002"],
            vec![row("Red Hat:rhel_e4s:9.2::appstream", "vim", "8.2-20.el9_2.3")],
        ),
    ])];
    let version = "8.2-20.el9_2.2";
    assert_eq!(rhel("9.2", package("rpm", "vim", version), &database).len(), 2);
    let eus = from("rhel-9-for-x86_64-appstream-eus-rpms", "vim", version);
    assert_eq!(
        rhel("9.2", eus, &database),
        ["CVE-2024-0001 vim-0:8.2-20.el9_2.2.x86_64 8.2-20.el9_2.3"]
    );
}

#[test]
fn what_a_stream_has_not_mended_is_judged_by_the_main_one() {
    let only_main = || advisory("A", &["CVE-2024-0001"], vec![row(MAIN, "vim", "8.2-22.el9_5")]);
    let other = || advisory("B", &["CVE-2024-0002"], vec![row(EUS, "zsh", "5.8-9.el9_2.1")]);
    let database = [database(vec![only_main(), other()])];
    let vim = from("rhel-9-for-x86_64-appstream-eus-rpms", "vim", "8.2-20.el9_2.1");
    assert_eq!(rhel("9.2", vim, &database).len(), 1);
    // What was mended in a stream alone is missing on every host of that minor release.
    assert_eq!(rhel("9.2", package("rpm", "zsh", "5.8-9.el9"), &database).len(), 1);
    assert!(rhel("9.2", package("rpm", "zsh", "5.8-9.el9_2.1"), &database).is_empty());
    assert!(rhel("9.4", package("rpm", "zsh", "5.8-9.el9"), &database).is_empty());
}

#[test]
fn not_affected_in_the_main_stream_says_nothing_of_another() {
    let unaffected = Affected { ranges: Vec::new(), ..open_row(MAIN, "vim", Status::NotAffected) };
    let database = [database(vec![
        advisory("A", &["CVE-2024-0001"], vec![Affected { naming: Naming::Binary, ..unaffected }]),
        advisory("B", &["CVE-2024-0001"], vec![row(EUS, "vim", "8.2-20.el9_2.1")]),
        advisory("C", &["CVE-2024-0001"], vec![row(MAIN, "vim", "8.2-22.el9_5")]),
    ])];
    assert_eq!(rhel("9.2", package("rpm", "vim", "8.2-20.el9"), &database).len(), 1);
    assert!(rhel("9.4", package("rpm", "vim", "8.2-20.el9"), &database).is_empty());
}

#[test]
fn streams_of_a_module_do_not_follow_each_other() {
    let of = |module: &str, version: &str| Affected {
        module: Some(module.into()),
        ..row(MAIN, "nodejs", version)
    };
    let built = |label: Option<&str>, version: &str| Package {
        module: label.map(Into::into),
        ..package("rpm", "nodejs", version)
    };
    let database = [database(vec![
        advisory("A", &["CVE-2024-0001"], vec![of("nodejs:18", "18.1-1.module+el9.1.0+1+a")]),
        advisory("B", &["CVE-2024-0001"], vec![of("nodejs:18", "18.9-1.module+el9.3.0+1+a")]),
        advisory("C", &["CVE-2024-0001"], vec![of("nodejs:16", "16.9-1.module+el9.3.0+1+a")]),
    ])];
    let version = "18.1-2.module+el9.1.0+1+a";
    let mended = built(Some("nodejs:18:9010:x"), version);
    assert!(rhel("9.1", mended, &database).is_empty());
    // Which stream it is of is not known, so a fix of one proves nothing.
    assert_eq!(rhel("9.1", built(None, version), &database).len(), 1);
    let other = built(Some("nodejs:18:9030:x"), "18.0-2.module+el9.3.0+1+a");
    assert_eq!(rhel("9.3", other, &database).len(), 1);
}

#[test]
fn a_stream_without_the_release_itself_is_a_doubt() {
    let database = [database(vec![advisory(
        "A",
        &["CVE-2024-0001"],
        vec![row(EUS, "vim", "8.2-20.el9_2.1")],
    )])];
    let facts = facts(host("rhel", "9.2"), vec![package("rpm", "vim", "8.2-20.el9")]);
    let matches = judge(&database, &facts);
    assert_eq!(
        matches.packages.doubts,
        ["the databases have advisories of Red Hat:rhel_eus:9.2 and none of Red Hat:9 itself"]
    );
    assert_eq!(matches.found.len(), 1);
}

#[test]
fn explained_is_which_stream_decided() {
    let database = mended_in_streams();
    let facts = facts(host("rhel", "9.2"), vec![package("rpm", "kernel", "5.14-284.50.el9_2")]);
    let matcher = Matcher { databases: &database, include_unfixed: false };
    let explained = matcher.explain(&View::new(&facts), "CVE-2024-0001").unwrap();
    assert!(!explained.vulnerable);
    let text: Vec<String> =
        explained.steps.iter().map(|step| format!("{}: {}", step.range, step.decision)).collect();
    let says = |range: &str, decision: &str| {
        let found = text.iter().find(|line| line.contains(range)).unwrap();
        assert!(found.contains(decision), "{found}");
    };
    says("fixed in 5.14-284.50.el9_2", "this fix of its own update stream");
    says("fixed in 5.14-427.13.el9_4", "the package's own update stream has mended it");
}

#[test]
fn explanations_leave_out_what_is_the_same_for_other_architectures() {
    let of =
        |arch: &str, fixed: &str| Affected { arch: Some(arch.into()), ..row(MAIN, "vim", fixed) };
    let database = [database(vec![advisory(
        "A",
        &["CVE-2024-0001"],
        vec![
            of("aarch64", "8.2-22.el9"),
            of("s390x", "8.2-22.el9"),
            of("x86_64", "8.2-22.el9"),
            of("s390x", "8.2-23.el9"),
            row(MAIN, "vim-common", "8.2-22.el9"),
            row(EUS, "vim-common", "8.2-22.el9_2.1"),
        ],
    )])];
    let facts = facts(host("rhel", "9.2"), vec![package("rpm", "vim", "8.2-21.el9")]);
    let matcher = Matcher { databases: &database, include_unfixed: false };
    let explained = matcher.explain(&View::new(&facts), "CVE-2024-0001").unwrap();
    let told: Vec<_> =
        explained.steps.iter().map(|step| format!("{} {}", step.range, step.decision)).collect();
    assert_eq!(
        told,
        [
            "Red Hat:9: fixed in 8.2-22.el9 vulnerable",
            "Red Hat:9: fixed in 8.2-23.el9 does not count: it is about s390x",
        ]
    );
    assert_eq!(explained.notes, ["also about packages that are not installed: vim-common"]);
}

/// A document about one CVE as Red Hat writes them: each product is a release's repository, known by
/// its CPE, and each fixed package is told for each product.
fn vex() -> Database {
    use serde_json::json;
    let fixes = [
        (
            "AppStream-9.4.0.Z.MAIN.EUS",
            "cpe:/a:redhat:enterprise_linux:9::appstream",
            "8.2-22.el9_4",
        ),
        ("AppStream-9.2.0.Z.EUS", "cpe:/a:redhat:rhel_eus:9.2::appstream", "8.2-20.el9_2.1"),
        ("AppStream-9.0.0.Z.E4S", "cpe:/a:redhat:rhel_e4s:9.0::appstream", "8.2-16.el9_0.1"),
        ("AppStream-10.0.Z", "cpe:/o:redhat:enterprise_linux:10.0", "9.1-8.el10_0"),
        ("AppStream-10.0.Z.EUS", "cpe:/o:redhat:enterprise_linux_eus:10.0", "9.1-8.el10_0.1"),
    ];
    let leaf = |id: &str, helper: (&str, String)| {
        json!({"category": "product_name", "name": id, "product": {"name": id, "product_id": id,
               "product_identification_helper": {helper.0: helper.1}}})
    };
    let (mut branches, mut relationships, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
    for (product, cpe, version) in fixes {
        let package = format!("vim-2:{version}.x86_64");
        let purl = format!("pkg:rpm/redhat/vim@{version}?arch=x86_64&epoch=2");
        branches.push(leaf(product, ("cpe", cpe.to_owned())));
        branches.push(leaf(&package, ("purl", purl)));
        let both = format!("{product}:{package}");
        relationships.push(json!({"category": "default_component_of",
            "full_product_name": {"name": both, "product_id": both},
            "product_reference": package, "relates_to_product_reference": product}));
        fixed.push(both);
    }
    branches.push(leaf(
        "red_hat_enterprise_linux_8",
        ("cpe", "cpe:/o:redhat:enterprise_linux:8".into()),
    ));
    branches.push(leaf("vim", ("purl", "pkg:rpm/redhat/vim?arch=src".into())));
    relationships.push(json!({"category": "default_component_of",
        "full_product_name": {"name": "vim", "product_id": "red_hat_enterprise_linux_8:vim"},
        "product_reference": "vim", "relates_to_product_reference": "red_hat_enterprise_linux_8"}));
    let document = json!({
        "document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "vim: a flaw",
            "publisher": {"category": "vendor", "name": "Red Hat Product Security", "namespace": "https://example.org"},
            "tracking": {"id": "CVE-2024-0001", "current_release_date": "2026-03-02T00:00:00+00:00",
                         "initial_release_date": "2026-03-01T00:00:00+00:00"}},
        "product_tree": {"branches": [{"category": "vendor", "name": "Red Hat", "branches": branches}],
                         "relationships": relationships},
        "vulnerabilities": [{"cve": "CVE-2024-0001",
            "product_status": {"fixed": fixed, "known_affected": ["red_hat_enterprise_linux_8:vim"]},
            "remediations": [{"category": "no_fix_planned", "details": "Will not fix",
                              "product_ids": ["red_hat_enterprise_linux_8:vim"]}]}]
    });
    let mut records = Vec::new();
    let bytes = document.to_string();
    let summary = read(None, "vex.json", bytes.as_bytes(), &Context::default(), &mut |record| {
        records.push(record);
    });
    assert!(summary.unwrap().counts.left_out.is_empty());
    database(records)
}

#[test]
fn one_document_tells_the_fix_of_every_stream() {
    let database = [vex()];
    for (release, version, fixed) in [
        ("9.2", "2:8.2-20.el9", Some("2:8.2-22.el9_4")),
        ("9.2", "2:8.2-20.el9_2.1", None),
        // Built for 9.2 and left there when the host went on: what it says of itself holds.
        ("9.4", "2:8.2-20.el9_2.1", None),
        ("9.4", "2:8.2-20.el9_2", Some("2:8.2-22.el9_4")),
        ("9.4", "2:8.2-22.el9_4", None),
        ("9.0", "2:8.2-16.el9_0.1", None),
        ("9.0", "2:8.2-15.el9", Some("2:8.2-22.el9_4")),
        ("10.0", "2:9.1-7.el10", Some("2:9.1-8.el10_0.1")),
        ("10.0", "2:9.1-8.el10_0.1", None),
        ("10.1", "2:9.1-7.el10", Some("2:9.1-8.el10_0")),
        ("8.10", "2:8.0-19.el8", None),
    ] {
        let found = rhel(release, package("rpm", "vim", version), &database);
        let hit = found.first().and_then(|line| line.rsplit(' ').next());
        assert_eq!(hit, fixed, "{release} {version}: {found:?}");
    }
}

#[test]
fn centos_stream_is_not_judged_by_the_releases_that_follow_it() {
    let database =
        [database(vec![advisory("A", &["CVE-2024-0001"], vec![row("Red Hat:8", "vim", "9-1")])])];
    for (os, name, count) in
        [("8", "CentOS Linux 8", 1), ("8", "CentOS Stream 8", 0), ("9", "CentOS Stream 9", 0)]
    {
        let mut host = host("centos", os);
        host.os_name = Some(name.into());
        let matches = judge(&database, &facts(host, vec![package("rpm", "vim", "8-1")]));
        assert_eq!(matches.found.len(), count, "{name}");
        assert_eq!(matches.packages.doubts.is_empty(), count == 1, "{:?}", matches.packages);
    }
}

#[test]
fn oracle_builds_are_compared_with_their_like() {
    const ORACLE: &str = "Oracle Linux:8";
    let rows = |fixed: &str| vec![row(ORACLE, "glibc", fixed)];
    let all = [database(vec![
        advisory("ELSA-1", &["CVE-2024-0001"], rows("2.28-236.0.1.el8_9.12")),
        advisory("ELSA-2", &["CVE-2024-0001"], rows("2:2.28-236.0.1.ksplice1.el8_9.12")),
        advisory("ELSA-3", &["CVE-2024-0002"], vec![row(ORACLE, "openssl", "1:1.1.1k-12.el8_9")]),
        advisory(
            "ELSA-4",
            &["CVE-2024-0002"],
            vec![row(ORACLE, "openssl", "10:1.1.1k-12.el8_9_fips")],
        ),
    ])];
    for (name, version, count) in [
        ("glibc", "2.28-225.0.4.el8", 1),
        ("glibc", "2.28-236.0.1.el8_9.12", 0),
        ("glibc", "2:2.28-225.0.4.ksplice1.el8", 1),
        ("glibc", "2:2.28-236.0.1.ksplice1.el8_9.12", 0),
        ("openssl", "1:1.1.1k-12.el8_9", 0),
        ("openssl", "1:1.1.1k-9.el8_6", 1),
        ("openssl", "10:1.1.1k-9.el8_6_fips", 1),
        ("openssl", "10:1.1.1k-12.el8_9_fips", 0),
    ] {
        let facts = facts(host("ol", "8.9"), vec![package("rpm", name, version)]);
        let matches = judge(&all, &facts);
        assert_eq!(matches.found.len(), count, "{version}");
        assert!(matches.packages.doubts.is_empty(), "{:?}", matches.packages);
    }
    // Without advisories of its like, nothing is known of such a build.
    let ordinary = [database(vec![advisory("E", &["CVE-2024-0001"], rows("2.28-236.el8"))])];
    let ksplice = vec![package("rpm", "glibc", "2:2.28-225.ksplice1.el8")];
    let matches = judge(&ordinary, &facts(host("ol", "8.9"), ksplice));
    assert!(matches.found.is_empty());
    assert_eq!(matches.packages.judged, 0);
    assert_eq!(
        matches.packages.doubts,
        ["1 packages came from a source that the databases have no advisories of"]
    );
}

#[test]
fn fips_builds_of_ubuntu_have_feeds_of_their_own() {
    let plain = || {
        advisory("USN-1", &["CVE-2024-0001"], vec![source_row("Ubuntu:20.04:LTS", "x", "1-2.24")])
    };
    let fips = advisory(
        "USN-2",
        &["CVE-2024-0001"],
        vec![source_row("Ubuntu:Pro:FIPS-updates:20.04:LTS", "x", "1-2.fips.24")],
    );
    let both = [database(vec![plain(), fips])];
    let judge_one = |database: &[Database], version: &str| {
        judge(database, &facts(host("ubuntu", "20.04"), vec![package("dpkg", "x", version)]))
    };
    for (version, count) in [("1-2.23", 1), ("1-2.24", 0), ("1-2.fips.22", 1), ("1-2.fips.24", 0)] {
        assert_eq!(judge_one(&both, version).found.len(), count, "{version}");
    }
    // dpkg orders every FIPS build after every plain one: that is no reason to pass it.
    let without = judge_one(&[database(vec![plain()])], "1-2.fips.22");
    assert_eq!(without.packages.judged, 0);
    assert_eq!(without.packages.doubts.len(), 1);
}

#[test]
fn each_service_pack_of_suse_has_its_own_fixes() {
    let of =
        |product: &str, fixed: &str| row(&format!("SUSE:Linux Enterprise {product}"), "vim", fixed);
    let database = [database(vec![advisory(
        "SUSE-SU-1",
        &["CVE-2024-0001"],
        vec![
            of("Server 15 SP3-LTSS", "9.0-150000.5.63.1"),
            of("Server for SAP Applications 15 SP3", "9.0-150000.5.63.1"),
            of("Module for Basesystem 15 SP5", "9.1-150500.20.9.1"),
            of("Server 15 SP5", "9.1-150500.20.9.1"),
            of("Server 15 SP3", "9.0-150000.5.60.1"),
        ],
    )])];
    for (os, release, version, count) in [
        ("sles", "15.5", "9.1-150500.20.6.1", 1),
        ("sles", "15.5", "9.1-150500.20.9.1", 0),
        // Mended in its service pack, though below what another needs.
        ("sles", "15.3", "9.0-150000.5.63.1", 0),
        // A fix that only LTSS has is missing.
        ("sles", "15.3", "9.0-150000.5.61.1", 1),
        ("sles_sap", "15.3", "9.0-150000.5.61.1", 1),
        ("sles_sap", "15.3", "9.0-150000.5.63.1", 0),
    ] {
        let facts = facts(host(os, release), vec![package("rpm", "vim", version)]);
        assert_eq!(judge(&database, &facts).found.len(), count, "{os} {release} {version}");
    }
}
