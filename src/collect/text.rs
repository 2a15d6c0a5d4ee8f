//! Reading small texts of a root, with bounds, and words for what goes wrong.

use std::io;

use super::Root;
use crate::model::state::TableState;

/// The most bytes of a database or list that is read whole.
pub(super) const LIMIT: u64 = 64 << 20;

/// The most bytes of a file that holds a few words.
const SMALL: u64 = 1 << 20;

/// The text of a file, bytes that are not UTF-8 replaced; `None` where there is no such file.
pub(super) fn read(root: &dyn Root, path: &str) -> io::Result<Option<String>> {
    read_up_to(root, path, LIMIT)
}

/// The same for a file of at most `limit` bytes.
pub(super) fn read_up_to(root: &dyn Root, path: &str, limit: u64) -> io::Result<Option<String>> {
    match root.read(path, limit) {
        Ok(bytes) => Ok(Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of a small file, bytes that are not UTF-8 replaced; `None` where there is none or it
/// cannot be read.
pub(super) fn small(root: &dyn Root, path: &str) -> Option<String> {
    let bytes = root.read(path, SMALL).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first line of a small file, trimmed; `None` where there is none or it cannot be read.
pub(super) fn word(root: &dyn Root, path: &str) -> Option<String> {
    let text = small(root, path)?;
    let line = text.lines().next().unwrap_or_default().trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Whether an error says that there is no such file.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The state of a table whose file could not be read.
pub(super) fn denied(path: &str, error: &io::Error) -> TableState {
    TableState::denied(format!("{path}: {}", sentence(error)))
}

/// What went wrong, in few words that do not change between systems.
pub(super) fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "no permission".to_owned(),
        io::ErrorKind::FileTooLarge => "too large".to_owned(),
        io::ErrorKind::InvalidInput => "not a regular file".to_owned(),
        io::ErrorKind::IsADirectory => "a directory".to_owned(),
        _ => error.to_string(),
    }
}
