//! What an earlier scan found, as its ndjson says it.
//!
//! A finding is known when every piece of its evidence was in the same finding before: one place
//! more, or another value, and it counts. Lines may have moved. A baseline of one host, for example
//! of the image that hosts are built from, is about every host; one of several hosts knows each by
//! its agent id.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::waiver as codes;
use crate::model::finding::{Evidence, Finding};

/// The most bytes of one line.
const MAX_LINE: u64 = 64 << 20;
/// The most pieces of evidence that are kept.
const MAX_SEEN: usize = 20_000_000;

/// The start of a hash: of a piece of evidence, or of an agent id.
type Print = [u8; 16];

/// The evidence of open findings, by agent.
#[derive(Debug)]
pub(super) struct Baseline(HashMap<Print, HashSet<Print>>);

#[derive(Deserialize)]
struct Line<'a> {
    r#type: &'a str,
    rule: Option<String>,
    status: Option<String>,
    evidence: Option<Vec<Seen>>,
    finding: Option<Inspector>,
}

#[derive(Deserialize)]
struct Seen {
    location: String,
    observed: String,
    expected: String,
}

#[derive(Deserialize)]
struct Inspector {
    id: String,
    #[serde(rename = "assetAttributes")]
    asset: Agent,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(rename = "agentId")]
    id: String,
}

impl Baseline {
    /// Reads the ndjson of an earlier scan.
    pub(super) fn read(path: &Path) -> Result<Self, Diagnostic> {
        let bad = |problem: String| {
            let message = format!("{}: {problem}", path.display());
            let help = "make it with `assay scan --format ndjson -o FILE`";
            Diagnostic::error(codes::BAD_BASELINE, message).help(help)
        };
        let mut lines = BufReader::new(File::open(path).map_err(|error| bad(error.to_string()))?);
        let (mut agents, mut seen): (HashMap<Print, HashSet<Print>>, usize) = Default::default();
        let (mut bytes, mut number, mut whole) = (Vec::new(), 0, false);
        loop {
            bytes.clear();
            number += 1;
            let read = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut bytes);
            if read.map_err(|error| bad(error.to_string()))? == 0 {
                break;
            }
            let line: Line<'_> = serde_json::from_slice(&bytes)
                .map_err(|error| bad(format!("line {number} is no line of a scan: {error}")))?;
            whole = line.r#type == "summary";
            // What a waiver covered comes back when the waiver ends: it was never accepted for good.
            let counts = line.r#type == "finding" && line.status.as_deref() != Some("waived");
            if let (true, Some(rule), Some(finding)) = (counts, &line.rule, &line.finding) {
                let known = agents.entry(print(&[&finding.asset.id])).or_default();
                let evidence = line.evidence.unwrap_or_default();
                seen += evidence.len() + 1;
                if seen > MAX_SEEN {
                    return Err(bad(format!("it has more than {MAX_SEEN} pieces of evidence")));
                }
                known.insert(print(&[rule, &finding.id]));
                for one in evidence {
                    let parts = [rule, &finding.id, &one.location, &one.observed, &one.expected];
                    known.insert(print(&parts.map(String::as_str)));
                }
            }
        }
        if whole { Ok(Self(agents)) } else { Err(bad("its last line is no summary".to_owned())) }
    }

    /// Whether a finding was there with all of its evidence.
    pub(super) fn has(&self, agent: &str, rule: &str, finding: &Finding) -> bool {
        let known = match self.0.len() {
            1 => self.0.values().next(),
            _ => self.0.get(&print(&[agent])),
        };
        let seen = |known: &HashSet<Print>, one: &Evidence| {
            let parts = [rule, &*finding.id, &*one.location, &*one.observed, &*one.expected];
            // Of what was not listed nobody can say that it was there.
            *one.observed != *Evidence::NOT_LISTED && known.contains(&print(&parts))
        };
        known.is_some_and(|known| {
            known.contains(&print(&[rule, &finding.id]))
                && finding.evidence.iter().all(|one| seen(known, one))
        })
    }
}

fn print(parts: &[&str]) -> Print {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut print = Print::default();
    hasher.finalize_xof().fill(&mut print);
    print
}
