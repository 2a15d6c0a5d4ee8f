//! NVD JSON 2.0: what is known of each CVE. Scores, texts and links are taken; which products are
//! affected is for the distributions to say.
//!
//! Format: <https://nvd.nist.gov/developers/vulnerabilities>, the same in the yearly files.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::FeedError;
use super::json::{self, Each};
use super::map::Pairs;
use super::output::Output;
use super::source::Document;
use super::{cve, time};
use crate::advisory::record::{Score, Vulnerability};

#[derive(Deserialize)]
struct Item {
    cve: Cve,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    vuln_status: Option<String>,
    #[serde(default)]
    descriptions: Vec<Description>,
    #[serde(default)]
    metrics: Pairs<Vec<Metric>>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Description {
    lang: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    source: Option<String>,
    cvss_data: Option<CvssData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CvssData {
    version: Option<String>,
    vector_string: Option<String>,
    base_score: Option<f64>,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

/// What the file says of itself.
#[derive(Default)]
struct Heading {
    results: Option<u64>,
    total: Option<u64>,
    timestamp: Option<String>,
}

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let budget = std::rc::Rc::clone(&document.budget);
    let mut found = 0;
    let mut take = |item: Item| {
        budget.entry();
        found += 1;
        item.cve.take(out)
    };
    let mut failed = None;
    let mut heading = Heading::default();
    let mut json = serde_json::Deserializer::from_reader(&mut document.reader);
    let file = File { take: &mut take, failed: &mut failed, heading: &mut heading };
    let result = file.deserialize(&mut json).and_then(|()| json.end());
    json::outcome(result, failed)?;
    let promised = heading.results.or(heading.total).unwrap_or(found);
    if promised != found {
        let problem = format!("it says it has {promised} vulnerabilities and has {found}");
        return Err(FeedError::Inconsistent(problem));
    }
    for _ in found..heading.total.unwrap_or(found) {
        out.leave_out("a vulnerability on another page of the answer");
    }
    out.made_at(heading.timestamp.as_deref().and_then(time::parse));
    Ok(())
}

/// The outermost object.
struct File<'a, 'b> {
    take: &'a mut json::Take<'b, Item>,
    failed: &'a mut Option<FeedError>,
    heading: &'a mut Heading,
}

impl<'de> DeserializeSeed<'de> for File<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an NVD answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "resultsPerPage" => self.heading.results = Some(members.next_value()?),
                "totalResults" => self.heading.total = Some(members.next_value()?),
                "timestamp" => self.heading.timestamp = members.next_value()?,
                "vulnerabilities" => {
                    members.next_value_seed(Each::new(&mut *self.take, &mut *self.failed))?;
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl Cve {
    fn take(self, out: &mut Output<'_>) -> Result<(), FeedError> {
        if !cve::is_id(&self.id) {
            return Err(FeedError::malformed(format!("{:?} is no CVE", self.id)));
        }
        if self.vuln_status.as_deref() == Some("Rejected") {
            out.skip("rejected");
            return Ok(());
        }
        let english = self.descriptions.into_iter().find(|text| text.lang == "en");
        let mut scores = Vec::new();
        for metric in self.metrics.0.into_iter().flat_map(|(_, metrics)| metrics) {
            let Some(CvssData { version, vector_string, base_score }) = metric.cvss_data else {
                continue;
            };
            let (Some(version), Some(vector)) = (version, vector_string) else {
                out.leave_out("a score without version or vector");
                continue;
            };
            let source = metric.source.unwrap_or_default();
            scores.push(Score { version, base: base_score, vector, source });
        }
        out.vulnerability(Vulnerability {
            id: self.id,
            scores,
            description: english.map(|text| text.value),
            references: self.references.into_iter().map(|link| link.url).collect(),
            ..Vulnerability::default()
        });
        Ok(())
    }
}
