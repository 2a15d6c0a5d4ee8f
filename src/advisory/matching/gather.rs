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
use crate::advisory::red_hat;
use crate::model::version::Scheme;

/// A vulnerability of one of the databases.
pub(super) type Key = (usize, u32);

/// A package that a row says is vulnerable.
struct Draft {
    subject: usize,
    /// Whether the row is about an update stream beside the main one.
    stream: bool,
    /// Whether that is the one that the package is known to come from.
    own_stream: bool,
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
    hidden: BTreeSet<(Key, usize)>,
    /// What the package's own update stream has mended, whatever another says.
    mended: BTreeSet<(Key, usize)>,
    /// What it has mended later than in the package: of several fixes the last counts.
    missing: BTreeSet<(Key, usize)>,
    /// What live patches of the running kernel mend.
    patched: BTreeSet<Key>,
}

impl Gathered {
    /// Takes what a release's feed says of a package, and gives whether it can judge it.
    pub(super) fn take(
        &mut self,
        matcher: &Matcher<'_>,
        index: usize,
        release: &Release,
        subject: &Subject,
    ) -> Result<bool, DbError> {
        let Some(database) = matcher.databases.get(index) else { return Ok(false) };
        let rows = Rows::of(matcher, database, release, subject)?;
        let bad = |problem| release.damaged(problem);
        for (place, row) in &rows.list {
            let decision = rows.decide(*place, row)?;
            let in_stream = rows.in_stream(*place, row)?;
            let patches = decision == Decision::OutOfRange && subject.patches.is_some();
            if matches!(decision, Decision::OtherBuild(_))
                || (decision == Decision::OutOfRange && !patches && in_stream.is_none())
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
                match in_stream {
                    Some(true) => drop(self.mended.insert((key, subject.number))),
                    Some(false) => drop(self.missing.insert((key, subject.number))),
                    None => {}
                }
                match decision {
                    Decision::Affected => self.drafts.entry(key).or_default().push(Draft {
                        subject: subject.number,
                        stream: red_hat::is_stream(&release.ecosystem),
                        own_stream: rows.is_own_stream(),
                        scheme: release.scheme,
                        fixed: fixed.clone(),
                        status: row.status,
                        advisory,
                    }),
                    Decision::Hidden(_) => {
                        self.hidden.insert((key, subject.number));
                    }
                    Decision::NotAffected => {
                        self.not_affected.insert((key, subject.number));
                    }
                    Decision::OutOfRange if patches => {
                        self.patched.insert(key);
                    }
                    Decision::OutOfRange | Decision::OtherBuild(_) => {}
                }
            }
        }
        rows.can_judge()
    }

    /// How many vulnerabilities are known only by rows that were not asked for.
    pub(super) fn hidden(&self) -> usize {
        let open = self.hidden.iter().filter(|(key, subject)| {
            !self.drafts.contains_key(key) && !self.is_mended(&[*key], *subject)
        });
        open.map(|(key, _)| key).collect::<BTreeSet<_>>().len()
    }

    /// Whether anything was said that makes a vulnerability not count.
    fn says_no(&self) -> bool {
        !(self.not_affected.is_empty() && self.mended.is_empty() && self.patched.is_empty())
    }

    /// Whether the package's own update stream has mended a vulnerability.
    pub(super) fn is_mended(&self, keys: &[Key], subject: usize) -> bool {
        let is_in =
            |set: &BTreeSet<(Key, usize)>| keys.iter().any(|key| set.contains(&(*key, subject)));
        is_in(&self.mended) && !is_in(&self.missing)
    }

    /// The vulnerabilities, in the order of their ids.
    pub(super) fn finish(
        &mut self,
        databases: &[Database],
        subjects: &[&Subject],
        silencer: &Silencer<'_>,
    ) -> Result<Vec<Found>, DbError> {
        let mut found: BTreeMap<String, (Found, Vec<(Draft, usize)>)> = BTreeMap::new();
        let mut sources: BTreeMap<Key, Arc<Source>> = BTreeMap::new();
        for ((index, number), drafts) in std::mem::take(&mut self.drafts) {
            let Some(database) = databases.get(index) else { continue };
            let known = database.vulnerability(number)?;
            let keys = match self.says_no() {
                true => keys(databases, (index, number), &known.id)?,
                false => Vec::new(),
            };
            let patched = keys.iter().any(|key| self.patched.contains(key));
            let own: BTreeSet<usize> =
                drafts.iter().filter(|draft| draft.own_stream).map(|draft| draft.subject).collect();
            for draft in drafts {
                let Some(subject) = subjects.get(draft.subject) else { continue };
                let denied =
                    || keys.iter().any(|key| self.not_affected.contains(&(*key, draft.subject)));
                // What its own stream says goes before what another says.
                let elsewhere = own.contains(&draft.subject) && !draft.own_stream;
                if elsewhere
                    || (patched && subject.kernel == Some(Kernel::Running))
                    || (!draft.stream && denied())
                    || self.is_mended(&keys, draft.subject)
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
}

/// A vulnerability in each of the databases that know it.
pub(super) fn keys(databases: &[Database], known: Key, id: &str) -> Result<Vec<Key>, DbError> {
    let mut keys = vec![known];
    for (index, database) in databases.iter().enumerate().filter(|(index, _)| *index != known.0) {
        keys.extend(database.find_vulnerability(id)?.map(|number| (index, number)));
    }
    Ok(keys)
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
