//! The CIS controls of a library. Those that came with the program are read when a recommendation
//! first asks for them; the test of the rulesets has found them right.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::tree;
use super::library::{FileKind, Library, RuleFile};
use super::params::Params;
use super::reader::Reader;
use super::rule;
use super::yaml::{self, Node};
use crate::diagnostic::Diagnostic;
use crate::model::finding::Severity;

/// A control file that was read and found right by itself.
pub(crate) struct Control {
    pub(crate) node: Arc<Node>,
    pub(crate) params: Params,
    /// The name and text of its file, for the rare mistake that only a value brings out.
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
}

/// All controls by name.
pub(crate) struct Controls<'l> {
    known: BTreeMap<&'l str, (&'l RuleFile, OnceCell<Option<Control>>)>,
}

impl<'l> Controls<'l> {
    /// The controls of a library. With `strict` all are read and checked now, else only those that
    /// a user gave.
    pub(crate) fn of(library: &'l Library, strict: bool, found: &mut Vec<Diagnostic>) -> Self {
        let mut known = BTreeMap::new();
        for file in library.files().filter(|file| file.kind == FileKind::Control) {
            let name = file.id.strip_prefix("cis/controls/").unwrap_or(&file.id);
            let slot = OnceCell::new();
            if strict || !file.is_embedded() {
                let mut reader = Reader::new(&file.name, &file.text);
                let _ = slot.set(checked(&mut reader, file));
                found.append(&mut reader.diagnostics);
            }
            known.insert(name, (file, slot));
        }
        Self { known }
    }

    /// Whether all came with the program.
    pub(crate) fn are_embedded(&self) -> bool {
        self.known.values().all(|(file, _)| file.is_embedded())
    }

    /// The control with this name; the inner option is none where its file has mistakes.
    pub(crate) fn get(&self, name: &str) -> Option<Option<&Control>> {
        let (file, slot) = self.known.get(name)?;
        let mut reader = Reader::new(&file.name, &file.text);
        Some(slot.get_or_init(|| read(&mut reader, file)).as_ref())
    }

    /// The severity of a control of the program, read without the rest of its file.
    pub(crate) fn severity(&self, reader: &mut Reader<'_>, name: &str) -> Option<Severity> {
        let (file, _) = self.known.get(name)?;
        rule::severity(reader, &yaml::member(file.tree?, "severity")?)
    }

    /// Their names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'l str> + Clone {
        self.known.keys().copied()
    }
}

fn read(reader: &mut Reader<'_>, file: &RuleFile) -> Option<Control> {
    let node = tree(reader, file)?;
    let params = rule::params(reader, &node);
    let text = Arc::from(&*file.text);
    Some(Control { node: Arc::new(node), params, name: file.name.clone(), text })
}

/// A control that is right by itself; its parameters may lack values.
fn checked(reader: &mut Reader<'_>, file: &RuleFile) -> Option<Control> {
    let control = read(reader, file)?;
    rule::content(reader, &control.node, &control.params, true, false)?;
    reader.diagnostics.is_empty().then_some(control)
}
