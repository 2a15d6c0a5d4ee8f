//! Rank 4. The API of Amazon Inspector Classic (2016-02-16) over the store, for scripts and tools
//! that were written against it.
//!
//! [`Service`] answers operations and knows nothing of HTTP, which [`http`] speaks. [`runs`] takes
//! runs through their states, [`notify`] sends what they tell, [`reports`] makes reports of them.

pub mod agents;
mod assets;
pub mod console;
mod exclude;
mod fault;
pub mod http;
mod input;
pub mod notify;
mod operations;
mod packages;
pub mod reports;
pub mod runs;
mod token;

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::assess::store::{Millis, Store, StoreError};
use crate::rules::Plan;
use agents::Agents;

pub use fault::Fault;
pub use operations::names as operations;

/// Tells the time. The library looks at no clock itself.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// This machine as an agent.
pub trait LiveHost: Send + Sync {
    /// A snapshot with what identifies the host, at once.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn identify(&self) -> Result<Vec<u8>, String>;

    /// A whole snapshot, sockets and processes observed for a time or until `stop` says so.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn observe(&self, time: Duration, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<u8>, String>;
}

/// What a service is made of.
pub struct Parts {
    /// The directory that holds everything.
    pub data: PathBuf,
    /// The rules.
    pub plan: Plan,
    /// The CIS profile.
    pub profile: Option<Arc<str>>,
    /// The time.
    pub clock: Clock,
    /// This machine, where it is an agent.
    pub live: Option<Arc<dyn LiveHost>>,
}

/// The service behind the API and the console.
pub struct Service {
    data: PathBuf,
    store: Store,
    agents: Agents,
    plan: Plan,
    profile: Option<Arc<str>>,
    clock: Clock,
    live: Option<Arc<dyn LiveHost>>,
    work: Bell,
    /// Held while the service lives; the system lets go of it however the program ends.
    _lock: File,
}

/// Wakes the threads that wait for work.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Waits until it is rung again or the time is over. `heard` is what was heard last.
    fn wait(&self, heard: u64, time: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(rung, time, |rung| *rung == heard);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory cannot be used.
    #[error("{path}: {error}")]
    Data {
        /// The path.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another program serves the directory.
    #[error("{0}: another assay serves this directory")]
    InUse(PathBuf),
    /// The store cannot be opened.
    #[error("{path}: {error}")]
    Store {
        /// The path.
        path: PathBuf,
        /// Why.
        error: StoreError,
    },
    /// This machine cannot be an agent.
    #[error("this machine cannot be an agent: {0}")]
    Live(String),
    /// The topics cannot be read.
    #[error("{path}: {problem}")]
    Topics {
        /// The path.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

impl Service {
    /// Opens the store and looks at the agents. Runs go on once [`runs::start`] is called.
    ///
    /// # Errors
    /// The directory or the store cannot be used, or this machine cannot be an agent.
    pub fn open(parts: Parts) -> Result<Self, StartError> {
        let lock = lock(&parts.data)?;
        let folders = ["agents", "notifications", "runs"];
        for folder in folders.map(|name| parts.data.join(name)) {
            std::fs::create_dir_all(&folder)
                .map_err(|error| StartError::Data { path: folder.clone(), error })?;
        }
        let path = parts.data.join("store.db");
        let failed = |error| StartError::Store { path: path.clone(), error };
        let store = Store::open(&path).map_err(failed)?;
        let failed = |error| StartError::Store { path: path.clone(), error };
        store.drop_unfinished_previews().map_err(failed)?;
        let failed = |error| StartError::Store { path: path.clone(), error };
        store.drop_failed_reports().map_err(failed)?;
        notify::check(&parts.data)?;
        let identity = parts.live.as_ref().map(|live| live.identify()).transpose();
        let agents = Agents::open(parts.data.join("agents"), identity.map_err(StartError::Live)?)
            .map_err(StartError::Live)?;
        Ok(Self {
            data: parts.data,
            store,
            agents,
            plan: parts.plan,
            profile: parts.profile,
            clock: parts.clock,
            live: parts.live,
            work: Bell::default(),
            _lock: lock,
        })
    }

    /// Answers one operation; none: the answer has no body. `origin` is where whoever asks reaches
    /// the service, for example `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// Inspector's exceptions.
    pub fn call(
        &self,
        operation: &str,
        input: &Map<String, Json>,
        origin: &str,
    ) -> fault::Result<Option<Json>> {
        operations::call(self, operation, input, origin)
    }

    fn now(&self) -> Millis {
        (self.clock)()
    }

    /// The directory that holds everything.
    fn data(&self) -> &Path {
        &self.data
    }
}

/// Makes the data directory, which is its owner's alone, and takes it for this program.
fn lock(data: &Path) -> Result<File, StartError> {
    let path = data.join("lock");
    let failed = |error| StartError::Data { path: path.clone(), error };
    if !data.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    }
    let file = File::options().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(data.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A random UUID, version 4.
fn uuid() -> String {
    let mut bytes = [0; 16];
    // Without random bytes nothing could be signed or made; then an id says so by being zero.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
