//! Runs: starting one, and the threads that take each through its states.
//!
//! Where a run stands is in the store alone. A run whose states were broken off by the end of the
//! program is found there at the next start and goes on; only an observation of the running host
//! that was broken off cannot be had again, and ends in an error that says so.

mod evaluate;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::agents::{Agent, LIVE};
use super::fault::{Fault, Result};
use super::{Service, exclude, packages};
use crate::assess::store::{
    Ending, Exclusion, Kind, NewRun, Page, Run, RunAgent, RunState, StoreError,
};
use crate::snapshot::write_atomically;

/// How many runs are taken through their states at the same time.
const WORKERS: usize = 4;
/// How long a worker sleeps where nobody wakes it.
const PATIENCE: Duration = Duration::from_secs(5);

impl Service {
    /// The agents of a target.
    pub(super) fn agents_of_target(&self, target: &str) -> Result<Vec<Arc<Agent>>> {
        let target = self.store.target(target)?.ok_or(StoreError::Missing(Kind::Target))?;
        let group = match &target.resource_group {
            Some(group) => self.store.resource_group(group)?,
            None => None,
        };
        Ok(self.agents.with_tags(group.as_ref().map(|group| group.tags.as_slice())))
    }

    fn agents_of_template(&self, template: &str) -> Result<(Vec<Arc<Agent>>, Vec<String>)> {
        let template = self.store.template(template)?.ok_or(StoreError::Missing(Kind::Template))?;
        Ok((self.agents_of_target(&template.target)?, template.packages))
    }
}

/// Starts a run of a template and gives its ARN.
pub(super) fn start(service: &Service, template: &str, name: Option<&str>) -> Result<String> {
    let (agents, packages) = service.agents_of_template(template)?;
    if packages.is_empty() {
        return Err(Fault::invalid(
            "INVALID_NUMBER_OF_RULES_PACKAGE_ARNS",
            "The template has no rules packages, so a run of it would assess nothing.",
        ));
    }
    let agents: Vec<RunAgent> = agents.iter().map(|agent| agent.for_run()).collect();
    let new = NewRun { template, name, agents: &agents };
    let arn = service.store.create_run(new, service.now())?;
    service.work.ring();
    Ok(arn)
}

/// What a run of a template started now would not judge.
pub(super) fn preview(service: &Service, template: &str) -> Result<Vec<Exclusion>> {
    let (agents, arns) = service.agents_of_template(template)?;
    let busy = service.store.busy_agents()?;
    let mut found = unsupported(&arns);
    if agents.is_empty() {
        found.push(exclude::no_agents(&arns));
    }
    for agent in agents {
        if let Some(problem) = &agent.problem {
            found.push(exclude::unhealthy(&agent.id, problem));
        } else if busy.contains(&agent.id) {
            found.push(exclude::running(&agent.id));
        }
    }
    Ok(found)
}

/// The packages that hosts cannot be judged by.
fn unsupported(arns: &[String]) -> Vec<Exclusion> {
    let packages = arns.iter().filter_map(|arn| packages::find(arn));
    packages.filter(|package| package.package.is_none()).map(exclude::not_judged).collect()
}

/// Starts the threads that take runs through their states, first those that an earlier program
/// left.
///
/// # Errors
/// The system gives no threads.
pub fn start_workers(service: &Arc<Service>) -> std::io::Result<()> {
    let claimed = Arc::new(Mutex::new(BTreeSet::new()));
    for number in 0..WORKERS {
        let (service, claimed) = (Arc::clone(service), Arc::clone(&claimed));
        std::thread::Builder::new()
            .name(format!("run-{number}"))
            .spawn(move || worker(&service, &claimed))?;
    }
    Ok(())
}

fn worker(service: &Service, claimed: &Mutex<BTreeSet<String>>) {
    let mut heard = 0;
    loop {
        let Some(arn) = claim(service, claimed) else {
            heard = service.work.wait(heard, PATIENCE);
            continue;
        };
        let worked = std::panic::catch_unwind(AssertUnwindSafe(|| take(service, &arn)));
        let reason = match worked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some("assay made a mistake while it judged the run".to_owned()),
        };
        if let Some(reason) = reason {
            let ending = Ending { state: RunState::Error, reason: Some(reason) };
            // What cannot be written now is tried again when the run is claimed again.
            let _ = service.store.finish(&arn, &ending, service.now());
        }
        claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(&arn);
        service.work.ring();
    }
}

/// The oldest run that has not ended and that no worker has.
fn claim(service: &Service, claimed: &Mutex<BTreeSet<String>>) -> Option<String> {
    let mut claimed = claimed.lock().unwrap_or_else(PoisonError::into_inner);
    let unfinished = service.store.unfinished_runs().ok()?;
    let arn = unfinished.into_iter().find(|arn| !claimed.contains(arn))?;
    claimed.insert(arn.clone());
    Some(arn)
}

/// Takes a run from where it stands to its end.
fn take(service: &Service, arn: &str) -> std::result::Result<(), String> {
    let store = &service.store;
    let failed = |error: StoreError| error.to_string();
    let Some(run) = store.run(arn).map_err(failed)? else { return Ok(()) };
    let every = Page { after: 0, limit: usize::MAX };
    let agents = match store.run_agents(arn, every) {
        Ok(agents) => agents.items,
        // Deleted by now.
        Err(StoreError::Missing(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let reach = |state: RunState| -> std::result::Result<bool, String> {
        if run.state >= state {
            return Ok(true);
        }
        store.advance(arn, state, service.now()).map_err(failed)
    };
    for state in [RunState::StartPending, RunState::Starting, RunState::Collecting] {
        if !reach(state)? {
            return Ok(());
        }
    }
    let kept = kept(service, arn);
    if agents.iter().any(|agent| agent.snapshot == LIVE) && run.state < RunState::Collected {
        if run.state >= RunState::Collecting {
            return Err("assay ended while the running host was observed; what was seen is lost, \
                        so start the run again"
                .to_owned());
        }
        observe(service, &run, &kept)?;
    }
    for state in [RunState::StopPending, RunState::Collected, RunState::EvaluationPending] {
        if !reach(state)? {
            let _ = std::fs::remove_file(&kept);
            return Ok(());
        }
    }
    let ended = evaluate::all(service, &run, &agents, &kept);
    let _ = std::fs::remove_file(&kept);
    if let Some(ending) = ended? {
        store.finish(arn, &ending, service.now()).map_err(failed)?;
    }
    Ok(())
}

/// Where the snapshot of a live agent is kept until it is judged.
fn kept(service: &Service, arn: &str) -> std::path::PathBuf {
    let id = arn.rsplit('/').next().unwrap_or_default();
    service.data().join("runs").join(format!("{id}.assay"))
}

/// Observes this machine for the run's duration, or until the run is stopped.
fn observe(
    service: &Service,
    run: &Run,
    kept: &std::path::Path,
) -> std::result::Result<(), String> {
    let Some(live) = &service.live else {
        return Err("this machine is no longer an agent (assay serve --live)".to_owned());
    };
    let stop = || match service.store.run(&run.arn) {
        Ok(Some(now)) => now.stopping || now.state.is_final(),
        Ok(None) => true,
        Err(_) => false,
    };
    let duration = Duration::from_secs(u64::try_from(run.duration).unwrap_or(0));
    let bytes = live.observe(duration, &stop)?;
    write_atomically(kept, &bytes).map_err(|error| format!("{}: {error}", kept.display()))
}
