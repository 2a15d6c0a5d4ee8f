//! A document as it is written, as far as it is read.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) document: About,
    #[serde(default)]
    pub(super) product_tree: Tree,
    #[serde(default)]
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
pub(super) struct About {
    pub(super) csaf_version: String,
    pub(super) title: Option<String>,
    pub(super) publisher: Option<Publisher>,
    pub(super) tracking: Tracking,
    pub(super) aggregate_severity: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct Publisher {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Tracking {
    pub(super) id: String,
    pub(super) initial_release_date: Option<String>,
    pub(super) current_release_date: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Text {
    pub(super) text: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Tree {
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
    #[serde(default)]
    pub(super) full_product_names: Vec<Product>,
    #[serde(default)]
    pub(super) relationships: Vec<Relationship>,
    #[serde(default)]
    pub(super) product_groups: Vec<Group>,
}

#[derive(Deserialize)]
pub(super) struct Branch {
    pub(super) product: Option<Product>,
    #[serde(default)]
    pub(super) branches: Vec<Branch>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) product_id: String,
    #[serde(default)]
    pub(super) product_identification_helper: Helper,
}

#[derive(Default, Deserialize)]
pub(super) struct Helper {
    pub(super) purl: Option<String>,
    pub(super) cpe: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Relationship {
    pub(super) full_product_name: Product,
    pub(super) product_reference: String,
    pub(super) relates_to_product_reference: String,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) group_id: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability {
    pub(super) cve: Option<String>,
    #[serde(default)]
    pub(super) ids: Vec<Text>,
    pub(super) title: Option<String>,
    pub(super) release_date: Option<String>,
    #[serde(default)]
    pub(super) notes: Vec<Note>,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
    #[serde(default)]
    pub(super) scores: Vec<Scores>,
    #[serde(default)]
    pub(super) product_status: Statuses,
    #[serde(default)]
    pub(super) flags: Vec<Flag>,
    #[serde(default)]
    pub(super) threats: Vec<Remark>,
    #[serde(default)]
    pub(super) remediations: Vec<Remark>,
}

#[derive(Deserialize)]
pub(super) struct Note {
    pub(super) category: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) url: String,
}

#[derive(Deserialize)]
pub(super) struct Scores {
    pub(super) cvss_v2: Option<Cvss>,
    pub(super) cvss_v3: Option<Cvss>,
    pub(super) cvss_v4: Option<Cvss>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cvss {
    pub(super) version: String,
    pub(super) vector_string: String,
    pub(super) base_score: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Statuses {
    pub(super) fixed: Vec<String>,
    pub(super) first_fixed: Vec<String>,
    pub(super) recommended: Vec<String>,
    pub(super) known_affected: Vec<String>,
    pub(super) first_affected: Vec<String>,
    pub(super) last_affected: Vec<String>,
    pub(super) known_not_affected: Vec<String>,
    pub(super) under_investigation: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Flag {
    pub(super) label: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    #[serde(default)]
    pub(super) group_ids: Vec<String>,
}

/// A threat or a remediation.
#[derive(Deserialize)]
pub(super) struct Remark {
    pub(super) category: String,
    #[serde(default)]
    pub(super) details: String,
    #[serde(default)]
    pub(super) product_ids: Vec<String>,
    #[serde(default)]
    pub(super) group_ids: Vec<String>,
}
