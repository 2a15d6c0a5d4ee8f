//! A snapshot as JSON, for people and other programs. JSON escapes control characters, so what a
//! hostile host put into a fact cannot reach a terminal.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde_json::{Map, Value as Json, json};

use super::Snapshot;
use crate::model::cell::Fact;
use crate::model::facts::{FactSource, Row};
use crate::model::schema::{ColumnType, TableSchema};
use crate::model::table::{COLLECTED, File};
use crate::model::value::Value;

/// A cell as JSON; modes are octal texts, as rules write them.
fn cell(value: &Value, ty: ColumnType) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => json!(bool),
        Value::Int(int) if ty == ColumnType::Mode => json!(format!("{int:04o}")),
        Value::Int(int) => json!(int),
        Value::Text(text) => json!(**text),
        Value::List(list) => list.iter().map(|item| cell(item, ty)).collect(),
    }
}

fn object(row: Row<'_>) -> Json {
    let columns = row.schema().columns.iter().zip(row.cells());
    Json::Object(
        columns
            .map(|(column, value)| (column.name.to_owned(), cell(value, column.ty)))
            .collect::<Map<_, _>>(),
    )
}

impl Snapshot {
    /// Shows every row of a collected table, in order.
    fn each_row(
        &self,
        table: &'static TableSchema,
        visit: &mut dyn FnMut(Row<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut result = Ok(());
        let fact_error = |error: crate::model::state::FactError| io::Error::other(error);
        if table.name == File::TABLE.name {
            self.scan_files(&|_| true, &mut |row| match visit(row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    result = Err(error);
                    ControlFlow::Break(())
                }
            })
            .map_err(fact_error)?;
            return result;
        }
        for row in self.rows(table).map_err(fact_error)?.iter() {
            visit(row)?;
        }
        result
    }

    /// Writes the rows of one collected table, one JSON object a line.
    ///
    /// # Errors
    /// The output refuses the bytes, or the section is damaged.
    pub fn print_table(&self, table: &'static TableSchema, out: &mut dyn Write) -> io::Result<()> {
        self.each_row(table, &mut |row| writeln!(out, "{}", object(row)))
    }

    /// Writes everything as one JSON object: `id`, and `tables` with `state`, `reason` and `rows`.
    ///
    /// # Errors
    /// The output refuses the bytes, or a section is damaged.
    pub fn export(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"id\":{},\"tables\":{{", json!(self.id()))?;
        for (position, table) in COLLECTED.iter().enumerate() {
            let state = self.state(table);
            let separator = if position == 0 { "" } else { "," };
            write!(
                out,
                "{separator}\n{}:{{\"state\":{},\"reason\":{},\"rows\":[",
                json!(table.name),
                json!(state.name()),
                json!(state.reason().map(|reason| &**reason))
            )?;
            let mut first = true;
            self.each_row(table, &mut |row| {
                let separator = if std::mem::take(&mut first) { "\n" } else { ",\n" };
                write!(out, "{separator}{}", object(row))
            })?;
            write!(out, "]}}")?;
        }
        writeln!(out, "\n}}}}")
    }
}
