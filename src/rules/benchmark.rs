//! `cis/benchmarks/`: recommendation numbers mapped to controls, to one rule each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{Body, Pred, Rule};
use super::params::Params;
use super::reader::Reader;
use super::rule::{self, Content, applies_to, literal, plain, required_text, severity, text};
use super::suggest;
use super::yaml::{Node, Span};
use crate::diagnostic::codes::rules as codes;
use crate::model::finding::{Recommendation, RuleInfo, RulesPackage, Severity};

/// The members of a benchmark file.
pub(crate) const MEMBERS: &[&str] =
    &["benchmark", "version", "applies_to", "sections", "recommendations", "references"];
/// The members of a recommendation.
pub(crate) const RECOMMENDATION: &[&str] =
    &["id", "title", "levels", "control", "with", "controls", "manual", "severity"];
/// The levels, with the names of the profiles they are.
pub(crate) const LEVELS: &[(&str, &str)] = &[
    ("l1_server", "Level 1 - Server"),
    ("l1_workstation", "Level 1 - Workstation"),
    ("l2_server", "Level 2 - Server"),
    ("l2_workstation", "Level 2 - Workstation"),
    ("l1", "Level 1"),
    ("l2", "Level 2"),
];
/// The most recommendations of one benchmark.
const MAX_RECOMMENDATIONS: usize = 2000;

/// A control file that was read and found right by itself.
pub(crate) struct Control {
    pub(crate) node: Arc<Node>,
    pub(crate) params: Params,
    /// The name and text of its file, for the rare mistake that only a value brings out.
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
}

/// What is the same for every recommendation of one benchmark.
struct Frame<'c> {
    controls: &'c BTreeMap<Arc<str>, Option<Control>>,
    id: &'c str,
    name: Arc<str>,
    version: Arc<str>,
    applies: Arc<Pred>,
    references: Vec<Arc<str>>,
    check_patterns: bool,
}

/// The rules of a benchmark, in the order of the file.
pub(crate) fn rules(
    reader: &mut Reader<'_>,
    node: &Node,
    id: &str,
    controls: &BTreeMap<Arc<str>, Option<Control>>,
    check_patterns: bool,
) -> Vec<Rule> {
    let params = Params::default();
    let Some(members) = reader.members(node, "a benchmark", MEMBERS) else { return Vec::new() };
    let mut cx = plain(reader, &params, check_patterns);
    let name = required_text(&mut cx, &members, "benchmark");
    let version = required_text(&mut cx, &members, "version");
    let applies = cx.reader.required(&members, "applies_to");
    let applies = applies.and_then(|node| applies_to(&mut cx, node));
    if let Some(sections) = members.get("sections") {
        sections_are_texts(cx.reader, sections);
    }
    let references = members.get("references").map(|node| rule::references(cx.reader, node));
    let list = cx.reader.required(&members, "recommendations");
    let list = list.and_then(|node| cx.reader.list(node, "`recommendations`")).unwrap_or_default();
    if list.len() > MAX_RECOMMENDATIONS {
        let message = format!("more than {MAX_RECOMMENDATIONS} recommendations");
        reader.error(codes::LIMIT, members.span(), message);
        return Vec::new();
    }
    let frame = Frame {
        controls,
        id,
        name: name.unwrap_or_default(),
        version: version.unwrap_or_default(),
        applies: Arc::new(applies.map_or(Pred::TRUE, |(pred, _)| pred)),
        references: references.unwrap_or_default(),
        check_patterns,
    };
    let mut seen = BTreeSet::new();
    list.iter()
        .filter_map(|node| {
            let rule = recommendation(reader, node, &frame)?;
            if !seen.insert(Arc::clone(&rule.info.id)) {
                let message = format!("the number of `{}` stands twice", rule.info.id);
                reader.error(codes::DUPLICATE_ID, node.span, message);
                return None;
            }
            Some(rule)
        })
        .collect()
}

fn sections_are_texts(reader: &mut Reader<'_>, node: &Node) {
    match node.as_mapping() {
        Some(entries) => {
            for (_, title) in entries {
                reader.text(title, "a section's title");
            }
        }
        None => {
            reader.error(codes::WRONG_SHAPE, node.span, "`sections` is a mapping of numbers");
        }
    }
}

fn recommendation(reader: &mut Reader<'_>, node: &Node, frame: &Frame<'_>) -> Option<Rule> {
    let params = Params::default();
    let members = reader.members(node, "a recommendation", RECOMMENDATION)?;
    let mut cx = plain(reader, &params, frame.check_patterns);
    let number = required_text(&mut cx, &members, "id");
    let title = required_text(&mut cx, &members, "title");
    let severity = members.get("severity").map(|node| severity(cx.reader, node));
    let manual = members.get("manual").map(|node| text(&mut cx, node, "manual"));
    let levels = reader.required(&members, "levels").map(|node| levels(reader, node));
    let kinds = ["control", "controls", "manual"];
    if kinds.iter().filter(|kind| members.get(kind).is_some()).count() != 1 {
        let message = "a recommendation has one of `control`, `controls` and `manual`";
        reader.error(codes::MISSING_KEY, members.span(), message);
        return None;
    }
    if let Some(number) = &number
        && !number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    {
        let message = format!("`{number}` is no number of a recommendation");
        reader.error(codes::BAD_VALUE, members.span(), message);
        return None;
    }
    let contents = match (members.get("control"), members.get("controls")) {
        (Some(_), _) => instantiate(reader, node, frame).map(|content| vec![content]),
        (_, Some(list)) => {
            let items = reader.list(list, "`controls`")?;
            let items: Vec<_> = items
                .iter()
                .map(|item| {
                    reader.members(item, "a control", &["control", "with"])?;
                    instantiate(reader, item, frame)
                })
                .collect();
            items.into_iter().collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        }
        _ => Some(Vec::new()),
    };
    let control = match (members.get("control"), members.get("controls")) {
        (Some(node), _) => reader.text(node, "control").map(str::to_owned),
        (_, Some(list)) => Some(names(list)),
        _ => None,
    };
    let (number, title, levels, contents) = (number?, title?, levels?, contents?);
    let severity = match severity {
        Some(severity) => severity?,
        None => contents.iter().map(|c| c.severity).max().unwrap_or(Severity::Informational),
    };
    let join = |texts: Vec<&Arc<str>>| -> Arc<str> {
        let texts: Vec<&str> = texts.into_iter().map(|text| &**text).collect();
        texts.join("\n\n").into()
    };
    let manual = match manual {
        Some(manual) => Some(manual?),
        None => None,
    };
    let (description, remediation) = match &manual {
        Some(advice) => (Arc::clone(&title), Arc::clone(advice)),
        None => (
            join(contents.iter().map(|content| &content.description).collect()),
            join(contents.iter().map(|content| &content.remediation).collect()),
        ),
    };
    let mut references = frame.references.clone();
    for link in contents.iter().flat_map(|content| &content.references) {
        if !references.contains(link) {
            references.push(Arc::clone(link));
        }
    }
    let (benchmark, version) = (&frame.name, &frame.version);
    let finding = format!(
        "Instance {{host.agent_id}} is not compliant with rule {number} {title}, {benchmark} {version}"
    );
    let attributes = vec![
        (Arc::from("BENCHMARK_ID"), Arc::from(format!("{benchmark} {version}"))),
        (Arc::from("BENCHMARK_RULE_ID"), Arc::from(format!("{number} {title}"))),
    ];
    let automated = manual.is_none();
    Some(Rule {
        info: RuleInfo {
            id: format!("cis/{}/{number}", frame.id).into(),
            package: RulesPackage::Cis,
            title: Arc::clone(&title),
            severity,
            description,
            remediation,
            references,
            automated,
            recommendation: Some(Recommendation {
                benchmark: Arc::clone(benchmark),
                benchmark_version: Arc::clone(version),
                number,
                levels,
                control: control.map(Arc::from),
            }),
        },
        finding: literal(&finding),
        attributes,
        lists_packages: false,
        benchmark: Some(Arc::clone(&frame.applies)),
        body: match manual {
            Some(advice) => Body::Manual(advice),
            None => Body::Parts(contents.into_iter().map(|content| content.part).collect()),
        },
    })
}

fn names(list: &Node) -> String {
    let items = list.as_sequence().unwrap_or_default();
    let names = items.iter().filter_map(|item| item.get("control")?.as_scalar());
    let names: Vec<&str> = names.map(|scalar| &*scalar.text).collect();
    names.join(", ")
}

fn levels(reader: &mut Reader<'_>, node: &Node) -> Vec<Arc<str>> {
    let list = reader.list(node, "`levels`").unwrap_or_default();
    if list.is_empty() {
        reader.error(codes::BAD_VALUE, node.span, "a recommendation belongs to some level");
    }
    list.iter().filter_map(|node| reader.word(node, "level", LEVELS)).map(Arc::from).collect()
}

/// A control with the values that a recommendation gives its parameters.
fn instantiate(reader: &mut Reader<'_>, node: &Node, frame: &Frame<'_>) -> Option<Content> {
    let Some(name_node) = node.get("control") else {
        reader.error(codes::MISSING_KEY, node.span, "an item of `controls` needs `control`");
        return None;
    };
    let name = reader.text(name_node, "control")?;
    let Some(control) = frame.controls.get(name) else {
        let message = format!("there is no control `{name}`");
        let help = suggest::help(name, frame.controls.keys().map(|name| &**name));
        reader.report(codes::UNKNOWN_CONTROL, name_node.span, message, help);
        return None;
    };
    // A control with mistakes of its own has been reported already.
    let control = control.as_ref()?;
    let before = reader.diagnostics.len();
    let params = control.params.with(reader, node.get("with"));
    for missing in params.missing() {
        let message = format!("control `{name}` needs the parameter `{missing}`");
        reader.error(codes::MISSING_PARAMETER, name_node.span, message);
    }
    if reader.diagnostics.len() > before {
        return None;
    }
    let mut inner = Reader::new(&control.name, &control.text);
    let content = rule::content(&mut inner, &control.node, &params, frame.check_patterns, false);
    for diagnostic in inner.diagnostics {
        value_mistake(reader, name, name_node.span, &diagnostic.message);
    }
    content
}

fn value_mistake(reader: &mut Reader<'_>, control: &str, span: Span, message: &str) {
    let message = format!("with these parameters, in control `{control}`: {message}");
    reader.error(codes::BAD_VALUE, span, message);
}
