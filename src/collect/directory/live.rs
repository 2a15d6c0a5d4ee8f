//! [`LiveRoot`]: the running host.

use std::io;
use std::ops::ControlFlow;

use super::DirectoryRoot;
use crate::collect::root::{Meta, Root, Step};
use crate::model::table::FileKind;

/// The running host's own file system.
#[derive(Debug)]
pub struct LiveRoot(DirectoryRoot);

impl LiveRoot {
    /// Opens `/`.
    ///
    /// # Errors
    /// As the system gives them.
    pub fn open() -> io::Result<Self> {
        DirectoryRoot::open("/").map(Self)
    }
}

impl Root for LiveRoot {
    fn metadata(&self, path: &str) -> io::Result<Meta> {
        self.0.metadata(path)
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(path, offset, length)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<(String, FileKind)>> {
        self.0.list(directory)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        self.0.read_link(path)
    }

    fn resolve(&self, path: &str) -> io::Result<String> {
        self.0.resolve(path)
    }

    fn walk(&self, visit: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) -> io::Result<()> {
        self.0.walk(visit)
    }

    fn is_live(&self) -> bool {
        true
    }
}
