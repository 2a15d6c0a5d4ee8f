//! One JSON object a line; the first member is `type`. Other programs are checked against this
//! shape: finding, exclusion, outcome, and summary as the last line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{Style, inspector};
use crate::model::finding::{Evidence, Report, Severity};

fn evidence(evidence: &Evidence) -> Json {
    let mut out = Map::new();
    out.insert("location".into(), json!(*evidence.location));
    if let Some(line) = evidence.line {
        out.insert("line".into(), json!(line));
    }
    out.insert("observed".into(), json!(*evidence.observed));
    out.insert("expected".into(), json!(*evidence.expected));
    Json::Object(out)
}

pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut severities: BTreeMap<Severity, u64> = BTreeMap::new();
    let mut verdicts: BTreeMap<&str, u64> =
        ["pass", "fail", "not_applicable", "unknown"].map(|verdict| (verdict, 0)).into();
    for host in &report.hosts {
        for found in &host.findings {
            let Some(rule) = report.rules.get(found.rule) else { continue };
            *severities.entry(found.severity).or_default() += 1;
            let line = json!({
                "type": "finding",
                "snapshot": *host.snapshot,
                "host": *host.asset.hostname,
                "rule": *rule.id,
                "package": rule.package.short(),
                "severity": found.severity.name(),
                "status": found.status.name(),
                "evidence": found.evidence.iter().map(evidence).collect::<Json>(),
                "finding": inspector::finding(host, rule, found),
            });
            writeln!(out, "{line}")?;
        }
        for exclusion in &host.exclusions {
            let scopes = exclusion.scopes.iter().map(|(k, v)| json!({"key": **k, "value": **v}));
            let line = json!({
                "type": "exclusion",
                "snapshot": *host.snapshot,
                "host": *host.asset.hostname,
                "title": *exclusion.title,
                "description": *exclusion.description,
                "recommendation": *exclusion.recommendation,
                "scopes": scopes.collect::<Json>(),
            });
            writeln!(out, "{line}")?;
        }
        for outcome in &host.outcomes {
            let Some(rule) = report.rules.get(outcome.rule) else { continue };
            *verdicts.entry(outcome.verdict.name()).or_default() += 1;
            if !style.outcomes {
                continue;
            }
            let mut line = Map::new();
            line.insert("type".into(), json!("outcome"));
            line.insert("snapshot".into(), json!(*host.snapshot));
            line.insert("rule".into(), json!(*rule.id));
            line.insert("package".into(), json!(rule.package.short()));
            line.insert("verdict".into(), json!(outcome.verdict.name()));
            if let Some(reason) = outcome.verdict.reason() {
                line.insert("reason".into(), json!(**reason));
            }
            if let Some(cis) = &rule.recommendation {
                line.insert("benchmark".into(), json!(*cis.benchmark));
                line.insert("recommendation".into(), json!(*cis.number));
                let levels = cis.levels.iter().map(|level| json!(**level)).collect::<Json>();
                line.insert("levels".into(), levels);
            }
            writeln!(out, "{}", Json::Object(line))?;
        }
    }
    let counts: Map<String, Json> = Severity::ALL
        .iter()
        .map(|severity| {
            let count = severities.get(severity).copied().unwrap_or(0);
            (severity.name().to_owned(), json!(count))
        })
        .collect();
    let summary = json!({
        "type": "summary",
        "severities": counts,
        "verdicts": verdicts,
        "snapshots": { "read": report.hosts.len(), "refused": report.refused.len() },
        "refused": report.refused.iter()
            .map(|refusal| json!({"snapshot": *refusal.snapshot, "reason": *refusal.reason}))
            .collect::<Json>(),
    });
    writeln!(out, "{summary}")
}
