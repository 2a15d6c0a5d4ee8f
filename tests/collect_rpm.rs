//! rpm's database read without librpm, compared with rpm itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::{Binary, Package};
use assay::snapshot::{Codec, Snapshot};

fn snapshot(root: &Path) -> Snapshot {
    let root = DirectoryRoot::open(root).unwrap();
    let bytes = collect(&root, &Options::default(), Codec::Raw, &Silent).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// rpm on a root, with the place of the database that most distributions use.
fn rpm(root: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(["--define", "_dbpath /var/lib/rpm"]);
    command
}

/// A spec whose subpackages differ in all that is read; `big` has so many files that its header
/// needs overflow pages.
fn spec(subpackages: usize) -> String {
    let mut spec = String::from(
        "Name: many\nVersion: 1.0\nRelease: 1%{?dist}\nSummary: x\nLicense: x\n\
         Vendor: Example Project\nModularityLabel: perl:5.26:820181219174508:9edba152\n\
         %description\nx\n%install\nmkdir -p %{buildroot}/opt/big %{buildroot}/usr/bin\n\
         for i in $(seq 4000); do : > %{buildroot}/opt/big/a-file-with-a-long-name-$i; done\n\
         cp /bin/true %{buildroot}/usr/bin/owned\n",
    );
    for index in 0..subpackages {
        let epoch = if index % 3 == 0 { format!("Epoch: {index}\n") } else { String::new() };
        write!(
            spec,
            "%package -n sub{index}\nSummary: x\n{epoch}Version: {index}.2~rc1\n%description -n sub{index}\nx\n\
             %files -n sub{index}\n%dir /opt\n"
        )
        .unwrap();
    }
    spec.push_str("%files\n/opt/big\n/usr/bin/owned\n");
    spec
}

/// Builds the packages and installs them into a new root.
fn install(base: &Path, subpackages: usize) -> std::path::PathBuf {
    let root = base.join("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::create_dir_all(root.join("usr/bin")).unwrap();
    std::fs::copy("/bin/true", root.join("usr/bin/owned")).unwrap();
    std::fs::copy("/bin/true", root.join("usr/bin/foreign")).unwrap();
    std::fs::write(root.join("etc/os-release"), "ID=example\n").unwrap();
    std::fs::write(base.join("many.spec"), spec(subpackages)).unwrap();
    let define = format!("_topdir {}", base.join("build").display());
    run(Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define", &define, "--define", "dist .el9"])
        .args(["--define", "_enable_debug_packages 0", "--define", "__os_install_post %{nil}"])
        .args(["--define", "_binary_payload w0.gzdio"])
        .arg(base.join("many.spec")));
    let inside = |directory: &Path| -> Vec<std::path::PathBuf> {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut files: Vec<_> =
        inside(&base.join("build/RPMS")).iter().flat_map(|arch| inside(arch)).collect();
    files.sort();
    run(rpm(&root)
        .args(["-i", "--justdb", "--nodeps", "--ignorearch", "--ignoreos", "--nosignature"])
        .args(files));
    root
}

/// What rpm says, in the form of [`rows`].
fn asked(root: &Path) -> BTreeSet<String> {
    let format = "%{NAME}|%{EVR}|%{ARCH}|%{SOURCERPM}|%{VENDOR}|%{MODULARITYLABEL}\\n";
    let said = run(rpm(root).args(["-qa", "--qf", format]));
    // Epoch 0 is the same as none.
    said.lines().map(|line| line.replace("|0:", "|")).collect()
}

fn rows(snapshot: &Snapshot) -> BTreeSet<String> {
    let text = |text: Option<Arc<str>>| text.unwrap_or_else(|| "(none)".into());
    let packages: Vec<Package> = snapshot.rows(Package::TABLE).unwrap().typed().collect();
    packages
        .into_iter()
        .map(|package| {
            let source_version = package.source_version.unwrap();
            format!(
                "{}|{}|{}|{}-{}.src.rpm|{}|{}",
                package.name,
                package.version.0,
                text(package.arch),
                text(package.source),
                source_version.0.rsplit(':').next().unwrap(),
                text(package.vendor),
                text(package.module),
            )
        })
        .collect()
}

#[test]
#[ignore = "needs rpm and rpmbuild"]
fn every_package_is_read_as_rpm_reads_it() {
    let base = tempfile::tempdir().unwrap();
    let root = install(base.path(), 300);
    let snapshot = snapshot(&root);
    assert_eq!(snapshot.state(Package::TABLE), TableState::Collected);
    let expected = asked(&root);
    assert_eq!(expected.len(), 301);
    assert_eq!(rows(&snapshot), expected);
    let binaries: Vec<Binary> = snapshot.rows(Binary::TABLE).unwrap().typed().collect();
    let owner = |path: &str| {
        let binary = binaries.iter().find(|binary| &*binary.path.0 == path).unwrap();
        binary.package.clone()
    };
    assert_eq!(owner("/usr/bin/owned").as_deref(), Some("many"));
    assert_eq!(owner("/usr/bin/foreign"), None);
}

/// The same packages in Berkeley DB's own writing, in both orders of bytes and with several sizes of
/// pages, against rpm's reader for it.
#[test]
#[ignore = "needs rpm, rpmbuild, python3 and db5.3_load"]
fn a_hash_table_of_berkeley_db_is_read_as_rpm_reads_it() {
    const SCRIPT: &str = "
import sqlite3, subprocess, sys
source, target, order, page = sys.argv[1:]
number = lambda n: n.to_bytes(4, 'big' if order == '4321' else 'little').hex()
rows = sqlite3.connect(source).execute('select hnum, blob from Packages').fetchall()
pairs = [(number(0), number(len(rows)))] + [(number(key), blob.hex()) for key, blob in rows]
text = f'VERSION=3\\nformat=bytevalue\\ntype=hash\\ndb_lorder={order}\\ndb_pagesize={page}\\nHEADER=END\\n'
text += ''.join(f' {key}\\n {value}\\n' for key, value in pairs) + 'DATA=END\\n'
subprocess.run(['db5.3_load', target], input=text.encode(), check=True)
";
    let base = tempfile::tempdir().unwrap();
    let root = install(base.path(), 300);
    let expected = asked(&root);
    let sqlite = base.path().join("rpmdb.sqlite");
    std::fs::rename(root.join("var/lib/rpm/rpmdb.sqlite"), &sqlite).unwrap();
    let target = root.join("var/lib/rpm/Packages");
    for (order, page) in [("1234", "4096"), ("4321", "4096"), ("1234", "512"), ("4321", "65536")] {
        run(Command::new("python3")
            .args(["-c", SCRIPT])
            .args([&sqlite, &target])
            .args([order, page]));
        let snapshot = snapshot(&root);
        assert_eq!(snapshot.state(Package::TABLE), TableState::Collected, "{order} {page}");
        assert_eq!(rows(&snapshot), expected, "{order} {page}");
        let format = "%{NAME}|%{EVR}|%{ARCH}|%{SOURCERPM}|%{VENDOR}|%{MODULARITYLABEL}\n";
        let said = run(rpm(&root).args(["--define", "_db_backend bdb_ro", "-qa", "--qf", format]));
        let said: BTreeSet<String> = said.lines().map(|line| line.replace("|0:", "|")).collect();
        assert_eq!(said, expected, "{order} {page}");
        std::fs::remove_file(&target).unwrap();
    }
}

/// A change that is only in the write-ahead log, as after a crash, counts if it was committed.
#[test]
#[ignore = "needs rpm, rpmbuild and python3"]
fn a_log_that_was_not_merged_is_read() {
    const SCRIPT: &str = "
import shutil, sqlite3, sys
path = sys.argv[1]
db = sqlite3.connect(path)
db.execute('pragma journal_mode=wal')
db.execute('pragma wal_autocheckpoint=0')
db.execute('delete from Packages where hnum in (select hnum from Packages order by hnum limit 100)')
db.commit()
# Not committed, and long enough to reach the file.
db.execute('pragma cache_size=5')
db.execute('delete from Packages where hnum in (select hnum from Packages order by hnum limit 150)')
for name in (path, path + '-wal'):
    shutil.copy(name, name + '.kept')
db.rollback()
db.close()
shutil.move(path + '.kept', path)
shutil.move(path + '-wal.kept', path + '-wal')
";
    let base = tempfile::tempdir().unwrap();
    let root = install(base.path(), 300);
    let database = root.join("var/lib/rpm/rpmdb.sqlite");
    run(Command::new("python3").args(["-c", SCRIPT]).arg(&database));
    assert!(std::fs::metadata(database.with_extension("sqlite-wal")).unwrap().len() > 100_000);
    let snapshot = snapshot(&root);
    assert_eq!(snapshot.state(Package::TABLE), TableState::Collected);
    let found = rows(&snapshot);
    assert_eq!(found.len(), 201);
    // rpm recovers the log while it reads.
    assert_eq!(found, asked(&root));
}

/// The recorded database in each of rpm's formats, by file name.
const RECORDED: [(&str, &[u8]); 3] = [
    ("rpmdb.sqlite", include_bytes!("fixtures/rpm/rpmdb.sqlite.zst")),
    ("Packages.db", include_bytes!("fixtures/rpm/Packages.db.zst")),
    ("Packages", include_bytes!("fixtures/rpm/Packages.zst")),
];

/// A root with the recorded database in the format of this file name.
fn recorded(name: &str) -> (tempfile::TempDir, std::path::PathBuf, Vec<u8>) {
    let (_, bytes) = RECORDED.iter().find(|(known, _)| *known == name).unwrap();
    let bytes = zstd::decode_all(*bytes).unwrap();
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("usr/lib/sysimage/rpm");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, &bytes).unwrap();
    (root, path, bytes)
}

/// What rpm said of the recorded database.
fn expected() -> BTreeSet<String> {
    let lines = include_str!("fixtures/rpm/packages.txt").lines();
    lines.map(|line| line.replace("|0:", "|")).collect()
}

#[test]
fn every_format_is_read() {
    for (name, _) in RECORDED {
        let (root, _, _) = recorded(name);
        let snapshot = snapshot(root.path());
        assert_eq!(snapshot.state(Package::TABLE), TableState::Collected, "{name}");
        assert_eq!(rows(&snapshot), expected(), "{name}");
    }
}

#[test]
fn a_recorded_database_is_read() {
    let (root, _, _) = recorded("rpmdb.sqlite");
    // The older place is usually a link to the new one: nothing is counted twice.
    std::fs::create_dir_all(root.path().join("var/lib")).unwrap();
    std::os::unix::fs::symlink("../../usr/lib/sysimage/rpm", root.path().join("var/lib/rpm"))
        .unwrap();
    std::fs::create_dir(root.path().join("usr/bin")).unwrap();
    std::fs::write(root.path().join("usr/bin/owned"), elf()).unwrap();
    std::fs::write(root.path().join("usr/bin/foreign.so"), elf()).unwrap();
    let snapshot = snapshot(root.path());
    assert_eq!(snapshot.state(Package::TABLE), TableState::Collected);
    assert_eq!(rows(&snapshot), expected());
    assert_eq!(snapshot.rows(Package::TABLE).unwrap().len(), 31);
    let binaries: Vec<Binary> = snapshot.rows(Binary::TABLE).unwrap().typed().collect();
    let owners: Vec<_> =
        binaries.iter().map(|binary| (&*binary.path.0, binary.package.as_deref())).collect();
    assert_eq!(owners, [("/usr/bin/foreign.so", None)], "a file without exec bits is no program");
    let owned = root.path().join("usr/bin/owned");
    std::fs::set_permissions(owned, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let snapshot = self::snapshot(root.path());
    let binaries: Vec<Binary> = snapshot.rows(Binary::TABLE).unwrap().typed().collect();
    assert_eq!(binaries.last().unwrap().package.as_deref(), Some("many"));
}

/// The smallest header that counts as a program.
fn elf() -> Vec<u8> {
    let mut bytes = vec![0u8; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[16] = 2;
    bytes[18] = 62;
    bytes[32] = 64;
    bytes[54] = 56;
    bytes
}

#[test]
fn what_is_no_database_is_never_an_empty_one() {
    for (name, _) in RECORDED {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("var/lib/rpm")).unwrap();
        for content in ["", "x", &"x".repeat(10_000)] {
            std::fs::write(root.path().join("var/lib/rpm").join(name), content).unwrap();
            let TableState::Absent(reason) = snapshot(root.path()).state(Package::TABLE) else {
                unreachable!("{name} is not absent");
            };
            assert!(reason.contains(&format!("/var/lib/rpm/{name}")), "{reason}");
        }
    }
}

/// Numbers that only look random.
fn generator(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

/// Cut files, and damage to what describes pages and packages: every package is there, or it is
/// said that some are not.
#[test]
fn damage_to_the_structure_is_noticed() {
    for (name, unit, head) in [("Packages.db", 16, 16), ("Packages", 4096, 26)] {
        let (root, path, sound) = recorded(name);
        let mut random = generator(7);
        for round in 0..400 {
            let mut damaged = sound.clone();
            if round % 4 == 0 {
                damaged.truncate(random(sound.len()));
            } else {
                let start = random(sound.len() / unit) * unit;
                for _ in 0..=round % 3 {
                    damaged[start + random(head)] ^= 1 + random(255) as u8;
                }
            }
            std::fs::write(&path, &damaged).unwrap();
            let snapshot = snapshot(root.path());
            let complete = rows(&snapshot) == expected();
            assert!(
                complete || snapshot.state(Package::TABLE) != TableState::Collected,
                "{name}, round {round}: {} packages",
                snapshot.rows(Package::TABLE).unwrap().len()
            );
        }
    }
}

#[test]
fn a_damaged_database_is_never_taken_for_an_empty_one() {
    for (name, _) in RECORDED {
        damage(name);
    }
}

fn damage(name: &str) {
    let (root, path, sound) = recorded(name);
    let mut random = generator(0x9e37_79b9_7f4a_7c15);
    for round in 0..300 {
        let mut damaged = sound.clone();
        match round % 3 {
            0 => damaged.truncate(random(sound.len())),
            // The type, the counts and the pointers at the beginning of a page do most harm.
            1 => {
                let page = random(sound.len() / 4096) * 4096;
                damaged[page..page + 16].fill_with(|| random(256) as u8);
            }
            _ => {
                for _ in 0..50 {
                    let at = random(sound.len());
                    damaged[at] ^= 1 << random(8);
                }
            }
        }
        std::fs::write(&path, &damaged).unwrap();
        let snapshot = snapshot(root.path());
        let count = snapshot.rows(Package::TABLE).unwrap().len();
        assert!(
            count > 0 || snapshot.state(Package::TABLE) != TableState::Collected,
            "{name}, round {round}: {count} packages and no word about the others"
        );
    }
}

/// yum's record of where each package came from.
#[test]
fn repositories_of_yum() {
    let (root, _, _) = recorded("Packages");
    let record = |package: &str, repository: &str| {
        let directory = root.path().join(format!("var/lib/yum/yumdb/x/0123abcd-{package}"));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("from_repo"), repository).unwrap();
    };
    record("many-1.0-1.el9-x86_64", "amzn2-core");
    // The epoch is not part of the name; that of another version says nothing.
    record("sub3-3.2~rc1-1.el9-x86_64", "amzn2extra-docker");
    record("sub4-9-9-x86_64", "other");
    let snapshot = snapshot(root.path());
    let packages: Vec<Package> = snapshot.rows(Package::TABLE).unwrap().typed().collect();
    let told: Vec<(&str, &str)> = packages
        .iter()
        .filter_map(|package| Some((&*package.name, package.repository.as_deref()?)))
        .collect();
    assert_eq!(told, [("many", "amzn2-core"), ("sub3", "amzn2extra-docker")]);
}

/// What dnf itself says of the packages that it installed from two repositories.
#[test]
#[ignore = "needs rpm, rpmbuild, createrepo_c and dnf"]
fn repositories_of_dnf() {
    let base = tempfile::tempdir().unwrap();
    let root = install(base.path(), 3);
    std::fs::remove_dir_all(root.join("var/lib/rpm")).unwrap();
    let built = base.path().join("build/RPMS");
    let mut repositories = Vec::new();
    for (name, package) in [("base", "sub1-"), ("extra", "sub2-")] {
        let directory = base.path().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        for arch in std::fs::read_dir(&built).unwrap() {
            for file in std::fs::read_dir(arch.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let file = path.file_name().unwrap().to_str().unwrap();
                if file.starts_with(package) {
                    std::fs::copy(&path, directory.join(file)).unwrap();
                }
            }
        }
        run(Command::new("createrepo_c").arg("-q").arg(&directory));
        repositories.push(format!("--repofrompath={name},file://{}", directory.display()));
    }
    let dnf = |arguments: &[&str]| {
        run(Command::new("dnf")
            .env("HOME", "/root")
            .arg("-y")
            .arg(format!("--installroot={}", root.display()))
            .args(&repositories)
            .args(["--nogpgcheck", "--releasever=9", "--disablerepo=*", "--forcearch=x86_64"])
            .args(["--setopt=tsflags=justdb", "--enablerepo=base", "--enablerepo=extra"])
            // The packages have a module label, and the repositories no modules.
            .args(["--setopt=base.module_hotfixes=1", "--setopt=extra.module_hotfixes=1"])
            .args(arguments))
    };
    dnf(&["install", "sub1", "sub2"]);
    let said = dnf(&["-q", "repoquery", "--installed", "--qf", "%{name} %{from_repo}"]);
    let said: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    // Debian's rpm keeps a database in the home directory of root; hosts have it elsewhere.
    std::fs::create_dir_all(root.join("var/lib")).unwrap();
    std::fs::rename(root.join("root/.rpmdb"), root.join("var/lib/rpm")).unwrap();
    let snapshot = snapshot(&root);
    let packages: Vec<Package> = snapshot.rows(Package::TABLE).unwrap().typed().collect();
    let told: BTreeSet<String> = packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.repository.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told, said);
}
