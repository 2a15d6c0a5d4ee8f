//! Facts as JSON, for people and other programs. What a hostile host put into a fact cannot reach
//! a terminal: besides what JSON escapes, every other control character and every character that
//! turns the direction of text is escaped.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::Snapshot;
use crate::model::cell::Fact;
use crate::model::facts::{FactSource, Row};
use crate::model::schema::{ColumnType, TableSchema};
use crate::model::table::{COLLECTED, File};
use crate::model::value::Value;

/// Writes a JSON string.
fn text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut line = String::with_capacity(text.len() + 2);
    line.push('"');
    for char in text.chars() {
        match char {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\t' => line.push_str("\\t"),
            '\r' => line.push_str("\\r"),
            char if is_unsafe(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            }
            char => line.push(char),
        }
    }
    line.push('"');
    out.write_all(line.as_bytes())
}

/// Control characters, line and paragraph separators, and marks of direction.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(char, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes a cell; modes are octal texts, as rules write them.
fn cell(out: &mut dyn Write, value: &Value, ty: ColumnType) -> io::Result<()> {
    match value {
        Value::Null => write!(out, "null"),
        Value::Bool(bool) => write!(out, "{bool}"),
        Value::Int(int) if ty == ColumnType::Mode => write!(out, "\"{int:04o}\""),
        Value::Int(int) => write!(out, "{int}"),
        Value::Text(value) => text(out, value),
        Value::List(list) => {
            write!(out, "[")?;
            for (number, item) in list.iter().enumerate() {
                write!(out, "{}", if number == 0 { "" } else { "," })?;
                cell(out, item, ty)?;
            }
            write!(out, "]")
        }
    }
}

/// Writes one row of any table as a JSON object, its columns in the schema's order, without a
/// line end. Lines hold no control characters, whatever the facts are.
///
/// # Errors
/// The output refuses the bytes.
pub fn write_row(row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{")?;
    for (number, (column, value)) in row.schema().columns.iter().zip(row.cells()).enumerate() {
        write!(out, "{}\"{}\":", if number == 0 { "" } else { "," }, column.name)?;
        cell(out, value, column.ty)?;
    }
    write!(out, "}}")
}

impl Snapshot {
    /// Shows every row of a collected table, in order.
    fn each_row(
        &self,
        table: &'static TableSchema,
        visit: &mut dyn FnMut(Row<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if table.name != File::TABLE.name {
            let rows = self.rows(table).map_err(damaged)?;
            return rows.iter().try_for_each(visit);
        }
        let mut result = Ok(());
        self.scan_files(&|_| true, &mut |row| {
            result = visit(row);
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .map_err(damaged)?;
        result
    }

    /// Writes the rows of one collected table, one JSON object a line.
    ///
    /// # Errors
    /// The output refuses the bytes; `InvalidData` where the section is damaged.
    pub fn print_table(&self, table: &'static TableSchema, out: &mut dyn Write) -> io::Result<()> {
        self.each_row(table, &mut |row| {
            write_row(row, out)?;
            writeln!(out)
        })
    }

    /// Writes everything as one JSON object: `id`, and `tables`, an object that has for every
    /// collected table `state`, `reason` (null where it is collected) and `rows`, a list of
    /// objects. One row a line.
    ///
    /// # Errors
    /// The output refuses the bytes; `InvalidData` where a section is damaged.
    pub fn export(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"id\":\"{}\",\"tables\":{{", self.id())?;
        for (position, table) in COLLECTED.iter().enumerate() {
            let state = self.state(table);
            let comma = if position == 0 { "" } else { "," };
            write!(out, "{comma}\n\"{}\":{{\"state\":\"{}\",", table.name, state.name())?;
            write!(out, "\"reason\":")?;
            match state.reason() {
                Some(reason) => text(out, reason)?,
                None => write!(out, "null")?,
            }
            write!(out, ",\"rows\":[")?;
            let mut first = true;
            self.each_row(table, &mut |row| {
                write!(out, "{}", if std::mem::take(&mut first) { "\n" } else { ",\n" })?;
                write_row(row, out)
            })?;
            write!(out, "]}}")?;
        }
        writeln!(out, "\n}}}}")
    }
}

fn damaged(error: crate::model::state::FactError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
