//! Events of the YAML parser to nodes, without recursion.

use std::borrow::Cow;
use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::{
    Content, Key, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, Problem, ProblemKind, Scalar, Span,
};

/// The single document of a text; a text without any is a null scalar.
///
/// # Errors
/// Every mistake that can be told apart: a syntax error ends the reading, duplicate keys, anchors,
/// aliases and tags are all listed.
pub fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        return Err(vec![Problem {
            kind: ProblemKind::Limit,
            span: Span::default(),
            message: format!("the file has {} bytes, more than {MAX_BYTES}", text.len()),
        }]);
    }
    let mut builder = Builder::new(text);
    builder.run(text);
    if builder.problems.is_empty() {
        Ok(builder.root.unwrap_or(Node {
            span: Span::default(),
            content: Content::Scalar(Scalar { text: Cow::Borrowed(""), plain: true }),
        }))
    } else {
        Err(builder.problems)
    }
}

/// A sequence or mapping whose end has not come yet.
enum Open {
    Sequence { start: usize, items: Vec<Node> },
    Mapping { start: usize, entries: Vec<(Key, Node)>, key: Option<Key>, seen: BTreeSet<String> },
}

struct Builder {
    offsets: Offsets,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

/// What an event asks of the loop.
#[derive(PartialEq)]
enum Flow {
    Go,
    Stop,
}

impl Builder {
    fn new(text: &str) -> Self {
        Self {
            offsets: Offsets::new(text),
            open: Vec::new(),
            root: None,
            nodes: 0,
            problems: Vec::new(),
        }
    }

    fn run(&mut self, text: &str) {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let flow = match event {
                Ok((event, span)) => {
                    let span = self.offsets.span(span.start.index(), span.end.index());
                    self.event(event, span)
                }
                Err(error) => self.syntax(&error),
            };
            if flow == Flow::Stop {
                return;
            }
        }
    }

    fn syntax(&mut self, error: &ScanError) -> Flow {
        let at = error.marker().index();
        let span = self.offsets.span(at, at);
        self.problem(ProblemKind::Syntax, span, format!("not valid YAML: {}", error.info()));
        Flow::Stop
    }

    fn problem(&mut self, kind: ProblemKind, span: Span, message: impl Into<String>) {
        self.problems.push(Problem { kind, span, message: message.into() });
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Flow {
        self.nodes += 1;
        if self.nodes > MAX_NODES || self.problems.len() > 100 {
            self.problem(ProblemKind::Limit, span, "the file is too long to be read further");
            return Flow::Stop;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), span);
                let plain = style == ScalarStyle::Plain;
                self.scalar(Cow::Owned(text.into_owned()), plain, span);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), span);
                let start = span.start as usize;
                return self.begin(Open::Sequence { start, items: Vec::new() }, span);
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), span);
                let (start, entries, seen) = (span.start as usize, Vec::new(), BTreeSet::new());
                return self.begin(Open::Mapping { start, entries, key: None, seen }, span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(_) => {
                self.problem(ProblemKind::Feature, span, "aliases (`*name`) are not accepted");
                self.scalar(Cow::Borrowed(""), true, span);
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                self.problem(ProblemKind::Feature, span, "a file holds one document only");
                return Flow::Stop;
            }
            _ => {}
        }
        Flow::Go
    }

    fn refuse_extras(&mut self, anchor: usize, tag: bool, span: Span) {
        if anchor != 0 {
            self.problem(ProblemKind::Feature, span, "anchors (`&name`) are not accepted");
        }
        if tag {
            self.problem(ProblemKind::Feature, span, "tags (`!name`) are not accepted");
        }
    }

    fn begin(&mut self, open: Open, span: Span) -> Flow {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            self.problem(ProblemKind::Limit, span, message);
            return Flow::Stop;
        }
        self.open.push(open);
        Flow::Go
    }

    fn scalar(&mut self, text: Cow<'static, str>, plain: bool, span: Span) {
        if let Some(Open::Mapping { key: key @ None, seen, .. }) = self.open.last_mut() {
            let duplicate = !seen.insert(text.to_string());
            let message = format!("the key `{text}` stands twice in one mapping");
            *key = Some(Key { span, text });
            if duplicate {
                self.problem(ProblemKind::DuplicateKey, span, message);
            }
            return;
        }
        self.add(Node { span, content: Content::Scalar(Scalar { text, plain }) });
    }

    fn end(&mut self, span: Span) {
        let node = match self.open.pop() {
            Some(Open::Sequence { start, items }) => {
                let last = items.last().map(|node| node.span.end);
                Node { span: closing(start, span, last), content: Content::Sequence(items) }
            }
            Some(Open::Mapping { start, entries, .. }) => {
                let last = entries.last().map(|(_, node)| node.span.end);
                Node { span: closing(start, span, last), content: Content::Mapping(entries) }
            }
            None => return,
        };
        self.add(node);
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { key, entries, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let span = node.span;
                    *key = Some(Key { span, text: Cow::Borrowed("") });
                    self.problem(ProblemKind::Feature, span, "a key must be a single value");
                }
            },
        }
    }
}

/// A block collection's end event comes at the next token, so its last item ends it; a flow
/// collection's is its bracket.
fn closing(start: usize, end: Span, last: Option<u32>) -> Span {
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    let bracket = end.end > end.start;
    let end = if bracket { end.end } else { last.unwrap_or(end.start) };
    Span { start, end: end.max(start) }
}

/// Character positions, which the parser counts in, to byte positions.
struct Offsets {
    /// Byte offset of each character, and the length; none where the text is ASCII.
    bytes: Option<Vec<u32>>,
    length: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii()).then(|| {
            text.char_indices()
                .map(|(byte, _)| byte)
                .chain([text.len()])
                .map(|byte| u32::try_from(byte).unwrap_or(u32::MAX))
                .collect()
        });
        Self { bytes, length: text.len() }
    }

    fn byte(&self, character: usize) -> u32 {
        let ascii = u32::try_from(character.min(self.length)).unwrap_or(u32::MAX);
        match &self.bytes {
            None => ascii,
            Some(bytes) => bytes.get(character).or(bytes.last()).copied().unwrap_or(ascii),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let start = self.byte(start);
        Span { start, end: self.byte(end).max(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Span) -> &str {
        &text[span.start as usize..span.end as usize]
    }

    #[test]
    fn spans_are_bytes_even_after_wide_characters() {
        let text = "title: Grüße\nlist: [ä, { b: \"c d\" }]\n";
        let node = parse(text).unwrap();
        assert_eq!(shown(text, node.get("title").unwrap().span), "Grüße");
        let list = node.get("list").unwrap();
        assert_eq!(shown(text, list.span), "[ä, { b: \"c d\" }]");
        let inner = &list.as_sequence().unwrap()[1];
        assert_eq!(shown(text, inner.span), "{ b: \"c d\" }");
        assert_eq!(inner.get("b").unwrap().as_scalar().unwrap().text, "c d");
    }

    #[test]
    fn every_mistake_is_listed() {
        let text = "a: &x 1\nb: *x\na: 2\nc: !t 3\n";
        let problems = parse(text).unwrap_err();
        let kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
        use ProblemKind::{DuplicateKey, Feature};
        assert_eq!(kinds, [Feature, Feature, DuplicateKey, Feature], "{problems:?}");
    }

    #[test]
    fn depth_size_and_odd_keys_are_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        let deep = "[".repeat(70) + &"]".repeat(70);
        assert_eq!(parse(&deep).unwrap_err()[0].kind, ProblemKind::Limit);
        let deep = "- ".repeat(100_000);
        assert_eq!(parse(&deep).unwrap_err()[0].kind, ProblemKind::Limit);
        assert!(parse(&" ".repeat(MAX_BYTES + 1)).is_err());
        assert!(parse("? [a, b]\n: c\n").is_err());
        assert!(parse("a: 1\n---\nb: 2\n").is_err());
        assert!(parse("a: [1\n").is_err());
    }

    #[test]
    fn scalars_know_how_they_were_written() {
        let node = parse("a: \"1\"\nb: 1\nc: null\nd: 'null'\ne: true\nf: no\n").unwrap();
        let scalar = |key| node.get(key).unwrap().as_scalar().unwrap().clone();
        assert_eq!(scalar("a").as_int(), None);
        assert_eq!(scalar("b").as_int(), Some(1));
        assert!(scalar("c").is_null() && !scalar("d").is_null());
        assert_eq!((scalar("e").as_bool(), scalar("f").as_bool()), (Some(true), None));
    }
}
