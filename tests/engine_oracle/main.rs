//! The plan and its evaluator against a slow one that walks the checked rules: random rules,
//! random facts, random states of tables, the same judgements.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken test should stop"
)]

mod generate;
mod reference;

use std::collections::BTreeSet;

use assay::engine::evaluate;
use assay::rules::Plan;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_judges_as_the_reference_does(
        rules in generate::rules(),
        facts in generate::facts(),
    ) {
        let plan = Plan::of(rules.clone());
        let judged = evaluate(&plan, &facts).expect("facts in memory are never damaged");
        let expected: Vec<_> = rules
            .iter()
            .enumerate()
            .filter_map(|(index, rule)| Some((index, reference::judge(rule, &facts)?)))
            .collect();
        prop_assert_eq!(
            judged.iter().map(|judgement| judgement.rule).collect::<Vec<_>>(),
            expected.iter().map(|(index, _)| *index).collect::<Vec<_>>()
        );
        for (judgement, (index, expected)) in judged.iter().zip(&expected) {
            prop_assert_eq!(judgement.verdict.name(), expected.verdict, "rule {}: {:#?}", index, rules[*index]);
            let shown: BTreeSet<String> =
                judgement.evidence.iter().map(|evidence| evidence.to_string()).collect();
            prop_assert_eq!(&shown, &expected.evidence, "rule {}: {:#?}", index, rules[*index]);
            let mut sorted = judgement.evidence.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(&sorted, &judgement.evidence);
        }
        // Judging each rule by itself changes nothing: what rules share does not leak.
        for (judgement, (index, _)) in judged.iter().zip(&expected) {
            let alone = Plan::of(vec![rules[*index].clone()]);
            let alone = evaluate(&alone, &facts).expect("never damaged");
            prop_assert_eq!(&alone[0].verdict, &judgement.verdict);
            prop_assert_eq!(&alone[0].evidence, &judgement.evidence);
        }
    }
}

/// The generator must reach everything, or agreement says little.
#[test]
fn the_generator_reaches_every_verdict() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..300 {
        let rules = generate::rules().new_tree(&mut runner).expect("a tree").current();
        let facts = generate::facts().new_tree(&mut runner).expect("a tree").current();
        for judgement in evaluate(&Plan::of(rules), &facts).expect("never damaged") {
            *seen.entry(judgement.verdict.name()).or_default() += 1;
        }
    }
    for verdict in ["pass", "fail", "unknown", "not_applicable"] {
        assert!(seen.get(verdict).is_some_and(|count| *count > 50), "{seen:?}");
    }
}
