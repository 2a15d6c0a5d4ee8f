//! Who wants to hear of what.

use rusqlite::params;

use super::page::{Listed, Page};
use super::{Counted, Kind, Millis, Result, Store, StoreError, outbox, row_of};

/// How many subscriptions a template may have.
const MOST: i64 = 50;

/// Inspector's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A run was started.
    Started,
    /// A run was completed.
    Completed,
    /// A run came into another state.
    StateChanged,
    /// A finding was reported.
    Finding,
    /// Anything else.
    Other,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] =
        [Self::Started, Self::Completed, Self::StateChanged, Self::Finding, Self::Other];

    /// Inspector's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "ASSESSMENT_RUN_STARTED",
            Self::Completed => "ASSESSMENT_RUN_COMPLETED",
            Self::StateChanged => "ASSESSMENT_RUN_STATE_CHANGED",
            Self::Finding => "FINDING_REPORTED",
            Self::Other => "OTHER",
        }
    }

    /// The event with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == word)
    }
}

/// The events of one template that go to one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The template's ARN.
    pub template: String,
    /// The topic's ARN.
    pub topic: String,
    /// Inspector's words, and since when.
    pub events: Vec<(String, Millis)>,
}

impl Store {
    /// Sends an event of a template to a topic from now on, and tells the topic so. Nothing happens
    /// where it is sent there already.
    ///
    /// # Errors
    /// There is no such template, or it has too many subscriptions.
    pub fn subscribe(&self, template: &str, event: Event, topic: &str, now: Millis) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Template, template)?;
            let added = store.execute(
                "INSERT OR IGNORE INTO subscriptions (template, topic, event, at)
                 VALUES (?1, ?2, ?3, ?4)",
                params![id, topic, event.name(), now.0],
            )?;
            if added == 0 {
                return Ok(());
            }
            let count: i64 = store.query_row(
                "SELECT count(*) FROM subscriptions WHERE template = ?1",
                [id],
                |row| row.get(0),
            )?;
            if count > MOST {
                return Err(StoreError::Limit { what: Counted::Subscriptions, limit: MOST });
            }
            outbox::enabled(store, id, topic, now)
        })
    }

    /// Sends an event of a template to a topic no more.
    ///
    /// # Errors
    /// There is no such template.
    pub fn unsubscribe(&self, template: &str, event: Event, topic: &str) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Template, template)?;
            store.execute(
                "DELETE FROM subscriptions WHERE template = ?1 AND topic = ?2 AND event = ?3",
                params![id, topic, event.name()],
            )?;
            Ok(())
        })
    }

    /// Subscriptions, of one template where one is given.
    ///
    /// # Errors
    /// There is no such template.
    pub fn subscriptions(
        &self,
        template: Option<&str>,
        page: Page,
    ) -> Result<Listed<Subscription>> {
        let store = self.read();
        let template = template.map(|arn| row_of(&store, Kind::Template, arn)).transpose()?;
        // One row a template and topic, numbered by its first subscription.
        let mut statement = store.prepare_cached(
            "SELECT min(s.id) AS first, p.arn, s.topic, s.template FROM subscriptions s
             JOIN templates p ON p.id = s.template WHERE ?1 IS NULL OR s.template = ?1
             GROUP BY s.template, s.topic HAVING first > ?2 ORDER BY first LIMIT ?3",
        )?;
        let rows = statement
            .query_map(params![template, page.after, page.probe()], |row| {
                let subscription =
                    Subscription { template: row.get(1)?, topic: row.get(2)?, events: Vec::new() };
                Ok((row.get(0)?, subscription, row.get(3)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, Subscription, i64)>>>()?;
        let mut events = store.prepare_cached(
            "SELECT event, at FROM subscriptions WHERE template = ?1 AND topic = ?2 ORDER BY id",
        )?;
        let mut listed = Vec::new();
        for (first, subscription, template) in rows {
            let found = events.query_map(params![template, subscription.topic], |row| {
                Ok((row.get(0)?, Millis(row.get(1)?)))
            })?;
            let events = found.collect::<rusqlite::Result<_>>()?;
            listed.push((first, Subscription { events, ..subscription }));
        }
        Ok(Listed::of(listed, page))
    }
}
