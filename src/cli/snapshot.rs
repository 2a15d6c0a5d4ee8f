//! `assay snapshot`.

use std::io::Write;
use std::path::Path;

use super::args::Snapshot as Command;
use super::{Exit, Failure, render, stdout};
use crate::emit::escape;
use crate::model::cell::Fact;
use crate::model::facts::FactSource;
use crate::model::schema::{Origin, TableSchema};
use crate::model::table::{self, Host};
use crate::model::view::View;
use crate::snapshot::{Snapshot, SnapshotError, write_row};

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    let mut out = stdout();
    match command {
        Command::Info { file } => info(&open(file)?, &mut out)?,
        Command::Verify { file } => {
            let snapshot = open(file)?;
            snapshot.verify().map_err(|error| told(file, &error))?;
            writeln!(out, "sound: {} ({} bytes)", snapshot.id(), snapshot.size())?;
        }
        Command::Cat { file, table } => {
            let snapshot = open(file)?;
            let Some(table) = table::find(table) else {
                render::line(&format!(
                    "error: there is no table {table:?}; `assay facts` lists them"
                ));
                return Ok(Exit::Usage);
            };
            snapshot.verify().map_err(|error| told(file, &error))?;
            cat(&snapshot, table, &mut out)?;
        }
        Command::Export { file, json: _ } => {
            let snapshot = open(file)?;
            snapshot.verify().map_err(|error| told(file, &error))?;
            snapshot.export(&mut out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

/// Prints a table, whether it was collected or is read and computed now; a state other than
/// collected is told beside it.
fn cat(
    snapshot: &Snapshot,
    table: &'static TableSchema,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let state = if table.origin == Origin::Collected {
        snapshot.print_table(table, out)?;
        snapshot.state(table)
    } else {
        let loaded = View::new(snapshot)
            .table(table)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        for row in loaded.rows.iter() {
            write_row(row, out)?;
            writeln!(out)?;
        }
        loaded.state
    };
    if !state.is_complete() {
        render::line(&format!("note: {}: {}", table.name, escape(&state.to_string())));
    }
    Ok(())
}

pub(super) fn open(file: &Path) -> Result<Snapshot, Failure> {
    Snapshot::open(file).map_err(|error| told(file, &error))
}

fn told(file: &Path, error: &SnapshotError) -> Failure {
    render::diagnostic(&error.diagnostic(&file.display().to_string()));
    Failure::Told(Exit::BadInput)
}

/// How long a live host was observed, where the snapshot tells it.
fn observed(snapshot: &Snapshot) -> Option<String> {
    let rows = snapshot.rows(Host::TABLE).ok()?;
    let host = rows.typed::<Host>().next()?;
    let (seen, asked) = (host.observed_seconds, host.requested_seconds?);
    Some(match asked {
        0 => "one look".to_owned(),
        _ if seen < asked => format!("{seen} s of {asked} s, stopped early"),
        _ => format!("{seen} s"),
    })
}

fn info(snapshot: &Snapshot, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "id    {}\nsize  {} bytes", snapshot.id(), snapshot.size())?;
    if let Some(observed) = observed(snapshot) {
        writeln!(out, "seen  {observed}")?;
    }
    writeln!(out)?;
    writeln!(out, "{:<20}{:>9}{:>11}{:>12}  State", "Table", "Rows", "Stored", "Raw")?;
    for section in snapshot.info() {
        writeln!(
            out,
            "{:<20}{:>9}{:>11}{:>12}  {}",
            escape(&section.name),
            section.rows,
            section.stored,
            section.raw,
            escape(&section.state.to_string()),
        )?;
    }
    Ok(())
}
