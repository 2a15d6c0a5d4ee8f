//! Checked rules to a plan: equal predicates, row sets and atoms become one.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Atom, Atoms, Plan, Program, ProgramBody, ProgramPart, RowSet, Step, TablePlan};
use crate::model::cell::Fact as _;
use crate::model::table::{self, File};
use crate::rules::ast::{Body, Expect, Expr, Part, Pred, Query, Rule, Table};

pub(super) fn plan(rules: Vec<Rule>) -> Plan {
    let mut interner = Interner::default();
    let mut infos = Vec::with_capacity(rules.len());
    let mut programs = Vec::with_capacity(rules.len());
    for rule in rules {
        let body = match rule.body {
            Body::Manual(advice) => ProgramBody::Manual(advice),
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
    Plan {
        rules: infos.into(),
        programs: programs.into(),
        atoms: Arc::new(interner.finish()),
        profile: None,
    }
}

#[derive(Default)]
struct Interner {
    gates: HashMap<Arc<Pred>, usize>,
    row_sets: HashMap<(Table, Pred), usize>,
    queries: HashMap<Query, usize>,
    out: Atoms,
}

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
            Expr::Query(query) => Step::Atom(self.atom(*query, wanted)),
        }
    }

    fn atom(&mut self, query: Query, wanted: Option<bool>) -> usize {
        let found = self.queries.get(&query).copied();
        let position = found.unwrap_or_else(|| {
            let row_set = self.row_set(query.table, &query.filter);
            let position = self.out.atoms.len();
            self.out.atoms.push(Atom {
                row_set,
                query: query.clone(),
                keep_violators: false,
                keep_holders: false,
            });
            self.queries.insert(query, position);
            position
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

    fn row_set(&mut self, table: Table, filter: &Pred) -> usize {
        let key = (table, filter.clone());
        let row_sets = &mut self.out.row_sets;
        *self.row_sets.entry(key).or_insert_with(|| {
            row_sets.push(RowSet::new(table.0, filter.clone()));
            row_sets.len() - 1
        })
    }

    fn finish(mut self) -> Atoms {
        let mut tables: Vec<TablePlan> =
            table::all().iter().map(|table| TablePlan::new(table)).collect();
        for (position, set) in self.out.row_sets.iter().enumerate() {
            if set.table.name == File::TABLE.name {
                continue;
            }
            let plan = table::position(set.table).and_then(|index| tables.get_mut(index));
            if let Some(plan) = plan {
                plan.add(position, &set.filter);
            }
        }
        tables.retain(|table| !table.keyed.is_empty() || !table.scanned.is_empty());
        self.out.tables = tables;
        self.out
    }
}
