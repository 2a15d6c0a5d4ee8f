//! Every leaf of `check` turned into its opposite: some example has to notice.

use crate::diagnostic::codes::rules as codes;
use crate::model::schema::TableSchema;
use crate::rules::ast::{Body, Expr, Pred, Rule};
use crate::rules::reader::Reader;
use crate::rules::selfcheck::Subject;
use crate::rules::words;

/// Reports the leaves that no example needs; gives how many leaves there are.
pub(super) fn check(reader: &mut Reader<'_>, subject: &Subject) -> usize {
    let mut leaf = 0;
    loop {
        let mut noticed = false;
        let mut described = None;
        for (rule, example) in &subject.cases {
            let Some((flipped, words)) = flipped(rule, leaf) else { continue };
            described.get_or_insert(words);
            let verdict = super::judge(&flipped, &example.facts);
            if verdict.is_none_or(|judgement| judgement.verdict.name() != example.verdict) {
                noticed = true;
                break;
            }
        }
        let Some(words) = described else { return leaf };
        if !noticed {
            let message = format!("no example notices when `{words}` is turned into its opposite");
            subject.report_check(reader, codes::LEAF_UNTESTED, message);
        }
        leaf += 1;
    }
}

/// The rule with one leaf of its check negated, and words for the leaf.
fn flipped(rule: &Rule, leaf: usize) -> Option<(Rule, String)> {
    let mut rule = rule.clone();
    let Body::Parts(parts) = &mut rule.body else { return None };
    let mut flip = Flip { left: leaf, words: None };
    parts.iter_mut().for_each(|part| flip.expr(&mut part.check));
    flip.words.map(|words| (rule, words))
}

struct Flip {
    left: usize,
    words: Option<String>,
}

impl Flip {
    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::All(list) | Expr::Any(list) => list.iter_mut().for_each(|expr| self.expr(expr)),
            Expr::Not(expr) => self.expr(expr),
            Expr::Query(query) => {
                let table = query.table.0;
                self.pred(table, &mut query.filter, "where");
                self.pred(table, &mut query.must, "must");
            }
        }
    }

    fn pred(&mut self, table: &'static TableSchema, pred: &mut Pred, place: &str) {
        match pred {
            Pred::All(list) | Pred::Any(list) => {
                list.iter_mut().for_each(|pred| self.pred(table, pred, place));
            }
            Pred::Not(pred) => self.pred(table, pred, place),
            Pred::Leaf { .. } => {
                if self.words.is_some() {
                    return;
                }
                if self.left > 0 {
                    self.left -= 1;
                    return;
                }
                let words = words::predicate(table, pred);
                self.words = Some(format!("{place}: {words}` of `{}", table.name));
                let leaf = std::mem::replace(pred, Pred::TRUE);
                *pred = Pred::Not(Box::new(leaf));
            }
        }
    }
}
