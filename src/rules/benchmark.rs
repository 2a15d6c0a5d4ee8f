//! `cis/benchmarks/`: recommendation numbers mapped to controls, to one rule each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{Body, Pred, Rule};
use super::control::Controls;
use super::params::Params;
use super::plan::Selection;
use super::reader::Reader;
use super::rule::{self, Content, applies_to, literal, plain, required_text, severity, text};
use super::scope::Listed;
use super::suggest;
use super::tailoring::{Changes, Values};
use super::yaml::{Node, Span};
use crate::diagnostic::codes::rules as codes;
use crate::model::finding::{Recommendation, RuleInfo, RulesPackage, Severity, Tailored};

/// The members of a benchmark file.
pub(crate) const MEMBERS: &[&str] = &[
    "benchmark",
    "version",
    "applies_to",
    "packages",
    "sections",
    "recommendations",
    "references",
];
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
/// Package managers of systems: name, and how one installs and removes with them.
pub(crate) const MANAGERS: &[(&str, (&str, &str))] = &[
    ("apt", ("apt-get install", "apt-get purge")),
    ("dnf", ("dnf install", "dnf remove")),
    ("yum", ("yum install", "yum remove")),
];
/// The most recommendations of one benchmark.
const MAX_RECOMMENDATIONS: usize = 2000;

/// What is the same for every recommendation of one benchmark.
struct Frame<'c> {
    controls: &'c Controls<'c>,
    id: &'c str,
    name: Arc<str>,
    version: Arc<str>,
    applies: Arc<Pred>,
    references: Vec<Arc<str>>,
    /// How one installs and removes packages.
    packages: Option<(&'static str, &'static str)>,
    /// The titles of sections by their numbers.
    sections: BTreeMap<String, Arc<str>>,
    check_patterns: bool,
}

/// The names of the profiles that benchmarks have.
pub fn profiles() -> impl Iterator<Item = &'static str> {
    LEVELS.iter().map(|(_, name)| *name)
}

/// The rules of a benchmark, in the order of the file; with a selection, only those of its
/// profile.
pub(crate) fn rules(
    reader: &mut Reader<'_>,
    node: &Node,
    id: &str,
    controls: &Controls<'_>,
    check_patterns: bool,
    selection: Option<&Selection>,
    mut changes: Option<&mut Changes<'_>>,
) -> Vec<Rule> {
    let Some((frame, list)) = frame(reader, node, id, controls, check_patterns) else {
        return Vec::new();
    };
    let mut seen = BTreeSet::new();
    list.iter()
        .filter_map(|node| {
            let head = head(reader, node);
            let levels = head.as_ref().map(|head| &head.levels);
            if levels.is_some_and(|levels| selection.is_some_and(|wanted| !wanted.reaches(levels)))
            {
                return None;
            }
            let id = head.as_ref().map(|head| frame.rule_id(&head.number));
            let mut values = id.and_then(|id| changes.as_deref_mut()?.of(&id));
            // Also where the rest has mistakes: all are told at once.
            let contents = contents(reader, node, &frame, values.as_mut());
            let tailored = values.map(Values::done);
            let rule = recommendation(head?, contents?, &frame, tailored);
            if !seen.insert(Arc::clone(&rule.info.id)) {
                let message = format!("the number of `{}` stands twice", rule.info.id);
                reader.error(codes::DUPLICATE_ID, node.span, message);
                return None;
            }
            Some(rule)
        })
        .collect()
}

/// What a list shows of the recommendations of a benchmark of the program.
pub(crate) fn listed(
    reader: &mut Reader<'_>,
    node: &Node,
    id: &str,
    controls: &Controls<'_>,
) -> Vec<Listed> {
    let Some((frame, list)) = frame(reader, node, id, controls, false) else { return Vec::new() };
    let one = |node| {
        let head = head(reader, node)?;
        let severities = head.controls.iter().map(|name| controls.severity(reader, name));
        let severity = match head.severity {
            Some(severity) => severity,
            None => severities.max().flatten().unwrap_or(Severity::Informational),
        };
        Some(Listed {
            id: frame.rule_id(&head.number),
            package: RulesPackage::Cis,
            title: Arc::clone(&head.title),
            severity,
            automated: head.manual.is_none(),
            recommendation: Some(frame.place(head)),
        })
    };
    list.iter().filter_map(one).collect()
}

/// What the file says once, and its recommendations.
fn frame<'c, 'n>(
    reader: &mut Reader<'_>,
    node: &'n Node,
    id: &'c str,
    controls: &'c Controls<'c>,
    check_patterns: bool,
) -> Option<(Frame<'c>, &'n [Node])> {
    let params = Params::default();
    let members = reader.members(node, "a benchmark", MEMBERS)?;
    let mut cx = plain(reader, &params, check_patterns);
    let name = required_text(&mut cx, &members, "benchmark");
    let version = required_text(&mut cx, &members, "version");
    let applies = cx.reader.required(&members, "applies_to");
    let applies = applies.and_then(|node| applies_to(&mut cx, node));
    let packages = members.get("packages");
    let packages = packages.and_then(|node| cx.reader.word(node, "package manager", MANAGERS));
    let sections = members.get("sections").map(|node| sections(cx.reader, node));
    let references = members.get("references").map(|node| rule::references(cx.reader, node));
    let list = cx.reader.required(&members, "recommendations");
    let list = list.and_then(|node| cx.reader.list(node, "`recommendations`")).unwrap_or_default();
    if list.len() > MAX_RECOMMENDATIONS {
        let message = format!("more than {MAX_RECOMMENDATIONS} recommendations");
        reader.error(codes::LIMIT, members.span(), message);
        return None;
    }
    let frame = Frame {
        controls,
        id,
        name: name.unwrap_or_default(),
        version: version.unwrap_or_default(),
        applies: Arc::new(applies.map_or(Pred::TRUE, |(pred, _)| pred)),
        references: references.unwrap_or_default(),
        packages,
        sections: sections.unwrap_or_default(),
        check_patterns,
    };
    Some((frame, list))
}

impl Frame<'_> {
    fn rule_id(&self, number: &str) -> Arc<str> {
        format!("cis/{}/{number}", self.id).into()
    }

    /// Where a recommendation stands.
    fn place(&self, head: Head<'_>) -> Recommendation {
        let section = head.number.split('.').next().unwrap_or_default();
        Recommendation {
            section: self.sections.get(section).cloned(),
            benchmark: Arc::clone(&self.name),
            benchmark_version: Arc::clone(&self.version),
            control: (!head.controls.is_empty()).then(|| head.controls.join(", ").into()),
            number: head.number,
            levels: head.levels,
        }
    }
}

/// The titles of sections by their numbers.
fn sections(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Arc<str>> {
    let Some(entries) = node.as_mapping() else {
        reader.error(codes::WRONG_SHAPE, node.span, "`sections` is a mapping of numbers");
        return BTreeMap::new();
    };
    let titles = entries.iter().filter_map(|(number, node)| {
        let title = reader.text(node, "a section's title")?;
        Some((number.text.to_string(), Arc::from(title)))
    });
    titles.collect()
}

/// A recommendation without what its controls say.
struct Head<'n> {
    number: Arc<str>,
    title: Arc<str>,
    levels: Vec<Arc<str>>,
    severity: Option<Severity>,
    manual: Option<Arc<str>>,
    /// The names of its controls.
    controls: Vec<&'n str>,
}

fn head<'n>(reader: &mut Reader<'_>, node: &'n Node) -> Option<Head<'n>> {
    let params = Params::default();
    let members = reader.members(node, "a recommendation", RECOMMENDATION)?;
    let mut cx = plain(reader, &params, false);
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
    let controls = match (members.get("control"), members.get("controls")) {
        (Some(node), _) => vec![reader.text(node, "control")?],
        (_, Some(list)) => names(list),
        _ => Vec::new(),
    };
    Some(Head {
        number: number?,
        title: title?,
        levels: levels?,
        severity: match severity {
            Some(severity) => Some(severity?),
            None => None,
        },
        manual: match manual {
            Some(manual) => Some(manual?),
            None => None,
        },
        controls,
    })
}

/// The controls of a recommendation with its values.
fn contents(
    reader: &mut Reader<'_>,
    node: &Node,
    frame: &Frame<'_>,
    mut values: Option<&mut Values<'_, '_>>,
) -> Option<Vec<Content>> {
    match (node.get("control"), node.get("controls")) {
        (Some(_), _) => instantiate(reader, node, frame, values).map(|content| vec![content]),
        (_, Some(list)) => {
            let items = reader.list(list, "`controls`")?;
            let items: Vec<_> = items
                .iter()
                .map(|item| {
                    reader.members(item, "a control", &["control", "with"])?;
                    instantiate(reader, item, frame, values.as_deref_mut())
                })
                .collect();
            items.into_iter().collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        }
        _ => Some(Vec::new()),
    }
}

fn recommendation(
    head: Head<'_>,
    contents: Vec<Content>,
    frame: &Frame<'_>,
    tailored: Option<Tailored>,
) -> Rule {
    let severity = match head.severity {
        Some(severity) => severity,
        None => contents.iter().map(|c| c.severity).max().unwrap_or(Severity::Informational),
    };
    let (number, title) = (&head.number, &head.title);
    let manual = head.manual.clone();
    let (description, remediation) = match &head.manual {
        Some(advice) => (Arc::clone(title), Arc::clone(advice)),
        None => (
            join(contents.iter().map(|content| &*content.description)),
            join(contents.iter().map(|content| &*content.remediation)),
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
    let mut rule = Rule {
        info: RuleInfo {
            id: frame.rule_id(number),
            package: RulesPackage::Cis,
            title: Arc::clone(title),
            severity,
            description,
            remediation,
            references,
            automated: manual.is_none(),
            recommendation: Some(frame.place(head)),
            tailored: None,
        },
        finding: literal(&finding),
        attributes,
        lists_packages: false,
        benchmark: Some(Arc::clone(&frame.applies)),
        body: match manual {
            Some(advice) => Body::Manual(advice),
            None => Body::Parts(contents.into_iter().map(|content| content.part).collect()),
        },
    };
    if let Some(tailored) = tailored {
        rule.tailor(tailored);
    }
    rule
}

/// The texts of several controls as one: what controls of one kind all say, or begin with, is said
/// once.
fn join<'t>(texts: impl Iterator<Item = &'t str>) -> Arc<str> {
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for text in texts {
        let (lead, rest) = text.split_once('\n').unwrap_or((text, ""));
        match said.iter_mut().find(|(before, _)| *before == lead) {
            Some((_, parts)) if !parts.contains(&rest) => parts.push(rest),
            Some(_) => {}
            None => said.push((lead, vec![rest])),
        }
    }
    let whole = |(lead, parts): &(&str, Vec<&str>)| {
        let lines =
            std::iter::once(*lead).chain(parts.iter().copied().filter(|part| !part.is_empty()));
        lines.collect::<Vec<_>>().join("\n")
    };
    said.iter().map(whole).collect::<Vec<_>>().join("\n\n").into()
}

fn names(list: &Node) -> Vec<&str> {
    let items = list.as_sequence().unwrap_or_default();
    let names = items.iter().filter_map(|item| item.get("control")?.as_scalar());
    names.map(|scalar| &*scalar.text).collect()
}

fn levels(reader: &mut Reader<'_>, node: &Node) -> Vec<Arc<str>> {
    let list = reader.list(node, "`levels`").unwrap_or_default();
    if list.is_empty() {
        reader.error(codes::BAD_VALUE, node.span, "a recommendation belongs to some level");
    }
    list.iter().filter_map(|node| reader.word(node, "level", LEVELS)).map(Arc::from).collect()
}

/// A control with the values that a recommendation gives its parameters.
fn instantiate(
    reader: &mut Reader<'_>,
    node: &Node,
    frame: &Frame<'_>,
    mut values: Option<&mut Values<'_, '_>>,
) -> Option<Content> {
    let Some(name_node) = node.get("control") else {
        reader.error(codes::MISSING_KEY, node.span, "an item of `controls` needs `control`");
        return None;
    };
    let name = reader.text(name_node, "control")?;
    let Some(control) = frame.controls.get(name) else {
        let message = format!("there is no control `{name}`");
        let help = suggest::help(name, frame.controls.names());
        reader.report(codes::UNKNOWN_CONTROL, name_node.span, message, help);
        return None;
    };
    // A control with mistakes of its own has been reported already.
    let control = control?;
    let before = reader.diagnostics.len();
    let params = control.params.with(reader, node.get("with"));
    for missing in params.missing() {
        let message = format!("control `{name}` needs the parameter `{missing}`");
        reader.error(codes::MISSING_PARAMETER, name_node.span, message);
    }
    if reader.diagnostics.len() > before {
        return None;
    }
    let check_patterns = frame.check_patterns || values.is_some();
    let mut params = match &mut values {
        Some(values) => values.apply(params),
        None => params,
    };
    if let Some((install, remove)) = frame.packages {
        params.word("install", install);
        params.word("remove", remove);
    }
    let mut inner = Reader::new(&control.name, &control.text);
    let content = rule::content(&mut inner, &control.node, &params, check_patterns, false);
    for diagnostic in inner.diagnostics {
        match &mut values {
            Some(values) => values.mistake(name, &diagnostic.message),
            None => value_mistake(reader, name, name_node.span, &diagnostic.message),
        }
    }
    content
}

fn value_mistake(reader: &mut Reader<'_>, control: &str, span: Span, message: &str) {
    let message = format!("with these parameters, in control `{control}`: {message}");
    reader.error(codes::BAD_VALUE, span, message);
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn what_several_controls_say_is_said_once() {
        let joined = |texts: &[&str]| join(texts.iter().copied()).to_string();
        assert_eq!(joined(&["Run:\n  a", "Run:\n  b", "Run:\n  a"]), "Run:\n  a\n  b");
        assert_eq!(joined(&["Run:\n  a", "Set x.", "Set x."]), "Run:\n  a\n\nSet x.");
        assert_eq!(joined(&["Set x.", "Set x.\n  y"]), "Set x.\n  y");
    }
}
