//! The fonts in the program, and text set in them.
//!
//! They hold Latin, Greek and Cyrillic letters (`fonts/README.md`). A character that none of them has
//! is written as its number, so that nothing is left out and nothing is a box.

use std::collections::HashMap;
use std::ops::Range;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::emit::escape;

/// The faces. One that lacks a character borrows it from the next that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Sans,
    Bold,
    Mono,
}

const FILES: [&[u8]; 3] = [
    include_bytes!("fonts/sans.ttf"),
    include_bytes!("fonts/bold.ttf"),
    include_bytes!("fonts/mono.ttf"),
];

/// The fonts, ready to set text in.
pub(super) struct Fonts(Vec<One>);

struct One {
    font: Font,
    /// Of each character its glyph, and its width where a letter is 1 high.
    glyphs: HashMap<char, (GlyphId, f32)>,
}

/// Text of one font within a line.
pub(super) struct Run {
    pub(super) font: Font,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Where it begins, where a letter is 1 high.
    pub(super) x: f32,
}

/// A line that is set.
#[derive(Default)]
pub(super) struct Line {
    pub(super) runs: Vec<Run>,
    /// Where a letter is 1 high.
    pub(super) width: f32,
}

/// A character as it is set.
#[derive(Clone, Copy)]
struct Set {
    character: char,
    font: usize,
    glyph: GlyphId,
    width: f32,
}

impl Fonts {
    /// None where the program's own fonts cannot be read, which a test rules out.
    pub(super) fn read() -> Option<Self> {
        FILES.iter().map(|bytes| one(bytes)).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Sets text in lines of at most this width; both are of the given size.
    pub(super) fn lines(&self, text: &str, face: Face, size: f32, width: f32) -> Vec<Line> {
        let room = (width / size).max(4.0);
        let mut lines = Vec::new();
        for line in text.trim_end().split('\n') {
            self.wrap(&self.set(&escape(line.trim_end()), face), room, &mut lines);
        }
        lines
    }

    /// Sets text in one line, cut where there is no more room.
    pub(super) fn line(&self, text: &str, face: Face, size: f32, width: f32) -> Line {
        let mut set = self.set(&escape(text), face);
        let room = width / size;
        let whole: f32 = set.iter().map(|set| set.width).sum();
        if whole > room {
            let dots = self.set("...", face);
            let left = room - dots.iter().map(|set| set.width).sum::<f32>();
            let mut used = 0.0;
            set.retain(|set| {
                used += set.width;
                used <= left
            });
            set.extend(dots);
        }
        self.runs(&set)
    }

    fn set(&self, text: &str, face: Face) -> Vec<Set> {
        let mut out = Vec::with_capacity(text.len());
        for character in text.chars() {
            match self.find(character, face) {
                Some(set) => out.push(set),
                None => {
                    let number = character.escape_unicode();
                    out.extend(number.filter_map(|character| self.find(character, face)));
                }
            }
        }
        out
    }

    fn find(&self, character: char, face: Face) -> Option<Set> {
        let first = face as usize;
        let order = std::iter::once(first).chain((0..self.0.len()).filter(|font| *font != first));
        order.into_iter().find_map(|font| {
            let (glyph, width) = *self.0.get(font)?.glyphs.get(&character)?;
            Some(Set { character, font, glyph, width })
        })
    }

    /// Breaks between words, and within one that is longer than a line.
    fn wrap(&self, set: &[Set], room: f32, lines: &mut Vec<Line>) {
        // What is indented stays so on its further lines.
        let indent = set.iter().take_while(|set| set.character == ' ').count();
        let indent: Vec<Set> = set.iter().take(indent.min(8)).copied().collect();
        let mut line: Vec<Set> = indent.clone();
        let width = |set: &[Set]| set.iter().map(|set| set.width).sum::<f32>();
        let words = set.get(indent.len()..).unwrap_or_default();
        let mut any = false;
        for word in words.split_inclusive(|set| set.character == ' ') {
            let bare = word.strip_suffix_space();
            if any && width(&line) + width(bare) > room {
                lines.push(self.runs(&line));
                line.clone_from(&indent);
                any = false;
            }
            for set in word {
                if any && width(&line) + set.width > room && set.character != ' ' {
                    lines.push(self.runs(&line));
                    line.clone_from(&indent);
                }
                line.push(*set);
                any = true;
            }
        }
        lines.push(self.runs(&line));
    }

    fn runs(&self, set: &[Set]) -> Line {
        let mut line = Line::default();
        let mut font = None;
        for set in set {
            let Some(one) = self.0.get(set.font) else { continue };
            if font != Some(set.font) {
                font = Some(set.font);
                line.runs.push(Run {
                    font: one.font.clone(),
                    text: String::new(),
                    glyphs: Vec::new(),
                    x: line.width,
                });
            }
            if let Some(run) = line.runs.last_mut() {
                let start = run.text.len();
                run.text.push(set.character);
                let range: Range<usize> = start..run.text.len();
                run.glyphs.push(KrillaGlyph::new(set.glyph, set.width, 0.0, 0.0, 0.0, range, None));
            }
            line.width += set.width;
        }
        line
    }
}

/// A word without the space that ends it.
trait StripSpace {
    fn strip_suffix_space(&self) -> &Self;
}

impl StripSpace for [Set] {
    fn strip_suffix_space(&self) -> &Self {
        match self {
            [word @ .., last] if last.character == ' ' => word,
            all => all,
        }
    }
}

fn one(bytes: &'static [u8]) -> Option<One> {
    let read = FontRef::new(bytes).ok()?;
    let metrics = read.glyph_metrics(Size::new(1.0), LocationRef::default());
    let glyphs = read
        .charmap()
        .mappings()
        .filter_map(|(code, glyph)| {
            let width = metrics.advance_width(glyph)?;
            Some((char::from_u32(code)?, (GlyphId::new(glyph.to_u32()), width)))
        })
        .collect();
    Some(One { font: Font::new(bytes.into(), 0)?, glyphs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line) -> String {
        line.runs.iter().map(|run| run.text.as_str()).collect()
    }

    #[test]
    fn what_no_font_has_is_told_by_its_number() {
        let fonts = Fonts::read().unwrap();
        let line = fonts.line("aé→漢\u{202e}\x1b", Face::Sans, 10.0, 1000.0);
        assert_eq!(text(&line), "aé→\\u{6f22}\\u{202e}\\u{1b}");
        assert_eq!(line.runs.len(), 3, "the arrow is borrowed");
    }

    #[test]
    fn every_line_fits_and_nothing_is_lost() {
        let fonts = Fonts::read().unwrap();
        let long = format!("{} and some words\n  indented {}", "x".repeat(300), "y ".repeat(90));
        let lines = fonts.lines(&long, Face::Mono, 10.0, 200.0);
        assert!(lines.iter().all(|line| line.width * 10.0 <= 210.0));
        let all: String = lines.iter().map(text).collect();
        let letters = |text: &str| text.chars().filter(|c| *c != ' ' && *c != '\n').count();
        assert_eq!(letters(&all), letters(&long));
        assert!(text(lines.last().unwrap()).starts_with("  y"));
        let cut = fonts.line(&"z".repeat(99), Face::Sans, 10.0, 50.0);
        assert!(cut.width <= 5.0 && text(&cut).ends_with("..."));
    }
}
