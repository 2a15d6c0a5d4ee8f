//! `config.fstab`: fstab(5).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/fstab";

facts! {
    /// Mounts that /etc/fstab configures.
    #[table(name = "config.fstab", origin = Lens, location = "{path}")]
    pub struct Fstab {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// Device, label, UUID or other source.
        pub source: Arc<str>,
        /// Mount point; `none` or `swap` for swap.
        pub target: Arc<str>,
        /// File system type.
        pub fstype: Arc<str>,
        /// Options as written.
        pub options: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Fstab::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Fstab>(files);
        let Some(file) = files.get(PATH) else { return Ok(reading.done()) };
        for (line, text) in (1..).zip(reading.text(file).lines()) {
            let mut words = text.split_whitespace();
            let (Some(source), Some(target), Some(fstype)) =
                (words.next().filter(|word| !word.starts_with('#')), words.next(), words.next())
            else {
                continue;
            };
            let target = unescape(target);
            let target = if target.len() > 1 { target.trim_end_matches('/') } else { &target };
            reading.push(Fstab {
                path: AbsPath(Arc::clone(&file.path)),
                line,
                source: unescape(source).into(),
                target: target.into(),
                fstype: fstype.into(),
                options: words.next().unwrap_or("defaults").split(',').map(Arc::from).collect(),
            });
        }
        Ok(reading.done())
    }
}

/// A backslash and three octal digits stand for one byte, as mount(8) reads them.
fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { rest.get(4..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn escapes_are_octal_and_read_once() {
        for (text, expected) in [
            ("a\\040b", "a b"),
            ("\\057tmp", "/tmp"),
            ("\\134040", "\\040"),
            ("\\303\\251", "\u{e9}"),
            ("\\04", "\\04"),
            ("\\", "\\"),
        ] {
            assert_eq!(unescape(text), expected);
        }
    }

    #[test]
    fn lines_are_mounts() {
        let text = "# x\nUUID=1 / ext4 errors=remount-ro 0 1\ntmpfs /tmp/ tmpfs nosuid,nodev\n/dev/b /mnt/a\\040b xfs\n";
        let rows: Vec<Fstab> = rows(&Lens, &[(PATH, text)]);
        let shown: Vec<_> =
            rows.iter().map(|r| (r.line, &*r.target, r.options.join("+"))).collect();
        assert_eq!(
            shown,
            [
                (2, "/", "errors=remount-ro".into()),
                (3, "/tmp", "nosuid+nodev".into()),
                (4, "/mnt/a b", "defaults".to_owned())
            ]
        );
    }
}
