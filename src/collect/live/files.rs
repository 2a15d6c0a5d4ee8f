//! Reading files of /proc and /sys, whose size is not known before, with a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The content of a file, at most `limit` bytes of it, and whether that is all.
///
/// # Errors
/// As the system gives them.
pub(super) fn read(path: impl AsRef<Path>, limit: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let whole = bytes.len() as u64 <= limit;
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((bytes, whole))
}

/// The same as text; bytes that are no UTF-8 become replacement characters.
///
/// # Errors
/// As the system gives them.
pub(super) fn read_text(path: impl AsRef<Path>, limit: u64) -> io::Result<(String, bool)> {
    let (bytes, whole) = read(path, limit)?;
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok((text, whole))
}

/// Whether the user who asks may not see it.
pub(super) fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// A text in which the kernel has written white space and backslashes as `\ooo`
/// (proc_pid_mountinfo(5)).
pub(super) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes() {
        assert_eq!(unescape(r"/a\040b\134c\011"), "/a b\\c\t");
        assert_eq!(unescape(r"\04 \999 \777 \"), r"\04 \999 \777 \");
        assert_eq!(unescape(r"\303\244"), "ä");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert_eq!(read(file.path(), 5).unwrap(), (b"12345".to_vec(), true));
        assert_eq!(read(file.path(), 4).unwrap(), (b"1234".to_vec(), false));
    }
}
