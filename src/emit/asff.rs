//! Amazon Security Finding Format (`2018-10-08`), as an array for `BatchImportFindings`.
//!
//! Account and region are those that the host's cloud told it (cloud-init, DMI). Where none did, the
//! ARNs carry `000000000000` and `us-east-1`, as those of the Inspector format do; who imports puts in
//! their own. Texts are cut to the lengths that the service takes.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{Emitter, Pieces, inspector, time};
use crate::model::finding::{Asset, Finding, HostReport, RuleInfo, RulesPackage, Severity, Status};

pub(super) const PIECES: Pieces =
    Pieces { first, host, all: |_, _, _| Ok(()), last, separator: ",\n" };

/// Where nobody says.
const ACCOUNT: &str = "000000000000";
/// Where nobody says.
const REGION: &str = "us-east-1";
/// Pieces of evidence in one finding's fields; it takes 50 fields in all.
const PLACES: usize = 20;

fn first(_: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "[")
}

fn last(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n]")
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    for (position, found) in host.findings.iter().enumerate() {
        let Some(rule) = emitter.rules.get(found.rule) else { continue };
        let separator = if position == 0 { "" } else { ",\n" };
        write!(out, "{separator}{}", finding(emitter, host, rule, found))?;
    }
    Ok(())
}

/// The first characters of a text; what is cut off ends in dots.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "HIGH",
        Severity::Medium => "MEDIUM",
        Severity::Low => "LOW",
        Severity::Informational | Severity::Undefined => "INFORMATIONAL",
    }
}

/// The service's taxonomy, as Inspector's own findings used it.
fn kind(package: RulesPackage) -> &'static str {
    match package {
        RulesPackage::CommonVulnerabilities => {
            "Software and Configuration Checks/Vulnerabilities/CVE"
        }
        RulesPackage::Cis => {
            "Software and Configuration Checks/Industry and Regulatory Standards/CIS Host Hardening \
             Benchmarks"
        }
        RulesPackage::SecurityBestPractices => {
            "Software and Configuration Checks/AWS Security Best Practices"
        }
        RulesPackage::RuntimeBehavior => {
            "Software and Configuration Checks/AWS Security Best Practices/Runtime Behavior Analysis"
        }
    }
}

/// Where a host runs.
struct Place<'a> {
    partition: &'static str,
    region: &'a str,
    account: &'a str,
}

fn place(asset: &Asset) -> Place<'_> {
    let region = asset.region.as_deref().filter(|region| {
        (1..=32).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    let account = asset
        .account
        .as_deref()
        .filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    let region = region.unwrap_or(REGION);
    let partition = match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    Place { partition, region, account: account.unwrap_or(ACCOUNT) }
}

fn resource(host: &HostReport, place: &Place<'_>) -> Json {
    let Place { partition, region, account } = place;
    let asset = &host.asset;
    let tags: Map<String, Json> =
        asset.tags.iter().map(|(key, value)| (key.to_string(), json!(**value))).collect();
    let mut out = if asset.agent_id.starts_with("i-") {
        let arn = format!("arn:{partition}:ec2:{region}:{account}:instance/{}", asset.agent_id);
        let mut details = Map::new();
        if let Some(image) = &asset.ami_id {
            details.insert("ImageId".into(), json!(**image));
        }
        if !asset.ipv4_addresses.is_empty() {
            let addresses = asset.ipv4_addresses.iter().map(|address| json!(**address));
            details.insert("IpV4Addresses".into(), addresses.collect());
        }
        json!({ "Type": "AwsEc2Instance", "Id": arn, "Details": { "AwsEc2Instance": details } })
    } else {
        json!({ "Type": "Other", "Id": *asset.agent_id, "Details": { "Other": {
            "hostname": cut(&asset.hostname, 1024),
            "os": cut(&asset.os, 1024),
        } } })
    };
    if !tags.is_empty() {
        out["Tags"] = Json::Object(tags);
    }
    out["Partition"] = json!(partition);
    out["Region"] = json!(region);
    out
}

fn fields(host: &HostReport, rule: &RuleInfo, found: &Finding) -> Json {
    let mut fields = Map::new();
    fields.insert("assay/package".into(), json!(rule.package.short()));
    fields.insert("assay/snapshot".into(), json!(cut(&host.snapshot, 2048)));
    for (key, value) in found.attributes.iter().take(49 - 2 - PLACES) {
        fields.insert(cut(key, 128), json!(cut(value, 2048)));
    }
    for (number, evidence) in found.evidence.iter().take(PLACES).enumerate() {
        let (observed, expected) = (&evidence.observed, &evidence.expected);
        let text = format!("{evidence}: found {observed}; required: {expected}");
        fields.insert(format!("assay/evidence/{}", number + 1), json!(cut(&text, 2048)));
    }
    if found.evidence.len() > PLACES {
        let more = found.evidence.len() - PLACES;
        fields.insert("assay/evidence/more".into(), json!(more.to_string()));
    }
    Json::Object(fields)
}

fn finding(emitter: &Emitter, host: &HostReport, rule: &RuleInfo, found: &Finding) -> Json {
    let at = time::rfc3339(host.collected_at);
    let place = place(&host.asset);
    let Place { partition, region, account } = place;
    let mut recommendation = Map::new();
    recommendation.insert("Text".into(), json!(cut(&found.recommendation, 512)));
    if let Some(link) = rule.references.first().filter(|link| link.starts_with("https://")) {
        recommendation.insert("Url".into(), json!(**link));
    }
    let workflow = match found.status {
        Status::Open => "NEW",
        Status::Known => "NOTIFIED",
        Status::Waived => "SUPPRESSED",
    };
    let mut out = json!({
        "SchemaVersion": "2018-10-08",
        "Id": inspector::finding_arn(host, &rule.id, &found.id),
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "ProductName": "assay",
        "CompanyName": "assay",
        "GeneratorId": cut(&rule.id, 512),
        "AwsAccountId": account,
        "Types": [kind(rule.package)],
        "CreatedAt": at,
        "UpdatedAt": at,
        "Severity": { "Label": label(found.severity), "Original": found.severity.name() },
        "Title": cut(&found.title, 256),
        "Description": cut(if found.description.is_empty() { &found.title } else { &found.description }, 1024),
        "Remediation": { "Recommendation": recommendation },
        "ProductFields": fields(host, rule, found),
        "Resources": [resource(host, &place)],
        "Workflow": { "Status": workflow },
        "RecordState": "ACTIVE",
        "Compliance": { "Status": "FAILED" },
        "GeneratorDetails": { "Name": format!("assay {}", emitter.version) },
    });
    if rule.package == RulesPackage::CommonVulnerabilities {
        let cve = found.attributes.iter().find(|(key, _)| &**key == "CVE_ID");
        let id = cve.map_or(&found.id, |(_, id)| id);
        out["Vulnerabilities"] = json!([{ "Id": **id }]);
    }
    out
}
