//! Matches of advisories as findings in Inspector's words, and the rules that stand for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::advisory::db::Database;
use crate::advisory::matching::support::{self, Support};
use crate::advisory::matching::{Coverage, Found, Hit, Kernel, Matcher};
use crate::advisory::record::Status as Said;
use crate::model::cell::Time;
use crate::model::finding::{
    Asset, Evidence, Finding, Judgement, RuleInfo, RulesPackage, Severity, Status, Verdict,
};
use crate::model::state::FactError;
use crate::model::table::Host;
use crate::model::view::View;
use crate::rules::Plan;

use super::scores::{self, Scored};

/// The rule that stands for all advisories about the distribution's packages.
const PACKAGES: &str = "common-vulnerabilities/installed-packages";
/// The rule that stands for all advisories about packages of language ecosystems.
const LANGUAGES: &str = "common-vulnerabilities/language-packages";
/// The rule about releases that get no updates any more.
const SUPPORT: &str = "common-vulnerabilities/supported-release";

/// The advisory databases that a scan was given.
#[derive(Debug, Default)]
pub struct Advisories {
    /// The databases.
    pub databases: Vec<Database>,
    /// Whether vulnerabilities without a fix count, and those that the vendor finds unimportant.
    pub include_unfixed: bool,
}

/// What databases say of one host.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) findings: Vec<Finding>,
    pub(super) judgements: Vec<Judgement>,
    pub(super) notes: Vec<Arc<str>>,
}

impl Advisories {
    /// What asks the databases.
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher { databases: &self.databases, include_unfixed: self.include_unfixed }
    }

    /// Adds the rules that stand for advisories to a plan.
    pub fn join(plan: &mut Plan) {
        let own = [
            (
                PACKAGES,
                "Installed packages have no known vulnerability",
                Severity::Undefined,
                "Every installed package of the distribution is compared with the advisories of the \
                 databases given. Each vulnerability is a finding of its own.",
                "Update the packages that the findings name.",
            ),
            (
                LANGUAGES,
                "Packages of language ecosystems have no known vulnerability",
                Severity::Undefined,
                "Packages of language ecosystems that no package of the distribution owns are \
                 compared with the advisories of their ecosystem.",
                "Update the packages that the findings name.",
            ),
            (
                SUPPORT,
                "The release gets security updates",
                Severity::High,
                "A release whose vendor has stopped to mend it is vulnerable to what was found \
                 since, and no advisory says so any more.",
                "Move to a release that gets security updates.",
            ),
        ];
        let own = own.map(|(id, title, severity, description, remediation)| RuleInfo {
            id: id.into(),
            package: RulesPackage::CommonVulnerabilities,
            title: title.into(),
            severity,
            description: description.into(),
            remediation: remediation.into(),
            references: Vec::new(),
            automated: true,
            recommendation: None,
            tailored: None,
        });
        plan.rules = plan.rules.iter().cloned().chain(own).collect();
    }

    /// Judges a host, where the plan has the rules that stand for advisories.
    pub(super) fn judge(
        &self,
        plan: &Plan,
        view: &View<'_>,
        asset: &Asset,
        collected_at: Time,
    ) -> Result<Judged, FactError> {
        let position = |id: &str| plan.rules.iter().rposition(|rule| &*rule.id == id);
        let rules = (position(PACKAGES), position(LANGUAGES), position(SUPPORT));
        let (Some(packages), Some(languages), Some(support)) = rules else {
            return Ok(Judged::default());
        };
        let matches = self.matcher().judge(view)?;
        let mut judged = Judged { notes: notes(matches.hidden), ..Judged::default() };
        for found in &matches.found {
            let language = found.hits.iter().all(|hit| hit.language);
            let rule = if language { languages } else { packages };
            judged.findings.push(finding(rule, found, asset));
        }
        let any = |rule: usize| judged.findings.iter().any(|finding| finding.rule == rule);
        let verdicts = [
            (packages, verdict(&matches.packages, any(packages))),
            (languages, verdict(&matches.languages, any(languages))),
        ];
        let (ended, verdict) = supported(support, plan, view, asset, collected_at)?;
        judged.findings.extend(ended);
        judged.judgements = verdicts
            .into_iter()
            .chain([(support, verdict)])
            .map(|(rule, verdict)| Judgement {
                rule,
                verdict,
                sentence: Arc::from(""),
                attributes: Vec::new(),
                evidence: Vec::new(),
            })
            .collect();
        Ok(judged)
    }
}

/// That vulnerabilities are there which were not asked for.
fn notes(hidden: usize) -> Vec<Arc<str>> {
    let note = match hidden {
        0 => return Vec::new(),
        1 => "1 vulnerability without a fix, or unimportant to the vendor, is left out".to_owned(),
        many => format!(
            "{many} vulnerabilities without a fix, or unimportant to the vendor, are left out"
        ),
    };
    vec![format!("{note}; --include-unfixed shows them").into()]
}

/// What could not be judged outweighs what was found: the findings are there in any case, and
/// nobody must think that they are all.
fn verdict(coverage: &Coverage, found: bool) -> Verdict {
    match (&coverage.nothing, found) {
        _ if !coverage.doubts.is_empty() => Verdict::Unknown(coverage.doubts.join("; ").into()),
        (_, true) => Verdict::Fail,
        (Some(reason), false) => Verdict::NotApplicable(reason.as_str().into()),
        (None, false) => Verdict::Pass,
    }
}

/// One finding for one vulnerability, with all packages that have it.
fn finding(rule: usize, found: &Found, asset: &Asset) -> Finding {
    let counts = |hit: &&Hit| hit.kernel.is_none_or(Kernel::counts);
    // Packages of kernels that do not run are named beside others and alone say little.
    let idle = !found.hits.iter().any(|hit| counts(&hit));
    let unimportant = found.hits.iter().all(|hit| hit.status == Said::Unimportant);
    let scored = scores::of(found);
    let severity = if idle || unimportant { Severity::Informational } else { scored.severity };
    let id: Arc<str> = found.id.as_str().into();
    let agent = &asset.agent_id;
    let title = match idle {
        false => format!("Instance {agent} is vulnerable to {id}"),
        true => {
            format!("Instance {agent} has a kernel that does not run and is vulnerable to {id}")
        }
    };
    Finding {
        rule,
        title: title.into(),
        severity,
        description: description(found),
        recommendation: recommendation(found).into(),
        attributes: attributes(found, &scored, agent),
        evidence: found.hits.iter().map(|hit| evidence(found, hit)).collect(),
        status: Status::Open,
        waiver: None,
        id,
    }
}

fn description(found: &Found) -> Arc<str> {
    let text = found.known.description.clone().filter(|text| !text.is_empty());
    let of_advisory = || {
        let texts = found.advisories.iter().map(|source| &source.text);
        let described = texts.clone().map(|text| &text.description).find(|text| !text.is_empty());
        described.or_else(|| texts.map(|text| &text.title).find(|text| !text.is_empty())).cloned()
    };
    text.or_else(of_advisory)
        .unwrap_or_else(|| {
            "The feeds say nothing of this vulnerability beside the packages.".into()
        })
        .into()
}

/// What to update, in the words that Inspector's readers know.
fn recommendation(found: &Found) -> String {
    let labels = |wanted: &dyn Fn(&Hit) -> bool| -> Vec<&str> {
        found.hits.iter().filter(|hit| wanted(hit)).map(|hit| &*hit.label).collect()
    };
    let mut sentences = Vec::new();
    let fixed = labels(&|hit| !hit.language && hit.fixed.is_some());
    if !fixed.is_empty() {
        let packages = if fixed.len() > 1 { "packages" } else { "package" };
        sentences.push(format!(
            "Use your Operating System's update feature to update {packages} {}.",
            fixed.join(", ")
        ));
    }
    for hit in found.hits.iter().filter(|hit| hit.language) {
        if let Some(fixed) = &hit.fixed {
            sentences.push(format!("Update {} to {fixed} or later.", hit.label));
        }
    }
    let open = labels(&|hit| hit.fixed.is_none());
    if !open.is_empty() {
        sentences.push(format!("There is no fixed version yet of {}.", open.join(", ")));
    }
    let url = link(found);
    sentences.push(format!("For more information see [{url}]({url})"));
    sentences.join(" ")
}

fn link(found: &Found) -> String {
    if found.id.starts_with("CVE-") {
        return format!("https://cve.mitre.org/cgi-bin/cvename.cgi?name={}", found.id);
    }
    let references = found.advisories.iter().filter_map(|source| source.text.reference.clone());
    references.into_iter().next().unwrap_or_else(|| format!("https://osv.dev/{}", found.id))
}

fn attributes(found: &Found, scored: &Scored<'_>, agent: &Arc<str>) -> Vec<(Arc<str>, Arc<str>)> {
    let mut list: Vec<(Arc<str>, Arc<str>)> = vec![("INSTANCE_ID".into(), Arc::clone(agent))];
    let mut add = |key: &str, value: String| {
        if !value.is_empty() {
            list.push((key.into(), value.into()));
        }
    };
    add("CVE_ID", found.id.clone());
    add("package_name", join(found.hits.iter().map(|hit| &*hit.label)));
    for (version, score) in [("2", &scored.v2), ("3", &scored.v3)] {
        if let Some((tenths, vector)) = score {
            add(&format!("CVSS{version}_SCORE"), format!("{}.{}", tenths / 10, tenths % 10));
            add(&format!("CVSS{version}_VECTOR"), (*vector).to_owned());
        }
    }
    add("FIXED_VERSIONS", join(found.hits.iter().filter_map(|hit| hit.fixed.as_deref())));
    add("ADVISORY_IDS", join(found.advisories.iter().map(|source| &*source.text.id)));
    add("KEV_DATE_ADDED", found.known.known_exploited_since.clone().unwrap_or_default());
    if found.known.ransomware {
        add("KEV_RANSOMWARE", "known".into());
    }
    if let Some((probability, percentile)) = found.known.epss {
        add("EPSS_PROBABILITY", probability.to_string());
        add("EPSS_PERCENTILE", percentile.to_string());
    }
    list
}

/// Texts sorted, once each, with commas.
fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

fn evidence(found: &Found, hit: &Hit) -> Evidence {
    let idle = hit.kernel.is_some_and(|kernel| !kernel.counts());
    let state = if idle { "installed and does not run" } else { "installed" };
    let source = found.advisories.get(hit.advisory);
    let source = source.map(|source| format!(" ({}, {})", source.text.id, source.feed));
    let wanted = match &hit.fixed {
        Some(fixed) => format!("{fixed} or later"),
        None => "a version without it, and there is none yet".to_owned(),
    };
    Evidence {
        location: Arc::clone(&hit.location),
        line: None,
        observed: format!("{} is {state}", hit.version).into(),
        expected: format!("{wanted}{}", source.unwrap_or_default()).into(),
    }
}

/// Whether the release still gets updates.
fn supported(
    rule: usize,
    plan: &Plan,
    view: &View<'_>,
    asset: &Asset,
    now: Time,
) -> Result<(Option<Finding>, Verdict), FactError> {
    let host = view.typed::<Host>()?.1.into_iter().next();
    let os = host.as_ref().and_then(|host| host.os.clone()).unwrap_or_default();
    let version = host.and_then(|host| host.os_version).unwrap_or_default();
    let Support::Until(day) = support::of(&os, &version) else {
        let reason = format!("when the updates of {} end is not known here", asset.os);
        return Ok((None, Verdict::NotApplicable(reason.into())));
    };
    if !support::is_over(day, now) {
        return Ok((None, Verdict::Pass));
    }
    let Some(info) = plan.rules.get(rule) else { return Ok((None, Verdict::Pass)) };
    let finding = Finding {
        rule,
        id: Arc::clone(&info.title),
        title: format!(
            "Instance {} runs {}, which has had no security updates since {day}",
            asset.agent_id, asset.os
        )
        .into(),
        severity: info.severity,
        description: Arc::clone(&info.description),
        recommendation: Arc::clone(&info.remediation),
        attributes: vec![("INSTANCE_ID".into(), Arc::clone(&asset.agent_id))],
        evidence: vec![Evidence {
            location: format!("host {}", asset.hostname).into(),
            line: None,
            observed: Arc::clone(&asset.os),
            expected: format!("a release with updates; those of this one ended on {day}").into(),
        }],
        status: Status::Open,
        waiver: None,
    };
    Ok((Some(finding), Verdict::Fail))
}
