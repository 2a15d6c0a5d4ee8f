//! Shapes to bytes.

use std::io;

use krilla::Document as Pdf;
use krilla::SerializeSettings;
use krilla::annotation::{LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag, TagTree};

use super::flow::{Colour, DIM, Flow, Heading, MARGIN, Op, PAGE, RULE, Shape, WIDTH};
use super::font::{Face, Fonts, Line};
use crate::emit::document::Document;

/// The bytes of the front pages and the body.
pub(super) fn pdf(
    document: &Document,
    fonts: &Fonts,
    front: Flow<'_>,
    body: Flow<'_>,
) -> io::Result<Vec<u8>> {
    let settings = SerializeSettings { enable_tagging: true, ..SerializeSettings::default() };
    let mut pdf = Pdf::new_with(settings);
    let before = front.pages.len();
    let all = before + body.pages.len();
    let title = document.title();
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    let mut at = 0;
    let headings = body.headings;
    for (pages, tags) in [(front.pages, front.tags), (body.pages, body.tags)] {
        let mut drawn: Vec<Vec<Identifier>> = Vec::new();
        for ops in &pages {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1)
                .ok_or_else(|| io::Error::other("the size of the page"))?;
            let mut page = pdf.start_page_with(settings);
            for op in ops {
                if let Shape::Link { x, y, width, height, heading } = op.shape
                    && let Some(heading) = headings.get(heading)
                    && let Some(place) = Rect::from_xywh(x, y, width, height)
                {
                    let target = Target::Destination(destination(heading, before).into());
                    page.add_annotation(LinkAnnotation::new(place, target).into());
                }
            }
            let mut surface = page.surface();
            draw(&mut surface, ops, &mut drawn);
            at += 1;
            foot(&mut surface, fonts, &title, &format!("{at} / {all}"));
            surface.finish();
            page.finish();
        }
        tags.add_to(&mut tree, drawn);
    }
    pdf.set_tag_tree(tree);
    pdf.set_outline(outline(&headings, before));
    pdf.set_metadata(metadata(document, title));
    pdf.finish().map_err(|error| io::Error::other(format!("{error:?}")))
}

fn destination(heading: &Heading, before: usize) -> XyzDestination {
    XyzDestination::new(heading.page + before, Point::from_xy(MARGIN, (heading.y - 6.0).max(0.0)))
}

/// Headings of a lower rank beneath the one that they follow.
fn outline(headings: &[Heading], before: usize) -> Outline {
    let mut outline = Outline::new();
    let mut open: Vec<(u16, OutlineNode)> = Vec::new();
    let close = |open: &mut Vec<(u16, OutlineNode)>, outline: &mut Outline| {
        if let Some((_, node)) = open.pop() {
            match open.last_mut() {
                Some((_, parent)) => parent.push_child(node),
                None => outline.push_child(node),
            }
        }
    };
    for heading in headings {
        while open.last().is_some_and(|(level, _)| *level >= heading.level) {
            close(&mut open, &mut outline);
        }
        let node = OutlineNode::new(heading.text.clone(), destination(heading, before));
        open.push((heading.level, node));
    }
    while !open.is_empty() {
        close(&mut open, &mut outline);
    }
    outline
}

fn metadata(document: &Document, title: String) -> Metadata {
    Metadata::new()
        .title(title)
        .language("en".to_owned())
        .creator(format!("assay {}", document.version))
}

fn fill(colour: Colour) -> Fill {
    let (red, green, blue) = colour;
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::default(),
    }
}

/// Draws a page; what is drawn for each part of the text is noted with it.
fn draw(surface: &mut Surface<'_>, ops: &[Op], drawn: &mut Vec<Vec<Identifier>>) {
    let mut open: Option<Option<usize>> = None;
    for op in ops.iter().filter(|op| !matches!(op.shape, Shape::Link { .. })) {
        if open != Some(op.leaf) {
            if open.is_some() {
                surface.end_tagged();
            }
            open = Some(op.leaf);
            match op.leaf {
                Some(leaf) => {
                    let found = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                    if drawn.len() <= leaf {
                        drawn.resize_with(leaf + 1, Vec::new);
                    }
                    if let Some(list) = drawn.get_mut(leaf) {
                        list.push(found);
                    }
                }
                None => {
                    let ornament = Artifact::with_kind(ArtifactType::Layout);
                    surface.start_tagged(ContentTag::Artifact(ornament));
                }
            }
        }
        shape(surface, &op.shape);
    }
    if open.is_some() {
        surface.end_tagged();
    }
}

fn shape(surface: &mut Surface<'_>, shape: &Shape) {
    match shape {
        Shape::Text { x, y, size, colour, line } => text(surface, (*x, *y), *size, *colour, line),
        Shape::Box { x, y, width, height, colour } => {
            let mut path = PathBuilder::new();
            if let Some(place) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(place);
            }
            if let Some(path) = path.finish() {
                surface.set_fill(Some(fill(*colour)));
                surface.draw_path(&path);
            }
        }
        Shape::Link { .. } => {}
    }
}

fn text(surface: &mut Surface<'_>, (x, y): (f32, f32), size: f32, colour: Colour, line: &Line) {
    surface.set_fill(Some(fill(colour)));
    for run in &line.runs {
        let start = Point::from_xy(x + run.x * size, y);
        surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, size, false);
    }
}

fn foot(surface: &mut Surface<'_>, fonts: &Fonts, title: &str, number: &str) {
    let (y, size) = (PAGE.1 - 34.0, 7.5);
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    let rule = Shape::Box { x: MARGIN, y: y - 11.0, width: WIDTH, height: 0.5, colour: RULE };
    shape(surface, &rule);
    let number = fonts.line(number, Face::Sans, size, 80.0);
    let title = fonts.line(title, Face::Sans, size, WIDTH - 90.0);
    text(surface, (MARGIN, y), size, DIM, &title);
    text(surface, (MARGIN + WIDTH - number.width * size, y), size, DIM, &number);
    surface.end_tagged();
}
