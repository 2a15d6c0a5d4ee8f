//! Findings that do not stop a pipeline: those that a waiver covers, with its reason and until its
//! day, and those that a baseline had already.

mod baseline;
mod waivers;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::diagnostic::Diagnostic;
use crate::model::finding::{HostReport, RuleInfo, Status};
use baseline::Baseline;
use waivers::Waivers;

/// What was accepted before.
#[derive(Debug, Default)]
pub struct Accepted {
    waivers: Waivers,
    baseline: Option<Baseline>,
}

impl Accepted {
    /// Reads waivers and a baseline; the second part of the answer is warnings, one for each waiver
    /// that has expired before `today`.
    ///
    /// # Errors
    /// Every mistake of every file.
    pub fn read(
        waivers: &[PathBuf],
        baseline: Option<&Path>,
        today: Date,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let (waivers, warnings) = Waivers::read(waivers, today, &mut errors);
        let baseline = match baseline.map(Baseline::read) {
            Some(Ok(baseline)) => Some(baseline),
            Some(Err(error)) => {
                errors.push(error);
                None
            }
            None => None,
        };
        if errors.is_empty() { Ok((Self { waivers, baseline }, warnings)) } else { Err(errors) }
    }

    /// Marks the findings of a host that are waived or known.
    pub fn mark(&self, rules: &[RuleInfo], host: &mut HostReport) {
        for index in 0..host.findings.len() {
            let Some(finding) = host.findings.get(index) else { continue };
            let Some(rule) = rules.get(finding.rule) else { continue };
            let waiver = self.waivers.covering(&host.asset, rule, finding);
            let known = || {
                let baseline = self.baseline.as_ref();
                baseline.is_some_and(|known| known.has(&host.asset.agent_id, &rule.id, finding))
            };
            let status = match &waiver {
                Some(_) => Status::Waived,
                None if known() => Status::Known,
                None => continue,
            };
            if let Some(finding) = host.findings.get_mut(index) {
                finding.status = status;
                finding.waiver = waiver;
            }
        }
    }
}
