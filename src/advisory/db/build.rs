//! From records to one database. The same records give the same bytes, whatever the order in which
//! the feeds were added.

use std::collections::{BTreeMap, BTreeSet};

use super::bytes::put_list;
use super::index::ReleaseBuilder;
use super::record::{AdvisoryText, ExceptionText, FeedInfo, VulnerabilityText};
use super::toc::Sections;
use super::{DbError, blocks, layout};
use crate::advisory::feed::{Record, Summary};
use crate::advisory::record::{Advisory, Ecosystem, Exception, Vulnerability};
use crate::model::cell::Time;

/// The file, or the directory of files, that a feed is read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The name without its directory.
    pub name: String,
    /// BLAKE3 of the content, in hexadecimal.
    pub hash: String,
    /// When it was fetched, for feeds that do not say when they were made.
    pub fetched: Option<Time>,
}

/// Collects the records of feeds. Advisories come before what is known of vulnerabilities: what no
/// advisory names is not kept, so that a list of all CVEs adds only what is of use.
#[derive(Default)]
pub struct Builder {
    feeds: Vec<FeedInfo>,
    current: Option<FeedInfo>,
    advisories: Vec<(AdvisoryText, Vec<String>)>,
    releases: BTreeMap<Ecosystem, ReleaseBuilder>,
    named: BTreeSet<String>,
    vulnerabilities: BTreeMap<String, VulnerabilityText>,
    exceptions: Vec<Exception>,
    /// When the newest advisory of the current feed was published.
    newest: Option<Time>,
    problem: Option<DbError>,
}

impl Builder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a feed.
    pub fn begin(&mut self, input: &Input) {
        self.current = Some(FeedInfo {
            name: input.name.clone(),
            hash: input.hash.clone(),
            made_at: input.fetched,
            ..FeedInfo::default()
        });
    }

    /// Adds a record of the feed that was begun.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Advisory(advisory) => {
                if let Err(problem) = self.advisory(advisory) {
                    self.problem.get_or_insert(problem);
                }
            }
            Record::Vulnerability(vulnerability) => self.vulnerability(vulnerability),
            Record::Exception(exception) => self.exceptions.push(exception),
        }
    }

    /// Ends the feed, and gives what is stored of it.
    pub fn end(&mut self, summary: &Summary) -> FeedInfo {
        let mut info = self.current.take().unwrap_or_default();
        info.kind = summary.kind.name().to_owned();
        // As the feed says, as the user says, or when its newest advisory was published.
        info.made_at = summary.made_at.or(info.made_at).or(self.newest.take());
        info.entries = summary.counts.entries;
        info.taken = summary.counts.taken;
        info.skipped.clone_from(&summary.counts.skipped);
        info.left_out.clone_from(&summary.counts.left_out);
        self.feeds.push(info.clone());
        info
    }

    fn unused(&mut self) {
        if let Some(feed) = &mut self.current {
            feed.unused += 1;
        }
    }

    fn advisory(&mut self, advisory: Advisory) -> Result<(), DbError> {
        let number = u32::try_from(self.advisories.len())
            .map_err(|_| DbError::TooLarge("the number of advisories"))?;
        for affected in advisory.affected {
            let release = self.releases.entry(affected.ecosystem.clone());
            release.or_insert_with_key(ReleaseBuilder::new).add(affected, number)?;
        }
        let mut cves = advisory.cves;
        if cves.is_empty() {
            cves.push(advisory.id.clone());
        }
        self.named.extend(cves.iter().cloned());
        self.newest = self.newest.max(advisory.published);
        let text = AdvisoryText {
            id: advisory.id,
            feed: self.feeds.len(),
            severity: advisory.severity,
            scores: advisory.scores,
            title: advisory.title,
            description: advisory.description,
            reference: advisory.references.into_iter().next(),
            published: advisory.published,
        };
        self.advisories.push((text, cves));
        Ok(())
    }

    fn vulnerability(&mut self, new: Vulnerability) {
        if !self.named.contains(&new.id) {
            return self.unused();
        }
        let known = self.vulnerabilities.entry(new.id).or_default();
        known.scores.extend(new.scores);
        known.description = known.description.take().or(new.description);
        known.known_exploited_since =
            known.known_exploited_since.take().or(new.known_exploited_since);
        known.ransomware |= new.ransomware;
        known.epss = known.epss.or(new.epss);
    }

    /// The bytes of the database.
    ///
    /// # Errors
    /// There is no advisory, or more than the format holds.
    pub fn finish(mut self) -> Result<Vec<u8>, DbError> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        if self.advisories.is_empty() || self.releases.is_empty() {
            return Err(DbError::NoAdvisories);
        }
        let feeds = self.sort_feeds();
        let mut sections = Sections::default();
        let mut bytes = Vec::new();
        put_list(&mut bytes, &feeds, |out, feed| feed.encode(out));
        sections.push(layout::FEEDS, "", &bytes, &[]);

        let numbers: BTreeMap<&str, u32> =
            self.named.iter().zip(0..).map(|(id, number)| (&**id, number)).collect();
        // Equal advisories, in every feed's own order, take numbers in the order of their ids.
        let mut order: Vec<u32> = (0..self.advisories.len() as u32).collect();
        order.sort_by_cached_key(|number| {
            self.advisories
                .get(*number as usize)
                .map(|(text, cves)| (text.id.clone(), text.feed, text.encode(), cves.clone()))
        });
        let mut new_number = vec![0; order.len()];
        for (new, old) in (0u32..).zip(&order) {
            if let Some(number) = new_number.get_mut(*old as usize) {
                *number = new;
            }
        }
        let cves = |old: u32| -> Vec<u32> {
            let named = self.advisories.get(old as usize).map(|(_, cves)| &**cves);
            let mut cves: Vec<u32> = named
                .unwrap_or_default()
                .iter()
                .filter_map(|id| numbers.get(&**id).copied())
                .collect();
            cves.sort_unstable();
            cves.dedup();
            cves
        };
        for (ecosystem, release) in &self.releases {
            let name = ecosystem.to_string();
            let built = release.finish(&new_number, &cves)?;
            sections.push(layout::RELEASE, &name, &blocks::pack(&built.index)?, &[]);
            let (head, body) = built.versions.finish()?;
            sections.push(layout::VERSIONS, &name, &head, &body);
        }
        let mut writer = blocks::Writer::default();
        for old in &order {
            if let Some((text, _)) = self.advisories.get(*old as usize) {
                writer.push(&text.encode())?;
            }
        }
        let (head, body) = writer.finish()?;
        sections.push(layout::ADVISORIES, "", &head, &body);

        let mut writer = blocks::Writer::default();
        for id in &self.named {
            let text = self.vulnerabilities.remove(id).unwrap_or_default();
            writer.push(&VulnerabilityText { id: id.clone(), ..text }.encode())?;
        }
        let (head, body) = writer.finish()?;
        sections.push(layout::VULNERABILITIES, "", &head, &body);

        let mut exceptions: Vec<ExceptionText> = self
            .exceptions
            .iter()
            .filter_map(|exception| {
                Some(ExceptionText {
                    vulnerability: *numbers.get(&*exception.id)?,
                    products: exception.products.clone(),
                    reason: exception.reason.clone(),
                    author: exception.author.clone(),
                })
            })
            .collect();
        exceptions.sort();
        exceptions.dedup();
        let mut bytes = Vec::new();
        put_list(&mut bytes, &exceptions, |out, exception| exception.encode(out));
        sections.push(layout::EXCEPTIONS, "", &bytes, &[]);
        sections.seal()
    }

    /// Puts the feeds into an order of their own, and lets the advisories follow.
    fn sort_feeds(&mut self) -> Vec<FeedInfo> {
        let mut order: Vec<usize> = (0..self.feeds.len()).collect();
        let key = |feed: &FeedInfo| (feed.kind.clone(), feed.name.clone(), feed.hash.clone());
        order.sort_by_cached_key(|index| self.feeds.get(*index).map(key));
        for (text, _) in &mut self.advisories {
            text.feed = order.iter().position(|old| *old == text.feed).unwrap_or_default();
        }
        order.iter().filter_map(|old| self.feeds.get(*old).cloned()).collect()
    }
}
