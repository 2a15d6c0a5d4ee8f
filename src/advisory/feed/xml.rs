//! XML as feeds have it, as a stream of small trees.
//!
//! Document types are refused, so no entity can be declared; the five of XML and characters by
//! number are resolved. The depth is bounded, and the size of one tree by the document's budget.

use std::io::BufRead;
use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::error::{FeedError, quote};
use super::source::{Budget, Document};

/// Real feeds nest less than thirty deep.
const MAX_DEPTH: usize = 128;

/// An element with all that it holds. Names are without prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// The text directly in it, trimmed.
    pub(super) text: String,
}

impl Element {
    /// An attribute; empty where there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of this name.
    pub(super) fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name; empty where there is none.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }
}

/// The reader.
pub(super) struct Xml<'a> {
    reader: Reader<Box<dyn BufRead + 'a>>,
    buffer: Vec<u8>,
    budget: Rc<Budget>,
    depth: usize,
}

enum Step {
    Open(Element),
    Text(String),
    Close,
}

impl<'a> Xml<'a> {
    /// Over a document, up to its root element, which must have this name.
    pub(super) fn root(document: &mut Document<'a>, name: &str) -> Result<Self, FeedError> {
        let mut reader = Reader::from_reader(document.take());
        reader.config_mut().expand_empty_elements = true;
        let budget = Rc::clone(&document.budget);
        let mut xml = Self { reader, buffer: Vec::new(), budget, depth: 0 };
        loop {
            match xml.step()? {
                Step::Open(root) if root.name == name => return Ok(xml),
                Step::Open(root) => {
                    let problem = format!("it begins with <{}>, not <{name}>", quote(&root.name));
                    return Err(FeedError::Malformed(problem));
                }
                Step::Text(_) | Step::Close => {}
            }
        }
    }

    /// The next child of the element that is open, itself opened; `None`, and the element is
    /// closed, where there is no other. The root's end must be the end of the document.
    pub(super) fn next(&mut self) -> Result<Option<Element>, FeedError> {
        self.budget.entry();
        loop {
            match self.step()? {
                Step::Open(element) => return Ok(Some(element)),
                Step::Text(_) => {}
                Step::Close if self.depth == 0 => {
                    self.end()?;
                    return Ok(None);
                }
                Step::Close => return Ok(None),
            }
        }
    }

    /// The whole of an element that [`Self::next`] opened.
    pub(super) fn tree(&mut self, opened: Element) -> Result<Element, FeedError> {
        let mut parents = Vec::new();
        let mut current = opened;
        loop {
            match self.step()? {
                Step::Open(child) => parents.push(std::mem::replace(&mut current, child)),
                Step::Text(text) => current.text.push_str(&text),
                Step::Close => {
                    let kept = current.text.trim().len();
                    if kept < current.text.len() {
                        current.text = current.text.trim().to_owned();
                    }
                    let Some(parent) = parents.pop() else { return Ok(current) };
                    let child = std::mem::replace(&mut current, parent);
                    current.children.push(child);
                }
            }
        }
    }

    /// Passes over an element that [`Self::next`] opened.
    pub(super) fn skip(&mut self) -> Result<(), FeedError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.budget.entry();
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Step, FeedError> {
        loop {
            self.buffer.clear();
            let at = self.reader.buffer_position();
            let event = self.reader.read_event_into(&mut self.buffer);
            return Ok(match event.map_err(|error| problem(error, at))? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        let problem = format!("it nests more than {MAX_DEPTH} deep");
                        return Err(FeedError::TooLarge(problem));
                    }
                    Step::Open(element(&start, at)?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Step::Close
                }
                Event::Text(text) => Step::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Step::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(name) => {
                    let character = match name.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => predefined(&name.xml10_content()),
                        Err(_) => None,
                    };
                    let character = character.ok_or_else(|| {
                        let name = quote(&name.xml10_content());
                        FeedError::Forbidden(format!("the entity &{name}; at byte {at}"))
                    })?;
                    Step::Text(character.into())
                }
                Event::DocType(_) => {
                    return Err(FeedError::Forbidden(format!("a document type, at byte {at}")));
                }
                Event::Eof => {
                    let problem = format!("the XML ends at byte {at}, within elements");
                    return Err(FeedError::Cut(problem));
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => continue,
            });
        }
    }

    /// Nothing but comments and white space may follow the root.
    fn end(&mut self) -> Result<(), FeedError> {
        loop {
            self.buffer.clear();
            let at = self.reader.buffer_position();
            match self
                .reader
                .read_event_into(&mut self.buffer)
                .map_err(|error| problem(error, at))?
            {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.xml10_content().trim().is_empty() => {}
                _ => {
                    return Err(FeedError::Malformed(format!(
                        "more follows the end, at byte {at}"
                    )));
                }
            }
        }
    }
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, FeedError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let broken = |error: String| {
            FeedError::malformed(format!("an attribute of an element at byte {at}: {error}"))
        };
        let attribute = attribute.map_err(|error| broken(error.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(|error| broken(error.to_string()))?;
        let name = attribute.key.local_name().as_ref().to_owned();
        attributes.push((name, value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn problem(error: Error, at: u64) -> FeedError {
    match error {
        Error::Io(error) => match std::sync::Arc::try_unwrap(error) {
            Ok(error) => error.into(),
            Err(error) => FeedError::malformed(error.to_string()),
        },
        Error::Syntax(
            SyntaxError::InvalidBangMarkup
            | SyntaxError::UnclosedPI
            | SyntaxError::UnclosedXmlDecl
            | SyntaxError::UnclosedComment
            | SyntaxError::UnclosedDoctype
            | SyntaxError::UnclosedCData
            | SyntaxError::UnclosedTag
            | SyntaxError::UnclosedSingleQuotedAttributeValue
            | SyntaxError::UnclosedDoubleQuotedAttributeValue,
        )
        | Error::IllFormed(IllFormedError::MissingEndTag(_)) => {
            FeedError::Cut(format!("the XML ends within markup that begins at byte {at}"))
        }
        other => FeedError::malformed(format!("at byte {at}: {other}")),
    }
}
