//! Nodes as bytes: how the build script hands parsed files to the program. Numbers are LEB128,
//! spans are relative to the node before, texts are kept in place and never copied when read.

use std::borrow::Cow;

use super::{Content, Key, MAX_DEPTH, Node, Scalar, Span};

const PLAIN: u8 = 0;
const QUOTED: u8 = 1;
const SEQUENCE: u8 = 2;
const MAPPING: u8 = 3;

/// The bytes of a tree.
pub fn encode(node: &Node) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), last: 0 };
    writer.node(node);
    writer.bytes
}

/// The tree of bytes that [`encode`] made; `None` where they are not such bytes.
pub fn decode(bytes: &'static [u8]) -> Option<Node> {
    let mut reader = Reader { bytes, last: 0 };
    let node = reader.node(0)?;
    reader.bytes.is_empty().then_some(node)
}

/// The value of one key of the mapping that these bytes are; what comes before it is passed over
/// and what comes after it is not looked at.
pub fn member(bytes: &'static [u8], wanted: &str) -> Option<Node> {
    let mut reader = Reader { bytes, last: 0 };
    if reader.byte()? != MAPPING {
        return None;
    }
    reader.span()?;
    for _ in 0..reader.length()? {
        reader.span()?;
        if reader.text()? == wanted {
            return reader.node(1);
        }
        reader.skip(1)?;
    }
    None
}

struct Writer {
    bytes: Vec<u8>,
    last: u32,
}

impl Writer {
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn span(&mut self, span: Span) {
        self.number(span.start.saturating_sub(self.last));
        self.number(span.end - span.start);
        self.last = span.start;
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn node(&mut self, node: &Node) {
        match &node.content {
            Content::Scalar(scalar) => {
                self.bytes.push(if scalar.plain { PLAIN } else { QUOTED });
                self.span(node.span);
                self.text(&scalar.text);
            }
            Content::Sequence(items) => {
                self.bytes.push(SEQUENCE);
                self.span(node.span);
                self.length(items.len());
                items.iter().for_each(|item| self.node(item));
            }
            Content::Mapping(entries) => {
                self.bytes.push(MAPPING);
                self.span(node.span);
                self.length(entries.len());
                for (key, value) in entries {
                    self.span(key.span);
                    self.text(&key.text);
                    self.node(value);
                }
            }
        }
    }
}

struct Reader {
    bytes: &'static [u8],
    last: u32,
}

impl Reader {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0u32;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn span(&mut self) -> Option<Span> {
        let start = self.last.checked_add(self.number()?)?;
        self.last = start;
        Some(Span { start, end: start.checked_add(self.number()?)? })
    }

    fn text(&mut self) -> Option<Cow<'static, str>> {
        let length = self.number()? as usize;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok().map(Cow::Borrowed)
    }

    /// A length of items that take at least one byte each.
    fn length(&mut self) -> Option<usize> {
        let length = self.number()? as usize;
        (length <= self.bytes.len()).then_some(length)
    }

    /// Passes a node over.
    fn skip(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let kind = self.byte()?;
        self.span()?;
        match kind {
            PLAIN | QUOTED => drop(self.text()?),
            SEQUENCE => (0..self.length()?).try_for_each(|_| self.skip(depth + 1))?,
            MAPPING => {
                for _ in 0..self.length()? {
                    self.span()?;
                    self.text()?;
                    self.skip(depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn node(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let kind = self.byte()?;
        let span = self.span()?;
        let content = match kind {
            PLAIN | QUOTED => Content::Scalar(Scalar { text: self.text()?, plain: kind == PLAIN }),
            SEQUENCE => {
                let length = self.length()?;
                Content::Sequence((0..length).map(|_| self.node(depth + 1)).collect::<Option<_>>()?)
            }
            MAPPING => {
                let length = self.length()?;
                let mut entries = Vec::with_capacity(length);
                for _ in 0..length {
                    let key = Key { span: self.span()?, text: self.text()? };
                    entries.push((key, self.node(depth + 1)?));
                }
                Content::Mapping(entries)
            }
            _ => return None,
        };
        Some(Node { span, content })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const TEXT: &str =
        "a: 1\nb: [x, \"y\", { c: null, d: [] }]\ne:\n  - f: |\n      long\n      text\n";

    #[test]
    fn round_trip() {
        let node = parse(TEXT).unwrap();
        let bytes: &'static [u8] = encode(&node).leak();
        assert_eq!(decode(bytes), Some(node));
    }

    #[test]
    fn one_member_without_the_rest() {
        let node = parse(TEXT).unwrap();
        let bytes: &'static [u8] = encode(&node).leak();
        for key in ["a", "b", "e"] {
            assert_eq!(member(bytes, key).as_ref(), node.get(key), "{key}");
        }
        assert_eq!(member(bytes, "f"), None);
        assert_eq!(member(encode(node.get("b").unwrap()).leak(), "x"), None);
    }

    #[test]
    fn cut_bytes_are_refused() {
        let bytes: &'static [u8] = encode(&parse(TEXT).unwrap()).leak();
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None, "{end}");
        }
    }
}
