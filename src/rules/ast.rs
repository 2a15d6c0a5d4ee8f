//! Checked rules: what is left of a file once every name and type was found right. These types
//! cannot hold an unknown table or column, a value of the wrong type, or an `each` that could
//! hold over nothing without saying so.

use std::sync::Arc;

use super::pattern::Pattern;
use crate::model::finding::{RuleInfo, Tailored};
use crate::model::schema::TableSchema;
use crate::model::value::Value;

/// A rule that can be judged.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What reports say about it.
    pub info: RuleInfo,
    /// The finding's sentence.
    pub finding: Template,
    /// Attributes that every finding of the rule carries.
    pub attributes: Vec<(Arc<str>, Arc<str>)>,
    /// Whether a finding lists the packages it was seen in (`package_name`).
    pub lists_packages: bool,
    /// Which hosts the rule's benchmark is about; others are not judged by it at all.
    pub benchmark: Option<Arc<Pred>>,
    /// What is judged.
    pub body: Body,
}

impl Rule {
    /// Says what a tailoring changed about the rule; one that is switched off asks nothing any more.
    pub(crate) fn tailor(&mut self, tailored: Tailored) {
        if let Some(reason) = &tailored.off {
            self.body = Body::Off(format!("switched off by {}: {reason}", tailored.by).into());
        }
        self.info.tailored = Some(tailored);
    }
}

/// What a rule asks of a host.
#[derive(Debug, Clone)]
pub enum Body {
    /// Every part must hold; a plain rule has one.
    Parts(Vec<Part>),
    /// A person has to judge it, with these words of advice.
    Manual(Arc<str>),
    /// It is not judged, for this reason.
    Off(Arc<str>),
}

/// One requirement with the hosts it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// Over the `host` table, with words for it.
    pub applies: Option<(Pred, Arc<str>)>,
    /// Each must hold, else the part is not applicable for the reason.
    pub requires: Vec<(Expr, Arc<str>)>,
    /// The requirement.
    pub check: Expr,
}

/// A boolean expression over queries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// Every one holds.
    All(Vec<Expr>),
    /// At least one holds.
    Any(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A question to one table.
    Query(Box<Query>),
}

/// A question to one table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// The table.
    pub table: Table,
    /// Which rows count.
    pub filter: Pred,
    /// How many of them must satisfy `must`.
    pub expect: Expect,
    /// What is asked of a row; `Pred::All([])` where nothing is.
    pub must: Pred,
    /// What no row at all means; always there for [`Expect::Each`].
    pub when_empty: Option<WhenEmpty>,
    /// The location of evidence where there is no row.
    pub at: Option<Arc<str>>,
    /// What evidence says is required, instead of generated words.
    pub expected: Option<Arc<str>>,
}

/// A table, compared by its name.
#[derive(Debug, Clone, Copy)]
pub struct Table(pub &'static TableSchema);

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}
impl Eq for Table {}
impl std::hash::Hash for Table {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

/// How many rows must satisfy `must`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expect {
    /// Every one.
    Each,
    /// At least one.
    Some,
    /// Not one.
    None,
    /// So many that all of these hold of their number.
    Count(Vec<Test>),
}

/// What a query over no row at all means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WhenEmpty {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It cannot be told.
    Unknown,
    /// The rule is not about this host.
    NotApplicable,
    /// As if there were this row: one cell a column of the table.
    Row(Vec<Value>),
}

/// A predicate over one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pred {
    /// Every one holds; of none: true.
    All(Vec<Pred>),
    /// At least one holds.
    Any(Vec<Pred>),
    /// It does not hold.
    Not(Box<Pred>),
    /// A test of one column.
    Leaf {
        /// The column's position.
        column: usize,
        /// The test.
        test: Test,
    },
}

impl Pred {
    /// The predicate that holds for every row.
    pub const TRUE: Self = Self::All(Vec::new());

    /// Whether it is the predicate that holds for every row.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::All(list) if list.is_empty())
    }

    /// Calls `visit` for every leaf, from left to right.
    pub fn leaves<'a>(&'a self, visit: &mut dyn FnMut(usize, &'a Test)) {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|pred| pred.leaves(visit)),
            Self::Not(pred) => pred.leaves(visit),
            Self::Leaf { column, test } => visit(*column, test),
        }
    }
}

impl Expr {
    /// Calls `visit` for every query, from left to right.
    pub fn queries<'a>(&'a self, visit: &mut dyn FnMut(&'a Query)) {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|expr| expr.queries(visit)),
            Self::Not(expr) => expr.queries(visit),
            Self::Query(query) => visit(query),
        }
    }
}

/// A test of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// It has a value.
    Exists,
    /// It has no value.
    Null,
    /// It equals.
    Eq(Value),
    /// It does not equal, or has no value.
    Ne(Value),
    /// Number below.
    Lt(i64),
    /// Number not above.
    Le(i64),
    /// Number above.
    Gt(i64),
    /// Number not below.
    Ge(i64),
    /// One of these.
    In(Vec<Value>),
    /// Not one of these, or no value.
    NotIn(Vec<Value>),
    /// Equal without regard to ASCII case.
    IEquals(Arc<str>),
    /// Text inside text.
    ContainsText(Arc<str>),
    /// Element of a list.
    Contains(Value),
    /// All of these are elements.
    ContainsAll(Vec<Value>),
    /// At least one of these is an element.
    ContainsAny(Vec<Value>),
    /// Every element is one of these.
    SubsetOf(Vec<Value>),
    /// All the tests hold for every element.
    Each(Vec<Test>),
    /// All the tests hold for some element.
    Some(Vec<Test>),
    /// The regular expression matches somewhere.
    Matches(Pattern),
    /// The glob matches as a whole.
    Glob(Pattern),
    /// Below one of these directories.
    Under(Vec<Arc<str>>),
    /// All these bits are set.
    BitsSet(i64),
    /// None of these bits is set.
    BitsClear(i64),
    /// Ordered so against this version by the row's package manager.
    Version(Order, Arc<str>),
    /// The version of a release: equal, or this and then a dot and more.
    Release(Arc<str>),
    /// More seconds than this before the facts were collected.
    OlderThan(i64),
}

/// The comparisons of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Before.
    Lt,
    /// Not after.
    Le,
    /// After.
    Gt,
    /// Not before.
    Ge,
}

impl Order {
    /// Whether an ordering is of this kind.
    pub const fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
        }
    }
}

/// A sentence with the host's columns to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(pub Vec<Segment>);

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text as it is.
    Text(Arc<str>),
    /// The column of `host` at this position.
    Host(usize),
}
