//! Writing a file whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many names are tried for the part.
const TRIES: u32 = 64;

/// The parts that are being written.
static PARTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Writes a file whole or not at all, as [`AtomicFile`] does.
///
/// # Errors
/// As the system gives them.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Whether a file at this path could be begun, told before the work for it is done.
///
/// # Errors
/// As the system gives them.
pub fn check_writable(path: &Path) -> io::Result<()> {
    // Opening a pipe would tell its reader that somebody has begun.
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(meta) if !meta.is_file() => Ok(()),
        _ => AtomicFile::create(path).map(drop),
    }
}

/// Removes every part that is being written, for a program that is about to end. While the guard
/// lives, no other begins.
pub fn abandon_parts() -> MutexGuard<'static, Vec<PathBuf>> {
    let mut parts = parts();
    for part in parts.drain(..) {
        // One that is gone already is what is wanted.
        let _ = fs::remove_file(part);
    }
    parts
}

fn parts() -> MutexGuard<'static, Vec<PathBuf>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that comes to be whole or not at all: what is written lies beside its place first, and
/// [`AtomicFile::commit`] makes it safe on disk and moves it there. Dropped before that, it leaves
/// nothing behind. Mode 0600, since a snapshot tells much about a host. A link is followed; what
/// exists and is not a regular file (a pipe, `/dev/null`) is written to and stays what it is.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    target: PathBuf,
    /// Where the bytes are until then; none where they go straight to their place.
    part: Option<PathBuf>,
}

impl AtomicFile {
    /// Begins a file that is to stand at this path.
    ///
    /// # Errors
    /// As the system gives them.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_symlink() => fs::canonicalize(path)?,
            Ok(_) => path.to_path_buf(),
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_path_buf(),
            Err(error) => return Err(error),
        };
        if fs::metadata(&target).is_ok_and(|meta| !meta.is_file()) {
            let file = OpenOptions::new().write(true).open(&target)?;
            return Ok(Self { file, target, part: None });
        }
        let (part, file) = create_part(&target)?;
        Ok(Self { file, target, part: Some(part) })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// As the system gives them; then the place is as it was before.
    pub fn commit(mut self) -> io::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        self.file.sync_all()?;
        fs::rename(part, &self.target)?;
        forget(part);
        self.part = None;
        // The new name is only safe once the directory is on disk too; a file system that cannot do
        // that has still the whole file.
        let _ = File::open(directory(&self.target)).and_then(|directory| directory.sync_all());
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // The first error is the one to tell; a part that cannot be removed adds nothing.
            let _ = fs::remove_file(part);
            forget(part);
        }
    }
}

fn forget(part: &Path) {
    parts().retain(|other| other != part);
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
    let mut parts = parts();
    for number in 0..TRIES {
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}-{number}.part", std::process::id()));
        let part = directory(target).join(part);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part) {
            Ok(file) => {
                parts.push(part.clone());
                return Ok((part, file));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x");
        let count = || fs::read_dir(place.path()).unwrap().count();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!((path.exists(), count()), (false, 1));
        drop(file);
        assert_eq!(count(), 0);
        write_atomically(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!((fs::read(&path).unwrap(), count()), (b"new".to_vec(), 1));
    }
}
