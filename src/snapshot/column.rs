//! One column of cells. A column says its own length, so that a reader skips one it does not
//! know; texts stand once in the column's dictionary, in the order of their first use.

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::{Cursor, Problem, put_bytes, put_len, put_varint, unzigzag, varint_len, zigzag};
use super::layout;
use crate::model::schema::{Column, ColumnType};
use crate::model::value::Value;

/// The byte for a column type.
const TYPES: [ColumnType; 9] = [
    ColumnType::Bool,
    ColumnType::Int,
    ColumnType::Mode,
    ColumnType::Time,
    ColumnType::Text,
    ColumnType::Path,
    ColumnType::Version,
    ColumnType::TextList,
    ColumnType::IntList,
];

/// How values of a type are stored; types of one form can stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bool,
    Int,
    Text,
    TextList,
    IntList,
}

impl Form {
    fn of(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Bool => Self::Bool,
            ColumnType::Int | ColumnType::Mode | ColumnType::Time => Self::Int,
            ColumnType::Text | ColumnType::Path | ColumnType::Version => Self::Text,
            ColumnType::TextList => Self::TextList,
            ColumnType::IntList => Self::IntList,
        }
    }
}

/// The description of a stored column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: Arc<str>,
    /// None for a type of a newer writer.
    ty: Option<ColumnType>,
    pub(super) optional: bool,
}

/// Appends the description of a column.
pub(super) fn describe(out: &mut Vec<u8>, column: &Column) {
    put_bytes(out, column.name.as_bytes());
    let ty = TYPES.iter().position(|ty| *ty == column.ty).unwrap_or(TYPES.len());
    out.push(ty as u8);
    out.push(if column.optional { layout::COLUMN_OPTIONAL } else { 0 });
}

/// The columns that are stored, and for each column that is wanted where it is among them; none
/// where it is optional and not stored.
pub(super) struct Columns {
    pub(super) stored: Vec<Described>,
    pub(super) wanted: Vec<Option<usize>>,
}

/// Why stored columns cannot serve.
pub(super) enum Unfit {
    /// The bytes make no sense.
    Bad(Problem),
    /// A required column is not there, or as another type.
    Missing(&'static Column),
}

impl From<Problem> for Unfit {
    fn from(problem: Problem) -> Self {
        Self::Bad(problem)
    }
}

impl Columns {
    /// Reads descriptions and finds the wanted columns among them.
    pub(super) fn decode<'c>(
        cursor: &mut Cursor<'_>,
        wanted: impl IntoIterator<Item = &'c &'static Column>,
    ) -> Result<Self, Unfit> {
        let count = cursor.len(layout::MAX_COLUMNS, "the count of columns")?;
        let mut stored: Vec<Described> = Vec::new();
        for _ in 0..count {
            let name = cursor.text(layout::MAX_NAME)?;
            let (ty, flags) = (cursor.u8()?, cursor.u8()?);
            if stored.iter().any(|other| &*other.name == name) {
                return Err(Unfit::Bad(format!("column {name:?} is there twice")));
            }
            stored.push(Described {
                name: name.into(),
                ty: TYPES.get(usize::from(ty)).copied(),
                optional: flags & layout::COLUMN_OPTIONAL != 0,
            });
        }
        let mut places = Vec::new();
        for column in wanted {
            let place = stored.iter().position(|other| {
                &*other.name == column.name
                    && other.ty.is_some_and(|ty| Form::of(ty) == Form::of(column.ty))
            });
            if place.is_none() && !column.optional {
                return Err(Unfit::Missing(column));
            }
            places.push(place);
        }
        Ok(Self { stored, wanted: places })
    }
}

/// Whether a cell is what its column says. Modes have no bits above `0o7777`.
pub(super) fn fits(value: &Value, column: &Column) -> bool {
    match (value, Form::of(column.ty)) {
        (Value::Null, _) => column.optional,
        (Value::Int(int), Form::Int) => column.ty != ColumnType::Mode || (0..=0o7777).contains(int),
        (Value::Bool(_), Form::Bool) | (Value::Text(_), Form::Text) => true,
        (Value::List(list), Form::TextList) => list.iter().all(|item| item.as_text().is_some()),
        (Value::List(list), Form::IntList) => list.iter().all(|item| item.as_int().is_some()),
        _ => false,
    }
}

/// Appends a column of cells that [`fits`] holds for, after its length.
pub(super) fn encode<'v>(
    out: &mut Vec<u8>,
    column: &Column,
    cells: impl Iterator<Item = &'v Value> + Clone,
) {
    let mut body = Vec::new();
    if column.optional {
        put_bits(&mut body, cells.clone().map(|cell| !cell.is_null()));
    }
    let cells = cells.filter(|cell| !cell.is_null());
    match Form::of(column.ty) {
        Form::Bool => put_bits(&mut body, cells.map(|cell| cell == &Value::Bool(true))),
        Form::Int => put_ints(&mut body, cells.filter_map(Value::as_int)),
        Form::Text => put_texts(&mut body, cells.filter_map(Value::as_text)),
        Form::TextList => {
            put_lens(&mut body, cells.clone());
            put_texts(&mut body, items(cells).filter_map(Value::as_text));
        }
        Form::IntList => {
            put_lens(&mut body, cells.clone());
            put_ints(&mut body, items(cells).filter_map(Value::as_int));
        }
    }
    put_bytes(out, &body);
}

fn items<'v>(
    cells: impl Iterator<Item = &'v Value> + Clone,
) -> impl Iterator<Item = &'v Value> + Clone {
    cells.flat_map(|cell| cell.as_list().unwrap_or_default())
}

fn put_lens<'v>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'v Value>) {
    for cell in cells {
        put_len(out, cell.as_list().map_or(0, <[Value]>::len));
    }
}

fn put_bits(out: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let mut byte = 0;
    let mut count = 0;
    for bit in bits {
        byte |= u8::from(bit) << (count % 8);
        count += 1;
        if count % 8 == 0 {
            out.push(std::mem::take(&mut byte));
        }
    }
    if count % 8 != 0 {
        out.push(byte);
    }
}

/// Numbers as they are or as differences, whichever is shorter.
fn put_ints(out: &mut Vec<u8>, ints: impl Iterator<Item = i64> + Clone) {
    let deltas =
        ints.clone().scan(0i64, |last, int| Some(int.wrapping_sub(std::mem::replace(last, int))));
    let len = |ints: &mut dyn Iterator<Item = i64>| -> usize {
        ints.map(|int| varint_len(zigzag(int))).sum()
    };
    if len(&mut deltas.clone()) < len(&mut ints.clone()) {
        out.push(layout::INT_DELTA);
        deltas.for_each(|int| put_varint(out, zigzag(int)));
    } else {
        out.push(layout::INT_PLAIN);
        ints.for_each(|int| put_varint(out, zigzag(int)));
    }
}

/// A dictionary, then for each text 0 where it is the next entry that was not used yet, else one
/// more than its place.
fn put_texts<'v>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'v str> + Clone) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut codes = Vec::new();
    let mut dictionary = Vec::new();
    for text in texts {
        let next = places.len();
        let place = *places.entry(text).or_insert(next);
        if place == next {
            dictionary.push(text);
        }
        put_len(&mut codes, if place == next { 0 } else { place + 1 });
    }
    put_len(out, dictionary.len());
    dictionary.iter().for_each(|text| put_len(out, text.len()));
    dictionary.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
    out.extend_from_slice(&codes);
}

/// Gives the cells of a column one after the other. What it holds is at most a small multiple of
/// the column's bytes.
pub(super) struct Cells<'a> {
    form: Form,
    present: Option<Bits<'a>>,
    bools: Bits<'a>,
    lens: Cursor<'a>,
    data: Cursor<'a>,
    delta: bool,
    last: i64,
    texts: Vec<Arc<str>>,
    used: usize,
}

#[derive(Clone, Copy)]
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn take(cursor: &mut Cursor<'a>, count: usize) -> Result<Self, Problem> {
        Ok(Self { bytes: cursor.take(count.div_ceil(8))?, at: 0 })
    }

    fn next(&mut self) -> Result<bool, Problem> {
        let byte = self.bytes.get(self.at / 8).ok_or("a bitmap is too short")?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    fn ones(&self, count: usize) -> usize {
        let whole = count / 8;
        let ones =
            |bytes: &[u8]| bytes.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
        let last = self.bytes.get(whole).map_or(0, |byte| byte & ((1 << (count % 8)) - 1));
        ones(self.bytes.get(..whole).unwrap_or_default()) + last.count_ones() as usize
    }
}

impl<'a> Cells<'a> {
    /// Over the bytes of a column of `rows` cells.
    pub(super) fn new(
        bytes: &'a [u8],
        described: &Described,
        wanted: &Column,
        rows: usize,
    ) -> Result<Self, Problem> {
        let mut cursor = Cursor::new(bytes);
        let present = match described.optional {
            true => Some(Bits::take(&mut cursor, rows)?),
            false => None,
        };
        let values = present.map_or(rows, |bits| bits.ones(rows));
        if values < rows && !wanted.optional {
            return Err(format!("column {} lacks values", wanted.name));
        }
        let mut cells = Self {
            form: Form::of(wanted.ty),
            present,
            bools: Bits { bytes: &[], at: 0 },
            lens: Cursor::new(&[]),
            data: cursor,
            delta: false,
            last: 0,
            texts: Vec::new(),
            used: 0,
        };
        match cells.form {
            Form::Bool => cells.bools = Bits::take(&mut cells.data, values)?,
            Form::Int => cells.open_ints()?,
            Form::Text => cells.open_texts(values)?,
            Form::TextList => {
                cells.open_lens(values)?;
                cells.open_texts(layout::MAX_CELLS)?;
            }
            Form::IntList => {
                cells.open_lens(values)?;
                cells.open_ints()?;
            }
        }
        Ok(cells)
    }

    /// The lens stand before the items: walks over them, and keeps a cursor at the first.
    fn open_lens(&mut self, values: usize) -> Result<(), Problem> {
        self.lens = self.data;
        for _ in 0..values {
            self.data.varint()?;
        }
        Ok(())
    }

    fn open_ints(&mut self) -> Result<(), Problem> {
        self.delta = match self.data.u8()? {
            layout::INT_PLAIN => false,
            layout::INT_DELTA => true,
            other => return Err(format!("{other} is not an encoding of numbers")),
        };
        Ok(())
    }

    /// A dictionary of at most `limit` texts, each with its length in at least a byte.
    fn open_texts(&mut self, limit: usize) -> Result<(), Problem> {
        let count = self.data.len(self.data.left().min(limit), "the size of a dictionary")?;
        let mut lens = self.data;
        let mut total = 0usize;
        for _ in 0..count {
            let len = self.data.len(self.data.left(), "the length of a text")?;
            total = total.saturating_add(len);
        }
        let bytes = self.data.take(total)?;
        let text = std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8")?;
        self.texts = Vec::with_capacity(count);
        let mut at = 0;
        for _ in 0..count {
            let end = at + lens.len(total, "the length of a text")?;
            let text = text.get(at..end).ok_or("a text is not UTF-8")?;
            self.texts.push(text.into());
            at = end;
        }
        Ok(())
    }

    /// The next cell. `budget` is how many more elements of lists may be made.
    pub(super) fn next(&mut self, budget: &mut usize) -> Result<Value, Problem> {
        if let Some(present) = &mut self.present
            && !present.next()?
        {
            return Ok(Value::Null);
        }
        match self.form {
            Form::Bool => Ok(Value::Bool(self.bools.next()?)),
            Form::Int => self.int(),
            Form::Text => self.text(),
            Form::TextList | Form::IntList => {
                // Every element takes a byte of what is left.
                let len = self.lens.len((*budget).min(self.data.left()), "the length of a list")?;
                *budget -= len;
                let mut list = Vec::with_capacity(len);
                for _ in 0..len {
                    list.push(match self.form {
                        Form::TextList => self.text()?,
                        _ => self.int()?,
                    });
                }
                Ok(Value::List(list.into()))
            }
        }
    }

    fn int(&mut self) -> Result<Value, Problem> {
        let int = unzigzag(self.data.varint()?);
        self.last = if self.delta { self.last.wrapping_add(int) } else { int };
        Ok(Value::Int(self.last))
    }

    fn text(&mut self) -> Result<Value, Problem> {
        let place = match self.data.varint()? {
            0 => {
                self.used += 1;
                self.used - 1
            }
            code => usize::try_from(code - 1).unwrap_or(usize::MAX),
        };
        let text = self.texts.get(place).filter(|_| place < self.used);
        text.map(|text| Value::Text(Arc::clone(text)))
            .ok_or_else(|| "a text is not in its dictionary".into())
    }

    /// Everything must have been used once the last cell is out.
    pub(super) fn end(&self) -> Result<(), Problem> {
        if self.used != self.texts.len() {
            return Err("a dictionary has texts that nobody uses".into());
        }
        self.data.end()
    }
}
