//! How rules ask for files: by path, below directories, or one scan that skips what no rule could
//! be about. And the same answers, whichever way.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use assay::engine::evaluate;
use assay::model::cell::{AbsPath, Fact, Mode, Time};
use assay::model::facts::{FactSource, FileClass, MemoryFacts, Row, Rows};
use assay::model::finding::{Judgement, Verdict};
use assay::model::schema::TableSchema;
use assay::model::state::{FactError, TableState};
use assay::model::table::{File, FileKind};
use assay::rules::Library;

/// Facts that count what is asked of their files.
struct Counted {
    facts: MemoryFacts,
    lookups: AtomicUsize,
    scans: AtomicUsize,
    shown: AtomicUsize,
    walks: AtomicUsize,
}

impl Counted {
    fn new(facts: MemoryFacts) -> Self {
        let zero = AtomicUsize::default;
        Self { facts, lookups: zero(), scans: zero(), shown: zero(), walks: zero() }
    }

    /// Look-ups, walks, scans, rows shown by scans.
    fn counts(&self) -> [usize; 4] {
        [&self.lookups, &self.walks, &self.scans, &self.shown].map(|count| count.load(Relaxed))
    }
}

impl FactSource for Counted {
    fn state(&self, table: &TableSchema) -> TableState {
        self.facts.state(table)
    }
    fn rows(&self, table: &'static TableSchema) -> Result<Arc<Rows>, FactError> {
        assert_ne!(table.name, "files", "files are never loaded as a whole");
        self.facts.rows(table)
    }
    fn file(&self, path: &str) -> Result<Option<File>, FactError> {
        self.lookups.fetch_add(1, Relaxed);
        self.facts.file(path)
    }
    fn scan_files(
        &self,
        keep: &dyn Fn(FileClass) -> bool,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError> {
        self.scans.fetch_add(1, Relaxed);
        self.facts.scan_files(keep, &mut |row| {
            self.shown.fetch_add(1, Relaxed);
            visit(row)
        })
    }
    fn files_under(
        &self,
        directory: &str,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError> {
        self.walks.fetch_add(1, Relaxed);
        self.facts.files_under(directory, visit)
    }
}

fn file(path: &str, kind: FileKind, mode: u32) -> File {
    File {
        path: AbsPath(path.into()),
        kind,
        mode: Mode(mode),
        uid: 0,
        gid: 0,
        size: 0,
        mtime: Time(0),
        link_target: None,
        capabilities: None,
    }
}

fn facts() -> MemoryFacts {
    let plain = (0..500).map(|n| file(&format!("/usr/share/f{n}"), FileKind::File, 0o644));
    let odd = [
        file("/etc/passwd", FileKind::File, 0o644),
        file("/etc/cron.d", FileKind::Directory, 0o755),
        file("/etc/cron.d/a", FileKind::File, 0o666),
        file("/usr/bin/su", FileKind::File, 0o4755),
    ];
    MemoryFacts::new().with(plain.chain(odd))
}

fn judge(facts: &Counted, checks: &[&str]) -> Vec<Judgement> {
    let mut library = Library::default();
    for (number, check) in checks.iter().enumerate() {
        let text = format!(
            "title: x\nseverity: low\nfinding: x\ndescription: x\nremediation: x\n\
             check: {{ from: files, {check} }}\n"
        );
        assert!(library.insert(&format!("security-best-practices/r{number}.yaml"), text));
    }
    evaluate(&library.compile().unwrap(), facts).unwrap()
}

fn locations(judgement: &Judgement) -> Vec<String> {
    judgement.evidence.iter().map(ToString::to_string).collect()
}

#[test]
fn paths_are_looked_up_once_for_all_rules() {
    let facts = Counted::new(facts());
    let judged = judge(
        &facts,
        &[
            "where: { path: /etc/passwd }, expect: each, must: { mode: { bits_clear: '0022' } }, when_empty: fail",
            "where: { path: { in: [/etc/passwd, /etc/none] } }, expect: { count: 2 }",
            "where: { path: /etc/none }, expect: some",
        ],
    );
    assert_eq!(facts.counts(), [2, 0, 0, 0]);
    let verdicts: Vec<_> = judged.iter().map(|judgement| judgement.verdict.name()).collect();
    assert_eq!(verdicts, ["pass", "fail", "fail"]);
    assert_eq!(locations(&judged[2]), ["/etc/none"], "the conditions name the place");
}

#[test]
fn directories_and_globs_are_walked() {
    let facts = Counted::new(facts());
    let judged = judge(
        &facts,
        &[
            "where: { path: { under: /etc/cron.d } }, expect: none, must: { mode: { bits_set: '0002' } }",
            "where: { path: { glob: '/etc/cron.d/*' }, kind: file }, expect: each, must: { mode: '0600' }, when_empty: pass",
        ],
    );
    assert_eq!(facts.counts(), [0, 1, 0, 0], "one directory, one walk");
    for judgement in &judged {
        assert_eq!(locations(judgement), ["/etc/cron.d/a"]);
        assert_eq!(&*judgement.evidence[0].observed, "mode 0666");
    }
    assert_eq!(&*judged[1].evidence[0].expected, "0600");
}

#[test]
fn one_scan_shows_only_files_that_some_rule_could_be_about() {
    let facts = Counted::new(facts());
    let judged = judge(
        &facts,
        &[
            "where: { kind: file, mode: { bits_set: '4000' } }, expect: none",
            "where: { kind: file }, expect: none, must: { mode: { bits_set: '0002' } }",
            "where: { kind: directory }, expect: each, must: { mode: { bits_clear: '0022' } }, when_empty: pass",
        ],
    );
    assert_eq!(facts.counts(), [0, 0, 1, 2]);
    assert_eq!(locations(&judged[0]), ["/usr/bin/su"]);
    assert_eq!(locations(&judged[1]), ["/etc/cron.d/a"]);
    assert_eq!(judged[2].verdict, Verdict::Pass);
}

#[test]
fn a_skipped_class_still_counts_as_being_there() {
    let each = |when_empty: &str, kind: &str| {
        let facts = Counted::new(facts());
        let check = format!(
            "where: {{ kind: {kind} }}, expect: each, must: {{ uid: 0 }}, when_empty: {when_empty}"
        );
        judge(&facts, &[&check])[0].verdict.name()
    };
    assert_eq!(each("fail", "file"), "pass");
    assert_eq!(each("not_applicable", "file"), "pass");
    assert_eq!(each("fail", "socket"), "fail");
    assert_eq!(each("not_applicable", "socket"), "not_applicable");
    assert_eq!(each("unknown", "socket"), "unknown");
}

#[test]
fn a_truncated_walk_is_no_pass() {
    let check = |check: &str| {
        let mut whole = facts();
        let rows = Rows::of({
            let mut files = Vec::new();
            whole
                .scan_files(&|_| true, &mut |row| {
                    files.push(row.typed::<File>().unwrap());
                    ControlFlow::Continue(())
                })
                .unwrap();
            files
        });
        whole.set(TableState::truncated("/home was not readable"), rows);
        let facts = Counted::new(whole);
        judge(&facts, &[check]).remove(0).verdict
    };
    let none = check("where: { kind: file, mode: { bits_set: '2000' } }, expect: none");
    assert_eq!(none, Verdict::Unknown("files is incomplete: /home was not readable".into()));
    let found = check("where: { kind: file, mode: { bits_set: '4000' } }, expect: none");
    assert_eq!(found, Verdict::Fail);
    let there =
        check("where: { path: /etc/passwd }, expect: each, must: { uid: 0 }, when_empty: fail");
    assert_eq!(there, Verdict::Pass, "the file that the rule asks for is there");
    let missing =
        check("where: { path: /etc/shadow }, expect: each, must: { uid: 0 }, when_empty: fail");
    assert!(matches!(missing, Verdict::Unknown(_)));
    assert_eq!(File::TABLE.name, "files");
}

#[test]
fn evidence_is_capped_and_says_so() {
    let many = (0..1500).map(|n| file(&format!("/srv/f{n:04}"), FileKind::File, 0o666));
    let facts = Counted::new(MemoryFacts::new().with(many));
    let judged = judge(&facts, &["where: { mode: { bits_set: '0002' } }, expect: none"]);
    assert_eq!(judged[0].evidence.len(), 1001);
    assert_eq!(judged[0].evidence.last().unwrap().to_string(), "500 more");
}
