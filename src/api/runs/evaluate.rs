//! Judging the agents of a run, several at a time; each is written as soon as it is judged, so that
//! memory does not grow with their number.

use std::path::Path;

use rayon::prelude::*;

use super::{exclude, packages, unsupported};
use crate::api::agents::LIVE;
use crate::api::{Service, assets};
use crate::assess::store::{AgentResult, Ending, Exclusion, Run, RunAgent, RunState, StoreError};
use crate::rules::{Plan, Selection};
use crate::snapshot::Snapshot;

/// How many agents are judged before they are written.
const BATCH: usize = 8;

/// How judging one agent went.
enum Judged {
    Yes(Box<AgentResult>),
    No(Exclusion),
}

/// Judges every agent. Gives how the run ends; nothing where it was cancelled meanwhile.
///
/// # Errors
/// The store cannot be written.
pub(super) fn all(
    service: &Service,
    run: &Run,
    agents: &[RunAgent],
    kept: &Path,
) -> Result<Option<Ending>, String> {
    let store = &service.store;
    let failed = |error: StoreError| error.to_string();
    let wanted: Vec<_> = run.packages.iter().filter_map(|arn| packages::find(arn)).collect();
    let chosen: Vec<_> = wanted.iter().filter_map(|package| package.package).collect();
    // A selection of no packages would mean all of them.
    let plan = (!chosen.is_empty()).then(|| {
        let selection = Selection { packages: chosen, profile: service.profile.clone() };
        service.plan.select(&selection)
    });
    let rules = plan.as_ref().map_or_else(String::new, |plan| assets::rules(plan).to_string());
    if !store.begin_evaluation(&run.arn, &rules, service.now()).map_err(failed)? {
        return Ok(None);
    }
    let mut exclusions = unsupported(&run.packages);
    if agents.is_empty() {
        exclusions.push(exclude::no_agents(&run.packages));
    }
    for exclusion in &exclusions {
        store.exclude(&run.arn, None, exclusion).map_err(failed)?;
    }
    let (mut judged, mut refused) = (0usize, 0usize);
    let Some(plan) = plan else { return Ok(Some(ending(judged, refused))) };
    for batch in agents.chunks(BATCH) {
        let results: Vec<Judged> =
            batch.par_iter().map(|agent| judge(&plan, run, agent, kept)).collect();
        for (agent, result) in batch.iter().zip(results) {
            match result {
                Judged::Yes(result) => {
                    judged += usize::from(result.applied);
                    if !store
                        .record(&run.arn, &agent.agent, &result, service.now())
                        .map_err(failed)?
                    {
                        return Ok(None);
                    }
                }
                Judged::No(exclusion) => {
                    refused += 1;
                    store.exclude(&run.arn, Some(&agent.agent), &exclusion).map_err(failed)?;
                }
            }
        }
    }
    Ok(Some(ending(judged, refused)))
}

/// Nothing judged is never a success.
fn ending(judged: usize, refused: usize) -> Ending {
    if judged == 0 {
        let reason = "nothing was judged: the exclusions say why".to_owned();
        Ending { state: RunState::Failed, reason: Some(reason) }
    } else if refused > 0 {
        let reason = format!("{refused} agents could not be judged: the exclusions say why");
        Ending { state: RunState::CompletedWithErrors, reason: Some(reason) }
    } else {
        Ending { state: RunState::Completed, reason: None }
    }
}

fn judge(plan: &Plan, run: &Run, agent: &RunAgent, kept: &Path) -> Judged {
    if let Some(problem) = &agent.details {
        return Judged::No(exclude::unhealthy(&agent.agent, problem));
    }
    let path = if agent.snapshot == LIVE { kept } else { Path::new(&agent.snapshot) };
    if !path.exists() {
        return Judged::No(exclude::not_found(&agent.agent));
    }
    let judged = Snapshot::open(path)
        .map_err(|error| format!("{}: {error}", error.code()))
        .and_then(|snapshot| {
            assets::judge(plan, &agent.agent, &agent.snapshot, &snapshot, &run.attributes)
        });
    match judged {
        Ok(result) => Judged::Yes(Box::new(result)),
        Err(problem) => Judged::No(exclude::unhealthy(&agent.agent, &problem)),
    }
}
