//! Leaving rules out that a run cannot need changes no verdict, and is noticed where it would.

use std::path::{Path, PathBuf};

use assay::assess::snapshots_about;
use assay::engine::{benchmarks_about, evaluate};
use assay::rules::{Library, Listed, Scope, Selection};
use assay::snapshot::Snapshot;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name)
}

fn selection(profile: &str) -> Selection {
    Selection { packages: Vec::new(), profile: Some(profile.into()) }
}

#[test]
fn a_list_shows_what_the_plan_has() {
    let library = Library::embedded();
    let plan = library.compile().unwrap();
    let listed: Vec<Listed> = plan.rules.iter().cloned().map(Listed::from).collect();
    assert_eq!(library.list().unwrap(), listed);

    let mut changed = Library::embedded();
    let text = "title: Mine\nseverity: low\nfinding: x\ndescription: x\nremediation: x\n\
                check: { from: users, where: { uid: 0 }, expect: some }\n";
    assert!(changed.insert("security-best-practices/mine.yaml", text));
    assert_eq!(changed.list().unwrap().len(), listed.len() + 1);
    assert!(changed.insert("security-best-practices/mine.yaml", "title: Mine\n"));
    assert!(changed.list().is_err(), "mistakes are told");
}

#[test]
fn a_scope_changes_no_verdict() {
    let library = Library::embedded();
    for name in ["debian-12.assay", "debian-13.assay", "almalinux-8.assay"] {
        let snapshot = Snapshot::open(&sample(name)).unwrap();
        let benchmarks = benchmarks_about(&library.benchmarks(), &snapshot).unwrap();
        for profile in ["Level 1 - Server", "Level 2 - Workstation"] {
            let all = library.compile().unwrap().select(&selection(profile));
            let scope = Scope {
                selection: selection(profile),
                benchmarks: Some(benchmarks.clone()),
                ..Scope::default()
            };
            let some = library.compile_for(&scope).unwrap();
            let judged = |plan: &assay::rules::Plan| -> Vec<_> {
                let judgements = evaluate(plan, &snapshot).unwrap();
                let named = |j: assay::model::finding::Judgement| {
                    (plan.rules[j.rule].clone(), j.verdict, j.evidence, j.attributes)
                };
                judgements.into_iter().map(named).collect()
            };
            assert!(some.rules.len() <= all.rules.len());
            assert_eq!(judged(&some), judged(&all), "{name} {profile}");
        }
    }
}

#[test]
fn each_snapshot_finds_its_benchmark_and_none_is_judged_without() {
    let library = Library::embedded();
    let gates = library.benchmarks();
    assert!(gates.iter().any(|gate| &*gate.id == "debian-12"));
    let about = snapshots_about(&gates, &[sample("debian-12.assay"), sample("none.assay")]);
    assert_eq!(about.into_iter().collect::<Vec<_>>(), ["debian-12".into()]);

    let scope = Scope { benchmarks: Some(Default::default()), ..Scope::default() };
    let plan = library.compile_for(&scope).unwrap();
    let error = evaluate(&plan, &Snapshot::open(&sample("debian-12.assay")).unwrap()).unwrap_err();
    assert_eq!(error.code, "A002");
}
