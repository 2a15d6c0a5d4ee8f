//! One JSON object a line; the first member is `type`. Other programs are checked against this
//! shape: finding, exclusion, outcome, and summary as the last line.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{Emitter, Pieces, inspector};
use crate::model::cell::Time;
use crate::model::finding::{HostReport, RuleInfo, Severity, Status};
use crate::model::summary::{JudgedHost, Summary};

pub(super) const PIECES: Pieces =
    Pieces { first: |_, _| Ok(()), host, all, last: |_| Ok(()), separator: "" };

fn write_line(line: &Json, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    for found in &host.findings {
        let Some(rule) = emitter.rules.get(found.rule) else { continue };
        let mut line = json!({
            "type": "finding",
            "snapshot": *host.snapshot,
            "host": *host.asset.hostname,
            "rule": *rule.id,
            "package": rule.package.short(),
            "severity": found.severity.name(),
            "status": found.status.name(),
            "evidence": found.evidence.iter().map(inspector::evidence).collect::<Json>(),
            "finding": inspector::finding(host, rule, found),
        });
        if let Some(waiver) = &found.waiver {
            line["waiver"] = json!({ "reason": *waiver.reason, "expires": *waiver.expires });
        }
        write_line(&line, out)?;
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
        write_line(&line, out)?;
    }
    let outcomes = if emitter.style.outcomes { host.outcomes.as_slice() } else { &[] };
    for outcome in outcomes {
        let Some(rule) = emitter.rules.get(outcome.rule) else { continue };
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
        if let Some(tailored) = &rule.tailored {
            line.insert("tailored".into(), json!(tailored.to_string()));
        }
        write_line(&Json::Object(line), out)?;
    }
    Ok(())
}

fn all(emitter: &Emitter, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let severities: Map<String, Json> = Severity::ALL
        .iter()
        .map(|severity| (severity.name().to_owned(), json!(summary.severity(*severity))))
        .collect();
    let verdicts: Map<String, Json> = ["fail", "not_applicable", "pass", "unknown"]
        .iter()
        .map(|verdict| ((*verdict).to_owned(), json!(summary.verdict(verdict))))
        .collect();
    let statuses: Map<String, Json> = [Status::Open, Status::Waived, Status::Known]
        .iter()
        .map(|status| (status.name().to_owned(), json!(summary.status(*status))))
        .collect();
    let mut line = json!({
        "type": "summary",
        "severities": severities,
        "statuses": statuses,
        "verdicts": verdicts,
        "snapshots": { "read": summary.hosts, "refused": summary.refused.len() },
        "refused": summary.refused.iter()
            .map(|refusal| json!({"snapshot": *refusal.snapshot, "reason": *refusal.reason}))
            .collect::<Json>(),
    });
    if !summary.without_findings.is_empty() {
        line["without_findings"] = summary.without_findings.iter().map(judged).collect();
    }
    if let Some(tailoring) = tailoring(&emitter.rules) {
        line["tailoring"] = tailoring;
    }
    write_line(&line, out)
}

fn judged(host: &JudgedHost) -> Json {
    let mut line = json!({
        "snapshot": *host.snapshot,
        "host": *host.hostname,
        "agent": *host.agent_id,
        "os": *host.os,
    });
    // Results of older programs do not tell it of every host.
    if host.collected_at != Time::default() {
        line["collected_at"] = json!(host.collected_at.0);
    }
    line
}

/// What a tailoring changed, where there is one.
fn tailoring(rules: &[RuleInfo]) -> Option<Json> {
    let mut off = Map::new();
    let mut changed = Map::new();
    let mut by = None;
    for rule in rules {
        let Some(tailored) = &rule.tailored else { continue };
        by.get_or_insert(&tailored.by);
        match &tailored.off {
            Some(reason) => off.insert(rule.id.to_string(), json!(**reason)),
            None => {
                let values = tailored.values.iter().map(|(k, v)| (k.to_string(), json!(**v)));
                changed.insert(rule.id.to_string(), Json::Object(values.collect()))
            }
        };
    }
    by.map(|by| json!({ "name": **by, "off": off, "changed": changed }))
}
