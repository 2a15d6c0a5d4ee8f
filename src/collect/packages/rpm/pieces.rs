//! What the readers of the database formats share: a file in pieces, and a few words on what is
//! wrong with it.

use crate::collect::{Root, text};

/// How much of a file is read at once.
const CHUNK: usize = 1 << 20;
/// How many pieces are kept.
const CHUNKS: usize = 4;
/// How many different problems of one database are told.
const MAX_PROBLEMS: usize = 4;

/// More than any database has: what lies beyond is a hole that costs time.
const MAX_FILE: u64 = 4 << 30;

/// The longest header that is read: that of a package with hundreds of thousands of files.
pub(super) const MAX_HEADER: usize = 48 << 20;

/// A file that is read in large pieces.
pub(super) struct Pieces<'a> {
    root: &'a dyn Root,
    path: String,
    /// Pieces by their offset, the one used last at the end.
    kept: Vec<(u64, Vec<u8>)>,
}

impl<'a> Pieces<'a> {
    /// Over the file at a path, which is not opened before it is read.
    pub(super) fn new(root: &'a dyn Root, path: &str) -> Self {
        Self { root, path: path.to_owned(), kept: Vec::new() }
    }

    /// The file's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes the file has.
    pub(super) fn length(&self) -> Result<u64, String> {
        let meta = self.root.metadata(&self.path).map_err(|error| self.says(&error))?;
        if meta.size > MAX_FILE {
            return Err(format!("{} is too large", self.path));
        }
        Ok(meta.size)
    }

    /// Fills the buffer from `offset`, or says what is wrong.
    pub(super) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), String> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            let start = at - at % CHUNK as u64;
            let piece = self.piece(start)?;
            let within = (at - start) as usize;
            let available = piece.get(within..).unwrap_or_default();
            if available.is_empty() {
                return Err(format!("{} ends too early", self.path));
            }
            let length = available.len().min(buffer.len() - filled);
            buffer[filled..filled + length].copy_from_slice(&available[..length]);
            filled += length;
        }
        Ok(())
    }

    fn piece(&mut self, start: u64) -> Result<&[u8], String> {
        match self.kept.iter().position(|(offset, _)| *offset == start) {
            Some(index) => {
                let piece = self.kept.remove(index);
                self.kept.push(piece);
            }
            None => {
                let bytes = self
                    .root
                    .read_at(&self.path, start, CHUNK)
                    .map_err(|error| self.says(&error))?;
                if self.kept.len() >= CHUNKS {
                    self.kept.remove(0);
                }
                self.kept.push((start, bytes));
            }
        }
        Ok(self.kept.last().map(|(_, bytes)| &**bytes).unwrap_or_default())
    }

    fn says(&self, error: &std::io::Error) -> String {
        format!("{}: {}", self.path, text::sentence(error))
    }
}

/// What could not be read of a database: each thing once, and not many.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, problem: &str) {
        if self.0.len() < MAX_PROBLEMS && !self.0.iter().any(|known| known == problem) {
            self.0.push(problem.to_owned());
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
