//! The plan: rules as boolean programs over atoms. An atom is a question to one table; equal
//! atoms of different rules are one, and atoms over the same rows share the search for them, so
//! that a host is asked everything once.

mod build;
mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ast::{Pred, Query, Template};
use super::scope::Audience;
use crate::model::finding::{RuleInfo, RulesPackage};

pub(crate) use rows::{FileAccess, TablePlan};

/// The profile that is judged where the user names none.
pub const DEFAULT_PROFILE: &str = "Level 1 - Server";

/// Rules ready to be judged. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The rules, by package, then id, benchmarks in the order of their numbers.
    pub rules: Arc<[RuleInfo]>,
    pub(crate) programs: Arc<[Program]>,
    pub(crate) atoms: Arc<Atoms>,
    /// Benchmarks that are about no host of this run: a host that they are about must not be
    /// judged without them.
    pub(crate) left_out: Arc<[Audience]>,
    /// The CIS profile that was selected.
    pub(crate) profile: Option<Arc<str>>,
    /// The packages that were asked for and that there are rules of, whether or not some of the
    /// rules were left out.
    pub(crate) packages: BTreeSet<RulesPackage>,
}

/// Which rules of a plan to judge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The packages; none at all means every package.
    pub packages: Vec<RulesPackage>,
    /// The CIS profile, for example `Level 2 - Server`; [`DEFAULT_PROFILE`] where there is none.
    pub profile: Option<Arc<str>>,
}

/// What all programs share.
#[derive(Debug, Default)]
pub(crate) struct Atoms {
    /// Predicates over `host`.
    pub(crate) gates: Vec<Arc<Pred>>,
    /// Searches for rows.
    pub(crate) row_sets: Vec<RowSet>,
    /// Questions to the rows of a row set.
    pub(crate) atoms: Vec<Atom>,
    /// How the rows of each table other than `files` find their row sets.
    pub(crate) tables: Vec<TablePlan>,
}

/// The rows of one table that a predicate holds for.
#[derive(Debug)]
pub(crate) struct RowSet {
    /// The first query that searches so; only its table and filter count.
    query: Arc<Query>,
    /// For `files`: how to get at the rows.
    pub(crate) access: FileAccess,
}

/// A question to the rows of a row set.
#[derive(Debug)]
pub(crate) struct Atom {
    pub(crate) row_set: usize,
    pub(crate) query: Arc<Query>,
    /// Which rows a failure would have to show.
    pub(crate) keep_violators: bool,
    pub(crate) keep_holders: bool,
}

/// One rule.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Position of the benchmark's gate.
    pub(crate) benchmark: Option<usize>,
    pub(crate) finding: Template,
    pub(crate) attributes: Vec<(Arc<str>, Arc<str>)>,
    pub(crate) lists_packages: bool,
    pub(crate) body: ProgramBody,
}

/// What a program asks.
#[derive(Debug, Clone)]
pub(crate) enum ProgramBody {
    Parts(Vec<ProgramPart>),
    Manual(Arc<str>),
    Off(Arc<str>),
}

/// A requirement with the hosts it is about.
#[derive(Debug, Clone)]
pub(crate) struct ProgramPart {
    /// Position of the gate, and words for it.
    pub(crate) applies: Option<(usize, Arc<str>)>,
    pub(crate) requires: Vec<(Step, Arc<str>)>,
    pub(crate) check: Step,
}

/// A boolean program over atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    All(Vec<Step>),
    Any(Vec<Step>),
    Not(Box<Step>),
    Atom(usize),
}

impl Step {
    /// Calls `visit` with every atom's position.
    pub(crate) fn atoms(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|step| step.atoms(visit)),
            Self::Not(step) => step.atoms(visit),
            Self::Atom(atom) => visit(*atom),
        }
    }
}

impl Plan {
    /// The plan of these rules, in their order.
    pub fn of(rules: Vec<super::ast::Rule>) -> Self {
        build::plan(rules)
    }

    /// The part of the plan that a user asked for. Of a benchmark, the recommendations of the
    /// profile; a profile of level 2 includes those of level 1 of its kind.
    #[must_use]
    pub fn select(&self, selection: &Selection) -> Self {
        let kept = self.rules.iter().zip(self.programs.iter()).filter(|(rule, _)| {
            let levels = rule.recommendation.as_ref().map(|cis| &cis.levels);
            selection.has(rule.package) && levels.is_none_or(|levels| selection.reaches(levels))
        });
        let (rules, programs): (Vec<_>, Vec<_>) =
            kept.map(|(rule, program)| (rule.clone(), program.clone())).unzip();
        Self {
            rules: rules.into(),
            programs: programs.into(),
            atoms: Arc::clone(&self.atoms),
            left_out: Arc::clone(&self.left_out),
            profile: Some(selection.profile()),
            packages: self.packages.iter().copied().filter(|it| selection.has(*it)).collect(),
        }
    }

    /// The plan, knowing which benchmarks were left out of it.
    #[must_use]
    pub(crate) fn without(mut self, left_out: Vec<Audience>) -> Self {
        if !left_out.is_empty() {
            self.packages.insert(RulesPackage::Cis);
        }
        self.left_out = left_out.into();
        self
    }

    /// The packages that were asked for and that there are rules of.
    pub fn packages(&self) -> impl Iterator<Item = RulesPackage> {
        self.packages.iter().copied()
    }

    /// How many atoms and row sets the rules share, for figures.
    pub fn size(&self) -> (usize, usize) {
        (self.atoms.atoms.len(), self.atoms.row_sets.len())
    }
}
