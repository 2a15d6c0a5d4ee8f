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

fn descriptor(rule: &RuleInfo, finding: &Finding) -> Json {
    if let Some(name) = own_name(rule, finding) {
        return json!({
            "id": rule_id(rule, finding),
            "name": name,
            "shortDescription": { "text": name },
            "fullDescription": { "text": *finding.description },
            "help": { "text": *finding.recommendation, "markdown": *finding.recommendation },
            "defaultConfiguration": { "level": level(finding.severity) },
            "properties": {
                "tags": ["security", rule.package.short()],
                "security-severity": format!("{:.1}", finding.severity.numeric()),
            },
        });
    }
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

/// The name of a finding that is one of many of its rule, such as a vulnerability; none for the
/// finding of a rule itself.
fn own_name<'a>(rule: &RuleInfo, finding: &'a Finding) -> Option<&'a str> {
    (finding.id != rule.title).then_some(&*finding.id)
}

/// What viewers group results by: each vulnerability is a rule of its own to them.
fn rule_id(rule: &RuleInfo, finding: &Finding) -> String {
    match own_name(rule, finding) {
        Some(name) => format!("{}/{name}", rule.package.directory()),
        None => rule.id.to_string(),
    }
}

fn result(host: &HostReport, rule: &RuleInfo, index: usize, finding: &Finding) -> Json {
    let arn = inspector::finding_arn(host, &rule.id, &finding.id);
    let id = rule_id(rule, finding);
    // The same problem of the same host keeps its print from run to run, wherever the line moves.
    let print = format!("{}\0{}\0{}", host.asset.agent_id, rule.id, finding.id);
    let print = blake3::hash(print.as_bytes()).to_hex();
    let mut out = json!({
        "ruleId": id,
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
    let found = || {
        let findings = host.findings.iter();
        findings.filter_map(|finding| Some((emitter.rules.get(finding.rule)?, finding)))
    };
    let key = |rule: &RuleInfo, finding: &Finding| (finding.rule, rule_id(rule, finding));
    let used: BTreeMap<(usize, String), (&RuleInfo, &Finding)> =
        found().map(|(rule, finding)| (key(rule, finding), (rule, finding))).collect();
    let indexes: BTreeMap<&(usize, String), usize> = used.keys().zip(0..).collect();
    let results: Json = found()
        .filter_map(|(rule, finding)| {
            let index = indexes.get(&key(rule, finding))?;
            Some(result(host, rule, *index, finding))
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
        .chain(
            host.notes.iter().map(|note| json!({ "level": "note", "message": { "text": **note } })),
        )
        .collect();
    let rules = used.values().map(|(rule, finding)| descriptor(rule, finding));
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
