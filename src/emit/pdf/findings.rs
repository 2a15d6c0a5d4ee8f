//! The findings, what was not judged, and the rules that were checked.

use super::flow::{Column, Flow, Look};
use super::{Cell, Face, cell, count, package_name, severity_colour};
use crate::emit::document::{Document, Place, Topic, adds};
use crate::model::finding::{RulesPackage, Status};

pub(super) fn all(document: &Document, flow: &mut Flow<'_>) {
    flow.heading(1, "Findings");
    for package in document.packages() {
        flow.heading(2, &package_name(package));
        let mut topics = document.topics.iter().filter(|(t, _)| t.package == package).peekable();
        if topics.peek().is_none() {
            flow.paragraph(&document.nothing(package), Look::BODY, 0.0);
        }
        for (topic, places) in topics {
            one(document, topic, places, flow);
        }
    }
}

fn one(document: &Document, topic: &Topic, places: &[Place], flow: &mut Flow<'_>) {
    let rule = document.rules.get(topic.rule);
    let severity = topic.severity.0;
    flow.heading(3, &document.name(topic));
    let mut rest = rule.map_or_else(String::new, |rule| rule.id.to_string());
    if document.hosts.len() > 1 {
        rest += &format!("  on {} of {}", places.len(), count(document.hosts.len(), "host"));
    }
    flow.mark(severity.name(), severity_colour(severity), &rest);
    flow.paragraph(&topic.description, Look::BODY, 0.0);
    let columns = [
        Column("Where", 0.4, false),
        Column("Found", 0.28, false),
        Column("Required", 0.32, false),
    ];
    flow.table(&columns, places.iter().flat_map(|place| rows(document, place)));
    flow.need(40.0);
    flow.paragraph("Recommendation", Look::STRONG, 0.0);
    flow.advice(&topic.recommendation);
    if let Some(rule) = rule.filter(|rule| !rule.references.is_empty()) {
        flow.need(30.0);
        flow.paragraph("References", Look::STRONG, 0.0);
        for link in &rule.references {
            flow.paragraph(link, Look::QUIET, 0.0);
        }
    }
    flow.gap(6.0);
}

/// What is said of one host, and where it was seen.
fn rows(document: &Document, place: &Place) -> Vec<Vec<Cell>> {
    let mut words = String::new();
    if let (Some(host), true) = (document.hosts.get(place.host), document.hosts.len() > 1) {
        words += &format!("{}: ", host.asset.hostname);
    }
    words += &place.title;
    if place.status != Status::Open {
        words += &format!(" ({})", place.status.name());
    }
    for (key, value) in place.attributes.iter().filter(|(key, _)| adds(key)) {
        words += &format!("\n{key}={value}");
    }
    let mut rows = vec![vec![Cell(words, Look { face: Face::Bold, ..Look::CELL })]];
    for evidence in &place.evidence {
        let place = Cell(evidence.to_string(), Look { size: 7.4, ..Look::CODE });
        rows.push(vec![place, cell(&*evidence.observed), cell(&*evidence.expected)]);
    }
    rows
}

/// What was not judged, and why.
pub(super) fn unjudged(document: &Document, flow: &mut Flow<'_>) {
    if document.exclusions.is_empty() && document.refused.is_empty() {
        return;
    }
    flow.heading(1, "What was not judged");
    for refusal in &document.refused {
        flow.paragraph(&format!("Refused: {}", refusal.snapshot), Look::STRONG, 0.0);
        flow.paragraph(&refusal.reason, Look::BODY, 0.0);
        flow.gap(4.0);
    }
    for (unjudged, hosts) in &document.exclusions {
        flow.paragraph(&unjudged.title, Look::STRONG, 0.0);
        flow.paragraph(&unjudged.description, Look::BODY, 0.0);
        flow.paragraph(&unjudged.recommendation, Look::BODY, 0.0);
        if document.hosts.len() > 1 {
            let names: Vec<&str> = hosts
                .iter()
                .filter_map(|host| document.hosts.get(*host))
                .map(|host| &*host.asset.hostname)
                .collect();
            flow.paragraph(&names.join(", "), Look::QUIET, 0.0);
        }
        flow.gap(4.0);
    }
}

/// Every rule with how the hosts did.
pub(super) fn rules(document: &Document, flow: &mut Flow<'_>) {
    flow.heading(1, "Rules checked");
    flow.paragraph(
        "Every rule that is about one of the hosts, with the number of hosts for each verdict.",
        Look::BODY,
        0.0,
    );
    for package in document.packages() {
        flow.heading(2, &format!("Rules: {}", package_name(package)));
        of_package(document, package, flow);
    }
}

fn of_package(document: &Document, package: RulesPackage, flow: &mut Flow<'_>) {
    let columns = [
        Column("Rule", 0.5, false),
        Column("Severity", 0.13, false),
        Column("Pass", 0.07, true),
        Column("Fail", 0.07, true),
        Column("N/A", 0.07, true),
        Column("Manual", 0.08, true),
        Column("Unkn.", 0.08, true),
    ];
    let rows = document.marks.iter().filter_map(|(rule, marks)| {
        let rule = document.rules.get(*rule).filter(|rule| rule.package == package)?;
        let mut name = rule.name();
        if !rule.automated {
            name += &format!("\n{}", rule.remediation);
        }
        let counts = [marks.pass, marks.fail, marks.not_applicable, marks.manual, marks.unknown];
        let shown = |count: u64| if count == 0 { String::new() } else { count.to_string() };
        let mut row = vec![cell(name), cell(rule.severity.name())];
        row.extend(counts.into_iter().map(|count| cell(shown(count))));
        Some(row)
    });
    flow.table(&columns, rows);
}
