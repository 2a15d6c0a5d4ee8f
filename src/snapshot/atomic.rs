//! Writing a file whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many names are tried for the part.
const TRIES: u32 = 64;

/// Writes a file whole or not at all: beside its place first, made safe on disk, then moved there.
/// Mode 0600, since a snapshot tells much about a host. A link is followed; what exists and is not
/// a regular file (a pipe, `/dev/null`) is written to and stays what it is.
///
/// # Errors
/// As the system gives them.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => fs::canonicalize(path)?,
        Ok(_) => path.to_path_buf(),
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    if fs::metadata(&target).is_ok_and(|meta| !meta.is_file()) {
        return OpenOptions::new().write(true).open(&target)?.write_all(bytes);
    }
    let (part, mut file) = create_part(&target)?;
    let written = (file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&part, &target));
    if let Err(error) = written {
        // The first error is the one to tell; a part that cannot be removed adds nothing.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    // The new name is only safe once the directory is on disk too; a file system that cannot do
    // that has still the whole file.
    let _ = File::open(directory(&target)).and_then(|directory| directory.sync_all());
    Ok(())
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A new file in the directory of the target, which nobody else can have opened.
fn create_part(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    for number in 0..TRIES {
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}-{number}.part", std::process::id()));
        let part = directory(target).join(part);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part) {
            Ok(file) => return Ok((part, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(ErrorKind::AlreadyExists))
}
