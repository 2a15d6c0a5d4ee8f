//! As much YAML as secdb has: mappings, sequences and plain texts, read without recursion.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser};

use super::error::{FeedError, quote};
use super::secdb::{Item, Package, Written};

/// Real files nest seven deep.
const MAX_DEPTH: usize = 32;

/// A collection that is open, and how its items are named: by a key, or not.
struct Open {
    key: Option<String>,
    seen: BTreeSet<String>,
    mapping: bool,
}

/// What a secdb file says. Texts are put where the path of keys above them says.
pub(super) fn secdb(text: &str) -> Result<Written, FeedError> {
    let mut written = Written::default();
    let mut open: Vec<Open> = Vec::new();
    let mut ended = false;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| FeedError::malformed(format!("not valid YAML: {error}")))?;
        let line = span.start.line();
        let refuse = |what: &str| Err(FeedError::Forbidden(format!("{what}, at line {line}")));
        match event {
            Event::Alias(_) => return refuse("an alias"),
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) if anchor != 0 => {
                return refuse("an anchor");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() >= MAX_DEPTH {
                    let problem = format!("it nests more than {MAX_DEPTH} deep");
                    return Err(FeedError::TooLarge(problem));
                }
                let mapping = matches!(event, Event::MappingStart(..));
                begin(mapping, &open, &mut written);
                open.push(Open { key: None, seen: BTreeSet::new(), mapping });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                value_ended(&mut open);
            }
            Event::Scalar(value, ..) => match open.last_mut() {
                Some(Open { key: key @ None, seen, mapping: true }) => {
                    if !seen.insert(value.to_string()) {
                        return refuse(&format!("the key {:?} twice", quote(&value)));
                    }
                    *key = Some(value.into_owned());
                }
                _ => {
                    scalar(&value, &open, &mut written);
                    value_ended(&mut open);
                }
            },
            Event::DocumentStart(_) if ended => return refuse("a second document"),
            Event::DocumentEnd => ended = true,
            _ => {}
        }
    }
    Ok(written)
}

fn value_ended(open: &mut [Open]) {
    if let Some(parent) = open.last_mut() {
        parent.key = None;
    }
}

/// The keys above, without the sequences between them.
fn path(open: &[Open]) -> Vec<&str> {
    open.iter().filter_map(|open| open.key.as_deref()).collect()
}

fn begin(mapping: bool, open: &[Open], written: &mut Written) {
    match path(open).as_slice() {
        ["packages"] if mapping => written.packages.push(Item::default()),
        ["packages", "pkg", "secfixes", version] if !mapping => {
            if let Some(package) = last(written) {
                package.secfixes.0.push(((*version).to_owned(), Some(Vec::new())));
            }
        }
        _ => {}
    }
}

fn scalar(value: &str, open: &[Open], written: &mut Written) {
    match path(open).as_slice() {
        ["distroversion"] => written.distroversion = Some(value.to_owned()),
        ["urlprefix"] => written.urlprefix = Some(value.to_owned()),
        ["packages", "pkg", "name"] => {
            if let Some(package) = last(written) {
                package.name = value.to_owned();
            }
        }
        ["packages", "pkg", "secfixes", _] => {
            let fixes = last(written).and_then(|package| package.secfixes.0.last_mut());
            if let Some((_, Some(ids))) = fixes {
                ids.push(value.to_owned());
            }
        }
        _ => {}
    }
}

fn last(written: &mut Written) -> Option<&mut Package> {
    written.packages.last_mut().map(|item| &mut item.pkg)
}
