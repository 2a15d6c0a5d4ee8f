//! Reading nodes: what every decoder needs to report mistakes and go on.

use std::sync::Arc;

use super::suggest;
use super::yaml::{Content, Node, Problem, ProblemKind, Span};
use crate::diagnostic::codes::rules as codes;
use crate::diagnostic::{self, Code, Diagnostic, Source};

/// The most mistakes that are listed for one file.
const MAX_DIAGNOSTICS: usize = 200;

/// Collects the mistakes of one file.
pub(crate) struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    source: Option<Arc<Source>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// For the file that the user knows as `name`.
    pub(crate) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, source: None, diagnostics: Vec::new() }
    }

    fn source(&mut self) -> Arc<Source> {
        let (name, text) = (self.name, self.text);
        Arc::clone(self.source.get_or_insert_with(|| {
            Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
        }))
    }

    /// Reports a mistake.
    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(code, span, message, None);
    }

    /// Reports what is worth knowing and no mistake.
    pub(crate) fn warn(&mut self, code: Code, span: Span, message: impl Into<String>) {
        let before = self.diagnostics.len();
        self.error(code, span, message);
        if let Some(warning) = self.diagnostics.get_mut(before) {
            warning.level = diagnostic::Level::Warning;
        }
    }

    /// Reports a mistake with advice.
    pub(crate) fn report(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        if self.diagnostics.len() >= MAX_DIAGNOSTICS {
            return;
        }
        let source = self.source();
        let span = diagnostic::Span::new(span.start as usize, span.end as usize);
        let mut diagnostic = Diagnostic::error(code, message).at(&source, span);
        diagnostic.help = help;
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports what the YAML reader found.
    pub(crate) fn problems(&mut self, problems: &[Problem]) {
        for problem in problems {
            let code = match problem.kind {
                ProblemKind::Syntax => codes::NOT_YAML,
                ProblemKind::Feature => codes::YAML_FEATURE,
                ProblemKind::DuplicateKey => codes::DUPLICATE_KEY,
                ProblemKind::Limit => codes::LIMIT,
            };
            self.error(code, problem.span, problem.message.clone());
        }
    }

    /// The members of a mapping that has only members named in `known`.
    pub(crate) fn members<'n>(
        &mut self,
        node: &'n Node,
        what: &'static str,
        known: &[&str],
    ) -> Option<Members<'n>> {
        let Some(entries) = node.as_mapping() else {
            let message = format!("{what} is a mapping, not {}", node.kind());
            self.error(codes::WRONG_SHAPE, node.span, message);
            return None;
        };
        for (key, _) in entries {
            if !known.contains(&&*key.text) {
                let message = format!("{what} has no member `{}`", key.text);
                let help = suggest::help(&key.text, known.iter().copied());
                self.report(codes::UNKNOWN_KEY, key.span, message, help);
            }
        }
        let span = entries.first().map_or(node.span, |(key, _)| key.span);
        Some(Members { node, what, span })
    }

    /// The member `key`, which must be there.
    pub(crate) fn required<'n>(&mut self, members: &Members<'n>, key: &str) -> Option<&'n Node> {
        let found = members.get(key);
        if found.is_none() {
            let message = format!("{} needs `{key}`", members.what);
            self.error(codes::MISSING_KEY, members.span, message);
        }
        found
    }

    /// A single value as it is written, not null.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.content {
            Content::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => {
                let message = format!("{what} is text, not {}", node.kind());
                self.error(codes::WRONG_SHAPE, node.span, message);
                None
            }
        }
    }

    /// The items of a list.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let items = node.as_sequence();
        if items.is_none() {
            let message = format!("{what} is a list, not {}", node.kind());
            self.error(codes::WRONG_SHAPE, node.span, message);
        }
        items
    }

    /// A list of texts, or one text.
    pub(crate) fn texts(&mut self, node: &Node, what: &str) -> Vec<Arc<str>> {
        match node.as_sequence() {
            Some(items) => {
                items.iter().filter_map(|item| self.text(item, what)).map(Arc::from).collect()
            }
            None => self.text(node, what).map(Arc::from).into_iter().collect(),
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(node, what)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let help = suggest::help(text, words.iter().map(|(word, _)| *word));
            let message = format!("`{text}` is no {what}");
            self.report(codes::BAD_VALUE, node.span, message, help);
        }
        found
    }
}

/// A mapping whose members' names are known to be right.
pub(crate) struct Members<'n> {
    node: &'n Node,
    what: &'static str,
    span: Span,
}

impl<'n> Members<'n> {
    /// The member, where it is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.node.get(key)
    }

    /// Where to point for the mapping as a whole: its first key.
    pub(crate) fn span(&self) -> Span {
        self.span
    }
}
