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
            observed: Arc::from("not listed"),
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
            self.packages.extend(nevra(row));
        }
        let line = row.get("line").as_int().and_then(|line| u32::try_from(line).ok());
        let location = fill(table, &mut |column| row.get(column).to_string().into());
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

/// The table's location template with the columns filled in.
fn fill(table: &TableSchema, column: &mut dyn FnMut(&str) -> Arc<str>) -> Arc<str> {
    let mut out = String::new();
    let mut rest = table.location;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                out.push_str(&column(name));
                rest = tail;
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out.into()
}

/// Where something should be that is not: as the rule says, or as its conditions name it.
fn location_without_row(query: &Query) -> Arc<str> {
    if let Some(at) = &query.at {
        return Arc::clone(at);
    }
    let table = query.table.0;
    let mut whole = true;
    let location = fill(table, &mut |name| {
        let value = table.column(name).and_then(|column| wanted(&query.filter, column));
        whole &= value.is_some();
        value.map_or_else(|| Arc::from(""), |value| value.to_string().into())
    });
    if whole { location } else { Arc::from(table.name) }
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

/// The cells that the failing conditions name, for example `mode 0777, uid 1000`.
fn observed(query: &Query, row: Row<'_>, violators: bool, now: Option<i64>) -> String {
    let table = query.table.0;
    let mut columns = Vec::new();
    if violators {
        failing(&query.must, row, now, &mut columns);
    } else if !query.must.is_true() {
        query.must.leaves(&mut |column, _| columns.push(column));
    } else {
        query.filter.leaves(&mut |column, test| {
            let constant = matches!(test, Test::Eq(_) | Test::Null | Test::Exists);
            let in_place = table
                .columns
                .get(column)
                .is_some_and(|column| table.location.contains(&format!("{{{}}}", column.name)));
            if !constant && !in_place {
                columns.push(column);
            }
        });
        if columns.is_empty() {
            query.filter.leaves(&mut |column, _| columns.push(column));
        }
    }
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(*column));
    let cells = columns.iter().take(6).filter_map(|column| {
        let cell = row.cells().get(*column)?;
        let column = table.columns.get(*column)?;
        Some(format!("{} {}", column.name, words::show(cell, column.ty)))
    });
    let cells: Vec<String> = cells.collect();
    if cells.is_empty() { "there".to_owned() } else { cells.join(", ") }
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

/// `name-epoch:version-release.arch`, as Inspector names packages.
fn nevra(row: Row<'_>) -> Option<String> {
    let package: Package = row.typed()?;
    let version = &*package.version.0;
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let arch = package.arch.map(|arch| format!(".{arch}")).unwrap_or_default();
    Some(format!("{}-{epoch}:{rest}{arch}", package.name))
}
