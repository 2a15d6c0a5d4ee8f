//! Comma separated values (RFC 4180), one row a finding, and one for each thing that was not judged.
//!
//! A cell that begins like a formula is written with an apostrophe before it: spreadsheets would
//! compute it, and what hosts say is nothing to be computed.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::{Emitter, Pieces, inspector};
use crate::model::finding::{Evidence, HostReport};
use crate::model::summary::Summary;

pub(super) const PIECES: Pieces = Pieces { first, host, all, last: |_| Ok(()), separator: "" };

const COLUMNS: [&str; 15] = [
    "type",
    "snapshot",
    "host",
    "agent_id",
    "package",
    "rule",
    "id",
    "severity",
    "status",
    "title",
    "evidence",
    "description",
    "recommendation",
    "attributes",
    "arn",
];

fn row(out: &mut dyn Write, cells: [&str; COLUMNS.len()]) -> io::Result<()> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    writer.write_record(cells.map(harmless)).map_err(io::Error::other)?;
    writer.flush()
}

/// A cell that no spreadsheet computes.
fn harmless(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell: String = cell.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    if formula { format!("'{cell}") } else { cell }
}

/// A piece of evidence in one line.
fn line(evidence: &Evidence) -> String {
    format!("{evidence}: found {}; required: {}", evidence.observed, evidence.expected)
}

fn first(_: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    row(out, COLUMNS)
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    let asset = &host.asset;
    for found in &host.findings {
        let Some(rule) = emitter.rules.get(found.rule) else { continue };
        let evidence: Vec<String> = found.evidence.iter().map(line).collect();
        let attributes: Vec<String> =
            found.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        row(
            out,
            [
                "finding",
                &host.snapshot,
                &asset.hostname,
                &asset.agent_id,
                rule.package.short(),
                &rule.id,
                &found.id,
                found.severity.name(),
                found.status.name(),
                &found.title,
                &evidence.join("\n"),
                &found.description,
                &found.recommendation,
                &attributes.join("\n"),
                &inspector::finding_arn(host, &rule.id, &found.id),
            ],
        )?;
    }
    for exclusion in &host.exclusions {
        let mut cells = [""; COLUMNS.len()];
        cells[..4].copy_from_slice(&[
            "exclusion",
            &host.snapshot,
            &asset.hostname,
            &asset.agent_id,
        ]);
        cells[9] = &exclusion.title;
        cells[11] = &exclusion.description;
        cells[12] = &exclusion.recommendation;
        row(out, cells)?;
    }
    Ok(())
}

fn all(_: &Emitter, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    for refusal in &summary.refused {
        let mut cells = [""; COLUMNS.len()];
        cells[..2].copy_from_slice(&["refused", &refusal.snapshot]);
        cells[9] = "Not judged";
        cells[11] = &refusal.reason;
        row(out, cells)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_computed_and_quotes_hold() {
        let mut out = Vec::new();
        let mut cells = [""; COLUMNS.len()];
        cells[0] = "=cmd|' /C calc'!A0";
        cells[1] = "\tx\x1b[31m";
        cells[2] = "a,\"b\"\nc";
        row(&mut out, cells).unwrap();
        let text = String::from_utf8(out).unwrap();
        let wanted = "'=cmd|' /C calc'!A0,'x[31m,\"a,\"\"b\"\"\nc\",";
        assert!(text.starts_with(wanted), "{text:?}");
        assert!(text.ends_with(",\r\n"));
    }
}
