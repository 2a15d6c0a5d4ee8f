//! Bars as inline SVG, for pages with a style sheet that has the classes.

use maud::{Markup, html};

use super::lines;
use crate::model::finding::Severity;

/// A part of a bar: its class in the style sheet after `s-`, its name, its size.
pub type Part = (&'static str, &'static str, u64);

/// The least part of the width, in hundredths of a percent, that a part's number fits into on a phone too.
const NUMBER: u64 = 1000;
/// The least that is seen.
const LEAST: u64 = 60;

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

/// Bars of several parts each, all to one scale. Names are text that wraps, bars are as wide as there is
/// room for, and what is drawn is told in words to those who do not see it.
pub fn bars(title: &str, rows: &[(String, Vec<Part>)]) -> Markup {
    let sum = |parts: &[Part]| parts.iter().map(|part| part.2).sum::<u64>();
    let most = rows.iter().map(|(_, parts)| sum(parts)).max().unwrap_or(0).max(1);
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    // In the order of the parts, whichever row has them first.
    for (class, name, _) in rows.iter().flat_map(|(_, parts)| parts) {
        if !kinds.contains(&(class, name)) {
            kinds.push((class, name));
        }
    }
    let parts = rows.iter().flat_map(|(_, parts)| parts);
    kinds.retain(|kind| parts.clone().any(|part| part.2 > 0 && (part.0, part.1) == *kind));
    html! {
        figure {
            figcaption { (title) }
            ul.bars {
                @for (name, parts) in rows {
                    li {
                        span.name { (lines(name)) }
                        (bar(parts, most))
                        span.sum { (sum(parts)) }
                    }
                }
            }
            ul.legend {
                @for (class, name) in kinds { li { i class={ "s-" (class) } {} (name) } }
            }
        }
    }
}

fn bar(parts: &[Part], most: u64) -> Markup {
    let mut left = 0;
    let placed: Vec<_> = parts
        .iter()
        .filter(|part| part.2 > 0)
        .map(|part| {
            // Nothing that is there is invisible.
            let width = (part.2 * 10_000 / most).max(LEAST);
            left += width;
            (part, left - width, width)
        })
        .collect();
    html! {
        svg role="img" aria-label=(words(parts)) xmlns="http://www.w3.org/2000/svg" {
            @for ((class, name, size), x, width) in placed {
                rect class={ "s-" (class) } x=(percent(x)) width=(percent(width)) height="100%" {
                    title { (size) " " (name) }
                }
                @if width >= NUMBER {
                    text class=(class) x=(percent(x + width / 2)) y="15" { (size) }
                }
            }
        }
    }
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// A bar for those who do not see it.
fn words(parts: &[Part]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .filter(|part| part.2 > 0)
        .map(|(_, name, size)| format!("{size} {name}"))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
