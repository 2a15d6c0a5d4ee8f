//! The evaluator that is obviously right: every query looks at every row of its table.

use std::collections::BTreeSet;

use assay::model::facts::{FactSource, MemoryFacts, Row};
use assay::model::schema::TableSchema;
use assay::model::state::TableState;
use assay::model::value::Value;
use assay::rules::ast::{Body, Expect, Expr, Part, Pred, Query, Rule, Test, WhenEmpty};

/// What the reference says of one rule.
pub(crate) struct Judged {
    pub(crate) verdict: &'static str,
    pub(crate) evidence: BTreeSet<String>,
}

/// Three values; `None` is unknown.
type Three = Option<bool>;

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Yes,
    No,
    Unknown,
    NotApplicable,
}
use Answer::{No, NotApplicable, Unknown, Yes};

fn answer(three: Three) -> Answer {
    match three {
        Some(true) => Yes,
        Some(false) => No,
        None => Unknown,
    }
}

/// Judges a rule; `None` where its benchmark is about other hosts.
pub(crate) fn judge(rule: &Rule, facts: &MemoryFacts) -> Option<Judged> {
    if let Some(gate) = &rule.benchmark
        && host(gate, facts) == No
    {
        return None;
    }
    let Body::Parts(parts) = &rule.body else {
        return Some(Judged { verdict: "not_applicable", evidence: BTreeSet::new() });
    };
    let answers: Vec<Answer> = parts.iter().map(|part| part_answer(part, facts)).collect();
    let mut evidence = Vec::new();
    for (part, answer) in parts.iter().zip(&answers) {
        if *answer == No {
            show(&part.check, true, facts, &mut evidence);
        }
    }
    let has = |answer| answers.contains(&answer);
    let verdict = if has(No) {
        "fail"
    } else if has(Unknown) {
        "unknown"
    } else if has(Yes) || answers.is_empty() {
        "pass"
    } else {
        "not_applicable"
    };
    let beside_host = evidence.iter().any(|(table, _)| *table != "host");
    let evidence = evidence
        .into_iter()
        .filter(|(table, _)| !beside_host || *table != "host")
        .map(|(_, location)| location)
        .collect();
    Some(Judged { verdict, evidence })
}

fn part_answer(part: &Part, facts: &MemoryFacts) -> Answer {
    let mut unknown = false;
    if let Some((pred, _)) = &part.applies {
        match host(pred, facts) {
            No => return NotApplicable,
            Unknown => unknown = true,
            _ => {}
        }
    }
    for (expr, _) in &part.requires {
        match expr_answer(expr, facts) {
            No | NotApplicable => return NotApplicable,
            Unknown => unknown = true,
            Yes => {}
        }
    }
    if unknown { Unknown } else { expr_answer(&part.check, facts) }
}

fn host(pred: &Pred, facts: &MemoryFacts) -> Answer {
    let schema = assay::model::table::find("host").unwrap();
    let rows = facts.rows(schema).unwrap();
    rows.get(0).map_or(Unknown, |row| answer(holds(pred, row, facts)))
}

fn expr_answer(expr: &Expr, facts: &MemoryFacts) -> Answer {
    let worst = |list: &[Expr], order: [Answer; 4]| {
        let answers: Vec<Answer> = list.iter().map(|expr| expr_answer(expr, facts)).collect();
        order.into_iter().find(|answer| answers.contains(answer)).unwrap_or(order[3])
    };
    match expr {
        Expr::All(list) => worst(list, [No, NotApplicable, Unknown, Yes]),
        Expr::Any(list) => worst(list, [Yes, NotApplicable, Unknown, No]),
        Expr::Not(expr) => match expr_answer(expr, facts) {
            Yes => No,
            No => Yes,
            other => other,
        },
        Expr::Query(query) => ask(query, facts),
    }
}

/// The rows of a query: those that belong to it for sure, each with whether `must` holds.
struct Rows {
    rows: Vec<(Vec<Value>, Three)>,
    /// Whether a row could not be judged, and what it is could change the answer.
    doubt: bool,
    /// Whether a row may belong to it and may not.
    maybe: bool,
}

fn rows(query: &Query, facts: &MemoryFacts) -> Rows {
    let mut found = Rows { rows: Vec::new(), doubt: false, maybe: false };
    for row in facts.rows(query.table.0).unwrap().iter() {
        match holds(&query.filter, row, facts) {
            Some(true) => {
                let must = holds(&query.must, row, facts);
                found.doubt |= must.is_none();
                found.rows.push((row.cells().to_vec(), must));
            }
            Some(false) => {}
            None => {
                let harmless = query.expect == Expect::Each;
                found.maybe = true;
                found.doubt |= holds(&query.must, row, facts) != Some(harmless);
            }
        }
    }
    found
}

fn ask(query: &Query, facts: &MemoryFacts) -> Answer {
    let mut found = rows(query, facts);
    let open = match facts.state(query.table.0) {
        TableState::Absent(_) | TableState::Denied(_) => return Unknown,
        TableState::Truncated(_) => found.doubt || !paths_are_all_there(query, facts),
        TableState::Collected => found.doubt,
    };
    if found.rows.is_empty() {
        let matters = match (&query.expect, &query.when_empty) {
            (_, None) | (Expect::Each | Expect::None, Some(WhenEmpty::Pass)) => false,
            (_, Some(_)) => true,
        };
        if (open || found.maybe) && matters {
            return Unknown;
        }
        match &query.when_empty {
            None => {}
            Some(WhenEmpty::Pass) if matters => return Yes,
            Some(WhenEmpty::Pass) => {}
            Some(WhenEmpty::Fail) => return No,
            Some(WhenEmpty::Unknown) => return Unknown,
            Some(WhenEmpty::NotApplicable) => return NotApplicable,
            Some(WhenEmpty::Row(cells)) => {
                let must = holds(&query.must, Row::new(query.table.0, cells), facts);
                if must.is_none() {
                    return Unknown;
                }
                found.rows.push((cells.clone(), must));
            }
        }
    }
    let good = found.rows.iter().filter(|(_, must)| *must == Some(true)).count() as i64;
    let bad = found.rows.iter().filter(|(_, must)| *must == Some(false)).count();
    let closed = |holds: bool| if open { Unknown } else { answer(Some(holds)) };
    match &query.expect {
        Expect::Each if bad > 0 => No,
        Expect::Each => closed(true),
        Expect::Some if good > 0 => Yes,
        Expect::Some => closed(false),
        Expect::None if good > 0 => No,
        Expect::None => closed(true),
        Expect::Count(tests) => {
            let holds = |n: i64| tests.iter().all(|test| cell(test, &Value::Int(n)) == Some(true));
            // With more rows possible, every larger number has to give the same answer.
            let range = if open { good..=good + 100 } else { good..=good };
            let answers: BTreeSet<bool> = range.map(holds).collect();
            match answers.into_iter().collect::<Vec<_>>()[..] {
                [one] => answer(Some(one)),
                _ => Unknown,
            }
        }
    }
}

/// Whether a query asks for exact paths that are all there.
fn paths_are_all_there(query: &Query, facts: &MemoryFacts) -> bool {
    if query.table.0.name != "files" {
        return false;
    }
    let mut wanted: Option<BTreeSet<String>> = None;
    conjuncts(&query.filter, &mut |column, test| {
        let values = match test {
            Test::Eq(value) if column == 0 => vec![value.clone()],
            Test::In(values) if column == 0 => values.clone(),
            _ => return,
        };
        let values = values.iter().map(Value::to_string).collect::<BTreeSet<_>>();
        wanted = Some(match &wanted {
            Some(before) => before.intersection(&values).cloned().collect(),
            None => values,
        });
    });
    wanted.is_some_and(|paths| paths.iter().all(|path| facts.file(path).unwrap().is_some()))
}

fn conjuncts(pred: &Pred, visit: &mut dyn FnMut(usize, &Test)) {
    match pred {
        Pred::All(list) => list.iter().for_each(|pred| conjuncts(pred, visit)),
        Pred::Leaf { column, test } => visit(*column, test),
        _ => {}
    }
}

fn holds(pred: &Pred, row: Row<'_>, facts: &MemoryFacts) -> Three {
    match pred {
        Pred::All(list) => {
            let all: Vec<Three> = list.iter().map(|pred| holds(pred, row, facts)).collect();
            if all.contains(&Some(false)) {
                Some(false)
            } else if all.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Pred::Any(list) => {
            let all: Vec<Three> = list.iter().map(|pred| holds(pred, row, facts)).collect();
            if all.contains(&Some(true)) {
                Some(true)
            } else if all.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Pred::Not(pred) => holds(pred, row, facts).map(|holds| !holds),
        Pred::Leaf { column, test } => {
            let value = &row.cells()[*column];
            if let (Test::OlderThan(seconds), Value::Int(time)) = (test, value) {
                let schema = assay::model::table::find("host").unwrap();
                let host = facts.rows(schema).unwrap();
                let now = host.get(0)?.get("collected_at").as_int()?;
                return Some(now - time > *seconds);
            }
            if let (Test::Version(order, other), Value::Text(version)) = (test, value) {
                // The generated versions are whole numbers, and only dpkg knows how to order them.
                if row.get("manager").as_text() != Some("dpkg") {
                    return None;
                }
                let number = |text: &str| text.parse::<u32>().unwrap();
                return Some(order.holds(number(version).cmp(&number(other))));
            }
            cell(test, value)
        }
    }
}

fn cell(test: &Test, value: &Value) -> Three {
    let int = |holds: &dyn Fn(i64) -> bool| Some(matches!(value, Value::Int(n) if holds(*n)));
    let list = |holds: &dyn Fn(&[Value]) -> bool| Some(matches!(value, Value::List(l) if holds(l)));
    match test {
        Test::Null => Some(value.is_null()),
        Test::Exists => Some(!value.is_null()),
        Test::Ne(other) => Some(value != other),
        Test::NotIn(values) => Some(!values.iter().any(|other| other == value)),
        _ if value.is_null() => Some(false),
        Test::Eq(other) => Some(value == other),
        Test::In(values) => Some(values.iter().any(|other| other == value)),
        Test::Lt(other) => int(&|n| n < *other),
        Test::Le(other) => int(&|n| n <= *other),
        Test::Gt(other) => int(&|n| n > *other),
        Test::Ge(other) => int(&|n| n >= *other),
        Test::BitsSet(bits) => {
            int(&|n| (0..16).all(|bit| bits >> bit & 1 == 0 || n >> bit & 1 == 1))
        }
        Test::BitsClear(bits) => {
            int(&|n| (0..16).all(|bit| bits >> bit & 1 == 0 || n >> bit & 1 == 0))
        }
        Test::Contains(other) => list(&|l| l.iter().any(|v| v == other)),
        Test::SubsetOf(values) => list(&|l| l.iter().all(|v| values.iter().any(|o| o == v))),
        Test::Each(tests) => {
            list(&|l| l.iter().all(|v| tests.iter().all(|t| cell(t, v) == Some(true))))
        }
        Test::Some(tests) => {
            list(&|l| l.iter().any(|v| tests.iter().all(|t| cell(t, v) == Some(true))))
        }
        Test::Under(directories) => Some(directories.iter().any(|directory| {
            let path = value.to_string();
            let base = if &**directory == "/" { String::new() } else { directory.to_string() };
            path.len() > base.len() + 1 && path.starts_with(&format!("{base}/"))
        })),
        Test::Glob(pattern) => {
            // The generated globs are `DIRECTORY/*`.
            let directory = pattern.text().strip_suffix("/*").unwrap();
            let path = value.to_string();
            let rest = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
            Some(rest.is_some_and(|name| !name.contains('/')))
        }
        other => panic!("the generator does not make {other:?}"),
    }
}

/// The locations that show why an expression that should be `wanted` is not.
fn show(expr: &Expr, wanted: bool, facts: &MemoryFacts, out: &mut Vec<(&'static str, String)>) {
    let bad = if wanted { No } else { Yes };
    match expr {
        Expr::All(list) | Expr::Any(list) => {
            for expr in list.iter().filter(|expr| expr_answer(expr, facts) == bad) {
                show(expr, wanted, facts, out);
            }
        }
        Expr::Not(expr) => show(expr, !wanted, facts, out),
        Expr::Query(query) => show_query(query, wanted, facts, out),
    }
}

fn show_query(
    query: &Query,
    wanted: bool,
    facts: &MemoryFacts,
    out: &mut Vec<(&'static str, String)>,
) {
    let table = query.table.0;
    let interesting = match (&query.expect, wanted) {
        (Expect::Each | Expect::Some, true) => Some(false),
        (Expect::None, false) => None,
        _ => Some(true),
    };
    let before = out.len();
    for (cells, must) in rows(query, facts).rows {
        if must.is_some() && must == interesting {
            out.push((table.name, located(table, Row::new(table, &cells))));
        }
    }
    if out.len() == before {
        out.push((table.name, query.at.as_ref().expect("generated queries say where").to_string()));
    }
}

fn located(table: &TableSchema, row: Row<'_>) -> String {
    let mut location = table.location.to_owned();
    for column in table.columns {
        let text = row.get(column.name).to_string();
        location = location.replace(&format!("{{{}}}", column.name), &text);
    }
    match row.get("line") {
        Value::Int(line) => format!("{location}:{line}"),
        _ => location,
    }
}
