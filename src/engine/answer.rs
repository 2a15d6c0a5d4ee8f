//! Answers to atoms: counting rows, and what the counts mean.

use std::sync::Arc;

use super::predicate::{holds, value_holds};
use super::truth::{Tri, Truth};
use crate::model::facts::{Row, Rows};
use crate::model::state::TableState;
use crate::model::value::Value;
use crate::rules::Atoms;
use crate::rules::ast::{Expect, Query, Test, WhenEmpty};

/// The most rows that are kept for the evidence of one atom.
pub(crate) const MAX_KEPT: usize = 1000;

/// The answers of one host.
pub(crate) struct Answers<'p> {
    pub(crate) atoms: &'p Atoms,
    /// Which atoms are needed.
    pub(crate) needed: Vec<bool>,
    /// Which row sets are needed.
    pub(crate) row_sets: Vec<bool>,
    /// When the facts were collected.
    pub(crate) now: Option<i64>,
    /// One for each atom; only those of needed ones are filled.
    pub(crate) answers: Vec<Answer>,
}

/// The answer to one atom.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) truth: Truth,
    /// Rows for which `must` does not hold, where evidence could need them.
    pub(crate) violators: Kept,
    /// Rows for which it does.
    pub(crate) holders: Kept,
    /// Whether there was no row, and the default stands for it.
    pub(crate) by_default: bool,
    /// Why a collected table that the rows are made of is not there, and is missed.
    pub(crate) missing: Option<Arc<str>>,
}

/// Rows kept for evidence.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) rows: Option<Arc<Rows>>,
    pub(crate) indexes: Vec<usize>,
    pub(crate) total: usize,
}

/// What the rows seen so far say about an atom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    pub(crate) holders: usize,
    pub(crate) violators: usize,
    /// Whether a row could not be judged, and what it is could change the answer.
    pub(crate) doubt: bool,
    /// Whether a row may belong to the row set and may not.
    pub(crate) maybe_rows: bool,
}

impl<'p> Answers<'p> {
    pub(crate) fn new(atoms: &'p Atoms, needed: Vec<bool>, now: Option<i64>) -> Self {
        let mut row_sets = vec![false; atoms.row_sets.len()];
        for (atom, _) in atoms.atoms.iter().zip(&needed).filter(|(_, needed)| **needed) {
            if let Some(set) = row_sets.get_mut(atom.row_set) {
                *set = true;
            }
        }
        let unanswered = Answer {
            truth: Truth::Unknown(Arc::from("it was not asked")),
            violators: Kept::default(),
            holders: Kept::default(),
            by_default: false,
            missing: None,
        };
        Self { atoms, needed, row_sets, now, answers: vec![unanswered; atoms.atoms.len()] }
    }

    /// The answer to an atom.
    pub(crate) fn get(&self, atom: usize) -> Option<&Answer> {
        self.answers.get(atom)
    }
}

impl Tally {
    /// Counts a row that belongs to the row set for sure; gives whether `must` holds.
    pub(crate) fn add(&mut self, query: &Query, row: Row<'_>, now: Option<i64>) -> Tri {
        self.rows += 1;
        let must = holds(&query.must, &row, now);
        match must {
            Tri::True => self.holders += 1,
            Tri::False => self.violators += 1,
            Tri::Unknown => self.doubt = true,
        }
        must
    }

    /// Takes notice of a row that may belong to the row set and may not. If it would be harmless
    /// there, it only leaves open whether there is a row at all.
    pub(crate) fn add_maybe(&mut self, query: &Query, row: Row<'_>, now: Option<i64>) {
        self.maybe_rows = true;
        let harmless = match query.expect {
            Expect::Each => Tri::True,
            Expect::Some | Expect::None | Expect::Count(_) => Tri::False,
        };
        self.doubt |= holds(&query.must, &row, now) != harmless;
    }

    /// What the rows say, with the state of their table; and whether the default decided.
    pub(crate) fn truth(
        mut self,
        query: &Query,
        state: &TableState,
        now: Option<i64>,
    ) -> (Truth, bool) {
        let incomplete = incomplete(query, state, self.doubt);
        if let (TableState::Absent(_) | TableState::Denied(_), Some(reason)) = (state, &incomplete)
        {
            return (Truth::Unknown(Arc::clone(reason)), false);
        }
        let by_default = self.rows == 0;
        if by_default && emptiness_matters(query) {
            let open = incomplete.clone().or_else(|| self.maybe_rows.then(|| doubtful(query)));
            if let Some(reason) = open {
                return (Truth::Unknown(reason), false);
            }
            match &query.when_empty {
                None => {}
                Some(WhenEmpty::Pass) => return (Truth::True, true),
                Some(WhenEmpty::Fail) => return (Truth::False, true),
                Some(WhenEmpty::Unknown) => return (Truth::Unknown(nothing(query)), true),
                Some(WhenEmpty::NotApplicable) => {
                    return (Truth::NotApplicable(nothing(query)), true);
                }
                Some(WhenEmpty::Row(cells)) => {
                    let row = Row::new(query.table.0, cells);
                    if self.add(query, row, now) == Tri::Unknown {
                        let reason = Arc::from("the program's default cannot be judged");
                        return (Truth::Unknown(reason), true);
                    }
                }
            }
        }
        (self.complete(query, incomplete), by_default)
    }

    fn complete(&self, query: &Query, incomplete: Option<Arc<str>>) -> Truth {
        let otherwise = |holds: bool| match &incomplete {
            Some(reason) => Truth::Unknown(Arc::clone(reason)),
            None => Truth::of(holds),
        };
        match &query.expect {
            Expect::Each if self.violators > 0 => Truth::False,
            Expect::Each => otherwise(true),
            Expect::Some if self.holders > 0 => Truth::True,
            Expect::Some => otherwise(false),
            Expect::None if self.holders > 0 => Truth::False,
            Expect::None => otherwise(true),
            Expect::Count(tests) => {
                let found = i64::try_from(self.holders).unwrap_or(i64::MAX);
                let holds = count_holds(tests, found);
                if incomplete.is_none() || certain(tests, found) {
                    Truth::of(holds)
                } else {
                    otherwise(holds)
                }
            }
        }
    }
}

/// Whether no row at all would be another answer than a row that changes nothing.
pub(crate) fn emptiness_matters(query: &Query) -> bool {
    !matches!(
        (&query.expect, &query.when_empty),
        (_, None) | (Expect::Each | Expect::None, Some(WhenEmpty::Pass))
    )
}

fn count_holds(tests: &[Test], count: i64) -> bool {
    tests.iter().all(|test| value_holds(test, &Value::Int(count)) == Tri::True)
}

/// Whether every number from `found` on gives the same answer: only the numbers that the tests
/// name can change it.
fn certain(tests: &[Test], found: i64) -> bool {
    let mut numbers = Vec::new();
    for test in tests {
        match test {
            Test::Lt(n) | Test::Le(n) | Test::Gt(n) | Test::Ge(n) => numbers.push(*n),
            Test::Eq(value) | Test::Ne(value) => numbers.extend(value.as_int()),
            Test::In(values) | Test::NotIn(values) => {
                numbers.extend(values.iter().filter_map(Value::as_int));
            }
            _ => {}
        }
    }
    let now = count_holds(tests, found);
    numbers
        .into_iter()
        .flat_map(|n| [n.saturating_sub(1), n, n.saturating_add(1)])
        .filter(|n| *n > found)
        .chain([i64::MAX])
        .all(|n| count_holds(tests, n) == now)
}

/// Why there may be more than was seen.
fn incomplete(query: &Query, state: &TableState, doubt: bool) -> Option<Arc<str>> {
    let table = query.table.0.name;
    match state {
        TableState::Collected if doubt => Some(doubtful(query)),
        TableState::Collected => None,
        TableState::Truncated(reason) => Some(format!("{table} is incomplete: {reason}").into()),
        TableState::Denied(_) | TableState::Absent(_) => missing(table, state),
    }
}

/// Why a table is not there, if it is not.
pub(crate) fn missing(table: &str, state: &TableState) -> Option<Arc<str>> {
    match state {
        TableState::Collected | TableState::Truncated(_) => None,
        TableState::Denied(reason) => Some(format!("{table} was denied: {reason}").into()),
        TableState::Absent(reason) => Some(format!("{table} is absent: {reason}").into()),
    }
}

fn doubtful(query: &Query) -> Arc<str> {
    format!("a row of {} could not be judged", query.table.0.name).into()
}

fn nothing(query: &Query) -> Arc<str> {
    let table = query.table.0;
    if query.filter.is_true() {
        return format!("{} has no row", table.name).into();
    }
    let words = crate::rules::words::predicate(table, &query.filter);
    format!("{} has nothing with {words}", table.name).into()
}
