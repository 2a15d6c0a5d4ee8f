//! SPDX 3.0 JSON: a graph of elements. Format: <https://spdx.github.io/spdx-spec/v3.0.1/>, the
//! profiles core and software. The library spdx-tools names the same members as JSON-LD does.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::spdx::source;
use super::system::System;
use super::{Bill, Component};
use crate::model::purl::Purl;

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "@graph", default)]
    graph: Vec<Element>,
}

/// Any element; which members it has depends on its type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type", alias = "@type", default)]
    kind: String,
    #[serde(alias = "@id")]
    spdx_id: Option<String>,
    name: Option<String>,
    /// Of how the document was made.
    created: Option<String>,
    /// Ids of elements, or elements that stand within this one.
    #[serde(default)]
    root_element: Vec<serde_json::Value>,
    relationship_type: Option<String>,
    completeness: Option<String>,
    #[serde(rename = "software_packageVersion", alias = "packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl", alias = "packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose", alias = "primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "software_sourceInfo", alias = "sourceInfo")]
    source_info: Option<String>,
    #[serde(default)]
    external_identifier: Vec<Identifier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier {
    #[serde(default)]
    external_identifier_type: String,
    #[serde(default)]
    identifier: String,
}

impl Element {
    fn purl(&self) -> Option<Purl> {
        let others = self.external_identifier.iter();
        let others = others.filter(|one| one.external_identifier_type == "packageUrl");
        let written = self.purl.iter().chain(others.map(|one| &one.identifier));
        written.filter_map(|text| Purl::parse(text)).next()
    }
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Bill, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut bill = Bill::default();
    // What the document is of is no package of it.
    let mut subjects: BTreeSet<&str> = BTreeSet::new();
    for element in &written.graph {
        match element.kind.as_str() {
            "SpdxDocument" => bill.subject = bill.subject.take().or_else(|| element.name.clone()),
            "CreationInfo" => {
                bill.created = bill.created.take().or_else(|| element.created.clone());
            }
            "Relationship" => {
                let contains = matches!(
                    element.relationship_type.as_deref(),
                    Some("contains" | "dependsOn" | "describes" | "hasDistributionArtifact")
                );
                if contains && element.completeness.as_deref() == Some("incomplete") {
                    bill.incomplete = Some("it says that it is incomplete".to_owned());
                }
            }
            _ => {}
        }
        subjects.extend(element.root_element.iter().filter_map(serde_json::Value::as_str));
    }
    let is_package =
        |element: &&Element| matches!(element.kind.as_str(), "software_Package" | "Package");
    for element in written.graph.iter().filter(is_package) {
        let purpose = element.purpose.as_deref().unwrap_or_default();
        let (name, version) = (element.name.as_deref(), element.version.as_deref());
        if purpose == "operatingSystem" {
            let found = System::new(name.unwrap_or_default(), version.unwrap_or_default(), None);
            bill.system.get_or_insert(found);
            continue;
        }
        let is_subject = element.spdx_id.as_deref().is_some_and(|id| subjects.contains(id));
        match element.purl() {
            Some(purl) => bill.add(Component {
                source: element.source_info.as_deref().and_then(source),
                module: None,
                path: None,
                purl,
            })?,
            None if is_subject => {}
            None if matches!(purpose, "" | "library" | "install") => bill.unnamed += 1,
            None => {}
        }
    }
    Ok(bill)
}
