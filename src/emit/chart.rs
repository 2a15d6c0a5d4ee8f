//! Bars as inline SVG, for pages with a style sheet that has the classes. Every number stands beside
//! its bar, so that no colour has to be told apart.

use maud::{Markup, html};

use super::lines;
use crate::model::finding::Severity;

/// A part of a bar: its class in the style sheet after `s-`, its name, its size.
pub type Part = (&'static str, &'static str, u64);

const WIDTH: u64 = 840;
const LABEL: u64 = 345;
const ROOM: u64 = 440;
const ROW: u64 = 28;
/// The height of a row whose label has two lines.
const TALL: u64 = 36;
const BAR: u64 = 21;
/// How many characters a line of a label has room for.
const LINE: usize = 46;
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
    let mut height = 4;
    let placed: Vec<_> = rows
        .iter()
        .map(|(label, parts)| {
            let (top, label) = (height, folded(label));
            height += if label.len() > 1 { TALL } else { ROW };
            (top, label, parts)
        })
        .collect();
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
                @for (top, label, parts) in placed {
                    (bar(top, &label, parts, sum(parts), most))
                }
            }
            ul.legend {
                @for (class, name) in kinds { li { i class={ "s-" (class) } {} (name) } }
            }
        }
    }
}

fn bar(top: u64, label: &[String], parts: &[Part], sum: u64, most: u64) -> Markup {
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
    let first = if label.len() > 1 { top + 8 } else { top + 15 };
    html! {
        text.label {
            @for (line, y) in label.iter().zip([first, first + 14]) {
                tspan x=(LABEL - 10) y=(y) { (line) }
            }
        }
        @for ((class, name, size), x, width) in placed {
            rect class={ "s-" (class) } x=(x) y=(top) width=(width) height=(BAR) {
                title { (label.join(" ")) ": " (size) " " (name) }
            }
            @if width >= NUMBER {
                text class={ "in " (class) } x=(x + width / 2) y=(top + 15) { (size) }
            }
        }
        text x=(left + 8) y=(top + 15) { (sum) }
    }
}

/// A label in the lines that there is room for, cut between words: one, or two.
fn folded(label: &str) -> Vec<String> {
    let label = lines(label.trim()).replace('\n', " ");
    let Some((end, after)) = label.char_indices().nth(LINE) else { return vec![label] };
    let middle = if after == ' ' { end } else { label[..end].rfind(' ').unwrap_or(end) };
    let rest = label[middle..].trim_start();
    let rest = match rest.char_indices().nth(LINE - 1) {
        Some((end, last)) if rest[end..].len() > last.len_utf8() => format!("{}…", &rest[..end]),
        _ => rest.to_owned(),
    };
    vec![label[..middle].trim_end().to_owned(), rest]
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

#[cfg(test)]
mod tests {
    use super::{LINE, folded};

    #[test]
    fn labels_are_folded_between_words() {
        assert_eq!(folded("Security Best Practices-1.1"), ["Security Best Practices-1.1"]);
        assert_eq!(
            folded("CIS Operating System Security Configuration Benchmarks-1.0"),
            ["CIS Operating System Security Configuration", "Benchmarks-1.0"]
        );
        assert_eq!(folded(&"é".repeat(LINE)), ["é".repeat(LINE)]);
        assert_eq!(folded(&"é".repeat(2 * LINE)), ["é".repeat(LINE), "é".repeat(LINE)]);
        let cut = folded(&"word ".repeat(40));
        assert!(cut[1].ends_with('…') && cut.iter().all(|line| line.chars().count() <= LINE));
        assert_eq!(folded(&"é".repeat(2 * LINE + 1))[1].chars().count(), LINE);
    }
}
