//! The payload of a small table: its columns by name and type, then each column's cells. Texts
//! stand once in a list that cells point into.

use std::collections::HashMap;
use std::sync::Arc;

use super::SnapshotError;
use super::bytes::{Cursor, put_bytes, put_int, put_uint};
use crate::model::facts::Rows;
use crate::model::schema::{ColumnType, TableSchema};
use crate::model::value::Value;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const TEXT: u8 = 4;
const LIST: u8 = 5;

fn type_code(ty: ColumnType) -> u8 {
    match ty {
        ColumnType::Bool => 0,
        ColumnType::Int => 1,
        ColumnType::Mode => 2,
        ColumnType::Time => 3,
        ColumnType::Text => 4,
        ColumnType::Path => 5,
        ColumnType::Version => 6,
        ColumnType::TextList => 7,
        ColumnType::IntList => 8,
    }
}

pub(super) fn encode(rows: &Rows) -> Vec<u8> {
    let mut texts = Texts::default();
    let mut cells = Vec::new();
    for column in 0..rows.schema().columns.len() {
        for row in rows.iter() {
            put_value(&mut cells, &mut texts, &row.cells()[column]);
        }
    }
    let mut out = Vec::with_capacity(cells.len());
    put_uint(&mut out, rows.schema().columns.len() as u64);
    for column in rows.schema().columns {
        put_bytes(&mut out, column.name.as_bytes());
        out.push(type_code(column.ty));
    }
    put_uint(&mut out, texts.list.len() as u64);
    for text in &texts.list {
        put_bytes(&mut out, text.as_bytes());
    }
    out.extend_from_slice(&cells);
    out
}

#[derive(Default)]
struct Texts {
    list: Vec<Arc<str>>,
    index: HashMap<Arc<str>, u64>,
}

fn put_value(out: &mut Vec<u8>, texts: &mut Texts, value: &Value) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(bool) => out.push(if *bool { TRUE } else { FALSE }),
        Value::Int(int) => {
            out.push(INT);
            put_int(out, *int);
        }
        Value::Text(text) => {
            let next = texts.list.len() as u64;
            let index = *texts.index.entry(Arc::clone(text)).or_insert_with(|| {
                texts.list.push(Arc::clone(text));
                next
            });
            out.push(TEXT);
            put_uint(out, index);
        }
        Value::List(list) => {
            out.push(LIST);
            put_uint(out, list.len() as u64);
            for item in list.iter() {
                put_value(out, texts, item);
            }
        }
    }
}

pub(super) fn decode(
    raw: &[u8],
    schema: &'static TableSchema,
    count: u64,
) -> Result<Rows, SnapshotError> {
    let malformed = |what: &str| SnapshotError::malformed(format!("{what} in {}", schema.name));
    let mut cursor = Cursor::new(raw);
    let width = cursor.count(2)?;
    let mut columns = Vec::with_capacity(width);
    for _ in 0..width {
        let name = cursor.text()?;
        let ty = cursor.byte()?;
        let position = schema.column(name);
        if position.is_some_and(|at| type_code(schema.columns[at].ty) != ty) {
            return Err(malformed(&format!("the type of {name}")));
        }
        if position.is_some() && columns.contains(&position) {
            return Err(malformed(&format!("a second {name}")));
        }
        columns.push(position);
    }
    if let Some(missing) = (schema.columns.iter().enumerate())
        .find(|(at, column)| !column.optional && !columns.contains(&Some(*at)))
    {
        return Err(malformed(&format!("no column {}", missing.1.name)));
    }
    let text_count = cursor.count(1)?;
    let mut texts: Vec<Arc<str>> = Vec::with_capacity(text_count);
    for _ in 0..text_count {
        texts.push(cursor.text()?.into());
    }
    let rows = usize::try_from(count).map_err(|_| malformed("the row count"))?;
    // Each cell takes at least one byte, so the claim is checked before anything is allocated.
    if rows.checked_mul(width.max(1)).is_none_or(|cells| cells > cursor.remaining()) {
        return Err(malformed("the row count"));
    }
    let stride = schema.columns.len();
    let mut cells = vec![Value::Null; rows * stride];
    for position in columns {
        for row in 0..rows {
            let value = read_value(&mut cursor, &texts, 0)?;
            let Some(at) = position else { continue };
            let column = &schema.columns[at];
            if !fits(&value, column.ty, column.optional) {
                return Err(malformed(&format!("a value of {}", column.name)));
            }
            cells[row * stride + at] = value;
        }
    }
    if !cursor.is_empty() {
        return Err(malformed("more bytes than rows"));
    }
    let mut decoded = Rows::new(schema);
    for row in cells.chunks_exact(stride) {
        decoded.push(row.to_vec());
    }
    Ok(decoded)
}

fn read_value(
    cursor: &mut Cursor<'_>,
    texts: &[Arc<str>],
    depth: u8,
) -> Result<Value, SnapshotError> {
    Ok(match cursor.byte()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::Int(cursor.int()?),
        TEXT => {
            let index = usize::try_from(cursor.uint()?).ok();
            let text = index.and_then(|index| texts.get(index));
            Value::Text(Arc::clone(text.ok_or_else(|| SnapshotError::malformed("a text index"))?))
        }
        LIST if depth == 0 => {
            let count = cursor.count(1)?;
            (0..count).map(|_| read_value(cursor, texts, 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        _ => return Err(SnapshotError::malformed("a value's tag")),
    })
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::List(list.into())
    }
}

fn fits(value: &Value, ty: ColumnType, optional: bool) -> bool {
    match value {
        Value::Null => optional,
        Value::Bool(_) => ty == ColumnType::Bool,
        Value::Int(int) => match ty {
            ColumnType::Mode => (0..=0o7777).contains(int),
            other => other.is_int(),
        },
        Value::Text(_) => ty.is_text(),
        Value::List(list) => match ty {
            ColumnType::TextList => list.iter().all(|item| item.as_text().is_some()),
            ColumnType::IntList => list.iter().all(|item| item.as_int().is_some()),
            _ => false,
        },
    }
}
