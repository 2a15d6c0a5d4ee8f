//! Every rule that decides whether users can trust a match.

use assay::advisory::matching::{Kernel, Matcher};
use assay::advisory::record::Status;
use assay::model::cell::Fact as _;
use assay::model::facts::MemoryFacts;
use assay::model::state::TableState;
use assay::model::table::Package;
use assay::model::view::View;

use super::*;

const ALMA: &str = "AlmaLinux:9";
const DEBIAN: &str = "Debian:12";

#[test]
fn versions_below_the_fix_are_found_and_others_are_not() {
    let database = [database(vec![advisory(
        "ALSA-1",
        &["CVE-2024-0001", "CVE-2024-0002"],
        vec![row(ALMA, "openssl", "1:3.0.7-25.el9")],
    )])];
    for (version, count) in [
        ("1:3.0.7-24.el9", 2),
        ("1:3.0.7-25.el9~rc1", 2),
        ("3.0.8-1.el9", 2),
        ("1:3.0.7-25.el9", 0),
        ("1:3.0.7-25.el9^1", 0),
        ("2:0.1-1", 0),
    ] {
        let facts = facts(host("almalinux", "9.4"), vec![package("rpm", "openssl", version)]);
        let matches = judge(&database, &facts);
        assert_eq!(matches.found.len(), count, "{version}");
        assert_eq!(matches.packages.judged, 1);
        assert!(matches.packages.doubts.is_empty(), "{:?}", matches.packages);
    }
}

#[test]
fn ranges_begin_and_end() {
    let with = |introduced: Option<&str>, end: End| Affected {
        ranges: vec![Range { introduced: introduced.map(Into::into), end }],
        ..row("PyPI", "django", "0")
    };
    let mut exact = with(None, End::Open);
    exact.ranges.clear();
    exact.versions = vec!["4.1".into()];
    let database = [database(vec![
        advisory("A", &["CVE-2024-0001"], vec![with(Some("3.0"), End::Fixed("3.2".into()))]),
        advisory("B", &["CVE-2024-0002"], vec![with(Some("3.0"), End::Last("3.2".into()))]),
        advisory("C", &["CVE-2024-0003"], vec![exact]),
    ])];
    for (version, ids) in [
        ("2.9", ""),
        ("3.0a1", ""),
        ("3.0", "1 2"),
        ("3.1.9", "1 2"),
        ("3.2", "2"),
        ("3.2.1", ""),
        ("4.1", "3"),
        ("4.1.0", "3"),
    ] {
        let facts = facts(host("debian", "12"), Vec::new())
            .with([language("PyPI", "django", version, None)]);
        let found: Vec<_> =
            judge(&database, &facts).found.iter().map(|found| found.id[12..].to_owned()).collect();
        assert_eq!(found.join(" "), ids, "{version}");
    }
}

#[test]
fn source_packages_are_compared_with_source_versions() {
    let database = [database(vec![advisory(
        "DSA-1",
        &["CVE-2024-0001"],
        vec![source_row(DEBIAN, "glibc", "2.36-9+deb12u4")],
    )])];
    let mut libc = package("dpkg", "libc6", "2.36-9+deb12u3");
    libc.source = Some("glibc".into());
    // A binary package whose version is not that of its source.
    let mut odd = package("dpkg", "odd", "9:1");
    odd.source = Some("glibc".into());
    odd.source_version = Some(Version("2.36-9".into()));
    let mut fixed = odd.clone();
    fixed.name = "fixed".into();
    fixed.source_version = Some(Version("2.36-9+deb12u4".into()));
    // A binary package that has the name of another's source.
    let mut namesake = package("dpkg", "glibc", "1");
    namesake.source = Some("other".into());
    let facts = facts(host("debian", "12"), vec![libc, odd, fixed, namesake]);
    assert_eq!(
        found(&judge(&database, &facts)),
        [
            "CVE-2024-0001 libc6-0:2.36-9+deb12u3.amd64 2.36-9+deb12u4",
            "CVE-2024-0001 odd-9:1.amd64 2.36-9+deb12u4",
        ]
    );
}

#[test]
fn what_was_removed_and_left_its_settings_is_not_there() {
    let database =
        [database(vec![advisory("DSA-1", &["CVE-2024-0001"], vec![source_row(DEBIAN, "x", "2")])])];
    for (status, count) in
        [("installed", 1), ("half-configured", 1), ("unpacked", 1), ("config-files", 0)]
    {
        let mut removed = package("dpkg", "x", "1");
        removed.status = status.into();
        let facts = facts(host("debian", "12"), vec![removed]);
        assert_eq!(judge(&database, &facts).found.len(), count, "{status}");
    }
}

#[test]
fn fixes_of_modules_are_for_modules() {
    let fixed = "1:18.20.4-1.module_el9+1+x";
    let of_module = Affected { module: Some("nodejs:20".into()), ..row(ALMA, "npm", "1:30-1") };
    let database = [database(vec![
        advisory("ALSA-1", &["CVE-2024-0001"], vec![row(ALMA, "nodejs", fixed)]),
        advisory("RHSA-2", &["CVE-2024-0002"], vec![of_module]),
    ])];
    let built = |name: &str, module: Option<&str>| {
        let mut package = package("rpm", name, "1:16.1-1.el9");
        package.module = module.map(Into::into);
        package
    };
    let by_version = package("rpm", "nodejs", "1:18.1-1.module_el9+1");
    for (package, count) in [
        (built("nodejs", None), 0),
        (built("nodejs", Some("nodejs:18:8090:x")), 1),
        (by_version, 1),
        (built("npm", None), 0),
        (built("npm", Some("nodejs:18:8090:x")), 0),
        (built("npm", Some("nodejs:20:8090:x")), 1),
    ] {
        let facts = facts(host("almalinux", "9"), vec![package.clone()]);
        assert_eq!(judge(&database, &facts).found.len(), count, "{package:?}");
    }
}

#[test]
fn architectures() {
    let of =
        |arch: &str| Affected { arch: Some(arch.into()), ..row("Amazon Linux:2023", "x", "2-1") };
    let database =
        [database(vec![advisory("ALAS-1", &["CVE-2024-0001"], vec![of("i686"), of("aarch64")])])];
    for (arch, count) in [("x86_64", 0), ("aarch64", 1), ("i386", 1), ("noarch", 1)] {
        let mut package = package("rpm", "x", "1-1");
        package.arch = Some(arch.into());
        let facts = facts(host("amzn", "2023"), vec![package]);
        assert_eq!(judge(&database, &facts).found.len(), count, "{arch}");
    }
}

#[test]
fn extras_have_advisories_of_their_own() {
    let of = |topic: &str, fixed: &str| Affected {
        repository: Some(format!("extras/{topic}")),
        ..row("Amazon Linux:2", "kernel", fixed)
    };
    let docker = Affected {
        repository: Some("extras/docker".into()),
        ..row("Amazon Linux:2", "docker", "25")
    };
    let database = [database(vec![
        advisory(
            "ALAS2-1",
            &["CVE-2024-0001"],
            vec![row("Amazon Linux:2", "kernel", "4.14.300-1.amzn2")],
        ),
        advisory(
            "ALAS2KERNEL-5.4-1",
            &["CVE-2024-0054"],
            vec![of("kernel-5.4", "5.4.300-1.amzn2")],
        ),
        advisory(
            "ALAS2KERNEL-5.10-1",
            &["CVE-2024-0510"],
            vec![of("kernel-5.10", "5.10.300-1.amzn2")],
        ),
        advisory("ALAS2DOCKER-1", &["CVE-2024-0009"], vec![docker]),
    ])];
    for (name, version, repository, ids) in [
        ("kernel", "4.14.200-1.amzn2", None, "CVE-2024-0001"),
        ("kernel", "5.10.200-1.amzn2", None, "CVE-2024-0510"),
        ("kernel", "5.10.200-1.amzn2", Some("amzn2extra-kernel-5.10"), "CVE-2024-0510"),
        ("kernel", "4.14.200-1.amzn2", Some("amzn2-core"), "CVE-2024-0001"),
        ("kernel", "5.4.200-1.amzn2", None, "CVE-2024-0054"),
        ("docker", "20-1.amzn2", None, "CVE-2024-0009"),
        ("docker", "20-1.amzn2", Some("amzn2-core"), ""),
    ] {
        let mut package = package("rpm", name, version);
        package.repository = repository.map(Into::into);
        let facts = facts(host("amzn", "2"), vec![package]);
        let found: Vec<_> =
            judge(&database, &facts).found.into_iter().map(|found| found.id).collect();
        assert_eq!(found.join(" "), ids, "{name} {version} {repository:?}");
    }
}

#[test]
fn no_distribution_is_judged_by_the_feed_of_another() {
    let database = [database(vec![
        advisory("RHSA-1", &["CVE-2024-0001"], vec![row("Red Hat:9", "x", "9-1")]),
        advisory("ALAS-1", &["CVE-2024-0002"], vec![row("Amazon Linux:2023", "y", "9-1")]),
    ])];
    for (os, version, judged) in [
        ("rhel", "9.4", true),
        ("amzn", "2023", true),
        ("amzn", "2", false),
        ("rocky", "9.4", false),
        ("almalinux", "9.4", false),
        ("gentoo", "2", false),
    ] {
        let facts = facts(host(os, version), vec![package("rpm", "x", "1-1")]);
        let matches = judge(&database, &facts);
        assert_eq!(matches.packages.doubts.is_empty(), judged, "{os}: {:?}", matches.packages);
        assert_eq!(matches.found.len(), usize::from(os == "rhel"), "{os}");
    }
}

#[test]
fn unfixed_vulnerabilities_count_where_they_are_asked_for() {
    let states = [
        Status::Affected,
        Status::Deferred,
        Status::EndOfLife,
        Status::Unimportant,
        Status::Undetermined,
        Status::NotAffected,
    ];
    let records = states.iter().enumerate().map(|(number, status)| {
        let cve = format!("CVE-2024-000{number}");
        advisory(&cve, &[&cve], vec![open_row(DEBIAN, "x", *status)])
    });
    let database = [database(records.collect())];
    let facts = facts(host("debian", "12"), vec![package("dpkg", "x", "1")]);
    let matches = judge(&database, &facts);
    assert_eq!((matches.found.len(), matches.hidden), (0, 5));
    let all = Matcher { databases: &database, include_unfixed: true };
    let matches = all.judge(&View::new(&facts)).unwrap();
    assert_eq!((matches.found.len(), matches.hidden), (5, 0));
    assert!(matches.found.iter().all(|found| found.hits[0].fixed.is_none()));
}

#[test]
fn a_vendor_that_says_not_affected_is_believed_across_databases() {
    let says = |status| {
        vec![advisory(
            "A",
            &["CVE-2024-0001"],
            vec![Affected { status, ranges: Vec::new(), ..source_row(DEBIAN, "x", "2") }],
        )]
    };
    let affected =
        || vec![advisory("DSA-1", &["CVE-2024-0001"], vec![source_row(DEBIAN, "x", "2")])];
    let facts =
        facts(host("debian", "12"), vec![package("dpkg", "x", "1"), package("dpkg", "y", "1")]);
    let mut both = affected();
    both.extend(says(Status::NotAffected));
    assert!(judge(&[database(both)], &facts).found.is_empty());
    let two = [database(affected()), database(says(Status::NotAffected))];
    assert!(judge(&two, &facts).found.is_empty());
    assert_eq!(judge(&two[..1], &facts).found.len(), 1);
}

#[test]
fn one_vulnerability_of_several_feeds_is_one_finding_with_the_last_fix() {
    let one = |id: &str, fixed: &str| {
        database(vec![advisory(id, &["CVE-2024-0001"], vec![source_row(DEBIAN, "x", fixed)])])
    };
    let two = [one("DSA-1", "2"), one("DSA-2", "10")];
    let facts = facts(host("debian", "12"), vec![package("dpkg", "x", "1")]);
    let matches = judge(&two, &facts);
    assert_eq!(found(&matches), ["CVE-2024-0001 x-0:1.amd64 10"]);
    let advisories: Vec<_> = matches.found[0].advisories.iter().map(|a| &*a.text.id).collect();
    assert_eq!(advisories, ["DSA-1", "DSA-2"]);
}

#[test]
fn the_running_kernel_counts_and_others_are_told_apart() {
    let kernels = || {
        let mut list = Vec::new();
        for (name, version) in
            [("linux-image-6.1.0-9-amd64", "6.1.27-1"), ("linux-image-6.1.0-30-amd64", "6.1.124-1")]
        {
            let mut package = package("dpkg", name, version);
            package.source = Some("linux-signed-amd64".into());
            package.source_version = Some(Version(version.replace('-', "+").as_str().into()));
            list.push(package);
        }
        list
    };
    let database = [database(vec![
        advisory("DSA-1", &["CVE-2024-0001"], vec![source_row(DEBIAN, "linux", "6.1.90-1")]),
        advisory("DSA-2", &["CVE-2024-0002"], vec![source_row(DEBIAN, "linux", "6.1.200-1")]),
    ])];
    for (running, old, new) in [
        (None, Kernel::Other, Kernel::Newest),
        (Some("6.1.0-9-amd64"), Kernel::Running, Kernel::Other),
        (Some("6.1.0-30-amd64"), Kernel::Other, Kernel::Running),
    ] {
        let mut host = host("debian", "12");
        host.kernel_running = running.map(Into::into);
        let matches = judge(&database, &facts(host, kernels()));
        let states: Vec<Vec<Kernel>> = matches
            .found
            .iter()
            .map(|found| found.hits.iter().map(|hit| hit.kernel.unwrap()).collect())
            .collect();
        assert_eq!(states, [vec![old], vec![new, old]], "{running:?}");
    }
}

#[test]
fn live_patches_mend_the_kernel_that_runs() {
    let patch = Affected {
        repository: Some("kernel-livepatch".into()),
        ..row("Amazon Linux:2023", "kernel-livepatch-6.1.12-19.43", "1.0-2.amzn2023")
    };
    let database = [database(vec![
        advisory(
            "ALAS-1",
            &["CVE-2024-0001", "CVE-2024-0002"],
            vec![row("Amazon Linux:2023", "kernel", "6.1.20-1.amzn2023")],
        ),
        advisory("ALASLIVEPATCH-1", &["CVE-2024-0001"], vec![patch]),
    ])];
    let judge_with = |running: Option<&str>, patch: Option<&str>| {
        let mut host = host("amzn", "2023");
        host.kernel_running = running.map(Into::into);
        let mut packages = vec![package("rpm", "kernel", "6.1.12-19.43.amzn2023")];
        packages
            .extend(patch.map(|version| package("rpm", "kernel-livepatch-6.1.12-19.43", version)));
        found(&judge(&database, &facts(host, packages)))
    };
    let running = Some("6.1.12-19.43.amzn2023.x86_64");
    let kernel =
        |cve: &str| format!("{cve} kernel-0:6.1.12-19.43.amzn2023.x86_64 6.1.20-1.amzn2023");
    let both = [kernel("CVE-2024-0001"), kernel("CVE-2024-0002")];
    assert_eq!(judge_with(running, None), both);
    assert_eq!(judge_with(running, Some("1.0-2.amzn2023")), both[1..]);
    // The patch is there and mends nothing while another kernel runs, or none is known to run.
    assert_eq!(judge_with(None, Some("1.0-2.amzn2023")), both);
    let old = judge_with(running, Some("1.0-1.amzn2023"));
    assert_eq!(old.len(), 3, "{old:?}");
}

#[test]
fn language_packages_that_a_package_owns_are_not_counted_twice() {
    let database = [database(vec![
        advisory("GHSA-1", &["CVE-2024-0001"], vec![row("PyPI", "Jinja2", "3.2")]),
        advisory("GHSA-2", &["CVE-2024-0002"], vec![row("npm", "express", "5.0.0")]),
    ])];
    let facts = facts(host("debian", "12"), Vec::new()).with([
        language("PyPI", "jinja2", "3.1", Some("python3-jinja2")),
        language("PyPI", "jinja2", "3.0", None),
        language("npm", "express", "5.0.0-beta.1", None),
        language("RubyGems", "rails", "7", None),
    ]);
    let matches = judge(&database, &facts);
    assert_eq!(
        found(&matches),
        ["CVE-2024-0001 jinja2-3.0 3.2", "CVE-2024-0002 express-5.0.0-beta.1 5.0.0"]
    );
    assert_eq!(matches.languages.judged, 2);
    assert_eq!(matches.languages.doubts, ["the databases have no advisories of RubyGems"]);
}

#[test]
fn exceptions_silence_what_they_name_and_no_more() {
    for (product, silenced) in [
        ("pkg:deb/debian/x", true),
        ("pkg:deb/x", true),
        ("pkg:deb/debian/x@1", true),
        ("pkg:deb/debian/x-source@1", true),
        ("pkg:deb/debian/x@1?arch=amd64&distro=debian-12", true),
        ("pkg:deb/debian/x@2", false),
        ("pkg:deb/debian/x?arch=arm64", false),
        ("pkg:deb/debian/x?distro=debian-11", false),
        ("pkg:deb/ubuntu/x", false),
        ("pkg:rpm/debian/x", false),
        ("pkg:deb/debian/y", false),
    ] {
        let database = [database(vec![
            advisory(
                "DSA-1",
                &["CVE-2024-0001", "CVE-2024-0002"],
                vec![source_row(DEBIAN, "x-source", "2")],
            ),
            exception("CVE-2024-0001", product),
            exception("CVE-2024-0009", "pkg:deb/debian/x"),
        ])];
        let mut package = package("dpkg", "x", "1");
        package.source = Some("x-source".into());
        let facts = facts(host("debian", "12"), vec![package]);
        let found: Vec<_> = judge(&database, &facts).found.into_iter().map(|f| f.id).collect();
        assert_eq!(found.len(), if silenced { 1 } else { 2 }, "{product}: {found:?}");
        assert_eq!(found.last().unwrap(), "CVE-2024-0002");
    }
}

#[test]
fn packages_that_are_not_all_known_are_a_doubt() {
    let database =
        [database(vec![advisory("DSA-1", &["CVE-2024-0001"], vec![source_row(DEBIAN, "x", "2")])])];
    let mut facts = MemoryFacts::new().with([host("debian", "12")]);
    facts.remove(Package::TABLE, TableState::denied("no right to read"));
    let matches = judge(&database, &facts);
    assert_eq!(matches.packages.doubts, ["packages: no right to read"]);
    // A host that does not even tell what it is.
    let matches = judge(&database, &MemoryFacts::new());
    assert!(matches.packages.doubts.len() > 1, "{:?}", matches.packages);
}

#[test]
fn ubuntu_pro_is_judged_by_its_own_feed() {
    let database = [database(vec![
        advisory("USN-1", &["CVE-2024-0001"], vec![source_row("Ubuntu:22.04:LTS", "x", "2")]),
        advisory(
            "USN-2",
            &["CVE-2024-0002"],
            vec![source_row("Ubuntu:Pro:22.04:LTS", "x", "2+esm1")],
        ),
    ])];
    for (version, count) in [("1", 2), ("1+esm1", 1), ("2", 1), ("2+esm1", 0)] {
        let facts = facts(host("ubuntu", "22.04"), vec![package("dpkg", "x", version)]);
        assert_eq!(judge(&database, &facts).found.len(), count, "{version}");
    }
}
