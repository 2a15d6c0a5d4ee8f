//! What is different between two hosts, or between one host then and now: verdicts and facts.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::host_report;
use crate::model::cell::Fact as _;
use crate::model::facts::{FactSource, Row, Rows};
use crate::model::finding::{Evidence, HostReport, Verdict};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{COLLECTED, File};
use crate::model::value::Value;
use crate::rules::{Plan, words};

/// What is different.
#[derive(Debug)]
pub struct Difference {
    /// Both hosts, judged.
    pub hosts: [HostReport; 2],
    /// Rules with another verdict, or with other evidence, in the order of the plan.
    pub rules: Vec<RuleChange>,
    /// Collected tables with other rows or in another state, in the order of the snapshot.
    pub tables: Vec<TableChange>,
}

/// A rule that is judged otherwise.
#[derive(Debug)]
pub struct RuleChange {
    /// Index into the plan's rules.
    pub rule: usize,
    /// The verdict on the first host.
    pub before: Verdict,
    /// The verdict on the second host.
    pub after: Verdict,
    /// Evidence that only the second host has.
    pub new: Vec<Evidence>,
    /// Evidence that only the first host has.
    pub gone: Vec<Evidence>,
}

/// A table that is not the same.
#[derive(Debug)]
pub struct TableChange {
    /// The table.
    pub table: &'static TableSchema,
    /// Its states.
    pub states: [TableState; 2],
    /// Its rows that are not in both, in the order of their names.
    pub rows: Vec<RowChange>,
}

/// A row that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// What the row is about.
    pub name: Arc<str>,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// Only the second host has it.
    Added,
    /// Only the first host has it.
    Removed,
    /// The columns that are not the same, with both values as people write them.
    Changed(Vec<(&'static str, String, String)>),
}

/// Compares two hosts; `names` are the snapshots' names as the user gave them.
///
/// # Errors
/// The bytes behind the facts are damaged; the index says on which side.
pub fn diff(
    plan: &Plan,
    names: [&str; 2],
    [a, b]: [&dyn FactSource; 2],
) -> Result<Difference, (usize, FactError)> {
    let left = |error| (0, error);
    let right = |error| (1, error);
    let hosts = [
        host_report(plan, None, names[0], a, None).map_err(left)?,
        host_report(plan, None, names[1], b, None).map_err(right)?,
    ];
    let mut tables = Vec::new();
    for table in COLLECTED {
        let rows = if table.name == File::TABLE.name {
            files(a, b)?
        } else {
            let (a, b) = (a.rows(table).map_err(left)?, b.rows(table).map_err(right)?);
            rows(&a, &b)
        };
        let states = [a.state(table), b.state(table)];
        if !rows.is_empty() || states[0] != states[1] {
            tables.push(TableChange { table, states, rows });
        }
    }
    Ok(Difference { rules: rules(&hosts), hosts, tables })
}

fn rules([a, b]: &[HostReport; 2]) -> Vec<RuleChange> {
    let verdicts: BTreeMap<usize, &Verdict> =
        a.outcomes.iter().map(|outcome| (outcome.rule, &outcome.verdict)).collect();
    let seen = |host: &HostReport, rule: usize| -> Vec<Evidence> {
        let of = host.findings.iter().filter(|finding| finding.rule == rule);
        of.flat_map(|finding| finding.evidence.iter().cloned()).collect()
    };
    let changes = b.outcomes.iter().filter_map(|outcome| {
        let (before, after) = (*verdicts.get(&outcome.rule)?, &outcome.verdict);
        let (old, now) = (seen(a, outcome.rule), seen(b, outcome.rule));
        // A line that has moved is the same place.
        let same = |x: &Evidence, y: &Evidence| {
            (&x.location, &x.observed, &x.expected) == (&y.location, &y.observed, &y.expected)
        };
        let only = |these: &[Evidence], those: &[Evidence]| -> Vec<Evidence> {
            these.iter().filter(|x| !those.iter().any(|y| same(x, y))).cloned().collect()
        };
        let (new, gone) = (only(&now, &old), only(&old, &now));
        let differ = before.name() != after.name() || !new.is_empty() || !gone.is_empty();
        differ.then(|| RuleChange {
            rule: outcome.rule,
            before: before.clone(),
            after: after.clone(),
            new,
            gone,
        })
    });
    changes.collect()
}

/// What a row is about: its place, and its name where the place is a file of many rows.
fn name(row: Row<'_>) -> Arc<str> {
    let (place, schema) = (row.place(), row.schema());
    match row.get("name") {
        Value::Text(name) if !schema.location.contains("{name}") => {
            format!("{place} {name}").into()
        }
        _ => place,
    }
}

/// The rows of two tables that are not in both. Rows that are alone with their name on both sides
/// are one row that has changed.
fn rows(a: &Rows, b: &Rows) -> Vec<RowChange> {
    // Where a row stands in its file says nothing.
    let line = a.schema().column("line");
    let cells = |row: Row<'_>| {
        let mut cells = row.cells().to_vec();
        if let Some(cell) = line.and_then(|line| cells.get_mut(line)) {
            *cell = Value::Null;
        }
        cells
    };
    let mut counts: HashMap<Vec<Value>, usize> = HashMap::new();
    for row in a.iter() {
        *counts.entry(cells(row)).or_default() += 1;
    }
    let mut added: BTreeMap<Arc<str>, Vec<Row<'_>>> = BTreeMap::new();
    for row in b.iter() {
        match counts.get_mut(&cells(row)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => added.entry(name(row)).or_default().push(row),
        }
    }
    let mut removed: BTreeMap<Arc<str>, Vec<Row<'_>>> = BTreeMap::new();
    for row in a.iter() {
        if let Some(count) = counts.get_mut(&cells(row)).filter(|count| **count > 0) {
            *count -= 1;
            removed.entry(name(row)).or_default().push(row);
        }
    }
    let mut changes = Vec::new();
    for (name, old) in removed {
        match (old.as_slice(), added.get(&name).map(Vec::as_slice)) {
            ([old], Some([new])) => {
                changes.push(RowChange { kind: changed(*old, *new), name: Arc::clone(&name) });
                added.remove(&name);
            }
            _ => changes.extend(
                old.iter()
                    .map(|_| RowChange { name: Arc::clone(&name), kind: ChangeKind::Removed }),
            ),
        }
    }
    for (name, new) in added {
        let change = |_| RowChange { name: Arc::clone(&name), kind: ChangeKind::Added };
        changes.extend(new.iter().map(change));
    }
    changes.sort_by(|x, y| x.name.cmp(&y.name));
    changes
}

fn changed(old: Row<'_>, new: Row<'_>) -> ChangeKind {
    let columns = old.schema().columns.iter().zip(old.cells().iter().zip(new.cells()));
    let differ = columns.filter(|(column, (old, new))| old != new && column.name != "line").map(
        |(column, (old, new))| {
            (column.name, words::show(old, column.ty), words::show(new, column.ty))
        },
    );
    ChangeKind::Changed(differ.collect())
}

/// The part of a file that says something: the size and the time of a directory follow from what is
/// in it.
fn telling(mut file: File) -> File {
    if file.kind != crate::model::table::FileKind::File {
        file.mtime = Default::default();
        file.size = 0;
    }
    file
}

/// The files that are not the same on both. Of each file of the first host only hashes are kept:
/// hosts have hundreds of thousands.
fn files(a: &dyn FactSource, b: &dyn FactSource) -> Result<Vec<RowChange>, (usize, FactError)> {
    // Nobody can make files of equal hashes to hide one, since nobody knows the key.
    let key = RandomState::new();
    let row_print = |row: Row<'_>| {
        let file = row.typed::<File>().map(telling);
        (key.hash_one(row.get("path")), key.hash_one(file.map(|file| file.into_cells())))
    };
    let mut before: HashMap<u64, u64> = HashMap::new();
    a.scan_files(&|_| true, &mut |row| {
        let (path, rest) = row_print(row);
        before.insert(path, rest);
        ControlFlow::Continue(())
    })
    .map_err(|error| (0, error))?;
    let mut changes = Vec::new();
    let mut failed = None;
    b.scan_files(&|_| true, &mut |row| {
        let (path, rest) = row_print(row);
        match before.remove(&path) {
            Some(old) if old == rest => {}
            Some(_) => match row.typed::<File>().map(|new| (a.file(&new.path.0), new)) {
                Some((Ok(Some(old)), new)) => {
                    let (old, new) = (telling(old).into_cells(), telling(new).into_cells());
                    let kind = changed(Row::new(File::TABLE, &old), Row::new(File::TABLE, &new));
                    changes.push(RowChange { name: row.place(), kind });
                }
                Some((Err(error), _)) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                _ => {}
            },
            None => changes.push(RowChange { name: row.place(), kind: ChangeKind::Added }),
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| (1, error))?;
    if let Some(error) = failed {
        return Err((0, error));
    }
    a.scan_files(&|_| true, &mut |row| {
        if before.contains_key(&key.hash_one(row.get("path"))) {
            changes.push(RowChange { name: row.place(), kind: ChangeKind::Removed });
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| (0, error))?;
    changes.sort_by(|x, y| crate::model::facts::path_order(&x.name, &y.name));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell::{AbsPath, Mode};
    use crate::model::facts::MemoryFacts;
    use crate::model::table::{FileKind, Group};

    fn group(name: &str, gid: i64, line: i64) -> Group {
        Group { name: name.into(), gid, members: Vec::new(), line }
    }

    #[test]
    fn rows_are_added_removed_or_changed() {
        let a = [group("a", 1, 1), group("b", 2, 2), group("c", 3, 3), group("d", 4, 4)];
        let b = [group("d", 4, 1), group("b", 20, 2), group("e", 5, 3), group("c", 3, 4)];
        let (a, b) = (Rows::of(a), Rows::of(b));
        let said: Vec<String> =
            rows(&a, &b).iter().map(|c| format!("{} {:?}", c.name, c.kind)).collect();
        assert_eq!(
            said,
            [
                "/etc/group a Removed",
                "/etc/group b Changed([(\"gid\", \"2\", \"20\")])",
                "/etc/group e Added",
            ]
        );
    }

    #[test]
    fn files_are_compared_without_what_follows_from_others() {
        let file = |path: &str, kind, mode, size| File {
            path: AbsPath(path.into()),
            kind,
            mode: Mode(mode),
            uid: 0,
            gid: 0,
            size,
            mtime: Default::default(),
            link_target: None,
            capabilities: None,
        };
        let a = MemoryFacts::new().with([
            file("/d", FileKind::Directory, 0o755, 1),
            file("/d/a", FileKind::File, 0o644, 1),
            file("/d/b", FileKind::File, 0o644, 1),
        ]);
        let b = MemoryFacts::new().with([
            file("/d", FileKind::Directory, 0o755, 2),
            file("/d/a", FileKind::File, 0o666, 1),
            file("/d/c", FileKind::File, 0o644, 1),
        ]);
        let said: Vec<String> =
            files(&a, &b).unwrap().iter().map(|c| format!("{} {:?}", c.name, c.kind)).collect();
        assert_eq!(
            said,
            ["/d/a Changed([(\"mode\", \"0644\", \"0666\")])", "/d/b Removed", "/d/c Added",]
        );
    }
}
