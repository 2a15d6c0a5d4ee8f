//! The header of an installed package as the rpm database stores it: two counts, an index of
//! 16-byte entries and a store of values. Format: "Package Format v4" in rpm's manual.

/// As many entries as rpm itself accepts.
const MAX_ENTRIES: usize = 0xffff;

/// Longer than any name, version or label.
const MAX_TEXT: usize = 64 << 10;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Tags that are read (rpmtag.h).
pub(super) mod tag {
    pub(crate) const NAME: u32 = 1000;
    pub(crate) const VERSION: u32 = 1001;
    pub(crate) const RELEASE: u32 = 1002;
    pub(crate) const EPOCH: u32 = 1003;
    pub(crate) const VENDOR: u32 = 1011;
    pub(crate) const ARCH: u32 = 1022;
    pub(crate) const OLD_FILE_NAMES: u32 = 1027;
    pub(crate) const SOURCE_RPM: u32 = 1044;
    pub(crate) const DIR_INDEXES: u32 = 1116;
    pub(crate) const BASE_NAMES: u32 = 1117;
    pub(crate) const DIR_NAMES: u32 = 1118;
    pub(crate) const MODULARITY_LABEL: u32 = 5096;
}

/// A header whose index lies inside its bytes.
pub(super) struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

struct Entry<'a> {
    kind: u32,
    count: usize,
    values: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the counts; `None` where the bytes do not hold what they say.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let entries = number(bytes, 0)? as usize;
        let length = number(bytes, 4)? as usize;
        if entries == 0 || entries > MAX_ENTRIES {
            return None;
        }
        let store = 8 + entries * 16;
        let index = bytes.get(8..store)?;
        let store = bytes.get(store..store.checked_add(length)?)?;
        Some(Self { index, store })
    }

    fn entry(&self, tag: u32) -> Option<Entry<'a>> {
        let entry = self.index.chunks_exact(16).find(|entry| number(entry, 0) == Some(tag))?;
        let offset = number(entry, 8)? as usize;
        Some(Entry {
            kind: number(entry, 4)?,
            count: number(entry, 12)? as usize,
            values: self.store.get(offset..)?,
        })
    }

    /// The text of a tag, bytes that are not UTF-8 replaced; `None` where it is longer than any.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        let entry = self.entry(tag)?;
        matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING)
            .then(|| strings(entry.values).next())
            .flatten()
            .filter(|text| text.len() <= MAX_TEXT)
            .map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: u32) -> Option<u32> {
        let entry = self.entry(tag)?;
        (entry.kind == INT32 && entry.count > 0).then(|| number(entry.values, 0)).flatten()
    }

    fn texts(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> {
        let entry = self.entry(tag).filter(|entry| matches!(entry.kind, STRING | STRING_ARRAY));
        let count = entry.as_ref().map_or(0, |entry| entry.count);
        strings(entry.map_or(&[], |entry| entry.values)).take(count)
    }

    /// Shows the directory and the base name of every file of the package.
    pub(super) fn files(&self, show: &mut dyn FnMut(&[u8], &[u8])) {
        for path in self.texts(tag::OLD_FILE_NAMES) {
            let split = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
            show(&path[..split], &path[split..]);
        }
        let directories: Vec<&[u8]> = self.texts(tag::DIR_NAMES).collect();
        let indexes = self.entry(tag::DIR_INDEXES).filter(|entry| entry.kind == INT32);
        let indexes = indexes.map_or(&[][..], |entry| entry.values).chunks_exact(4);
        for (name, index) in self.texts(tag::BASE_NAMES).zip(indexes) {
            let directory = number(index, 0).and_then(|index| directories.get(index as usize));
            if let Some(directory) = directory {
                show(directory, name);
            }
        }
    }
}

/// Texts that zero bytes end.
fn strings(values: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = values;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|byte| *byte == 0)?;
        let text = &rest[..end];
        rest = &rest[end + 1..];
        Some(text)
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(entries: &[(u32, u32, Vec<u8>, u32)]) -> Vec<u8> {
        let mut index = Vec::new();
        let mut store: Vec<u8> = Vec::new();
        for (tag, kind, values, count) in entries {
            for word in [*tag, *kind, store.len() as u32, *count] {
                index.extend(word.to_be_bytes());
            }
            store.extend(values);
        }
        let mut bytes = (entries.len() as u32).to_be_bytes().to_vec();
        bytes.extend((store.len() as u32).to_be_bytes());
        bytes.extend(index);
        bytes.extend(store);
        bytes
    }

    #[test]
    fn texts_numbers_and_files_are_read() {
        let bytes = header(&[
            (tag::NAME, STRING, b"bash\0".to_vec(), 1),
            (tag::EPOCH, INT32, 2u32.to_be_bytes().to_vec(), 1),
            (
                tag::DIR_INDEXES,
                INT32,
                [1u32.to_be_bytes(), 0u32.to_be_bytes(), 9u32.to_be_bytes()].concat(),
                3,
            ),
            (tag::BASE_NAMES, STRING_ARRAY, b"bash\0passwd\0lost\0".to_vec(), 3),
            (tag::DIR_NAMES, STRING_ARRAY, b"/etc/\0/usr/bin/\0".to_vec(), 2),
        ]);
        let header = Header::new(&bytes).unwrap();
        assert_eq!(header.text(tag::NAME).as_deref(), Some("bash"));
        assert_eq!(header.number(tag::EPOCH), Some(2));
        assert_eq!(header.text(tag::VENDOR), None);
        let mut files = Vec::new();
        header.files(&mut |directory, name| files.push([directory, name].concat()));
        assert_eq!(files, [b"/usr/bin/bash".to_vec(), b"/etc/passwd".to_vec()]);
    }

    #[test]
    fn a_header_that_says_more_than_it_has_is_refused() {
        let bytes = header(&[(tag::NAME, STRING, b"bash\0".to_vec(), 1)]);
        for length in 0..bytes.len() {
            assert!(Header::new(&bytes[..length]).is_none(), "{length}");
        }
        assert!(Header::new(&[0xff; 64]).is_none());
    }

    proptest! {
        #[test]
        fn damaged_headers_are_read_calmly(at in 0usize..120, byte in any::<u8>()) {
            let mut bytes = header(&[
                (tag::NAME, STRING, b"bash\0".to_vec(), 1),
                (tag::DIR_INDEXES, INT32, 0u32.to_be_bytes().to_vec(), 1),
                (tag::BASE_NAMES, STRING_ARRAY, b"bash\0".to_vec(), 1),
                (tag::DIR_NAMES, STRING_ARRAY, b"/etc/\0".to_vec(), 1),
            ]);
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Some(header) = Header::new(&bytes) {
                let _ = header.text(tag::NAME);
                header.files(&mut |_, _| {});
            }
        }
    }
}
