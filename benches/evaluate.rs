//! Judging a host: 500 rules over a snapshot with 20,000 files, and what starting costs.
#![expect(clippy::unwrap_used, reason = "a broken bench should stop")]

use std::fmt::Write as _;
use std::ops::ControlFlow;

use assay::engine::evaluate;
use assay::model::cell::{AbsPath, Mode, Time, Version};
use assay::model::facts::{FactSource, MemoryFacts};
use assay::model::table::{COLLECTED, ConfigFile, File, FileKind, Host, KernelParameter, Package};
use assay::rules::{Library, Plan};
use assay::snapshot::{Codec, Snapshot, Writer};

fn main() {
    divan::main();
}

fn rule(library: &mut Library, number: usize, check: &str) {
    let text = format!(
        "title: Rule {number}\nseverity: low\nfinding: Something.\ndescription: x\n\
         remediation: x\ncheck:\n{check}\n"
    );
    assert!(library.insert(&format!("security-best-practices/rule-{number:03}.yaml"), text));
}

/// 500 rules in the proportions of a server benchmark.
fn library() -> Library {
    let mut library = Library::default();
    for number in 0..500 {
        let check = match number % 10 {
            0..=2 => format!(
                "  {{ from: kernel_parameters, where: {{ key: net.key{number} }}, expect: each, must: {{ value: '1' }}, when_empty: fail }}"
            ),
            3 | 4 => format!(
                "  {{ from: packages, where: {{ name: package{number}, status: installed }}, expect: none }}"
            ),
            5 | 6 => format!(
                "  {{ from: files, where: {{ path: /usr/lib/dir{}/file{number} }}, expect: each, must: {{ mode: {{ bits_clear: '0022' }}, uid: 0 }}, when_empty: fail }}",
                number % 40
            ),
            7 => format!(
                "  {{ from: files, where: {{ path: {{ under: /usr/lib/dir{} }}, kind: file }}, expect: none, must: {{ mode: {{ bits_set: '0002' }} }} }}",
                number % 40
            ),
            8 => format!(
                "  {{ from: config.sshd, where: {{ keyword: word{number}, effective: true }}, expect: each, must: {{ value: 'no' }}, when_empty: fail }}"
            ),
            _ => format!(
                "  {{ from: files, where: {{ kind: file, mode: {{ bits_set: '{}' }}, uid: {{ ne: {number} }} }}, expect: none }}",
                ["4000", "2000", "0002", "6000", "1000"][number / 10 % 5]
            ),
        };
        rule(&mut library, number, &check);
    }
    library
}

fn snapshot() -> Snapshot {
    let files = (0..20_000u32).map(|number| File {
        path: AbsPath(format!("/usr/lib/dir{}/file{number}", number % 40).into()),
        kind: FileKind::File,
        mode: Mode(if number % 1000 == 0 { 0o4755 } else { 0o644 }),
        uid: 0,
        gid: 0,
        size: 100,
        mtime: Time(0),
        link_target: None,
        capabilities: None,
    });
    let packages = (0..400).map(|number| Package {
        manager: "dpkg".into(),
        name: format!("package{number}").into(),
        version: Version("1.0-1".into()),
        arch: Some("amd64".into()),
        source: None,
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        status: "installed".into(),
    });
    let parameters = (0..1000).map(|number| KernelParameter {
        key: format!("net.key{number}").into(),
        value: "1".into(),
    });
    let mut sshd = String::new();
    for number in 0..100 {
        writeln!(sshd, "Word{number} no").unwrap();
    }
    let config = [ConfigFile {
        path: AbsPath("/etc/ssh/sshd_config".into()),
        text: Some(sshd.into()),
        problem: None,
    }];
    let host = Host {
        hostname: "bench".into(),
        agent_id: "i-0".into(),
        family: "linux".into(),
        os: Some("debian".into()),
        os_version: Some("12".into()),
        os_like: Vec::new(),
        os_name: None,
        kernel_running: None,
        kernels_installed: Vec::new(),
        arch: None,
        source: "root".into(),
        collected_at: Time(0),
        observed_seconds: 0,
        requested_seconds: None,
        privileged: true,
        nx: None,
        collector: "0".into(),
        tags: Vec::new(),
    };
    let facts =
        MemoryFacts::new().with([host]).with(packages).with(parameters).with(config).with(files);
    let mut writer = Writer::new(Codec::Zstd);
    for table in COLLECTED.iter().filter(|table| table.name != "files") {
        writer.table(&facts.rows(table).unwrap(), &facts.state(table)).unwrap();
    }
    facts
        .scan_files(&|_| true, &mut |row| {
            writer.push_file(row.typed().unwrap()).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    writer.files_state(facts.state(<File as assay::model::cell::Fact>::TABLE));
    Snapshot::from_bytes(writer.finish().unwrap()).unwrap()
}

fn plan() -> Plan {
    library().compile().unwrap()
}

/// One host, everything it reads decompressed anew.
#[divan::bench]
fn host(bencher: divan::Bencher) {
    let (plan, snapshot) = (plan(), snapshot());
    let passed = evaluate(&plan, &snapshot).unwrap();
    assert_eq!(passed.len(), 500);
    bencher.bench_local(|| evaluate(&plan, divan::black_box(&snapshot)).unwrap().len());
}

/// The embedded rules, from the bytes in the program to a plan.
#[divan::bench]
fn embedded_plan() -> usize {
    Library::embedded().compile().map(|plan| plan.rules.len()).unwrap_or_default()
}

/// 500 rules from their texts to a plan.
#[divan::bench]
fn text_plan(bencher: divan::Bencher) {
    let library = library();
    bencher.bench_local(|| library.compile().unwrap().rules.len());
}
