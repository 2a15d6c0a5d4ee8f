//! Answers the atoms over `files`: by exact path, below directories, or in one scan for all that
//! are left, which skips every class of file that no atom could be about.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::answer::{Answer, Answers, Kept, MAX_KEPT, Tally, emptiness_matters, missing};
use super::memo::{self, Memo};
use super::predicate::{Cells, holds};
use super::truth::Tri;
use crate::model::cell::{Cell as _, Fact as _};
use crate::model::facts::{FileClass, Row, Rows, path_order};
use crate::model::state::{FactError, TableState};
use crate::model::table::File;
use crate::model::value::Value;
use crate::model::view::View;
use crate::rules::ast::{Expect, Pred};
use crate::rules::{Atom, FileAccess};

/// An atom over files while its rows come in.
struct Asked<'p> {
    index: usize,
    atom: &'p Atom,
    filter: &'p Pred,
    tally: Tally,
    violators: Keeper,
    holders: Keeper,
}

/// Rows kept while they pass by.
struct Keeper {
    rows: Rows,
    total: usize,
}

impl Keeper {
    fn new() -> Self {
        Self { rows: Rows::new(File::TABLE), total: 0 }
    }

    fn keep(&mut self, row: Row<'_>) {
        self.total += 1;
        if self.rows.len() < MAX_KEPT {
            self.rows.push(row.cells().to_vec());
        }
    }

    fn kept(self) -> Kept {
        let indexes = (0..self.rows.len()).collect();
        Kept { rows: Some(Arc::new(self.rows)), indexes, total: self.total }
    }
}

impl<'p> Asked<'p> {
    fn see(&mut self, row: Row<'_>, now: Option<i64>) {
        match holds(self.filter, &row, now) {
            Tri::False => return,
            Tri::Unknown => return self.tally.add_maybe(&self.atom.query, row, now),
            Tri::True => {}
        }
        match self.tally.add(&self.atom.query, row, now) {
            Tri::False if self.atom.keep_violators => self.violators.keep(row),
            Tri::True if self.atom.keep_holders => self.holders.keep(row),
            _ => {}
        }
    }

    fn finish(self, state: &TableState, now: Option<i64>) -> (usize, Answer) {
        let (truth, by_default) = self.tally.truth(&self.atom.query, state, now);
        let (violators, holders) = (self.violators.kept(), self.holders.kept());
        let missing = missing(File::TABLE.name, state);
        (self.index, Answer { truth, violators, holders, by_default, missing })
    }

    /// Whether files of a class have to be shown. A file for which `must` is known to hold by its
    /// class alone changes nothing for `each`, one for which it is known not to hold changes
    /// nothing for the others, except that there is a row at all.
    fn wants(&self, cells: &ClassCells, now: Option<i64>) -> bool {
        if holds(self.filter, cells, now) == Tri::False {
            return false;
        }
        let must = holds(&self.atom.query.must, cells, now);
        match self.atom.query.expect {
            Expect::Each => must != Tri::True || self.atom.keep_holders,
            _ => must != Tri::False || self.atom.keep_violators,
        }
    }

    /// Whether it matters that there is a row at all, and none was seen.
    fn needs_any(&self) -> bool {
        self.tally.rows == 0 && emptiness_matters(&self.atom.query)
    }
}

/// The columns of a file that its class tells.
struct ClassCells {
    cells: [Option<Value>; 9],
}

impl ClassCells {
    fn new(class: FileClass) -> Self {
        let mut cells = [const { None }; 9];
        let known = [
            ("kind", class.kind.into_value()),
            ("mode", Value::Int(i64::from(class.mode))),
            ("uid", Value::Int(i64::from(class.uid))),
            ("gid", Value::Int(i64::from(class.gid))),
        ];
        for (name, value) in known {
            if let Some(cell) = File::TABLE.column(name).and_then(|index| cells.get_mut(index)) {
                *cell = Some(value);
            }
        }
        Self { cells }
    }
}

impl Cells for ClassCells {
    fn cell(&self, column: usize) -> Option<&Value> {
        self.cells.get(column).and_then(Option::as_ref)
    }

    fn manager(&self) -> Option<&str> {
        None
    }
}

/// Answers every needed atom over `files`.
pub(super) fn answer(
    answers: &mut Answers<'_>,
    view: &View<'_>,
    memo: Option<&Memo>,
) -> Result<(), FactError> {
    let atoms = answers.atoms.atoms.iter().enumerate();
    let asked = atoms.filter(|(index, atom)| {
        let set = answers.atoms.row_sets.get(atom.row_set);
        answers.needed.get(*index).copied().unwrap_or(false)
            && set.is_some_and(|set| set.table().name == File::TABLE.name)
    });
    let asked: Vec<usize> = asked.map(|(index, _)| index).collect();
    if asked.is_empty() {
        return Ok(());
    }
    memo::answer(memo, File::TABLE, &asked, answers, view, |answers| ask(&asked, answers, view))
}

fn ask(atoms: &[usize], answers: &mut Answers<'_>, view: &View<'_>) -> Result<(), FactError> {
    let mut groups: BTreeMap<&FileAccess, Vec<Asked<'_>>> = BTreeMap::new();
    for index in atoms.iter().copied() {
        let Some(atom) = answers.atoms.atoms.get(index) else { continue };
        let Some(set) = answers.atoms.row_sets.get(atom.row_set) else { continue };
        groups.entry(&set.access).or_default().push(Asked {
            index,
            atom,
            filter: set.filter(),
            tally: Tally::default(),
            violators: Keeper::new(),
            holders: Keeper::new(),
        });
    }
    let state = view.files_state();
    let known = by_path(groups.keys().copied(), view)?;
    for (access, mut asked) in groups {
        let mut group_state = state.clone();
        match access {
            FileAccess::Paths(paths) => {
                let mut all_found = true;
                for path in paths {
                    match known.get(path) {
                        Some(cells) => {
                            let row = Row::new(File::TABLE, cells);
                            asked.iter_mut().for_each(|asked| asked.see(row, answers.now));
                        }
                        None => all_found = false,
                    }
                }
                // Paths are unique: when all that were asked for are there, nothing is missing.
                if all_found && matches!(group_state, TableState::Truncated(_)) {
                    group_state = TableState::Collected;
                }
            }
            FileAccess::Under(directories) => {
                for directory in directories {
                    view.source().files_under(directory, &mut |row| {
                        asked.iter_mut().for_each(|asked| asked.see(row, answers.now));
                        ControlFlow::Continue(())
                    })?;
                }
            }
            FileAccess::Scan => scan(&mut asked, view, answers.now)?,
        }
        for asked in asked {
            let (index, answer) = asked.finish(&group_state, answers.now);
            if let Some(slot) = answers.answers.get_mut(index) {
                *slot = answer;
            }
        }
    }
    Ok(())
}

/// The files that are asked for by path.
struct Known<'p> {
    /// In path order.
    paths: Vec<&'p str>,
    cells: Vec<Option<Vec<Value>>>,
}

impl Known<'_> {
    fn place(&self, path: &str) -> Option<usize> {
        self.paths.binary_search_by(|other| path_order(other, path)).ok()
    }

    fn get(&self, path: &str) -> Option<&[Value]> {
        self.cells.get(self.place(path)?)?.as_deref()
    }
}

/// Looks every path up that is asked for by name: once, and all together, because a source has
/// neighbours in one block.
fn by_path<'p>(
    accesses: impl Iterator<Item = &'p FileAccess>,
    view: &View<'_>,
) -> Result<Known<'p>, FactError> {
    let mut paths: Vec<&str> = Vec::new();
    for access in accesses {
        if let FileAccess::Paths(list) = access {
            paths.extend(list.iter().map(|path| &**path));
        }
    }
    paths.sort_by(|a, b| path_order(a, b));
    paths.dedup();
    let mut known = Known { cells: vec![None; paths.len()], paths };
    let paths = known.paths.clone();
    view.source().files_at(&paths, &mut |row| {
        let place = row.get("path").as_text().and_then(|path| known.place(path));
        if let Some(cells) = place.and_then(|place| known.cells.get_mut(place)) {
            *cells = Some(row.cells().to_vec());
        }
        ControlFlow::Continue(())
    })?;
    Ok(known)
}

fn scan(asked: &mut [Asked<'_>], view: &View<'_>, now: Option<i64>) -> Result<(), FactError> {
    let wanted = |class: FileClass, asked: &[Asked<'_>]| -> Vec<usize> {
        let cells = ClassCells::new(class);
        let list = asked.iter().enumerate();
        list.filter(|(_, asked)| asked.wants(&cells, now)).map(|(index, _)| index).collect()
    };
    let known: std::cell::RefCell<HashMap<FileClass, Arc<[usize]>>> = Default::default();
    let lookup = |class: FileClass, asked: &[Asked<'_>]| -> Arc<[usize]> {
        let mut known = known.borrow_mut();
        Arc::clone(known.entry(class).or_insert_with(|| wanted(class, asked).into()))
    };
    let shared = std::cell::RefCell::new(&mut *asked);
    view.source().scan_files(&|class| !lookup(class, &shared.borrow()).is_empty(), &mut |row| {
        if let Some(class) = class_of(row) {
            let mut asked = shared.borrow_mut();
            let wanted = lookup(class, &asked);
            for index in wanted.iter() {
                if let Some(asked) = asked.get_mut(*index) {
                    asked.see(row, now);
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    is_there_any(asked, view, now)
}

/// Whether there is a row at all, for the atoms that saw none: their rows may all be of classes
/// that did not have to be shown.
fn is_there_any(
    asked: &mut [Asked<'_>],
    view: &View<'_>,
    now: Option<i64>,
) -> Result<(), FactError> {
    for asked in asked.iter_mut().filter(|asked| asked.needs_any()) {
        let filter = asked.filter;
        let mut tally = Tally::default();
        let query = &asked.atom.query;
        view.source().scan_files(
            &|class| holds(filter, &ClassCells::new(class), now) != Tri::False,
            &mut |row| match holds(filter, &row, now) {
                Tri::True => {
                    tally.add(query, row, now);
                    ControlFlow::Break(())
                }
                Tri::Unknown => {
                    tally.add_maybe(query, row, now);
                    ControlFlow::Continue(())
                }
                Tri::False => ControlFlow::Continue(()),
            },
        )?;
        tally.doubt |= asked.tally.doubt;
        asked.tally = tally;
    }
    Ok(())
}

fn class_of(row: Row<'_>) -> Option<FileClass> {
    let [_, kind, mode, uid, gid, ..] = row.cells() else { return None };
    Some(FileClass {
        kind: crate::model::table::FileKind::from_value(kind)?,
        mode: u32::from_value(mode)?,
        uid: u32::from_value(uid)?,
        gid: u32::from_value(gid)?,
    })
}
