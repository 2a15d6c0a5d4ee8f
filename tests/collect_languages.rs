//! Packages of language ecosystems, found in a root and compared with the ecosystems' own tools.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::LanguagePackage;
use assay::snapshot::{Codec, Snapshot};

fn snapshot(root: &Path) -> Snapshot {
    let root = DirectoryRoot::open(root).unwrap();
    let bytes = collect(&root, &Options::default(), Codec::Raw, &Silent).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn rows(snapshot: &Snapshot) -> Vec<LanguagePackage> {
    snapshot.rows(LanguagePackage::TABLE).unwrap().typed().collect()
}

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A root with an operating system and one package of dpkg that owns a package of Python.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = root.path();
    write(at, "etc/os-release", "ID=debian\n");
    let status = "Package: python3-six\nStatus: install ok installed\nVersion: 1.16.0-4\n";
    write(at, "var/lib/dpkg/status", status);
    write(at, "var/lib/dpkg/info/python3-six.list", "/.\n/usr/lib/python3/six.egg-info/PKG-INFO\n");
    write(at, "usr/lib/python3/six.egg-info/PKG-INFO", "Name: six\nVersion: 1.16.0\n");
    root
}

#[test]
fn each_package_comes_with_its_file_and_its_owner() {
    let root = root();
    let at = root.path();
    write(at, "opt/v/Flask_X-2.0.dist-info/METADATA", "Name: Flask_X\nVersion: 2.0\n");
    write(at, "srv/node_modules/@a/b/package.json", r#"{"name":"@a/b","version":"1.2.3"}"#);
    let list = r#"{"packages":[{"name":"a/b","version":"v1.0"}]}"#;
    write(at, "srv/vendor/composer/installed.json", list);
    let gem = "  s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n";
    write(at, "var/lib/gems/specifications/rake-13.0.6.gemspec", gem);
    write(at, "srv/package.json", r#"{"name":"not-installed","version":"1"}"#);
    let snapshot = snapshot(at);
    assert_eq!(snapshot.state(LanguagePackage::TABLE), TableState::Collected);
    let found: Vec<String> = rows(&snapshot)
        .iter()
        .map(|row| {
            let owner = row.package.as_deref().unwrap_or("-");
            format!("{} {} {} {} {owner}", row.path.0, row.ecosystem, row.name, row.version.0)
        })
        .collect();
    assert_eq!(
        found,
        [
            "/opt/v/Flask_X-2.0.dist-info/METADATA PyPI flask-x 2.0 -",
            "/srv/node_modules/@a/b/package.json npm @a/b 1.2.3 -",
            "/srv/vendor/composer/installed.json Packagist a/b 1.0 -",
            "/usr/lib/python3/six.egg-info/PKG-INFO PyPI six 1.16.0 python3-six",
            "/var/lib/gems/specifications/rake-13.0.6.gemspec RubyGems rake 13.0.6 -",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let root = root();
    write(root.path(), "srv/node_modules/a/package.json", "{");
    write(root.path(), "srv/node_modules/b/package.json", vec![b' '; 2 << 20]);
    let snapshot = snapshot(root.path());
    let TableState::Truncated(reason) = snapshot.state(LanguagePackage::TABLE) else {
        unreachable!("two files could not be read");
    };
    assert!(reason.contains("node_modules/a/") && reason.contains("too large"), "{reason}");
    assert_eq!(rows(&snapshot).len(), 1);
}
