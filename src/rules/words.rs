//! Conditions in words: what evidence says is required, and why a rule does not apply.

use std::fmt::Write as _;

use super::ast::{Expect, Order, Pred, Query, Test};
use crate::model::facts::Row;
use crate::model::schema::{ColumnType, TableSchema};
use crate::model::value::Value;

/// The most bytes that generated words take.
const MAX: usize = 400;

/// What a query requires of its rows; `holds` is whether the query is required to hold, or, below
/// a `not`, not to.
pub fn required(query: &Query, holds: bool) -> String {
    let table = query.table.0;
    let subject = match &query.must {
        must if must.is_true() => predicate(table, &query.filter),
        must => bare(table, must),
    };
    let text = match (&query.expect, holds) {
        (Expect::Each | Expect::Some, true) => subject,
        (Expect::None, false) => subject,
        (Expect::None, true) | (Expect::Some, false) if query.must.is_true() => "none".to_owned(),
        (Expect::None, true) | (Expect::Some | Expect::Each, false) => format!("not {subject}"),
        (Expect::Count(tests), holds) => {
            let count = tests_words(tests, ColumnType::Int).join(" and ");
            let not = if holds { "" } else { "not " };
            format!("{not}{count} of them")
        }
    };
    cut(text)
}

/// A predicate with the names of its columns.
pub fn predicate(table: &'static TableSchema, pred: &Pred) -> String {
    cut(render(table, pred, false, true))
}

/// A predicate; where it is about one column only, without its name.
fn bare(table: &'static TableSchema, pred: &Pred) -> String {
    let mut columns = Vec::new();
    pred.leaves(&mut |column, _| columns.push(column));
    columns.dedup();
    cut(render(table, pred, false, columns.len() > 1))
}

fn render(table: &'static TableSchema, pred: &Pred, nested: bool, named: bool) -> String {
    let join = |list: &[Pred], word: &str| {
        let parts: Vec<String> = list.iter().map(|pred| render(table, pred, true, named)).collect();
        let text = parts.join(word);
        if nested && list.len() > 1 { format!("({text})") } else { text }
    };
    match pred {
        Pred::All(list) if list.is_empty() => "anything".to_owned(),
        Pred::All(list) => join(list, " and "),
        Pred::Any(list) => join(list, " or "),
        Pred::Not(inner) => format!("not {}", render(table, inner, true, named)),
        Pred::Leaf { column, test } => {
            let Some(column) = table.columns.get(*column) else { return String::new() };
            let words = test_words(test, column.ty);
            if named && !SPEAKING.contains(&column.name) {
                format!("{} {words}", spoken(column.name))
            } else {
                words
            }
        }
    }
}

fn tests_words(tests: &[Test], ty: ColumnType) -> Vec<String> {
    tests.iter().map(|test| test_words(test, ty)).collect()
}

fn test_words(test: &Test, ty: ColumnType) -> String {
    let one = |value: &Value| show(value, ty);
    let many = |values: &[Value]| {
        let mut text = String::new();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            if text.len() > MAX {
                text.push_str("...");
                break;
            }
            text.push_str(&show(value, ty));
        }
        text
    };
    match test {
        Test::Exists => "set".to_owned(),
        Test::Null => "not set".to_owned(),
        Test::Eq(value) => one(value),
        Test::Ne(value) => format!("not {}", one(value)),
        Test::Lt(number) => format!("less than {number}"),
        Test::Le(number) => format!("at most {number}"),
        Test::Gt(number) => format!("more than {number}"),
        Test::Ge(number) => format!("at least {number}"),
        Test::In(values) if values.len() == 1 => many(values),
        Test::In(values) => format!("one of {}", many(values)),
        Test::NotIn(values) => format!("none of {}", many(values)),
        Test::IEquals(text) => format!("{text} (in any case)"),
        Test::ContainsText(text) => format!("containing {text}"),
        Test::Contains(value) => format!("with {}", one(value)),
        Test::ContainsAll(values) => format!("with all of {}", many(values)),
        Test::ContainsAny(values) => format!("with one of {}", many(values)),
        Test::SubsetOf(values) => format!("only {}", many(values)),
        Test::Each(tests) => format!("every one {}", tests_words(tests, ty).join(" and ")),
        Test::Some(tests) => format!("one {}", tests_words(tests, ty).join(" and ")),
        Test::Matches(pattern) => format!("matching {}", pattern.text()),
        Test::Glob(pattern) => format!("like {}", pattern.text()),
        Test::Under(list) => format!("below {}", list.join(", ")),
        Test::BitsSet(bits) => format!("with the bits {bits:04o}"),
        Test::BitsClear(bits) => format!("without the bits {bits:04o}"),
        Test::Version(order, version) => match order {
            Order::Lt => format!("before {version}"),
            Order::Le => format!("{version} or before"),
            Order::Gt => format!("after {version}"),
            Order::Ge => format!("{version} or later"),
        },
        Test::Release(version) => version.to_string(),
        Test::OlderThan(seconds) => format!("older than {}", duration(*seconds)),
    }
}

fn duration(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s % 3600 == 0 => format!("{} hours", s / 3600),
        s => format!("{s} seconds"),
    }
}

/// Columns whose value says what it is by itself, the best to show first.
const SPEAKING: [&str; 6] = ["value", "values", "int_value", "origin", "text", "problem"];

fn spoken(column: &str) -> String {
    column.replace('_', " ")
}

/// The column that names what a row of this table sets, unless evidence names it as the place.
pub fn key(table: &TableSchema) -> Option<usize> {
    let column = table.column("key").or_else(|| table.column("keyword"))?;
    let name = table.columns.get(column)?.name;
    (!table.location.contains(&format!("{{{name}}}"))).then_some(column)
}

/// What some columns of a row say: `PASS_MAX_DAYS 99999`, `mode 0777, uid 1000`, `enabled: no`.
/// `wanted` is the key where the row has none.
pub fn cells(row: Row<'_>, columns: &[usize], wanted: Option<&str>) -> String {
    let table = row.schema();
    let mut said: Vec<String> = Vec::new();
    let mut setting = false;
    for column in columns.iter().take(6) {
        let (Some(column), Some(cell)) = (table.columns.get(*column), row.cells().get(*column))
        else {
            continue;
        };
        let (name, shown) = (column.name, show(cell, column.ty));
        said.push(match (name, cell) {
            ("text", Value::Text(text)) if text.is_empty() => "an empty line".to_owned(),
            ("text", _) => format!("\"{shown}\""),
            // What a unit or a package is, is said by the value.
            ("problem" | "enabled" | "status", Value::Text(_)) => shown,
            _ if SPEAKING.contains(&name) && (name != "origin" || key(table).is_some()) => {
                if setting {
                    continue;
                }
                setting = true;
                assignment(row, wanted)
            }
            (_, Value::Bool(yes)) => {
                format!("{}: {}", spoken(name), if *yes { "yes" } else { "no" })
            }
            _ => format!("{} {shown}", spoken(name)),
        });
    }
    if said.is_empty() { "there".to_owned() } else { said.join(", ") }
}

/// The key and the value of a row that sets something, as it was written where that is known.
fn assignment(row: Row<'_>, wanted: Option<&str>) -> String {
    let table = row.schema();
    let cell = |name: &str| {
        let value = table.column(name).and_then(|column| row.cells().get(column))?;
        let empty = match value {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Bool(_) | Value::Int(_) => false,
        };
        (!empty).then(|| value.to_string())
    };
    let key = key(table).map(|_| cell("key").or_else(|| cell("keyword")));
    let key = key.map(|key| key.unwrap_or_else(|| wanted.unwrap_or_default().to_owned()));
    let value = ["value", "values", "int_value"].into_iter().find_map(cell);
    // A row of a keyed table without a value is a flag that is set.
    let mut text = match (key, value) {
        (Some(key), Some(value)) => format!("{key} {value}"),
        (Some(key), None) => key,
        (None, Some(value)) => value,
        (None, None) => "not set".to_owned(),
    };
    if cell("origin").is_some_and(|origin| origin == "default") {
        text.push_str(" (the default)");
    }
    text
}

/// A value as people write it: a mode in octal, an empty text as what it is.
pub fn show(value: &Value, ty: ColumnType) -> String {
    match (value, ty) {
        (Value::Int(mode), ColumnType::Mode) => format!("{mode:04o}"),
        (Value::Text(text), _) if text.is_empty() => "empty".to_owned(),
        (Value::List(list), _) if list.is_empty() => "empty".to_owned(),
        (Value::Null, _) => "not set".to_owned(),
        (value, _) => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = write!(text, "{value}");
            text
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX {
        let end = text.floor_char_boundary(MAX);
        text.truncate(end);
        text.push_str("...");
    }
    text
}
