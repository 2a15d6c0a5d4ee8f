//! The table of contents: which sections there are, where, and their hashes.

use super::bytes::{Cursor, Problem, put_text};
use super::{DbError, layout};

/// One section: a head that is read as a whole, and for texts a body of blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: u8,
    /// The release, for the sections that belong to one.
    pub(super) name: String,
    /// Where the head begins in the file.
    pub(super) at: u64,
    /// Bytes of the head.
    pub(super) head: u64,
    /// Bytes of the body, which follows the head.
    pub(super) body: u64,
    /// BLAKE3 of the head.
    pub(super) hash: [u8; layout::HASH_LEN],
}

impl Entry {
    /// The section as messages name it.
    pub(super) fn place(&self) -> String {
        let what = match self.kind {
            layout::FEEDS => "the list of feeds",
            layout::RELEASE => "the index",
            layout::VERSIONS => "the list of versions",
            layout::ADVISORIES => "the list of advisories",
            layout::VULNERABILITIES => "the list of vulnerabilities",
            layout::EXCEPTIONS => "the list of exceptions",
            _ => "a section",
        };
        if self.name.is_empty() { what.to_owned() } else { format!("{what} of {}", self.name) }
    }
}

/// Reads the table; the sections lie one after the other from `at` on and end at `len`.
pub(super) fn decode(bytes: &[u8], mut at: u64, len: u64) -> Result<Vec<Entry>, DbError> {
    let mut cursor = Cursor(bytes);
    let mut entries: Vec<Entry> = Vec::new();
    while !cursor.0.is_empty() {
        let entry = entry(&mut cursor, at)
            .map_err(|problem| DbError::malformed("the table of contents", problem))?;
        let end = entry.head.checked_add(entry.body).and_then(|size| at.checked_add(size));
        at = end.filter(|end| *end <= len).ok_or_else(|| {
            DbError::Truncated(format!("{} ends after the file does", entry.place()))
        })?;
        if entry.head > layout::MAX_WHOLE {
            return Err(DbError::malformed(entry.place(), "it is larger than a section may be"));
        }
        if entries.iter().any(|known| known.kind == entry.kind && known.name == entry.name) {
            return Err(DbError::malformed(entry.place(), "it is there twice"));
        }
        entries.push(entry);
    }
    if at != len {
        return Err(DbError::malformed("the file", "there are bytes after its last section"));
    }
    Ok(entries)
}

fn entry(cursor: &mut Cursor<'_>, at: u64) -> Result<Entry, Problem> {
    Ok(Entry {
        kind: cursor.byte()?,
        name: cursor.string()?,
        at,
        head: cursor.u64()?,
        body: cursor.u64()?,
        hash: cursor.hash()?,
    })
}

/// Sections on their way into a file.
#[derive(Default)]
pub(super) struct Sections {
    toc: Vec<u8>,
    data: Vec<u8>,
}

impl Sections {
    pub(super) fn push(&mut self, kind: u8, name: &str, head: &[u8], body: &[u8]) {
        self.toc.push(kind);
        put_text(&mut self.toc, name);
        for len in [head.len(), body.len()] {
            self.toc.extend_from_slice(&(len as u64).to_le_bytes());
        }
        self.toc.extend_from_slice(blake3::hash(head).as_bytes());
        self.data.extend_from_slice(head);
        self.data.extend_from_slice(body);
    }

    /// The whole file.
    pub(super) fn seal(self) -> Result<Vec<u8>, DbError> {
        if self.toc.len() > layout::MAX_TOC {
            return Err(DbError::TooLarge("the number of releases"));
        }
        let mut out = layout::MAGIC.to_vec();
        out.extend_from_slice(&layout::FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&(self.toc.len() as u32).to_le_bytes());
        out.extend_from_slice(blake3::hash(&self.toc).as_bytes());
        out.extend(self.toc);
        out.extend(self.data);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::db::{Builder, Database, Input, blocks};
    use crate::advisory::feed::{Context, read};
    use crate::advisory::record::{Ecosystem, Naming};

    fn sample() -> Vec<u8> {
        let mut builder = Builder::new();
        builder.begin(&Input { name: "secdb.yaml".into(), ..Input::default() });
        let bytes = include_bytes!("../../../tests/fixtures/advisories/secdb.yaml");
        let mut sink = |record| builder.add(record);
        let summary = read(None, "secdb.yaml", bytes, &Context::default(), &mut sink).unwrap();
        builder.end(&summary);
        builder.finish().unwrap()
    }

    /// The file with one byte of a section's head changed and every hash right again: what only
    /// somebody who wants harm would write.
    fn forged(file: &[u8], wanted: u8, at: usize, with: u8) -> Option<Vec<u8>> {
        let mut cursor = Cursor(&file[12..]);
        let len = cursor.u32().unwrap() as usize;
        let start = layout::HEADER_LEN;
        let entries =
            decode(&file[start..start + len], (start + len) as u64, file.len() as u64).unwrap();
        let mut sections = Sections::default();
        let mut changed = false;
        for entry in entries {
            let head = entry.at as usize;
            let body = head + entry.head as usize;
            let mut bytes = file[head..body].to_vec();
            if entry.kind == wanted && !changed {
                // The index is changed inside its frame, where harm could be done.
                let index = entry.kind == layout::RELEASE;
                let mut raw = if index { blocks::unpack(&bytes).unwrap() } else { bytes };
                *raw.get_mut(at)? ^= with;
                bytes = if index { blocks::pack(&raw).unwrap() } else { raw };
                changed = true;
            }
            let body = &file[body..body + entry.body as usize];
            sections.push(entry.kind, &entry.name, &bytes, body);
        }
        Some(sections.seal().unwrap())
    }

    /// Asks everything that a scan would ask.
    fn use_it(bytes: Vec<u8>) -> Result<(), DbError> {
        let database = Database::from_bytes(bytes)?;
        let checked = database.verify();
        let ecosystems: Vec<Ecosystem> = database.ecosystems().collect();
        for ecosystem in ecosystems {
            let Some(release) = database.release(&ecosystem)? else { continue };
            let bad = |problem| DbError::malformed("it", problem);
            for name in ["expat", "xen", "zzz"] {
                for row in release.find(name, Naming::Source).map_err(bad)? {
                    let row = row.map_err(bad)?;
                    let place = release.place(b"1").map_err(bad)?;
                    row.contains(place);
                    if let Some(version) = row.version {
                        database.version(&ecosystem, version)?;
                    }
                    release.qualifier(row.qualifier).map_err(bad)?;
                    for number in release.vulnerabilities(row.advisory).map_err(bad)? {
                        database.vulnerability(number.map_err(bad)?)?;
                    }
                    database.advisory(release.advisory(row.advisory).map_err(bad)?)?;
                }
            }
        }
        database.exceptions()?;
        checked
    }

    #[test]
    fn forged_sections_are_survived() {
        let file = sample();
        use_it(file.clone()).unwrap();
        let mut refused = 0;
        for kind in layout::FEEDS..=layout::EXCEPTIONS {
            for at in 0.. {
                let Some(bytes) = forged(&file, kind, at, 0xff) else { break };
                refused += usize::from(use_it(bytes).is_err());
                refused += usize::from(use_it(forged(&file, kind, at, 1).unwrap()).is_err());
            }
        }
        assert!(refused > 500, "{refused}");
    }
}
