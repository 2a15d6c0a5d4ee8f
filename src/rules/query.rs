//! `check` and `requires`: expressions over queries.

use std::sync::Arc;

use super::ast::{Expect, Expr, Pred, Query, Table, WhenEmpty};
use super::condition::{count, matcher, row};
use super::operand::{self, Operands};
use super::suggest;
use super::yaml::{Content, Node};
use crate::diagnostic::codes::rules as codes;
use crate::model::table;

const FORMS: &[&str] = &["all", "any", "not", "from"];
const QUERY: &[&str] = &["from", "where", "expect", "must", "when_empty", "at", "expected"];

/// An expression; `extra` are members that the caller reads itself.
pub(crate) fn expression(
    cx: &mut Operands<'_, '_>,
    node: &Node,
    extra: &'static [&'static str],
) -> Option<Expr> {
    let Some(entries) = node.as_mapping() else {
        let message = format!("an expression is a mapping, not {}", node.kind());
        cx.reader.error(codes::WRONG_SHAPE, node.span, message);
        return None;
    };
    let form = entries.iter().find(|(key, _)| FORMS.contains(&&*key.text));
    let Some((key, value)) = form else {
        let span = entries.first().map_or(node.span, |(key, _)| key.span);
        let message = "an expression is one of all, any, not, or a query with `from`";
        let help = entries.iter().find_map(|(key, _)| {
            let near = suggest::nearest(&key.text, FORMS.iter().copied())?;
            Some(format!("did you mean `{near}`?"))
        });
        cx.reader.report(codes::MISSING_KEY, span, message, help);
        return None;
    };
    if key.text == "from" {
        return query(cx, node, extra).map(|query| Expr::Query(Box::new(query)));
    }
    for (other, _) in entries {
        if other.text != key.text && !extra.contains(&&*other.text) {
            let message = format!("`{}` cannot stand beside `{}`", other.text, key.text);
            let help = Some("put both into a list under `all`".to_owned());
            cx.reader.report(codes::UNKNOWN_KEY, other.span, message, help);
        }
    }
    match &*key.text {
        "not" => expression(cx, value, &[]).map(|expr| Expr::Not(Box::new(expr))),
        form => {
            let items = cx.reader.list(value, "`all` or `any`")?;
            if items.is_empty() {
                let message = format!("`{form}` of nothing asks nothing");
                cx.reader.error(codes::ALWAYS_SAME, value.span, message);
                return None;
            }
            let list: Vec<_> = items.iter().map(|item| expression(cx, item, &[])).collect();
            let list: Vec<_> = list.into_iter().collect::<Option<_>>()?;
            Some(if form == "all" { Expr::All(list) } else { Expr::Any(list) })
        }
    }
}

fn query(cx: &mut Operands<'_, '_>, node: &Node, extra: &'static [&'static str]) -> Option<Query> {
    let known: Vec<&str> = QUERY.iter().chain(extra).copied().collect();
    let members = cx.reader.members(node, "a query", &known)?;
    let from = cx.reader.required(&members, "from")?;
    let name = cx.reader.text(from, "`from`")?;
    let Some(schema) = table::find(name) else {
        let message = format!("there is no table `{name}`");
        let help = suggest::help(name, table::all().iter().map(|table| table.name))
            .or_else(|| Some("`assay facts` lists all tables".to_owned()));
        cx.reader.report(codes::UNKNOWN_TABLE, from.span, message, help);
        return None;
    };
    let filter = match members.get("where") {
        Some(node) => matcher(cx, schema, node),
        None => Some(Pred::TRUE),
    };
    let must = match members.get("must") {
        Some(node) => matcher(cx, schema, node),
        None => Some(Pred::TRUE),
    };
    let expect_node = cx.reader.required(&members, "expect");
    let expect = expect_node.and_then(|node| expect(cx, node));
    let when_empty = match members.get("when_empty") {
        Some(node) => self::when_empty(cx, schema, node).map(Some),
        None => Some(None),
    };
    let (at, expected) = (text(cx, members.get("at")), text(cx, members.get("expected")));
    if expect == Some(Expect::Each) {
        if members.get("when_empty").is_none() {
            let help = "add `when_empty: pass`, fail, unknown, not_applicable, or a row";
            cx.reader.report(
                codes::NEEDS_WHEN_EMPTY,
                expect_node.map_or(node.span, |node| node.span),
                "`each` over no row at all would hold and prove nothing",
                Some(help.to_owned()),
            );
            return None;
        }
        if must.as_ref().is_some_and(Pred::is_true) {
            let message = "`each` without `must` asks nothing of the rows";
            cx.reader.error(codes::ALWAYS_SAME, members.span(), message);
            return None;
        }
    }
    Some(Query {
        table: Table(schema),
        filter: filter?,
        expect: expect?,
        must: must?,
        when_empty: when_empty?,
        at,
        expected,
    })
}

fn text(cx: &mut Operands<'_, '_>, node: Option<&Node>) -> Option<Arc<str>> {
    node.and_then(|node| operand::text(cx, node))
}

fn expect(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Expect> {
    if node.as_mapping().is_some() {
        let members = cx.reader.members(node, "`expect`", &["count"])?;
        let condition = cx.reader.required(&members, "count")?;
        return count(cx, condition).map(Expect::Count);
    }
    let words = [("each", 0), ("some", 1), ("none", 2)];
    let choice = cx.reader.word(node, "expectation (or `{ count: .. }`)", &words)?;
    Some([Expect::Each, Expect::Some, Expect::None][choice].clone())
}

fn when_empty(
    cx: &mut Operands<'_, '_>,
    schema: &'static crate::model::schema::TableSchema,
    node: &Node,
) -> Option<WhenEmpty> {
    if let Content::Mapping(entries) = &node.content {
        return row(cx, schema, entries).map(WhenEmpty::Row);
    }
    let words = [("pass", 0), ("fail", 1), ("unknown", 2), ("not_applicable", 3)];
    let choice = cx.reader.word(node, "meaning of no row", &words)?;
    let meanings = [WhenEmpty::Pass, WhenEmpty::Fail, WhenEmpty::Unknown, WhenEmpty::NotApplicable];
    meanings.into_iter().nth(choice)
}
