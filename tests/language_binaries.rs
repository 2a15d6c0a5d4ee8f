//! Packages within jars and executables, compared with what their own tools say.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::LanguagePackage;
use assay::snapshot::{Codec, Snapshot};

/// The table of a root that has these files, and its state.
fn found(files: &[(&str, Vec<u8>)]) -> (TableState, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/os-release"), "ID=debian\n").unwrap();
    for (name, bytes) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    collected(root.path())
}

fn collected(root: &Path) -> (TableState, Vec<String>) {
    let root = DirectoryRoot::open(root).unwrap();
    let sections = Some(vec!["language_packages".to_owned()]);
    let options = Options { sections, ..Options::default() };
    let bytes = collect(&root, &options, Codec::Raw, &Silent).unwrap();
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    let rows: Vec<LanguagePackage> =
        snapshot.rows(LanguagePackage::TABLE).unwrap().typed().collect();
    let rows = rows.iter().map(|row| {
        let inside = row.inside.as_deref().map(|inside| format!("!{inside}")).unwrap_or_default();
        format!("{}{inside} {} {} {}", row.path.0, row.ecosystem, row.name, row.version.0)
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    (snapshot.state(LanguagePackage::TABLE), rows)
}

/// An archive of these entries, each deflated or not.
fn jar(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content, deflated) in entries {
        let file = archive.new_file(*name);
        let method = if *deflated {
            rawzip::CompressionMethod::DEFLATE
        } else {
            rawzip::CompressionMethod::STORE
        };
        let (mut entry, config) = file.compression_method(method).start().unwrap();
        let output = if *deflated {
            let encoder =
                flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
            let mut writer = config.wrap(encoder);
            writer.write_all(content).unwrap();
            let (encoder, output) = writer.finish().unwrap();
            encoder.finish().unwrap();
            output
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(output).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn pom(group: &str, artifact: &str, version: &str) -> (String, Vec<u8>) {
    let text = format!(
        "#Created by Apache Maven\nversion={version}\r\ngroupId={group}\nartifactId = {artifact}\n"
    );
    (format!("META-INF/maven/{group}/{artifact}/pom.properties"), text.into_bytes())
}

const LOG4J: &str = "Maven org.apache.logging.log4j:log4j-core 2.14.1";

/// A jar of Log4j by Maven.
fn log4j() -> Vec<u8> {
    let (name, text) = pom("org.apache.logging.log4j", "log4j-core", "2.14.1");
    jar(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n", true), (&name, &text, true)])
}

#[test]
fn jars_within_jars() {
    let log4j = log4j();
    let inner = jar(&[("lib/log4j.jar", &log4j, true)]);
    let manifest = b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.slf4j.api\r\n";
    let api = jar(&[("META-INF/MANIFEST.MF", manifest, false)]);
    let (first, first_text) = pom("org.example", "one", "1.0");
    let (second, second_text) = pom("org.example", "two", "2.0");
    let war = jar(&[
        ("WEB-INF/lib/log4j-core-2.14.1.jar", &log4j, false),
        ("WEB-INF/lib/inner.jar", &inner, true),
        ("WEB-INF/lib/slf4j-api-1.7.36.jar", &api, false),
        (&first, &first_text, true),
        (&second, &second_text, false),
        ("WEB-INF/classes/x.class", b"\xca\xfe\xba\xbe", true),
    ]);
    let (state, rows) = found(&[
        ("opt/app.war", war),
        ("opt/log4j.jar", log4j),
        ("opt/notes.jar.txt", b"no".to_vec()),
        ("opt/plain.jar", jar(&[("a.class", b"x", false)])),
    ]);
    assert_eq!(state, TableState::Collected);
    assert_eq!(
        rows,
        [
            "/opt/app.war Maven org.example:one 1.0".to_owned(),
            "/opt/app.war Maven org.example:two 2.0".to_owned(),
            format!("/opt/app.war!WEB-INF/lib/inner.jar!lib/log4j.jar {LOG4J}"),
            format!("/opt/app.war!WEB-INF/lib/log4j-core-2.14.1.jar {LOG4J}"),
            "/opt/app.war!WEB-INF/lib/slf4j-api-1.7.36.jar Maven org.slf4j:slf4j-api 1.7.36"
                .to_owned(),
            format!("/opt/log4j.jar {LOG4J}"),
        ]
    );
}

#[test]
fn hostile_jars_are_said_and_end() {
    let log4j = log4j();
    let why = |bytes: Vec<u8>| {
        let (state, rows) = found(&[("opt/x.jar", bytes)]);
        assert!(!state.is_complete(), "{rows:?}");
        (state.reason().unwrap().to_string(), rows.len())
    };
    assert!(why(b"no archive".to_vec()).0.contains("no archive"));
    assert!(why(log4j[..log4j.len() / 2].to_vec()).0.contains("no archive"));
    let mut deep = log4j.clone();
    for _ in 0..8 {
        deep = jar(&[("x.jar", &deep, true)]);
    }
    assert!(why(deep).0.contains("too deep"));
    let (name, mut text) = pom("a", "b", "1");
    text.resize(3 << 20, b' ');
    assert!(why(jar(&[(&name, &text, true)])).0.contains("more than"));
    let bomb = jar(&[("bomb.jar", &vec![0; 80 << 20], true), ("good.jar", &log4j, false)]);
    let (reason, rows) = why(bomb);
    assert!(reason.contains("bomb.jar") && rows == 1, "{reason}");
    // The checksum of what is unpacked is compared.
    let stored = jar(&[("inner.jar", &log4j, false)]);
    let mut flipped = stored.clone();
    flipped[60] ^= 1;
    assert!(!found(&[("opt/x.jar", flipped)]).0.is_complete());
    for at in 0..stored.len() {
        let mut damaged = stored.clone();
        damaged[at] ^= 0xff;
        if at % 16 == 0 {
            let _ = found(&[("opt/x.jar", damaged)]);
        }
    }
}

/// An ELF file of one section, as `objcopy` and linkers write it, loaded at 0x1000.
fn elf(section: &str, content: &[u8]) -> Vec<u8> {
    let names = format!("\0{section}\0.shstrtab\0");
    let content_at = 64 + 56;
    let names_at = content_at + content.len();
    let table_at = names_at + names.len();
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    let put = |bytes: &mut Vec<u8>, words: &[(u64, usize)]| {
        for (value, width) in words {
            bytes.extend(&value.to_le_bytes()[..*width]);
        }
    };
    put(&mut bytes, &[(2, 2), (62, 2), (1, 4), (0, 8), (64, 8), (table_at as u64, 8)]);
    put(&mut bytes, &[(0, 4), (64, 2), (56, 2), (1, 2), (64, 2), (3, 2), (2, 2)]);
    put(&mut bytes, &[(1, 4), (6, 4), (content_at as u64, 8), (0x1000, 8), (0x1000, 8)]);
    put(&mut bytes, &[(content.len() as u64, 8), (content.len() as u64, 8), (8, 8)]);
    bytes.extend(content);
    bytes.extend(names.as_bytes());
    bytes.extend([0; 64]);
    for (name, at, size) in
        [(1, content_at, content.len()), (section.len() + 2, names_at, names.len())]
    {
        put(&mut bytes, &[(name as u64, 4), (1, 4), (0, 8), (0, 8), (at as u64, 8)]);
        put(&mut bytes, &[(size as u64, 8), (0, 8), (1, 8), (0, 8)]);
    }
    bytes
}

const MODULES: &str = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\n\
    dep\tgolang.org/x/text\tv0.3.5\th1:x\ndep\texample.org/old\tv1.0.0\n\
    =>\texample.org/new\tv1.1.0\th1:y\ndep\texample.org/here\tv0.0.0\n=>\t./here\t(devel)\t\nbuild\t-compiler=gc\n";

const OF_GO: [&str; 3] = [
    "/bin/app Go example.org/new 1.1.0",
    "/bin/app Go golang.org/x/text 0.3.5",
    "/bin/app Go stdlib 1.17.2",
];

fn marked(text: &str) -> Vec<u8> {
    [&[1; 16][..], text.as_bytes(), &[2; 16]].concat()
}

#[test]
fn go_programs() {
    let modules = marked(MODULES);
    let mut inline = b"\xff Go buildinf:\x08\x02".to_vec();
    inline.resize(32, 0);
    inline.extend([8, b'g', b'o', b'1', b'.', b'1', b'7', b'.', b'2']);
    inline.extend([(modules.len() & 0x7f) as u8 | 0x80, (modules.len() >> 7) as u8]);
    inline.extend(&modules);
    // Up to Go 1.17 the strings lie elsewhere.
    let mut pointed = b"\xff Go buildinf:\x08\x00".to_vec();
    let words = [0x1000 + 32, 0x1000 + 48, 0x1000 + 64, 8, 0x1000 + 72, modules.len() as u64];
    words.iter().for_each(|word: &u64| pointed.extend(word.to_le_bytes()));
    pointed.extend(b"go1.17.2");
    pointed.extend(&modules);
    for info in [inline, pointed] {
        let sound = elf(".go.buildinfo", &info);
        let (state, rows) = found(&[("bin/app", sound.clone())]);
        assert_eq!((state, rows), (TableState::Collected, OF_GO.map(str::to_owned).to_vec()));
        for length in (0..sound.len()).step_by(7) {
            let (state, rows) = found(&[("bin/app", sound[..length].to_vec())]);
            assert!(state.is_complete() || rows.is_empty());
        }
        let mut state = 7u64;
        for _ in 0..200 {
            let mut damaged = sound.clone();
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (state >> 33) as usize % damaged.len();
            damaged[at] = (state >> 24) as u8;
            let _ = found(&[("bin/app", damaged)]);
        }
    }
    let (state, _) = found(&[("bin/app", elf(".go.buildinfo", b"nothing of the kind, and long"))]);
    assert!(state.reason().unwrap().contains(".go.buildinfo"));
}

fn audited(json: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(json.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn rust_programs() {
    let json = r#"{"packages":[
        {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
        {"name":"time","version":"0.1.44","source":"crates.io"},
        {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"own","version":"2.0.0","source":"git"}]}"#;
    let (state, rows) = found(&[("bin/app", elf(".dep-v0", &audited(json)))]);
    assert_eq!(state, TableState::Collected);
    assert_eq!(rows, ["/bin/app crates.io time 0.1.44"]);
    let bomb = audited(&" ".repeat(64 << 20));
    for section in [bomb, audited("{}"), b"no zlib".to_vec(), Vec::new()] {
        let (state, rows) = found(&[("bin/app", elf(".dep-v0", &section))]);
        assert!(state.reason().unwrap().contains(".dep-v0") && rows.is_empty());
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A program with a module beside it, and the linker and tools of Go itself.
#[test]
#[ignore = "needs go"]
fn go_programs_are_read_as_go_reads_them() {
    let base = tempfile::tempdir().unwrap();
    let source = base.path().join("source");
    let vendored = source.join("vendor/example.org/dep");
    fs::create_dir_all(&vendored).unwrap();
    let write = |path: &str, text: &str| fs::write(source.join(path), text).unwrap();
    write("go.mod", "module example.org/app\n\ngo 1.17\n\nrequire example.org/dep v1.2.3\n");
    write("main.go", "package main\n\nimport \"example.org/dep\"\n\nfunc main() { dep.Say() }\n");
    write("vendor/modules.txt", "# example.org/dep v1.2.3\n## explicit\nexample.org/dep\n");
    write("vendor/example.org/dep/dep.go", "package dep\n\nfunc Say() { println(1) }\n");
    let root = base.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("etc/os-release"), "ID=debian\n").unwrap();
    for (name, flags) in [("plain", ""), ("stripped", "-s -w")] {
        run(Command::new("go")
            .current_dir(&source)
            .env("HOME", base.path())
            .args(["build", "-mod=vendor", "-buildvcs=false", "-ldflags", flags, "-o"])
            .arg(root.join("bin").join(name)));
    }
    let tools = run(Command::new("go").args(["env", "GOTOOLDIR"]).env("HOME", base.path()));
    for name in ["link", "compile"] {
        fs::copy(Path::new(tools.trim()).join(name), root.join("bin").join(name)).unwrap();
    }
    let (state, rows) = collected(&root);
    assert_eq!(state, TableState::Collected);
    let mut expected = Vec::new();
    for name in ["compile", "link", "plain", "stripped"] {
        let path = root.join("bin").join(name);
        let said =
            run(Command::new("go").args(["version", "-m"]).arg(&path).env("HOME", base.path()));
        let mut lines = said.lines();
        let release = lines.next().unwrap().rsplit("go").next().unwrap();
        expected.push(format!("/bin/{name} Go stdlib {release}"));
        for line in lines {
            if let ["", "dep", module, version, ..] = line.split('\t').collect::<Vec<_>>()[..] {
                expected.push(format!("/bin/{name} Go {module} {}", &version[1..]));
            }
        }
    }
    assert!(expected.iter().any(|row| row == "/bin/stripped Go example.org/dep 1.2.3"));
    expected.sort();
    assert_eq!(rows, expected);
}
