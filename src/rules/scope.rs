//! Which of the rules in the program a run can need: with thousands of them, reading all for one
//! host would take longer than judging it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ast::Pred;
use super::plan::{DEFAULT_PROFILE, Selection};
use super::tailoring::Tailoring;
use crate::model::finding::{Recommendation, RuleInfo, RulesPackage, Severity};

/// What a run needs. Files that a user gave are read in any case, so that their mistakes are told.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// What the user selected.
    pub selection: Selection,
    /// The benchmarks of [`Library::benchmarks`](super::Library::benchmarks) that are about some
    /// host, by id; the others are left out. None: all are read.
    pub benchmarks: Option<BTreeSet<Arc<str>>>,
    /// What the site changes. Every file with a rule that it names is read.
    pub tailoring: Option<Arc<Tailoring>>,
}

/// Whom a benchmark of the program is for.
#[derive(Debug, Clone)]
pub struct Audience {
    /// The benchmark's file name without ending.
    pub id: Arc<str>,
    /// Over `host`.
    pub about: Arc<Pred>,
}

/// What a list of rules shows of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The rule's id.
    pub id: Arc<str>,
    /// Its package.
    pub package: RulesPackage,
    /// Its title.
    pub title: Arc<str>,
    /// Its severity.
    pub severity: Severity,
    /// Whether a program can judge it.
    pub automated: bool,
    /// For CIS.
    pub recommendation: Option<Recommendation>,
}

impl From<RuleInfo> for Listed {
    fn from(rule: RuleInfo) -> Self {
        Self {
            id: rule.id,
            package: rule.package,
            title: rule.title,
            severity: rule.severity,
            automated: rule.automated,
            recommendation: rule.recommendation,
        }
    }
}

impl Selection {
    /// The profile that counts.
    pub(crate) fn profile(&self) -> Arc<str> {
        self.profile.clone().unwrap_or_else(|| DEFAULT_PROFILE.into())
    }

    /// Whether the rules of a package are selected.
    pub(crate) fn has(&self, package: RulesPackage) -> bool {
        self.packages.is_empty() || self.packages.contains(&package)
    }

    /// Whether a recommendation of these levels is in the profile. A profile of level 2 includes
    /// those of level 1 of its kind.
    pub(crate) fn reaches(&self, levels: &[Arc<str>]) -> bool {
        let profile = self.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        levels.iter().any(|level| includes(profile, level))
    }
}

/// Whether a profile has the recommendations of a level. A level of a benchmark that does not tell
/// servers from workstations is in the profiles of both.
fn includes(profile: &str, level: &str) -> bool {
    let profile = match (level.contains(" - "), profile.split_once(" - ")) {
        (false, Some((profile, _))) => profile,
        _ => profile,
    };
    let same = profile.eq_ignore_ascii_case(level);
    let below = |two: &str, one: &str| {
        let (Some(p), Some(l)) = (rest(profile, two), rest(level, one)) else { return false };
        p.eq_ignore_ascii_case(l)
    };
    same || below("level 2", "level 1")
}

fn rest<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
}

#[cfg(test)]
mod tests {
    use super::includes;

    #[test]
    fn level_two_includes_level_one_of_its_kind() {
        assert!(includes("Level 2 - Server", "Level 1 - Server"));
        assert!(includes("level 1 - server", "Level 1 - Server"));
        assert!(!includes("Level 2 - Server", "Level 1 - Workstation"));
        assert!(!includes("Level 1 - Server", "Level 2 - Server"));
        assert!(includes("Level 2", "Level 1"));
        assert!(!includes("Level 2", "Level 1 - Server"));
        assert!(includes("Level 1 - Server", "Level 1"));
        assert!(includes("Level 2 - Workstation", "Level 1"));
        assert!(includes("Level 2 - Server", "Level 2"));
        assert!(!includes("Level 1 - Server", "Level 2"));
    }
}
