//! A report that is laid out whole: the findings of all hosts by what was found, with the hosts that
//! have it beneath, each text once.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Emitter;
use crate::model::cell::Time;
use crate::model::finding::{
    Asset, Evidence, Exclusion, Finding, HostReport, Refusal, RuleInfo, RulesPackage, Severity,
    Status,
};
use crate::model::score::{Marks, Scores};

/// The report.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Only findings, not also every rule that was checked.
    pub findings_only: bool,
    /// The version of assay.
    pub version: &'static str,
    /// The CIS profile that was judged.
    pub profile: Option<Arc<str>>,
    /// What else the report says of itself, as name and value, for example the run.
    pub about: Vec<(&'static str, String)>,
    /// The rules.
    pub rules: Arc<[RuleInfo]>,
    /// The hosts, in order.
    pub hosts: Vec<Subject>,
    /// What was found, by package, then severity (highest first), then rule.
    pub topics: BTreeMap<Topic, Vec<Place>>,
    /// How the hosts did, by rule.
    pub marks: BTreeMap<usize, Marks>,
    /// What was not judged, with the hosts.
    pub exclusions: BTreeMap<Unjudged, Vec<usize>>,
    /// What could not be read.
    pub refused: Vec<Refusal>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The snapshot's path as given, or `live`.
    pub snapshot: Arc<str>,
    /// The host.
    pub asset: Asset,
    /// When the facts were collected.
    pub collected_at: Time,
    /// How many findings it has of each severity.
    pub severities: BTreeMap<Severity, u64>,
    /// How many rules could not be judged.
    pub unknown: u64,
}

/// What was found: the same on every host that has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// The package.
    pub package: RulesPackage,
    /// How bad.
    pub severity: Reverse<Severity>,
    /// Index into the rules.
    pub rule: usize,
    /// Inspector's id.
    pub id: Arc<str>,
    /// About it.
    pub description: Arc<str>,
    /// What to do.
    pub recommendation: Arc<str>,
}

/// One finding: where a topic was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Index into the hosts.
    pub host: usize,
    /// The sentence.
    pub title: Arc<str>,
    /// Open, waived or known.
    pub status: Status,
    /// Inspector's attributes.
    pub attributes: Vec<(Arc<str>, Arc<str>)>,
    /// Where it was seen.
    pub evidence: Vec<Evidence>,
}

/// Something that was not judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unjudged {
    /// What.
    pub title: Arc<str>,
    /// Why.
    pub description: Arc<str>,
    /// What to do.
    pub recommendation: Arc<str>,
}

impl Document {
    /// One without hosts.
    pub(super) fn new(emitter: &Emitter) -> Self {
        Self {
            findings_only: emitter.style.findings_only,
            version: emitter.version,
            profile: emitter.profile.clone(),
            rules: Arc::clone(&emitter.rules),
            ..Self::default()
        }
    }

    /// Adds a host with everything judged on it.
    pub fn add(&mut self, host: &HostReport) {
        let at = self.hosts.len();
        let mut subject = Subject {
            snapshot: Arc::clone(&host.snapshot),
            asset: host.asset.clone(),
            collected_at: host.collected_at,
            severities: BTreeMap::new(),
            unknown: 0,
        };
        for found in &host.findings {
            *subject.severities.entry(found.severity).or_default() += 1;
            self.find(at, found);
        }
        for outcome in &host.outcomes {
            let automated = self.rules.get(outcome.rule).is_none_or(|rule| rule.automated);
            let mut marks = Marks::default();
            marks.add(automated, &outcome.verdict);
            subject.unknown += marks.unknown;
            self.marks.entry(outcome.rule).or_default().merge(marks);
        }
        for exclusion in &host.exclusions {
            self.exclude(exclusion, Some(at));
        }
        self.hosts.push(subject);
    }

    /// Adds what was not judged, on one host or on none in particular.
    pub(super) fn exclude(&mut self, exclusion: &Exclusion, host: Option<usize>) {
        let unjudged = Unjudged {
            title: Arc::clone(&exclusion.title),
            description: Arc::clone(&exclusion.description),
            recommendation: Arc::clone(&exclusion.recommendation),
        };
        self.exclusions.entry(unjudged).or_default().extend(host);
    }

    fn find(&mut self, host: usize, found: &Finding) {
        let Some(rule) = self.rules.get(found.rule) else { return };
        let topic = Topic {
            package: rule.package,
            severity: Reverse(found.severity),
            rule: found.rule,
            id: Arc::clone(&found.id),
            description: Arc::clone(&found.description),
            recommendation: Arc::clone(&found.recommendation),
        };
        self.topics.entry(topic).or_default().push(Place {
            host,
            title: Arc::clone(&found.title),
            status: found.status,
            attributes: found.attributes.clone(),
            evidence: found.evidence.clone(),
        });
    }

    /// What the report is called.
    pub fn title(&self) -> String {
        let kind = if self.findings_only { "Finding report" } else { "Full report" };
        match &*self.hosts {
            [only] => format!("{kind}: {}", only.asset.hostname),
            hosts => format!("{kind}: {}", count(hosts.len(), "host")),
        }
    }

    /// What is said of a package without findings: only where it is good news, it is told as such.
    pub fn nothing(&self, package: RulesPackage) -> String {
        let marks = self.marks(Some(package));
        if marks.unknown > 0 {
            format!("Nothing was found, but {} verdicts are unknown.", marks.unknown)
        } else if marks.pass > 0 {
            "No potential security issues found.".to_owned()
        } else {
            "No rule of this package applies.".to_owned()
        }
    }

    /// What a topic is called.
    pub fn name(&self, topic: &Topic) -> String {
        match self.rules.get(topic.rule) {
            Some(rule) if rule.title == topic.id => rule.name(),
            _ => topic.id.to_string(),
        }
    }

    /// The packages that were judged, or found something, in order.
    pub fn packages(&self) -> Vec<RulesPackage> {
        let judged = |wanted: RulesPackage| {
            let of = |rule: &usize| self.rules.get(*rule).is_some_and(|r| r.package == wanted);
            self.marks.keys().any(of) || self.topics.keys().any(|topic| topic.package == wanted)
        };
        RulesPackage::ALL.into_iter().filter(|package| judged(*package)).collect()
    }

    /// How many findings there are of each severity, of one package or of all.
    pub fn severities(&self, package: Option<RulesPackage>) -> BTreeMap<Severity, u64> {
        let mut counts = BTreeMap::new();
        for (topic, places) in &self.topics {
            if package.is_none_or(|package| topic.package == package) {
                *counts.entry(topic.severity.0).or_default() += places.len() as u64;
            }
        }
        counts
    }

    /// How the hosts did against the rules of one package, or of all.
    pub fn marks(&self, package: Option<RulesPackage>) -> Marks {
        let mut sum = Marks::default();
        for (rule, marks) in &self.marks {
            let of = self.rules.get(*rule).map(|rule| rule.package);
            if package.is_none() || package == of {
                sum.merge(*marks);
            }
        }
        sum
    }

    /// The scores of CIS benchmarks, of all hosts together.
    pub fn scores(&self) -> Scores {
        let mut scores = Scores::default();
        for (rule, marks) in &self.marks {
            if let Some(rule) = self.rules.get(*rule) {
                scores.add(rule, *marks);
            }
        }
        scores
    }

    /// From when to when the facts were collected.
    pub fn collected(&self) -> Option<(Time, Time)> {
        let known = |time: &Time| *time != Time::default();
        let times = || self.hosts.iter().map(|host| host.collected_at).filter(known);
        Some((times().min_by_key(|time| time.0)?, times().max_by_key(|time| time.0)?))
    }
}

/// Whether an attribute adds to what the sentence says already.
pub(super) fn adds(key: &str) -> bool {
    key != "INSTANCE_ID" && !key.starts_with("BENCHMARK") && !key.starts_with("CIS_")
}

/// A package with its version, as Inspector's reports name it.
pub(super) fn package_name(package: RulesPackage) -> String {
    format!("{}-{}", package.name(), package.version())
}

/// A number of things, in words.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
