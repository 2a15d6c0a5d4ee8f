//! Findings in the form of Inspector Classic's DescribeFindings (API 2016-02-16).
//!
//! Ids are made from what the finding is about, so that the same input gives the same bytes: the
//! run is the snapshot, the template and the target are assay's own.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{Emitter, Pieces};
use crate::model::finding::{
    Asset, Evidence, Finding, HostReport, RuleInfo, RulesPackage, Severity,
};

pub(super) const PIECES: Pieces =
    Pieces { first, host, all: |_, _, _| Ok(()), last, separator: ",\n" };

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The limits of Inspector's API: characters of names and values, of keys, and items of a list.
const LONGEST_NAME: usize = 256;
const LONGEST_KEY: usize = 128;
const MOST: usize = 50;
const NOTHING_FOUND: &str = "No potential security issues found";

/// An id of Inspector's form (`0-` and eight letters or digits) for these words.
fn id(words: &[&str]) -> String {
    let hash = blake3::hash(words.join("\0").as_bytes());
    let mut number = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
    let mut out = String::from("0-");
    for _ in 0..8 {
        out.push(char::from(DIGITS[usize::try_from(number % 62).unwrap_or(0)]));
        number /= 62;
    }
    out
}

/// The ARN of the run that judged a host.
pub(super) fn run_arn(host: &HostReport) -> String {
    let at = host.collected_at.0.to_string();
    format!(
        "arn:aws:inspector:us-east-1:000000000000:target/{}/template/{}/run/{}",
        id(&["target"]),
        id(&["template"]),
        id(&["run", &host.asset.agent_id, &host.snapshot, &at])
    )
}

/// The ARN of one finding.
pub(super) fn finding_arn(host: &HostReport, rule: &str, finding: &str) -> String {
    let run = run_arn(host);
    format!("{run}/finding/{}", id(&["finding", &run, rule, finding]))
}

/// Inspector's assetAttributes.
pub fn asset(asset: &Asset) -> Json {
    let mut out = Map::new();
    out.insert("schemaVersion".into(), json!(1));
    out.insert("agentId".into(), json!(*asset.agent_id));
    let optional = [("amiId", &asset.ami_id), ("autoScalingGroup", &asset.auto_scaling_group)];
    for (name, value) in optional {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            out.insert(name.into(), json!(cut(value, LONGEST_NAME)));
        }
    }
    out.insert("hostname".into(), json!(cut(&asset.hostname, LONGEST_NAME)));
    let list =
        |items: &[std::sync::Arc<str>]| items.iter().map(|item| json!(**item)).collect::<Json>();
    let addresses = asset.ipv4_addresses.iter().filter(|at| (7..=15).contains(&at.len()));
    let addresses = addresses.take(MOST).map(|address| json!(**address));
    out.insert("ipv4Addresses".into(), addresses.collect());
    let tags = asset.tags.iter().map(|(key, value)| attribute(key, value));
    out.insert("tags".into(), tags.collect());
    let mut interface = Map::new();
    if let Some(first) = asset.ipv4_addresses.first() {
        interface.insert("privateIpAddress".into(), json!(**first));
    }
    if let Some(public) = &asset.public_ip {
        interface.insert("publicIp".into(), json!(**public));
    }
    if !interface.is_empty() {
        interface.insert("ipv6Addresses".into(), list(&asset.ipv6_addresses));
        interface.insert("securityGroups".into(), json!([]));
    }
    let interfaces = if interface.is_empty() { json!([]) } else { json!([interface]) };
    out.insert("networkInterfaces".into(), interfaces);
    Json::Object(out)
}

/// The first characters of a text.
fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A key with its value, none where it is empty. Of a list that is too long, such as the packages of a
/// finding, the items that there is room for; the evidence has them all.
fn attribute(key: &str, value: &str) -> Json {
    let key = cut(key, LONGEST_KEY);
    let mut short = cut(value, LONGEST_NAME);
    if short.len() < value.len() {
        short = short.rsplit_once(',').map_or(short, |(whole, _)| whole);
    }
    if short.is_empty() { json!({ "key": key }) } else { json!({ "key": key, "value": short }) }
}

struct Parts<'a> {
    rule: &'a str,
    package: RulesPackage,
    id: Option<&'a str>,
    title: &'a str,
    description: &'a str,
    recommendation: &'a str,
    severity: Severity,
    attributes: Vec<Json>,
}

fn object(host: &HostReport, parts: Parts<'_>) -> Json {
    let mut out = Map::new();
    let arn = finding_arn(host, parts.rule, parts.id.unwrap_or_default());
    let time = json!(host.collected_at.0);
    out.insert("arn".into(), json!(arn));
    out.insert("schemaVersion".into(), json!(1));
    out.insert("service".into(), json!("Inspector"));
    out.insert(
        "serviceAttributes".into(),
        json!({
            "schemaVersion": 1,
            "assessmentRunArn": run_arn(host),
            "rulesPackageArn": parts.package.arn(),
        }),
    );
    out.insert("assetType".into(), json!("ec2-instance"));
    out.insert("assetAttributes".into(), asset(&host.asset));
    if let Some(id) = parts.id {
        out.insert("id".into(), json!(cut(id, 128)));
    }
    for (name, text) in [
        ("title", parts.title),
        ("description", parts.description),
        ("recommendation", parts.recommendation),
        ("severity", parts.severity.name()),
    ] {
        out.insert(name.into(), json!(cut(text, 20_000)));
    }
    out.insert("numericSeverity".into(), json!(parts.severity.numeric()));
    out.insert("confidence".into(), json!(10));
    out.insert("indicatorOfCompromise".into(), json!(false));
    out.insert("attributes".into(), Json::Array(parts.attributes));
    out.insert("userAttributes".into(), json!([]));
    out.insert("createdAt".into(), time.clone());
    out.insert("updatedAt".into(), time);
    Json::Object(out)
}

/// The complete Inspector finding.
pub fn finding(host: &HostReport, rule: &RuleInfo, finding: &Finding) -> Json {
    let attributes = finding.attributes.iter().take(MOST);
    let attributes = attributes.map(|(key, value)| attribute(key, value)).collect();
    object(
        host,
        Parts {
            rule: &rule.id,
            package: rule.package,
            id: Some(&finding.id),
            title: &finding.title,
            description: &finding.description,
            recommendation: &finding.recommendation,
            severity: finding.severity,
            attributes,
        },
    )
}

/// Where a finding was seen: assay's own form, since Inspector had none.
pub fn evidence(evidence: &Evidence) -> Json {
    let mut out = Map::new();
    out.insert("location".into(), json!(*evidence.location));
    if let Some(line) = evidence.line {
        out.insert("line".into(), json!(line));
    }
    out.insert("observed".into(), json!(*evidence.observed));
    out.insert("expected".into(), json!(*evidence.expected));
    Json::Object(out)
}

/// What Inspector said for a package that found nothing.
pub fn nothing_found(host: &HostReport, package: RulesPackage) -> Json {
    object(
        host,
        Parts {
            rule: package.short(),
            package,
            id: None,
            title: NOTHING_FOUND,
            description: "No potential security issues were found during this assessment.",
            recommendation: "No remediation needed.",
            severity: Severity::Informational,
            attributes: Vec::new(),
        },
    )
}

fn first(_: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{\"findings\":[")
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    let found = host
        .findings
        .iter()
        .filter_map(|found| Some(finding(host, emitter.rules.get(found.rule)?, found)));
    let clean = host.clean.iter().map(|package| nothing_found(host, *package));
    for (position, json) in found.chain(clean).enumerate() {
        let separator = if position == 0 { "" } else { ",\n" };
        write!(out, "{separator}")?;
        serde_json::to_writer(&mut *out, &json)?;
    }
    Ok(())
}

fn last(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n],\"failedItems\":{{}}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_host_keeps_to_the_limits_of_the_api() {
        let asset = Asset {
            hostname: "h".repeat(300).into(),
            ipv4_addresses: (0..60).map(|last| format!("10.0.0.{last}").into()).collect(),
            tags: [("k".repeat(200).into(), "".into())].into(),
            ..Asset::default()
        };
        let json = super::asset(&asset);
        assert_eq!(json["hostname"].as_str().unwrap().len(), 256);
        assert_eq!(json["ipv4Addresses"].as_array().unwrap().len(), 50);
        assert_eq!(json["tags"], json!([{ "key": "k".repeat(128) }]));
    }

    #[test]
    fn a_long_list_is_cut_between_its_items() {
        let packages: Vec<String> = (0..40).map(|number| format!("package-{number:02}")).collect();
        let short = attribute("package_name", &packages.join(","));
        let short = short["value"].as_str().unwrap();
        assert!(
            short.len() > 240 && short.len() <= 256 && short.ends_with("package-22"),
            "{short}"
        );
        let one = "é".repeat(300);
        assert_eq!(attribute("x", &one)["value"], "é".repeat(256));
        assert_eq!(attribute("x", "a,b")["value"], "a,b");
    }
}
