//! What SNS carried, to topics on this machine. A topic is a spool directory or a program; which,
//! is written in `topics.json` in the data directory:
//!
//! ```json
//! {"topics": {
//!   "arn:aws:sns:us-east-1:000000000000:spooled": {"spool": "notifications/spooled"},
//!   "arn:aws:sns:us-east-1:000000000000:handled":
//!     {"program": ["/usr/local/bin/handle", "--quiet"], "timeout_seconds": 10, "attempts": 5}
//! }}
//! ```
//!
//! A relative spool directory is one in the data directory. A message is sent at least once: after
//! a crash, a spooled one is written again under the same name.

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Service, StartError};
use crate::assess::store::{Delivery, Message, Millis};
use crate::snapshot::write_atomically;

/// The name of the file with the topics.
const FILE: &str = "topics.json";
/// The largest file with topics that is read.
const LARGEST_FILE: u64 = 1 << 20;
/// How long the thread sleeps where nobody wakes it.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many topics are sent to at the same time.
const MOST_LANES: usize = 32;
/// The longest pause between two attempts, seconds.
const LONGEST_PAUSE: i64 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topics: BTreeMap<String, Topic>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    spool: Option<PathBuf>,
    program: Option<Vec<String>>,
    #[serde(default = "ten")]
    timeout_seconds: u64,
    #[serde(default = "five")]
    attempts: i64,
}

const fn ten() -> u64 {
    10
}

const fn five() -> i64 {
    5
}

/// The topics as the file says now.
fn topics(data: &Path) -> Result<BTreeMap<String, Topic>, String> {
    let path = data.join(FILE);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Ok(meta) if meta.len() > LARGEST_FILE => return Err("it is too large".into()),
        _ => {}
    }
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for (arn, topic) in &file.topics {
        if !is_topic(arn) {
            return Err(format!("{arn} is not the ARN of an SNS topic"));
        }
        match (&topic.spool, &topic.program) {
            (Some(_), None) => {}
            (None, Some(words)) if words.first().is_some_and(|path| path.starts_with('/')) => {}
            _ => {
                return Err(format!(
                    "{arn} must have either a spool directory or a program with its whole path"
                ));
            }
        }
    }
    Ok(file.topics)
}

/// Reads the file once, so that a mistake in it is told at the start.
///
/// # Errors
/// The mistake.
pub(super) fn check(data: &Path) -> Result<(), StartError> {
    topics(data).map(drop).map_err(|problem| StartError::Topics { path: data.join(FILE), problem })
}

/// Whether a topic is in the file.
pub(super) fn knows(data: &Path, topic: &str) -> Result<bool, String> {
    topics(data)
        .map(|topics| topics.contains_key(topic))
        .map_err(|problem| format!("{FILE}: {problem}"))
}

/// Whether a text is the ARN of an SNS topic.
pub(super) fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let [first, partition, service, region, account, name] = parts.as_slice() else { return false };
    *first == "arn"
        && partition.starts_with("aws")
        && *service == "sns"
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=256).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Starts the thread that sends what waits. Each topic is sent to by a thread of its own while it
/// has messages, so that a slow program holds up its own topic only.
///
/// # Errors
/// The system gives no thread.
pub fn start_sender(service: &Arc<Service>) -> std::io::Result<()> {
    let service = Arc::clone(service);
    std::thread::Builder::new().name("notify".into()).spawn(move || {
        let busy = Arc::new(Mutex::new(BTreeSet::new()));
        let mut heard = 0;
        loop {
            for topic in service.store.topics_due(service.now()).unwrap_or_default() {
                // Where the system gives no thread, it is tried again later.
                let _ = send_all(&service, &busy, topic);
            }
            heard = service.work.wait(heard, PATIENCE);
        }
    })?;
    Ok(())
}

/// The topics that are being sent to.
type Busy = Arc<Mutex<BTreeSet<String>>>;

/// Notes that a topic is sent to, until it is dropped.
struct Lane {
    topic: String,
    busy: Busy,
}

impl Lane {
    fn begin(busy: &Busy, topic: String) -> Option<Self> {
        let mut topics = busy.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = topics.len() < MOST_LANES && topics.insert(topic.clone());
        begins.then(|| Self { topic, busy: Arc::clone(busy) })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.topic);
    }
}

/// Sends to a topic what waits for it, unless that is being done.
fn send_all(service: &Arc<Service>, busy: &Busy, topic: String) -> std::io::Result<()> {
    let Some(lane) = Lane::begin(busy, topic) else { return Ok(()) };
    let service = Arc::clone(service);
    std::thread::Builder::new().name("notify-topic".into()).spawn(move || {
        while let Ok(Some(message)) = service.store.next_message(&lane.topic, service.now()) {
            let delivery = deliver(service.data(), &message, service.now());
            if service.store.delivered(message.id, &delivery, service.now()).is_err() {
                break;
            }
        }
        drop(lane);
        service.work.ring();
    })?;
    Ok(())
}

/// The message as SNS puts it into an envelope. Nobody signs it.
fn envelope(message: &Message) -> String {
    let hash =
        blake3::hash(format!("{}\0{}\0{}", message.topic, message.id, message.at.0).as_bytes());
    let hex = hash.to_hex();
    let id =
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]);
    json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": message.topic,
        "Message": message.text,
        "Timestamp": message.at.timestamp(),
        "MessageAttributes": {},
    })
    .to_string()
}

fn deliver(data: &Path, message: &Message, now: Millis) -> Delivery {
    let (attempts, sent) = match topics(data) {
        Err(problem) => (five(), Err(format!("{FILE}: {problem}"))),
        Ok(topics) => match topics.get(&message.topic) {
            None => {
                let problem = "the topic is not in topics.json any more".to_owned();
                return Delivery::GivenUp("TOPIC_DOES_NOT_EXIST", problem);
            }
            Some(topic) => (topic.attempts, send(data, topic, message)),
        },
    };
    match sent {
        Ok(()) => Delivery::Sent,
        Err(problem) if message.attempts + 1 >= attempts => {
            Delivery::GivenUp("INTERNAL_ERROR", problem)
        }
        Err(_) => {
            let pause = 1i64 << message.attempts.clamp(0, 6);
            Delivery::Later(Millis(now.0 + pause.min(LONGEST_PAUSE) * 1000))
        }
    }
}

fn send(data: &Path, topic: &Topic, message: &Message) -> Result<(), String> {
    let text = envelope(message);
    if let Some(words) = &topic.program {
        return program::run(words, Duration::from_secs(topic.timeout_seconds), text.as_bytes());
    }
    let folder = data.join(topic.spool.as_deref().unwrap_or(Path::new("notifications")));
    let path = folder.join(format!("{:012}.json", message.id));
    std::fs::create_dir_all(&folder)
        .and_then(|()| write_atomically(&path, text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str) -> Message {
        Message {
            id: 7,
            topic: topic.into(),
            text: "{\"event\":\"x\"}".into(),
            at: Millis(1_458_680_301_370),
            attempts: 0,
        }
    }

    #[test]
    fn a_mistake_in_the_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let arn = "arn:aws:sns:us-east-1:000000000000:t";
        let said = |text: &str| {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            topics(folder.path()).map(|topics| topics.len())
        };
        assert_eq!(said(&format!(r#"{{"topics": {{"{arn}": {{"spool": "s"}}}}}}"#)), Ok(1));
        for bad in [
            "{".to_owned(),
            r#"{"topics": {"t": {"spool": "s"}}}"#.to_owned(),
            format!(r#"{{"topics": {{"{arn}": {{}}}}}}"#),
            format!(r#"{{"topics": {{"{arn}": {{"program": ["notify"]}}}}}}"#),
            format!(r#"{{"topics": {{"{arn}": {{"spool": "s", "programm": ["/x"]}}}}}}"#),
            format!(r#"{{"topics": {{"{arn}": {{"spool": "s", "program": ["/x"]}}}}}}"#),
        ] {
            assert!(said(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_spooled_message_is_whole_and_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let arn = "arn:aws:sns:us-east-1:000000000000:t";
        let text = format!(r#"{{"topics": {{"{arn}": {{"spool": "s"}}}}}}"#);
        std::fs::write(folder.path().join(FILE), text).unwrap();
        for _ in 0..2 {
            assert_eq!(deliver(folder.path(), &message(arn), Millis(0)), Delivery::Sent);
        }
        let files: Vec<_> = std::fs::read_dir(folder.path().join("s")).unwrap().collect();
        assert_eq!(files.len(), 1);
        let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["Message"], "{\"event\":\"x\"}");
        assert_eq!(json["Timestamp"], "2016-03-22T20:58:21.370Z");
        let gone = deliver(folder.path(), &message(&format!("{arn}2")), Millis(0));
        assert!(matches!(gone, Delivery::GivenUp("TOPIC_DOES_NOT_EXIST", _)));
    }

    #[test]
    fn what_fails_is_tried_again_and_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let arn = "arn:aws:sns:us-east-1:000000000000:t";
        let text =
            format!(r#"{{"topics": {{"{arn}": {{"program": ["/bin/false"], "attempts": 2}}}}}}"#);
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let first = deliver(folder.path(), &message(arn), Millis(5));
        assert_eq!(first, Delivery::Later(Millis(1005)));
        let again = Message { attempts: 1, ..message(arn) };
        let second = deliver(folder.path(), &again, Millis(5));
        assert!(matches!(second, Delivery::GivenUp("INTERNAL_ERROR", _)), "{second:?}");
    }
}
