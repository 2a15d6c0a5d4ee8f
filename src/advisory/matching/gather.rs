//! Matches as they are found, and what becomes of them once all are there.

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decide::{Decision, Rows};
use super::exception::Silencer;
use super::kernel::Kernel;
use super::subject::Subject;
use super::{Found, Hit, Matcher, Source};
use crate::advisory::db::{Database, DbError, Release, VulnerabilityText};
use crate::advisory::record::Status;
use crate::model::version::Scheme;

/// A vulnerability of one of the databases.
type Key = (usize, u32);

/// A package that a row says is vulnerable.
struct Draft {
    subject: usize,
    scheme: Scheme,
    fixed: Option<String>,
    status: Status,
    /// The advisory's number in its database.
    advisory: u32,
}

/// Everything that rows said of one host.
#[derive(Default)]
pub(super) struct Gathered {
    drafts: BTreeMap<Key, Vec<Draft>>,
    not_affected: BTreeSet<(Key, usize)>,
    hidden: BTreeSet<Key>,
    /// What live patches of the running kernel mend.
    patched: BTreeSet<Key>,
}

impl Gathered {
    /// Takes what a release's feed says of a package.
    pub(super) fn take(
        &mut self,
        matcher: &Matcher<'_>,
        index: usize,
        release: &Release,
        subject: &Subject,
    ) -> Result<(), DbError> {
        let Some(database) = matcher.databases.get(index) else { return Ok(()) };
        let rows = Rows::of(matcher, database, release, subject)?;
        let bad = |problem| release.damaged(problem);
        for (place, row) in &rows.list {
            let decision = rows.decide(*place, row)?;
            let mends = decision == Decision::OutOfRange && subject.patches.is_some();
            if matches!(decision, Decision::OtherBuild(_))
                || (decision == Decision::OutOfRange && !mends)
            {
                continue;
            }
            let advisory = release.advisory(row.advisory).map_err(bad)?;
            let fixed = match decision {
                Decision::Affected => rows.fixed(row)?,
                _ => None,
            };
            for number in release.vulnerabilities(row.advisory).map_err(bad)? {
                let key = (index, number.map_err(bad)?);
                match decision {
                    Decision::Affected => self.drafts.entry(key).or_default().push(Draft {
                        subject: subject.number,
                        scheme: release.scheme,
                        fixed: fixed.clone(),
                        status: row.status,
                        advisory,
                    }),
                    Decision::Hidden(_) => {
                        self.hidden.insert(key);
                    }
                    Decision::NotAffected => {
                        self.not_affected.insert((key, subject.number));
                    }
                    Decision::OutOfRange => {
                        self.patched.insert(key);
                    }
                    Decision::OtherBuild(_) => {}
                }
            }
        }
        Ok(())
    }

    /// How many vulnerabilities are known only by rows that were not asked for.
    pub(super) fn hidden(&self) -> usize {
        self.hidden.iter().filter(|key| !self.drafts.contains_key(key)).count()
    }

    /// The vulnerabilities, in the order of their ids.
    pub(super) fn finish(
        self,
        databases: &[Database],
        subjects: &[&Subject],
        silencer: &Silencer<'_>,
    ) -> Result<Vec<Found>, DbError> {
        let mut found: BTreeMap<String, (Found, Vec<(Draft, usize)>)> = BTreeMap::new();
        let mut sources: BTreeMap<Key, Arc<Source>> = BTreeMap::new();
        let patched = self.ids(databases, self.patched.iter())?;
        let denied: BTreeSet<(String, usize)> = match databases.len() {
            0 | 1 => BTreeSet::new(),
            _ => {
                let mut denied = BTreeSet::new();
                for (key, subject) in &self.not_affected {
                    denied.insert((id(databases, *key)?, *subject));
                }
                denied
            }
        };
        for ((index, number), drafts) in self.drafts {
            let Some(database) = databases.get(index) else { continue };
            let drafts: Vec<Draft> = drafts
                .into_iter()
                .filter(|draft| !self.not_affected.contains(&((index, number), draft.subject)))
                .collect();
            if drafts.is_empty() {
                continue;
            }
            let known = database.vulnerability(number)?;
            for draft in drafts {
                let Some(subject) = subjects.get(draft.subject) else { continue };
                let mended = subject.kernel == Some(Kernel::Running) && patched.contains(&known.id);
                if mended
                    || denied.contains(&(known.id.clone(), draft.subject))
                    || silencer.reason(&known.id, subject)?.is_some()
                {
                    continue;
                }
                let (found, list) = found.entry(known.id.clone()).or_insert_with(|| {
                    let empty = Found {
                        id: known.id.clone(),
                        known: VulnerabilityText::default(),
                        advisories: Vec::new(),
                        hits: Vec::new(),
                    };
                    (empty, Vec::new())
                });
                let source = match sources.entry((index, draft.advisory)) {
                    Entry::Occupied(known) => Arc::clone(known.get()),
                    Entry::Vacant(new) => {
                        Arc::clone(new.insert(Arc::new(source(database, draft.advisory)?)))
                    }
                };
                let same = |known: &Arc<Source>| Arc::ptr_eq(known, &source);
                let position = found.advisories.iter().position(same);
                let position = position.unwrap_or_else(|| {
                    found.advisories.push(source);
                    found.advisories.len() - 1
                });
                list.push((draft, position));
            }
            if let Some((found, _)) = found.get_mut(&known.id) {
                merge(&mut found.known, known);
            }
        }
        Ok(found.into_values().map(|(found, list)| whole(found, list, subjects)).collect())
    }

    fn ids<'a>(
        &self,
        databases: &[Database],
        keys: impl Iterator<Item = &'a Key>,
    ) -> Result<BTreeSet<String>, DbError> {
        keys.map(|key| id(databases, *key)).collect()
    }
}

fn id(databases: &[Database], (index, number): Key) -> Result<String, DbError> {
    match databases.get(index) {
        Some(database) => Ok(database.vulnerability(number)?.id),
        None => Ok(String::new()),
    }
}

fn source(database: &Database, advisory: u32) -> Result<Source, DbError> {
    let text = database.advisory(advisory)?;
    let feed = database.feeds().get(text.feed);
    let feed = feed.map(|feed| format!("{} {}", feed.kind, feed.name)).unwrap_or_default();
    Ok(Source { text, feed })
}

/// What several databases know of one vulnerability.
fn merge(known: &mut VulnerabilityText, more: VulnerabilityText) {
    known.id = more.id;
    known.scores.extend(more.scores);
    known.description = known.description.take().or(more.description);
    known.known_exploited_since = known.known_exploited_since.take().or(more.known_exploited_since);
    known.ransomware |= more.ransomware;
    known.epss = known.epss.or(more.epss);
}

/// One hit for each package: of several fixes the one that mends everything.
fn whole(mut found: Found, drafts: Vec<(Draft, usize)>, subjects: &[&Subject]) -> Found {
    let mut best: BTreeMap<usize, (Draft, usize)> = BTreeMap::new();
    for (draft, advisory) in drafts {
        match best.get(&draft.subject) {
            Some((known, _)) if !is_later(&draft, known) => {}
            _ => {
                best.insert(draft.subject, (draft, advisory));
            }
        }
    }
    found.hits = best
        .into_values()
        .filter_map(|(draft, advisory)| {
            let subject = subjects.get(draft.subject)?;
            Some(Hit {
                location: Arc::clone(&subject.location),
                label: Arc::clone(&subject.label),
                version: subject.names.first().map(|(_, _, version)| Arc::clone(version))?,
                fixed: draft.fixed,
                status: draft.status,
                kernel: subject.kernel,
                language: subject.language,
                advisory,
            })
        })
        .collect();
    found.hits.sort();
    found
}

fn is_later(draft: &Draft, known: &Draft) -> bool {
    match (&draft.fixed, &known.fixed) {
        (Some(new), Some(old)) => draft.scheme.compare(new, old) == Ordering::Greater,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
