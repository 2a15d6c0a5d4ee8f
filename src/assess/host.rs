//! Judgements to what reports carry: findings in Inspector's words, exclusions, outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Advisories;
use crate::engine::{self, Memo};
use crate::model::cell::Time;
use crate::model::facts::FactSource;
use crate::model::finding::{
    Asset, Exclusion, Finding, HostReport, Judgement, Outcome, RuleInfo, RulesPackage, Status,
    Verdict,
};
use crate::model::state::FactError;
use crate::model::table::{Cloud, Host, Interface};
use crate::model::view::View;
use crate::rules::Plan;

/// Judges one host; with advisories, where the plan has the rules that stand for them. The memo is
/// what the plan answered about hosts before it.
///
/// # Errors
/// The bytes behind its facts are damaged.
pub fn host_report(
    plan: &Plan,
    advisories: Option<&Advisories>,
    snapshot: &str,
    facts: &dyn FactSource,
    memo: Option<&Memo>,
) -> Result<HostReport, FactError> {
    let mut judgements = engine::evaluate_with(plan, facts, memo)?;
    let view = View::new(facts);
    let (asset, collected_at) = asset(&view)?;
    let rules = &plan.rules;
    let mut findings: Vec<Finding> = judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Fail)
        .filter_map(|judgement| {
            Some(finding(&asset, judgement.rule, rules.get(judgement.rule)?, judgement))
        })
        .collect();
    let mut notes = Vec::new();
    if let Some(advisories) = advisories {
        let judged = advisories.judge(plan, &view, &asset, collected_at)?;
        join(&mut findings, judged.findings);
        judgements.extend(judged.judgements);
        notes = judged.notes;
    }
    let package = |rule: usize| rules.get(rule).map(|rule| rule.package);
    findings
        .sort_by_key(|found| (package(found.rule), std::cmp::Reverse(found.severity), found.rule));
    let clean = RulesPackage::ALL
        .into_iter()
        .filter(|wanted| {
            let mut of = judgements.iter().filter(|j| package(j.rule) == Some(*wanted));
            // Where no rule applies, nothing was looked at, and nothing can be said.
            of.clone().any(|j| j.verdict == Verdict::Pass)
                && of.all(|j| matches!(j.verdict, Verdict::Pass | Verdict::NotApplicable(_)))
        })
        .collect();
    Ok(HostReport {
        snapshot: snapshot.into(),
        exclusions: exclusions(plan, &asset, &judgements),
        asset,
        collected_at,
        findings,
        outcomes: judgements
            .into_iter()
            .map(|judgement| Outcome { rule: judgement.rule, verdict: judgement.verdict })
            .collect(),
        clean,
        notes,
    })
}

/// Puts the findings of advisories beside those of rules: what a rule found too is one finding, of
/// the rule, with what the advisories know.
fn join(findings: &mut Vec<Finding>, of_advisories: Vec<Finding>) {
    // The first of each id; those of advisories have ids of their own.
    let places = findings.iter().enumerate().rev();
    let places: BTreeMap<Arc<str>, usize> =
        places.map(|(place, found)| (Arc::clone(&found.id), place)).collect();
    for found in of_advisories {
        let place = places.get(&found.id);
        let Some(known) = place.and_then(|place| findings.get_mut(*place)) else {
            findings.push(found);
            continue;
        };
        known.severity = known.severity.max(found.severity);
        known.evidence.extend(found.evidence);
        for (key, value) in found.attributes {
            match known.attributes.iter_mut().find(|(other, _)| *other == key) {
                Some((_, old)) => *old = value,
                None => known.attributes.push((key, value)),
            }
        }
    }
}

fn asset(view: &View<'_>) -> Result<(Asset, Time), FactError> {
    let (_, hosts) = view.typed::<Host>()?;
    let Some(host) = hosts.into_iter().next() else {
        return Ok((Asset { hostname: "unknown".into(), ..Asset::default() }, Time::default()));
    };
    let cloud = view.typed::<Cloud>()?.1.into_iter().next();
    let (_, interfaces) = view.typed::<Interface>()?;
    let tags = host.tags.iter().filter_map(|tag| {
        let (key, value) = tag.split_once('=')?;
        Some((Arc::from(key), Arc::from(value)))
    });
    let asset = Asset {
        agent_id: host.agent_id,
        account: cloud.as_ref().and_then(|cloud| cloud.account_id.clone()),
        region: cloud.as_ref().and_then(|cloud| cloud.region.clone()),
        ami_id: cloud.as_ref().and_then(|cloud| cloud.image_id.clone()),
        auto_scaling_group: cloud.as_ref().and_then(|cloud| cloud.autoscaling_group.clone()),
        ipv4_addresses: interfaces.iter().flat_map(|i| i.ipv4.iter().cloned()).collect(),
        ipv6_addresses: interfaces.iter().flat_map(|i| i.ipv6.iter().cloned()).collect(),
        public_ip: cloud.and_then(|cloud| cloud.public_ip),
        tags: tags.collect(),
        os: host.os_name.or(host.os).unwrap_or_else(|| "unknown system".into()),
        kernel: host.kernel_running,
        hostname: host.hostname,
    };
    Ok((asset, host.collected_at))
}

fn finding(asset: &Asset, index: usize, rule: &RuleInfo, judgement: &Judgement) -> Finding {
    let mut attributes = vec![("INSTANCE_ID".into(), Arc::clone(&asset.agent_id))];
    attributes.extend(judgement.attributes.iter().cloned());
    let mut title = Arc::clone(&judgement.sentence);
    if let Some(cis) = &rule.recommendation {
        let name = format!("{} {}", cis.number, rule.title);
        title = format!("Instance {} is not compliant with rule {name}", asset.agent_id).into();
        attributes.push((
            "BENCHMARK_ID".into(),
            format!("{} v{}", cis.benchmark, cis.benchmark_version).into(),
        ));
        attributes.push(("BENCHMARK_RULE_ID".into(), name.into()));
        attributes.push(("CIS_BENCHMARK_PROFILE".into(), cis.levels.join(", ").into()));
    }
    Finding {
        rule: index,
        id: Arc::clone(&rule.title),
        title,
        severity: rule.severity,
        description: Arc::clone(&rule.description),
        recommendation: Arc::clone(&rule.remediation),
        attributes,
        evidence: judgement.evidence.clone(),
        status: Status::Open,
        waiver: None,
    }
}

/// What was not judged, as Inspector's exclusions.
fn exclusions(plan: &Plan, asset: &Asset, judgements: &[Judgement]) -> Vec<Exclusion> {
    let mut exclusions = unknown(asset, &plan.rules, judgements);
    exclusions.extend(unsupported(plan, asset, judgements));
    exclusions
}

/// The packages that were asked for and of which no rule applies to the host: without a word about
/// them they would look like packages that found nothing.
fn unsupported(plan: &Plan, asset: &Asset, judgements: &[Judgement]) -> Vec<Exclusion> {
    let mut idle: BTreeSet<RulesPackage> = plan.packages().collect();
    for judgement in judgements {
        if !matches!(judgement.verdict, Verdict::NotApplicable(_))
            && let Some(rule) = plan.rules.get(judgement.rule)
        {
            idle.remove(&rule.package);
        }
    }
    let exclusion = |package: RulesPackage| Exclusion {
        title: "Rules package not supported by OS".into(),
        description: format!(
            "No rule of {} is about {} and the software on it.",
            package.name(),
            asset.os
        )
        .into(),
        recommendation: "Leave the package out, or add rules and advisories for this system."
            .into(),
        scopes: scopes(asset, package),
        rules: Vec::new(),
    };
    idle.into_iter().map(exclusion).collect()
}

fn scopes(asset: &Asset, package: RulesPackage) -> Vec<(Arc<str>, Arc<str>)> {
    vec![
        ("INSTANCE_ID".into(), Arc::clone(&asset.agent_id)),
        ("RULES_PACKAGE_ARN".into(), package.arn().into()),
    ]
}

/// Unknown verdicts: one exclusion for each package and reason.
fn unknown(asset: &Asset, rules: &[RuleInfo], judgements: &[Judgement]) -> Vec<Exclusion> {
    let mut groups: BTreeMap<(RulesPackage, &Arc<str>), Vec<usize>> = BTreeMap::new();
    for judgement in judgements {
        if let (Verdict::Unknown(reason), Some(rule)) =
            (&judgement.verdict, rules.get(judgement.rule))
        {
            groups.entry((rule.package, reason)).or_default().push(judgement.rule);
        }
    }
    groups
        .into_iter()
        .map(|((package, reason), members)| {
            let titles: BTreeSet<&str> = members
                .iter()
                .filter_map(|rule| rules.get(*rule))
                .map(|rule| &*rule.title)
                .collect();
            let shown: Vec<&str> = titles.iter().copied().take(3).collect();
            let more = titles.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            Exclusion {
                title: "Rules evaluation error for single instance".into(),
                description: format!(
                    "{} of {} could not be judged, because {reason}: {}{more}.",
                    if members.len() == 1 {
                        "1 rule".into()
                    } else {
                        format!("{} rules", members.len())
                    },
                    package.name(),
                    shown.join("; "),
                )
                .into(),
                recommendation: "Collect again with the rights and on the kind of source that the \
                                 reason names, then scan again."
                    .into(),
                scopes: scopes(asset, package),
                rules: members,
            }
        })
        .collect()
}
