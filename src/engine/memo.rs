//! Answers about one host's tables, kept for hosts that have the same tables: a host that was built
//! from a known image costs little more than comparing its sections with their hashes.

use std::fmt::Write as _;
use std::sync::Arc;

use super::answer::{Answer, Answers, Kept};
use crate::model::cell::Fact as _;
use crate::model::facts::{Row, Rows};
use crate::model::recent::Recent;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{self, Host};
use crate::model::view::View;
use crate::rules::ast::{Pred, Test};

/// About the most bytes that are kept.
const LIMIT: usize = 24 << 20;
/// About what a kept cell takes, its text included.
const CELL: usize = 100;
/// What tells hosts of one image apart, and no table may depend on.
const IDENTITY: [&str; 3] = ["hostname", "agent_id", "tags"];

/// What was answered before by one plan. It changes no answer: it gives those that the same tables
/// had, and tables are the same where every byte of their sections is.
#[derive(Default)]
pub struct Memo(Recent<Box<[u8]>, Vec<Answer>>);

/// Fills in the answers of these atoms, which are all about one table: from the memo where the
/// table was asked the same before, else by `compute`.
pub(super) fn answer(
    memo: Option<&Memo>,
    table: &'static TableSchema,
    atoms: &[usize],
    answers: &mut Answers<'_>,
    view: &View<'_>,
    compute: impl FnOnce(&mut Answers<'_>) -> Result<(), FactError>,
) -> Result<(), FactError> {
    let key = match memo {
        Some(memo) => key(table, atoms, answers, view)?.map(|key| (memo, key)),
        None => None,
    };
    let Some((Memo(kept), key)) = key else { return compute(answers) };
    if let Some(known) = kept.get(&key) {
        for (atom, answer) in atoms.iter().zip(known.iter()) {
            if let Some(slot) = answers.answers.get_mut(*atom) {
                *slot = answer.clone();
            }
        }
        return Ok(());
    }
    compute(answers)?;
    let of_atoms = atoms.iter().filter_map(|atom| answers.get(*atom));
    let lean: Vec<Answer> = of_atoms.map(Answer::lean).collect();
    let weight = key.len() + lean.iter().map(Answer::weight).sum::<usize>();
    kept.put(key, lean, weight, LIMIT);
    Ok(())
}

/// What the answers of these atoms depend on; none where that cannot be told.
fn key(
    table: &'static TableSchema,
    atoms: &[usize],
    answers: &Answers<'_>,
    view: &View<'_>,
) -> Result<Option<Box<[u8]>>, FactError> {
    let mut key = Vec::new();
    for source in table::sources(table) {
        if source.name == Host::TABLE.name {
            let mut host = String::new();
            for row in view.table(source)?.rows.iter() {
                for (column, cell) in source.columns.iter().zip(row.cells()) {
                    if !IDENTITY.contains(&column.name) {
                        let _ = write!(host, "{}={cell:?};", column.name);
                    }
                }
            }
            key.extend_from_slice(host.as_bytes());
        } else {
            match view.fingerprint(source)? {
                Some(fingerprint) => key.extend_from_slice(&fingerprint),
                None => return Ok(None),
            }
        }
    }
    key.extend_from_slice(table.name.as_bytes());
    key.extend(atoms.iter().flat_map(|atom| atom.to_le_bytes()));
    if atoms.iter().any(|atom| depends_on_time(*atom, answers)) {
        key.extend_from_slice(&answers.now.unwrap_or(i64::MIN).to_le_bytes());
    }
    Ok(Some(key.into()))
}

/// Whether an answer depends on when the facts were collected.
fn depends_on_time(atom: usize, answers: &Answers<'_>) -> bool {
    let Some(atom) = answers.atoms.atoms.get(atom) else { return false };
    let filter = answers.atoms.row_sets.get(atom.row_set).map(|set| set.filter());
    filter.is_some_and(has_age) || has_age(&atom.query.must)
}

fn has_age(pred: &Pred) -> bool {
    match pred {
        Pred::All(list) | Pred::Any(list) => list.iter().any(has_age),
        Pred::Not(pred) => has_age(pred),
        Pred::Leaf { test, .. } => matches!(test, Test::OlderThan(_)),
    }
}

impl Answer {
    /// The same with only the rows that it keeps, instead of their whole table.
    fn lean(&self) -> Self {
        let (violators, holders) = (self.violators.lean(), self.holders.lean());
        Self {
            violators,
            holders,
            truth: self.truth.clone(),
            missing: self.missing.clone(),
            ..*self
        }
    }

    fn weight(&self) -> usize {
        let cells = |kept: &Kept| kept.iter().map(|row| row.cells().len()).sum::<usize>();
        size_of::<Self>() + CELL * (cells(&self.violators) + cells(&self.holders))
    }
}

impl Kept {
    fn lean(&self) -> Self {
        let Some(schema) = self.rows.as_deref().map(Rows::schema) else { return self.clone() };
        let mut rows = Rows::new(schema);
        self.iter().for_each(|row: Row<'_>| rows.push(row.cells().to_vec()));
        let indexes = (0..rows.len()).collect();
        Self { rows: Some(Arc::new(rows)), indexes, total: self.total }
    }
}
