//! Bills of materials instead of hosts: every form of the generators, and what a bill does not tell.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use assay::collect::{CollectError, DirectoryRoot, Options, collect, collect_sbom};
use assay::diagnostic::Silent;
use assay::model::cell::{Fact, Time};
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::{COLLECTED, Host, LanguagePackage, Package};
use assay::snapshot::{Codec, Snapshot};
use serde_json::{Value as Json, json};

fn read(bill: &Json) -> Result<Snapshot, CollectError> {
    let bytes = collect_sbom(bill.to_string().as_bytes(), &Options::default(), Codec::Raw)?;
    Ok(Snapshot::from_bytes(bytes).unwrap())
}

fn host(snapshot: &Snapshot) -> Host {
    snapshot.rows(Host::TABLE).unwrap().typed().next().unwrap()
}

fn packages(snapshot: &Snapshot) -> Vec<String> {
    let rows: Vec<Package> = snapshot.rows(Package::TABLE).unwrap().typed().collect();
    rows.iter()
        .map(|package| {
            let word =
                |word: &Option<std::sync::Arc<str>>| word.as_deref().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {} {} {} {}",
                package.manager,
                package.name,
                package.version.0,
                word(&package.arch),
                word(&package.source),
                package.source_version.as_ref().map_or("-", |version| &version.0),
                word(&package.module),
            )
        })
        .collect()
}

fn languages(snapshot: &Snapshot) -> Vec<String> {
    let rows: Vec<LanguagePackage> =
        snapshot.rows(LanguagePackage::TABLE).unwrap().typed().collect();
    rows.iter()
        .map(|row| format!("{} {} {} {}", row.ecosystem, row.name, row.version.0, row.path.0))
        .collect()
}

/// A component as Syft writes it.
fn syft(name: &str, purl: &str) -> Json {
    json!({"type": "library", "name": name, "version": "x", "purl": purl,
           "properties": [{"name": "syft:location:0:path", "value": "/srv/place"}]})
}

fn cyclonedx(components: Vec<Json>) -> Json {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6",
           "metadata": {"timestamp": "2026-03-01T00:00:00Z",
                        "component": {"type": "container", "name": "shop:1"}},
           "components": components})
}

#[test]
fn cyclonedx_of_syft() {
    let snapshot = read(&cyclonedx(vec![
        syft("libc6", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u3?arch=amd64&distro=debian-12&upstream=glibc"),
        syft("libgcc-s1", "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-13"),
        syft("bash", "pkg:deb/debian/bash@1:5.2-2?arch=amd64&distro=debian-12"),
        syft("Zope.Interface", "pkg:pypi/Zope.Interface@5.0"),
        syft("core", "pkg:npm/%40babel/core@7.0.0"),
        syft("log4j", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"),
        syft("x", "pkg:golang/golang.org/x/net@v0.17.0"),
        syft("time", "pkg:cargo/time@0.1.44"),
        syft("thing", "pkg:generic/thing@1"),
        json!({"type": "operating-system", "name": "debian", "version": "12", "description": "Debian GNU/Linux 12 (bookworm)",
               "properties": [{"name": "syft:distro:id", "value": "debian"}, {"name": "syft:distro:versionID", "value": "12"},
                              {"name": "syft:distro:prettyName", "value": "Debian GNU/Linux 12 (bookworm)"}]}),
        json!({"type": "file", "name": "/etc/passwd"}),
    ]))
    .unwrap();
    assert_eq!(
        packages(&snapshot),
        [
            "dpkg bash 1:5.2-2 amd64 bash 1:5.2-2 -",
            "dpkg libc6 2.36-9+deb12u3 amd64 glibc 2.36-9+deb12u3 -",
            "dpkg libgcc-s1 12.2.0-14 amd64 gcc-12 12.2.0-13 -",
        ]
    );
    assert_eq!(
        languages(&snapshot),
        [
            "Go golang.org/x/net 0.17.0 /srv/place",
            "Maven org.apache.logging.log4j:log4j-core 2.14.1 /srv/place",
            "PyPI zope-interface 5.0 /srv/place",
            "crates.io time 0.1.44 /srv/place",
            "npm @babel/core 7.0.0 /srv/place",
        ]
    );
    let host = host(&snapshot);
    assert_eq!((&*host.hostname, &*host.source), ("shop:1", "sbom"));
    assert_eq!((host.os.as_deref(), host.os_version.as_deref()), (Some("debian"), Some("12")));
    assert_eq!(host.os_name.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
    assert_eq!(host.arch.as_deref(), Some("x86_64"));
    assert_eq!(host.collected_at, Time(1_772_323_200));
    // What a bill does not tell is never an empty table.
    for table in COLLECTED {
        let told = [Host::TABLE.name, Package::TABLE.name, LanguagePackage::TABLE.name];
        match snapshot.state(table) {
            TableState::Collected => assert!(told.contains(&table.name), "{}", table.name),
            TableState::Absent(_) => assert!(!told.contains(&table.name), "{}", table.name),
            other => unreachable!("{}: {other}", table.name),
        }
    }
}

#[test]
fn cyclonedx_and_spdx_of_trivy() {
    let property = |name: &str, value: &str| json!({"name": format!("aquasecurity:trivy:{name}"), "value": value});
    let cyclonedx = cyclonedx(vec![
        json!({"type": "operating-system", "name": "redhat", "version": "8.9"}),
        json!({"type": "library", "name": "openssl-libs", "version": "1.1.1k-9.el8",
               "purl": "pkg:rpm/redhat/openssl-libs@1.1.1k-9.el8?arch=x86_64&epoch=1&distro=redhat-8.9",
               "properties": [property("SrcName", "openssl"), property("SrcVersion", "1.1.1k"),
                              property("SrcRelease", "9.el8"), property("SrcEpoch", "1"),
                              property("Modularitylabel", "perl:5.26:820:abcd")]}),
    ]);
    let spdx = json!({"spdxVersion": "SPDX-2.3", "name": "image.tar", "SPDXID": "SPDXRef-DOCUMENT",
        "creationInfo": {"created": "2026-03-01T00:00:00Z"},
        "relationships": [{"relationshipType": "DESCRIBES", "spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-ContainerImage-1"}],
        "packages": [
            {"SPDXID": "SPDXRef-ContainerImage-1", "name": "image.tar"},
            {"SPDXID": "SPDXRef-OperatingSystem-2", "name": "redhat", "versionInfo": "8.9"},
            {"SPDXID": "SPDXRef-Package-3", "name": "openssl-libs", "versionInfo": "1:1.1.1k-9.el8",
             "sourceInfo": "built package from: openssl 1:1.1.1k-9.el8",
             "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                               "referenceLocator": "pkg:rpm/redhat/openssl-libs@1.1.1k-9.el8?arch=x86_64&epoch=1&distro=redhat-8.9"}]}]});
    let package = "rpm openssl-libs 1:1.1.1k-9.el8 x86_64 openssl 1:1.1.1k-9.el8";
    let first = read(&cyclonedx).unwrap();
    assert_eq!(packages(&first), [format!("{package} perl:5.26:820:abcd")]);
    let second = read(&spdx).unwrap();
    assert_eq!(packages(&second), [format!("{package} -")]);
    for snapshot in [first, second] {
        assert_eq!(snapshot.state(Package::TABLE), TableState::Collected);
        let host = host(&snapshot);
        assert_eq!((host.os.as_deref(), host.os_version.as_deref()), (Some("rhel"), Some("8.9")));
        let TableState::Absent(reason) = snapshot.state(LanguagePackage::TABLE) else {
            unreachable!("no language package is listed");
        };
        assert!(reason.contains("lists no package of a language"), "{reason}");
    }
}

#[test]
fn spdx_3_tells_the_same_as_spdx_2() {
    let purl = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u3?arch=amd64&distro=debian-12.1";
    let bill = json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "CreationInfo", "@id": "_:made", "specVersion": "3.0.1", "created": "2024-03-01T00:00:00Z",
             "createdBy": ["https://example.com/us"]},
            {"type": "SpdxDocument", "spdxId": "https://example.com/doc", "creationInfo": "_:made",
             "name": "image.tar", "rootElement": ["https://example.com/image"],
             "profileConformance": ["core", "software"]},
            {"type": "software_Package", "spdxId": "https://example.com/image", "name": "image.tar",
             "software_primaryPurpose": "container", "creationInfo": "_:made"},
            {"type": "software_Package", "spdxId": "https://example.com/os", "name": "debian",
             "software_packageVersion": "12.1", "software_primaryPurpose": "operatingSystem"},
            {"type": "software_Package", "spdxId": "https://example.com/1", "name": "libc6",
             "software_packageVersion": "2.36-9+deb12u3", "software_packageUrl": purl,
             "software_sourceInfo": "built package from: glibc 2.36-9+deb12u3"},
            {"type": "software_Package", "spdxId": "https://example.com/2", "name": "requests",
             "externalIdentifier": [
                 {"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": "cpe:2.3:a:x"},
                 {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl",
                  "identifier": "pkg:pypi/Requests@2.31.0"}]},
            {"type": "software_File", "spdxId": "https://example.com/3", "name": "/etc/passwd"},
            {"type": "Relationship", "spdxId": "https://example.com/4", "from": "https://example.com/image",
             "relationshipType": "contains", "to": ["https://example.com/1"], "completeness": "complete"}
        ]
    });
    let snapshot = read(&bill).unwrap();
    let told = host(&snapshot);
    assert_eq!((&*told.hostname, told.collected_at.0), ("image.tar", 1_709_251_200));
    assert_eq!((told.os.as_deref(), told.os_version.as_deref()), (Some("debian"), Some("12.1")));
    let second = json!({"spdxVersion": "SPDX-2.3", "name": "image.tar", "packages": [
        {"name": "debian", "SPDXID": "SPDXRef-OperatingSystem-1", "versionInfo": "12.1",
         "primaryPackagePurpose": "OPERATING-SYSTEM"},
        {"name": "libc6", "SPDXID": "SPDXRef-Package-1", "sourceInfo": "built package from: glibc 2.36-9+deb12u3",
         "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}]},
        {"name": "requests", "SPDXID": "SPDXRef-Package-2",
         "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/Requests@2.31.0"}]}]});
    let second = read(&second).unwrap();
    assert_eq!(packages(&snapshot), packages(&second));
    assert_eq!(languages(&snapshot), languages(&second));
    assert_eq!((packages(&snapshot).len(), languages(&snapshot).len()), (1, 1));
    assert!(snapshot.state(Package::TABLE).is_complete());
    // As JSON-LD names the same members.
    let other = json!({"@graph": [
        {"@type": "Package", "@id": "https://example.com/1", "name": "libc6", "packageUrl": purl,
         "packageVersion": "2.36-9+deb12u3", "sourceInfo": "built package from: glibc 2.36-9+deb12u3"}]});
    assert_eq!(packages(&read(&other).unwrap()), packages(&second));
    // What it does not name, or says that it has not all of, is no complete list.
    let mut open = bill.clone();
    open["@graph"][7]["completeness"] = "incomplete".into();
    open["@graph"].as_array_mut().unwrap().push(json!({"type": "software_Package", "name": "x"}));
    let state = read(&open).unwrap().state(Package::TABLE);
    let reason = state.reason().unwrap().to_string();
    assert!(reason.contains("incomplete") && reason.contains("no package URL"), "{reason}");
}

/// What is read is in all versions that are written as JSON.
#[test]
fn every_version_of_cyclonedx() {
    for version in ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"] {
        let mut bill = cyclonedx(vec![syft(
            "bash",
            "pkg:rpm/rhel/bash@5.1-1?distro=rhel-9.2&upstream=bash-5.1-1.src.rpm",
        )]);
        bill["specVersion"] = version.into();
        // Tools were a list, and are an object with components from 1.5 on.
        bill["metadata"]["tools"] = match version {
            "1.2" | "1.3" | "1.4" => json!([{"vendor": "anchore", "name": "syft", "version": "1"}]),
            _ => {
                json!({"components": [{"type": "application", "name": "syft", "purl": "pkg:golang/syft@1"}]})
            }
        };
        let snapshot = read(&bill).unwrap();
        assert_eq!(packages(&snapshot).len(), 1, "{version}");
        assert!(languages(&snapshot).is_empty(), "{version}");
    }
}

#[test]
fn what_a_bill_leaves_open_is_said() {
    let why = |components: Vec<Json>| {
        let state = read(&cyclonedx(components)).unwrap().state(Package::TABLE);
        assert!(!state.is_complete());
        state.reason().unwrap().to_string()
    };
    let bash = || syft("bash", "pkg:rpm/rhel/bash@5-1.el9?distro=rhel-9.2");
    assert!(why(vec![syft("bash", "pkg:deb/debian/bash@5-1")]).contains("from which source"));
    assert!(why(vec![bash(), json!({"type": "library", "name": "x"})]).contains("no package URL"));
    assert!(
        why(vec![bash(), bash(), syft("sed", "pkg:deb/debian/sed@1?distro=debian-12")])
            .contains("of another distribution")
    );
    assert!(why(vec![bash(), syft("sed", "pkg:rpm/rhel/sed")]).contains("makes sense"));
    let mut bill = cyclonedx(vec![bash()]);
    assert!(read(&bill).unwrap().state(Package::TABLE).is_complete());
    bill["compositions"] = json!([{"aggregate": "incomplete_first_party_only"}]);
    assert!(!read(&bill).unwrap().state(Package::TABLE).is_complete());
}

/// Some generators name the distribution in other words than os-release.
#[test]
fn packages_outvote_a_name_that_none_of_them_has() {
    let system = |name: &str| json!({"type": "operating-system", "name": name, "version": "12"});
    let bash = || syft("bash", "pkg:deb/debian/bash@5-1?distro=debian-12&upstream=bash%405-1");
    for (name, version) in [("Debian GNU/Linux", "12"), ("debian", "12")] {
        let snapshot = read(&cyclonedx(vec![system(name), bash()])).unwrap();
        let host = host(&snapshot);
        let told = (host.os.as_deref(), host.os_version.as_deref());
        assert_eq!(told, (Some("debian"), Some(version)));
        assert!(snapshot.state(Package::TABLE).is_complete());
    }
}

#[test]
fn what_is_no_bill_is_refused() {
    let code = |bytes: &[u8]| {
        let error = collect_sbom(bytes, &Options::default(), Codec::Raw).unwrap_err();
        assert!(!error.to_string().contains(char::is_control), "{error}");
        error.diagnostic().code.to_string()
    };
    for bytes in [
        &b""[..],
        b"{}",
        b"[]",
        b"<bom xmlns='x'/>",
        b"{\"bomFormat\":\"CycloneDX\"",
        b"{\"bomFormat\":\"CycloneDX\",\"components\":{}}",
        b"{\"spdxVersion\":\"SPDX-3.0\",\"@graph\":{}}",
        b"{\"@context\":\"https://spdx.org/rdf/3.0.1\",\"@graph\":[{\"type\":1}]}",
        b"{\"bomFormat\":\"CycloneDX\",\"components\":[{\"name\":\"\xff\"}]}",
        b"\x00\x01\x02",
        b"SPDXVersion: SPDX-2.3\n",
    ] {
        assert_eq!(code(bytes), "C010", "{}", String::from_utf8_lossy(bytes));
    }
    let deep = format!("{{\"bomFormat\":\"CycloneDX\",{}", "\"components\":[{".repeat(50_000));
    assert_eq!(code(deep.as_bytes()), "C010");
    assert_eq!(code(cyclonedx(vec![]).to_string().as_bytes()), "C011");
    assert_eq!(code(b"{\"@context\":\"https://spdx.org/rdf/3.0.1\",\"@graph\":[]}"), "C011");
    let xml = collect_sbom(b"<bom xmlns='x'/>", &Options::default(), Codec::Raw).unwrap_err();
    assert!(xml.to_string().contains("write the bill as JSON"), "{xml}");
    let bill = cyclonedx(vec![syft("bash", "pkg:rpm/rhel/bash@5-1?distro=rhel-9.2")]).to_string();
    for length in 0..bill.len() {
        assert_eq!(code(&bill.as_bytes()[..length]), "C010");
    }
    for at in 0..bill.len() {
        for byte in [b'"', b'{', b'[', 0, 0xff] {
            let mut bytes = bill.clone().into_bytes();
            bytes[at] = byte;
            let _ = collect_sbom(&bytes, &Options::default(), Codec::Raw);
        }
    }
}

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay")).args(arguments).output().unwrap()
}

/// On the command line: rules that need what a bill does not tell are unknown, never passed.
#[test]
fn a_scan_of_a_bill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bill.json");
    let name = path.to_str().unwrap();
    let bill = cyclonedx(vec![syft(
        "bash",
        "pkg:rpm/rhel/bash@5.1-1?distro=rhel-9.2&upstream=bash-5.1-1.src.rpm",
    )]);
    fs::write(&path, bill.to_string()).unwrap();
    let output =
        assay(&["scan", "--sbom", name, "--package", "sbp", "--format", "ndjson", "--outcomes"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Json> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line["type"] == "outcome")
        .map(|line| line["verdict"].as_str().unwrap())
        .collect();
    assert!(verdicts.contains("unknown") && !verdicts.contains("pass"), "{verdicts:?}");
    assert!(lines.iter().all(|line| line["snapshot"].is_null() || line["snapshot"] == name));
    fs::write(&path, "{}").unwrap();
    assert_eq!(assay(&["scan", "--sbom", name]).status.code(), Some(4));
    fs::write(&path, cyclonedx(vec![]).to_string()).unwrap();
    assert_eq!(assay(&["scan", "--sbom", name]).status.code(), Some(5));
    fs::remove_file(&path).unwrap();
    assert_eq!(assay(&["scan", "--sbom", name]).status.code(), Some(4));
    assert_eq!(assay(&["scan", "--sbom", name, "--root", "/"]).status.code(), Some(2));
}

/// This machine's packages as dpkg-query tells them, written as a bill, against the status file.
#[test]
#[ignore = "needs dpkg-query and the packages of a Debian machine"]
fn a_bill_and_its_host_have_the_same_packages() {
    let format = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${db:Status-Status}\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
    let mut components = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[5] == "installed" {
            let escaped: Vec<String> =
                fields.iter().map(|field| field.replace('+', "%2B").replace(':', "%3A")).collect();
            let purl = format!(
                "pkg:deb/debian/{}@{}?arch={}&distro=debian-12&upstream={}%40{}",
                escaped[0], escaped[1], escaped[2], escaped[3], escaped[4]
            );
            components.push(syft(fields[0], &purl));
        }
    }
    assert!(components.len() > 100);
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
    fs::copy("/var/lib/dpkg/status", root.path().join("var/lib/dpkg/status")).unwrap();
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let bytes = collect(&opened, &Options::default(), Codec::Raw, &Silent).unwrap();
    let of_root = packages(&Snapshot::from_bytes(bytes).unwrap());
    let of_bill = packages(&read(&cyclonedx(components)).unwrap());
    let installed: BTreeSet<&String> = of_root.iter().filter(|row| of_bill.contains(row)).collect();
    assert_eq!(installed.len(), of_bill.len());
}
