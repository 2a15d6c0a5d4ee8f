//! Answers the atoms over every table other than `files`.

use super::answer::{Answer, Answers, Kept, MAX_KEPT, Tally, missing};
use super::memo::{self, Memo};
use super::predicate::{Cells, holds};
use super::truth::Tri;
use crate::model::facts::Row;
use crate::model::lens::{self, Keyed};
use crate::model::state::{FactError, TableState};
use crate::model::table;
use crate::model::value::Value;
use crate::model::view::{Loaded, View};
use crate::rules::{Atom, RowSet, TablePlan};

/// Answers every needed atom over a table that is loaded as a whole.
pub(super) fn answer(
    answers: &mut Answers<'_>,
    view: &View<'_>,
    memo: Option<&Memo>,
) -> Result<(), FactError> {
    let by_set = needed_atoms(answers);
    for plan in &answers.atoms.tables {
        let sets = answers.atoms.row_sets.iter().enumerate();
        let sets = sets.filter(|(_, set)| set.table().name == plan.table.name);
        let atoms: Vec<usize> =
            sets.filter_map(|(set, _)| by_set.get(set)).flatten().copied().collect();
        if !atoms.is_empty() {
            memo::answer(memo, plan.table, &atoms, answers, view, |answers| {
                of_table(plan, &by_set, answers, view)
            })?;
        }
    }
    Ok(())
}

fn of_table(
    plan: &TablePlan,
    by_set: &[Vec<usize>],
    answers: &mut Answers<'_>,
    view: &View<'_>,
) -> Result<(), FactError> {
    let lens = lens::find(plan.table.name);
    let keyed = lens.and_then(lens::Lens::keyed);
    let loaded = match lens.zip(keyed) {
        Some((lens, keyed)) => view.table_about(lens, keyed, &asked_about(plan, keyed, answers))?,
        None => view.table(plan.table)?,
    };
    // A table that is complete for all that misses nothing.
    let missing = match loaded.state {
        TableState::Collected => None,
        _ => table::sources(plan.table)
            .into_iter()
            .find_map(|source| missing(source.name, &view.source().state(source))),
    };
    for (set, found) in find(plan, answers, &loaded) {
        let state = match (keyed, answers.atoms.row_sets.get(set)) {
            (Some(keyed), Some(rows)) => state_of(rows, keyed, &loaded, view, answers.now)?,
            _ => loaded.state.clone(),
        };
        for atom in by_set.get(set).into_iter().flatten() {
            let Some(known) = answers.atoms.atoms.get(*atom) else { continue };
            let answer = ask(known, &loaded, &state, &found, answers.now);
            if let Some(slot) = answers.answers.get_mut(*atom) {
                *slot = Answer { missing: missing.clone(), ..answer };
            }
        }
    }
    Ok(())
}

/// The needed atoms of each row set.
fn needed_atoms(answers: &Answers<'_>) -> Vec<Vec<usize>> {
    let mut by_set = vec![Vec::new(); answers.atoms.row_sets.len()];
    for (index, atom) in answers.atoms.atoms.iter().enumerate() {
        if answers.needed.get(index).copied().unwrap_or(false)
            && let Some(list) = by_set.get_mut(atom.row_set)
        {
            list.push(index);
        }
    }
    by_set
}

/// Whether a row with this value in the column that tells its file may be in a needed row set.
fn asked_about<'a>(
    plan: &'a TablePlan,
    keyed: Keyed,
    answers: &'a Answers<'_>,
) -> impl Fn(&Value) -> bool + 'a {
    let column = plan.table.column(keyed.column);
    let needed = |set: &usize| answers.row_sets.get(*set).copied().unwrap_or(false);
    let (by_file, others): (Vec<_>, Vec<_>) =
        plan.keyed.iter().partition(|(other, _)| Some(*other) == column);
    let others = others.into_iter().flat_map(|(_, sets)| sets.values().flatten());
    let others: Vec<usize> = others.chain(&plan.scanned).copied().filter(needed).collect();
    move |value| {
        let by_file = by_file.iter().filter_map(|(_, sets)| sets.get(value)).flatten();
        let sets = by_file.filter(|set| needed(set)).chain(&others);
        let mut filters = sets.filter_map(|set| answers.atoms.row_sets.get(*set));
        column.is_none_or(|column| {
            let row = OneCell { column, value };
            filters.any(|set| holds(set.filter(), &row, answers.now) != Tri::False)
        })
    }
}

/// The rows of one row set, as positions.
#[derive(Default)]
struct Found {
    /// Those that belong to it.
    rows: Vec<usize>,
    /// Those that may belong to it and may not.
    maybe: Vec<usize>,
}

/// The rows of every needed row set.
fn find(plan: &TablePlan, answers: &Answers<'_>, loaded: &Loaded) -> Vec<(usize, Found)> {
    let mut slots: Vec<Option<usize>> = vec![None; answers.row_sets.len()];
    let mut found: Vec<(usize, Found)> = Vec::new();
    for (index, set) in answers.atoms.row_sets.iter().enumerate() {
        let needed = answers.row_sets.get(index).copied().unwrap_or(false);
        if needed
            && set.table().name == plan.table.name
            && let Some(slot) = slots.get_mut(index)
        {
            *slot = Some(found.len());
            found.push((index, Found::default()));
        }
    }
    for (position, row) in loaded.rows.iter().enumerate() {
        let mut test = |set: usize| {
            let Some(slot) = slots.get(set).copied().flatten() else { return };
            let Some((_, found)) = found.get_mut(slot) else { return };
            // Two keys of one row may lead to the same row set.
            if found.rows.last() == Some(&position) || found.maybe.last() == Some(&position) {
                return;
            }
            let Some(filter) = answers.atoms.row_sets.get(set).map(RowSet::filter) else {
                return;
            };
            match holds(filter, &row, answers.now) {
                Tri::True => found.rows.push(position),
                Tri::Unknown => found.maybe.push(position),
                Tri::False => {}
            }
        };
        for (column, sets) in &plan.keyed {
            let sets = row.cells().get(*column).and_then(|cell| sets.get(cell));
            sets.into_iter().flatten().copied().for_each(&mut test);
        }
        plan.scanned.iter().copied().for_each(&mut test);
    }
    found
}

/// How far the rows of a row set can be trusted, by the files that could hold some of them.
fn state_of(
    set: &RowSet,
    keyed: Keyed,
    loaded: &Loaded,
    view: &View<'_>,
    now: Option<i64>,
) -> Result<TableState, FactError> {
    let Some(column) = set.table().column(keyed.column) else { return Ok(loaded.state.clone()) };
    let may_hold =
        |value: &Value| holds(set.filter(), &OneCell { column, value }, now) != Tri::False;
    view.state_of_rows(loaded, keyed, &may_hold)
}

/// A row of which one cell is known.
struct OneCell<'a> {
    column: usize,
    value: &'a Value,
}

impl Cells for OneCell<'_> {
    fn cell(&self, column: usize) -> Option<&Value> {
        (column == self.column).then_some(self.value)
    }

    fn manager(&self) -> Option<&str> {
        None
    }
}

/// Asks an atom about the rows of its row set.
fn ask(
    atom: &Atom,
    loaded: &Loaded,
    state: &TableState,
    found: &Found,
    now: Option<i64>,
) -> Answer {
    let mut tally = Tally::default();
    let (mut violators, mut holders) = (Kept::default(), Kept::default());
    for row in found.maybe.iter().filter_map(|index| loaded.rows.get(*index)) {
        tally.add_maybe(&atom.query, row, now);
    }
    for index in &found.rows {
        let Some(row) = loaded.rows.get(*index) else { continue };
        match tally.add(&atom.query, row, now) {
            Tri::False if atom.keep_violators => violators.keep(*index),
            Tri::True if atom.keep_holders => holders.keep(*index),
            _ => {}
        }
    }
    for kept in [&mut violators, &mut holders] {
        kept.rows = Some(std::sync::Arc::clone(&loaded.rows));
    }
    let (truth, by_default) = tally.truth(&atom.query, state, now);
    Answer { truth, violators, holders, by_default, missing: None }
}

impl Kept {
    fn keep(&mut self, index: usize) {
        self.total += 1;
        if self.indexes.len() < MAX_KEPT {
            self.indexes.push(index);
        }
    }

    /// The rows that were kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.rows.as_deref();
        self.indexes.iter().filter_map(move |index| rows?.get(*index))
    }
}
