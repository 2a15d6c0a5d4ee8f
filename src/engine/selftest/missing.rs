//! Tables taken away: a rule must not pass without the facts it needs.

use std::collections::BTreeSet;

use crate::diagnostic::codes::rules as codes;
use crate::model::cell::Fact as _;
use crate::model::facts::MemoryFacts;
use crate::model::finding::{RulesPackage, Verdict};
use crate::model::schema::Origin;
use crate::model::state::TableState;
use crate::model::table::{self, ConfigFile, Host};
use crate::rules::ast::{Body, Expr, Rule};
use crate::rules::reader::Reader;
use crate::rules::selfcheck::Subject;

/// Reports passing examples that still pass when what they read is taken away.
pub(super) fn check(reader: &mut Reader<'_>, subject: &Subject) {
    for (rule, example) in subject.cases.iter().filter(|(_, e)| e.verdict == "pass") {
        let given: BTreeSet<&str> =
            example.facts.tables().filter(|name| *name != Host::TABLE.name).collect();
        let mut tries = Vec::new();
        if reads_more_than_host(rule) {
            tries.push(given.clone());
        }
        tries.extend(needed(rule).intersection(&given).map(|name| BTreeSet::from([*name])));
        for taken in tries {
            let facts = without(&example.facts, &taken);
            let judgement = super::judge(rule, &facts);
            if judgement.is_some_and(|judgement| judgement.verdict == Verdict::Pass) {
                let names: Vec<&str> = taken.into_iter().collect();
                let message = format!(
                    "example `{}` still passes when {} is taken away",
                    example.name,
                    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
                );
                Subject::report(reader, example, codes::VACUOUS_PASS, message);
            }
        }
    }
}

fn without(facts: &MemoryFacts, taken: &BTreeSet<&str>) -> MemoryFacts {
    let mut facts = facts.clone();
    for schema in table::COLLECTED.iter().filter(|schema| taken.contains(schema.name)) {
        facts.remove(schema, TableState::absent("taken away by the check"));
    }
    facts
}

fn reads_more_than_host(rule: &Rule) -> bool {
    let Body::Parts(parts) = &rule.body else { return false };
    let mut more = false;
    for part in parts {
        let exprs = part.requires.iter().map(|(expr, _)| expr).chain([&part.check]);
        exprs.for_each(|expr| {
            expr.queries(&mut |query| more |= query.table.0.name != Host::TABLE.name);
        });
    }
    more
}

/// The collected tables without which a rule cannot pass: all that a control of a benchmark is
/// made from; of other rules those that queries name which all have to hold.
fn needed(rule: &Rule) -> BTreeSet<&'static str> {
    let Body::Parts(parts) = &rule.body else { return BTreeSet::new() };
    let mut tables = BTreeSet::new();
    for part in parts {
        let exprs = part.requires.iter().map(|(expr, _)| expr).chain([&part.check]);
        exprs.for_each(|expr| match rule.info.package {
            RulesPackage::Cis => expr.queries(&mut |query| {
                tables.extend(table::sources(query.table.0).into_iter().map(|table| table.name));
            }),
            _ => conjunction(expr, &mut tables),
        });
    }
    tables
}

fn conjunction(expr: &Expr, tables: &mut BTreeSet<&'static str>) {
    match expr {
        Expr::All(list) => list.iter().for_each(|expr| conjunction(expr, tables)),
        Expr::Query(query) => {
            let table = query.table.0;
            match table.origin {
                Origin::Collected => tables.insert(table.name),
                Origin::Lens => tables.insert(ConfigFile::TABLE.name),
                Origin::Derived => false,
            };
        }
        Expr::Any(_) | Expr::Not(_) => {}
    }
}
