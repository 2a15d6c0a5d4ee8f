//! Feeds in tar archives, compressed or not, as Red Hat publishes its CSAF documents.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::rc::Rc;

use super::error::FeedError;
use super::source::{Budget, Document, MAX_ENTRY, is_feed_name};

/// The size of a block of an archive; two of zeros end it.
const BLOCK: usize = 512;

/// Whether these are the first bytes of an archive.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Hands every feed of an archive to `each` until that says no, and everything else to `left_out`.
pub(super) fn members(
    document: &mut Document<'_>,
    each: &mut dyn FnMut(&mut Document<'_>) -> Result<bool, FeedError>,
    left_out: &mut dyn FnMut(),
) -> Result<(), FeedError> {
    let budget = Rc::clone(&document.budget);
    let zeros = Rc::new(Cell::new(0));
    let mut archive =
        tar::Archive::new(Ending { inner: document.take(), zeros: Rc::clone(&zeros) });
    let mut names = BTreeSet::new();
    for entry in archive.entries()? {
        budget.entry();
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !kind.is_file() || !is_feed_name(&name) {
            left_out();
            continue;
        }
        if !names.insert(name.clone()) {
            let problem = "the archive has two members of this name";
            return Err(FeedError::Forbidden(problem.into()).within(&name));
        }
        if entry.size() > MAX_ENTRY {
            let problem = format!("more than {MAX_ENTRY} bytes");
            return Err(FeedError::TooLarge(problem).within(&name));
        }
        let mut bytes = Vec::new();
        let read = entry.read_to_end(&mut bytes)?;
        if read as u64 != entry.size() {
            return Err(FeedError::Cut("the archive ends within it".into()).within(&name));
        }
        let go_on = Document::new(&name, &bytes, &Budget::new(bytes.len()))
            .and_then(|mut member| each(&mut member))
            .map_err(|error| error.within(&name))?;
        if !go_on {
            return Ok(());
        }
    }
    budget.entry();
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    if zeros.get() < 2 * BLOCK {
        return Err(FeedError::Cut("the archive has no end".into()));
    }
    Ok(())
}

/// Counts the zeros that a stream ends with.
struct Ending<R> {
    inner: R,
    zeros: Rc<Cell<usize>>,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let trailing = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let before = if trailing == bytes.len() { self.zeros.get() } else { 0 };
        self.zeros.set(before.saturating_add(trailing));
        Ok(read)
    }
}
