//! What the self-test of rule files needs of them: each file as a rule per example.

use super::ast::{Body, Rule};
use super::compile;
use super::cve;
use super::example::{self, Example};
use super::library::{FileKind, RuleFile};
use super::params::Params;
use super::reader::Reader;
use super::rule;
use super::yaml::Node;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::finding::{RuleInfo, RulesPackage};

/// A rule file with its examples, each with the rule as its parameters make it.
pub(crate) struct Subject {
    /// One for each example, in order.
    pub(crate) cases: Vec<(Rule, Example)>,
    /// Whether its conditions are written by hand, so that each has to matter.
    pub(crate) by_hand: bool,
    check: Option<super::yaml::Span>,
}

impl Subject {
    /// Reads a rule, control or vulnerability file; `None` for a benchmark, which has no
    /// examples, and where a mistake was reported.
    pub(crate) fn read(reader: &mut Reader<'_>, file: &RuleFile) -> Option<Self> {
        if file.kind == FileKind::Benchmark {
            return None;
        }
        let node = compile::parsed(reader, file)?;
        let before = reader.diagnostics.len();
        let params = match file.kind {
            FileKind::Vulnerability => Params::default(),
            _ => rule::params(reader, &node),
        };
        rule_of(reader, file, &node, &params);
        let examples = example::examples(reader, &node, &params);
        if reader.diagnostics.len() > before {
            return None;
        }
        let cases: Vec<_> = examples
            .into_iter()
            .filter_map(|example| {
                let rule = rule_of(reader, file, &node, &example.params)?;
                Some((rule, example))
            })
            .collect();
        let check = node.as_mapping().and_then(|entries| {
            entries.iter().find(|(key, _)| key.text == "check").map(|(key, _)| key.span)
        });
        let by_hand = file.kind != FileKind::Vulnerability;
        (reader.diagnostics.len() == before).then_some(Self { cases, by_hand, check })
    }

    /// Reports something about an example.
    pub(crate) fn report(reader: &mut Reader<'_>, example: &Example, code: Code, text: String) {
        reader.error(code, example.span, text);
    }

    /// Reports something about the check as a whole.
    pub(crate) fn report_check(&self, reader: &mut Reader<'_>, code: Code, text: String) {
        reader.error(code, self.check.unwrap_or_default(), text);
    }
}

fn rule_of(reader: &mut Reader<'_>, file: &RuleFile, node: &Node, params: &Params) -> Option<Rule> {
    match file.kind {
        FileKind::Benchmark => None,
        FileKind::Vulnerability => cve::rule(reader, node, &file.id),
        FileKind::Rule(package) => rule::rule(reader, node, &file.id, package, params, true),
        FileKind::Control => {
            let content = rule::content(reader, node, params, true, false)?;
            Some(Rule {
                info: RuleInfo {
                    id: file.id.clone(),
                    package: RulesPackage::Cis,
                    title: content.title,
                    severity: content.severity,
                    description: content.description,
                    remediation: content.remediation,
                    references: content.references,
                    automated: true,
                    recommendation: None,
                    tailored: None,
                },
                finding: content.finding.unwrap_or_default(),
                attributes: Vec::new(),
                lists_packages: false,
                benchmark: None,
                body: Body::Parts(vec![content.part]),
            })
        }
    }
}

/// A reader for a file, for reports of the self-test.
pub(crate) fn reader(file: &RuleFile) -> Reader<'_> {
    Reader::new(&file.name, &file.text)
}

/// What a reader has collected.
pub(crate) fn diagnostics(reader: Reader<'_>) -> Vec<Diagnostic> {
    reader.diagnostics
}
