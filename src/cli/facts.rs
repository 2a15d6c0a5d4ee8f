//! `assay facts` and `assay explain`.

use std::io::Write;

use super::{Exit, Failure, render, stdout};
use crate::diagnostic::codes;
use crate::model::schema::{Origin, TableSchema};
use crate::model::table;

pub(super) fn run(name: Option<&str>) -> Result<Exit, Failure> {
    let mut out = stdout();
    match name {
        None => {
            for table in table::all() {
                writeln!(out, "{:<22} {}", table.name, table.doc.trim())?;
            }
        }
        Some(name) => match table::find(name) {
            Some(table) => describe(table, &mut out)?,
            None => {
                render::line(&format!(
                    "error: there is no table {name:?}; `assay facts` lists them"
                ));
                return Ok(Exit::Usage);
            }
        },
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn describe(table: &TableSchema, out: &mut dyn Write) -> std::io::Result<()> {
    let origin = match table.origin {
        Origin::Collected => "collected from the host",
        Origin::Lens => "read from configuration texts",
        Origin::Derived => "computed from other tables",
    };
    writeln!(out, "{}: {}\n{origin}\n", table.name, table.doc.trim())?;
    for column in table.columns {
        let optional = if column.optional { "?" } else { "" };
        let ty = format!("{}{optional}", column.ty.name());
        writeln!(out, "  {:<18} {ty:<14} {}", column.name, column.doc.trim())?;
    }
    Ok(())
}

/// Explains one code, or lists all.
pub(super) fn explain(id: Option<&str>) -> Result<Exit, Failure> {
    let mut out = stdout();
    match id.map(|id| (id, codes::find(id))) {
        None => {
            for code in codes::all() {
                writeln!(out, "{}  {}", code.0.id, code.0.title)?;
            }
        }
        Some((_, Some(code))) => {
            writeln!(out, "{}: {}\n\n{}", code.0.id, code.0.title, code.0.explanation)?;
        }
        Some((id, None)) => {
            render::line(&format!("error: there is no code {id:?}; `assay explain` lists them"));
            return Ok(Exit::Usage);
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}
