//! What a scan found in all, counted host by host so that no host need be kept whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::Time;
use super::finding::{HostReport, Refusal, Report, Severity, Status};

/// The counts of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many hosts were judged.
    pub hosts: usize,
    /// Those of them on which nothing was found, so that no finding tells of them.
    pub without_findings: Vec<JudgedHost>,
    /// Those that could not be, in the order of their names.
    pub refused: Vec<Refusal>,
    /// Findings by severity; none where there are none.
    pub severities: BTreeMap<Severity, u64>,
    /// Findings by status; none where there are none.
    pub statuses: BTreeMap<Status, u64>,
    /// Rules judged, by verdict; none where there are none.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// On how many hosts each thing was found, by the rule's index and the finding's name, and how
    /// bad it is at most.
    pub found: BTreeMap<(usize, Arc<str>), (u64, Severity)>,
}

/// A host that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedHost {
    /// The snapshot's path as it was given, or `live`.
    pub snapshot: Arc<str>,
    /// Its name.
    pub hostname: Arc<str>,
    /// Its id.
    pub agent_id: Arc<str>,
    /// The operating system's name for people.
    pub os: Arc<str>,
    /// When its facts were collected.
    pub collected_at: Time,
}

impl Summary {
    /// The counts of a whole report.
    pub fn of(report: &Report) -> Self {
        let mut summary = Self { refused: report.refused.clone(), ..Self::default() };
        report.hosts.iter().for_each(|host| summary.add(host));
        summary
    }

    /// Counts one host.
    pub fn add(&mut self, host: &HostReport) {
        self.hosts += 1;
        if host.findings.is_empty() {
            self.without_findings.push(JudgedHost {
                snapshot: Arc::clone(&host.snapshot),
                hostname: Arc::clone(&host.asset.hostname),
                agent_id: Arc::clone(&host.asset.agent_id),
                os: Arc::clone(&host.asset.os),
                collected_at: host.collected_at,
            });
        }
        for finding in &host.findings {
            *self.severities.entry(finding.severity).or_default() += 1;
            *self.statuses.entry(finding.status).or_default() += 1;
            let key = (finding.rule, Arc::clone(&finding.id));
            let (hosts, worst) = self.found.entry(key).or_insert((0, finding.severity));
            *hosts += 1;
            *worst = finding.severity.max(*worst);
        }
        for outcome in &host.outcomes {
            *self.verdicts.entry(outcome.verdict.name()).or_default() += 1;
        }
    }

    /// How many findings have this severity.
    pub fn severity(&self, severity: Severity) -> u64 {
        self.severities.get(&severity).copied().unwrap_or(0)
    }

    /// How many findings have this status.
    pub fn status(&self, status: Status) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// How many rules have this verdict.
    pub fn verdict(&self, name: &str) -> u64 {
        self.verdicts.get(name).copied().unwrap_or(0)
    }
}
