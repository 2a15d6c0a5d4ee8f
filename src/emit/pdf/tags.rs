//! The structure of the text, for those who have it read to them.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, Node, TableHeaderScope, Tag, TagGroup, TagTree};

/// What a group is.
pub(super) enum Kind {
    Heading(u16),
    Paragraph,
    Table,
    Row,
    HeadCell,
    Cell,
    /// A picture, with words for it.
    Figure(String),
    Contents,
    Entry,
}

enum Child {
    Group(Kind, Vec<Child>),
    Leaf(usize),
}

/// The groups so far, and those that are open.
#[derive(Default)]
pub(super) struct Tags {
    done: Vec<Child>,
    open: Vec<(Kind, Vec<Child>)>,
    leaves: usize,
}

impl Tags {
    pub(super) fn open(&mut self, kind: Kind) {
        self.open.push((kind, Vec::new()));
    }

    pub(super) fn close(&mut self) {
        if let Some((kind, children)) = self.open.pop() {
            self.push(Child::Group(kind, children));
        }
    }

    /// The number of a new part of the text within the open group.
    pub(super) fn leaf(&mut self) -> usize {
        let leaf = self.leaves;
        self.leaves += 1;
        self.push(Child::Leaf(leaf));
        leaf
    }

    fn push(&mut self, child: Child) {
        match self.open.last_mut() {
            Some((_, children)) => children.push(child),
            None => self.done.push(child),
        }
    }

    /// Adds everything to a tree, with what was drawn for each leaf.
    pub(super) fn add_to(self, tree: &mut TagTree, mut drawn: Vec<Vec<Identifier>>) {
        drawn.resize_with(self.leaves, Vec::new);
        for child in self.done {
            nodes(child, &mut drawn).into_iter().for_each(|node| tree.push(node));
        }
    }
}

fn nodes(child: Child, drawn: &mut [Vec<Identifier>]) -> Vec<Node> {
    match child {
        Child::Leaf(leaf) => {
            let found = drawn.get_mut(leaf).map(std::mem::take).unwrap_or_default();
            found.into_iter().map(Node::from).collect()
        }
        Child::Group(kind, children) => {
            let mut group = group(kind);
            for child in children {
                nodes(child, drawn).into_iter().for_each(|node| group.push(node));
            }
            vec![Node::from(group)]
        }
    }
}

fn group(kind: Kind) -> TagGroup {
    match kind {
        Kind::Heading(level) => {
            TagGroup::new(Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), None))
        }
        Kind::Paragraph => TagGroup::new(Tag::P),
        Kind::Table => TagGroup::new(Tag::Table),
        Kind::Row => TagGroup::new(Tag::TR),
        Kind::HeadCell => TagGroup::new(Tag::TH(TableHeaderScope::Column)),
        Kind::Cell => TagGroup::new(Tag::TD),
        Kind::Figure(words) => TagGroup::new(Tag::Figure(Some(words))),
        Kind::Contents => TagGroup::new(Tag::TOC),
        Kind::Entry => TagGroup::new(Tag::TOCI),
    }
}
