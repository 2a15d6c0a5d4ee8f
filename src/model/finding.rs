//! Verdicts, findings and reports: what judging a host gives, before it becomes bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::cell::Time;

/// Inspector's severities, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Not scored.
    Undefined,
    /// For information.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

impl Severity {
    /// Every severity, highest first.
    pub const ALL: [Self; 5] =
        [Self::High, Self::Medium, Self::Low, Self::Informational, Self::Undefined];

    /// Inspector's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undefined => "Undefined",
            Self::Informational => "Informational",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }

    /// Inspector's number: 9, 6, 3, 0, 0.
    pub const fn numeric(self) -> f64 {
        match self {
            Self::High => 9.0,
            Self::Medium => 6.0,
            Self::Low => 3.0,
            Self::Informational | Self::Undefined => 0.0,
        }
    }

    /// The severity with this word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(word))
    }
}

/// The four rules packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulesPackage {
    /// Common Vulnerabilities and Exposures.
    CommonVulnerabilities,
    /// CIS Operating System Security Configuration Benchmarks.
    Cis,
    /// Security Best Practices.
    SecurityBestPractices,
    /// Runtime Behavior Analysis.
    RuntimeBehavior,
}

impl RulesPackage {
    /// Every package, in the order of reports.
    pub const ALL: [Self; 4] = [
        Self::CommonVulnerabilities,
        Self::Cis,
        Self::SecurityBestPractices,
        Self::RuntimeBehavior,
    ];

    /// The short name: `cve`, `cis`, `sbp`, `rba`.
    pub const fn short(self) -> &'static str {
        match self {
            Self::CommonVulnerabilities => "cve",
            Self::Cis => "cis",
            Self::SecurityBestPractices => "sbp",
            Self::RuntimeBehavior => "rba",
        }
    }

    /// Inspector's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommonVulnerabilities => "Common Vulnerabilities and Exposures",
            Self::Cis => "CIS Operating System Security Configuration Benchmarks",
            Self::SecurityBestPractices => "Security Best Practices",
            Self::RuntimeBehavior => "Runtime Behavior Analysis",
        }
    }

    /// Inspector's version.
    pub const fn version(self) -> &'static str {
        match self {
            Self::CommonVulnerabilities => "1.1",
            Self::Cis | Self::SecurityBestPractices | Self::RuntimeBehavior => "1.0",
        }
    }

    /// Inspector's ARN in us-east-1, which old scripts know.
    pub const fn arn(self) -> &'static str {
        match self {
            Self::CommonVulnerabilities => {
                "arn:aws:inspector:us-east-1:316112463485:rulespackage/0-gEjTy7T7"
            }
            Self::Cis => "arn:aws:inspector:us-east-1:316112463485:rulespackage/0-rExsr2X8",
            Self::SecurityBestPractices => {
                "arn:aws:inspector:us-east-1:316112463485:rulespackage/0-R01qwB5Q"
            }
            Self::RuntimeBehavior => {
                "arn:aws:inspector:us-east-1:316112463485:rulespackage/0-gBONHN9h"
            }
        }
    }

    /// The directory under `rulesets/`.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::CommonVulnerabilities => "common-vulnerabilities",
            Self::Cis => "cis",
            Self::SecurityBestPractices => "security-best-practices",
            Self::RuntimeBehavior => "runtime-behavior-analysis",
        }
    }

    /// The package with this short name, directory or Inspector name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|package| {
            [package.short(), package.directory(), package.name()]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(word))
        })
    }
}

/// What judging one rule on one host gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The requirement holds.
    Pass,
    /// The requirement does not hold: a finding.
    Fail,
    /// The rule is not about this host, for this reason.
    NotApplicable(Arc<str>),
    /// It cannot be told, for this reason.
    Unknown(Arc<str>),
}

impl Verdict {
    /// `pass`, `fail`, `not_applicable` or `unknown`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable(_) => "not_applicable",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The reason, where the verdict has one.
    pub fn reason(&self) -> Option<&Arc<str>> {
        match self {
            Self::Pass | Self::Fail => None,
            Self::NotApplicable(reason) | Self::Unknown(reason) => Some(reason),
        }
    }
}

/// What was seen at one place, and what should have been there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// A path, or the name of the thing (`package openssl`, `sysctl kernel.randomize_va_space`).
    pub location: Arc<str>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// What is there.
    pub observed: Arc<str>,
    /// What is required.
    pub expected: Arc<str>,
}

impl Evidence {
    /// What stands as observed where the evidence was too long to be listed whole.
    pub const NOT_LISTED: &'static str = "not listed";
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        Ok(())
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It counts.
    Open,
    /// A waiver that has not expired covers it.
    Waived,
    /// It was in the baseline already.
    Known,
}

impl Status {
    /// `open`, `waived` or `known`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waived => "waived",
            Self::Known => "known",
        }
    }
}

/// Why a waived finding does not count, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The reason that was given.
    pub reason: Arc<str>,
    /// The last day on which it holds, as `YYYY-MM-DD`.
    pub expires: Arc<str>,
}

/// The CIS recommendation that a rule carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// The benchmark's name, for example `CIS Debian Linux 12 Benchmark`.
    pub benchmark: Arc<str>,
    /// The benchmark's version, for example `1.1.0`.
    pub benchmark_version: Arc<str>,
    /// The number, for example `5.1.20`.
    pub number: Arc<str>,
    /// The profiles it belongs to, for example `Level 1 - Server`.
    pub levels: Vec<Arc<str>>,
    /// The id of the control that decides it; none for a manual recommendation.
    pub control: Option<Arc<str>>,
    /// What the first part of the number is about, where the benchmark says it.
    pub section: Option<Arc<str>>,
}

/// What every emitter may need of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// The path under `rulesets/` without ending; CIS: `cis/<benchmark>/<number>`.
    pub id: Arc<str>,
    /// The package.
    pub package: RulesPackage,
    /// The rule's title: Inspector's finding id for the packages that have one.
    pub title: Arc<str>,
    /// How bad a finding is.
    pub severity: Severity,
    /// What it is about.
    pub description: Arc<str>,
    /// What to do.
    pub remediation: Arc<str>,
    /// Links.
    pub references: Vec<Arc<str>>,
    /// Whether assay decides it; a manual recommendation is for a person.
    pub automated: bool,
    /// CIS only.
    pub recommendation: Option<Recommendation>,
    /// What the site changed about it.
    pub tailored: Option<Tailored>,
}

/// What a tailoring file changed about a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tailored {
    /// The name that the tailoring gives itself.
    pub by: Arc<str>,
    /// Why the rule is not judged, where it is switched off.
    pub off: Option<Arc<str>>,
    /// The parameters that were set, with their values.
    pub values: Vec<(Arc<str>, Arc<str>)>,
}

impl fmt::Display for Tailored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.off {
            Some(reason) => write!(f, "switched off: {reason}"),
            None => {
                let values = self.values.iter().map(|(name, value)| format!("{name} = {value}"));
                f.write_str(&values.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl RuleInfo {
    /// The title, with the number where it is a recommendation.
    pub fn name(&self) -> String {
        match &self.recommendation {
            Some(cis) => format!("{} {}", cis.number, self.title),
            None => self.title.to_string(),
        }
    }
}

/// One finding on one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Index into [`Report::rules`].
    pub rule: usize,
    /// Inspector's `id`, for example `Disable root login over SSH` or a CVE id.
    pub id: Arc<str>,
    /// The finding's sentence, with the host as subject.
    pub title: Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// Inspector's text about it.
    pub description: Arc<str>,
    /// What to do.
    pub recommendation: Arc<str>,
    /// Inspector's attributes (INSTANCE_ID, CVE_ID, BENCHMARK_ID, ...), in order.
    pub attributes: Vec<(Arc<str>, Arc<str>)>,
    /// Where it was seen.
    pub evidence: Vec<Evidence>,
    /// Open, waived or known.
    pub status: Status,
    /// The waiver, where it is waived.
    pub waiver: Option<Waiver>,
}

/// What the engine says of one rule on one host; `assess` makes findings of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Index into the plan's rules.
    pub rule: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// The finding's sentence with the host filled in; empty unless the verdict is fail.
    pub sentence: Arc<str>,
    /// Inspector attributes that the rule adds (CVE_ID, package_name, ...), without INSTANCE_ID.
    pub attributes: Vec<(Arc<str>, Arc<str>)>,
    /// Where a failure was seen, sorted, without repetition.
    pub evidence: Vec<Evidence>,
}

/// One rule's verdict on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Index into [`Report::rules`].
    pub rule: usize,
    /// The verdict.
    pub verdict: Verdict,
}

/// Something that was not judged, as Inspector's exclusions say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Inspector's title, for example `Rules evaluation error for single instance`.
    pub title: Arc<str>,
    /// What was not judged and why.
    pub description: Arc<str>,
    /// What to do.
    pub recommendation: Arc<str>,
    /// `INSTANCE_ID` and `RULES_PACKAGE_ARN` with their values.
    pub scopes: Vec<(Arc<str>, Arc<str>)>,
    /// The rules it is about, as indexes into [`Report::rules`].
    pub rules: Vec<usize>,
}

/// The host as Inspector's assetAttributes show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asset {
    /// Instance id.
    pub agent_id: Arc<str>,
    /// Host name.
    pub hostname: Arc<str>,
    /// The cloud's account.
    pub account: Option<Arc<str>>,
    /// The cloud's region.
    pub region: Option<Arc<str>>,
    /// Image id.
    pub ami_id: Option<Arc<str>>,
    /// Auto scaling group.
    pub auto_scaling_group: Option<Arc<str>>,
    /// IPv4 addresses.
    pub ipv4_addresses: Vec<Arc<str>>,
    /// IPv6 addresses.
    pub ipv6_addresses: Vec<Arc<str>>,
    /// Public address.
    pub public_ip: Option<Arc<str>>,
    /// Tags, sorted.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// The operating system's name for people.
    pub os: Arc<str>,
    /// Running kernel.
    pub kernel: Option<Arc<str>>,
}

/// Everything judged on one host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostReport {
    /// The snapshot's path as given, or `live`.
    pub snapshot: Arc<str>,
    /// The host.
    pub asset: Asset,
    /// When the facts were collected; every time in an output is this one.
    pub collected_at: Time,
    /// Findings, by package, then severity (highest first), then rule.
    pub findings: Vec<Finding>,
    /// What was not judged.
    pub exclusions: Vec<Exclusion>,
    /// One for every rule judged.
    pub outcomes: Vec<Outcome>,
    /// The packages that were judged and found nothing: Inspector says so in a finding of its own.
    pub clean: Vec<RulesPackage>,
    /// What a reader should know beside that, such as what was not asked for and is there.
    pub notes: Vec<Arc<str>>,
}

/// A snapshot, root or image that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The path as given.
    pub snapshot: Arc<str>,
    /// Diagnostic code and sentence.
    pub reason: Arc<str>,
}

/// The result of a scan, hosts in the order of their names as given (sorted), ready to emit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The rules that findings and outcomes point into.
    pub rules: Arc<[RuleInfo]>,
    /// One for each host judged.
    pub hosts: Vec<HostReport>,
    /// One for each that could not be.
    pub refused: Vec<Refusal>,
    /// What was not judged and is about no single host.
    pub exclusions: Vec<Exclusion>,
    /// The CIS profile that was judged, where it is known.
    pub profile: Option<Arc<str>>,
    /// What documents say at their beginning, as names and values, for example the run.
    pub about: Vec<(&'static str, String)>,
    /// The version of assay.
    pub version: &'static str,
}
