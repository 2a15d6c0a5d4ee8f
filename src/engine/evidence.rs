//! Evidence: where a failing rule was seen to fail, what is there, and what should be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answer::{Answer, Answers, Kept, MAX_KEPT};
use super::judge::{is_host, truth};
use super::predicate::holds;
use super::truth::{Tri, Truth};
use crate::model::cell::Fact as _;
use crate::model::facts::Row;
use crate::model::finding::Evidence;
use crate::model::schema::TableSchema;
use crate::model::table::Package;
use crate::model::value::Value;
use crate::rules::ast::{Expect, Pred, Query, Test, WhenEmpty};
use crate::rules::{Step, words};

/// What was found about one failing rule.
pub(super) struct Found {
    /// Sorted, without repetition.
    pub(super) evidence: Vec<Evidence>,
    /// The packages it was seen in, as `name-epoch:version-release.arch`, sorted.
    pub(super) packages: Vec<String>,
}

/// The evidence of failing checks.
pub(super) fn collect(checks: &[&Step], answers: &Answers<'_>) -> Found {
    let mut collector = Collector {
        answers,
        evidence: BTreeSet::new(),
        host: BTreeSet::new(),
        packages: BTreeSet::new(),
        dropped: 0,
    };
    for check in checks {
        collector.step(check, true);
    }
    let mut evidence: Vec<Evidence> = collector.evidence.into_iter().collect();
    // What the host is, is no fault of it; it is shown only where there is nothing else.
    if evidence.is_empty() {
        evidence = collector.host.into_iter().collect();
    }
    let over = evidence.len().saturating_sub(MAX_KEPT) + collector.dropped;
    evidence.truncate(MAX_KEPT);
    if over > 0 {
        evidence.push(Evidence {
            location: format!("{over} more").into(),
            line: None,
            observed: Arc::from(Evidence::NOT_LISTED),
            expected: Arc::from(""),
        });
    }
    Found { evidence, packages: collector.packages.into_iter().collect() }
}

struct Collector<'a, 'p> {
    answers: &'a Answers<'p>,
    evidence: BTreeSet<Evidence>,
    host: BTreeSet<Evidence>,
    packages: BTreeSet<String>,
    dropped: usize,
}

impl Collector<'_, '_> {
    /// Shows why a step that should be `wanted` is not.
    fn step(&mut self, step: &Step, wanted: bool) {
        match step {
            Step::All(list) | Step::Any(list) => {
                for inner in list {
                    if truth(inner, self.answers) == Truth::of(!wanted) {
                        self.step(inner, wanted);
                    }
                }
            }
            Step::Not(inner) => self.step(inner, !wanted),
            Step::Atom(index) => {
                let atom = self.answers.atoms.atoms.get(*index);
                if let (Some(atom), Some(answer)) = (atom, self.answers.get(*index)) {
                    self.atom(&atom.query, answer, wanted);
                }
            }
        }
    }

    fn atom(&mut self, query: &Query, answer: &Answer, wanted: bool) {
        let expected: Arc<str> = match &query.expected {
            Some(expected) => Arc::clone(expected),
            None => words::required(query, wanted).into(),
        };
        let (kept, violators): (&Kept, bool) = match (&query.expect, wanted) {
            (Expect::Each | Expect::Some, true) => (&answer.violators, true),
            _ => (&answer.holders, false),
        };
        let by_row = !answer.by_default && kept.total > 0;
        if by_row && !matches!((&query.expect, wanted), (Expect::None, false)) {
            for row in kept.iter() {
                self.row(query, row, violators, &expected);
            }
            self.dropped += kept.total - kept.indexes.len();
            return;
        }
        let observed = match (&query.when_empty, &query.expect) {
            (Some(WhenEmpty::Row(cells)), _) if answer.by_default => {
                let row = Row::new(query.table.0, cells);
                format!("{} (the default)", observed(query, row, true, self.answers.now))
            }
            (_, Expect::Count(_)) => format!("{} of them", kept.total),
            _ if words::key(query.table.0).is_some() => "not set".to_owned(),
            _ => "nothing there".to_owned(),
        };
        self.push(
            query.table.0,
            Evidence {
                location: location_without_row(query),
                line: None,
                observed: observed.into(),
                expected,
            },
        );
    }

    fn row(&mut self, query: &Query, row: Row<'_>, violators: bool, expected: &Arc<str>) {
        let table = query.table.0;
        if table.name == Package::TABLE.name {
            self.packages.extend(row.typed().map(|package: Package| package.nevra()));
        }
        let line = row.get("line").as_int().and_then(|line| u32::try_from(line).ok());
        let location = row.place();
        let observed = observed(query, row, violators, self.answers.now);
        self.push(
            table,
            Evidence { location, line, observed: observed.into(), expected: Arc::clone(expected) },
        );
    }

    fn push(&mut self, table: &TableSchema, evidence: Evidence) {
        if is_host(table.name) {
            self.host.insert(evidence);
        } else {
            self.evidence.insert(evidence);
        }
    }
}

/// Where something should be that is not: as the rule says, or as its conditions name it.
fn location_without_row(query: &Query) -> Arc<str> {
    if let Some(at) = &query.at {
        return Arc::clone(at);
    }
    let table = query.table.0;
    let location = table.place(&|name| {
        let value = table.column(name).and_then(|column| wanted(&query.filter, column))?;
        Some(value.to_string().into())
    });
    location.unwrap_or_else(|| Arc::from(table.name))
}

/// The value that a filter asks of a column for sure.
fn wanted(filter: &Pred, column: usize) -> Option<&Value> {
    match filter {
        Pred::Leaf { column: other, test: Test::Eq(value) } if *other == column => Some(value),
        Pred::Leaf { column: other, test: Test::In(values) } if *other == column => values.first(),
        Pred::All(list) => list.iter().find_map(|pred| wanted(pred, column)),
        _ => None,
    }
}

/// What the failing conditions are about, for example `mode 0777, uid 1000`.
fn observed(query: &Query, row: Row<'_>, violators: bool, now: Option<i64>) -> String {
    let table = query.table.0;
    let in_place = |column: &usize| {
        let name = table.columns.get(*column).map_or("", |column| column.name);
        table.location.contains(&format!("{{{name}}}"))
    };
    let mut columns = Vec::new();
    if violators {
        failing(&query.must, row, now, &mut columns);
    } else if !query.must.is_true() {
        query.must.leaves(&mut |column, _| columns.push(column));
    } else {
        query.filter.leaves(&mut |column, test| {
            if !matches!(test, Test::Eq(_) | Test::Null | Test::Exists) {
                columns.push(column);
            }
        });
        if columns.iter().all(in_place) {
            query.filter.leaves(&mut |column, _| columns.push(column));
        }
    }
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(*column));
    // What the place says already, and what is not there, is told only where there is no more.
    let unset = |column: &usize| row.cells().get(*column) == Some(&Value::Null);
    for told in [&in_place as &dyn Fn(&usize) -> bool, &unset] {
        if !violators && !columns.iter().all(told) {
            columns.retain(|column| !told(column));
        }
    }
    let key = wanted_key(query);
    words::cells(row, &columns, key.as_deref())
}

/// The key that a query asks for: a default row does not carry it.
fn wanted_key(query: &Query) -> Option<String> {
    let column = words::key(query.table.0)?;
    wanted(&query.filter, column).map(Value::to_string)
}

/// The columns of the leaves because of which a predicate does not hold.
fn failing(pred: &Pred, row: Row<'_>, now: Option<i64>, columns: &mut Vec<usize>) {
    match pred {
        Pred::All(list) => {
            for inner in list.iter().filter(|inner| holds(inner, &row, now) != Tri::True) {
                failing(inner, row, now, columns);
            }
        }
        Pred::Any(list) => list.iter().for_each(|inner| failing(inner, row, now, columns)),
        Pred::Not(inner) => inner.leaves(&mut |column, _| columns.push(column)),
        Pred::Leaf { column, .. } => columns.push(*column),
    }
}
