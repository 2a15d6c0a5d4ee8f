//! The store behind `assay serve`: targets, templates, runs and findings in one SQLite file.
//!
//! Every method is one transaction, on disk when it returns: what was acknowledged survives the
//! end of the process at any moment. Times come from the caller, since the library looks at no
//! clock.

pub mod arn;
mod exclusions;
mod findings;
mod outbox;
mod page;
mod progress;
mod reports;
mod role;
mod runs;
mod schema;
mod shared;
mod subscriptions;
mod targets;
mod templates;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

pub use arn::Kind;
pub use exclusions::{Exclusion, Preview};
pub use findings::{FindingFilter, NewFinding, StoredFinding};
pub use outbox::{Delivery, Message, Notification};
pub use page::{Listed, Page};
pub use progress::{AgentResult, Ending};
pub use reports::{Judged, JudgedAgent, Report, ReportStatus, WantedReport};
pub use runs::{NewRun, Run, RunAgent, RunFilter, RunState, Stop};
pub use subscriptions::{Event, Subscription};
pub use targets::{ResourceGroup, Target};
pub use templates::{NewTemplate, Template, TemplateFilter};

/// How long a write waits for another process that has the file open, for example a backup.
const BUSY: Duration = Duration::from_secs(10);
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// A key with an optional value: user attributes, tags.
pub type Pair = (String, Option<String>);

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("there is no such {}", .0.words())]
    Missing(Kind),
    /// Another one has the name.
    #[error("another {} has this name", .0.words())]
    NameTaken(Kind),
    /// There are as many as there may be.
    #[error("there are already {limit} of {what}")]
    Limit {
        /// What there is too much of.
        what: Counted,
        /// How many there may be.
        limit: i64,
    },
    /// Runs that have not ended are in the way.
    #[error("assessment runs are in progress")]
    InProgress(Vec<String>),
    /// Agents are in other runs that have not ended: agent id and run.
    #[error("agents take part in other runs")]
    AgentsBusy(Vec<(String, String)>),
    /// The file cannot be read or written.
    #[error("the store: {0}")]
    Database(#[from] rusqlite::Error),
    /// What was written is not what can be read.
    #[error("the store holds what cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A newer assay wrote the file.
    #[error("the store was written by a newer assay (version {0} of its schema)")]
    TooNew(i64),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

/// What is counted against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Targets.
    Targets,
    /// Templates.
    Templates,
    /// Runs.
    Runs,
    /// Resource groups.
    ResourceGroups,
    /// Subscriptions of one template.
    Subscriptions,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Targets => "assessment targets",
            Self::Templates => "assessment templates",
            Self::Runs => "assessment runs",
            Self::ResourceGroups => "resource groups",
            Self::Subscriptions => "event subscriptions",
        })
    }
}

type Result<T> = std::result::Result<T, StoreError>;

/// The store.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    account: String,
    key: [u8; 32],
}

impl Store {
    /// Opens the file, making it where there is none.
    ///
    /// # Errors
    /// It cannot be opened, or a newer assay wrote it.
    pub fn open(path: &Path) -> Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit is on disk before it is acknowledged.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection)?;
        let key = secret(&connection)?;
        Ok(Self { connection: Mutex::new(connection), account: "000000000000".into(), key })
    }

    /// The key that the tokens of this store are signed with; the same after a restart.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The start of every ARN.
    pub fn prefix(&self) -> String {
        format!("arn:aws:inspector:{}:{}", arn::REGION, self.account)
    }

    fn read(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements leaves at most a transaction, which is rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction: all of it, or nothing where `work` ends in an error.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.read();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

fn secret(connection: &Connection) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    SystemRandom::new().fill(&mut fresh).map_err(|_| StoreError::NoRandom)?;
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?1)", [&fresh[..]])?;
    let stored: [u8; 32] =
        connection.query_row("SELECT value FROM meta WHERE key = 'key'", [], |row| row.get(0))?;
    Ok(stored)
}

/// A new id of Inspector's form: `0-` and eight letters or digits.
fn new_id() -> Result<String> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StoreError::NoRandom)?;
    let mut number = u64::from_le_bytes(bytes);
    let mut id = String::from("0-");
    for _ in 0..8 {
        id.push(char::from(ALPHABET[usize::try_from(number % 62).unwrap_or(0)]));
        number /= 62;
    }
    Ok(id)
}

/// The number of the row with this ARN.
fn row_of(connection: &Connection, kind: Kind, arn: &str) -> Result<i64> {
    let table = kind.table();
    let mut statement =
        connection.prepare_cached(&format!("SELECT id FROM {table} WHERE arn = ?1"))?;
    statement.query_row([arn], |row| row.get(0)).optional()?.ok_or(StoreError::Missing(kind))
}

/// Fails where a table has as many rows as it may.
fn hold_limit(connection: &Connection, what: Counted, table: &str, limit: i64) -> Result<()> {
    let count: i64 =
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    if count < limit { Ok(()) } else { Err(StoreError::Limit { what, limit }) }
}

/// The error of an insert, where it says that a name is taken.
fn taken(kind: Kind) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => StoreError::NameTaken(kind),
        _ => StoreError::Database(error),
    }
}

/// A list as a column, and as the parameter of `json_each`.
fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}

/// The parameter of a filter: none where the list is empty, which filters nothing.
fn wanted<T: serde::Serialize>(list: &[T]) -> Result<Option<String>> {
    if list.is_empty() { Ok(None) } else { json(&list).map(Some) }
}

/// A name pattern in which `*` stands for anything, as SQLite's GLOB.
fn glob(pattern: &str) -> String {
    pattern.replace('[', "[[]").replace('?', "[?]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_a_newer_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let key = *Store::open(&path).unwrap().key();
        assert_eq!(*Store::open(&path).unwrap().key(), key);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::TooNew(999))));
    }

    #[test]
    fn only_the_star_is_a_wildcard() {
        let memory = Connection::open_in_memory().unwrap();
        let matches = |name: &str, pattern: &str| -> bool {
            memory.query_row("SELECT ?1 GLOB ?2", [name, &glob(pattern)], |row| row.get(0)).unwrap()
        };
        assert!(matches("web-[a]?", "web-[a]?"));
        assert!(matches("web-1", "web*"));
        assert!(!matches("web-1", "web-?"));
        assert!(!matches("web-1", "Web*"));
    }
}
