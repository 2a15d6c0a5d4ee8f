//! A file system of one file and an os-release, in memory.

use std::io;
use std::ops::ControlFlow;

use assay::collect::Root;
use assay::collect::root::{Content, Meta, Step};
use assay::model::cell::{AbsPath, Mode, Time};
use assay::model::table::{File, FileKind};

const RELEASE: (&str, &[u8]) = ("/etc/os-release", b"ID=example\n");

/// The files by path, sorted.
pub(crate) struct MemoryRoot<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> MemoryRoot<'a> {
    /// With these bytes at a path.
    pub(crate) fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        let mut files = vec![RELEASE, (path, bytes)];
        files.sort();
        Self(files)
    }

    fn file(&self, path: &str) -> io::Result<&'a [u8]> {
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, bytes)| *bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..));
        let rest = rest.unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

impl Root for MemoryRoot<'_> {
    fn metadata(&self, path: &str) -> io::Result<Meta> {
        let size = self.file(path)?.len() as u64;
        Ok(Meta { kind: FileKind::File, mode: 0o755, uid: 0, gid: 0, size, mtime: 0 })
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.file(path)?;
        if bytes.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.to_vec())
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let length = Bytes(self.file(path)?).read_at(offset, &mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<(String, FileKind)>> {
        let mut names: Vec<(String, FileKind)> = Vec::new();
        for (path, _) in &self.0 {
            let rest = path.strip_prefix(directory.trim_end_matches('/'));
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) else { continue };
            let entry = match rest.split_once('/') {
                Some((name, _)) => (name.to_owned(), FileKind::Directory),
                None => (rest.to_owned(), FileKind::File),
            };
            if !names.contains(&entry) {
                names.push(entry);
            }
        }
        if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names) }
    }

    fn read_link(&self, _path: &str) -> io::Result<String> {
        Err(io::ErrorKind::InvalidInput.into())
    }

    fn resolve(&self, path: &str) -> io::Result<String> {
        self.file(path).map(|_| ()).or_else(|_| self.list(path).map(|_| ()))?;
        Ok(path.to_owned())
    }

    fn walk(&self, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> io::Result<()> {
        for (path, bytes) in &self.0 {
            let file = File {
                path: AbsPath((*path).into()),
                kind: FileKind::File,
                mode: Mode(0o755),
                uid: 0,
                gid: 0,
                size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                mtime: Time(0),
                link_target: None,
                capabilities: None,
            };
            let step = Step::File { file, identity: (0, 0), content: &Bytes(bytes) };
            if visit(step).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn is_live(&self) -> bool {
        false
    }
}
