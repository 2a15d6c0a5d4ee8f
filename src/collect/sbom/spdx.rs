//! SPDX 2.2 and 2.3 JSON. Format: <https://spdx.github.io/spdx-spec/v2.3/>.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::system::System;
use super::{Bill, Component};
use crate::model::purl::Purl;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: Option<String>,
    creation_info: Option<CreationInfo>,
    #[serde(default)]
    document_describes: Vec<String>,
    #[serde(default)]
    packages: Vec<Part>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct CreationInfo {
    created: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version_info: String,
    source_info: Option<String>,
    #[serde(default)]
    primary_package_purpose: String,
    #[serde(default)]
    external_refs: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    #[serde(default)]
    relationship_type: String,
    #[serde(default)]
    related_spdx_element: String,
}

impl Part {
    /// What the package is; older Trivys say it in its id alone.
    fn purpose(&self) -> &str {
        match self.primary_package_purpose.as_str() {
            "" if self.id.starts_with("SPDXRef-OperatingSystem-") => "OPERATING-SYSTEM",
            "" if self.id.starts_with("SPDXRef-Application-") => "APPLICATION",
            purpose => purpose,
        }
    }
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Bill, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut bill = Bill {
        subject: written.name,
        created: written.creation_info.and_then(|info| info.created),
        ..Bill::default()
    };
    // What the document is of is no package of it.
    let mut subjects: BTreeSet<String> = written.document_describes.into_iter().collect();
    for relationship in written.relationships {
        if relationship.relationship_type == "DESCRIBES" {
            subjects.insert(relationship.related_spdx_element);
        }
    }
    for part in written.packages {
        let purpose = part.purpose();
        if purpose == "OPERATING-SYSTEM" {
            let found = System::new(&part.name, &part.version_info, None);
            bill.system.get_or_insert(found);
            continue;
        }
        let purls =
            part.external_refs.iter().filter(|reference| reference.reference_type == "purl");
        let purl = purls.filter_map(|reference| Purl::parse(&reference.reference_locator)).next();
        match purl {
            Some(purl) => bill.add(Component {
                source: part.source_info.as_deref().and_then(source),
                module: None,
                path: None,
                purl,
            })?,
            None if subjects.contains(&part.id) => {}
            None if matches!(purpose, "" | "LIBRARY") => bill.unnamed += 1,
            None => {}
        }
    }
    Ok(bill)
}

/// Trivy's `built package from: glibc 2.36-9+deb12u3`.
pub(super) fn source(info: &str) -> Option<(String, Option<String>)> {
    let mut words = info.strip_prefix("built package from: ")?.split_whitespace();
    let name = words.next()?;
    Some((name.to_owned(), words.next().map(str::to_owned)))
}
