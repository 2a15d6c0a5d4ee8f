//! What is fuzzed: each function takes any bytes, and must come back.

#[path = "root.rs"]
mod root;

use std::ops::ControlFlow;
use std::sync::OnceLock;

use assay::advisory::db::{Database, Release};
use assay::advisory::feed::{self, Context};
use assay::advisory::record::{Ecosystem, Naming};
use assay::collect::{Options, collect, collect_sbom};
use assay::diagnostic::Silent;
use assay::model::facts::{FactSource, MemoryFacts, Rows};
use assay::model::table::{self, COLLECTED, ConfigFile};
use assay::model::view::View;
use assay::rules::Library;
use assay::snapshot::toc::{Frame, Toc};
use assay::snapshot::{Codec, Snapshot, layout};
use root::MemoryRoot;

/// A container as it is, and again with right hashes, so that the decoders behind them are reached.
pub(crate) fn snapshot(data: &[u8]) {
    if let Ok(snapshot) = Snapshot::from_bytes(data.to_vec()) {
        read_all(&snapshot);
    }
    if let Some(snapshot) = resealed(data).and_then(|bytes| Snapshot::from_bytes(bytes).ok()) {
        read_all(&snapshot);
    }
}

fn read_all(snapshot: &Snapshot) {
    let _ = snapshot.verify();
    let _ = snapshot.info();
    let _ = snapshot.export(&mut std::io::sink());
    for table in COLLECTED.iter().filter(|table| table.name != "files") {
        let _ = snapshot.rows(table);
    }
    let visit = &mut |_: assay::model::facts::Row<'_>| ControlFlow::Continue(());
    let _ = snapshot.files_under("/etc", visit);
    let _ = snapshot.file("/etc/passwd");
}

/// The bytes as a container whose table of contents has the right hashes.
fn resealed(data: &[u8]) -> Option<Vec<u8>> {
    let (body, footer) = data.split_at_checked(data.len().checked_sub(layout::FOOTER_LEN)?)?;
    let length = u64::from_le_bytes(footer.get(..8)?.try_into().ok()?);
    let split = body.len().checked_sub(usize::try_from(length).ok()?)?;
    let (head, toc) = body.split_at_checked(split)?;
    let sections = head.get(layout::HEADER_LEN..)?;
    let mut toc = Toc::decode(toc, sections.len() as u64).ok()?;
    let mut at = 0;
    for frame in toc.entries.iter_mut().flat_map(|entry| &mut entry.frames) {
        let stored = sections.get(at..)?.get(..frame.stored)?;
        *frame = Frame::of(stored, frame.raw);
        at += stored.len();
    }
    let mut bytes = layout::MAGIC.to_vec();
    bytes.push(layout::FORMAT_VERSION);
    bytes.extend_from_slice(sections);
    bytes.extend(toc.seal());
    Some(bytes)
}

/// An advisory database, and the index of a release without the hash that stands before it.
pub(crate) fn advisories(data: &[u8]) {
    if let Ok(database) = Database::from_bytes(data.to_vec()) {
        let _ = database.verify();
        let _ = database.exceptions();
        let _ = database.find_vulnerability("CVE-2024-0001");
    }
    let index = Release::decode(data.to_vec(), Ecosystem::new("Debian", "12"));
    if let Ok(release) = index {
        let _ = ask(&release);
    }
}

/// Everything that a scan could ask of an index.
fn ask(release: &Release) -> Result<(), &'static str> {
    let place = release.place(&release.scheme.key("1.0-1"));
    let places = release.about(1).map(|some| match some.is_empty() {
        true => (0..release.advisories().min(1000)).collect(),
        false => some,
    });
    for name in release.names_in(&places?)? {
        for row in release.find(&name, Naming::Source)? {
            let row = row?;
            let _ = place.map(|place| row.contains(place));
            let _ = (release.qualifier(row.qualifier), release.advisory(row.advisory));
            release.vulnerabilities(row.advisory)?.try_for_each(|number| number.map(drop))?;
        }
    }
    Ok(())
}

/// A text as a file of each kind that rulesets have.
pub(crate) fn rules(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for path in [
        "security-best-practices/fuzz.yaml",
        "common-vulnerabilities/fuzz.yaml",
        "cis/controls/fuzz.yaml",
        "cis/benchmarks/fuzz.yaml",
    ] {
        let mut library = Library::default();
        library.insert(path, &*text);
        let _ = library.compile();
    }
}

/// The configuration of a host, in which one file is replaced: which one, the first byte says.
pub(crate) fn lenses(data: &[u8]) {
    let Some((which, text)) = data.split_first() else { return };
    let mut files = configuration().to_vec();
    let which = usize::from(*which) % files.len().max(1);
    if let Some(file) = files.get_mut(which) {
        file.text = Some(String::from_utf8_lossy(text).into());
    }
    let mut facts = MemoryFacts::new();
    facts.set(assay::model::state::TableState::Collected, Rows::of(files));
    let view = View::new(&facts);
    for table in table::all().iter().filter(|table| table.name != "files") {
        let _ = view.table(table);
    }
}

/// The texts of a sample, small ones that are read by lenses first: the first byte reaches 256.
pub(crate) fn configuration() -> &'static [ConfigFile] {
    static FILES: OnceLock<Vec<ConfigFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let sample = include_bytes!("../snapshots/debian-12-planted.assay").to_vec();
        let snapshot = Snapshot::from_bytes(sample);
        let typed = |snapshot: &Snapshot| View::new(snapshot).typed::<ConfigFile>();
        let mut files = match snapshot.map(|snapshot| typed(&snapshot)) {
            Ok(Ok((_, files))) => files,
            _ => Vec::new(),
        };
        files.sort_by_key(|file| {
            let etc = file.path.0.starts_with("/etc/");
            (!etc, file.path.0.starts_with("/etc/systemd/system/"), file.path.0.clone())
        });
        files
    })
}

/// A feed of whatever kind it looks like.
pub(crate) fn feeds(data: &[u8]) {
    let release = Some(Ecosystem::new("Debian", "12"));
    for context in [Context::default(), Context { release }] {
        let _ = feed::collect(None, "feed", data, &context);
    }
}

/// A bill of materials.
pub(crate) fn bills(data: &[u8]) {
    if let Ok(bytes) = collect_sbom(data, &Options::default(), Codec::Raw) {
        let _ = Snapshot::from_bytes(bytes);
    }
}

/// Where the files are that packages are read from.
pub(crate) const PACKAGES: [&str; 8] = [
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/var/lib/rpm/Packages",
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/var/lib/dnf/history.sqlite",
    "/opt/program.jar",
    "/opt/program",
];

/// One of these files; which one, the first byte says.
pub(crate) fn packages(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let path = PACKAGES[usize::from(*which) % PACKAGES.len()];
    let root = MemoryRoot::new(path, bytes);
    if let Ok(bytes) = collect(&root, &Options::default(), Codec::Raw, &Silent) {
        let _ = Snapshot::from_bytes(bytes);
    }
}
