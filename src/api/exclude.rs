//! Inspector's exclusions that are about agents and packages, not about rules.

use super::packages::Package;
use crate::assess::store::Exclusion;

/// The scope that names an agent.
const AGENT: &str = "INSTANCE_ID";

fn exclusion(
    title: &str,
    description: String,
    recommendation: &str,
    scopes: Vec<(String, String)>,
) -> Exclusion {
    Exclusion {
        title: title.to_owned(),
        description,
        recommendation: recommendation.to_owned(),
        scopes,
    }
}

/// The scopes of an exclusion that is about every package of a run.
fn packages(arns: &[String]) -> Vec<(String, String)> {
    arns.iter().map(|arn| ("RULES_PACKAGE_ARN".to_owned(), arn.clone())).collect()
}

/// The target has no agent.
pub(super) fn no_agents(arns: &[String]) -> Exclusion {
    exclusion(
        "No instances in target",
        "No agent belongs to the assessment target, so nothing was assessed.".into(),
        "Put snapshots of the hosts into the agents directory, and check that their tags are those \
         of the target's resource group.",
        packages(arns),
    )
}

/// A snapshot cannot be read.
pub(super) fn unhealthy(agent: &str, problem: &str) -> Exclusion {
    exclusion(
        "Agent is unhealthy",
        format!("The agent was not assessed: {problem}."),
        "Collect the host again, and move the snapshot into the agents directory once it is whole.",
        vec![(AGENT.to_owned(), agent.to_owned())],
    )
}

/// A snapshot is gone.
pub(super) fn not_found(agent: &str) -> Exclusion {
    exclusion(
        "Agent not found",
        "The agent's snapshot was taken away while the assessment ran.".into(),
        "Leave snapshots in the agents directory until the run has ended, then run again.",
        vec![(AGENT.to_owned(), agent.to_owned())],
    )
}

/// An agent takes part in another run.
pub(super) fn running(agent: &str) -> Exclusion {
    exclusion(
        "Agent is already running",
        "The agent takes part in another assessment run.".into(),
        "Wait until that run has ended, or stop it.",
        vec![(AGENT.to_owned(), agent.to_owned())],
    )
}

/// A package that hosts cannot be judged by.
pub(super) fn not_judged(package: &Package) -> Exclusion {
    exclusion(
        "Rules package not supported",
        format!("{} was not assessed: {}", package.name, package.description),
        "Leave the package out of the template, and check the cloud's own configuration with a \
         tool for it.",
        packages(&[package.arn.to_owned()]),
    )
}
