//! `assay rules`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::args::{ListFormat, Rules};
use super::{Exit, Failure, render, stdout};
use crate::diagnostic::Diagnostic;
use crate::model::finding::RulesPackage;
use crate::rules::{Library, Listed, scaffold, scaffold_path, schema};
use crate::snapshot::write_atomically;

pub(super) fn run(command: &Rules) -> Result<Exit, Failure> {
    match command {
        Rules::List { format, rules } => list(*format, rules),
        Rules::Show { id } => show(id),
        Rules::New { id } => new(id),
        Rules::Schema => {
            let mut out = stdout();
            writeln!(out, "{:#}", schema())?;
            out.flush()?;
            Ok(Exit::Clean)
        }
        Rules::Check { directory } => check(directory.as_ref()),
    }
}

/// Shows every mistake.
fn told(diagnostics: &[Diagnostic]) -> Failure {
    diagnostics.iter().for_each(render::diagnostic);
    Failure::Told(Exit::BadRules)
}

fn list(format: ListFormat, directories: &[PathBuf]) -> Result<Exit, Failure> {
    let rules = Library::with_directories(directories)
        .and_then(|library| library.list())
        .map_err(|diagnostics| told(&diagnostics))?;
    let mut out = stdout();
    match format {
        ListFormat::Text => {
            for rule in &rules {
                let severity = rule.severity.name();
                writeln!(out, "{:<52} {severity:<13} {}", rule.id, rule.title)?;
            }
        }
        ListFormat::Json => {
            let rules: Json = rules.iter().map(object).collect();
            writeln!(out, "{rules:#}")?;
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn object(rule: &Listed) -> Json {
    let mut out = Map::new();
    out.insert("id".into(), json!(*rule.id));
    out.insert("package".into(), json!(rule.package.short()));
    out.insert("title".into(), json!(*rule.title));
    out.insert("severity".into(), json!(rule.severity.name()));
    out.insert("automated".into(), json!(rule.automated));
    if let Some(cis) = &rule.recommendation {
        out.insert("benchmark".into(), json!(*cis.benchmark));
        out.insert("benchmark_version".into(), json!(*cis.benchmark_version));
        out.insert("recommendation".into(), json!(*cis.number));
        let levels = cis.levels.iter().map(|level| json!(**level)).collect::<Json>();
        out.insert("levels".into(), levels);
        out.insert("control".into(), json!(cis.control.as_deref()));
    }
    Json::Object(out)
}

fn show(id: &str) -> Result<Exit, Failure> {
    let library = Library::embedded();
    let Some(text) = library.shown(id) else {
        render::line(&format!("error: there is no rule {id:?}; `assay rules list` lists them"));
        return Ok(Exit::Usage);
    };
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Clean)
}

/// Writes a file to start from, and never over another.
fn new(id: &str) -> Result<Exit, Failure> {
    let good = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let split = id.rsplit_once('/').and_then(|(package, name)| {
        RulesPackage::parse(package).filter(|_| good(name)).map(|package| (package, name))
    });
    let Some((package, name)) = split else {
        render::line("error: name the rule as PACKAGE/ID, for example sbp/no-telnet");
        return Ok(Exit::Usage);
    };
    let path = PathBuf::from(scaffold_path(package, name));
    let written = if path.exists() {
        Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists))
    } else {
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| write_atomically(&path, scaffold(package, name).as_bytes()))
    };
    if let Err(error) = written {
        render::line(&format!("error: {}: {error}", path.display()));
        return Ok(Exit::BadRules);
    }
    let mut out = stdout();
    writeln!(out, "{}", path.display())?;
    out.flush()?;
    Ok(Exit::Clean)
}

fn check(directory: Option<&PathBuf>) -> Result<Exit, Failure> {
    let library = match directory {
        Some(directory) => Library::only(std::slice::from_ref(directory)),
        None => Ok(Library::embedded()),
    }
    .map_err(|diagnostics| told(&diagnostics))?;
    let report = crate::engine::selftest::check(&library);
    if !report.diagnostics.is_empty() {
        return Err(told(&report.diagnostics));
    }
    let mut out = stdout();
    writeln!(out, "{} files, {} examples: all as they should be", report.files, report.examples)?;
    out.flush()?;
    Ok(Exit::Clean)
}
