//! A rule file to a checked rule.

use std::sync::Arc;

use super::ast::{Body, Expr, Part, Pred, Rule, Segment, Template};
use super::condition::matcher;
use super::operand::Operands;
use super::params::Params;
use super::query::expression;
use super::reader::{Members, Reader};
use super::suggest;
use super::words;
use super::yaml::Node;
use crate::diagnostic::codes::rules as codes;
use crate::model::cell::Fact as _;
use crate::model::finding::{RuleInfo, RulesPackage, Severity};
use crate::model::table::Host;

/// The members of a rule file.
pub(crate) const MEMBERS: &[&str] = &[
    "title",
    "severity",
    "finding",
    "description",
    "remediation",
    "references",
    "applies_to",
    "requires",
    "params",
    "check",
    "examples",
];

const SEVERITIES: &[(&str, Severity)] = &[
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("informational", Severity::Informational),
];

/// What a rule or control file says, parameters filled in.
pub(crate) struct Content {
    pub(crate) title: Arc<str>,
    pub(crate) severity: Severity,
    pub(crate) finding: Option<Template>,
    pub(crate) description: Arc<str>,
    pub(crate) remediation: Arc<str>,
    pub(crate) references: Vec<Arc<str>>,
    pub(crate) part: Part,
}

/// The parameters that a file declares, with their defaults.
pub(crate) fn params(reader: &mut Reader<'_>, node: &Node) -> Params {
    Params::declared(reader, node.get("params"))
}

/// A rule of a plain package.
pub(crate) fn rule(
    reader: &mut Reader<'_>,
    node: &Node,
    id: &str,
    package: RulesPackage,
    params: &Params,
    check_patterns: bool,
) -> Option<Rule> {
    let content = content(reader, node, params, check_patterns, true)?;
    Some(Rule {
        info: RuleInfo {
            id: Arc::from(id),
            package,
            title: content.title,
            severity: content.severity,
            description: content.description,
            remediation: content.remediation,
            references: content.references,
            automated: true,
            recommendation: None,
            tailored: None,
        },
        finding: content.finding?,
        attributes: Vec::new(),
        lists_packages: false,
        benchmark: None,
        body: Body::Parts(vec![content.part]),
    })
}

/// The content of a rule or control; a control may leave `finding` out.
pub(crate) fn content(
    reader: &mut Reader<'_>,
    node: &Node,
    params: &Params,
    check_patterns: bool,
    needs_finding: bool,
) -> Option<Content> {
    let members = reader.members(node, "a rule", MEMBERS)?;
    let mut cx = Operands { reader, params, check_patterns };
    let title = required_text(&mut cx, &members, "title");
    let severity = cx.reader.required(&members, "severity");
    let severity = severity.and_then(|node| self::severity(cx.reader, node));
    let finding = match members.get("finding") {
        Some(node) => template(&mut cx, node).map(Some),
        None if needs_finding => {
            cx.reader.required(&members, "finding");
            None
        }
        None => Some(None),
    };
    let description = required_text(&mut cx, &members, "description");
    let remediation = required_text(&mut cx, &members, "remediation");
    let references = members.get("references").map(|node| references(cx.reader, node));
    let part = part(&mut cx, &members);
    Some(Content {
        title: title?,
        severity: severity?,
        finding: finding?,
        description: description?,
        remediation: remediation?,
        references: references.unwrap_or_default(),
        part: part?,
    })
}

/// Links, which must be links.
pub(crate) fn references(reader: &mut Reader<'_>, node: &Node) -> Vec<Arc<str>> {
    let list = reader.texts(node, "a reference");
    for link in &list {
        if !link.starts_with("https://") && !link.starts_with("http://") {
            reader.error(codes::BAD_VALUE, node.span, format!("`{link}` is no link"));
        }
    }
    list
}

/// A severity word.
pub(crate) fn severity(reader: &mut Reader<'_>, node: &Node) -> Option<Severity> {
    reader.word(node, "severity", SEVERITIES)
}

/// Required text, parameters filled in, trailing line breaks removed.
pub(crate) fn required_text(
    cx: &mut Operands<'_, '_>,
    members: &Members<'_>,
    key: &'static str,
) -> Option<Arc<str>> {
    let node = cx.reader.required(members, key)?;
    text(cx, node, key)
}

/// Text with parameters filled in, trailing line breaks removed.
pub(crate) fn text(cx: &mut Operands<'_, '_>, node: &Node, what: &str) -> Option<Arc<str>> {
    let text = cx.reader.text(node, what)?;
    let filled = cx.params.fill(text);
    let trimmed = filled.trim_end();
    if trimmed.is_empty() {
        cx.reader.error(codes::BAD_VALUE, node.span, format!("`{what}` is empty"));
        return None;
    }
    Some(Arc::from(trimmed))
}

fn part(cx: &mut Operands<'_, '_>, members: &Members<'_>) -> Option<Part> {
    let applies = match members.get("applies_to") {
        Some(node) => applies_to(cx, node).map(Some),
        None => Some(None),
    };
    let requires = match members.get("requires") {
        Some(node) => requires(cx, node),
        None => Some(Vec::new()),
    };
    let check = cx.reader.required(members, "check");
    let check = check.and_then(|node| expression(cx, node, &[]));
    Some(Part { applies: applies?, requires: requires?, check: check? })
}

/// A predicate over `host`, with words for it.
pub(crate) fn applies_to(cx: &mut Operands<'_, '_>, node: &Node) -> Option<(Pred, Arc<str>)> {
    let pred = matcher(cx, Host::TABLE, node)?;
    if pred.is_true() {
        cx.reader.error(codes::ALWAYS_SAME, node.span, "`applies_to` names no column");
        return None;
    }
    let words = words::predicate(Host::TABLE, &pred).into();
    Some((pred, words))
}

fn requires(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Vec<(Expr, Arc<str>)>> {
    let items = cx.reader.list(node, "`requires`")?;
    let all: Vec<_> = items
        .iter()
        .map(|item| {
            let expr = expression(cx, item, &["reason"]);
            let reason = match item.get("reason") {
                Some(node) => text(cx, node, "reason"),
                None => {
                    let message = "a requirement needs `reason`: why the rule is not applicable";
                    cx.reader.error(codes::MISSING_KEY, item.span, message);
                    None
                }
            };
            Some((expr?, reason?))
        })
        .collect();
    all.into_iter().collect()
}

/// A finding's sentence: `{host.COLUMN}` and parameters are filled in, other braces are mistakes.
fn template(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Template> {
    let filled = text(cx, node, "finding")?;
    let mut segments = Vec::new();
    let mut rest: &str = &filled;
    let mut whole = true;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        if !before.is_empty() {
            segments.push(Segment::Text(Arc::from(before)));
        }
        let close = after.find('}').unwrap_or(after.len() - 1);
        let name = &after[1..close.max(1)];
        match name.strip_prefix("host.").and_then(|column| Host::TABLE.column(column)) {
            Some(column) => segments.push(Segment::Host(column)),
            None => {
                whole = false;
                let message = format!("`{{{name}}}` is neither a parameter nor a column of host");
                let columns = Host::TABLE.columns.iter().map(|column| column.name);
                let help = match name.strip_prefix("host.") {
                    Some(column) => suggest::help(column, columns),
                    None => suggest::help(name, cx.params.0.keys().map(|name| &**name)),
                };
                cx.reader.report(codes::UNKNOWN_PARAMETER, node.span, message, help);
            }
        }
        rest = &after[close + 1..];
    }
    if !rest.is_empty() {
        segments.push(Segment::Text(Arc::from(rest)));
    }
    whole.then_some(Template(segments))
}

/// A location or expectation with parameters filled in.
pub(crate) fn literal(text: &str) -> Template {
    let mut segments = Vec::new();
    for (index, part) in text.split("{host.agent_id}").enumerate() {
        if index > 0 {
            segments.extend(Host::TABLE.column("agent_id").map(Segment::Host));
        }
        if !part.is_empty() {
            segments.push(Segment::Text(Arc::from(part)));
        }
    }
    Template(segments)
}

/// Operands without parameters.
pub(crate) fn plain<'r, 't>(
    reader: &'r mut Reader<'t>,
    params: &'r Params,
    check_patterns: bool,
) -> Operands<'r, 't> {
    Operands { reader, params, check_patterns }
}
