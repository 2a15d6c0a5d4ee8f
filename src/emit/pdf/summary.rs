//! The first part: charts and counts, the hosts, the scores of benchmarks.

use std::collections::BTreeMap;

use super::flow::{Column, Flow, Look, Part, bars_height};
use super::{Cell, cell, package_name, severity_colour, time};
use crate::emit::document::Document;
use crate::model::finding::Severity;
use crate::model::score::{Marks, Score};

const SCORE: &str = "The score is the share of recommendations that passed of those that applied: \
                     what is unknown counts as not passed, what a person has to judge is left out.";

pub(super) fn all(document: &Document, flow: &mut Flow<'_>) {
    flow.heading(1, "Summary");
    charts(document, flow);
    packages(document, flow);
    flow.heading(1, "Hosts");
    hosts(document, flow);
    let scores = document.scores();
    if !scores.0.is_empty() {
        flow.heading(1, "CIS scores");
        flow.paragraph(SCORE, Look::BODY, 0.0);
        for ((benchmark, version), score) in &scores.0 {
            one_score(document, &format!("{benchmark} {version}"), score, flow);
        }
    }
}

fn parts(counts: &BTreeMap<Severity, u64>) -> Vec<Part> {
    let part = |severity: Severity| {
        let count = counts.get(&severity).copied().unwrap_or(0);
        (severity_colour(severity), severity.name(), count)
    };
    Severity::ALL.into_iter().map(part).collect()
}

fn charts(document: &Document, flow: &mut Flow<'_>) {
    let every = parts(&document.severities(None));
    let by_severity: Vec<(String, Vec<Part>)> = every
        .iter()
        .filter(|part| part.1 != Severity::Undefined.name() || part.2 > 0)
        .map(|part| (part.1.to_owned(), vec![*part]))
        .collect();
    flow.bars("Findings by severity", &by_severity);
    let by_package: Vec<(String, Vec<Part>)> = document
        .packages()
        .into_iter()
        .map(|package| (package.name().to_owned(), parts(&document.severities(Some(package)))))
        .collect();
    flow.bars("Findings by rules package", &by_package);
}

fn number(number: u64, look: Look) -> Cell {
    Cell(number.to_string(), look)
}

fn of_marks(marks: Marks, look: Look) -> impl Iterator<Item = Cell> {
    [marks.pass, marks.fail, marks.not_applicable, marks.manual, marks.unknown]
        .into_iter()
        .map(move |count| number(count, look))
}

fn packages(document: &Document, flow: &mut Flow<'_>) {
    let columns = [
        Column("Rules package", 0.31, false),
        Column("High", 0.065, true),
        Column("Med.", 0.065, true),
        Column("Low", 0.065, true),
        Column("Info", 0.065, true),
        Column("Undef.", 0.07, true),
        Column("Pass", 0.065, true),
        Column("Fail", 0.065, true),
        Column("N/A", 0.065, true),
        Column("Manual", 0.08, true),
        Column("Unkn.", 0.085, true),
    ];
    let row = |name: String, counts: &BTreeMap<Severity, u64>, marks: Marks, look: Look| {
        let severities = parts(counts).into_iter().map(move |part| number(part.2, look));
        std::iter::once(Cell(name, look)).chain(severities).chain(of_marks(marks, look)).collect()
    };
    let mut rows: Vec<Vec<Cell>> = document
        .packages()
        .into_iter()
        .map(|package| {
            let counts = document.severities(Some(package));
            row(package_name(package), &counts, document.marks(Some(package)), Look::CELL)
        })
        .collect();
    let strong = Look { face: super::Face::Bold, ..Look::CELL };
    rows.push(row("All".into(), &document.severities(None), document.marks(None), strong));
    // Results can be written down without verdicts; then there is nothing to say about them.
    let shown = if document.marks.is_empty() { 6 } else { columns.len() };
    rows.iter_mut().for_each(|row| row.truncate(shown));
    flow.table(columns.get(..shown).unwrap_or(&columns), rows);
}

fn hosts(document: &Document, flow: &mut Flow<'_>) {
    let columns = [
        Column("Host", 0.24, false),
        Column("System", 0.2, false),
        Column("Snapshot", 0.2, false),
        Column("High", 0.055, true),
        Column("Med.", 0.06, true),
        Column("Low", 0.055, true),
        Column("Info", 0.055, true),
        Column("Undef.", 0.065, true),
        Column("Unkn.", 0.07, true),
    ];
    let rows = document.hosts.iter().map(|host| {
        let asset = &host.asset;
        let mut system = asset.os.to_string();
        if let Some(kernel) = &asset.kernel {
            system += &format!("\n{kernel}");
        }
        for (key, value) in &asset.tags {
            system += &format!("\n{key}={value}");
        }
        let mut row = vec![
            cell(format!("{}\n{}", asset.hostname, asset.agent_id)),
            cell(system),
            cell(format!("{}\n{}", host.snapshot, time::minutes(host.collected_at))),
        ];
        row.extend(parts(&host.severities).into_iter().map(|part| number(part.2, Look::CELL)));
        row.push(number(host.unknown, Look::CELL));
        row
    });
    flow.table(&columns, rows);
}

fn one_score(document: &Document, title: &str, score: &Score, flow: &mut Flow<'_>) {
    let sections: Vec<(String, Vec<Part>)> = score
        .named_sections()
        .map(|(name, marks)| {
            let parts = vec![
                ((44, 122, 75), "passed", marks.pass),
                ((179, 38, 30), "failed", marks.fail),
                ((122, 82, 179), "unknown", marks.unknown),
                ((95, 107, 122), "manual", marks.manual),
                ((195, 202, 211), "not applicable", marks.not_applicable),
            ];
            (name, parts)
        })
        .collect();
    // The title stands above its picture.
    flow.need(bars_height(sections.len()) + 40.0);
    flow.heading(2, title);
    flow.bars("Recommendations by section", &sections);
    let columns = [
        Column("Section", 0.46, false),
        Column("Score", 0.09, true),
        Column("Pass", 0.09, true),
        Column("Fail", 0.09, true),
        Column("N/A", 0.09, true),
        Column("Manual", 0.09, true),
        Column("Unknown", 0.09, true),
    ];
    let row = |name: String, marks: Marks, look: Look| -> Vec<Cell> {
        let percent = marks.percent().map_or_else(|| "-".to_owned(), |of| format!("{of}%"));
        let first = [Cell(name, look), Cell(percent, look)];
        first.into_iter().chain(of_marks(marks, look)).collect()
    };
    let mut rows: Vec<Vec<Cell>> =
        score.named_sections().map(|(name, marks)| row(name, marks, Look::CELL)).collect();
    let levels = score.levels_of(document.profile.as_deref());
    if levels.len() > 1 {
        rows.extend(
            levels.into_iter().map(|(level, marks)| row(level.to_string(), marks, Look::CELL)),
        );
    }
    let strong = Look { face: super::Face::Bold, ..Look::CELL };
    rows.push(row("All".into(), score.all, strong));
    flow.table(&columns, rows);
}
