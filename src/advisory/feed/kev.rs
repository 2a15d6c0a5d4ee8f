//! CISA's catalogue of known exploited vulnerabilities, JSON and CSV.
//!
//! Format: <https://www.cisa.gov/known-exploited-vulnerabilities-catalog>.

use std::io::{BufRead as _, Read as _};

use serde::Deserialize;

use super::error::FeedError;
use super::output::Output;
use super::source::Document;
use super::time;
use crate::advisory::record::Vulnerability;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    date_released: Option<String>,
    count: Option<u64>,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let first =
        document.reader.fill_buf()?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(b'{') { json(document, out) } else { csv(document, out) }
}

fn json(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let catalogue: Catalogue = serde_json::from_reader(&mut document.reader)?;
    let found = catalogue.vulnerabilities.len() as u64;
    if let Some(count) = catalogue.count.filter(|count| *count != found) {
        let problem = format!("it says it has {count} vulnerabilities and has {found}");
        return Err(FeedError::Inconsistent(problem));
    }
    out.made_at(catalogue.date_released.as_deref().and_then(time::parse));
    for entry in catalogue.vulnerabilities {
        take(entry, out)?;
    }
    Ok(())
}

fn csv(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let mut bytes = Vec::new();
    document.reader.read_to_end(&mut bytes)?;
    if !bytes.ends_with(b"\n") {
        return Err(FeedError::Cut("its last line does not end".into()));
    }
    let mut rows = csv::Reader::from_reader(bytes.as_slice());
    for row in rows.deserialize() {
        take(row.map_err(csv_error)?, out)?;
    }
    Ok(())
}

fn csv_error(error: csv::Error) -> FeedError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        csv::ErrorKind::UnequalLengths { .. } => FeedError::Cut(text),
        _ => FeedError::malformed(text),
    }
}

fn take(entry: Entry, out: &mut Output<'_>) -> Result<(), FeedError> {
    if !entry.cve_id.starts_with("CVE-") || time::parse(&entry.date_added).is_none() {
        let problem = format!("{:?} added {:?} is no entry", entry.cve_id, entry.date_added);
        return Err(FeedError::malformed(problem));
    }
    out.vulnerability(Vulnerability {
        id: entry.cve_id,
        known_exploited_since: Some(entry.date_added),
        ransomware: entry.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
        ..Default::default()
    });
    Ok(())
}
