//! `assay diff`.

use std::io::Write;

use serde_json::{Value as Json, json};

use super::args::Diff;
use super::chosen::Chosen;
use super::snapshot::open;
use super::{Exit, Failure, render, stdout};
use crate::assess::diff::{ChangeKind, Difference, RowChange, RuleChange, TableChange, diff};
use crate::assess::snapshots_about;
use crate::emit::{escape, inspector};
use crate::model::facts::FactSource;
use crate::model::finding::{Evidence, RuleInfo};

/// Changes shown of one table or one rule, where not all were asked for.
const SHOWN: usize = 20;

pub(super) fn run(arguments: &Diff) -> Result<Exit, Failure> {
    let [a, b] = [&arguments.a, &arguments.b];
    let snapshots = [open(a)?, open(b)?];
    let paths = [a.clone(), b.clone()];
    let plan = Chosen::all().plan(|all| snapshots_about(all, &paths))?;
    let names = [a, b].map(|path| path.display().to_string());
    let sources: [&dyn FactSource; 2] = [&snapshots[0], &snapshots[1]];
    let names = [names[0].as_str(), names[1].as_str()];
    let difference = diff(&plan, names, sources).map_err(|(side, error)| {
        let name = escape(names.get(side).copied().unwrap_or_default()).into_owned();
        render::line(&format!("error: {name}: {error}"));
        Failure::Told(Exit::BadInput)
    })?;
    let mut out = stdout();
    match arguments.json {
        true => lines(&difference, &plan.rules, &mut out)?,
        false => text(&difference, &plan.rules, arguments.all, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn text(
    difference: &Difference,
    rules: &[RuleInfo],
    all: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for (sign, host) in ["---", "+++"].iter().zip(&difference.hosts) {
        let (name, snapshot) = (escape(&host.asset.hostname), escape(&host.snapshot));
        writeln!(out, "{sign} {snapshot}  {name}, {}", escape(&host.asset.os))?;
    }
    let most = if all { usize::MAX } else { SHOWN };
    for change in &difference.rules {
        rule(change, rules, most, out)?;
    }
    for change in &difference.tables {
        table(change, most, out)?;
    }
    if difference.rules.is_empty() && difference.tables.is_empty() {
        writeln!(out, "no difference")?;
    }
    Ok(())
}

fn rule(
    change: &RuleChange,
    rules: &[RuleInfo],
    most: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let Some(rule) = rules.get(change.rule) else { return Ok(()) };
    let (before, after) = (change.before.name(), change.after.name());
    let title = escape(&rule.title);
    match before == after {
        true => writeln!(out, "\n{}  {title}: {after}, with other evidence", rule.id)?,
        false => writeln!(out, "\n{}  {title}: {before} -> {after}", rule.id)?,
    }
    for (sign, list) in [('-', &change.gone), ('+', &change.new)] {
        for one in list.iter().take(most) {
            writeln!(out, "  {sign} {}  {}", escape(&one.to_string()), escape(&one.observed))?;
        }
        more(list.len(), most, out)?;
    }
    Ok(())
}

fn table(change: &TableChange, most: usize, out: &mut dyn Write) -> std::io::Result<()> {
    let of =
        |kind: fn(&ChangeKind) -> bool| change.rows.iter().filter(|row| kind(&row.kind)).count();
    writeln!(
        out,
        "\n{}: {} added, {} removed, {} changed",
        change.table.name,
        of(|kind| matches!(kind, ChangeKind::Added)),
        of(|kind| matches!(kind, ChangeKind::Removed)),
        of(|kind| matches!(kind, ChangeKind::Changed(_))),
    )?;
    if change.states[0] != change.states[1] {
        let [before, after] = &change.states;
        let (before, after) = (before.to_string(), after.to_string());
        writeln!(out, "  {} -> {}", escape(&before), escape(&after))?;
    }
    for row in change.rows.iter().take(most) {
        let name = escape(&row.name);
        match &row.kind {
            ChangeKind::Added => writeln!(out, "  + {name}")?,
            ChangeKind::Removed => writeln!(out, "  - {name}")?,
            ChangeKind::Changed(columns) => {
                writeln!(out, "  ~ {name}")?;
                for (column, old, new) in columns {
                    values(column, old, new, most, out)?;
                }
            }
        }
    }
    more(change.rows.len(), most, out)
}

/// Both values of a column; of texts of several lines, the lines that only one of them has.
fn values(
    column: &str,
    old: &str,
    new: &str,
    most: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if !old.contains('\n') && !new.contains('\n') {
        return writeln!(out, "      {column} {} -> {}", escape(old), escape(new));
    }
    for (sign, these, those) in [('-', old, new), ('+', new, old)] {
        let those: std::collections::BTreeSet<&str> = those.lines().collect();
        let only: Vec<&str> = these.lines().filter(|line| !those.contains(line)).collect();
        for line in only.iter().take(most) {
            writeln!(out, "      {sign} {}", escape(line))?;
        }
        more(only.len(), most, out)?;
    }
    Ok(())
}

fn more(count: usize, most: usize, out: &mut dyn Write) -> std::io::Result<()> {
    match count.checked_sub(most) {
        None | Some(0) => Ok(()),
        Some(rest) => writeln!(out, "    and {rest} more (--all shows them)"),
    }
}

/// One JSON object a line: `rule` and `row`, everything.
fn lines(difference: &Difference, rules: &[RuleInfo], out: &mut dyn Write) -> std::io::Result<()> {
    let seen = |list: &[Evidence]| -> Json { list.iter().map(inspector::evidence).collect() };
    for change in &difference.rules {
        let Some(rule) = rules.get(change.rule) else { continue };
        let line = json!({
            "type": "rule",
            "rule": *rule.id,
            "before": change.before.name(),
            "after": change.after.name(),
            "new": seen(&change.new),
            "gone": seen(&change.gone),
        });
        writeln!(out, "{line}")?;
    }
    for change in &difference.tables {
        for row in &change.rows {
            writeln!(out, "{}", row_line(change, row))?;
        }
    }
    Ok(())
}

fn row_line(change: &TableChange, row: &RowChange) -> Json {
    let (word, columns) = match &row.kind {
        ChangeKind::Added => ("added", &[][..]),
        ChangeKind::Removed => ("removed", &[][..]),
        ChangeKind::Changed(columns) => ("changed", columns.as_slice()),
    };
    let columns: Json = columns
        .iter()
        .map(|(column, old, new)| json!({ "column": column, "before": old, "after": new }))
        .collect();
    json!({
        "type": "row",
        "table": change.table.name,
        "name": *row.name,
        "change": word,
        "columns": columns,
    })
}
