//! `common-vulnerabilities/`: a CVE with the releases and packages that it affects, to a rule.

use std::fmt::Write as _;
use std::sync::Arc;

use super::ast::{Body, Expect, Expr, Order, Part, Pred, Query, Rule, Table, Test};
use super::operand::Operands;
use super::params::Params;
use super::reader::{Members, Reader};
use super::rule::{literal, plain, references, required_text, severity, text};
use super::yaml::Node;
use crate::diagnostic::codes::rules as codes;
use crate::model::cell::Fact as _;
use crate::model::cvss;
use crate::model::finding::{RuleInfo, RulesPackage, Severity};
use crate::model::schema::TableSchema;
use crate::model::table::{Host, Package};
use crate::model::value::Value;

/// The members of a file about one CVE.
pub(crate) const MEMBERS: &[&str] = &[
    "title",
    "name",
    "severity",
    "description",
    "remediation",
    "cvss3",
    "cvss2",
    "kev",
    "references",
    "affected",
    "examples",
];
/// The members of a row of `affected`.
pub(crate) const AFFECTED: &[&str] = &["os", "version", "package", "source", "fixed", "introduced"];

/// The rule for one CVE.
pub(crate) fn rule(reader: &mut Reader<'_>, node: &Node, id: &str) -> Option<Rule> {
    let params = Params::default();
    let members = reader.members(node, "a vulnerability", MEMBERS)?;
    let mut cx = plain(reader, &params, false);
    let title = cve_id(&mut cx, &members);
    let name = members.get("name").and_then(|node| text(&mut cx, node, "name"));
    let description = required_text(&mut cx, &members, "description");
    let remediation =
        members.get("remediation").and_then(|node| text(&mut cx, node, "remediation"));
    let cvss3 = members.get("cvss3").map(|node| cvss(&mut cx, node, "CVSS:3."));
    let cvss2 = members.get("cvss2").map(|node| cvss(&mut cx, node, "AV:"));
    let kev = members.get("kev").map(|node| date(&mut cx, node));
    let severity = match members.get("severity") {
        Some(node) => severity(cx.reader, node),
        None => Some(band(cvss3.flatten_ref(), cvss2.flatten_ref())),
    };
    let references = members.get("references").map(|node| references(cx.reader, node));
    let affected = cx.reader.required(&members, "affected");
    let affected = affected.and_then(|node| affected_rows(&mut cx, node));

    let (title, description, affected) = (title?, description?, affected?);
    let description = match name {
        Some(name) => format!("{name}: {description}").into(),
        None => description,
    };
    let mut attributes: Vec<(Arc<str>, Arc<str>)> = vec![("CVE_ID".into(), Arc::clone(&title))];
    for (version, cvss) in [("2", cvss2.flatten_ref()), ("3", cvss3.flatten_ref())] {
        if let Some(cvss) = cvss {
            let key = |what: &str| Arc::from(format!("CVSS{version}_{what}"));
            attributes.push((key("SCORE"), Arc::clone(&cvss.score)));
            attributes.push((key("VECTOR"), Arc::clone(&cvss.vector)));
        }
    }
    if let Some(Some(kev)) = kev {
        attributes.push(("KEV_DATE_ADDED".into(), kev));
    }
    let (applies, check) = desugar(&affected);
    Some(Rule {
        info: RuleInfo {
            id: Arc::from(id),
            package: RulesPackage::CommonVulnerabilities,
            title: Arc::clone(&title),
            severity: severity?,
            description,
            remediation: remediation.unwrap_or_else(|| default_remediation(&title, &affected)),
            references: references.unwrap_or_default(),
            automated: true,
            recommendation: None,
            tailored: None,
        },
        finding: literal(&format!("Instance {{host.agent_id}} is vulnerable to {title}")),
        attributes,
        lists_packages: true,
        benchmark: None,
        body: Body::Parts(vec![Part {
            applies: Some((applies, Arc::from("a release that this vulnerability is known for"))),
            requires: Vec::new(),
            check,
        }]),
    })
}

trait FlattenRef<T> {
    fn flatten_ref(&self) -> Option<&T>;
}
impl<T> FlattenRef<T> for Option<Option<T>> {
    fn flatten_ref(&self) -> Option<&T> {
        self.as_ref().and_then(Option::as_ref)
    }
}

fn cve_id(cx: &mut Operands<'_, '_>, members: &Members<'_>) -> Option<Arc<str>> {
    let title = required_text(cx, members, "title")?;
    let mut parts = title.split('-');
    let digits = |part: Option<&str>, least: usize| {
        part.is_some_and(|p| p.len() >= least && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let valid = parts.next() == Some("CVE")
        && digits(parts.next(), 4)
        && digits(parts.next(), 4)
        && parts.next().is_none();
    if !valid {
        let message = format!("`{title}` is no CVE id");
        cx.reader.error(codes::BAD_VALUE, members.span(), message);
        return None;
    }
    Some(title)
}

struct Cvss {
    score: Arc<str>,
    tenths: u8,
    vector: Arc<str>,
}

fn cvss(cx: &mut Operands<'_, '_>, node: &Node, begins: &str) -> Option<Cvss> {
    let members = cx.reader.members(node, "a CVSS", &["score", "vector"])?;
    let score = required_text(cx, &members, "score")?;
    let vector = required_text(cx, &members, "vector")?;
    let (whole, tenth) = score.split_once('.').unwrap_or((&score, "0"));
    let tenths = match (whole.parse::<u8>(), tenth.parse::<u8>()) {
        (Ok(whole @ 0..=10), Ok(tenth @ 0..=9)) if whole * 10 + tenth <= 100 => whole * 10 + tenth,
        _ => {
            let message = format!("`{score}` is no CVSS score: 0.0 to 10.0");
            cx.reader.error(codes::BAD_VALUE, node.span, message);
            return None;
        }
    };
    if !vector.starts_with(begins) {
        let message = format!("the vector does not begin with `{begins}`");
        cx.reader.error(codes::BAD_VALUE, node.span, message);
        return None;
    }
    Some(Cvss { score, tenths, vector })
}

fn date(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Arc<str>> {
    let date = text(cx, node, "kev")?;
    let shape = date.len() == 10
        && date.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape {
        cx.reader.error(codes::BAD_VALUE, node.span, "a date is written 2022-06-27");
        return None;
    }
    Some(date)
}

/// CVSS v3 bands, else v2 bands.
fn band(cvss3: Option<&Cvss>, cvss2: Option<&Cvss>) -> Severity {
    cvss3.or(cvss2).map_or(Severity::Undefined, |cvss| cvss::band(cvss.tenths))
}

/// A row of `affected`.
struct Affected {
    os: Vec<Arc<str>>,
    version: Option<Arc<str>>,
    by_source: bool,
    name: Arc<str>,
    fixed: Option<Arc<str>>,
    introduced: Option<Arc<str>>,
}

fn affected_rows(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Vec<Affected>> {
    let items = cx.reader.list(node, "`affected`")?;
    if items.is_empty() {
        cx.reader.error(codes::ALWAYS_SAME, node.span, "`affected` names no release");
        return None;
    }
    let rows: Vec<_> = items.iter().map(|item| affected_row(cx, item)).collect();
    rows.into_iter().collect()
}

fn affected_row(cx: &mut Operands<'_, '_>, node: &Node) -> Option<Affected> {
    let members = cx.reader.members(node, "a row of `affected`", AFFECTED)?;
    let os = cx.reader.required(&members, "os").map(|node| cx.reader.texts(node, "os"));
    let version = members.get("version").map(|node| text(cx, node, "version"));
    let (package, source) = (members.get("package"), members.get("source"));
    let name = match (package, source) {
        (Some(node), None) | (None, Some(node)) => text(cx, node, "package"),
        _ => {
            let message = "a row of `affected` needs either `package` or `source`";
            cx.reader.error(codes::MISSING_KEY, members.span(), message);
            None
        }
    };
    let fixed = required_text(cx, &members, "fixed");
    let introduced = members.get("introduced").map(|node| text(cx, node, "introduced"));
    if version.is_none() {
        cx.reader.required(&members, "version");
    }
    Some(Affected {
        os: os.filter(|os| !os.is_empty())?,
        version: version?,
        by_source: source.is_some(),
        name: name?,
        fixed: fixed.map(|fixed| (&*fixed != "none").then_some(fixed))?,
        introduced: introduced.map_or(Some(None), |text| text.map(Some))?,
    })
}

fn default_remediation(cve: &str, affected: &[Affected]) -> Arc<str> {
    let mut names: Vec<&str> = affected.iter().map(|row| &*row.name).collect();
    names.sort_unstable();
    names.dedup();
    let mut text = String::from("Use your Operating System's update feature to update the package");
    text.push_str(if names.len() > 1 { "s " } else { " " });
    text.push_str(&names.join(", "));
    let url = format!("https://cve.mitre.org/cgi-bin/cvename.cgi?name={cve}");
    // Writing to a String cannot fail.
    let _ = write!(text, ". For more information see [{url}]({url})");
    text.into()
}

fn leaf(table: &'static TableSchema, column: &str, test: Test) -> Pred {
    match table.column(column) {
        Some(column) => Pred::Leaf { column, test },
        None => Pred::Any(Vec::new()),
    }
}

/// The hosts that the rule is about, and what it requires of them.
fn desugar(affected: &[Affected]) -> (Pred, Expr) {
    let mut hosts: Vec<(Pred, Vec<Expr>)> = Vec::new();
    for row in affected {
        let host = host(row);
        let expected = match &row.fixed {
            Some(fixed) => format!("{fixed} or later"),
            None => "not installed: there is no fixed version".to_owned(),
        };
        let package = none(Package::TABLE, package(row), Some(expected.into()));
        match hosts.iter_mut().find(|(other, _)| *other == host) {
            Some((_, packages)) => packages.push(package),
            None => hosts.push((host, vec![package])),
        }
    }
    let applies = Pred::Any(hosts.iter().map(|(host, _)| host.clone()).collect());
    let parts = hosts.into_iter().map(|(host, packages)| {
        let elsewhere = none(Host::TABLE, host, None);
        Expr::Any(vec![elsewhere, Expr::All(packages)])
    });
    (applies, Expr::All(parts.collect()))
}

fn none(table: &'static TableSchema, filter: Pred, expected: Option<Arc<str>>) -> Expr {
    Expr::Query(Box::new(Query {
        table: Table(table),
        filter,
        expect: Expect::None,
        must: Pred::TRUE,
        when_empty: None,
        at: None,
        expected,
    }))
}

fn host(row: &Affected) -> Pred {
    let os = Test::In(row.os.iter().map(|os| Value::Text(Arc::clone(os))).collect());
    let version = row
        .version
        .iter()
        .map(|version| leaf(Host::TABLE, "os_version", Test::Release(Arc::clone(version))));
    Pred::All([leaf(Host::TABLE, "os", os)].into_iter().chain(version).collect())
}

/// The installed packages that are vulnerable by this row.
fn package(row: &Affected) -> Pred {
    let table = Package::TABLE;
    let name = || Test::Eq(Value::Text(Arc::clone(&row.name)));
    let below = |column: &str| {
        let fixed = row.fixed.iter().map(|v| Test::Version(Order::Lt, Arc::clone(v)));
        let introduced = row.introduced.iter().map(|v| Test::Version(Order::Ge, Arc::clone(v)));
        fixed.chain(introduced).map(|test| leaf(table, column, test)).collect::<Vec<_>>()
    };
    let all = |first: Vec<Pred>, rest: Vec<Pred>| {
        Pred::All(first.into_iter().chain(rest).collect::<Vec<_>>())
    };
    let named = if row.by_source {
        Pred::Any(vec![
            all(
                vec![leaf(table, "source", name()), leaf(table, "source_version", Test::Exists)],
                below("source_version"),
            ),
            all(
                vec![leaf(table, "source", name()), leaf(table, "source_version", Test::Null)],
                below("version"),
            ),
            all(
                vec![leaf(table, "name", name()), leaf(table, "source", Test::Null)],
                below("version"),
            ),
        ])
    } else {
        all(vec![leaf(table, "name", name())], below("version"))
    };
    // A module build is fixed by another build than a plain one, and neither says anything of the
    // other.
    let module = leaf(table, "version", Test::ContainsText(Arc::from(".module")));
    let module = match &row.fixed {
        Some(fixed) if fixed.contains(".module") => vec![module],
        Some(_) => vec![Pred::Not(Box::new(module))],
        None => Vec::new(),
    };
    let installed = leaf(table, "status", Test::Eq(Value::text("installed")));
    all(vec![named, installed], module)
}
