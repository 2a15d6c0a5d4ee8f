//! How hosts do against CIS benchmarks, counted by section and level.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finding::{HostReport, RuleInfo, Verdict};

/// Verdicts, counted. What a person has to judge is counted apart from what does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// The requirement holds.
    pub pass: u64,
    /// It does not.
    pub fail: u64,
    /// The rule is not about the host.
    pub not_applicable: u64,
    /// A person has to judge it.
    pub manual: u64,
    /// It could not be told.
    pub unknown: u64,
}

impl Marks {
    /// Counts one verdict.
    pub fn add(&mut self, automated: bool, verdict: &Verdict) {
        let count = match verdict {
            _ if !automated => &mut self.manual,
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::NotApplicable(_) => &mut self.not_applicable,
            Verdict::Unknown(_) => &mut self.unknown,
        };
        *count += 1;
    }

    /// Adds the counts of others.
    pub fn merge(&mut self, other: Self) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.not_applicable += other.not_applicable;
        self.manual += other.manual;
        self.unknown += other.unknown;
    }

    /// How many applied: passed, failed or unknown.
    pub const fn applied(self) -> u64 {
        self.pass + self.fail + self.unknown
    }

    /// Whole percent that passed of those that applied, rounded down, so that only all is 100. An
    /// unknown counts as one that did not pass. None where nothing applied.
    pub const fn percent(self) -> Option<u64> {
        match self.applied() {
            0 => None,
            applied => Some(self.pass * 100 / applied),
        }
    }
}

/// The counts of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// What it is about, where the benchmark says it.
    pub title: Option<Arc<str>>,
    /// The counts.
    pub marks: Marks,
}

/// The counts of one benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// Of each section, by its number, as a number and as it is written.
    pub sections: BTreeMap<(u64, String), Section>,
    /// Of the recommendations of each level, for example `Level 1 - Server`.
    pub levels: BTreeMap<Arc<str>, Marks>,
    /// Of all together.
    pub all: Marks,
}

impl Score {
    /// Each section as it is called, with its counts.
    pub fn named_sections(&self) -> impl Iterator<Item = (String, Marks)> {
        self.sections.iter().map(|((_, number), section)| {
            let name = match &section.title {
                Some(title) => format!("{number} {title}"),
                None => number.clone(),
            };
            (name, section.marks)
        })
    }

    /// The counts of the levels that a profile is made of: level 2 is judged together with level 1
    /// of its kind. Where the profile is not known, no level can be told to have been judged whole.
    pub fn levels_of(&self, profile: Option<&str>) -> Vec<(Arc<str>, Marks)> {
        let Some((most, kind)) = profile.and_then(level_and_kind) else { return Vec::new() };
        let part = |level: &str| {
            level_and_kind(level)
                .is_some_and(|(number, of)| number <= most && of.eq_ignore_ascii_case(kind))
        };
        let of_profile = self.levels.iter().filter(|(level, _)| part(level));
        of_profile.map(|(level, marks)| (Arc::clone(level), *marks)).collect()
    }
}

/// `1` and `Server` of `Level 1 - Server`.
fn level_and_kind(level: &str) -> Option<(&str, &str)> {
    let (word, number, kind) = (level.get(..6)?, level.get(6..7)?, level.get(7..)?);
    let kind = kind.trim_start_matches([' ', '-']);
    word.eq_ignore_ascii_case("level ").then_some((number, kind))
}

/// The counts of every benchmark that was about some host, by name and version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores(pub BTreeMap<(Arc<str>, Arc<str>), Score>);

impl Scores {
    /// Those of one host.
    pub fn of(rules: &[RuleInfo], host: &HostReport) -> Self {
        let mut scores = Self::default();
        for outcome in &host.outcomes {
            if let Some(rule) = rules.get(outcome.rule) {
                let mut marks = Marks::default();
                marks.add(rule.automated, &outcome.verdict);
                scores.add(rule, marks);
            }
        }
        scores
    }

    /// Counts verdicts about a rule.
    pub fn add(&mut self, rule: &RuleInfo, marks: Marks) {
        let Some(cis) = &rule.recommendation else { return };
        let benchmark = (Arc::clone(&cis.benchmark), Arc::clone(&cis.benchmark_version));
        let score = self.0.entry(benchmark).or_default();
        let number = cis.number.split('.').next().unwrap_or_default();
        let place = (number.parse().unwrap_or(u64::MAX), number.to_owned());
        let section = score.sections.entry(place).or_default();
        section.title.clone_from(&cis.section);
        section.marks.merge(marks);
        for level in &cis.levels {
            score.levels.entry(Arc::clone(level)).or_default().merge(marks);
        }
        score.all.merge(marks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::{Recommendation, RulesPackage, Severity};

    fn rule(number: &str, levels: &[&str]) -> RuleInfo {
        RuleInfo {
            id: number.into(),
            package: RulesPackage::Cis,
            title: "t".into(),
            severity: Severity::High,
            description: "d".into(),
            remediation: "r".into(),
            references: Vec::new(),
            automated: number != "10.9",
            recommendation: Some(Recommendation {
                benchmark: "B".into(),
                benchmark_version: "1".into(),
                number: number.into(),
                levels: levels.iter().map(|level| Arc::from(*level)).collect(),
                control: None,
                section: (number != "9.1").then(|| "Access".into()),
            }),
            tailored: None,
        }
    }

    #[test]
    fn unknown_is_not_passed_and_manual_is_not_scored() {
        let mut scores = Scores::default();
        let reason = || Arc::from("why");
        for (number, levels, verdict) in [
            ("10.1", &["Level 1 - Server", "Level 1 - Workstation"][..], Verdict::Pass),
            ("10.2", &["Level 2 - Server"], Verdict::Unknown(reason())),
            ("10.3", &["Level 1 - Server"], Verdict::NotApplicable(reason())),
            ("10.9", &["Level 1 - Server"], Verdict::NotApplicable(reason())),
            ("9.1", &["Level 1 - Server"], Verdict::Fail),
        ] {
            let rule = rule(number, levels);
            let mut marks = Marks::default();
            marks.add(rule.automated, &verdict);
            scores.add(&rule, marks);
        }
        let score = scores.0.values().next().unwrap();
        let wanted = Marks { pass: 1, fail: 1, not_applicable: 1, manual: 1, unknown: 1 };
        assert_eq!(score.all, wanted);
        assert_eq!(score.all.percent(), Some(33));
        let names: Vec<_> = score.named_sections().map(|(n, m)| (n, m.percent())).collect();
        assert_eq!(names, [("9".into(), Some(0)), ("10 Access".into(), Some(50))]);
        let levels: Vec<_> = score
            .levels_of(Some("level 2 - server"))
            .into_iter()
            .map(|(level, marks)| (level.to_string(), marks.percent()))
            .collect();
        assert_eq!(
            levels,
            [("Level 1 - Server".into(), Some(50)), ("Level 2 - Server".into(), Some(0))]
        );
        assert!(score.levels_of(None).is_empty());
        assert_eq!(Marks { pass: 999, fail: 1, ..Marks::default() }.percent(), Some(99));
        assert_eq!(Marks::default().percent(), None);
    }
}
