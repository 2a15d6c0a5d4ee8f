//! Rank 2. A plan and facts to judgements: pure, total, deterministic.
//!
//! A host is judged in four steps: gates over `host` decide which rules are about it; the atoms
//! that those rules need are answered table by table, each once; rules are evaluated as boolean
//! programs over the answers; evidence is collected for those that fail.

mod answer;
mod evidence;
mod files;
mod judge;
mod memo;
mod predicate;
pub mod selftest;
mod tables;
mod truth;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::cell::Fact as _;
use crate::model::facts::FactSource;
use crate::model::finding::Judgement;
use crate::model::state::FactError;
use crate::model::table::Host;
use crate::model::view::View;
use crate::rules::{Atoms, Audience, Plan};

use self::answer::Answers;
use self::judge::HostFacts;
pub use self::memo::Memo;

/// The benchmarks among these that are about a host, or may be.
///
/// # Errors
/// The bytes behind the facts are damaged.
pub fn benchmarks_about(
    benchmarks: &[Audience],
    facts: &dyn FactSource,
) -> Result<BTreeSet<Arc<str>>, FactError> {
    let host = HostFacts::new(&Atoms::default(), View::new(facts).table(Host::TABLE)?);
    let about = benchmarks.iter().filter(|one| host.may_be(&one.about));
    Ok(about.map(|one| Arc::clone(&one.id)).collect())
}

/// Judges one host by a plan: one judgement for every rule of the plan except those of a CIS
/// benchmark that is about other hosts, in the order of the plan.
///
/// # Errors
/// The bytes behind the facts are damaged.
pub fn evaluate(plan: &Plan, facts: &dyn FactSource) -> Result<Vec<Judgement>, FactError> {
    evaluate_with(plan, facts, None)
}

/// The same as [`evaluate`], with the memo of this plan, which saves asking equal tables of several
/// hosts again.
///
/// # Errors
/// The bytes behind the facts are damaged.
pub fn evaluate_with(
    plan: &Plan,
    facts: &dyn FactSource,
    memo: Option<&Memo>,
) -> Result<Vec<Judgement>, FactError> {
    let view = View::new(facts);
    let host = HostFacts::new(&plan.atoms, view.table(Host::TABLE)?);
    if let Some(benchmark) = plan.left_out.iter().find(|one| host.may_be(&one.about)) {
        let code = crate::diagnostic::codes::scan::LEFT_OUT.0.id;
        let message = format!("benchmark {} is about this host and was left out", benchmark.id);
        return Err(FactError { code, message });
    }
    let needed = judge::needed(plan, &host);
    let mut answers = Answers::new(&plan.atoms, needed, host.now());
    tables::answer(&mut answers, &view, memo)?;
    files::answer(&mut answers, &view, memo)?;
    Ok(judge::rules(plan, &host, &answers))
}
