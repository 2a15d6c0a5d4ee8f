//! What was answered about one host is given again for hosts with the same tables, and changes
//! nothing that is said about them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay::assess::{Accepted, assess_each};
use assay::diagnostic::Silent;
use assay::engine::{Memo, evaluate, evaluate_with};
use assay::model::cell::Fact as _;
use assay::model::facts::{FactSource, FileClass, Row, Rows};
use assay::model::schema::{Origin, TableSchema};
use assay::model::state::{FactError, TableState};
use assay::model::table::{self, File, Host};
use assay::model::value::Value;
use assay::model::view::View;
use assay::rules::Library;
use assay::snapshot::Snapshot;

const SAMPLES: [&str; 5] = [
    "almalinux-8.assay",
    "debian-12-hardened.assay",
    "debian-12-planted.assay",
    "debian-12.assay",
    "debian-13.assay",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name)
}

/// A snapshot under another name, that notes which tables are read.
struct Other {
    snapshot: Snapshot,
    name: &'static str,
    read: Mutex<BTreeSet<&'static str>>,
}

impl Other {
    fn new(snapshot: Snapshot, name: &'static str) -> Self {
        Self { snapshot, name, read: Mutex::default() }
    }

    fn read(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, table: &str) {
        if let Some(table) = table::find(table) {
            self.read().insert(table.name);
        }
    }

    fn reads(&self) -> BTreeSet<&'static str> {
        std::mem::take(&mut *self.read())
    }
}

type Result<T> = std::result::Result<T, FactError>;
type Visit<'v> = &'v mut dyn FnMut(Row<'_>) -> ControlFlow<()>;

impl FactSource for Other {
    fn state(&self, table: &TableSchema) -> TableState {
        self.note(table.name);
        self.snapshot.state(table)
    }

    fn fingerprint(&self, table: &TableSchema) -> Result<Option<[u8; 32]>> {
        self.snapshot.fingerprint(table)
    }

    fn rows(&self, table: &'static TableSchema) -> Result<Arc<Rows>> {
        self.note(table.name);
        let rows = self.snapshot.rows(table)?;
        if table.name != Host::TABLE.name {
            return Ok(rows);
        }
        let mut renamed = Rows::new(table);
        for row in rows.iter() {
            let cells =
                table.columns.iter().zip(row.cells()).map(|(column, cell)| match column.name {
                    "hostname" | "agent_id" => Value::text(self.name),
                    "tags" => Value::List(Arc::from([Value::text(self.name)])),
                    _ => cell.clone(),
                });
            renamed.push(cells.collect());
        }
        Ok(Arc::new(renamed))
    }

    fn file(&self, path: &str) -> Result<Option<File>> {
        self.note("files");
        self.snapshot.file(path)
    }

    fn files_at(&self, paths: &[&str], visit: Visit<'_>) -> Result<()> {
        self.note("files");
        self.snapshot.files_at(paths, visit)
    }

    fn scan_files(&self, keep: &dyn Fn(FileClass) -> bool, visit: Visit<'_>) -> Result<()> {
        self.note("files");
        self.snapshot.scan_files(keep, visit)
    }

    fn files_under(&self, directory: &str, visit: Visit<'_>) -> Result<()> {
        self.note("files");
        self.snapshot.files_under(directory, visit)
    }
}

#[test]
fn hosts_of_one_image_are_judged_as_without_a_memo() {
    let plan = Library::embedded().compile().unwrap();
    let memo = Memo::default();
    for name in ["first", "second"] {
        for sample in SAMPLES {
            let host = Other::new(Snapshot::open(&path(sample)).unwrap(), name);
            let judged = evaluate_with(&plan, &host, Some(&memo)).unwrap();
            let read = host.reads();
            // The second host's tables are all known, but for who it is.
            let known = name == "second";
            assert_eq!(read == BTreeSet::from(["host"]), known, "{sample} {name}: {read:?}");
            assert_eq!(judged, evaluate(&plan, &host).unwrap(), "{sample} {name}");
        }
    }
}

#[test]
fn tables_are_made_of_what_they_say() {
    for sample in SAMPLES {
        for table in table::all().iter().filter(|table| table.origin != Origin::Collected) {
            let (host, other) = ["first", "second"]
                .map(|name| Other::new(Snapshot::open(&path(sample)).unwrap(), name))
                .into();
            let loaded = View::new(&host).table(table).unwrap();
            let sources = table::sources(table).into_iter().map(|table| table.name).collect();
            let read = host.reads();
            assert!(read.is_subset(&sources), "{}: {read:?} of {sources:?}", table.name);
            // No table depends on what tells hosts of one image apart.
            assert_eq!(View::new(&other).table(table).unwrap(), loaded, "{}", table.name);
        }
    }
}

#[test]
fn a_damaged_twin_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let good = std::fs::read(path("debian-12.assay")).unwrap();
    let snapshot = Snapshot::open(&path("debian-12.assay")).unwrap();
    let plan = Library::embedded().compile().unwrap();
    let accepted = Accepted::default();
    // Somewhere in the frames, which begin behind the header and end before the table of contents.
    let sections = snapshot.toc().entries.iter().filter(|entry| entry.stored() > 0);
    let mut at = assay::snapshot::layout::HEADER_LEN;
    for entry in sections {
        let mut bad = good.clone();
        bad[at + entry.stored() as usize / 2] ^= 1;
        at += entry.stored() as usize;
        let paths: Vec<PathBuf> =
            ["1-good.assay", "2-bad.assay"].map(|name| directory.path().join(name)).into();
        std::fs::write(&paths[0], &good).unwrap();
        std::fs::write(&paths[1], &bad).unwrap();
        let mut refused = Vec::new();
        assess_each(&plan, &accepted, None, &paths, &Silent, &|_| (), &mut |judged| {
            refused.push(judged.err().map(|refusal| refusal.snapshot));
        });
        // Tables that no rule of the plan is about are not read.
        let unread = ["cloud", "interfaces", "language_packages"].contains(&&*entry.name);
        let second = refused[1].as_ref().is_some_and(|name| name.ends_with("2-bad.assay"));
        assert!(refused[0].is_none() && (second || unread), "{}: {refused:?}", entry.name);
    }
}
