//! Where a finding was seen: the places, and below them what is there and what should be. Places of
//! which the same is to be said stand together.

use std::io::{self, Write};

use super::{Paint, beside};
use crate::emit::escape;
use crate::model::finding::Evidence;

/// Places shown for one finding; the other formats carry all of them.
const PLACES: usize = 12;
/// Different things said about the places of one finding.
const BLOCKS: usize = 8;

/// What is said of some places.
struct Block<'a> {
    places: Vec<String>,
    said: Vec<(&'a str, &'a str)>,
}

/// Writes the evidence of one finding.
pub(super) fn write(evidence: &[Evidence], paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let (dim, off) = (paint.dim(), paint.off());
    let blocks = blocks(evidence);
    let mut hidden = 0;
    for (index, block) in blocks.iter().enumerate() {
        let shown = if index < BLOCKS { block.places.len().min(PLACES) } else { 0 };
        hidden += block.places.len() - shown;
        for place in block.places.iter().take(shown) {
            writeln!(out, "      {}", escape(place))?;
        }
        for (observed, expected) in block.said.iter().filter(|_| shown > 0) {
            labelled("found", observed, (dim, off), out)?;
            if !expected.is_empty() {
                labelled("required", expected, (dim, off), out)?;
            }
        }
    }
    if hidden > 0 {
        let s = if hidden == 1 { "" } else { "s" };
        writeln!(out, "      and {hidden} more place{s}")?;
    }
    Ok(())
}

fn blocks(evidence: &[Evidence]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for one in evidence {
        let place = one.to_string();
        let said = (&*one.observed, &*one.expected);
        match blocks.last_mut() {
            // Evidence is sorted by place.
            Some(last) if last.places.first() == Some(&place) => last.said.push(said),
            _ => blocks.push(Block { places: vec![place], said: vec![said] }),
        }
    }
    let mut merged: Vec<Block<'_>> = Vec::new();
    for block in blocks {
        match merged.iter_mut().find(|other| other.said == block.said) {
            Some(other) => other.places.extend(block.places),
            None => merged.push(block),
        }
    }
    merged
}

/// A word, and a text beside it that keeps its margin.
fn labelled(
    label: &str,
    text: &str,
    (dim, off): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = beside(19, text);
    writeln!(out, "          {dim}{label:<8}{off} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(location: &str, line: u32, observed: &str, expected: &str) -> Evidence {
        let line = Some(line);
        Evidence {
            location: location.into(),
            line,
            observed: observed.into(),
            expected: expected.into(),
        }
    }

    fn text(evidence: &[Evidence]) -> String {
        let mut out = Vec::new();
        write(evidence, &Paint(false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_the_same_is_said_once() {
        let shown = text(&[
            seen("/a", 1, "minlen 8", "14"),
            seen("/a", 1, "dcredit 0", "-1"),
            seen("/b", 2, "mode 0644", "0640"),
            seen("/c", 3, "mode 0644", "0640"),
        ]);
        assert_eq!(
            shown,
            "      /a:1
          found    minlen 8
          required 14
          found    dcredit 0
          required -1
      /b:2
      /c:3
          found    mode 0644
          required 0640
"
        );
    }

    #[test]
    fn many_places_are_counted_and_texts_of_hosts_stay_texts() {
        let evidence: Vec<Evidence> =
            (1..=20).map(|line| seen("/x", line, "a\x1b[31m\nb  c", "d")).collect();
        let shown = text(&evidence);
        assert!(shown.contains("      and 8 more places\n"), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
        assert_eq!(shown.lines().count(), 12 + 2 + 1 + 1, "{shown}");
    }
}
