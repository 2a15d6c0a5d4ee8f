//! Bars as inline SVG, for pages with a style sheet that has the classes. Every number stands beside its bar, so that no colour has to be told apart.

use maud::{Markup, html};

use super::lines;
use crate::model::finding::Severity;

/// A part of a bar: its class in the style sheet after `s-`, its name, its size.
pub type Part = (&'static str, &'static str, u64);

const WIDTH: u64 = 840;
const LABEL: u64 = 345;
const ROOM: u64 = 440;
const ROW: u64 = 28;
/// The least width of a part that its number fits into.
const NUMBER: u64 = 26;

/// A severity's class in style sheets.
pub const fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational => "informational",
        Severity::Undefined => "undefined",
    }
}

/// Bars of several parts each, all to one scale.
pub fn bars(title: &str, rows: &[(String, Vec<Part>)]) -> Markup {
    let sum = |parts: &[Part]| parts.iter().map(|part| part.2).sum::<u64>();
    let most = rows.iter().map(|(_, parts)| sum(parts)).max().unwrap_or(0).max(1);
    let height = ROW * rows.len() as u64 + 4;
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for (class, name, size) in rows.iter().flat_map(|(_, parts)| parts) {
        if *size > 0 && !kinds.contains(&(class, name)) {
            kinds.push((class, name));
        }
    }
    html! {
        figure {
            figcaption { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(words(title, rows))
                xmlns="http://www.w3.org/2000/svg" {
                @for (at, (label, parts)) in rows.iter().enumerate() {
                    (bar(at as u64 * ROW + 4, label, parts, sum(parts), most))
                }
            }
            ul.legend {
                @for (class, name) in kinds { li { i class={ "s-" (class) } {} (name) } }
            }
        }
    }
}

fn bar(top: u64, label: &str, parts: &[Part], sum: u64, most: u64) -> Markup {
    let mut left = LABEL;
    let placed: Vec<_> = parts
        .iter()
        .filter(|part| part.2 > 0)
        .map(|part| {
            // Nothing that is there is invisible.
            let width = (part.2 * ROOM / most).max(3);
            left += width;
            (part, left - width, width)
        })
        .collect();
    html! {
        text.label x=(LABEL - 10) y=(top + 15) { (short(label)) }
        @for ((class, name, size), x, width) in placed {
            rect class={ "s-" (class) } x=(x) y=(top) width=(width) height=(ROW - 7) {
                title { (lines(label)) ": " (size) " " (name) }
            }
            @if width >= NUMBER {
                text class={ "in " (class) } x=(x + width / 2) y=(top + 15) { (size) }
            }
        }
        text x=(left + 8) y=(top + 15) { (sum) }
    }
}

/// As much of a label as there is room for.
fn short(label: &str) -> String {
    let label = lines(label);
    if label.chars().count() <= 54 {
        return label;
    }
    label.chars().take(52).chain("…".chars()).collect()
}

/// The chart for those who do not see it.
fn words(title: &str, rows: &[(String, Vec<Part>)]) -> String {
    let row = |(label, parts): &(String, Vec<Part>)| {
        let parts: Vec<String> = parts
            .iter()
            .filter(|part| part.2 > 0)
            .map(|(_, name, size)| format!("{size} {name}"))
            .collect();
        let parts = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
        format!("{}: {parts}", lines(label))
    };
    format!("{title}. {}", rows.iter().map(row).collect::<Vec<_>>().join("; "))
}
