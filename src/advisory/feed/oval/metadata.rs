//! What a definition says of itself: which advisory, which CVEs, how severe, what is done about it.

use super::super::cve;
use super::super::time;
use super::super::xml::Element;
use crate::advisory::record::{Advisory, Score, Status, Vulnerability};

/// The words of one definition.
pub(super) struct Words<'a> {
    metadata: &'a Element,
    advisory: Option<&'a Element>,
    /// The vendor's id of the advisory, else the CVE.
    pub(super) id: String,
    pub(super) cves: Vec<String>,
}

impl<'a> Words<'a> {
    /// `None` where it names neither an advisory nor a CVE.
    pub(super) fn new(metadata: &'a Element, class: &str) -> Option<Self> {
        let advisory = metadata.child("advisory");
        let mut cves = cve::Ids::default();
        let of_cve = |reference: &&Element| {
            reference.attribute("source").to_ascii_uppercase().contains("CVE")
        };
        for reference in metadata.each("reference").filter(of_cve) {
            cves.add(reference.attribute("ref_id"));
        }
        advisory
            .iter()
            .flat_map(|advisory| advisory.each("cve"))
            .for_each(|cve| cves.add(&cve.text));
        if cves.is_empty() {
            cves.add(metadata.text_of("title"));
        }
        let cves = cves.into_vec();
        let named = metadata.each("reference").find(|reference| !of_cve(reference));
        let id = match named.map(|reference| reference.attribute("ref_id")) {
            Some(id) if class == "patch" && !id.is_empty() => id.to_owned(),
            _ => cves.first()?.clone(),
        };
        Some(Self { metadata, advisory, id, cves })
    }

    /// Whether it only mends bugs.
    pub(super) fn is_no_security(&self) -> bool {
        let kinds = ["RHBA", "RHEA", "ELBA", "ELEA"];
        self.cves.is_empty() && kinds.iter().any(|kind| self.id.starts_with(kind))
    }

    fn severity(&self) -> Option<String> {
        let word = match self.advisory.map(|advisory| advisory.text_of("severity")) {
            Some(word) if !word.is_empty() => word,
            _ => self.metadata.text_of("severity"),
        };
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The advisory, without its packages.
    pub(super) fn advisory(&self) -> Advisory {
        let date = |name: &str, place: &Element| match place.child(name) {
            Some(element) if element.text.is_empty() => time::parse(element.attribute("date")),
            Some(element) => time::parse(&element.text),
            None => None,
        };
        let published = self.advisory.and_then(|advisory| {
            date("issued", advisory).or_else(|| date("public_date", advisory))
        });
        let links = self.metadata.each("reference").map(|reference| reference.attribute("ref_url"));
        Advisory {
            id: self.id.clone(),
            cves: self.cves.clone(),
            severity: self.severity(),
            scores: Vec::new(),
            title: self.metadata.text_of("title").to_owned(),
            description: self.metadata.text_of("description").to_owned(),
            references: links.filter(|link| !link.is_empty()).map(str::to_owned).collect(),
            published: published.or_else(|| date("advisory_date", self.metadata)),
            affected: Vec::new(),
        }
    }

    /// The scores of each CVE, as this vendor gives them.
    pub(super) fn scores(&self, vendor: &str) -> Vec<Vulnerability> {
        let scored = |element: &Element| {
            let id = cve::all_in(&element.text).into_iter().next()?;
            let source = if element.text.ends_with(" at NVD") { "NVD" } else { vendor };
            let scores: Vec<Score> = ["cvss2", "cvss3", "cvss4"]
                .into_iter()
                .filter_map(|name| score(element.attribute(name), source))
                .chain(score_and_vector(element, source))
                .collect();
            (!scores.is_empty()).then(|| Vulnerability { id, scores, ..Vulnerability::default() })
        };
        self.advisory.iter().flat_map(|advisory| advisory.each("cve")).filter_map(scored).collect()
    }

    /// What Red Hat does about a package that has no fix: the states stand by component, and a
    /// package is often named otherwise than its component.
    pub(super) fn resolution(&self, package: &str) -> Option<Status> {
        let states: Vec<(&str, &Element)> = self
            .advisory?
            .child("affected")?
            .each("resolution")
            .map(|resolution| (resolution.attribute("state"), resolution))
            .collect();
        let of = |component: &Element| {
            component.text.rsplit('/').next().is_some_and(|name| name == package)
        };
        let state = match states.as_slice() {
            [(state, _)] => state,
            several => {
                let named = |resolution: &Element| resolution.each("component").any(of);
                &several.iter().find(|(_, resolution)| named(resolution))?.0
            }
        };
        Some(match *state {
            "Will not fix" | "Fix deferred" => Status::Deferred,
            "Out of support scope" => Status::EndOfLife,
            "Under investigation" => Status::Undetermined,
            "Not affected" => Status::NotAffected,
            _ => Status::Affected,
        })
    }
}

/// `7.5/CVSS:3.1/AV:N/...`; version 2 has no prefix.
fn score(text: &str, source: &str) -> Option<Score> {
    let (base, vector) = text.split_once('/')?;
    let base: f64 = base.parse().ok()?;
    of_vector(vector, base, source)
}

/// Ubuntu gives both apart.
fn score_and_vector(element: &Element, source: &str) -> Option<Score> {
    let base: f64 = element.attribute("cvss_score").parse().ok()?;
    of_vector(element.attribute("cvss_vector"), base, source)
}

fn of_vector(vector: &str, base: f64, source: &str) -> Option<Score> {
    let version = match vector.strip_prefix("CVSS:") {
        Some(rest) => rest.split('/').next().unwrap_or_default(),
        None => "2.0",
    };
    let sound = matches!(version, "2.0" | "3.0" | "3.1" | "4.0") && (0.0..=10.0).contains(&base);
    sound.then(|| Score {
        version: version.to_owned(),
        base: Some(base),
        vector: vector.to_owned(),
        source: source.to_owned(),
    })
}
