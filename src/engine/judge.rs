//! Rules as boolean programs over the answers.

use std::sync::Arc;

use super::answer::Answers;
use super::evidence;
use super::predicate::holds;
use super::truth::{Tri, Truth};
use crate::model::cell::Fact as _;
use crate::model::facts::Row;
use crate::model::finding::{Judgement, RulesPackage, Verdict};
use crate::model::table::Host;
use crate::model::value::Value;
use crate::model::view::Loaded;
use crate::rules::ast::{Pred, Segment, Template, WhenEmpty};
use crate::rules::{Atoms, Plan, Program, ProgramBody, ProgramPart, Step};

/// The host's row, and which gates it passes.
pub(super) struct HostFacts {
    loaded: Loaded,
    gates: Vec<Truth>,
}

impl HostFacts {
    pub(super) fn new(atoms: &Atoms, loaded: Loaded) -> Self {
        let mut host = Self { loaded, gates: Vec::new() };
        let now = host.now();
        host.gates = match host.row() {
            Some(row) => {
                let gate = |tri| match tri {
                    Tri::True => Truth::True,
                    Tri::False => Truth::False,
                    Tri::Unknown => Truth::Unknown(Arc::from("a column of host cannot be judged")),
                };
                atoms.gates.iter().map(|pred| gate(holds(pred, &row, now))).collect()
            }
            None => {
                let reason = host.loaded.state.reason().cloned();
                let reason = reason.unwrap_or_else(|| Arc::from("the host is not described"));
                vec![Truth::Unknown(reason); atoms.gates.len()]
            }
        };
        host
    }

    fn row(&self) -> Option<Row<'_>> {
        self.loaded.rows.get(0)
    }

    /// When the facts were collected.
    pub(super) fn now(&self) -> Option<i64> {
        self.row()?.get("collected_at").as_int()
    }

    /// Whether a predicate holds for the host, or that cannot be told.
    pub(super) fn may_be(&self, about: &Pred) -> bool {
        self.row().is_none_or(|row| holds(about, &row, self.now()) != Tri::False)
    }

    fn gate(&self, gate: usize) -> Truth {
        self.gates.get(gate).cloned().unwrap_or(Truth::False)
    }

    /// Whether the rule's benchmark is about this host; where that cannot be told, it is judged.
    fn is_addressed(&self, program: &Program) -> bool {
        program.benchmark.is_none_or(|gate| self.gate(gate) != Truth::False)
    }

    fn fill(&self, template: &Template) -> Arc<str> {
        let mut text = String::new();
        for segment in &template.0 {
            match segment {
                Segment::Text(part) => text.push_str(part),
                Segment::Host(column) => {
                    let cell = self.row().and_then(|row| row.cells().get(*column));
                    match cell {
                        Some(Value::Null) | None => text.push_str("unknown"),
                        Some(value) => text.push_str(&value.to_string()),
                    }
                }
            }
        }
        text.into()
    }
}

/// Which atoms the rules need that are about this host.
pub(super) fn needed(plan: &Plan, host: &HostFacts) -> Vec<bool> {
    let mut needed = vec![false; plan.atoms.atoms.len()];
    for program in plan.programs.iter().filter(|program| host.is_addressed(program)) {
        let ProgramBody::Parts(parts) = &program.body else { continue };
        for part in parts {
            if part.applies.as_ref().is_some_and(|(gate, _)| host.gate(*gate) == Truth::False) {
                continue;
            }
            let requires = part.requires.iter().map(|(step, _)| step);
            for step in requires.chain([&part.check]) {
                step.atoms(&mut |atom| {
                    if let Some(needed) = needed.get_mut(atom) {
                        *needed = true;
                    }
                });
            }
        }
    }
    needed
}

/// A judgement for every rule that is about this host.
pub(super) fn rules(plan: &Plan, host: &HostFacts, answers: &Answers<'_>) -> Vec<Judgement> {
    let programs = plan.programs.iter().enumerate();
    programs
        .filter(|(_, program)| host.is_addressed(program))
        .map(|(index, program)| judgement(plan, index, program, host, answers))
        .collect()
}

fn judgement(
    plan: &Plan,
    rule: usize,
    program: &Program,
    host: &HostFacts,
    answers: &Answers<'_>,
) -> Judgement {
    let mut judgement = Judgement {
        rule,
        verdict: Verdict::Pass,
        sentence: Arc::from(""),
        attributes: Vec::new(),
        evidence: Vec::new(),
    };
    judgement.verdict = match &program.body {
        ProgramBody::Manual(advice) => {
            Verdict::NotApplicable(format!("a person has to judge this: {advice}").into())
        }
        ProgramBody::Off(reason) => Verdict::NotApplicable(Arc::clone(reason)),
        ProgramBody::Parts(parts) => {
            let truths: Vec<Truth> =
                parts.iter().map(|part| part_truth(part, host, answers)).collect();
            if truths.contains(&Truth::False) {
                let failed = parts.iter().zip(&truths).filter(|(_, truth)| **truth == Truth::False);
                let checks: Vec<&Step> = failed.map(|(part, _)| &part.check).collect();
                let found = evidence::collect(&checks, answers);
                judgement.sentence = host.fill(&program.finding);
                judgement.attributes = attributes(plan, rule, program, &found);
                judgement.evidence = found.evidence;
            }
            match verdict(truths) {
                Verdict::Pass if is_cis(plan, rule) => missing(parts, answers)
                    .map_or(Verdict::Pass, |reason| Verdict::Unknown(Arc::clone(reason))),
                verdict => verdict,
            }
        }
    };
    judgement
}

/// Why a table that a benchmark asks is not there: a recommendation does not pass by half of what
/// it asks, even where that half is enough by itself.
fn missing<'a>(parts: &[ProgramPart], answers: &'a Answers<'_>) -> Option<&'a Arc<str>> {
    let mut found = None;
    for part in parts {
        let requires = part.requires.iter().map(|(step, _)| step);
        for step in requires.chain([&part.check]) {
            step.atoms(&mut |atom| {
                let missing = answers.get(atom).and_then(|answer| answer.missing.as_ref());
                found = found.or(missing);
            });
        }
    }
    found
}

fn is_cis(plan: &Plan, rule: usize) -> bool {
    plan.rules.get(rule).is_some_and(|rule| rule.package == RulesPackage::Cis)
}

/// All parts must pass; a part that is not about the host is left out, unless all are.
fn verdict(truths: Vec<Truth>) -> Verdict {
    let all_not_applicable = truths.iter().all(|truth| matches!(truth, Truth::NotApplicable(_)));
    let counted = truths
        .into_iter()
        .filter(|truth| all_not_applicable || !matches!(truth, Truth::NotApplicable(_)));
    match Truth::all(counted) {
        Truth::True => Verdict::Pass,
        Truth::False => Verdict::Fail,
        Truth::Unknown(reason) => Verdict::Unknown(reason),
        Truth::NotApplicable(reason) => Verdict::NotApplicable(reason),
    }
}

fn part_truth(part: &ProgramPart, host: &HostFacts, answers: &Answers<'_>) -> Truth {
    let mut doubt = Truth::True;
    if let Some((gate, words)) = &part.applies {
        match host.gate(*gate) {
            Truth::True => {}
            Truth::False => {
                return Truth::NotApplicable(format!("the host is not {words}").into());
            }
            unknown => doubt = unknown,
        }
    }
    for (step, reason) in &part.requires {
        match truth(step, answers) {
            Truth::True => {}
            Truth::False | Truth::NotApplicable(_) => {
                return Truth::NotApplicable(Arc::clone(reason));
            }
            // That nothing is there says it itself; the rule has the better words for it.
            Truth::Unknown(_) if by_default(step, answers) => {
                doubt = Truth::all([doubt, Truth::Unknown(Arc::clone(reason))]);
            }
            unknown => doubt = Truth::all([doubt, unknown]),
        }
    }
    match doubt {
        Truth::True => truth(&part.check, answers),
        doubt => doubt,
    }
}

/// Whether a step is one query that found no row and says that this is unknown.
fn by_default(step: &Step, answers: &Answers<'_>) -> bool {
    let Step::Atom(atom) = step else { return false };
    let query = answers.atoms.atoms.get(*atom).map(|atom| &atom.query);
    query.is_some_and(|query| query.when_empty == Some(WhenEmpty::Unknown))
        && answers.get(*atom).is_some_and(|answer| answer.by_default)
}

/// What a program step gives.
pub(super) fn truth(step: &Step, answers: &Answers<'_>) -> Truth {
    match step {
        Step::All(list) => Truth::all(list.iter().map(|step| truth(step, answers))),
        Step::Any(list) => Truth::any(list.iter().map(|step| truth(step, answers))),
        Step::Not(step) => truth(step, answers).not(),
        Step::Atom(atom) => match answers.get(*atom) {
            Some(answer) => answer.truth.clone(),
            None => Truth::Unknown(Arc::from("it was not asked")),
        },
    }
}

fn attributes(
    plan: &Plan,
    rule: usize,
    program: &Program,
    found: &evidence::Found,
) -> Vec<(Arc<str>, Arc<str>)> {
    let mut attributes = program.attributes.clone();
    if program.lists_packages && !found.packages.is_empty() {
        attributes.push(("package_name".into(), found.packages.join(",").into()));
    }
    if is_cis(plan, rule)
        && let Some(profile) = &plan.profile
    {
        attributes.push(("CIS_BENCHMARK_PROFILE".into(), Arc::clone(profile)));
    }
    attributes
}

/// Where `host` stands in evidence.
pub(super) fn is_host(table: &str) -> bool {
    table == Host::TABLE.name
}
