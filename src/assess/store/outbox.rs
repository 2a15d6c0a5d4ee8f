//! Messages that wait to be sent. They are written in the transaction of what they tell, so that
//! nothing that happened goes untold, and taken away once they were sent.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, json};

use super::runs::SHOWN;
use super::{Event, Kind, Millis, Result, Store, StoreError, row_of};

/// What SNS carried when a topic was first subscribed.
const ENABLED: &str = "ENABLE_ASSESSMENT_NOTIFICATIONS";
/// How many notifications a run shows.
const SHOWN_NOTIFICATIONS: i64 = 50;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, which rises.
    pub id: i64,
    /// The topic's ARN.
    pub topic: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub at: Millis,
    /// How often sending it failed.
    pub attempts: i64,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was sent.
    Sent,
    /// It was not, and is tried again at this time.
    Later(Millis),
    /// It was given up: Inspector's word and the reason.
    GivenUp(&'static str, String),
}

/// What a run tells of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// When.
    pub at: Millis,
    /// Inspector's word for the event.
    pub event: String,
    /// What went wrong.
    pub message: Option<String>,
    /// Whether something went wrong.
    pub error: bool,
    /// The topic.
    pub topic: Option<String>,
    /// Inspector's word for what became of it.
    pub status: Option<String>,
}

impl Millis {
    /// The time as SNS writes it, for example `2016-03-22T20:58:21.370Z`.
    pub fn timestamp(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|time| format!("{time:.3}"))
            .unwrap_or_default()
    }
}

/// The members that every message has.
fn members(
    event: &str,
    template: &str,
    target: &str,
    now: Millis,
) -> Map<String, serde_json::Value> {
    let mut members = Map::new();
    members.insert("template".into(), json!(template));
    members.insert("target".into(), json!(target));
    members.insert("event".into(), json!(event));
    members.insert("time".into(), json!(now.timestamp()));
    members
}

/// Tells the topics that subscribed to an event of a run.
pub(super) fn announce(
    store: &Connection,
    run: i64,
    event: Event,
    more: &[(&str, &str)],
    now: Millis,
) -> Result<()> {
    let mut statement = store.prepare_cached(
        "SELECT s.topic, r.arn, p.arn, t.arn FROM runs r JOIN templates p ON p.id = r.template
         JOIN targets t ON t.id = p.target JOIN subscriptions s ON s.template = p.id
         WHERE r.id = ?1 AND s.event = ?2 ORDER BY s.id",
    )?;
    let topics = statement
        .query_map(params![run, event.name()], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?
        .collect::<rusqlite::Result<Vec<[String; 4]>>>()?;
    for [topic, run_arn, template, target] in topics {
        let mut message = members(event.name(), &template, &target, now);
        message.insert("run".into(), json!(run_arn));
        for (name, value) in more {
            message.insert((*name).into(), json!(value));
        }
        put(store, Some(run), &topic, event.name(), &json!(message).to_string(), now)?;
    }
    Ok(())
}

/// Tells every finding of a run to those who want to hear of findings.
pub(super) fn announce_findings(store: &Connection, run: i64, now: Millis) -> Result<()> {
    let wanted: bool = store.query_row(
        "SELECT EXISTS (SELECT 1 FROM subscriptions s JOIN runs r ON r.template = s.template
                        WHERE r.id = ?1 AND s.event = ?2)",
        params![run, Event::Finding.name()],
        |row| row.get(0),
    )?;
    if !wanted {
        return Ok(());
    }
    let mut statement =
        store.prepare_cached("SELECT arn FROM findings WHERE run = ?1 ORDER BY id")?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let finding: String = row.get(0)?;
        announce(store, run, Event::Finding, &[("finding", &finding)], now)?;
    }
    Ok(())
}

/// Tells a topic that it will be sent messages.
pub(super) fn enabled(store: &Connection, template: i64, topic: &str, now: Millis) -> Result<()> {
    let (template, target): (String, String) = store.query_row(
        "SELECT p.arn, t.arn FROM templates p JOIN targets t ON t.id = p.target WHERE p.id = ?1",
        [template],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let message = json!(members(ENABLED, &template, &target, now)).to_string();
    put(store, None, topic, ENABLED, &message, now)
}

fn put(
    store: &Connection,
    run: Option<i64>,
    topic: &str,
    event: &str,
    message: &str,
    now: Millis,
) -> Result<()> {
    let mut insert = store.prepare_cached(
        "INSERT INTO outbox (run, topic, event, message, at, due) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?;
    insert.execute(params![run, topic, event, message, now.0])?;
    Ok(())
}

impl Store {
    /// The topics that may be sent something now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn topics_due(&self, now: Millis) -> Result<Vec<String>> {
        let store = self.read();
        // Beside min() the other columns are those of its row.
        let mut statement = store.prepare_cached(
            "SELECT topic FROM (SELECT topic, due, min(id) FROM outbox GROUP BY topic)
             WHERE due <= ?1 ORDER BY topic",
        )?;
        let topics = statement.query_map([now.0], |row| row.get(0))?;
        Ok(topics.collect::<rusqlite::Result<_>>()?)
    }

    /// The message that may be sent to a topic now. Messages keep their order: while one waits to be
    /// tried again, those after it wait too.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_message(&self, topic: &str, now: Millis) -> Result<Option<Message>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT id, topic, message, at, attempts FROM outbox
             WHERE id = (SELECT min(id) FROM outbox WHERE topic = ?1) AND due <= ?2",
        )?;
        let message = statement.query_row(params![topic, now.0], |row| {
            Ok(Message {
                id: row.get(0)?,
                topic: row.get(1)?,
                text: row.get(2)?,
                at: Millis(row.get(3)?),
                attempts: row.get(4)?,
            })
        });
        message.optional().map_err(StoreError::from)
    }

    /// Notes what became of a message.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn delivered(&self, id: i64, delivery: &Delivery, now: Millis) -> Result<()> {
        self.write(|store| {
            let (status, problem) = match delivery {
                Delivery::Later(due) => {
                    store.execute(
                        "UPDATE outbox SET attempts = attempts + 1, due = ?2 WHERE id = ?1",
                        params![id, due.0],
                    )?;
                    return Ok(());
                }
                Delivery::Sent => ("SUCCESS", None),
                Delivery::GivenUp(status, problem) => (*status, Some(problem)),
            };
            store.execute(
                "INSERT INTO notifications (run, at, event, message, error, topic, status)
                 SELECT run, ?2, event, ?3, ?4, topic, ?5 FROM outbox
                 WHERE id = ?1 AND run IS NOT NULL",
                params![id, now.0, problem, problem.is_some(), status],
            )?;
            store.execute("DELETE FROM outbox WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// What a run tells of its messages: those about what went wrong first, then in their order, as
    /// many as Inspector shows.
    ///
    /// # Errors
    /// There is no such run.
    pub fn notifications(&self, run: &str) -> Result<Vec<Notification>> {
        let store = self.read();
        let run = row_of(&store, Kind::Run, run)?;
        let mut statement = store.prepare_cached(
            "SELECT at, event, message, error, topic, status FROM notifications
             WHERE run = ?1 ORDER BY error DESC, id LIMIT ?2",
        )?;
        let notifications = statement.query_map(params![run, SHOWN_NOTIFICATIONS], |row| {
            Ok(Notification {
                at: Millis(row.get(0)?),
                event: row.get(1)?,
                message: row.get(2)?,
                error: row.get(3)?,
                topic: row.get(4)?,
                status: row.get(5)?,
            })
        })?;
        notifications.collect::<rusqlite::Result<_>>().map_err(StoreError::from)
    }

    /// How many findings a run shows.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn count_findings(&self, run: &str) -> Result<i64> {
        let store = self.read();
        let sql = format!(
            "SELECT count(*) FROM findings f JOIN runs r ON r.id = f.run
             WHERE r.arn = ?1 AND r.state IN {SHOWN}"
        );
        Ok(store.query_row(&sql, [run], |row| row.get(0))?)
    }
}
