//! `assay snapshot`.

use std::io::Write;
use std::path::Path;

use super::args::Snapshot as Command;
use super::{Exit, Failure, render, stdout};
use crate::emit::escape;
use crate::model::cell::Fact;
use crate::model::facts::FactSource;
use crate::model::table::{self, Host};
use crate::snapshot::{Snapshot, SnapshotError};

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
            let Some(table) = table::COLLECTED.iter().find(|known| known.name == table) else {
                let names: Vec<&str> = table::COLLECTED.iter().map(|table| table.name).collect();
                render::line(&format!(
                    "error: a snapshot has no table {table:?}; it has {}",
                    names.join(", ")
                ));
                return Ok(Exit::Usage);
            };
            snapshot.verify().map_err(|error| told(file, &error))?;
            snapshot.print_table(table, &mut out)?;
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
