//! What the tests of the container share.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::ops::ControlFlow;

use assay::model::cell::{AbsPath, Fact, Mode, Time};
use assay::model::facts::{FactSource, MemoryFacts, Rows};
use assay::model::state::TableState;
use assay::model::table::{COLLECTED, File, FileKind, Package};
use assay::snapshot::toc::{Frame, Toc};
use assay::snapshot::{Codec, Snapshot, Writer, layout};

pub(crate) fn file(path: &str, mode: u32, uid: u32) -> File {
    File {
        path: AbsPath(path.into()),
        kind: FileKind::File,
        mode: Mode(mode),
        uid,
        gid: 0,
        size: path.len() as i64,
        mtime: Time(1_700_000_000 + i64::from(uid)),
        link_target: path.ends_with("link").then(|| "target".into()),
        capabilities: path.ends_with("ping").then(|| "cap_net_raw=ep".into()),
    }
}

/// The same facts as a snapshot.
pub(crate) fn snapshot_of(facts: &MemoryFacts, codec: Codec) -> Vec<u8> {
    let mut writer = Writer::new(codec);
    for table in COLLECTED.iter().filter(|table| table.name != "files") {
        writer.table(&facts.rows(table).unwrap(), &facts.state(table)).unwrap();
    }
    facts
        .scan_files(&|_| true, &mut |row| {
            writer.push_file(row.typed().unwrap()).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    writer.files_state(facts.state(File::TABLE));
    writer.finish().unwrap()
}

/// A small snapshot with several kinds of cells.
pub(crate) fn small(codec: Codec) -> Vec<u8> {
    let package = |name: &str| Package {
        manager: "dpkg".into(),
        name: name.into(),
        version: assay::model::cell::Version("3.0.15-1~deb12u1".into()),
        arch: None,
        source: Some("openssl".into()),
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        status: "installed".into(),
    };
    let mut facts = MemoryFacts::new().with([package("openssl"), package("libssl3")]).with([
        assay::model::table::Group {
            name: "sudo".into(),
            gid: 27,
            members: vec!["alice".into(), "bob".into()],
            line: 3,
        },
    ]);
    facts.set(
        TableState::truncated("2 directories could not be read"),
        Rows::of((0..12).map(|n| file(&format!("/usr/bin/tool{n:02}"), 0o755 + n % 2, n % 3))),
    );
    snapshot_of(&facts, codec)
}

/// A container, cut into its sections' bytes and its table of contents.
pub(crate) struct Parts {
    pub(crate) toc: Toc,
    pub(crate) sections: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let toc = Snapshot::from_bytes(bytes.to_vec()).unwrap().toc().clone();
        let length = toc.entries.iter().map(|entry| entry.stored() as usize).sum::<usize>();
        Self { toc, sections: bytes[layout::HEADER_LEN..][..length].to_vec() }
    }

    /// The container again, with right hashes over whatever the sections' bytes are now.
    pub(crate) fn seal(&mut self) -> Vec<u8> {
        let mut at = 0;
        for frame in self.toc.entries.iter_mut().flat_map(|entry| &mut entry.frames) {
            *frame = Frame::of(&self.sections[at..][..frame.stored], frame.raw);
            at += frame.stored;
        }
        self.seal_as_is()
    }

    /// The container again, frames and their hashes as the table of contents has them.
    pub(crate) fn seal_as_is(&self) -> Vec<u8> {
        let mut bytes = layout::MAGIC.to_vec();
        bytes.push(layout::FORMAT_VERSION);
        bytes.extend_from_slice(&self.sections);
        bytes.extend(self.toc.seal());
        bytes
    }
}

/// A small deterministic generator; the tests need no better one.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
