//! How bad a vulnerability is: CVSS version 3, else version 2, else 4, else the vendor's word.

use crate::advisory::matching::Found;
use crate::advisory::record::Score;
use crate::model::cvss;
use crate::model::finding::Severity;

/// Severity, and the scores that Inspector shows: tenths and vector.
pub(super) struct Scored<'a> {
    pub(super) severity: Severity,
    pub(super) v3: Option<(u8, &'a str)>,
    pub(super) v2: Option<(u8, &'a str)>,
}

/// The scores of a vulnerability.
pub(super) fn of(found: &Found) -> Scored<'_> {
    let v3 = best(found, "3");
    let v2 = best(found, "2");
    let score = v3.or(v2).or_else(|| best(found, "4"));
    let severity = match score {
        Some((tenths, _)) => cvss::band(tenths),
        None => word(found).unwrap_or(Severity::Undefined),
    };
    Scored { severity, v3, v2 }
}

/// The base score of one version of CVSS: NVD's own first, then what others say of the
/// vulnerability, then what advisories say; of several the first of the newest version.
fn best<'a>(found: &'a Found, version: &str) -> Option<(u8, &'a str)> {
    let known = found.known.scores.iter();
    let advisories = found.advisories.iter().flat_map(|source| &source.text.scores);
    let ranked = known.map(|score| (u8::from(!score.source.contains("nist.gov")), score));
    let ranked = ranked.chain(advisories.map(|score| (2, score)));
    let fits = ranked.filter(|(_, score)| score.version.starts_with(version));
    let mut best: Option<(u8, &str, u8, &str)> = None;
    for (rank, score) in fits {
        let Some(tenths) = tenths(score) else { continue };
        let better = best.is_none_or(|(known, newest, ..)| {
            rank < known || (rank == known && *score.version > *newest)
        });
        if better {
            best = Some((rank, &score.version, tenths, &score.vector));
        }
    }
    best.map(|(_, _, tenths, vector)| (tenths, vector))
}

/// The score as given, else as its vector comes to.
fn tenths(score: &Score) -> Option<u8> {
    let given = score.base.filter(|base| (0.0..=10.0).contains(base));
    match given {
        Some(base) => Some((base * 10.0).round() as u8),
        None => cvss::base(&score.vector).map(|base| base.tenths),
    }
}

/// The vendors' words; Red Hat's rebuilds have theirs at the beginning of the title.
fn word(found: &Found) -> Option<Severity> {
    let words = found.advisories.iter().filter_map(|source| {
        let title = || source.text.title.split_once(':').map(|(word, _)| word);
        severity(source.text.severity.as_deref().or_else(title)?)
    });
    words.max()
}

fn severity(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "important" | "high" => Severity::High,
        "moderate" | "medium" => Severity::Medium,
        "low" | "minor" => Severity::Low,
        "negligible" | "unimportant" | "informational" | "none" => Severity::Informational,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::advisory::db::{AdvisoryText, VulnerabilityText};
    use crate::advisory::matching::Source;

    fn score(version: &str, base: Option<f64>, vector: &str, source: &str) -> Score {
        Score { version: version.into(), base, vector: vector.into(), source: source.into() }
    }

    fn found(known: Vec<Score>, of_advisory: Vec<Score>, word: Option<&str>, title: &str) -> Found {
        let text = AdvisoryText {
            severity: word.map(str::to_owned),
            title: title.into(),
            scores: of_advisory,
            ..AdvisoryText::default()
        };
        Found {
            id: "CVE-2024-0001".into(),
            known: VulnerabilityText { scores: known, ..VulnerabilityText::default() },
            advisories: vec![Arc::new(Source { text, feed: String::new() })],
            hits: Vec::new(),
        }
    }

    const V31: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const V2: &str = "AV:N/AC:M/Au:N/C:N/I:P/A:N";

    #[test]
    fn version_three_then_two_then_four_then_the_word() {
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        let three = score("3.1", None, V31, "OSV");
        let two = score("2.0", Some(4.3), V2, "nvd@nist.gov");
        let four = score("4.0", None, v4, "OSV");
        let all = found(vec![two.clone()], vec![three, four.clone()], Some("low"), "");
        let scored = of(&all);
        assert_eq!(
            (scored.severity, scored.v3, scored.v2),
            (Severity::High, Some((98, V31)), Some((43, V2)))
        );
        assert_eq!(of(&found(vec![two], vec![four.clone()], None, "")).severity, Severity::Medium);
        assert_eq!(of(&found(vec![], vec![four], Some("low"), "")).severity, Severity::High);
        assert_eq!(of(&found(vec![], vec![], Some("Moderate"), "")).severity, Severity::Medium);
        assert_eq!(of(&found(vec![], vec![], None, "Important: x")).severity, Severity::High);
        assert_eq!(of(&found(vec![], vec![], None, "x: y")).severity, Severity::Undefined);
        // A vector that is none is no score.
        let broken = score("3.1", None, "CVSS:3.1/AV:N", "OSV");
        assert_eq!(of(&found(vec![], vec![broken], Some("low"), "")).severity, Severity::Low);
    }

    #[test]
    fn of_several_scores_the_database_of_record_counts() {
        let other = score("3.1", Some(9.8), V31, "security@example.com");
        let nvd = score("3.0", Some(5.0), "CVSS:3.0/x", "nvd@nist.gov");
        assert_eq!(of(&found(vec![other.clone(), nvd], vec![], None, "")).v3.unwrap().0, 50);
        let older = score("3.0", Some(1.0), "CVSS:3.0/x", "security@example.com");
        assert_eq!(of(&found(vec![older, other], vec![], None, "")).v3.unwrap().0, 98);
    }
}
