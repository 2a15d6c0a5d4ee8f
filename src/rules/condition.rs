//! Conditions: mappings of columns to tests, checked against a table's schema.

use std::sync::Arc;

use super::ast::{Order, Pred, Test};
use super::operand::{self, Operands};
use super::pattern::Pattern;
use super::suggest;
use super::yaml::{Content, Key, Node, Span};
use crate::diagnostic::codes::rules as codes;
use crate::model::schema::{Column, ColumnType, TableSchema};
use crate::model::value::Value;

/// Every operator, for suggestions and the editor schema.
pub(crate) const OPERATORS: &[&str] = &[
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "in",
    "not_in",
    "iequals",
    "contains",
    "contains_all",
    "contains_any",
    "subset_of",
    "each",
    "some",
    "matches",
    "glob",
    "under",
    "bits_set",
    "bits_clear",
    "version_lt",
    "version_le",
    "version_gt",
    "version_ge",
    "older_than",
    "exists",
];

/// A mapping of columns to conditions.
pub(crate) fn matcher(
    cx: &mut Operands<'_, '_>,
    table: &'static TableSchema,
    node: &Node,
) -> Option<Pred> {
    let Some(entries) = node.as_mapping() else {
        let message = format!("conditions are a mapping of columns, not {}", node.kind());
        cx.reader.error(codes::WRONG_SHAPE, node.span, message);
        return None;
    };
    let mut all = Vec::new();
    let mut whole = true;
    for (key, value) in entries {
        let pred = match &*key.text {
            "all" => group(cx, table, value).map(Pred::All),
            "any" => group(cx, table, value).and_then(|list| {
                if list.is_empty() {
                    let message = "`any` of nothing never holds";
                    cx.reader.error(codes::ALWAYS_SAME, value.span, message);
                    return None;
                }
                Some(Pred::Any(list))
            }),
            "not" => matcher(cx, table, value).map(|pred| Pred::Not(Box::new(pred))),
            _ => column_test(cx, table, key, value),
        };
        match pred {
            Some(Pred::All(list)) => all.extend(list),
            Some(pred) => all.push(pred),
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    Some(if all.len() == 1 { all.remove(0) } else { Pred::All(all) })
}

fn group(cx: &mut Operands<'_, '_>, table: &'static TableSchema, node: &Node) -> Option<Vec<Pred>> {
    let items = cx.reader.list(node, "`all` or `any` of conditions")?;
    let preds: Vec<_> = items.iter().map(|item| matcher(cx, table, item)).collect();
    preds.into_iter().collect()
}

fn column_test(
    cx: &mut Operands<'_, '_>,
    table: &'static TableSchema,
    key: &Key,
    node: &Node,
) -> Option<Pred> {
    let (position, column) = find(cx, table, key)?;
    let tests = condition(cx, table, column, node)?;
    let mut leaves: Vec<Pred> =
        tests.into_iter().map(|test| Pred::Leaf { column: position, test }).collect();
    Some(if leaves.len() == 1 { leaves.remove(0) } else { Pred::All(leaves) })
}

/// The column that a key names.
pub(crate) fn find(
    cx: &mut Operands<'_, '_>,
    table: &'static TableSchema,
    key: &Key,
) -> Option<(usize, &'static Column)> {
    let position = table.column(&key.text);
    let found = position.and_then(|position| Some((position, table.columns.get(position)?)));
    if found.is_none() {
        let message = format!("table {} has no column `{}`", table.name, key.text);
        let names = table.columns.iter().map(|column| column.name);
        cx.reader.report(codes::UNKNOWN_COLUMN, key.span, message, suggest::help(&key.text, names));
    }
    found
}

/// One condition: a value, null, or a mapping of operators.
fn condition(
    cx: &mut Operands<'_, '_>,
    table: &'static TableSchema,
    column: &'static Column,
    node: &Node,
) -> Option<Vec<Test>> {
    if node.is_null() {
        must_be_optional(cx, column, node.span)?;
        return Some(vec![Test::Null]);
    }
    let subject = Subject { name: column.name, ty: column.ty, optional: column.optional };
    match &node.content {
        Content::Mapping(entries) => operators(cx, Some(table), subject, entries, node.span),
        _ => operand::value(cx, column.ty, node).map(|value| vec![Test::Eq(value)]),
    }
}

fn must_be_optional(cx: &mut Operands<'_, '_>, column: &Column, span: Span) -> Option<()> {
    if !column.optional {
        let message = format!("`{}` always has a value", column.name);
        cx.reader.error(codes::ALWAYS_SAME, span, message);
        return None;
    }
    Some(())
}

/// What is tested: a cell, or an element of a list.
#[derive(Clone, Copy)]
struct Subject {
    name: &'static str,
    ty: ColumnType,
    optional: bool,
}

fn operators(
    cx: &mut Operands<'_, '_>,
    table: Option<&'static TableSchema>,
    subject: Subject,
    entries: &[(Key, Node)],
    span: Span,
) -> Option<Vec<Test>> {
    if entries.is_empty() {
        let message = format!("the condition on `{}` asks nothing", subject.name);
        cx.reader.error(codes::ALWAYS_SAME, span, message);
        return None;
    }
    let tests: Vec<_> =
        entries.iter().map(|(key, node)| operator(cx, table, subject, key, node)).collect();
    tests.into_iter().collect()
}

fn operator(
    cx: &mut Operands<'_, '_>,
    table: Option<&'static TableSchema>,
    subject: Subject,
    key: &Key,
    node: &Node,
) -> Option<Test> {
    let ty = subject.ty;
    if !OPERATORS.contains(&&*key.text) {
        let message = format!("`{}` is no operator", key.text);
        let help = suggest::help(&key.text, OPERATORS.iter().copied());
        cx.reader.report(codes::UNKNOWN_OPERATOR, key.span, message, help);
        return None;
    }
    if !fits(&key.text, ty) {
        let message =
            format!("`{}` cannot be asked of `{}`, which is {}", key.text, subject.name, ty.name());
        cx.reader.report(codes::WRONG_TYPE, key.span, message, alternative(&key.text, ty));
        return None;
    }
    Some(match &*key.text {
        "eq" if node.is_null() => null_test(cx, subject, node.span, Test::Null)?,
        "ne" if node.is_null() => null_test(cx, subject, node.span, Test::Exists)?,
        "eq" => Test::Eq(operand::value(cx, ty, node)?),
        "ne" => Test::Ne(operand::value(cx, ty, node)?),
        "lt" => Test::Lt(operand::int(cx, ty, node)?),
        "le" => Test::Le(operand::int(cx, ty, node)?),
        "gt" => Test::Gt(operand::int(cx, ty, node)?),
        "ge" => Test::Ge(operand::int(cx, ty, node)?),
        "in" => Test::In(operand::values(cx, ty, node)?),
        "not_in" => Test::NotIn(operand::values(cx, ty, node)?),
        "iequals" => Test::IEquals(operand::text(cx, node)?),
        "contains" if ty.is_text() => Test::ContainsText(operand::text(cx, node)?),
        "contains" => Test::Contains(operand::value(cx, element(ty), node)?),
        "contains_all" => Test::ContainsAll(operand::values(cx, element(ty), node)?),
        "contains_any" => Test::ContainsAny(operand::values(cx, element(ty), node)?),
        "subset_of" => Test::SubsetOf(operand::values(cx, element(ty), node)?),
        "each" => Test::Each(elements(cx, subject, node)?),
        "some" => Test::Some(elements(cx, subject, node)?),
        "matches" => {
            let text = operand::text(cx, node)?;
            pattern(cx, Pattern::regex(text), node.span)?
        }
        "glob" => {
            let text = operand::text(cx, node)?;
            pattern(cx, Pattern::glob(text), node.span)?
        }
        "under" => Test::Under(operand::directories(cx, node)?),
        "bits_set" => Test::BitsSet(operand::bits(cx, ty, node)?),
        "bits_clear" => Test::BitsClear(operand::bits(cx, ty, node)?),
        "older_than" => Test::OlderThan(operand::duration(cx, node)?),
        "exists" => {
            let test = if operand::bool(cx, node)? { Test::Exists } else { Test::Null };
            null_test(cx, subject, node.span, test)?
        }
        other => {
            if table.is_none_or(|table| table.column("manager").is_none()) {
                let message = "versions are ordered by the row's `manager`, which this table lacks";
                cx.reader.error(codes::WRONG_TYPE, key.span, message);
                return None;
            }
            let order = match other {
                "version_lt" => Order::Lt,
                "version_le" => Order::Le,
                "version_gt" => Order::Gt,
                _ => Order::Ge,
            };
            Test::Version(order, operand::text(cx, node)?)
        }
    })
}

fn null_test(cx: &mut Operands<'_, '_>, subject: Subject, span: Span, test: Test) -> Option<Test> {
    if !subject.optional {
        let message = format!("`{}` always has a value", subject.name);
        cx.reader.error(codes::ALWAYS_SAME, span, message);
        return None;
    }
    Some(test)
}

fn pattern(cx: &mut Operands<'_, '_>, pattern: Pattern, span: Span) -> Option<Test> {
    if cx.check_patterns
        && let Err(message) = pattern.check()
    {
        cx.reader.error(codes::BAD_VALUE, span, format!("the pattern is wrong: {message}"));
        return None;
    }
    let glob = pattern.is_glob();
    Some(if glob { Test::Glob(pattern) } else { Test::Matches(pattern) })
}

fn elements(cx: &mut Operands<'_, '_>, subject: Subject, node: &Node) -> Option<Vec<Test>> {
    let inner = Subject { ty: element(subject.ty), optional: false, ..subject };
    match &node.content {
        Content::Mapping(entries) => operators(cx, None, inner, entries, node.span),
        _ => operand::value(cx, inner.ty, node).map(|value| vec![Test::Eq(value)]),
    }
}

/// The conditions on a number of rows.
pub(crate) fn count(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Vec<Test>> {
    let subject = Subject { name: "count", ty: ColumnType::Int, optional: false };
    match &node.content {
        Content::Mapping(entries) => {
            let allowed = ["eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"];
            if let Some((key, _)) = entries.iter().find(|(key, _)| !allowed.contains(&&*key.text)) {
                let message = format!("`{}` cannot be asked of a count", key.text);
                let help = suggest::help(&key.text, allowed);
                cx.reader.report(codes::UNKNOWN_OPERATOR, key.span, message, help);
                return None;
            }
            operators(cx, None, subject, entries, node.span)
        }
        _ => operand::value(cx, ColumnType::Int, node).map(|value| vec![Test::Eq(value)]),
    }
}

fn element(ty: ColumnType) -> ColumnType {
    match ty {
        ColumnType::TextList => ColumnType::Text,
        ColumnType::IntList => ColumnType::Int,
        other => other,
    }
}

/// Whether an operator can be asked of a column of this type.
pub(crate) fn fits(operator: &str, ty: ColumnType) -> bool {
    let list = matches!(ty, ColumnType::TextList | ColumnType::IntList);
    match operator {
        "eq" | "ne" | "in" | "not_in" | "exists" => true,
        "lt" | "le" | "gt" | "ge" => ty.is_int(),
        "iequals" | "matches" => ty.is_text(),
        "glob" | "under" => matches!(ty, ColumnType::Text | ColumnType::Path),
        "contains" => ty.is_text() || list,
        "contains_all" | "contains_any" | "subset_of" | "each" | "some" => list,
        "bits_set" | "bits_clear" => matches!(ty, ColumnType::Mode | ColumnType::Int),
        "older_than" => ty == ColumnType::Time,
        _ => ty == ColumnType::Version,
    }
}

fn alternative(operator: &str, ty: ColumnType) -> Option<String> {
    let near = match (operator, ty) {
        ("lt" | "le" | "gt" | "ge", ColumnType::Version) => format!("use `version_{operator}`"),
        ("lt" | "le" | "gt" | "ge", ColumnType::Text) => {
            "compare an int column, such as `int_value` where the table has one".to_owned()
        }
        _ => {
            let fitting: Vec<&str> =
                OPERATORS.iter().copied().filter(|operator| fits(operator, ty)).collect();
            format!("of {} can be asked: {}", ty.name(), fitting.join(", "))
        }
    };
    Some(near)
}

/// The row that `when_empty` describes: one cell a column.
pub(crate) fn row(
    cx: &mut Operands<'_, '_>,
    table: &'static TableSchema,
    entries: &[(Key, Node)],
) -> Option<Vec<Value>> {
    let mut cells = vec![Value::Null; table.columns.len()];
    let mut whole = true;
    for (key, node) in entries {
        let cell = find(cx, table, key).and_then(|(position, column)| {
            if node.is_null() {
                must_be_optional(cx, column, node.span)?;
                return Some((position, Value::Null));
            }
            Some((position, operand::value(cx, column.ty, node)?))
        });
        match cell {
            Some((position, value)) => {
                if let Some(cell) = cells.get_mut(position) {
                    *cell = value;
                }
            }
            None => whole = false,
        }
    }
    whole.then_some(cells)
}

/// A path that a table's texts could hold.
pub(crate) fn absolute(cx: &mut Operands<'_, '_>, text: &Arc<str>, span: Span) -> Option<()> {
    if text.starts_with('/') {
        return Some(());
    }
    let help = Some(format!("write `/{text}`"));
    cx.reader.report(codes::BAD_VALUE, span, "a path begins with `/`", help);
    None
}
