//! SARIF 2.1.0 (OASIS): one run a host, so that each host's results and exclusions stand together.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::{Emitter, Pieces, inspector};
use crate::model::finding::{Evidence, Finding, HostReport, RuleInfo, Severity, Status};
use crate::model::summary::Summary;

pub(super) const PIECES: Pieces = Pieces { first, host, all, last, separator: ",\n" };

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational | Severity::Undefined => "note",
    }
}

fn descriptor(rule: &RuleInfo) -> Json {
    let help = rule.references.first();
    let mut out = json!({
        "id": *rule.id,
        "name": *rule.title,
        "shortDescription": { "text": *rule.title },
        "fullDescription": { "text": *rule.description },
        "help": { "text": *rule.remediation, "markdown": markdown(&rule.remediation) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["security", rule.package.short()],
            "security-severity": format!("{:.1}", rule.severity.numeric()),
        },
    });
    if let (Some(link), Some(object)) = (help, out.as_object_mut()) {
        object.insert("helpUri".into(), json!(**link));
    }
    out
}

/// The text as Markdown: indented lines are commands and settings, and stand in a block of code.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut inside = false;
    for line in text.trim_end().lines() {
        let code = line.starts_with([' ', '\t']);
        if code != inside {
            out.push_str(if code { "\n```\n" } else { "```\n\n" });
            inside = code;
        }
        out.push_str(if code { line.strip_prefix("  ").unwrap_or(line) } else { line });
        out.push('\n');
    }
    if inside {
        out.push_str("```\n");
    }
    out
}

fn location(evidence: &Evidence) -> Json {
    let message = format!("{} (required: {})", evidence.observed, evidence.expected);
    match evidence.location.strip_prefix('/') {
        Some(path) => {
            let mut physical = json!({
                "artifactLocation": { "uri": percent_encoded(path), "uriBaseId": "ROOT" },
            });
            if let (Some(line), Some(object)) = (evidence.line, physical.as_object_mut()) {
                object.insert("region".into(), json!({ "startLine": line }));
            }
            json!({ "physicalLocation": physical, "message": { "text": message } })
        }
        None => json!({
            "logicalLocations": [{ "fullyQualifiedName": *evidence.location }],
            "message": { "text": message },
        }),
    }
}

/// A path as a relative URI reference (RFC 3986): everything but unreserved characters and `/`.
fn percent_encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn result(host: &HostReport, rule: &RuleInfo, index: usize, finding: &Finding) -> Json {
    let arn = inspector::finding_arn(host, &rule.id, &finding.id);
    // The same problem of the same host keeps its print from run to run, wherever the line moves.
    let print = format!("{}\0{}\0{}", host.asset.agent_id, rule.id, finding.id);
    let print = blake3::hash(print.as_bytes()).to_hex();
    let mut out = json!({
        "ruleId": *rule.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": *finding.title },
        "locations": finding.evidence.iter().take(1).map(location).collect::<Json>(),
        "relatedLocations": finding.evidence.iter().skip(1).map(location).collect::<Json>(),
        "partialFingerprints": { "hostRuleFinding/v1": &print[..32] },
        "properties": {
            "arn": arn,
            "severity": finding.severity.name(),
            "host": *host.asset.hostname,
            "snapshot": *host.snapshot,
        },
    });
    if let Some(object) = out.as_object_mut() {
        match finding.status {
            Status::Open => {}
            Status::Waived => {
                let mut suppression = json!({ "kind": "external", "status": "accepted" });
                if let Some(waiver) = &finding.waiver {
                    let text = format!("{} (until {})", waiver.reason, waiver.expires);
                    suppression["justification"] = json!(text);
                }
                object.insert("suppressions".into(), json!([suppression]));
            }
            Status::Known => {
                object.insert("baselineState".into(), json!("unchanged"));
            }
        }
    }
    out
}

fn driver(emitter: &Emitter) -> Json {
    json!({ "name": "assay", "version": emitter.version, "semanticVersion": emitter.version })
}

fn run(emitter: &Emitter, host: &HostReport) -> Json {
    // Only the rules that this host's results name, in the order of the plan.
    let used: BTreeMap<usize, usize> = {
        let mut rules: Vec<usize> = host.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().enumerate().map(|(index, rule)| (rule, index)).collect()
    };
    let results: Json = host
        .findings
        .iter()
        .filter_map(|finding| {
            let rule = emitter.rules.get(finding.rule)?;
            Some(result(host, rule, *used.get(&finding.rule)?, finding))
        })
        .collect();
    let notifications: Json = host
        .exclusions
        .iter()
        .map(|exclusion| {
            json!({
                "level": "warning",
                "message": { "text": format!("{}: {}", exclusion.title, exclusion.description) },
            })
        })
        .collect();
    let rules = used.keys().filter_map(|rule| emitter.rules.get(*rule)).map(descriptor);
    let mut driver = driver(emitter);
    driver["rules"] = rules.collect();
    json!({
        "tool": { "driver": driver },
        "automationDetails": { "id": format!("assay/{}/", host.asset.agent_id) },
        "originalUriBaseIds": { "ROOT": { "uri": "file:///" } },
        "columnKind": "utf16CodeUnits",
        "invocations": [{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications,
        }],
        "results": results,
    })
}

fn first(_: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":["
    )
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}", run(emitter, host))
}

/// What could not be judged is a run that did not succeed.
fn all(emitter: &Emitter, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.refused.is_empty() {
        return Ok(());
    }
    let notifications: Json = summary
        .refused
        .iter()
        .map(|refusal| {
            json!({
                "level": "error",
                "message": { "text": format!("{}: {}", refusal.snapshot, refusal.reason) },
            })
        })
        .collect();
    let run = json!({
        "tool": { "driver": driver(emitter) },
        "automationDetails": { "id": "assay/refused/" },
        "invocations": [{
            "executionSuccessful": false,
            "toolExecutionNotifications": notifications,
        }],
        "results": [],
    });
    write!(out, "{run}")
}

fn last(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n]}}")
}
