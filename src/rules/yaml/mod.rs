//! YAML text to a tree of spanned nodes. Nothing here knows about rules: the build script uses the
//! same module to prepare the embedded files, so it imports nothing of this crate.
//!
//! Only what configuration needs is accepted: one document, mappings with text keys, sequences and
//! scalars. Anchors, aliases, tags and duplicate keys are errors; depth and size are bounded.

mod binary;
mod parse;

use std::borrow::Cow;

pub use binary::{decode, encode, member};
pub use parse::parse;

/// The most bytes a file may have.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of sequences and mappings.
pub const MAX_DEPTH: usize = 64;
/// The most nodes a file may have.
pub const MAX_NODES: usize = 200_000;

/// A byte range in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A node: where it is, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes. A block sequence or mapping begins at its first item.
    pub span: Span,
    /// What it is.
    pub content: Content,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file, keys unique.
    Mapping(Vec<(Key, Node)>),
}

/// A scalar as it was written, quotes and escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text.
    pub text: Cow<'static, str>,
    /// Whether it was written without quotes and not as a block: only then can it be null, a
    /// truth value or a number.
    pub plain: bool,
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its bytes.
    pub span: Span,
    /// Its text.
    pub text: Cow<'static, str>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind of mistake.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// One sentence.
    pub message: String,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML.
    Syntax,
    /// A feature of YAML that is not accepted here.
    Feature,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// Too large, too deep or too many nodes.
    Limit,
}

impl Node {
    /// The items, where it is a sequence.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.content {
            Content::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, where it is a mapping.
    pub fn as_mapping(&self) -> Option<&[(Key, Node)]> {
        match &self.content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The scalar, where it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it is the plain scalar `null`, `~` or nothing at all.
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// The value of a key, where it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.iter().find(|(other, _)| other.text == key).map(|(_, node)| node)
    }

    /// The word for what it is, in messages.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) if scalar.is_null() => "nothing",
            Content::Scalar(_) => "a single value",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}

impl Scalar {
    /// Whether it is a plain `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// The truth value, where it is a plain `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match (&*self.text, self.plain) {
            ("true", true) => Some(true),
            ("false", true) => Some(false),
            _ => None,
        }
    }

    /// The whole number, where it is a plain decimal one.
    pub fn as_int(&self) -> Option<i64> {
        if self.plain { self.text.parse().ok() } else { None }
    }
}
