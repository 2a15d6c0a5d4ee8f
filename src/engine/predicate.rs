//! Predicates over one row.

use super::truth::Tri;
use crate::model::facts::{Row, is_under};
use crate::model::value::Value;
use crate::model::version;
use crate::rules::ast::{Pred, Test};

/// What a test may need besides its own cell.
pub(crate) trait Cells {
    /// The cell of a column; none where it is not known (yet).
    fn cell(&self, column: usize) -> Option<&Value>;
    /// The package manager of the row, which orders its versions.
    fn manager(&self) -> Option<&str>;
}

impl Cells for Row<'_> {
    fn cell(&self, column: usize) -> Option<&Value> {
        self.cells().get(column)
    }

    fn manager(&self) -> Option<&str> {
        self.get("manager").as_text()
    }
}

/// Whether a predicate holds for a row; `now` is when the facts were collected.
pub(crate) fn holds(pred: &Pred, cells: &impl Cells, now: Option<i64>) -> Tri {
    match pred {
        Pred::All(list) => Tri::all(list.iter().map(|pred| holds(pred, cells, now))),
        Pred::Any(list) => Tri::any(list.iter().map(|pred| holds(pred, cells, now))),
        Pred::Not(pred) => holds(pred, cells, now).not(),
        Pred::Leaf { column, test } => match cells.cell(*column) {
            Some(cell) => test_holds(test, cell, cells, now),
            None => Tri::Unknown,
        },
    }
}

fn test_holds(test: &Test, cell: &Value, cells: &impl Cells, now: Option<i64>) -> Tri {
    if cell.is_null() {
        return Tri::of(matches!(test, Test::Null | Test::Ne(_) | Test::NotIn(_)));
    }
    match test {
        Test::Version(order, other) => {
            let compared = cells
                .manager()
                .zip(cell.as_text())
                .and_then(|(manager, text)| version::compare(manager, text, other));
            compared.map_or(Tri::Unknown, |ordering| Tri::of(order.holds(ordering)))
        }
        Test::OlderThan(seconds) => match (cell.as_int(), now) {
            (Some(time), Some(now)) => Tri::of(now.saturating_sub(time) > *seconds),
            _ => Tri::Unknown,
        },
        test => value_holds(test, cell),
    }
}

/// A test of a value that is there.
pub(crate) fn value_holds(test: &Test, value: &Value) -> Tri {
    let int = |holds: &dyn Fn(i64) -> bool| Tri::of(value.as_int().is_some_and(holds));
    let text = |holds: &dyn Fn(&str) -> bool| Tri::of(value.as_text().is_some_and(holds));
    let list = |holds: &dyn Fn(&[Value]) -> bool| Tri::of(value.as_list().is_some_and(holds));
    match test {
        Test::Exists => Tri::True,
        Test::Null | Test::Version(..) | Test::OlderThan(_) => Tri::of(false),
        Test::Eq(other) => Tri::of(value == other),
        Test::Ne(other) => Tri::of(value != other),
        Test::Lt(number) => int(&|int| int < *number),
        Test::Le(number) => int(&|int| int <= *number),
        Test::Gt(number) => int(&|int| int > *number),
        Test::Ge(number) => int(&|int| int >= *number),
        Test::In(values) => Tri::of(values.contains(value)),
        Test::NotIn(values) => Tri::of(!values.contains(value)),
        Test::IEquals(other) => text(&|text| text.eq_ignore_ascii_case(other)),
        Test::ContainsText(other) => text(&|text| text.contains(&**other)),
        Test::Contains(other) => list(&|list| list.contains(other)),
        Test::ContainsAll(values) => list(&|list| values.iter().all(|v| list.contains(v))),
        Test::ContainsAny(values) => list(&|list| values.iter().any(|v| list.contains(v))),
        Test::SubsetOf(values) => list(&|list| list.iter().all(|v| values.contains(v))),
        Test::Each(tests) => elements(value, tests, Tri::all),
        Test::Some(tests) => elements(value, tests, Tri::any),
        Test::Matches(pattern) | Test::Glob(pattern) => match value.as_text() {
            Some(text) => pattern.is_match(text).map_or(Tri::Unknown, Tri::of),
            None => Tri::False,
        },
        Test::Under(directories) => {
            text(&|text| directories.iter().any(|directory| is_under(text, directory)))
        }
        Test::BitsSet(bits) => int(&|int| int & bits == *bits),
        Test::BitsClear(bits) => int(&|int| int & bits == 0),
        Test::Release(version) => text(&|text| {
            text.strip_prefix(&**version).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        }),
    }
}

fn elements(value: &Value, tests: &[Test], combine: fn(Vec<Tri>) -> Tri) -> Tri {
    let list = value.as_list().unwrap_or_default();
    combine(
        list.iter()
            .map(|element| Tri::all(tests.iter().map(|test| value_holds(test, element))))
            .collect(),
    )
}
