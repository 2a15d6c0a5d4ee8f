//! Random rules and random facts over a few small pools of values, so that they meet.

use std::sync::Arc;

use assay::model::cell::{AbsPath, Fact as _, Mode, Time, Version};
use assay::model::facts::{MemoryFacts, Rows};
use assay::model::finding::{RuleInfo, RulesPackage, Severity};
use assay::model::schema::{ColumnType, TableSchema};
use assay::model::state::TableState;
use assay::model::table::{self, File, FileKind, Group, Host, Package, User};
use assay::model::value::Value;
use assay::rules::ast::{
    Body, Expect, Expr, Order, Part, Pred, Query, Rule, Table, Template, Test, WhenEmpty,
};
use assay::rules::pattern::Pattern;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const TABLES: [&str; 5] = ["packages", "users", "groups", "files", "host"];
const WORDS: [&str; 4] = ["a", "b", "dpkg", "installed"];
const PATHS: [&str; 8] =
    ["/", "/etc", "/etc/a", "/etc/a/b", "/etc/b", "/etcetera", "/usr", "/usr/bin"];
const NUMBERS: [i64; 6] = [0, 1, 2, 0o644, 0o777, 0o4755];

fn word() -> impl Strategy<Value = Arc<str>> {
    select(&WORDS[..]).prop_map(Arc::from)
}

fn path() -> impl Strategy<Value = Arc<str>> {
    select(&PATHS[..]).prop_map(Arc::from)
}

fn number() -> impl Strategy<Value = i64> {
    select(&NUMBERS[..])
}

fn small_version() -> impl Strategy<Value = Arc<str>> {
    (0u32..4).prop_map(|number| number.to_string().into())
}

/// The facts of one host: every table with some rows and some state.
pub(crate) fn facts() -> impl Strategy<Value = MemoryFacts> {
    let package =
        (select(&["dpkg", "other"][..]), word(), small_version(), proptest::option::of(word()))
            .prop_map(|(manager, name, version, source)| Package {
                manager: manager.into(),
                name,
                version: Version(version),
                arch: None,
                source,
                source_version: None,
                module: None,
                vendor: None,
                repository: None,
                status: "installed".into(),
            });
    let user =
        (word(), number(), number(), path(), 1i64..4).prop_map(|(name, uid, gid, home, line)| {
            User {
                name,
                uid,
                gid,
                gecos: "".into(),
                home: AbsPath(home.clone()),
                shell: AbsPath(home),
                password: "shadowed".into(),
                line,
            }
        });
    let group = (word(), number(), vec(word(), 0..3), 1i64..4)
        .prop_map(|(name, gid, members, line)| Group { name, gid, members, line });
    let file = (number(), select(&FileKind::ALL[..3]), 0u32..2, number()).prop_map(
        |(mode, kind, uid, mtime)| File {
            path: AbsPath("".into()),
            kind,
            mode: Mode(mode as u32),
            uid,
            gid: 0,
            size: mtime,
            mtime: Time(mtime),
            link_target: None,
            capabilities: None,
        },
    );
    let files =
        (proptest::sample::subsequence(&PATHS[..], 0..=PATHS.len()), vec(file, PATHS.len()))
            .prop_map(|(paths, files)| {
                let named = paths.into_iter().zip(files);
                named
                    .map(|(path, file)| File { path: AbsPath(path.into()), ..file })
                    .collect::<Vec<_>>()
            });
    let host = (word(), proptest::option::of(word()), number()).prop_map(|(family, os, at)| Host {
        hostname: "h".into(),
        agent_id: "i-0".into(),
        family,
        os,
        os_version: None,
        os_like: Vec::new(),
        os_name: None,
        kernel_running: None,
        kernels_installed: Vec::new(),
        arch: None,
        source: "live".into(),
        collected_at: Time(at),
        observed_seconds: 0,
        requested_seconds: None,
        privileged: true,
        nx: None,
        collector: "".into(),
        tags: Vec::new(),
    });
    (
        (vec(package, 0..5), state()),
        (vec(user, 0..5), state()),
        (vec(group, 0..4), state()),
        (files, state()),
        (vec(host, 1), state()),
    )
        .prop_map(|(packages, users, groups, files, host)| {
            let mut facts = MemoryFacts::new();
            set(&mut facts, packages);
            set(&mut facts, users);
            set(&mut facts, groups);
            set(&mut facts, files);
            set(&mut facts, host);
            facts
        })
}

fn set<F: assay::model::cell::Fact>(facts: &mut MemoryFacts, (rows, state): (Vec<F>, u8)) {
    match state {
        0 | 3 => facts.set(TableState::truncated("cut"), Rows::of(rows)),
        1 => facts.remove(F::TABLE, TableState::absent("not there")),
        2 => facts.remove(F::TABLE, TableState::denied("not allowed")),
        _ => facts.set(TableState::Collected, Rows::of(rows)),
    };
}

/// 0 and 3 truncated, 1 absent, 2 denied, else collected.
fn state() -> impl Strategy<Value = u8> {
    0u8..12
}

/// A handful of rules that share tables and values.
pub(crate) fn rules() -> impl Strategy<Value = Vec<Rule>> {
    vec(rule(), 1..5)
}

fn rule() -> impl Strategy<Value = Rule> {
    let gate = proptest::option::weighted(0.2, pred(Host::TABLE));
    (vec(part(), 1..3), gate).prop_map(|(parts, benchmark)| Rule {
        info: RuleInfo {
            id: "x".into(),
            package: RulesPackage::SecurityBestPractices,
            title: "x".into(),
            severity: Severity::Low,
            description: "".into(),
            remediation: "".into(),
            references: Vec::new(),
            automated: true,
            recommendation: None,
            tailored: None,
        },
        finding: Template::default(),
        attributes: Vec::new(),
        lists_packages: false,
        benchmark: benchmark.map(Arc::new),
        body: Body::Parts(parts),
    })
}

fn part() -> impl Strategy<Value = Part> {
    (proptest::option::weighted(0.2, pred(Host::TABLE)), vec(expr(), 0..2), expr()).prop_map(
        |(applies, requires, check)| Part {
            applies: applies.map(|pred| (pred, Arc::from("such a host"))),
            requires: requires.into_iter().map(|expr| (expr, Arc::from("why"))).collect(),
            check,
        },
    )
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = query().prop_map(|query| Expr::Query(Box::new(query)));
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Expr::All),
            vec(inner.clone(), 1..3).prop_map(Expr::Any),
            inner.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    select(&TABLES[..]).prop_flat_map(|name| {
        let schema = table::find(name).expect("a table");
        let filter = prop_oneof![1 => Just(Pred::TRUE), 3 => pred(schema), 2 => keys(schema)];
        let must = prop_oneof![1 => Just(Pred::TRUE), 3 => pred(schema)];
        (filter, must, expect(), when_empty(schema)).prop_map(
            move |(filter, must, expect, when_empty)| Query {
                table: Table(schema),
                filter,
                when_empty: match expect {
                    Expect::Each => Some(when_empty.unwrap_or(WhenEmpty::Fail)),
                    _ => when_empty,
                },
                expect,
                must,
                at: Some("nowhere".into()),
                expected: None,
            },
        )
    })
}

/// Filters by which rows are looked up: two columns of which one has to fit, or exact paths.
fn keys(schema: &'static TableSchema) -> BoxedStrategy<Pred> {
    let leaf = |column: usize, test| Pred::Leaf { column, test };
    if schema.name == "files" {
        let paths = || vec(path().prop_map(Value::Text), 1..3);
        let more = prop_oneof![
            2 => Just(Pred::TRUE),
            1 => paths().prop_map(move |paths| leaf(0, Test::In(paths))),
            1 => pred(schema),
        ];
        return (paths(), more)
            .prop_map(move |(paths, more)| Pred::All(vec![leaf(0, Test::In(paths)), more]))
            .boxed();
    }
    let columns: Vec<usize> = (0..schema.columns.len().min(4)).collect();
    let one = select(columns).prop_flat_map(move |column| {
        let wanted = &schema.columns[column];
        value(schema.name, wanted.name, wanted.ty)
            .prop_map(move |value| leaf(column, Test::Eq(value)))
    });
    vec(one, 2..4).prop_map(Pred::Any).boxed()
}

fn expect() -> impl Strategy<Value = Expect> {
    let count = (0i64..4).prop_flat_map(|n| {
        select(vec![
            vec![Test::Eq(Value::Int(n))],
            vec![Test::Ne(Value::Int(n))],
            vec![Test::Lt(n)],
            vec![Test::Ge(n)],
            vec![Test::Ge(n), Test::Le(n + 1)],
            vec![Test::In(vec![Value::Int(n), Value::Int(n + 2)])],
        ])
    });
    prop_oneof![
        2 => Just(Expect::Each),
        2 => Just(Expect::Some),
        2 => Just(Expect::None),
        1 => count.prop_map(Expect::Count),
    ]
}

fn when_empty(schema: &'static TableSchema) -> impl Strategy<Value = Option<WhenEmpty>> {
    let cells: Vec<BoxedStrategy<Value>> =
        schema.columns.iter().map(|column| value(schema.name, column.name, column.ty)).collect();
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(WhenEmpty::Pass)),
        1 => Just(Some(WhenEmpty::Fail)),
        1 => Just(Some(WhenEmpty::Unknown)),
        1 => Just(Some(WhenEmpty::NotApplicable)),
        1 => cells.prop_map(|cells| Some(WhenEmpty::Row(cells))),
    ]
}

fn value(table: &'static str, column: &'static str, ty: ColumnType) -> BoxedStrategy<Value> {
    match ty {
        ColumnType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ColumnType::Int | ColumnType::Mode | ColumnType::Time => {
            number().prop_map(Value::Int).boxed()
        }
        ColumnType::Text if (table, column) == ("files", "kind") => {
            select(&["file", "directory"][..]).prop_map(Value::text).boxed()
        }
        ColumnType::Text => word().prop_map(Value::Text).boxed(),
        ColumnType::Version => small_version().prop_map(Value::Text).boxed(),
        ColumnType::Path => path().prop_map(Value::Text).boxed(),
        ColumnType::TextList => vec(word().prop_map(Value::Text), 0..3)
            .prop_map(|list| Value::List(list.into()))
            .boxed(),
        ColumnType::IntList => vec(number().prop_map(Value::Int), 0..3)
            .prop_map(|list| Value::List(list.into()))
            .boxed(),
    }
}

fn pred(schema: &'static TableSchema) -> BoxedStrategy<Pred> {
    let columns: Vec<usize> = (0..schema.columns.len()).collect();
    let leaf = select(columns).prop_flat_map(move |column| {
        test(schema, column).prop_map(move |test| Pred::Leaf { column, test })
    });
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 1..4).prop_map(Pred::All),
            1 => vec(inner.clone(), 1..3).prop_map(Pred::Any),
            1 => inner.prop_map(|pred| Pred::Not(Box::new(pred))),
        ]
    })
    .boxed()
}

fn test(schema: &'static TableSchema, column: usize) -> BoxedStrategy<Test> {
    let column = &schema.columns[column];
    let one = || value(schema.name, column.name, column.ty);
    let several = || vec(one(), 1..3);
    let equal = prop_oneof![
        3 => one().prop_map(Test::Eq),
        1 => one().prop_map(Test::Ne),
        1 => several().prop_map(Test::In),
        1 => several().prop_map(Test::NotIn),
        1 => Just(Test::Null),
        1 => Just(Test::Exists),
    ];
    let list = matches!(column.ty, ColumnType::TextList | ColumnType::IntList);
    match column.ty {
        ColumnType::Mode => prop_oneof![
            1 => equal,
            2 => number().prop_map(Test::BitsSet),
            2 => number().prop_map(Test::BitsClear),
            1 => number().prop_map(Test::Lt),
        ]
        .boxed(),
        ColumnType::Int | ColumnType::Time => {
            let time = column.ty == ColumnType::Time;
            prop_oneof![
                3 => equal,
                1 => number().prop_map(Test::Le),
                1 => number().prop_map(Test::Gt),
                1 => number().prop_map(Test::Ge),
                1 => number().prop_map(move |n| if time { Test::OlderThan(n) } else { Test::Lt(n) }),
            ]
            .boxed()
        }
        ColumnType::Path => prop_oneof![
            2 => equal,
            1 => vec(path(), 1).prop_map(Test::Under),
            1 => select(&["/etc/*", "/usr/*", "/etc/a/*"][..])
                .prop_map(|glob| Test::Glob(Pattern::glob(glob))),
        ]
        .boxed(),
        ColumnType::Version => prop_oneof![
            1 => equal,
            2 => (select(vec![Order::Lt, Order::Le, Order::Gt, Order::Ge]), small_version())
                .prop_map(|(order, version)| Test::Version(order, version)),
        ]
        .boxed(),
        _ if list => {
            let words = || vec(word().prop_map(Value::Text), 1..3);
            prop_oneof![
                1 => equal,
                1 => word().prop_map(|word| Test::Contains(Value::Text(word))),
                1 => words().prop_map(Test::SubsetOf),
                1 => words().prop_map(|words| Test::Each(vec![Test::In(words)])),
                1 => words().prop_map(|words| Test::Some(vec![Test::In(words)])),
            ]
            .boxed()
        }
        _ => equal.boxed(),
    }
}
