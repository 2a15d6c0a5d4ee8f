//! How much of each CIS benchmark for Linux is decided, against lists of what the benchmarks hold, and
//! that the README claims no more than that.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use assay::rules::Library;

/// What is decided of every recommendation, by benchmark file and number.
fn ours() -> BTreeMap<String, BTreeMap<String, bool>> {
    let mut found: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for rule in Library::embedded().list().unwrap() {
        let Some(cis) = &rule.recommendation else { continue };
        let benchmark = rule.id.split('/').nth(1).unwrap().to_owned();
        found.entry(benchmark).or_default().insert(cis.number.to_string(), rule.automated);
    }
    found
}

/// A benchmark's recommendations: tab-separated number, and where there are four columns levels, whether
/// a program can decide it, and more; where there are two, all are taken to be decidable.
fn listed(file: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut numbers: Vec<(String, bool)> = lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let number = match columns[0] {
                // Steps before the numbered ones.
                "reload_dconf_db" => "1.8.0",
                "enable_authselect" => "5.3.0",
                number => number,
            };
            (number.to_owned(), columns.len() < 3 || columns[2] == "automated")
        })
        .collect();
    // One list gives two neighbours the same number.
    for at in 1..numbers.len() {
        if numbers[at].0 == numbers[at - 1].0 && numbers[at].0 == "4.1.8" {
            numbers[at].0 = "4.1.9".to_owned();
        }
    }
    numbers
}

fn percent(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64 * 100.0
}

/// A row of the README's table.
struct Claim {
    benchmark: String,
    /// Recommendations, those decided, those for a person.
    counts: [usize; 3],
    /// Of those that can be decided, with a percent sign.
    share: String,
}

fn claimed() -> Vec<Claim> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let section = readme.split("## CIS benchmarks").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = |at: usize| cells[at].parse().unwrap();
        Claim {
            benchmark: cells[1].trim_matches('`').to_owned(),
            counts: [number(3), number(4), number(5)],
            share: cells[6].to_owned(),
        }
    })
    .collect()
}

#[test]
fn the_readme_claims_no_more_than_there_is() {
    let ours = ours();
    let claimed = claimed();
    assert_eq!(claimed.len(), ours.len(), "a row for every benchmark");
    for Claim { benchmark, counts: [all, decided, manual], .. } in claimed {
        let found = &ours[&benchmark];
        let automated = found.values().filter(|automated| **automated).count();
        assert!(all <= found.len() && decided <= automated, "{benchmark}");
        assert_eq!(decided + manual, all, "{benchmark}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "where the lists are is for whoever runs it to say")]
#[ignore = "needs ASSAY_COVERAGE, a directory of lists of what each benchmark holds"]
fn nearly_all_that_can_be_decided_is() {
    let Some(lists) = env::var_os("ASSAY_COVERAGE").map(PathBuf::from) else {
        println!("ASSAY_COVERAGE names no directory: nothing to compare with");
        return;
    };
    let claimed = claimed();
    let mut table = String::new();
    let mut short = Vec::new();
    for (benchmark, found) in ours() {
        let file = lists.join(format!("{benchmark}.tsv"));
        // Of benchmarks that were withdrawn there is no list.
        if !file.exists() {
            continue;
        }
        let listed = listed(&file);
        let decidable = listed.iter().filter(|(_, automated)| *automated);
        let missing: Vec<&str> = listed
            .iter()
            .filter(|(number, _)| !found.contains_key(number))
            .map(|(number, _)| number.as_str())
            .collect();
        let undecided: Vec<&str> = decidable
            .clone()
            .filter(|(number, _)| found.get(number) == Some(&false))
            .map(|(number, _)| number.as_str())
            .collect();
        let all = decidable.clone().count();
        let decided = decidable.filter(|(number, _)| found.get(number) == Some(&true)).count();
        let automated = found.values().filter(|automated| **automated).count();
        writeln!(
            table,
            "{benchmark:<18} listed {:>3}, present {:>3}, decided {automated:>3}, for a person {:>3}, \
             of {all:>3} that can be decided {decided:>3}: {:.1} %",
            listed.len(),
            found.len(),
            found.len() - automated,
            percent(decided, all),
        )
        .unwrap();
        let claim = claimed.iter().find(|claim| claim.benchmark == benchmark).unwrap();
        assert_eq!(claim.share, format!("{:.1} %", percent(decided, all)), "{benchmark}");
        if !missing.is_empty() || !undecided.is_empty() {
            writeln!(table, "    missing {missing:?}\n    left to a person {undecided:?}").unwrap();
        }
        if decided * 100 < all * 95 || !missing.is_empty() {
            short.push(benchmark);
        }
    }
    println!("{table}");
    assert!(short.is_empty(), "too little of {short:?}\n{table}");
}
