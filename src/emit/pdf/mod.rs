//! The report as a PDF: text that can be searched, selected and read aloud, with an outline, contents
//! and page numbers.

mod findings;
mod flow;
mod font;
mod render;
mod summary;
mod tags;

use std::io::{self, Write};

use super::document::{Document, count, package_name};
use super::time;
use crate::model::finding::{RulesPackage, Severity};
use flow::{Cell, Colour, Flow, Look};
use font::{Face, Fonts};
use tags::Kind;

pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let fonts = Fonts::read().ok_or_else(|| io::Error::other("the fonts cannot be read"))?;
    let mut body = Flow::new(&fonts);
    summary::all(document, &mut body);
    findings::all(document, &mut body);
    findings::unjudged(document, &mut body);
    if !document.findings_only {
        findings::rules(document, &mut body);
    }
    // How many pages the contents take does not depend on the numbers in them.
    let pages = front(document, &fonts, &body, 0).pages.len();
    let front = front(document, &fonts, &body, pages);
    let bytes = render::pdf(document, &fonts, front, body)?;
    out.write_all(&bytes)
}

fn severity_colour(severity: Severity) -> Colour {
    match severity {
        Severity::High => (179, 38, 30),
        Severity::Medium => (185, 94, 0),
        Severity::Low => (47, 111, 176),
        Severity::Informational => (95, 107, 122),
        Severity::Undefined => (138, 148, 161),
    }
}

/// A cell of small text.
fn cell(text: impl Into<String>) -> Cell {
    Cell(text.into(), Look::CELL)
}

/// The title, what the report is about, and the contents.
fn front<'f>(document: &Document, fonts: &'f Fonts, body: &Flow<'_>, before: usize) -> Flow<'f> {
    let mut flow = Flow::new(fonts);
    let look = Look { face: Face::Bold, size: 24.0, ..Look::BODY };
    flow.paragraph(&document.title(), look, 0.0);
    flow.paragraph(
        "What is wrong, where it was seen, and how to put it right.",
        Look { size: 11.0, ..Look::QUIET },
        0.0,
    );
    flow.gap(8.0);
    for (name, value) in about(document) {
        flow.paragraph(&format!("{name}: {value}"), Look::BODY, 0.0);
    }
    flow.gap(14.0);
    flow.paragraph("Contents", Look { face: Face::Bold, size: 12.5, ..Look::BODY }, 0.0);
    flow.tags.open(Kind::Contents);
    for (at, heading) in body.headings.iter().enumerate() {
        if heading.level <= 2 {
            let page = (heading.page + before + 1).to_string();
            flow.entry(at, heading.level, &heading.text, &page);
        }
    }
    flow.tags.close();
    flow
}

fn about(document: &Document) -> Vec<(&str, String)> {
    let mut about: Vec<(&str, String)> =
        document.about.iter().map(|(name, value)| (*name, value.clone())).collect();
    let mut hosts = format!("{} judged", document.hosts.len());
    if !document.refused.is_empty() {
        hosts += &format!(", {} refused", document.refused.len());
    }
    about.push(("Hosts", hosts));
    if let Some((first, last)) = document.collected() {
        let (first, last) = (time::minutes(first), time::minutes(last));
        let times = if first == last { first } else { format!("{first} to {last}") };
        about.push(("Collected", times));
    }
    let packages = document.packages();
    let names: Vec<String> = packages.iter().map(|package| package_name(*package)).collect();
    about.push(("Rules packages", names.join(", ")));
    if let (Some(profile), true) = (&document.profile, packages.contains(&RulesPackage::Cis)) {
        about.push(("CIS profile", profile.to_string()));
    }
    about.push(("Made by", format!("assay {}", document.version)));
    about
}
