//! Base scores beside the Python library `cvss`: every base vector of versions 2 and 3, and of
//! version 4 every third.

use std::io::Write;
use std::process::{Command, Stdio};

use assay::model::cvss;

const V2: [(&str, &str); 6] =
    [("AV", "LAN"), ("AC", "HML"), ("Au", "MSN"), ("C", "NPC"), ("I", "NPC"), ("A", "NPC")];
const V3: [(&str, &str); 8] = [
    ("AV", "NALP"),
    ("AC", "LH"),
    ("PR", "NLH"),
    ("UI", "NR"),
    ("S", "UC"),
    ("C", "NLH"),
    ("I", "NLH"),
    ("A", "NLH"),
];
const V4: [(&str, &str); 11] = [
    ("AV", "NALP"),
    ("AC", "LH"),
    ("AT", "NP"),
    ("PR", "NLH"),
    ("UI", "NPA"),
    ("VC", "HLN"),
    ("VI", "HLN"),
    ("VA", "HLN"),
    ("SC", "HLN"),
    ("SI", "HLN"),
    ("SA", "HLN"),
];

const SCRIPT: &str = "
import sys
from cvss import CVSS2, CVSS3, CVSS4
for line in sys.stdin:
    line = line.strip()
    kind = CVSS3 if line.startswith('CVSS:3') else CVSS4 if line.startswith('CVSS:4') else CVSS2
    print(kind(line).scores()[0])
";

/// Every vector of the metrics, `step` apart.
fn vectors(prefix: &str, metrics: &[(&str, &str)], step: usize) -> Vec<String> {
    let count: usize = metrics.iter().map(|(_, values)| values.len()).product();
    (0..count)
        .step_by(step)
        .map(|mut number| {
            let parts = metrics.iter().map(|(name, values)| {
                let value = &values[number % values.len()..][..1];
                number /= values.len();
                format!("{name}:{value}")
            });
            format!("{prefix}{}", parts.collect::<Vec<_>>().join("/"))
        })
        .collect()
}

#[test]
#[ignore = "needs the Python library cvss"]
fn every_base_vector_scores_the_same() {
    let mut vectors = [
        vectors("", &V2, 1),
        vectors("CVSS:3.0/", &V3, 1),
        vectors("CVSS:3.1/", &V3, 1),
        vectors("CVSS:4.0/", &V4, 3),
    ]
    .concat();
    vectors.sort();
    assert_eq!(vectors.len(), 729 + 2 * 2592 + 104_976 / 3);
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    let question = vectors.join("\n");
    let writer = std::thread::spawn(move || input.write_all(question.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), vectors.len());
    let differ: Vec<String> = vectors
        .iter()
        .zip(answers.lines())
        .filter(|(vector, answer)| cvss::base(vector).unwrap().to_string() != **answer)
        .map(|(vector, answer)| format!("{vector}: {:?}, not {answer}", cvss::base(vector)))
        .collect();
    assert!(differ.is_empty(), "{}: {:?}", differ.len(), differ.get(..20.min(differ.len())));
}
