//! Why a host has a vulnerability or has it not: every package and every row that was considered.

use std::collections::BTreeSet;

use super::decide::{Decision, Rows};
use super::exception::Silencer;
use super::gather::keys;
use super::kernel::Kernel;
use super::subject::Subject;
use super::{Inventory, Matcher};
use crate::advisory::db::{Database, DbError, RangeRow, Release, RowEnd};
use crate::advisory::record::Ecosystem;
use crate::model::state::FactError;
use crate::model::view::View;

/// What was considered for one vulnerability on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the host has it.
    pub vulnerable: bool,
    /// Why that is not certain.
    pub doubts: Vec<String>,
    /// Each row of a feed about an installed package, in the order of the packages.
    pub steps: Vec<Step>,
    /// What else is to be said: databases that do not know it, packages that are not installed.
    pub notes: Vec<String>,
}

/// One row of a feed and what it means for an installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The package with its version.
    pub package: String,
    /// The advisory and its feed.
    pub source: String,
    /// Which versions it is about, and in which release.
    pub range: String,
    /// What was decided, and why.
    pub decision: String,
}

/// Packages that are not installed, shown for one database.
const MAX_NAMES: usize = 12;

impl Matcher<'_> {
    /// Explains one vulnerability.
    ///
    /// # Errors
    /// The bytes behind the host's facts, or of a database, are damaged.
    pub fn explain(&self, view: &View<'_>, id: &str) -> Result<Explanation, FactError> {
        let inventory = Inventory::of(view)?;
        let (matches, gathered) = self.matches(&inventory)?;
        let mut explanation = Explanation {
            vulnerable: matches.found.iter().any(|found| found.id == id),
            doubts: matches.packages.doubts,
            ..Explanation::default()
        };
        explanation.doubts.extend(matches.languages.doubts);
        let silencer = self.silencer(&inventory);
        for (index, database) in self.databases.iter().enumerate() {
            let feeds: Vec<&str> = database.feeds().iter().map(|feed| &*feed.name).collect();
            let Some(number) = database.find_vulnerability(id)? else {
                explanation.notes.push(format!("{} is not in {}", id, feeds.join(", ")));
                continue;
            };
            let judges = inventory.ecosystems_in(database);
            let known =
                |ecosystem: &Ecosystem| judges.contains(ecosystem) || ecosystem.manager().is_none();
            let keys = keys(self.databases, (index, number), id)?;
            let mended = |subject: &Subject| gathered.is_mended(&keys, subject.number);
            let (mine, others): (Vec<_>, Vec<_>) = database.ecosystems().partition(known);
            let mut about = 0;
            let mut absent = BTreeSet::new();
            for ecosystem in mine {
                let Some(release) = database.release(&ecosystem)? else { continue };
                let one =
                    One { matcher: self, database, release: &release, id, number, mended: &mended };
                about += one.explain(&inventory, &silencer, &mut absent, &mut explanation)?;
            }
            explanation.notes.extend(not_installed(&absent));
            if about == 0 {
                let mut elsewhere = Vec::new();
                for ecosystem in others {
                    let Some(release) = database.release(&ecosystem)? else { continue };
                    let places =
                        release.about(number).map_err(|problem| release.damaged(problem))?;
                    if !places.is_empty() {
                        elsewhere.push(ecosystem.to_string());
                    }
                }
                explanation.notes.push(match elsewhere.is_empty() {
                    true => format!("no advisory in {} names a package for it", feeds.join(", ")),
                    false => format!(
                        "the advisories about it are for {}, which judge other systems than {}",
                        elsewhere.join(", "),
                        inventory.system
                    ),
                });
            }
        }
        Ok(explanation)
    }
}

/// That advisories are also about these packages.
fn not_installed(names: &BTreeSet<String>) -> Option<String> {
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names: Vec<&str> = names.iter().take(MAX_NAMES).map(String::as_str).collect();
    let names = names.join(", ");
    (!names.is_empty())
        .then(|| format!("also about packages that are not installed: {names}{more}"))
}

/// One vulnerability in one release.
struct One<'a> {
    matcher: &'a Matcher<'a>,
    database: &'a Database,
    release: &'a Release,
    id: &'a str,
    number: u32,
    /// Whether a package's own update stream has mended it.
    mended: &'a dyn Fn(&Subject) -> bool,
}

impl One<'_> {
    /// Explains it, and gives how many advisories are about it. Packages that are not installed go
    /// into `absent`.
    fn explain(
        &self,
        inventory: &Inventory,
        silencer: &Silencer<'_>,
        absent: &mut BTreeSet<String>,
        out: &mut Explanation,
    ) -> Result<usize, DbError> {
        let bad = |problem| self.release.damaged(problem);
        let places = self.release.about(self.number).map_err(bad)?;
        let mut named = self.release.names_in(&places).map_err(bad)?;
        for subject in inventory.all() {
            let of_language = *subject.ecosystem == *self.release.ecosystem.name;
            if !(of_language || inventory.is_judged_by(subject, &self.release.ecosystem)) {
                continue;
            }
            let rows = Rows::of(self.matcher, self.database, self.release, subject)?;
            let (mut steps, mut others) = (Vec::new(), Vec::new());
            for (place, row) in rows.list.iter().filter(|(_, row)| places.contains(&row.advisory)) {
                for (_, name, _) in &subject.names {
                    named.remove(&**name);
                }
                let number = self.release.advisory(row.advisory).map_err(bad)?;
                let text = self.database.advisory(number)?;
                let feed = self.database.feeds().get(text.feed);
                let feed = feed.map_or("", |feed| &*feed.name);
                let decided = rows.decide(*place, row)?;
                let mut decision = match (rows.in_stream(*place, row)?, (self.mended)(subject)) {
                    (Some(true), _) => "not vulnerable: the package has this fix of its own \
                                        update stream"
                        .to_owned(),
                    (_, true) if matches!(decided, Decision::Affected | Decision::Hidden(_)) => {
                        "does not count: the package's own update stream has mended it".to_owned()
                    }
                    _ => words(&decided),
                };
                if let Some(reason) = silencer.reason(self.id, subject)? {
                    decision.push_str(&format!("; silenced: {reason}"));
                }
                decision.push_str(match subject.kernel {
                    Some(Kernel::Running) => " (the running kernel)",
                    Some(Kernel::Newest) => " (the newest kernel, which the image boots)",
                    Some(Kernel::Other) => " (a kernel that does not run)",
                    None => "",
                });
                let list = match decided {
                    Decision::OtherBuild(_) => &mut others,
                    _ => &mut steps,
                };
                list.push(Step {
                    package: subject.label.to_string(),
                    source: format!("{} in {feed}", text.id),
                    range: format!("{}: {}", self.release.ecosystem, self.range(row)?),
                    decision,
                });
            }
            // The same range for another architecture tells nothing.
            let told = |other: &Step| {
                steps
                    .iter()
                    .any(|step| (&step.source, &step.range) == (&other.source, &other.range))
            };
            others.retain(|other| !told(other));
            steps.extend(others);
            steps.dedup();
            out.steps.extend(steps);
        }
        absent.extend(named);
        Ok(places.len())
    }

    fn range(&self, row: &RangeRow) -> Result<String, DbError> {
        let text = |number: u32| self.database.version(&self.release.ecosystem, number);
        let end = match (row.end, row.version) {
            (RowEnd::Open, _) | (_, None) => None,
            (RowEnd::Fixed, Some(number)) => Some(format!("fixed in {}", text(number)?)),
            (RowEnd::Last, Some(number)) => Some(format!("up to {}", text(number)?)),
            (RowEnd::Exact, Some(number)) => Some(format!("only {}", text(number)?)),
        };
        let begin = row.introduced.map(text).transpose()?.map(|first| format!("from {first} on"));
        let parts: Vec<String> = begin.into_iter().chain(end).collect();
        Ok(if parts.is_empty() { "every version".into() } else { parts.join(", ") })
    }
}

fn words(decision: &Decision) -> String {
    match decision {
        Decision::Affected => "vulnerable".into(),
        Decision::Hidden(reason) => format!("vulnerable, left out because {reason}"),
        Decision::NotAffected => "the vendor says that it is not affected".into(),
        Decision::OutOfRange => "not vulnerable: the installed version is outside the range".into(),
        Decision::OtherBuild(reason) => format!("does not count: {reason}"),
    }
}
