//! CycloneDX 1.6 JSON: hosts are components, findings are vulnerabilities that affect them. A package
//! that a finding names is a component within its host.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::document::{Document, Place, Topic};
use super::time;
use crate::model::finding::{RulesPackage, Severity};

/// How evidence names a package.
const PACKAGE: &str = "package ";

pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let mut packages: Vec<BTreeMap<String, String>> = vec![BTreeMap::new(); document.hosts.len()];
    let vulnerabilities: Json = document
        .topics
        .iter()
        .enumerate()
        .map(|(number, (topic, places))| {
            vulnerability(document, number, topic, places, &mut packages)
        })
        .collect();
    let components: Json = document
        .hosts
        .iter()
        .zip(packages)
        .enumerate()
        .map(|(at, (host, packages))| {
            let inside: Vec<Json> = packages
                .into_iter()
                .map(|(name, version)| {
                    json!({
                        "type": "library",
                        "bom-ref": package_ref(at, &name),
                        "name": name,
                        "version": version,
                    })
                })
                .collect();
            let mut component = json!({
                "type": "device",
                "bom-ref": host_ref(at),
                "name": *host.asset.hostname,
                "properties": [
                    { "name": "assay:agent", "value": *host.asset.agent_id },
                    { "name": "assay:snapshot", "value": *host.snapshot },
                    { "name": "assay:os", "value": *host.asset.os },
                ],
            });
            if !inside.is_empty() {
                component["components"] = Json::Array(inside);
            }
            component
        })
        .collect();
    let mut metadata = Map::new();
    if let Some((_, last)) = document.collected() {
        metadata.insert("timestamp".into(), json!(time::rfc3339(last)));
    }
    let tool = json!({ "type": "application", "name": "assay", "version": document.version });
    metadata.insert("tools".into(), json!({ "components": [tool] }));
    if !document.refused.is_empty() {
        let refused = document.refused.iter().map(|refusal| {
            let text = format!("{}: {}", refusal.snapshot, refusal.reason);
            json!({ "name": "assay:not-judged", "value": text })
        });
        metadata.insert("properties".into(), refused.collect());
    }
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "vulnerabilities": vulnerabilities,
    });
    serde_json::to_writer_pretty(&mut *out, &bom)?;
    writeln!(out)
}

fn host_ref(host: usize) -> String {
    format!("host-{host}")
}

fn package_ref(host: usize, package: &str) -> String {
    format!("host-{host}/package/{package}")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational => "info",
        Severity::Undefined => "unknown",
    }
}

fn vulnerability(
    document: &Document,
    number: usize,
    topic: &Topic,
    places: &[Place],
    packages: &mut [BTreeMap<String, String>],
) -> Json {
    let rule = document.rules.get(topic.rule);
    let mut affects = Vec::new();
    let mut properties = vec![json!({ "name": "assay:package", "value": topic.package.short() })];
    if let Some(rule) = rule {
        properties.push(json!({ "name": "assay:rule", "value": *rule.id }));
    }
    for place in places {
        affects.push(json!({ "ref": host_ref(place.host) }));
        let status = place.status.name();
        let name = format!("assay:status:{}", host_ref(place.host));
        properties.push(json!({ "name": name, "value": status }));
        for evidence in &place.evidence {
            let value =
                format!("{evidence}: found {}; required: {}", evidence.observed, evidence.expected);
            let name = format!("assay:evidence:{}", host_ref(place.host));
            properties.push(json!({ "name": name, "value": value }));
            let package = evidence.location.strip_prefix(PACKAGE);
            let vulnerable = topic.package == RulesPackage::CommonVulnerabilities;
            let (Some(package), true) = (package, vulnerable) else { continue };
            if let Some(packages) = packages.get_mut(place.host) {
                packages.insert(package.to_owned(), evidence.observed.to_string());
            }
            affects.push(json!({ "ref": package_ref(place.host, package) }));
        }
    }
    affects.dedup();
    let is_cve = topic.id.starts_with("CVE-");
    let cve = places
        .iter()
        .flat_map(|place| &place.attributes)
        .find(|(key, value)| &**key == "CVE_ID" && value.starts_with("CVE-"));
    let id = match (cve, rule) {
        (Some((_, id)), _) => id,
        (None, Some(rule)) if !is_cve => &rule.id,
        _ => &topic.id,
    };
    let mut out = json!({
        "bom-ref": format!("finding-{number}"),
        "id": **id,
        "ratings": [{ "severity": severity(topic.severity.0), "method": "other" }],
        "description": *topic.description,
        "detail": document.name(topic),
        "recommendation": *topic.recommendation,
        "affects": affects,
        "properties": properties,
    });
    let links: Vec<Json> = rule
        .into_iter()
        .flat_map(|rule| &rule.references)
        .map(|link| json!({ "url": **link }))
        .collect();
    if !links.is_empty() {
        out["advisories"] = Json::Array(links);
    }
    out
}
