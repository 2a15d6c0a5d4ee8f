//! How rows are found: by key in tables, by path, directory or class among files.

use std::collections::HashMap;
use std::sync::Arc;

use super::RowSet;
use crate::model::cell::Fact as _;
use crate::model::schema::TableSchema;
use crate::model::table::File;
use crate::model::value::Value;
use crate::rules::ast::{Pred, Query, Test};

/// The most keys that one row set is found by; with more, every row is tested.
const MAX_KEYS: usize = 256;

/// For one table, which row sets a row may belong to: those that ask for one of its cells by
/// value, and those that have to test every row.
#[derive(Debug)]
pub(crate) struct TablePlan {
    pub(crate) table: &'static TableSchema,
    /// A column, and the row sets by the value they want there.
    pub(crate) keyed: Vec<(usize, HashMap<Value, Vec<usize>>)>,
    /// The others.
    pub(crate) scanned: Vec<usize>,
}

impl TablePlan {
    pub(crate) fn new(table: &'static TableSchema) -> Self {
        Self { table, keyed: Vec::new(), scanned: Vec::new() }
    }

    /// Adds the row set at this position.
    pub(crate) fn add(&mut self, position: usize, filter: &Pred) {
        let Some(keys) = keys(filter) else {
            self.scanned.push(position);
            return;
        };
        for (column, value) in keys {
            let index = self.keyed.iter().position(|(other, _)| *other == column);
            let map = match index.and_then(|index| self.keyed.get_mut(index)) {
                Some((_, map)) => map,
                None => {
                    self.keyed.push((column, HashMap::new()));
                    let Some((_, map)) = self.keyed.last_mut() else { return };
                    map
                }
            };
            let sets = map.entry(value.clone()).or_default();
            if !sets.contains(&position) {
                sets.push(position);
            }
        }
    }
}

/// (column, value) pairs of which every row that satisfies the predicate has at least one.
fn keys(pred: &Pred) -> Option<Vec<(usize, &Value)>> {
    match pred {
        Pred::Leaf { column, test: Test::Eq(value) } => Some(vec![(*column, value)]),
        Pred::Leaf { column, test: Test::In(values) } if values.len() <= MAX_KEYS => {
            Some(values.iter().map(|value| (*column, value)).collect())
        }
        Pred::All(list) => list.iter().filter_map(keys).min_by_key(|keys| cost(keys)),
        Pred::Any(list) => {
            let mut all = Vec::new();
            for pred in list {
                all.extend(keys(pred)?);
                if all.len() > MAX_KEYS {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// Truth values select badly; few keys select well.
fn cost(keys: &[(usize, &Value)]) -> usize {
    keys.iter().map(|(_, value)| if matches!(value, Value::Bool(_)) { 100 } else { 1 }).sum()
}

/// How the rows of `files` for one row set are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileAccess {
    /// By exact paths.
    Paths(Vec<Arc<str>>),
    /// Below these directories, none of which is below another.
    Under(Vec<Arc<str>>),
    /// Among all files, those of a class that the predicate could hold for.
    Scan,
}

impl FileAccess {
    /// For a row set.
    pub(crate) fn of(table: &'static TableSchema, filter: &Pred) -> Self {
        match File::TABLE.column("path") {
            Some(path) if table.name == File::TABLE.name => Self::from_filter(path, filter),
            _ => Self::Scan,
        }
    }

    fn from_filter(path: usize, filter: &Pred) -> Self {
        match filter {
            Pred::Leaf { column, test } if *column == path => match test {
                Test::Eq(Value::Text(text)) => Self::Paths(vec![Arc::clone(text)]),
                Test::In(values) => {
                    let texts = values.iter().filter_map(Value::as_text).map(Arc::from);
                    let mut paths: Vec<Arc<str>> = texts.collect();
                    paths.sort();
                    paths.dedup();
                    Self::Paths(paths)
                }
                Test::Under(directories) => Self::Under(directories.clone()),
                Test::Glob(glob) => match glob.directory() {
                    Some(directory) if directory != "/" => Self::Under(vec![directory.into()]),
                    _ => Self::Scan,
                },
                _ => Self::Scan,
            },
            Pred::All(list) => list
                .iter()
                .map(|pred| Self::from_filter(path, pred))
                .reduce(Self::both)
                .unwrap_or(Self::Scan),
            _ => Self::Scan,
        }
    }

    /// The rows that two accesses have in common are found by this one.
    fn both(self, other: Self) -> Self {
        match (self, other) {
            (Self::Paths(mut paths), Self::Paths(others)) => {
                paths.retain(|path| others.contains(path));
                Self::Paths(paths)
            }
            (a, b) => a.min(b),
        }
    }
}

impl RowSet {
    pub(crate) fn new(query: Arc<Query>) -> Self {
        let access = FileAccess::of(query.table.0, &query.filter);
        Self { query, access }
    }

    pub(crate) fn table(&self) -> &'static TableSchema {
        self.query.table.0
    }

    pub(crate) fn filter(&self) -> &Pred {
        &self.query.filter
    }
}
