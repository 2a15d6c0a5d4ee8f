//! What `assay scan --format ndjson` wrote.

use std::io::{BufRead, Read};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Builder, asset, finding, list, pairs, recommendation, text, verdict, waiver};
use crate::model::cell::Time;
use crate::model::finding::{
    Exclusion, Finding, Outcome, Refusal, Report, RulesPackage, Severity, Status,
};
use crate::rules::Listed;

/// The longest line; a finding with a thousand places is well below.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Why lines are not results.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// They cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// One is not what a scan writes.
    #[error("line {0}: {1}")]
    Line(usize, String),
    /// The last line is missing.
    #[error("it does not end in a summary: it was cut, or is still being written")]
    Cut,
}

/// Reads a whole result. `known` is what the program knows of rules: their titles, and which of them
/// a person has to judge. `version` is the program's own.
///
/// # Errors
/// The lines cannot be read, are not a scan's, or end too early.
pub fn read(
    lines: impl BufRead,
    known: Vec<Listed>,
    version: &'static str,
) -> Result<Report, RecordedError> {
    let mut builder = Builder::new(known);
    let mut lines = lines;
    let mut complete = false;
    for number in 1.. {
        let mut line = Vec::new();
        if lines.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let wrong = |problem: String| RecordedError::Line(number, problem);
        if complete {
            return Err(wrong("there is more after the summary".into()));
        }
        let json: Json =
            serde_json::from_slice(&line).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let known = match text(&json, "type") {
            Some("finding") => builder.read_finding(&json),
            Some("exclusion") => builder.read_exclusion(&json),
            Some("outcome") => builder.read_outcome(&json),
            Some("summary") => {
                complete = true;
                builder.read_summary(&json)
            }
            _ => None,
        };
        known.ok_or_else(|| wrong("not a line of `assay scan --format ndjson`".into()))?;
    }
    if complete { Ok(builder.finish(version)) } else { Err(RecordedError::Cut) }
}

impl Builder {
    fn read_finding(&mut self, json: &Json) -> Option<()> {
        let id = text(json, "rule")?;
        let package = RulesPackage::parse(text(json, "package")?)?;
        let status = [Status::Open, Status::Waived, Status::Known]
            .into_iter()
            .find(|status| Some(status.name()) == text(json, "status"))?;
        Severity::parse(text(json, "severity")?)?;
        let body = json.get("finding")?;
        let place = self.rule(id, package);
        let mut found = finding(place, body, json.get("evidence")?, status);
        found.waiver = json.get("waiver").and_then(waiver);
        if !self.known.contains_key(id) {
            // The rule is not the program's; its finding says what it is about.
            let rule = self.rules.get_mut(place)?;
            rule.severity = found.severity;
            rule.title = match &rule.recommendation {
                Some(cis) => without_number(&found, &cis.number),
                None => Arc::clone(&found.id),
            };
        }
        let host = self.host(text(json, "snapshot")?);
        host.asset = asset(body.get("assetAttributes")?);
        #[expect(clippy::cast_possible_truncation, reason = "seconds, as the scan wrote them")]
        let at = body.get("createdAt").and_then(Json::as_f64).map(|at| at as i64);
        host.collected_at = Time(at.unwrap_or_default());
        host.findings.push(found);
        Some(())
    }

    fn read_exclusion(&mut self, json: &Json) -> Option<()> {
        let word = |member: &str| text(json, member).map(Arc::from);
        let exclusion = Exclusion {
            title: word("title")?,
            description: word("description")?,
            recommendation: word("recommendation")?,
            scopes: pairs(json, "scopes"),
            rules: Vec::new(),
        };
        let host = self.host(text(json, "snapshot")?);
        if host.asset.hostname.is_empty() {
            host.asset.hostname = word("host")?;
        }
        host.exclusions.push(exclusion);
        Some(())
    }

    fn read_outcome(&mut self, json: &Json) -> Option<()> {
        let id = text(json, "rule")?;
        let package = RulesPackage::parse(text(json, "package")?)?;
        let reason = text(json, "reason");
        let verdict = verdict(text(json, "verdict")?, reason)?;
        let place = self.rule(id, package);
        if !self.known.contains_key(id) {
            let rule = self.rules.get_mut(place)?;
            if rule.recommendation.is_none() {
                rule.recommendation = recommendation(json, "recommendation", None);
            }
        }
        let host = self.host(text(json, "snapshot")?);
        host.outcomes.push(Outcome { rule: place, verdict });
        Some(())
    }

    fn read_summary(&mut self, json: &Json) -> Option<()> {
        json.get("severities")?;
        for refusal in list(json, "refused") {
            self.report.refused.push(Refusal {
                snapshot: text(refusal, "snapshot")?.into(),
                reason: text(refusal, "reason")?.into(),
            });
        }
        for judged in list(json, "without_findings") {
            let word = |member: &str| text(judged, member).map(Arc::from);
            let host = self.host(text(judged, "snapshot")?);
            host.asset.hostname = word("host")?;
            host.asset.agent_id = word("agent")?;
            host.asset.os = word("os")?;
            let at = judged.get("collected_at").and_then(Json::as_i64);
            host.collected_at = at.map(Time).unwrap_or_default();
        }
        Some(())
    }
}

/// A recommendation's title, from the attribute that has it after the number.
fn without_number(found: &Finding, number: &str) -> Arc<str> {
    let named = found.attributes.iter().find(|(key, _)| &**key == "BENCHMARK_RULE_ID");
    let title = named.and_then(|(_, name)| name.strip_prefix(number));
    title.map_or_else(|| Arc::clone(&found.id), |title| title.trim_start().into())
}
