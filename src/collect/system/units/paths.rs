//! Paths as text, inside the root.

use std::io;

use crate::collect::Root;

/// The last component.
pub(super) fn basename(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// What stands before the last component.
pub(super) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// A name in a directory.
pub(super) fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// Whether `path` is `directory` or lies below it.
pub(super) fn is_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where a link at `link` points, every link but the last component followed. What does not exist
/// is taken as written.
///
/// # Errors
/// As the system gives them.
pub(super) fn link_target(root: &dyn Root, link: &str) -> io::Result<String> {
    let target = root.read_link(link)?;
    let target = if target.starts_with('/') { target } else { join(parent(link), &target) };
    let target = target.trim_end_matches('/');
    let name = basename(target);
    if matches!(name, "" | "." | "..") {
        return root.resolve(target);
    }
    Ok(join(&resolve_missing(root, parent(target))?, name))
}

/// The real path of a directory; of one that does not exist, the real path of what does, and the
/// rest without `.` and `..`.
fn resolve_missing(root: &dyn Root, path: &str) -> io::Result<String> {
    let mut existing = path;
    let real = loop {
        match root.resolve(existing) {
            Ok(real) => break real,
            Err(error) if error.kind() != io::ErrorKind::NotFound || existing == "/" => {
                return Err(error);
            }
            Err(_) => existing = parent(existing),
        }
    };
    let mut real: Vec<&str> = real.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.get(existing.len()..).unwrap_or_default().split('/') {
        match part {
            "" | "." => {}
            ".." => {
                real.pop();
            }
            part => real.push(part),
        }
    }
    Ok(format!("/{}", real.join("/")))
}
