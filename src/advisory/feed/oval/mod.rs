//! OVAL 5 definitions of Linux distributions: Red Hat, Oracle, SUSE, Ubuntu, Debian, Azure Linux,
//! AlmaLinux, Rocky Linux.
//!
//! Format: <https://oval.mitre.org/language/version5.11/>. A definition is a logical expression
//! over tests; it holds where the host is vulnerable. Tests stand after the definitions, so a file
//! is read twice: first the tests with what they refer to, then the definitions one by one. What an
//! expression says beside packages (another product, a key, a kernel that runs) is told by the
//! comments, which all definitions of a vendor share.

mod criteria;
mod metadata;
mod parts;

use super::Record;
use super::error::{FeedError, quote};
use super::output::Output;
use super::platform;
use super::source::Document;
use super::time;
use super::xml::{Element, Xml};
use crate::advisory::record::{Advisory, Affected, Ecosystem, End, Range, Status};
use crate::advisory::red_hat;
use criteria::{MAX_ROWS, Row};
use metadata::Words;
use parts::Parts;

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let parts = Parts::read(&mut document.again()?)?;
    let of_file = platform::of_file(document.name);
    let mut xml = Xml::root(document, "oval_definitions")?;
    while let Some(section) = xml.next()? {
        match section.name.as_str() {
            "generator" => {
                out.made_at(time::parse(xml.tree(section)?.text_of("timestamp")));
            }
            "definitions" => {
                while let Some(definition) = xml.next()? {
                    let definition = xml.tree(definition)?;
                    let place = Place::new(&definition, of_file.as_ref(), out.release());
                    take(&definition, &place, &parts, out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn take(
    definition: &Element,
    place: &Place,
    parts: &Parts,
    out: &mut Output<'_>,
) -> Result<(), FeedError> {
    let class = definition.attribute("class");
    if !matches!(class, "vulnerability" | "patch") {
        out.skip(&format!("a definition of class {}", quote(class)));
        return Ok(());
    }
    let (Some(metadata), Some(criteria)) =
        (definition.child("metadata"), definition.child("criteria"))
    else {
        out.skip("a definition without metadata or criteria");
        return Ok(());
    };
    let Some(words) = Words::new(metadata, class) else {
        out.skip("a definition that names neither an advisory nor a CVE");
        return Ok(());
    };
    if words.is_no_security() {
        out.skip("a definition of an update that mends no vulnerability");
        return Ok(());
    }
    let unaffected = definition.attribute("id").contains(".unaffected:");
    let found = criteria::rows(criteria, parts, unaffected)?;
    for (reason, count) in found.left_out {
        out.leave_out_many(reason, count);
    }
    let mut affected = Vec::new();
    for mut row in found.rows {
        if unaffected && words.resolution(&row.package).is_some() {
            out.leave_out("a package that is said to be affected and not affected");
            continue;
        } else if unaffected {
            row.status = Some(Status::NotAffected);
            row.ranges.clear();
        } else if row.status.is_none() && row.ranges.iter().all(|range| range.end == End::Open) {
            row.status = words.resolution(&row.package);
        }
        place.expand(row, &words.id, &mut affected, out)?;
    }
    if affected.is_empty() {
        out.skip("a definition that names no package of a release that is known");
        return Ok(());
    }
    affected.sort_unstable();
    affected.dedup();
    let vendor = affected.first().map(|first| first.ecosystem.name.clone()).unwrap_or_default();
    for scored in words.scores(&vendor) {
        out.beside(Record::Vulnerability(scored));
    }
    out.advisory(Advisory { affected, ..words.advisory() });
    Ok(())
}

/// Where a definition holds, unless its expression says.
struct Place {
    releases: Vec<Ecosystem>,
    /// Red Hat's further streams (extended update support and so on), whose expressions name the
    /// release alone though their versions are not the release's.
    streams: Vec<Ecosystem>,
}

impl Place {
    fn new(definition: &Element, of_file: Option<&Ecosystem>, named: Option<&Ecosystem>) -> Self {
        let metadata = definition.child("metadata");
        let platforms = metadata
            .and_then(|metadata| metadata.child("affected"))
            .into_iter()
            .flat_map(|affected| affected.each("platform"));
        let mut releases: Vec<Ecosystem> =
            platforms.filter_map(|platform| platform::of_name(&platform.text)).collect();
        if releases.is_empty() {
            releases.extend(named.or(of_file).cloned());
        }
        let cpes: Vec<Ecosystem> = metadata
            .and_then(|metadata| metadata.child("advisory")?.child("affected_cpe_list"))
            .into_iter()
            .flat_map(|list| list.each("cpe"))
            .filter_map(|cpe| platform::of_cpe(&cpe.text))
            .collect();
        let streams = if cpes.iter().all(red_hat::is_stream) { cpes } else { Vec::new() };
        Self { releases, streams }
    }

    /// A row of each release, architecture and module that it holds for.
    fn expand(
        &self,
        row: Row,
        id: &str,
        affected: &mut Vec<Affected>,
        out: &mut Output<'_>,
    ) -> Result<(), FeedError> {
        let releases = match row.guard.releases {
            Some(releases) => releases,
            None if self.releases.is_empty() => {
                return Err(FeedError::NeedsRelease(format!("{} names none", quote(id))));
            }
            None => self.releases.clone(),
        };
        if releases.is_empty() {
            out.leave_out("a package of a product that is no release of a distribution");
            return Ok(());
        }
        for release in releases {
            for ecosystem in self.streams_of(release, &row.ranges) {
                for arch in choices(row.guard.arches.as_deref()) {
                    for module in choices(row.guard.modules.as_deref()) {
                        if affected.len() >= MAX_ROWS {
                            let problem = format!("{} has more than {MAX_ROWS} rows", quote(id));
                            return Err(FeedError::TooLarge(problem));
                        }
                        affected.push(Affected {
                            naming: platform::naming(&ecosystem),
                            ecosystem: ecosystem.clone(),
                            package: row.package.clone(),
                            arch: arch.clone(),
                            module,
                            repository: None,
                            status: row.status.unwrap_or(Status::Affected),
                            ranges: row.ranges.clone(),
                            versions: row.versions.clone(),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    fn streams_of(&self, release: Ecosystem, ranges: &[Range]) -> Vec<Ecosystem> {
        if release.name == red_hat::NAME && !self.streams.is_empty() {
            return self.streams.clone();
        }
        // Fixes that only Ubuntu Pro has say so in their version.
        let esm = |end: &End| matches!(end, End::Fixed(version) if version.contains("esm"));
        if release.name == "Ubuntu" && ranges.iter().any(|range| esm(&range.end)) {
            return vec![Ecosystem::new("Ubuntu Pro", release.release)];
        }
        vec![release]
    }
}

/// Each of the words; none where there is no choice.
fn choices(words: Option<&[String]>) -> Vec<Option<String>> {
    words.map_or_else(|| vec![None], |words| words.iter().cloned().map(Some).collect())
}
