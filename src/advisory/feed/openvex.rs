//! OpenVEX: statements on whether products are affected by a vulnerability.
//!
//! Format: <https://github.com/openvex/spec>. `not_affected` and `fixed` become exceptions, which
//! silence matches; `affected` and `under_investigation` give no version that could be matched.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::FeedError;
use super::output::Output;
use super::source::Document;
use super::time;
use crate::advisory::record::Exception;

/// Types of package URLs that name something around packages: images, repositories.
const WITHIN: [&str; 6] =
    ["pkg:oci/", "pkg:docker/", "pkg:generic/", "pkg:github/", "pkg:bitbucket/", "pkg:gitlab/"];

/// Whether a package URL names something around packages.
pub(super) fn is_within(purl: &str) -> bool {
    WITHIN.iter().any(|kind| purl.starts_with(kind))
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "@context")]
    context: String,
    author: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    #[serde(default)]
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    #[serde(default)]
    products: Vec<Product>,
    status: String,
    justification: Option<String>,
    impact_statement: Option<String>,
}

/// A name alone up to version 0.0.1 of the format.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Object {
        name: Option<String>,
        #[serde(rename = "@id")]
        id: Option<String>,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Id(String),
    Object(Component),
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id")]
    id: Option<String>,
    identifiers: Option<Identifiers>,
    #[serde(default)]
    subcomponents: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Identifiers {
    purl: Option<String>,
}

/// Reads one document.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let written: Written = serde_json::from_reader(&mut document.reader)?;
    if !written.context.contains("openvex") {
        return Err(FeedError::malformed(format!("{:?} is not OpenVEX", written.context)));
    }
    let times = [&written.timestamp, &written.last_updated];
    for time in times.into_iter().flatten() {
        out.made_at(time::parse(time));
    }
    let author = written.author.unwrap_or_default();
    for statement in written.statements {
        statement.take(&author, out)?;
    }
    Ok(())
}

impl Statement {
    fn take(self, author: &str, out: &mut Output<'_>) -> Result<(), FeedError> {
        let reason = match self.status.as_str() {
            "not_affected" => self.justification.or(self.impact_statement),
            "fixed" => Some("fixed".to_owned()),
            "affected" | "under_investigation" => {
                out.skip(&format!("a statement of status {}", self.status));
                return Ok(());
            }
            other => return Err(FeedError::malformed(format!("the status {other:?}"))),
        };
        let Some(reason) = reason else {
            out.skip("a statement that something is not affected, without a reason");
            return Ok(());
        };
        let mut products = Vec::new();
        for product in self.products {
            match product.purl() {
                Some(purl) => products.push(purl),
                None => out.leave_out("a product that is no package of a host"),
            }
        }
        if products.is_empty() {
            out.skip("a statement about products that are no packages of a host");
            return Ok(());
        }
        let ids = self.vulnerability.ids();
        if ids.is_empty() {
            out.skip("a statement about a vulnerability without an id");
            return Ok(());
        }
        let exception = |id| Exception {
            id,
            products: products.clone(),
            reason: reason.clone(),
            author: author.to_owned(),
        };
        out.exceptions(ids.into_iter().map(exception).collect());
        Ok(())
    }
}

impl Vulnerability {
    /// The CVEs; other names where there is none.
    fn ids(self) -> Vec<String> {
        let mut names = match self {
            Self::Name(name) => vec![name],
            Self::Object { name, id, aliases } => {
                name.into_iter().chain(aliases).chain(id).collect()
            }
        };
        let mut cves = super::cve::Ids::default();
        cves.add_all(Some(&names));
        if cves.is_empty() {
            names.truncate(1);
            return names;
        }
        cves.into_vec()
    }
}

impl Product {
    /// The package URL; `None` where there is none that a host's package could have. A statement
    /// about a component within a product is about that product alone, so it must not silence the
    /// component everywhere.
    fn purl(self) -> Option<String> {
        let (id, parts) = match self {
            Self::Id(id) => (Some(id), false),
            Self::Object(component) => {
                let parts = !component.subcomponents.is_empty();
                (component.identifiers.and_then(|ids| ids.purl).or(component.id), parts)
            }
        };
        id.filter(|id| id.starts_with("pkg:") && !(parts && is_within(id)))
    }
}
