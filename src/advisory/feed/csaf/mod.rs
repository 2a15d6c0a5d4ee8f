//! CSAF 2.0: what a vendor says about one advisory or one CVE and each of its products. Red Hat and
//! SUSE publish all that they know so, the products that are not affected with the reason.
//!
//! Format: <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>. A product counts where it
//! is a package of a release that is known; a statement that something else is not affected is kept
//! by its package URL.

mod products;
mod written;

use std::collections::{BTreeMap, HashMap};

use super::error::FeedError;
use super::openvex::is_within;
use super::output::Output;
use super::source::Document;
use super::{Record, cve, platform, time};
use crate::advisory::record::{
    Advisory, Affected, End, Exception, Naming, Range, Score, Status, Vulnerability,
};
use products::{Component, Products};
use written::{About, Cvss, Scores, Written};

/// A threat's details that are longer are no word for a severity.
const MAX_SEVERITY: usize = 32;

/// Reads one document.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let written: Written = serde_json::from_reader(&mut document.reader)?;
    let about = written.document;
    if !about.csaf_version.starts_with("2.") {
        return Err(FeedError::malformed(format!("version {:?} of CSAF", about.csaf_version)));
    }
    out.made_at(about.tracking.current_release_date.as_deref().and_then(time::parse));
    let products = Products::new(written.product_tree);
    for vulnerability in &written.vulnerabilities {
        take(vulnerability, &about, &products, out)?;
    }
    Ok(())
}

/// What a list of products says of each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Fixed,
    Affected,
    FirstAffected,
    LastAffected,
    NotAffected,
    Undetermined,
}

fn take(
    written: &written::Vulnerability,
    about: &About,
    products: &Products,
    out: &mut Output<'_>,
) -> Result<(), FeedError> {
    let id = match &written.cve {
        Some(id) if cve::is_id(id) => Some(id),
        _ => written.ids.first().map(|id| &id.text),
    };
    let Some(id) = id else {
        out.skip("a vulnerability without an id");
        return Ok(());
    };
    let mut found = Found::default();
    let plans = plans(written, products);
    let reasons = reasons(written, products);
    let lists = &written.product_status;
    for (list, says) in [
        (&lists.fixed, Says::Fixed),
        (&lists.first_fixed, Says::Fixed),
        (&lists.recommended, Says::Fixed),
        (&lists.known_affected, Says::Affected),
        (&lists.first_affected, Says::FirstAffected),
        (&lists.last_affected, Says::LastAffected),
        (&lists.known_not_affected, Says::NotAffected),
        (&lists.under_investigation, Says::Undetermined),
    ] {
        for product in list {
            let component = products.component(product)?;
            let plan = plans.get(product.as_str()).copied();
            let reason = reasons.get(product.as_str()).copied().unwrap_or("not affected");
            if let Err(left_out) = found.add(component, says, plan, reason) {
                out.leave_out(left_out);
            }
        }
    }
    found.write(id, written, about, out);
    Ok(())
}

/// Which products the vendor will not mend, or not soon.
fn plans<'a>(
    written: &'a written::Vulnerability,
    products: &'a Products,
) -> HashMap<&'a str, Status> {
    let mut plans = HashMap::new();
    for remark in &written.remediations {
        let status = match remark.category.as_str() {
            "no_fix_planned" if remark.details.contains("Out of support") => Status::EndOfLife,
            "no_fix_planned" => Status::Deferred,
            "none_available" if remark.details.contains("deferred") => Status::Deferred,
            _ => continue,
        };
        let ids = products.all(&remark.product_ids, &remark.group_ids);
        plans.extend(ids.map(|id| (id, status)));
    }
    plans
}

/// Why products are not affected.
fn reasons<'a>(
    written: &'a written::Vulnerability,
    products: &'a Products,
) -> HashMap<&'a str, &'a str> {
    let mut reasons = HashMap::new();
    for flag in &written.flags {
        let ids = products.all(&flag.product_ids, &flag.group_ids);
        reasons.extend(ids.map(|id| (id, flag.label.as_str())));
    }
    reasons
}

/// What a vulnerability comes to.
#[derive(Default)]
struct Found {
    affected: Vec<Affected>,
    /// By reason.
    unaffected: BTreeMap<String, Vec<Affected>>,
    /// Package URLs of what is no package of a release, by reason.
    exceptions: BTreeMap<String, Vec<String>>,
}

impl Found {
    /// Adds one product, or says why it is left out.
    fn add(
        &mut self,
        component: Component,
        says: Says,
        plan: Option<Status>,
        reason: &str,
    ) -> Result<(), &'static str> {
        let Component { ecosystem, package, module } = component;
        let package = package.ok_or("a product that is no package")?;
        let Some(ecosystem) = ecosystem else {
            let purl = package.purl.filter(|purl| says == Says::NotAffected && !is_within(purl));
            let purl = purl.ok_or("a package of no release that is known")?;
            self.exceptions.entry(reason.to_owned()).or_default().push(purl);
            return Ok(());
        };
        let source = matches!(package.arch.as_deref(), Some("src" | "nosrc" | "source"));
        let versioned = !package.version.is_empty();
        if source && versioned {
            return Err("a source package beside its binary ones");
        }
        let mut ranges = Vec::new();
        let mut versions = Vec::new();
        let mut status = Status::Affected;
        match says {
            Says::Fixed if !versioned => return Err("a fixed package without its version"),
            Says::Fixed => {
                ranges.push(Range { introduced: None, end: End::Fixed(package.version) });
            }
            Says::FirstAffected if versioned => {
                ranges.push(Range { introduced: Some(package.version), end: End::Open });
            }
            Says::LastAffected if versioned => {
                ranges.push(Range { introduced: None, end: End::Last(package.version) });
            }
            Says::NotAffected if versioned => {
                // It would silence what is said of all other builds.
                return Err("a statement that one build of a package is not affected");
            }
            Says::NotAffected => status = Status::NotAffected,
            Says::Affected | Says::FirstAffected | Says::LastAffected | Says::Undetermined => {
                if versioned {
                    versions.push(package.version);
                } else {
                    ranges.push(Range::default());
                }
                status = match says {
                    Says::Undetermined => Status::Undetermined,
                    _ => plan.unwrap_or(Status::Affected),
                };
            }
        }
        let naming = if source { Naming::Source } else { platform::naming(&ecosystem) };
        let arch =
            package.arch.filter(|arch| !source && !matches!(arch.as_str(), "noarch" | "all"));
        let row = Affected {
            ecosystem,
            package: package.name,
            naming,
            arch,
            module,
            repository: None,
            status,
            ranges,
            versions,
        };
        match status {
            Status::NotAffected => self.unaffected.entry(reason.to_owned()).or_default().push(row),
            _ => self.affected.push(row),
        }
        Ok(())
    }

    /// Writes the records; the first of them counts as the entry.
    fn write(
        self,
        id: &str,
        written: &written::Vulnerability,
        about: &About,
        out: &mut Output<'_>,
    ) {
        let vendor = about.publisher.as_ref().map_or("", |publisher| publisher.name.as_str());
        let mut records = Vec::new();
        let advisory = |mut affected: Vec<Affected>, reason: Option<&str>| {
            affected.sort_unstable();
            affected.dedup();
            Record::Advisory(advisory(id, written, about, affected, reason))
        };
        if !self.affected.is_empty() {
            records.push(advisory(self.affected, None));
        }
        for (reason, rows) in self.unaffected {
            records.push(advisory(rows, Some(&reason)));
        }
        for (reason, products) in self.exceptions {
            records.push(Record::Exception(Exception {
                id: id.to_owned(),
                products,
                reason,
                author: vendor.to_owned(),
            }));
        }
        if records.is_empty() {
            out.skip("a vulnerability of no package of a release that is known");
            return;
        }
        let scores = scores(&written.scores, vendor);
        if !scores.is_empty() {
            records.push(Record::Vulnerability(Vulnerability {
                id: id.to_owned(),
                scores,
                ..Vulnerability::default()
            }));
        }
        out.entry(records);
    }
}

fn advisory(
    id: &str,
    written: &written::Vulnerability,
    about: &About,
    affected: Vec<Affected>,
    reason: Option<&str>,
) -> Advisory {
    let note = |category: &str| {
        written.notes.iter().find(|note| note.category == category).map(|note| note.text.clone())
    };
    let impact = written.threats.iter().find(|threat| threat.category == "impact");
    let severity = impact
        .map(|threat| threat.details.as_str())
        .filter(|word| !word.is_empty() && word.len() <= MAX_SEVERITY)
        .or_else(|| about.aggregate_severity.as_ref().map(|severity| severity.text.as_str()));
    let title = written.title.as_ref().or(about.title.as_ref());
    let published = written.release_date.as_ref().or(about.tracking.initial_release_date.as_ref());
    Advisory {
        id: about.tracking.id.clone(),
        cves: vec![id.to_owned()],
        severity: severity.map(str::to_owned),
        scores: Vec::new(),
        title: match reason {
            Some(reason) => format!("not affected: {reason}"),
            None => title.cloned().unwrap_or_default(),
        },
        description: note("description").or_else(|| note("summary")).unwrap_or_default(),
        references: written.references.iter().map(|reference| reference.url.clone()).collect(),
        published: published.and_then(|time| time::parse(time)),
        affected,
    }
}

/// The first score of each version: others are for single products.
fn scores(written: &[Scores], vendor: &str) -> Vec<Score> {
    let version = |of: fn(&Scores) -> Option<&Cvss>| {
        let cvss = written.iter().find_map(of)?;
        Some(Score {
            version: cvss.version.clone(),
            base: cvss.base_score,
            vector: cvss.vector_string.clone(),
            source: vendor.to_owned(),
        })
    };
    [
        version(|scores| scores.cvss_v2.as_ref()),
        version(|scores| scores.cvss_v3.as_ref()),
        version(|scores| scores.cvss_v4.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
