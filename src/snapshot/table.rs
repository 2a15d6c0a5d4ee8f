//! The payload of a small table: its columns by name and type, then the cells column by column.

use super::bytes::{Cursor, Problem, put_len};
use super::column::{self, Cells, Columns, Unfit};
use super::{SnapshotError, layout};
use crate::model::facts::Rows;
use crate::model::schema::{Column, TableSchema};
use crate::model::value::Value;

/// The payload of these rows.
pub(super) fn encode(rows: &Rows) -> Result<Vec<u8>, SnapshotError> {
    let schema = rows.schema();
    check(rows)?;
    let mut out = Vec::new();
    put_len(&mut out, schema.columns.len());
    schema.columns.iter().for_each(|column| column::describe(&mut out, column));
    for (place, column) in schema.columns.iter().enumerate() {
        column::encode(&mut out, column, rows.iter().filter_map(move |row| row.cells().get(place)));
    }
    if out.len() > layout::MAX_TABLE {
        let what = format!("the {} table (bytes)", schema.name);
        return Err(SnapshotError::too_large(what, layout::MAX_TABLE));
    }
    Ok(out)
}

fn check(rows: &Rows) -> Result<(), SnapshotError> {
    let schema = rows.schema();
    let mut cells = 0usize;
    for (number, row) in rows.iter().enumerate() {
        for (column, value) in schema.columns.iter().zip(row.cells()) {
            if !column::fits(value, column) {
                return Err(SnapshotError::InvalidRow {
                    table: schema.name.into(),
                    problem: format!(
                        "row {number} has a {} that is not {}",
                        column.name,
                        column.ty.name()
                    ),
                });
            }
            cells += 1 + value.as_list().map_or(0, <[Value]>::len);
        }
    }
    if cells > layout::MAX_CELLS {
        let what = format!("the {} table (cells)", schema.name);
        return Err(SnapshotError::too_large(what, layout::MAX_CELLS));
    }
    Ok(())
}

/// The rows of a payload.
pub(super) fn decode(
    raw: &[u8],
    schema: &'static TableSchema,
    rows: u64,
) -> Result<Rows, SnapshotError> {
    read(raw, schema, rows).map_err(|unfit| unfit_in(schema.name, unfit))
}

/// The error for columns that cannot serve.
pub(super) fn unfit_in(table: &str, unfit: Unfit) -> SnapshotError {
    match unfit {
        Unfit::Bad(problem) => SnapshotError::section(table, problem),
        Unfit::Missing(column) => SnapshotError::MissingColumn {
            table: table.into(),
            column: column.name.into(),
            ty: column.ty.name(),
        },
    }
}

fn read(raw: &[u8], schema: &'static TableSchema, rows: u64) -> Result<Rows, Unfit> {
    let width = schema.columns.len();
    let limit = layout::MAX_CELLS / width.max(1);
    let rows = usize::try_from(rows).ok().filter(|rows| *rows <= limit);
    let rows = rows.ok_or_else(|| Problem::from("it has too many rows"))?;
    let mut budget = layout::MAX_CELLS - rows * width;

    let mut cursor = Cursor::new(raw);
    let wanted: Vec<&'static Column> = schema.columns.iter().collect();
    let columns = Columns::decode(&mut cursor, &wanted)?;
    let mut bodies = Vec::new();
    for _ in &columns.stored {
        bodies.push(cursor.bytes()?);
    }
    cursor.end()?;
    // A row without a single stored cell would be rows out of nothing.
    if rows > 0 && columns.stored.is_empty() {
        return Err(Unfit::Bad("it has rows and no columns".into()));
    }

    let mut cells = Vec::with_capacity(width);
    for (column, place) in schema.columns.iter().zip(&columns.wanted) {
        cells.push(match place.and_then(|at| Some((bodies.get(at)?, columns.stored.get(at)?))) {
            Some((bytes, described)) => Some(Cells::new(bytes, described, column, rows)?),
            None => None,
        });
    }
    let mut decoded = Rows::new(schema);
    for _ in 0..rows {
        let mut row = Vec::with_capacity(width);
        for (column, cells) in schema.columns.iter().zip(&mut cells) {
            let value = cells.as_mut().map_or(Ok(Value::Null), |cells| cells.next(&mut budget))?;
            if !column::fits(&value, column) {
                return Err(Unfit::Bad(format!("a value of {} does not fit", column.name)));
            }
            row.push(value);
        }
        decoded.push(row);
    }
    for cells in cells.iter().flatten() {
        cells.end()?;
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::{ColumnType, Origin};

    const fn column(name: &'static str, ty: ColumnType, optional: bool) -> Column {
        Column { name, ty, optional, doc: "a column of a test" }
    }

    const fn schema(columns: &'static [Column]) -> TableSchema {
        let (doc, location) = ("a table of a test", "{name}");
        TableSchema { name: "test", doc, origin: Origin::Collected, location, columns }
    }

    const NAME: Column = column("name", ColumnType::Text, false);
    const NOTE: Column = column("note", ColumnType::Text, true);
    static PLAIN: TableSchema = schema(&[NAME]);
    static WIDE: TableSchema = schema(&[NOTE, NAME]);
    static STRICT: TableSchema = schema(&[NAME, column("note", ColumnType::Text, false)]);
    static RETYPED: TableSchema = schema(&[column("name", ColumnType::Int, false)]);
    static SAME_FORM: TableSchema = schema(&[column("name", ColumnType::Path, false)]);

    fn rows(schema: &'static TableSchema, cells: &[Value]) -> Rows {
        let mut rows = Rows::new(schema);
        cells.chunks(schema.columns.len()).for_each(|row| rows.push(row.to_vec()));
        rows
    }

    #[test]
    fn columns_are_found_by_name() {
        let old = encode(&rows(&PLAIN, &[Value::text("a"), Value::text("b")])).unwrap();
        let read = decode(&old, &WIDE, 2).unwrap();
        let wide = [Value::Null, Value::text("a"), Value::Null, Value::text("b")];
        assert_eq!(read, rows(&WIDE, &wide), "an optional column that is not stored is null");

        let new = encode(&rows(&WIDE, &[Value::text("x"), Value::text("a")])).unwrap();
        let read = decode(&new, &PLAIN, 1).unwrap();
        assert_eq!(read, rows(&PLAIN, &[Value::text("a")]), "an unknown column is skipped");
        assert_eq!(decode(&old, &SAME_FORM, 2).unwrap().len(), 2);
    }

    #[test]
    fn a_required_column_must_be_there_in_its_type() {
        let old = encode(&rows(&PLAIN, &[Value::text("a")])).unwrap();
        for schema in [&STRICT, &RETYPED] {
            let error = decode(&old, schema, 1).unwrap_err();
            assert!(matches!(error, SnapshotError::MissingColumn { .. }), "{error}");
        }
        let nulls = encode(&rows(&WIDE, &[Value::Null, Value::text("a")])).unwrap();
        assert!(decode(&nulls, &STRICT, 1).is_err(), "a null where the column is required");
    }

    #[test]
    fn a_cell_of_another_type_is_not_written() {
        for cell in [Value::Null, Value::Int(1), Value::List([Value::text("a")].into())] {
            let error = encode(&rows(&PLAIN, &[cell])).unwrap_err();
            assert!(matches!(error, SnapshotError::InvalidRow { .. }), "{error}");
        }
    }

    #[test]
    fn row_counts_are_not_believed() {
        let raw = encode(&rows(&PLAIN, &[Value::text("a"), Value::text("b")])).unwrap();
        for claimed in [0, 1, 3, 1 << 20, u64::MAX] {
            assert!(decode(&raw, &PLAIN, claimed).is_err(), "{claimed}");
        }
    }
}
