//! From the report on one host to what the store keeps. The findings are those of
//! `assay scan --format inspector`; the store gives them their ARNs and times.

use serde_json::{Map, Value as Json, json};

use super::agents::telemetry;
use crate::assess::host_report;
use crate::assess::store::{AgentResult, Exclusion, NewFinding, Pair};
use crate::emit::inspector;
use crate::model::finding::{Evidence, HostReport, RuleInfo, Verdict};
use crate::rules::Plan;
use crate::snapshot::Snapshot;

/// The members of a rule that reports need, as the store keeps them with a run.
pub(super) fn rules(plan: &Plan) -> Json {
    plan.rules.iter().map(rule).collect()
}

fn rule(rule: &RuleInfo) -> Json {
    let mut out = Map::new();
    out.insert("id".into(), json!(*rule.id));
    out.insert("package".into(), json!(rule.package.short()));
    out.insert("title".into(), json!(*rule.title));
    out.insert("severity".into(), json!(rule.severity.name()));
    if let Some(cis) = &rule.recommendation {
        out.insert("benchmark".into(), json!(*cis.benchmark));
        out.insert("version".into(), json!(*cis.benchmark_version));
        out.insert("number".into(), json!(*cis.number));
        let levels = cis.levels.iter().map(|level| json!(**level)).collect::<Json>();
        out.insert("levels".into(), levels);
    }
    Json::Object(out)
}

/// Judges one agent's snapshot.
///
/// # Errors
/// Why it cannot be judged.
pub(super) fn judge(
    plan: &Plan,
    agent: &str,
    name: &str,
    snapshot: &Snapshot,
    attributes: &[Pair],
) -> Result<AgentResult, String> {
    let host = host_report(plan, None, name, snapshot, None).map_err(|error| error.to_string())?;
    if *host.asset.agent_id != *agent {
        return Err(format!("its snapshot is now one of {}", host.asset.agent_id));
    }
    let group = host.asset.auto_scaling_group.as_ref().map(|group| group.to_string());
    let new = |body: Json, rule: Option<usize>, evidence: &[Evidence], severity, package| {
        let Json::Object(body) = body else { return None };
        let text = |member: &str| body.get(member).and_then(Json::as_str).unwrap_or_default();
        Some(NewFinding {
            rule_name: text("id").to_owned(),
            title: text("title").to_owned(),
            severity,
            package,
            scaling_group: group.clone(),
            evidence: evidence.iter().map(inspector::evidence).collect(),
            rule,
            user_attributes: attributes.to_vec(),
            body,
        })
    };
    let found = host.findings.iter().filter_map(|found| {
        let rule = plan.rules.get(found.rule)?;
        let body = inspector::finding(&host, rule, found);
        let severity = found.severity.name();
        new(body, Some(found.rule), &found.evidence, severity, rule.package.arn())
    });
    let clean = host.clean.iter().filter_map(|package| {
        let body = inspector::nothing_found(&host, *package);
        new(body, None, &[], "Informational", package.arn())
    });
    Ok(AgentResult {
        telemetry: telemetry(snapshot),
        asset: inspector::asset(&host.asset).to_string(),
        collected_at: host.collected_at.0,
        outcomes: outcomes(&host),
        applied: host.outcomes.iter().any(|outcome| applies(&outcome.verdict)),
        findings: found.chain(clean).collect(),
        exclusions: host
            .exclusions
            .iter()
            .map(|exclusion| Exclusion {
                title: exclusion.title.to_string(),
                description: exclusion.description.to_string(),
                recommendation: exclusion.recommendation.to_string(),
                scopes: exclusion
                    .scopes
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_string()))
                    .collect(),
            })
            .collect(),
    })
}

fn applies(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::NotApplicable(_))
}

/// One verdict a rule: its place in the list of rules, the verdict, the reason where there is one.
fn outcomes(host: &HostReport) -> String {
    let outcomes = host.outcomes.iter().map(|outcome| match &outcome.verdict {
        Verdict::NotApplicable(reason) | Verdict::Unknown(reason) => {
            json!([outcome.rule, outcome.verdict.name(), **reason])
        }
        Verdict::Pass | Verdict::Fail => json!([outcome.rule, outcome.verdict.name()]),
    });
    outcomes.collect::<Json>().to_string()
}
