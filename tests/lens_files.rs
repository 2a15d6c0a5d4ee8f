//! What lenses do with files that could not be read, and with texts that mean harm.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use assay::engine::evaluate;
use assay::model::cell::AbsPath;
use assay::model::facts::MemoryFacts;
use assay::model::table::ConfigFile;
use assay::rules::Library;

fn readable(path: &str, text: &str) -> ConfigFile {
    ConfigFile { path: AbsPath(path.into()), text: Some(text.into()), problem: None }
}

fn refused(path: &str) -> ConfigFile {
    let problem = Some("Permission denied".into());
    ConfigFile { path: AbsPath(path.into()), text: None, problem }
}

/// Verdict and reason of a check.
fn judge(files: impl IntoIterator<Item = ConfigFile>, check: &str) -> (String, String) {
    let mut library = Library::default();
    let text = format!(
        "title: x\nseverity: low\nfinding: x\ndescription: x\nremediation: x\ncheck: {{ {check} }}\n"
    );
    assert!(library.insert("security-best-practices/r.yaml", text));
    let facts = MemoryFacts::new().with(files);
    let verdict = evaluate(&library.compile().unwrap(), &facts).unwrap().remove(0).verdict;
    let reason = verdict.reason().map(ToString::to_string).unwrap_or_default();
    (verdict.name().to_owned(), reason)
}

#[test]
fn a_file_that_could_not_be_read_is_never_taken_for_one_that_says_nothing() {
    for check in [
        "from: config.lines, where: { path: /etc/a.conf }, expect: none, must: { text: x }",
        "from: config.lines, where: { path: { glob: '/etc/*.conf' } }, expect: none, must: { text: x }",
        "from: config.key_value, where: { path: /etc/a.conf, key: K }, expect: each, must: { value: x }, when_empty: pass",
        "from: config.shell, where: { path: { under: /etc/profile.d } }, expect: none, must: { name: K }",
        "from: config.ini, where: { config: /etc/systemd/journald.conf }, expect: none, must: { key: K }",
    ] {
        let files =
            ["/etc/a.conf", "/etc/profile.d/a.sh", "/usr/lib/systemd/journald.conf.d/a.conf"];
        let (verdict, reason) = judge(files.map(refused), check);
        assert_eq!(verdict, "unknown", "{check}");
        assert!(reason.contains("Permission denied"), "{check}: {reason}");
    }
}

#[test]
fn a_file_that_could_not_be_read_does_not_matter_to_others() {
    for check in [
        "from: config.lines, where: { path: /etc/b.conf }, expect: none, must: { text: x }",
        "from: config.lines, where: { path: { in: [/etc/b.conf, /etc/c.conf] } }, expect: none, must: { text: x }",
        "from: config.lines, where: { path: { under: /etc/b.d } }, expect: none",
        "from: config.key_value, where: { path: /etc/b.conf, key: K }, expect: each, must: { value: x }, when_empty: pass",
        "from: config.ini, where: { config: /etc/systemd/journald.conf }, expect: none, must: { key: K }",
    ] {
        let files =
            [refused("/etc/shadow"), refused("/etc/a.conf"), readable("/etc/b.conf", "y\n")];
        assert_eq!(judge(files, check).0, "pass", "{check}");
    }
    let everywhere = "from: config.lines, expect: none, must: { text: x }";
    assert_eq!(judge([refused("/etc/a.conf")], everywhere).0, "unknown");
}
