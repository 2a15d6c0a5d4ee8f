//! A run of the Inspector API, from the store.

use serde_json::Value as Json;

use super::{Builder, asset, finding, recommendation, text, verdict};
use crate::assess::store::{FindingFilter, Kind, Page, Run, Store, StoreError};
use crate::model::cell::Time;
use crate::model::finding::{Exclusion, Outcome, Report, RuleInfo, RulesPackage, Severity, Status};
use crate::rules::Listed;

/// How many rows are read at once.
const PAGE: usize = 500;

/// The report on a run that has ended: agents, findings, what was not judged, how every rule was
/// judged. `known` is what the program knows of rules, for runs that an older one judged.
///
/// # Errors
/// There is no such run, or the store cannot be read.
pub fn of_run(
    store: &Store,
    arn: &str,
    known: Vec<Listed>,
    version: &'static str,
) -> Result<Report, StoreError> {
    let run = store.run(arn)?.ok_or(StoreError::Missing(Kind::Run))?;
    let judged = store.judged(arn)?;
    let mut builder = Builder::new(known);
    let rules: Vec<usize> = judged.rules.iter().filter_map(|rule| builder.stored(rule)).collect();
    for agent in judged.agents {
        let host = builder.host(&agent.snapshot);
        host.asset = asset(&agent.asset);
        host.collected_at = Time(agent.collected_at);
        for outcome in agent.outcomes.as_array().into_iter().flatten() {
            let word = |at: usize| outcome.get(at).and_then(Json::as_str);
            let place =
                outcome.get(0).and_then(Json::as_u64).and_then(|at| usize::try_from(at).ok());
            let verdict = word(1).and_then(|name| verdict(name, word(2)));
            if let (Some(place), Some(verdict)) = (place, verdict)
                && let Some(rule) = rules.get(place)
            {
                host.outcomes.push(Outcome { rule: *rule, verdict });
            }
        }
        builder.agents.insert(agent.agent, agent.snapshot);
    }
    findings(store, &run, &rules, &mut builder)?;
    exclusions(store, &run, &mut builder)?;
    builder.report.about = about(store, &run)?;
    Ok(builder.finish(version))
}

impl Builder {
    /// The place of a rule as the store keeps it.
    fn stored(&mut self, json: &Json) -> Option<usize> {
        let (id, package) = (text(json, "id")?, RulesPackage::parse(text(json, "package")?)?);
        let known = self.known.get(id).map(|(_, known)| known);
        let rule = RuleInfo {
            title: text(json, "title")?.into(),
            severity: text(json, "severity").and_then(Severity::parse)?,
            automated: known.is_none_or(|known| known.automated),
            recommendation: recommendation(json, "number", text(json, "version")).map(|mut of| {
                let known = known.and_then(|known| known.recommendation.as_ref());
                of.section = known.and_then(|known| known.section.clone());
                of
            }),
            ..super::nameless(id, package)
        };
        Some(self.add(rule))
    }
}

fn findings(
    store: &Store,
    run: &Run,
    rules: &[usize],
    builder: &mut Builder,
) -> Result<(), StoreError> {
    let filter = FindingFilter { runs: vec![run.arn.clone()], ..FindingFilter::default() };
    let mut page = Page::first(PAGE);
    loop {
        let arns = store.findings(&filter, page)?;
        for arn in &arns.items {
            let Some(found) = store.finding(arn)? else { continue };
            let body = Json::Object(found.body);
            let snapshot = builder.agents.get(&found.agent).cloned();
            let snapshot = snapshot.unwrap_or_else(|| found.agent.clone());
            let rule = found.rule.and_then(|rule| rules.get(rule));
            let host = builder.host(&snapshot);
            if host.asset.hostname.is_empty() {
                host.asset = asset(&body["assetAttributes"]);
            }
            match rule {
                Some(rule) => {
                    host.findings.push(finding(*rule, &body, &found.evidence, Status::Open));
                }
                // That a package found nothing is said in a finding of its own.
                None => host.clean.extend(
                    RulesPackage::ALL.into_iter().find(|package| package.arn() == found.package),
                ),
            }
        }
        match arns.next {
            Some(after) => page = Page { after, limit: PAGE },
            None => return Ok(()),
        }
    }
}

fn exclusions(store: &Store, run: &Run, builder: &mut Builder) -> Result<(), StoreError> {
    let mut page = Page::first(PAGE);
    loop {
        let arns = store.exclusions(&run.arn, page)?;
        for arn in &arns.items {
            let Some(found) = store.exclusion(arn)? else { continue };
            let agent = found.scopes.iter().find(|(key, _)| key == "INSTANCE_ID");
            let agent = agent.map_or("", |(_, agent)| agent.as_str()).to_owned();
            let exclusion = Exclusion {
                title: found.title.into(),
                description: found.description.into(),
                recommendation: found.recommendation.into(),
                scopes: found
                    .scopes
                    .into_iter()
                    .map(|(key, value)| (key.into(), value.into()))
                    .collect(),
                rules: Vec::new(),
            };
            match builder.agents.get(&agent).cloned() {
                Some(snapshot) => builder.host(&snapshot).exclusions.push(exclusion),
                None => builder.report.exclusions.push(exclusion),
            }
        }
        match arns.next {
            Some(after) => page = Page { after, limit: PAGE },
            None => return Ok(()),
        }
    }
}

fn about(store: &Store, run: &Run) -> Result<Vec<(&'static str, String)>, StoreError> {
    let template = store.template(&run.template)?;
    let target = match &template {
        Some(template) => store.target(&template.target)?,
        None => None,
    };
    let mut about = Vec::new();
    about.extend(target.map(|target| ("Assessment target", target.name)));
    about.extend(template.map(|template| ("Assessment template", template.name)));
    about.push(("Run", format!("{} ({})", run.name, run.arn)));
    about.push(("State", run.state.name().to_owned()));
    let minutes = |at: crate::assess::store::Millis| {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        at.strftime("%Y-%m-%d %H:%M UTC").to_string()
    };
    about.extend(run.started.map(|at| ("Started", minutes(at))));
    about.extend(run.completed.map(|at| ("Completed", minutes(at))));
    Ok(about)
}
