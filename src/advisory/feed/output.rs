//! Where a feed's reader puts what it reads, and where everything is counted.

use std::collections::BTreeMap;

use super::{Context, Record};
use crate::advisory::record::{Advisory, Counts, Ecosystem, Exception, Vulnerability};
use crate::model::cell::Time;

/// What a reader writes to: records go on at once, counts stay.
pub(super) struct Output<'a> {
    context: &'a Context,
    sink: &'a mut dyn FnMut(Record),
    taken: u64,
    skipped: BTreeMap<String, u64>,
    left_out: BTreeMap<String, u64>,
    made_at: Option<Time>,
}

impl<'a> Output<'a> {
    pub(super) fn new(context: &'a Context, sink: &'a mut dyn FnMut(Record)) -> Self {
        Self {
            context,
            sink,
            taken: 0,
            skipped: BTreeMap::new(),
            left_out: BTreeMap::new(),
            made_at: None,
        }
    }

    /// The release that the user named.
    pub(super) fn release(&self) -> Option<&Ecosystem> {
        self.context.release.as_ref()
    }

    /// An entry became this advisory.
    pub(super) fn advisory(&mut self, advisory: Advisory) {
        self.taken += 1;
        (self.sink)(Record::Advisory(advisory));
    }

    /// An entry became this knowledge of a CVE.
    pub(super) fn vulnerability(&mut self, vulnerability: Vulnerability) {
        self.taken += 1;
        (self.sink)(Record::Vulnerability(vulnerability));
    }

    /// An entry became these exceptions, at least one.
    pub(super) fn exceptions(&mut self, exceptions: Vec<Exception>) {
        self.taken += 1;
        for exception in exceptions {
            (self.sink)(Record::Exception(exception));
        }
    }

    /// An entry became these records, at least one.
    pub(super) fn entry(&mut self, records: Vec<Record>) {
        self.taken += 1;
        records.into_iter().for_each(&mut *self.sink);
    }

    /// What an entry says beside what it became.
    pub(super) fn beside(&mut self, record: Record) {
        (self.sink)(record);
    }

    /// An entry is left out, for this reason.
    pub(super) fn skip(&mut self, reason: &str) {
        count(&mut self.skipped, reason, 1);
    }

    /// A part of an entry that is taken, or something beside the entries, is left out.
    pub(super) fn leave_out(&mut self, reason: &str) {
        self.leave_out_many(reason, 1);
    }

    /// So many of them.
    pub(super) fn leave_out_many(&mut self, reason: &str, number: u64) {
        if number > 0 {
            count(&mut self.left_out, reason, number);
        }
    }

    /// When the feed was made: of several times the last.
    pub(super) fn made_at(&mut self, time: Option<Time>) {
        self.made_at = self.made_at.max(time);
    }

    /// What was counted, and when the feed was made.
    pub(super) fn finish(self) -> (Counts, Option<Time>) {
        let skipped: Vec<_> = self.skipped.into_iter().collect();
        let entries = self.taken + skipped.iter().map(|(_, count)| count).sum::<u64>();
        let left_out = self.left_out.into_iter().collect();
        (Counts { entries, taken: self.taken, skipped, left_out }, self.made_at)
    }
}

fn count(counts: &mut BTreeMap<String, u64>, reason: &str, more: u64) {
    match counts.get_mut(reason) {
        Some(count) => *count += more,
        None => {
            counts.insert(reason.to_owned(), more);
        }
    }
}
