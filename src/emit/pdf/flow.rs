//! Blocks put on pages one below the other. What is drawn is kept as shapes, so that the page of each
//! heading is known before the contents are written.

use super::font::{Face, Fonts, Line};
use super::tags::{Kind, Tags};

/// A4, in points.
pub(super) const PAGE: (f32, f32) = (595.0, 842.0);
pub(super) const MARGIN: f32 = 48.0;
/// Where text ends; below stands the foot.
const BOTTOM: f32 = PAGE.1 - 58.0;
/// The width that text has.
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
const TOP: f32 = 54.0;

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);
pub(super) const INK: Colour = (29, 36, 48);
pub(super) const DIM: Colour = (91, 100, 114);
pub(super) const RULE: Colour = (216, 221, 228);
const SOFT: Colour = (245, 247, 249);

/// Something drawn, with the part of the text that it belongs to; none: it is ornament.
pub(super) struct Op {
    pub(super) leaf: Option<usize>,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    Text {
        x: f32,
        y: f32,
        size: f32,
        colour: Colour,
        line: Line,
    },
    Box {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        colour: Colour,
    },
    /// A place that leads to a heading, by its number.
    Link {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        heading: usize,
    },
}

/// How text looks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) face: Face,
    pub(super) size: f32,
    pub(super) colour: Colour,
}

impl Look {
    pub(super) const BODY: Self = Self { face: Face::Sans, size: 9.0, colour: INK };
    pub(super) const STRONG: Self = Self { face: Face::Bold, size: 9.0, colour: INK };
    pub(super) const QUIET: Self = Self { face: Face::Sans, size: 8.5, colour: DIM };
    pub(super) const CODE: Self = Self { face: Face::Mono, size: 7.8, colour: INK };
    pub(super) const CELL: Self = Self { face: Face::Sans, size: 8.0, colour: INK };

    fn leading(self) -> f32 {
        self.size * 1.38
    }
}

/// A heading and where it came to stand.
pub(super) struct Heading {
    pub(super) level: u16,
    pub(super) text: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// A column of a table: its title, its share of the width, whether numbers stand in it.
pub(super) struct Column(pub(super) &'static str, pub(super) f32, pub(super) bool);

/// A cell.
pub(super) struct Cell(pub(super) String, pub(super) Look);

/// A part of a bar: colour, name, size.
pub(super) type Part = (Colour, &'static str, u64);

/// The height of a row of bars.
const ROW: f32 = 17.0;

/// The room that so many bars want with their title, or a page.
pub(super) fn bars_height(rows: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "rows that fit on a page are few")]
    let height = rows as f32 * ROW + 24.0;
    height.min(BOTTOM - TOP)
}

/// The pages so far.
pub(super) struct Flow<'f> {
    pub(super) fonts: &'f Fonts,
    pub(super) pages: Vec<Vec<Op>>,
    pub(super) headings: Vec<Heading>,
    pub(super) tags: Tags,
    y: f32,
}

impl<'f> Flow<'f> {
    pub(super) fn new(fonts: &'f Fonts) -> Self {
        let (pages, tags) = (vec![Vec::new()], Tags::default());
        Self { fonts, pages, headings: Vec::new(), tags, y: TOP }
    }

    fn push(&mut self, leaf: Option<usize>, shape: Shape) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Op { leaf, shape });
        }
    }

    fn text(&mut self, leaf: Option<usize>, x: f32, y: f32, look: Look, line: Line) {
        let Look { size, colour, .. } = look;
        self.push(leaf, Shape::Text { x, y, size, colour, line });
    }

    /// Begins a page.
    pub(super) fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn left(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Begins a page where less than this is left.
    pub(super) fn need(&mut self, height: f32) {
        if self.left() < height && self.y > TOP {
            self.new_page();
        }
    }

    /// Room between blocks.
    pub(super) fn gap(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    /// A heading; it is never the last thing on a page.
    pub(super) fn heading(&mut self, level: u16, text: &str) {
        let size = match level {
            1 => 17.0,
            2 => 12.5,
            _ => 10.0,
        };
        let look = Look { face: Face::Bold, size, colour: INK };
        self.gap(size * 0.9);
        self.need(size * 5.0);
        let shown = crate::emit::escape(text).into_owned();
        let (page, y) = (self.pages.len() - 1, self.y);
        self.headings.push(Heading { level, text: shown, page, y });
        self.block(text, look, 0.0, Kind::Heading(level));
        self.y += size * 0.3;
        if level == 1 {
            let (x, y) = (MARGIN, self.y - 2.0);
            self.push(None, Shape::Box { x, y, width: WIDTH, height: 1.2, colour: RULE });
            self.y += 5.0;
        }
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str, look: Look, indent: f32) {
        if !text.trim().is_empty() {
            self.block(text, look, indent, Kind::Paragraph);
            self.y += 3.0;
        }
    }

    /// Text in which indented lines are commands.
    pub(super) fn advice(&mut self, text: &str) {
        let mut lines = text.trim_end().lines().peekable();
        while let Some(first) = lines.next() {
            let is_command = |line: &str| line.starts_with([' ', '\t']);
            let mut block = first.to_owned();
            while let Some(next) = lines.next_if(|line| is_command(line) == is_command(first)) {
                block += "\n";
                block += next;
            }
            let look = if is_command(first) { Look::CODE } else { Look::BODY };
            self.paragraph(&block.replace('\t', "    "), look, 0.0);
        }
    }

    fn block(&mut self, text: &str, look: Look, indent: f32, kind: Kind) {
        self.tags.open(kind);
        let leaf = self.tags.leaf();
        for line in self.fonts.lines(text, look.face, look.size, WIDTH - indent) {
            self.need(look.leading());
            let y = self.y + look.size;
            self.text(Some(leaf), MARGIN + indent, y, look, line);
            self.y += look.leading();
        }
        self.tags.close();
    }

    /// A mark at the left of what comes next, and a word in its colour.
    pub(super) fn mark(&mut self, word: &str, colour: Colour, rest: &str) {
        self.need(30.0);
        let (x, y) = (MARGIN, self.y + 1.0);
        self.push(None, Shape::Box { x, y, width: 3.0, height: 10.0, colour });
        self.tags.open(Kind::Paragraph);
        let leaf = self.tags.leaf();
        let look = Look { colour, ..Look::STRONG };
        let line = self.fonts.line(word, look.face, look.size, WIDTH);
        let after = MARGIN + 9.0 + line.width * look.size;
        let baseline = self.y + look.size;
        self.text(Some(leaf), MARGIN + 8.0, baseline, look, line);
        let rest = self.fonts.line(&format!(" {rest}"), Face::Mono, 7.8, WIDTH - after + MARGIN);
        self.text(Some(leaf), after, baseline, Look { colour: DIM, ..Look::CODE }, rest);
        self.tags.close();
        self.y += look.leading() + 2.0;
    }

    /// A table whose head stands on every page that it reaches.
    pub(super) fn table(&mut self, columns: &[Column], rows: impl IntoIterator<Item = Vec<Cell>>) {
        self.tags.open(Kind::Table);
        // The head is never the last thing on a page.
        self.need(100.0);
        self.head(columns, true);
        for row in rows {
            self.row(columns, &row);
        }
        self.tags.close();
        self.y += 8.0;
    }

    fn head(&mut self, columns: &[Column], first: bool) {
        let look = Look { face: Face::Bold, ..Look::CELL };
        let (x, y, height) = (MARGIN, self.y, look.leading() + 5.0);
        self.push(None, Shape::Box { x, y, width: WIDTH, height, colour: SOFT });
        if first {
            self.tags.open(Kind::Row);
        }
        let mut x = MARGIN;
        for Column(title, share, numbers) in columns {
            let width = share * WIDTH;
            let line = self.fonts.line(title, look.face, look.size, width - 6.0);
            // On further pages the head is ornament: it was said already.
            let leaf = first.then(|| {
                self.tags.open(Kind::HeadCell);
                self.tags.leaf()
            });
            let at = if *numbers { x + width - 4.0 - line.width * look.size } else { x + 3.0 };
            self.text(leaf, at, y + look.size + 2.5, look, line);
            if first {
                self.tags.close();
            }
            x += width;
        }
        if first {
            self.tags.close();
        }
        self.y += height;
    }

    fn row(&mut self, columns: &[Column], cells: &[Cell]) {
        let mut set: Vec<(f32, bool, Look, usize, Vec<Line>)> = Vec::new();
        let mut x = MARGIN;
        self.tags.open(Kind::Row);
        for (Column(_, share, numbers), Cell(text, look)) in columns.iter().zip(cells) {
            // A row of one cell goes over the whole width.
            let width = if cells.len() == 1 { WIDTH } else { share * WIDTH };
            self.tags.open(Kind::Cell);
            let leaf = self.tags.leaf();
            self.tags.close();
            let lines = self.fonts.lines(text, look.face, look.size, width - 7.0);
            let at = if *numbers { x + width - 4.0 } else { x + 3.0 };
            set.push((at, *numbers, *look, leaf, lines));
            x += width;
        }
        self.tags.close();
        let leading = set.iter().map(|cell| cell.2.leading()).fold(8.0, f32::max);
        let most = set.iter().map(|cell| cell.4.len()).max().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "lines of a page are few")]
        let height = most as f32 * leading + 5.0;
        if height > self.left() && height < (BOTTOM - TOP) / 3.0 {
            self.new_page();
            self.head(columns, false);
        }
        let mut rest: Vec<_> =
            set.into_iter().map(|(x, n, l, f, lines)| (x, n, l, f, lines.into_iter())).collect();
        for _ in 0..most {
            if self.left() < leading + 5.0 {
                self.new_page();
                self.head(columns, false);
            }
            let y = self.y + 2.0;
            for (x, numbers, look, leaf, lines) in &mut rest {
                if let Some(line) = lines.next() {
                    let at = if *numbers { *x - line.width * look.size } else { *x };
                    self.text(Some(*leaf), at, y + look.size, *look, line);
                }
            }
            self.y += leading;
        }
        self.y += 5.0;
        let (x, y) = (MARGIN, self.y - 0.5);
        self.push(None, Shape::Box { x, y, width: WIDTH, height: 0.5, colour: RULE });
    }

    /// Bars of several parts each, all to one scale, with their numbers in words.
    pub(super) fn bars(&mut self, title: &str, rows: &[(String, Vec<Part>)]) {
        const LABEL: f32 = 165.0;
        let sum = |parts: &[Part]| parts.iter().map(|part| part.2).sum::<u64>();
        let most = rows.iter().map(|(_, parts)| sum(parts)).max().unwrap_or(0).max(1);
        // A picture that fits on a page is on one page.
        self.need(bars_height(rows.len()));
        self.paragraph(title, Look::STRONG, 0.0);
        self.tags.open(Kind::Figure(title.to_owned()));
        let leaf = Some(self.tags.leaf());
        for (label, parts) in rows {
            let look = Look::CELL;
            let mut lines = self.fonts.lines(label, look.face, look.size, LABEL - 8.0);
            lines.truncate(3);
            let more: f32 = lines.iter().skip(1).map(|_| look.leading()).sum();
            self.need(ROW + more);
            let mut y = self.y + 9.5;
            for line in lines {
                let x = MARGIN + LABEL - 8.0 - line.width * look.size;
                self.text(leaf, x, y, look, line);
                y += look.leading();
            }
            // The bar stands in the middle of its label.
            let y = self.y + more / 2.0;
            let mut x = MARGIN + LABEL;
            for (colour, _, size) in parts.iter().filter(|part| part.2 > 0) {
                #[expect(clippy::cast_precision_loss, reason = "a bar is drawn to half a point")]
                let width = (*size as f32 / most as f32 * (WIDTH - LABEL - 150.0)).max(1.5);
                self.push(leaf, Shape::Box { x, y, width, height: 12.0, colour: *colour });
                x += width;
            }
            let words: Vec<String> = parts
                .iter()
                .filter(|part| part.2 > 0)
                .map(|(_, name, size)| format!("{size} {name}"))
                .collect();
            let words = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
            let look = Look { size: 7.0, ..Look::QUIET };
            let line = self.fonts.line(&words, look.face, look.size, MARGIN + WIDTH - x - 5.0);
            self.text(leaf, x + 5.0, y + 9.0, look, line);
            self.y += ROW + more;
        }
        self.tags.close();
        self.y += 6.0;
    }

    /// A line of the contents: the heading, and its page at the right.
    pub(super) fn entry(&mut self, heading: usize, level: u16, text: &str, page: &str) {
        let look = if level == 1 { Look::STRONG } else { Look::BODY };
        let indent = if level == 1 { 0.0 } else { 14.0 };
        self.need(look.leading());
        self.tags.open(Kind::Entry);
        let leaf = Some(self.tags.leaf());
        let line = self.fonts.line(text, look.face, look.size, WIDTH - indent - 40.0);
        let y = self.y + look.size;
        self.text(leaf, MARGIN + indent, y, look, line);
        let number = self.fonts.line(&format!(" {page}"), look.face, look.size, 40.0);
        let x = MARGIN + WIDTH - number.width * look.size;
        self.text(leaf, x, y, look, number);
        let (x, y, height) = (MARGIN, self.y, look.leading());
        self.push(leaf, Shape::Link { x, y, width: WIDTH, height, heading });
        self.tags.close();
        self.y += look.leading() + 1.5;
    }
}
