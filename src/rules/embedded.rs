//! The rulesets that the build script put into the program.

use std::borrow::Cow;
use std::sync::Arc;

use super::library::{FileKind, RuleFile};

struct Embedded {
    path: &'static str,
    text: &'static str,
    tree: (usize, usize),
}

static FILES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/rulesets.in"));
static TREES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rulesets.bin"));

/// The files, by path.
pub(crate) fn files() -> impl Iterator<Item = RuleFile> {
    FILES.iter().filter_map(|file| {
        let (kind, id) = FileKind::of(file.path)?;
        Some(RuleFile {
            kind,
            id: Arc::from(id),
            name: format!("rulesets/{}", file.path),
            text: Cow::Borrowed(file.text),
            tree: TREES.get(file.tree.0..file.tree.1).filter(|tree| !tree.is_empty()),
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_embedded_file_is_in_a_place_that_rules_have() {
        for file in super::FILES {
            assert!(super::FileKind::of(file.path).is_some(), "{}", file.path);
        }
    }
}
