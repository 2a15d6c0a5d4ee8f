//! CycloneDX JSON. Format: <https://cyclonedx.org/specification/overview/>; the properties are those
//! of Syft and Trivy.

use serde::Deserialize;

use super::system::System;
use super::{Bill, Component};
use crate::model::purl::Purl;

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Part>,
    #[serde(default)]
    compositions: Vec<Composition>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    component: Option<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    description: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    components: Vec<Part>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Composition {
    #[serde(default)]
    aggregate: String,
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Bill, String> {
    let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut bill = Bill { created: written.metadata.timestamp, ..Bill::default() };
    let incomplete =
        written.compositions.iter().find(|one| one.aggregate.starts_with("incomplete"));
    bill.incomplete = incomplete.map(|one| format!("it says that it is {}", one.aggregate));
    if let Some(subject) = written.metadata.component {
        bill.subject = Some(subject.name.clone());
        // The subject may itself hold components, and be an operating system.
        if subject.kind == "operating-system" {
            bill.system = Some(system(&subject));
        }
        take_all(subject.components, &mut bill)?;
    }
    take_all(written.components, &mut bill)?;
    Ok(bill)
}

fn take_all(parts: Vec<Part>, bill: &mut Bill) -> Result<(), String> {
    for part in parts {
        match part.kind.as_str() {
            "operating-system" => {
                let found = system(&part);
                bill.system.get_or_insert(found);
            }
            _ => take(&part, bill)?,
        }
        take_all(part.components, bill)?;
    }
    Ok(())
}

fn take(part: &Part, bill: &mut Bill) -> Result<(), String> {
    let Some(purl) = part.purl.as_deref().and_then(Purl::parse) else {
        if part.kind == "library" {
            bill.unnamed += 1;
        }
        return Ok(());
    };
    let property = |name: &str| {
        let found = part.properties.iter().find(|property| {
            let known = property.name.rsplit(':').next().unwrap_or_default();
            known.eq_ignore_ascii_case(name)
        });
        found.map(|property| property.value.as_str()).filter(|value| !value.is_empty())
    };
    let source = property("SrcName").map(|name| (name.to_owned(), source_version(&property)));
    bill.add(Component {
        source,
        module: property("modularityLabel").map(str::to_owned),
        path: path(part),
        purl,
    })
}

/// Trivy gives the parts of a source version apart.
fn source_version<'a>(property: &impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut version = property("SrcVersion")?.to_owned();
    if let Some(release) = property("SrcRelease") {
        version = format!("{version}-{release}");
    }
    match property("SrcEpoch") {
        Some(epoch) if epoch != "0" => Some(format!("{epoch}:{version}")),
        _ => Some(version),
    }
}

/// Where Syft or Trivy found it.
fn path(part: &Part) -> Option<String> {
    const NAMES: [&str; 3] =
        ["syft:location:0:path", "aquasecurity:trivy:FilePath", "aquasecurity:trivy:PkgPath"];
    let found = part.properties.iter().find(|property| NAMES.contains(&property.name.as_str()))?;
    let path = found.value.trim_start_matches('/');
    (!path.is_empty()).then(|| format!("/{path}"))
}

fn system(part: &Part) -> System {
    let property = |ending: &str| {
        let found = part.properties.iter().find(|property| property.name.ends_with(ending));
        found.map(|property| property.value.as_str()).filter(|value| !value.is_empty())
    };
    let name = property(":distro:prettyName").or(part.description.as_deref());
    System::new(
        property(":distro:id").unwrap_or(&part.name),
        property(":distro:versionID").unwrap_or(&part.version),
        name,
    )
}
