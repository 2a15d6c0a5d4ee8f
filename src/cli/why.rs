//! `assay scan --explain CVE`: why a host has a vulnerability or has it not.

use std::io::{self, Write};

use super::args::Scan;
use super::{Exit, Failure, databases, render, scan, stdout};
use crate::advisory::matching::explain::Explanation;
use crate::assess::{Advisories, snapshots};
use crate::emit::escape;
use crate::model::facts::FactSource;
use crate::model::view::View;
use crate::snapshot::Snapshot;

/// Explains one vulnerability for every host that was asked about.
pub(super) fn run(arguments: &Scan, advisories: &Advisories, id: &str) -> Result<Exit, Failure> {
    let mut out = stdout();
    let mut exit = Exit::Clean;
    let mut one = |name: &str, facts: &dyn FactSource| -> Result<bool, Failure> {
        match advisories.matcher().explain(&View::new(facts), id) {
            Ok(explanation) => write(name, id, &explanation, &mut out)?,
            Err(error) if databases::blamed(&error.to_string()) => {
                return Err(Failure::Told(Exit::BadRules));
            }
            Err(error) => {
                refuse(name, &error.to_string());
                return Ok(false);
            }
        }
        Ok(true)
    };
    if arguments.paths.is_empty() {
        let (name, facts) = scan::collected(arguments)?;
        if !one(&name, &facts)? {
            exit = Exit::BadInput;
        }
    } else {
        let (files, errors) = snapshots(&scan::wanted(&arguments.paths)?);
        for error in &errors {
            refuse(&error.path, &error.to_string());
            exit = Exit::BadInput;
        }
        if files.is_empty() && errors.is_empty() {
            render::line("error: no snapshot was found");
            return Ok(Exit::Nothing);
        }
        for file in files {
            let name = file.display().to_string();
            let sound = match Snapshot::open(&file) {
                Ok(snapshot) => one(&name, &snapshot)?,
                Err(error) => {
                    refuse(&name, &format!("{}: {error}", error.code()));
                    false
                }
            };
            if !sound {
                exit = Exit::BadInput;
            }
        }
    }
    out.flush()?;
    Ok(exit)
}

fn refuse(name: &str, reason: &str) {
    render::line(&format!("error: {} was not judged: {}", escape(name), escape(reason)));
}

fn write(host: &str, id: &str, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let verdict = match (explanation.vulnerable, explanation.doubts.is_empty()) {
        (true, _) => "vulnerable",
        (false, true) => "not vulnerable",
        (false, false) => "not known",
    };
    writeln!(out, "{}: {} {verdict}", escape(host), escape(id))?;
    for doubt in &explanation.doubts {
        writeln!(out, "  not judged: {}", escape(doubt))?;
    }
    for step in &explanation.steps {
        writeln!(out, "  {}", escape(&step.package))?;
        writeln!(out, "      {}", escape(&step.source))?;
        writeln!(out, "      {}", escape(&step.range))?;
        writeln!(out, "      {}", escape(&step.decision))?;
    }
    for note in &explanation.notes {
        writeln!(out, "  note: {}", escape(note))?;
    }
    Ok(())
}
