//! Results that were written down, as a report again: to be laid out without the hosts being there,
//! and without judging anything anew.

mod lines;
#[cfg(feature = "server")]
mod run;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

pub use lines::{RecordedError, read};
#[cfg(feature = "server")]
pub use run::of_run;

use crate::model::cell::Time;
use crate::model::finding::{
    Asset, Evidence, Finding, HostReport, Recommendation, Report, RuleInfo, RulesPackage, Severity,
    Status, Verdict, Waiver,
};
use crate::rules::Listed;

/// A report that is put together.
#[derive(Default)]
struct Builder {
    /// What is known of rules, by their ids, with their places in a plan.
    known: HashMap<Arc<str>, (usize, Listed)>,
    rules: Vec<RuleInfo>,
    places: HashMap<Arc<str>, usize>,
    report: Report,
    /// The place of each snapshot's host.
    hosts: HashMap<String, usize>,
    /// The snapshot of each agent, where agents have them.
    #[cfg(feature = "server")]
    agents: HashMap<String, String>,
}

impl Builder {
    fn new(known: Vec<Listed>) -> Self {
        let known = known.into_iter().enumerate();
        let known = known.map(|(number, rule)| (Arc::clone(&rule.id), (number, rule))).collect();
        Self { known, ..Self::default() }
    }

    /// The place of a rule; one that is not known is called by its id.
    fn rule(&mut self, id: &str, package: RulesPackage) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let rule = match self.known.get(id) {
            Some((_, known)) => RuleInfo {
                id: Arc::clone(&known.id),
                package: known.package,
                title: Arc::clone(&known.title),
                severity: known.severity,
                automated: known.automated,
                recommendation: known.recommendation.clone(),
                ..nameless(id, package)
            },
            None => nameless(id, package),
        };
        self.add(rule)
    }

    fn add(&mut self, rule: RuleInfo) -> usize {
        let place = self.rules.len();
        self.places.insert(Arc::clone(&rule.id), place);
        self.rules.push(rule);
        place
    }

    /// The host of a snapshot, which is new where it was not seen before.
    fn host(&mut self, snapshot: &str) -> &mut HostReport {
        let hosts = &mut self.report.hosts;
        let at = *self.hosts.entry(snapshot.to_owned()).or_insert_with(|| {
            hosts.push(HostReport {
                snapshot: snapshot.into(),
                asset: Asset { os: "".into(), ..Asset::default() },
                collected_at: Time::default(),
                findings: Vec::new(),
                exclusions: Vec::new(),
                outcomes: Vec::new(),
                clean: Vec::new(),
                notes: Vec::new(),
            });
            hosts.len() - 1
        });
        &mut self.report.hosts[at]
    }

    fn finish(mut self, version: &'static str) -> Report {
        // In the order of a plan, whatever was written down first.
        let mut order: Vec<usize> = (0..self.rules.len()).collect();
        order.sort_by_key(|place| {
            let rule = &self.rules[*place];
            let known = self.known.get(&rule.id).map_or(usize::MAX, |(number, _)| *number);
            (rule.package, known, *place)
        });
        let mut places = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            places[*old] = new;
        }
        let rules: Vec<RuleInfo> = order.iter().map(|old| self.rules[*old].clone()).collect();
        for host in &mut self.report.hosts {
            if host.asset.hostname.is_empty() {
                host.asset.hostname = Arc::clone(&host.snapshot);
            }
            host.findings.iter_mut().for_each(|found| found.rule = places[found.rule]);
            host.outcomes.iter_mut().for_each(|outcome| outcome.rule = places[outcome.rule]);
            host.findings.sort_by_key(|found| {
                (rules[found.rule].package, Reverse(found.severity), found.rule)
            });
            host.outcomes.sort_by_key(|outcome| outcome.rule);
        }
        self.report.rules = rules.into();
        self.report.version = version;
        self.report
    }
}

/// A rule of which only the id is known.
fn nameless(id: &str, package: RulesPackage) -> RuleInfo {
    RuleInfo {
        id: id.into(),
        package,
        title: id.into(),
        severity: Severity::Undefined,
        description: "".into(),
        remediation: "".into(),
        references: Vec::new(),
        automated: true,
        recommendation: None,
        tailored: None,
    }
}

fn text<'j>(json: &'j Json, member: &str) -> Option<&'j str> {
    json.get(member)?.as_str()
}

fn list<'j>(json: &'j Json, member: &str) -> impl Iterator<Item = &'j Json> {
    json.get(member).and_then(Json::as_array).into_iter().flatten()
}

fn texts(json: &Json, member: &str) -> Vec<Arc<str>> {
    list(json, member).filter_map(Json::as_str).map(Arc::from).collect()
}

/// Pairs of `key` and `value`.
fn pairs(json: &Json, member: &str) -> Vec<(Arc<str>, Arc<str>)> {
    list(json, member)
        .filter_map(|pair| Some((text(pair, "key")?.into(), text(pair, "value")?.into())))
        .collect()
}

/// Inspector's assetAttributes.
fn asset(json: &Json) -> Asset {
    let word = |member: &str| text(json, member).map(Arc::from);
    let interface = list(json, "networkInterfaces").next();
    Asset {
        agent_id: word("agentId").unwrap_or_default(),
        hostname: word("hostname").unwrap_or_default(),
        // Inspector does not tell them of a host.
        account: None,
        region: None,
        ami_id: word("amiId"),
        auto_scaling_group: word("autoScalingGroup"),
        ipv4_addresses: texts(json, "ipv4Addresses"),
        ipv6_addresses: interface.map(|of| texts(of, "ipv6Addresses")).unwrap_or_default(),
        public_ip: interface.and_then(|of| text(of, "publicIp")).map(Arc::from),
        tags: pairs(json, "tags").into_iter().collect::<BTreeMap<_, _>>(),
        os: "".into(),
        kernel: None,
    }
}

fn evidence(json: &Json) -> Vec<Evidence> {
    let one = |json: &Json| Evidence {
        location: text(json, "location").unwrap_or_default().into(),
        line: json.get("line").and_then(Json::as_u64).and_then(|line| u32::try_from(line).ok()),
        observed: text(json, "observed").unwrap_or_default().into(),
        expected: text(json, "expected").unwrap_or_default().into(),
    };
    json.as_array().into_iter().flatten().map(one).collect()
}

/// A complete Inspector finding.
fn finding(rule: usize, json: &Json, seen: &Json, status: Status) -> Finding {
    let word = |member: &str| Arc::from(text(json, member).unwrap_or_default());
    let severity = text(json, "severity").and_then(Severity::parse);
    Finding {
        rule,
        id: word("id"),
        title: word("title"),
        severity: severity.unwrap_or(Severity::Undefined),
        description: word("description"),
        recommendation: word("recommendation"),
        attributes: pairs(json, "attributes"),
        evidence: evidence(seen),
        status,
        waiver: None,
    }
}

fn waiver(json: &Json) -> Option<Waiver> {
    let word = |member: &str| Some(Arc::from(text(json, member)?));
    Some(Waiver { reason: word("reason")?, expires: word("expires")? })
}

fn verdict(name: &str, reason: Option<&str>) -> Option<Verdict> {
    let reason = || Arc::from(reason.unwrap_or("no reason was written down"));
    match name {
        "pass" => Some(Verdict::Pass),
        "fail" => Some(Verdict::Fail),
        "not_applicable" => Some(Verdict::NotApplicable(reason())),
        "unknown" => Some(Verdict::Unknown(reason())),
        _ => None,
    }
}

/// A recommendation, where benchmark and number are told.
fn recommendation(json: &Json, number: &str, version: Option<&str>) -> Option<Recommendation> {
    Some(Recommendation {
        benchmark: text(json, "benchmark")?.into(),
        benchmark_version: version.unwrap_or_default().into(),
        number: text(json, number)?.into(),
        levels: texts(json, "levels"),
        control: None,
        section: None,
    })
}
