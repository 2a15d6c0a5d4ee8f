//! Whole real feeds against matchers that read the feeds themselves and ask rpm and dpkg.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assay::advisory::feed::{Context, read};

use super::*;

/// A real feed: in the folder that the variable names, else kept beside the repository.
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says where the feeds are")]
fn feed(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("ASSAY_FEEDS") {
        return Path::new(&folder).join(name);
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places =
        ["../shared/data", "../../shared/data"].map(|place| project.join(place).join(name));
    places.iter().find(|path| path.exists()).unwrap_or(&places[0]).clone()
}

fn imported(names: &[&str]) -> Database {
    let mut builder = Builder::new();
    for name in names {
        let bytes = std::fs::read(feed(name)).unwrap();
        builder.begin(&Input { name: (*name).into(), ..Input::default() });
        let mut sink = |record| builder.add(record);
        let summary = read(None, name, &bytes, &Context::default(), &mut sink).unwrap();
        builder.end(&summary);
    }
    Database::from_bytes(builder.finish().unwrap()).unwrap()
}

/// What the matcher in another language makes of packages (`name version source source-version
/// module`, one a line): `CVE package`, sorted.
fn independent(arguments: &[&str], files: &[&str], packages: &[Package]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisory_matching/matcher.py");
    // Where python3-rpm is, whatever other python stands first.
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .args(arguments)
        .args(files.iter().map(|file| feed(file)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = String::new();
    for package in packages {
        let version = &package.version.0;
        let source = package.source.as_deref().unwrap_or(&package.name);
        let source_version = package.source_version.as_ref().map_or(version, |v| &v.0);
        let module = package.module.as_deref().unwrap_or("-");
        input += &format!("{} {version} {source} {source_version} {module}\n", package.name);
    }
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the other matcher failed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// `CVE package` of everything that we find, sorted.
fn ours(database: &[Database], host: Host, packages: &[Package]) -> Vec<String> {
    let matches = judge(database, &facts(host, packages.to_vec()));
    assert_eq!(matches.packages.judged, packages.len());
    let mut lines: Vec<String> = Vec::new();
    for found in &matches.found {
        for hit in &found.hits {
            let name = hit.location.strip_prefix("package ").unwrap();
            lines.push(format!("{} {name}", found.id));
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

/// Every package of a release, each in a version that the feed names for it or beside that: a
/// number that is the same in every run chooses.
fn packages(database: &Database, ecosystem: &str, manager: &str) -> Vec<Package> {
    let ecosystem = Ecosystem::named(ecosystem);
    let release = database.release(&ecosystem).unwrap().unwrap();
    let places = (0..release.advisories()).collect();
    let mut list = Vec::new();
    let mut state: u64 = 7;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for name in release.names_in(&places).unwrap() {
        let rows = [Naming::Source, Naming::Binary]
            .into_iter()
            .flat_map(|naming| release.find(&name, naming).unwrap())
            .map(Result::unwrap);
        let rows: Vec<_> = rows.collect();
        let versions: Vec<u32> = rows.iter().filter_map(|row| row.version).collect();
        if versions.is_empty() {
            continue;
        }
        let version = database.version(&ecosystem, versions[random(versions.len())]).unwrap();
        let version = match random(4) {
            0 => format!("{version}~x"),
            1 => format!("{version}.1"),
            _ => version,
        };
        let mut package = package(manager, &name, &version);
        // Modules as rpm records them; one package in five of them lost its label.
        if version.contains(".module") && random(5) > 0 {
            package.module = Some("some:1:2:3".into());
        }
        list.push(package);
    }
    list
}

#[test]
#[ignore = "reads ../shared/data and asks python3-rpm"]
fn almalinux_as_rpm_has_it() {
    let feeds = ["almalinux-osv-2026-08.zip"];
    let database = [imported(&feeds)];
    for release in ["8", "9", "10"] {
        let ecosystem = format!("AlmaLinux:{release}");
        let mut packages = packages(&database[0], &ecosystem, "rpm");
        let whole = packages.len();
        let compare = |packages: &[Package]| {
            let ours = ours(&database, host("almalinux", release), packages);
            let theirs = independent(&["rpm", &ecosystem, "modules"], &feeds, packages);
            assert!(!ours.is_empty());
            assert_eq!(ours.len(), theirs.len(), "{ecosystem}");
            assert_eq!(ours, theirs, "{ecosystem}");
            ours
        };
        let first = compare(&packages);
        // The same packages, none of them of a module: what a matcher that knows no modules finds
        // more is fixed in modules alone.
        for package in &mut packages {
            package.module = None;
            let plain = package.version.0.replace(".module", ".plain");
            package.version = Version(plain.into());
        }
        let with = compare(&packages);
        let without = independent(&["rpm", &ecosystem, "plain"], &feeds, &packages);
        let only_modules = independent(&["rpm", &ecosystem, "only-modules"], &feeds, &packages);
        let more: Vec<_> =
            without.iter().filter(|line| with.binary_search(line).is_err()).collect();
        assert!(more.iter().all(|line| only_modules.binary_search(line).is_ok()));
        println!(
            "{ecosystem}: {whole} packages, {} matches; without modules {}, and {} more without the rule",
            first.len(),
            with.len(),
            more.len()
        );
    }
}

/// The packages of one of the lists beside this file.
fn listed(release: &str) -> Vec<Package> {
    let text = match release {
        "8" => include_str!("almalinux-8.list"),
        "9" => include_str!("almalinux-9.list"),
        _ => include_str!("almalinux-10.list"),
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let package = |line: &str| {
        let [name, version, module] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        Package { module: (module != "-").then(|| module.into()), ..package("rpm", name, version) }
    };
    lines.map(package).collect()
}

#[test]
#[ignore = "reads ../shared/data and asks python3-rpm"]
fn almalinux_hosts_as_rpm_has_them() {
    let feeds = ["almalinux-osv-2026-08.zip"];
    let database = [imported(&feeds)];
    for (release, has_modules) in [("8", true), ("9", false), ("10", false)] {
        let (packages, ecosystem) = (listed(release), format!("AlmaLinux:{release}"));
        let ours = ours(&database, host("almalinux", release), &packages);
        assert!(ours.len() > 500, "{}", ours.len());
        let by = |mode| independent(&["rpm", &ecosystem, mode], &feeds, &packages);
        assert_eq!(ours, by("modules"), "{ecosystem}");
        // Who knows no modules finds more on a host where packages stand beside modules of them.
        let (without, only_modules) = (by("plain"), by("only-modules"));
        let more: Vec<_> =
            without.iter().filter(|line| ours.binary_search(line).is_err()).collect();
        assert!(more.iter().all(|line| only_modules.binary_search(line).is_ok()));
        assert_eq!(more.is_empty(), !has_modules, "{ecosystem}");
        println!(
            "{ecosystem}: {} packages, {} matches; {} more without the rule of modules",
            packages.len(),
            ours.len(),
            more.len()
        );
    }
}

/// Azure's OVAL, and updateinfo of Amazon's repositories: core, an extra, live patches.
#[test]
#[ignore = "reads ../shared/data and asks python3-rpm"]
fn oval_and_updateinfo_as_rpm_has_them() {
    let amazon = |name: &str| format!("amazon-updateinfo/updateinfo_{name}.xml.gz");
    let azure = "azurelinux-3.0-oval-2024-10.xml.xz".to_owned();
    for (kind, file, os, release, ecosystem, from, other) in [
        ("oval", azure, "azurelinux", "3.0", "Azure Linux:3.0", None, "-"),
        ("updateinfo", amazon("1"), "amzn", "2018.03", "Amazon Linux:1", Some("amzn-main"), "-"),
        ("updateinfo", amazon("2"), "amzn", "2", "Amazon Linux:2", Some("amzn2-core"), "-"),
        (
            "updateinfo",
            amazon("2023"),
            "amzn",
            "2023",
            "Amazon Linux:2023",
            Some("amazonlinux"),
            "-",
        ),
        (
            "updateinfo",
            amazon("2_kernel-5.15"),
            "amzn",
            "2",
            "Amazon Linux:2",
            Some("amzn2extra-kernel-5.15"),
            "extras/kernel-5.15",
        ),
        (
            "updateinfo",
            amazon("2023_kernel-livepatch"),
            "amzn",
            "2023",
            "Amazon Linux:2023",
            Some("kernel-livepatch"),
            "kernel-livepatch",
        ),
    ] {
        let database = [imported(&[&file])];
        // Each package older than every fix, and in versions around the fixes.
        let mut packages = packages(&database[0], ecosystem, "rpm");
        let old = packages.iter().map(|package| Package {
            name: package.name.clone(),
            version: Version("0-1".into()),
            ..package.clone()
        });
        packages.extend(old.collect::<Vec<_>>());
        // The oldest one is about a single architecture.
        let arch = if release == "2018.03" { "i686" } else { "x86_64" };
        for package in &mut packages {
            package.repository = from.map(Into::into);
            package.arch = Some(arch.into());
        }
        let ours = ours(&database, host(os, release), &packages);
        let theirs = independent(&["rows", arch, other, kind], &[&file], &packages);
        assert!(!ours.is_empty(), "{file}");
        assert_eq!(ours, theirs, "{file}");
        println!("{file}: {} packages, {} matches", packages.len(), ours.len());
    }
}

#[test]
#[ignore = "reads ../shared/data and asks dpkg"]
fn debian_lists_as_dpkg_has_them() {
    let feeds = ["debian-dsa-2023-04.list", "debian-dla-2023-04.list"];
    let database = [imported(&feeds)];
    for release in ["9", "10", "11"] {
        let ecosystem = format!("Debian:{release}");
        // Every package of the lists, and this machine's own as an older release would have them.
        let mut packages = packages(&database[0], &ecosystem, "dpkg");
        packages.extend(this_machine());
        let ours = ours(&database, host("debian", release), &packages);
        let theirs = independent(&["dpkg", release], &feeds, &packages);
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{ecosystem}");
        println!("{ecosystem}: {} packages, {} matches", packages.len(), ours.len());
    }
}

/// The packages of this machine, as `dpkg-query` has them, some of them older than they are.
fn this_machine() -> Vec<Package> {
    let format = "${Package} ${Version} ${source:Package} ${source:Version}\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut list = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let [name, version, source, source_version] = line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let mut package = package("dpkg", name, version);
        package.source = Some(source.into());
        let older = source_version.split(['+', '-']).next().unwrap();
        let compared = if number % 2 == 0 { older } else { source_version };
        package.source_version = Some(Version(compared.into()));
        list.push(package);
    }
    list
}
