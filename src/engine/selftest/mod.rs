//! `rules check`: every file's examples through the plan and evaluator that judge hosts, every
//! leaf of `check` turned over, every table taken away.

mod flip;
mod missing;

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::rules as codes;
use crate::model::facts::FactSource;
use crate::model::finding::Judgement;
use crate::rules::ast::Rule;
use crate::rules::selfcheck::{self, Subject};
use crate::rules::{FileKind, Library, Plan};

/// What checking a library found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Every mistake of every file, files by id.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were read.
    pub files: usize,
    /// How many rules they make, recommendations counted one by one.
    pub rules: usize,
    /// How many examples were judged.
    pub examples: usize,
    /// How many leaves of conditions were turned over.
    pub leaves: usize,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.diagnostics.is_empty()
    }
}

/// Checks every file of a library.
///
/// A file is right when it compiles; it has at least one passing and one failing example; every
/// example has its verdict and, where it names it, its evidence; each leaf of `check`, turned into
/// its opposite, changes some example's verdict; and no passing example still passes with all its
/// tables but `host` taken away, or with one of the tables that its queries name taken away where
/// every query has to hold. Vulnerability files have no leaves of their own.
pub fn check(library: &Library) -> CheckReport {
    let mut report = CheckReport::default();
    match library.checked(true) {
        Ok(rules) => report.rules = rules.len(),
        Err(diagnostics) => report.diagnostics = diagnostics,
    }
    for file in library.files() {
        report.files += 1;
        if file.kind == FileKind::Benchmark {
            continue;
        }
        let mut reader = selfcheck::reader(file);
        if let Some(subject) = Subject::read(&mut reader, file) {
            for (rule, example) in &subject.cases {
                report.examples += 1;
                let found = judge(rule, &example.facts);
                compare(&mut reader, rule, example, found.as_ref());
            }
            if reader.diagnostics.is_empty() {
                missing::check(&mut reader, &subject);
                if subject.by_hand {
                    report.leaves += flip::check(&mut reader, &subject);
                }
            }
        }
        for diagnostic in selfcheck::diagnostics(reader) {
            if !report.diagnostics.contains(&diagnostic) {
                report.diagnostics.push(diagnostic);
            }
        }
    }
    report
}

/// The judgement of one rule, through the production plan and evaluator.
pub(super) fn judge(rule: &Rule, facts: &dyn FactSource) -> Option<Judgement> {
    let plan = Plan::of(vec![rule.clone()]);
    super::evaluate(&plan, facts).ok()?.pop()
}

fn compare(
    reader: &mut crate::rules::reader::Reader<'_>,
    rule: &Rule,
    example: &crate::rules::example::Example,
    found: Option<&Judgement>,
) {
    let Some(found) = found else { return };
    if found.verdict.name() != example.verdict {
        let mut message = format!(
            "example `{}` should be {} and is {}",
            example.name,
            example.verdict,
            found.verdict.name()
        );
        if let Some(reason) = found.verdict.reason() {
            message.push_str(&format!(": {reason}"));
        }
        let shown = shown(found);
        if !shown.is_empty() {
            message.push_str(&format!("; evidence: {}", shown.join(", ")));
        }
        Subject::report(reader, example, codes::EXAMPLE_FAILED, message);
        return;
    }
    if let Some((expected, _)) = &example.evidence {
        let locations: Vec<Arc<str>> =
            found.evidence.iter().map(|evidence| evidence.to_string().into()).collect();
        if *expected != locations {
            let message = format!(
                "example `{}` of {} should give the evidence {} and gives {}",
                example.name,
                rule.info.id,
                expected.join(", "),
                if locations.is_empty() { "none".to_owned() } else { locations.join(", ") },
            );
            Subject::report(reader, example, codes::EXAMPLE_EVIDENCE, message);
        }
    }
}

/// Evidence in one line each, for messages.
fn shown(judgement: &Judgement) -> Vec<String> {
    let lines = judgement.evidence.iter().take(5);
    lines
        .map(|evidence| {
            format!("{evidence} is {}, required {}", evidence.observed, evidence.expected)
        })
        .collect()
}
