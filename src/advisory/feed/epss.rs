//! EPSS: the probability that a CVE is exploited within thirty days.
//!
//! Format: <https://www.first.org/epss/data_stats>. CSV, a comment line with model and date first,
//! then the header `cve,epss,percentile`.

use std::io::{BufRead as _, Read as _};

use super::error::{FeedError, quote};
use super::output::Output;
use super::source::Document;
use super::time;
use crate::advisory::record::Vulnerability;

/// A line has three short fields.
const MAX_LINE: u64 = 4096;

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let mut header_seen = false;
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        document.budget.entry();
        document.reader.by_ref().take(MAX_LINE).read_line(&mut line)?;
        if line.is_empty() {
            break;
        }
        let Some(text) = line.strip_suffix('\n').map(str::trim_end) else {
            return Err(FeedError::Cut(format!("line {number} does not end")));
        };
        if let Some(comment) = text.strip_prefix('#') {
            let date = comment.split(',').find_map(|part| part.strip_prefix("score_date:"));
            out.made_at(date.and_then(time::parse));
        } else if !header_seen {
            if text != "cve,epss,percentile" {
                let problem = format!("line {number}: not the columns cve,epss,percentile");
                return Err(FeedError::Malformed(problem));
            }
            header_seen = true;
        } else if !text.is_empty() {
            let row = row(text);
            out.vulnerability(row.ok_or_else(|| {
                FeedError::Malformed(format!("line {number} is no score: {}", quote(text)))
            })?);
        }
    }
    Ok(())
}

fn row(text: &str) -> Option<Vulnerability> {
    let mut fields = text.split(',');
    let id = fields.next().filter(|id| id.starts_with("CVE-"))?;
    let mut number = || fields.next()?.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let epss = Some((number()?, number()?));
    fields.next().is_none().then(|| Vulnerability { id: id.into(), epss, ..Default::default() })
}
