//! Checked rules to a plan: equal predicates, row sets and atoms become one.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Atom, Atoms, Plan, Program, ProgramBody, ProgramPart, RowSet, Step, TablePlan};
use crate::model::cell::Fact as _;
use crate::model::finding::RuleInfo;
use crate::model::table::{self, File};
use crate::rules::ast::{Body, Expect, Expr, Part, Pred, Query, Rule};

pub(super) fn plan(rules: Vec<Rule>) -> Plan {
    let mut interner = Interner::default();
    let mut infos = Vec::with_capacity(rules.len());
    let mut programs = Vec::with_capacity(rules.len());
    for rule in rules {
        let body = match rule.body {
            Body::Manual(advice) => ProgramBody::Manual(advice),
            Body::Off(reason) => ProgramBody::Off(reason),
            Body::Parts(parts) => {
                ProgramBody::Parts(parts.into_iter().map(|part| interner.part(part)).collect())
            }
        };
        programs.push(Program {
            benchmark: rule.benchmark.map(|pred| interner.gate(pred)),
            finding: rule.finding,
            attributes: rule.attributes,
            lists_packages: rule.lists_packages,
            body,
        });
        infos.push(rule.info);
    }
    let packages = infos.iter().map(|rule: &RuleInfo| rule.package).collect();
    Plan {
        rules: infos.into(),
        programs: programs.into(),
        atoms: Arc::new(interner.finish()),
        left_out: Arc::new([]),
        packages,
        profile: None,
    }
}

#[derive(Default)]
struct Interner {
    gates: HashMap<Arc<Pred>, usize>,
    row_sets: HashMap<SetKey, usize>,
    queries: HashMap<AtomKey, usize>,
    out: Atoms,
}

/// A query as a search for rows: by its table and filter.
struct SetKey(Arc<Query>);

impl Hash for SetKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.table, &self.0.filter).hash(state);
    }
}

impl PartialEq for SetKey {
    fn eq(&self, other: &Self) -> bool {
        (self.0.table, &self.0.filter) == (other.0.table, &other.0.filter)
    }
}
impl Eq for SetKey {}

/// A query over a row set, whose filter need not be looked at again.
struct AtomKey {
    row_set: usize,
    query: Arc<Query>,
}

impl Hash for AtomKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.row_set, &self.query.must, &self.query.expect).hash(state);
    }
}

impl PartialEq for AtomKey {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&*self.query, &*other.query);
        self.row_set == other.row_set
            && (&a.must, &a.expect, &a.when_empty) == (&b.must, &b.expect, &b.when_empty)
            && (&a.at, &a.expected) == (&b.at, &b.expected)
    }
}
impl Eq for AtomKey {}

impl Interner {
    fn gate(&mut self, pred: Arc<Pred>) -> usize {
        let gates = &mut self.out.gates;
        *self.gates.entry(pred).or_insert_with_key(|pred| {
            gates.push(Arc::clone(pred));
            gates.len() - 1
        })
    }

    fn part(&mut self, part: Part) -> ProgramPart {
        ProgramPart {
            applies: part.applies.map(|(pred, words)| (self.gate(Arc::new(pred)), words)),
            requires: part
                .requires
                .into_iter()
                .map(|(expr, reason)| (self.step(expr, None), reason))
                .collect(),
            check: self.step(part.check, Some(true)),
        }
    }

    /// `wanted`: which outcome of the expression is the good one; none where a failure is not
    /// shown.
    fn step(&mut self, expr: Expr, wanted: Option<bool>) -> Step {
        match expr {
            Expr::All(list) => {
                Step::All(list.into_iter().map(|expr| self.step(expr, wanted)).collect())
            }
            Expr::Any(list) => {
                Step::Any(list.into_iter().map(|expr| self.step(expr, wanted)).collect())
            }
            Expr::Not(expr) => Step::Not(Box::new(self.step(*expr, wanted.map(|want| !want)))),
            Expr::Query(query) => Step::Atom(self.atom(query.into(), wanted)),
        }
    }

    fn atom(&mut self, query: Arc<Query>, wanted: Option<bool>) -> usize {
        let row_set = self.row_set(&query);
        let atoms = &mut self.out.atoms;
        let key = AtomKey { row_set, query };
        let position = *self.queries.entry(key).or_insert_with_key(|key| {
            atoms.push(Atom {
                row_set,
                query: Arc::clone(&key.query),
                keep_violators: false,
                keep_holders: false,
            });
            atoms.len() - 1
        });
        if let Some(atom) = self.out.atoms.get_mut(position) {
            match (&atom.query.expect, wanted) {
                (_, None) | (Expect::None, Some(false)) => {}
                (Expect::Each | Expect::Some, Some(true)) => atom.keep_violators = true,
                _ => atom.keep_holders = true,
            }
        }
        position
    }

    fn row_set(&mut self, query: &Arc<Query>) -> usize {
        let row_sets = &mut self.out.row_sets;
        *self.row_sets.entry(SetKey(Arc::clone(query))).or_insert_with(|| {
            row_sets.push(RowSet::new(Arc::clone(query)));
            row_sets.len() - 1
        })
    }

    fn finish(mut self) -> Atoms {
        let mut tables: Vec<TablePlan> =
            table::all().iter().map(|table| TablePlan::new(table)).collect();
        for (position, set) in self.out.row_sets.iter().enumerate() {
            if set.table().name == File::TABLE.name {
                continue;
            }
            let plan = table::position(set.table()).and_then(|index| tables.get_mut(index));
            if let Some(plan) = plan {
                plan.add(position, set.filter());
            }
        }
        tables.retain(|table| !table.keyed.is_empty() || !table.scanned.is_empty());
        self.out.tables = tables;
        self.out
    }
}
