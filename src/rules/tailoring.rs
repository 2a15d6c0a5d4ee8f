//! A tailoring file: what a site changes about the rules, and why: other values for parameters, and
//! rules that are switched off. The form is described in `rulesets/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use super::library::{FileKind, RuleFile};
use super::params::Params;
use super::reader::Reader;
use super::suggest;
use super::yaml::{self, Content, Node, Span};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::rules as codes;
use crate::model::finding::Tailored;

/// The longest reason and title, in bytes.
const LONGEST: usize = 1000;

/// A tailoring file as it was read; whether what it names exists, and fits, is told when rules are
/// compiled with it.
#[derive(Debug, Clone)]
pub struct Tailoring {
    /// The file as the user knows it.
    name: String,
    text: String,
    title: Arc<str>,
    entries: BTreeMap<Arc<str>, Entry>,
    mistakes: Vec<Diagnostic>,
}

/// What is changed about one rule.
#[derive(Debug, Clone)]
struct Entry {
    span: Span,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    /// It is not judged, for this reason.
    Off(Arc<str>),
    /// Its parameters have these values: a mapping, or a list of mappings, one for each control.
    Values(Node),
}

impl Tailoring {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is too large, or is not YAML.
    pub fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let unreadable = |why: &dyn std::fmt::Display| {
            let message = format!("{name} cannot be read: {why}");
            vec![Diagnostic::error(codes::UNREADABLE, message)]
        };
        let limit = u64::try_from(yaml::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8 text"))?;
        Self::parse(&name, text)
    }

    /// Reads a text; `name` is what the user knows it by.
    ///
    /// # Errors
    /// It is not YAML.
    pub fn parse(name: &str, text: String) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::new(name, &text);
        let node = match yaml::parse(&text) {
            Ok(node) => node,
            Err(problems) => {
                reader.problems(&problems);
                return Err(reader.diagnostics);
            }
        };
        let (title, entries) = checked(&mut reader, &node);
        let mistakes = reader.diagnostics;
        Ok(Self { name: name.to_owned(), title, entries, mistakes, text })
    }
}

fn checked(reader: &mut Reader<'_>, node: &Node) -> (Arc<str>, BTreeMap<Arc<str>, Entry>) {
    let mut entries = BTreeMap::new();
    let Some(members) = reader.members(node, "a tailoring", &["tailoring", "rules"]) else {
        return (Arc::from(""), entries);
    };
    let title = reader.required(&members, "tailoring");
    let title = title.and_then(|node| words(reader, node, "the name of a tailoring"));
    if let Some(rules) = reader.required(&members, "rules") {
        match rules.as_mapping() {
            Some(list) => {
                for (key, node) in list {
                    if let Some(change) = change(reader, node) {
                        let entry = Entry { span: key.span, change };
                        entries.insert(Arc::from(&*key.text), entry);
                    }
                }
            }
            None => {
                let message = format!("`rules` is a mapping of rule ids, not {}", rules.kind());
                reader.error(codes::WRONG_SHAPE, rules.span, message);
            }
        }
    }
    (title.unwrap_or_default(), entries)
}

fn change(reader: &mut Reader<'_>, node: &Node) -> Option<Change> {
    let members = reader.members(node, "a change", &["off", "with"])?;
    match (members.get("off"), members.get("with")) {
        (Some(reason), None) => words(reader, reason, "the reason of `off`").map(Change::Off),
        (None, Some(values)) => Some(Change::Values(values.clone())),
        _ => {
            let message = "a change has one of `off`, with the reason, and `with`, with values";
            reader.error(codes::MISSING_KEY, members.span(), message);
            None
        }
    }
}

/// Text that says something, on one line.
fn words(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Arc<str>> {
    let text = reader.text(node, what)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.len() > LONGEST {
        let message = format!("{what} has 1 to {LONGEST} bytes");
        reader.error(codes::BAD_VALUE, node.span, message);
        return None;
    }
    Some(text.into())
}

/// A tailoring while rules are compiled: which of its entries found their rule, and its mistakes.
pub(crate) struct Changes<'t> {
    tailoring: &'t Tailoring,
    reader: Reader<'t>,
    seen: BTreeSet<&'t str>,
}

impl<'t> Changes<'t> {
    pub(crate) fn new(tailoring: &'t Tailoring) -> Self {
        let reader = Reader::new(&tailoring.name, &tailoring.text);
        Self { tailoring, reader, seen: BTreeSet::new() }
    }

    /// Whether an entry is about a rule of this file.
    pub(crate) fn are_about(&self, file: &RuleFile) -> bool {
        let entries = &self.tailoring.entries;
        match (file.kind, file.id.strip_prefix("cis/benchmarks/")) {
            (FileKind::Benchmark, Some(name)) => {
                let start = format!("cis/{name}/");
                let from = (Bound::Included(start.as_str()), Bound::Unbounded);
                let first = entries.range::<str, _>(from).next();
                first.is_some_and(|(id, _)| id.starts_with(&start))
            }
            _ => entries.contains_key(&file.id),
        }
    }

    /// What is changed about a rule.
    pub(crate) fn of(&mut self, id: &str) -> Option<Values<'_, 't>> {
        let (id, entry) = self.tailoring.entries.get_key_value(id)?;
        self.seen.insert(id);
        let tailored = Tailored {
            by: Arc::clone(&self.tailoring.title),
            off: match &entry.change {
                Change::Off(reason) => Some(Arc::clone(reason)),
                Change::Values(_) => None,
            },
            values: Vec::new(),
        };
        let reader = &mut self.reader;
        Some(Values { reader, id, entry, used: BTreeSet::new(), controls: 0, tailored })
    }

    /// Every mistake, among them entries whose rule does not exist.
    pub(crate) fn done<'n>(
        mut self,
        ids: impl Iterator<Item = &'n str> + Clone,
    ) -> Vec<Diagnostic> {
        for (id, entry) in &self.tailoring.entries {
            if !self.seen.contains(&**id) {
                let message = format!("there is no rule `{id}`");
                let near = suggest::nearest(id, ids.clone());
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let help = help.or_else(|| Some("`assay rules list` shows every id".to_owned()));
                self.reader.report(codes::UNKNOWN_RULE, entry.span, message, help);
            }
        }
        let mut mistakes = self.tailoring.mistakes.clone();
        mistakes.append(&mut self.reader.diagnostics);
        mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|(_, span)| span.start));
        mistakes
    }
}

/// What a tailoring changes about one rule, given to its controls one after the other.
pub(crate) struct Values<'c, 't> {
    reader: &'c mut Reader<'t>,
    id: &'t str,
    entry: &'t Entry,
    used: BTreeSet<&'t str>,
    controls: usize,
    tailored: Tailored,
}

impl Values<'_, '_> {
    /// The parameters of the next control with the values that are meant for it.
    pub(crate) fn apply(&mut self, params: Params) -> Params {
        let Change::Values(node) = &self.entry.change else { return params };
        let position = self.controls;
        self.controls += 1;
        let given = match &node.content {
            Content::Mapping(entries) => {
                let known = |key: &str| params.0.contains_key(key);
                let own: Vec<_> = entries.iter().filter(|(key, _)| known(&key.text)).collect();
                self.used.extend(own.iter().map(|(key, _)| &*key.text));
                let content = Content::Mapping(own.into_iter().cloned().collect());
                Some(Node { span: node.span, content })
            }
            Content::Sequence(items) => items.get(position).cloned(),
            Content::Scalar(_) => None,
        };
        let changed = params.with(self.reader, given.as_ref());
        let entries = given.as_ref().and_then(Node::as_mapping).unwrap_or_default();
        for (key, _) in entries {
            if let Some(param) = changed.0.get(&*key.text) {
                let value = (Arc::from(&*key.text), Arc::clone(&param.text));
                self.tailored.values.push(value);
            }
        }
        changed
    }

    /// A mistake that a value brings out in a control.
    pub(crate) fn mistake(&mut self, control: &str, message: &str) {
        let message = format!("with these values, in control `{control}`: {message}");
        self.reader.error(codes::BAD_VALUE, self.entry.span, message);
    }

    /// What to say of the rule; values that no control took are told.
    pub(crate) fn done(self) -> Tailored {
        let Change::Values(node) = &self.entry.change else { return self.tailored };
        let id = self.id;
        match &node.content {
            Content::Mapping(entries) if entries.is_empty() => {
                self.reader.error(codes::BAD_VALUE, self.entry.span, "`with` sets nothing");
            }
            Content::Mapping(entries) => {
                for (key, _) in entries.iter().filter(|(key, _)| !self.used.contains(&*key.text)) {
                    let message = format!("`{id}` has no parameter `{}`", key.text);
                    let help = Some(format!("`assay rules show {id}` shows what it has"));
                    self.reader.report(codes::UNKNOWN_PARAMETER, key.span, message, help);
                }
            }
            Content::Sequence(items) if items.len() != self.controls => {
                let message = format!(
                    "`{id}` has {} controls, and `with` lists values for {}",
                    self.controls,
                    items.len()
                );
                self.reader.error(codes::BAD_VALUE, node.span, message);
            }
            Content::Sequence(_) => {}
            Content::Scalar(_) => {
                let message = format!("`with` is a mapping of parameters, not {}", node.kind());
                self.reader.error(codes::WRONG_SHAPE, node.span, message);
            }
        }
        self.tailored
    }
}
