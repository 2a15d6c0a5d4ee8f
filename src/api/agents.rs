//! Agents: hosts that have a snapshot in the agents directory, and this machine where it is served
//! live. A file is looked at again when it changes; one that cannot be read is an agent that is
//! not healthy, named by its file, so that nobody believes it was assessed.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::assess;
use crate::assess::store::{Pair, RunAgent};
use crate::model::table::{Cloud, Host, Interface};
use crate::model::view::View;
use crate::snapshot::Snapshot;

/// What the snapshot of a live agent is called.
pub const LIVE: &str = "live";
/// The longest agent id.
const LONGEST_ID: usize = 128;

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// The host's name.
    pub hostname: Option<String>,
    /// The auto scaling group.
    pub scaling_group: Option<String>,
    /// The version of assay that collected the snapshot.
    pub version: Option<String>,
    /// The operating system's name.
    pub system: Option<String>,
    /// The kernel.
    pub kernel: Option<String>,
    /// The first IPv4 address.
    pub address: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When its facts were collected, seconds since 1970.
    pub collected_at: i64,
    /// The snapshot; none: this machine.
    pub snapshot: Option<PathBuf>,
    /// Table, rows, bytes.
    pub telemetry: Vec<(String, i64, i64)>,
    /// Why the snapshot cannot be read.
    pub problem: Option<String>,
}

impl Agent {
    /// As an agent of a run.
    pub fn for_run(&self) -> RunAgent {
        let path = self.snapshot.as_ref().map(|path| path.display().to_string());
        RunAgent {
            agent: self.id.clone(),
            snapshot: path.unwrap_or_else(|| LIVE.to_owned()),
            healthy: self.problem.is_none(),
            details: self.problem.clone(),
            scaling_group: self.scaling_group.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}

/// What tells that a file is still the one that was read.
type Stamp = (u64, u64, i64, i64);

/// The agents.
#[derive(Debug)]
pub struct Agents {
    folder: PathBuf,
    live: Option<Arc<Agent>>,
    seen: Mutex<BTreeMap<PathBuf, (Stamp, Arc<Agent>)>>,
}

impl Agents {
    /// The agents of a directory, and this machine where a snapshot that identifies it is given.
    ///
    /// # Errors
    /// That snapshot cannot be read.
    pub fn open(folder: PathBuf, live: Option<Vec<u8>>) -> Result<Self, String> {
        let live = live
            .map(|bytes| {
                let snapshot = Snapshot::from_bytes(bytes).map_err(|error| error.to_string())?;
                read(&snapshot, None).map(Arc::new)
            })
            .transpose()?;
        Ok(Self { folder, live, seen: Mutex::default() })
    }

    /// Every agent, by id. Of several snapshots of one host, the newest counts; this machine counts
    /// before a snapshot of it.
    pub fn all(&self) -> Vec<Arc<Agent>> {
        let (paths, _) = assess::snapshots(std::slice::from_ref(&self.folder));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeMap::new();
        for path in paths {
            let Ok(stamp) = std::fs::metadata(&path).map(|meta| stamp(&meta)) else { continue };
            let agent = match seen.remove(&path) {
                Some((before, agent)) if before == stamp => agent,
                _ => Arc::new(look(&path)),
            };
            now.insert(path, (stamp, agent));
        }
        let mut agents: BTreeMap<&str, &Arc<Agent>> = BTreeMap::new();
        for (_, agent) in now.values() {
            let newest = agents.entry(&agent.id).or_insert(agent);
            if (agent.problem.is_none(), agent.collected_at)
                > (newest.problem.is_none(), newest.collected_at)
            {
                *newest = agent;
            }
        }
        if let Some(live) = &self.live {
            agents.insert(&live.id, live);
        }
        let agents = agents.into_values().map(Arc::clone).collect();
        *seen = now;
        agents
    }

    /// The agents that have any of these tags; without tags, every agent. One that cannot be read
    /// has no tags, and belongs to no group.
    pub fn with_tags(&self, tags: Option<&[Pair]>) -> Vec<Arc<Agent>> {
        let mut agents = self.all();
        if let Some(tags) = tags {
            agents.retain(|agent| {
                tags.iter().any(|(key, value)| {
                    agent
                        .tags
                        .get(key)
                        .is_some_and(|has| value.as_ref().is_none_or(|wanted| has == wanted))
                })
            });
        }
        agents
    }
}

fn stamp(meta: &Metadata) -> Stamp {
    (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec())
}

/// The agent of a file, good or not.
fn look(path: &Path) -> Agent {
    let read = Snapshot::open(path)
        .map_err(|error| format!("{}: {error}", error.code()))
        .and_then(|snapshot| read(&snapshot, Some(path.to_owned())));
    read.unwrap_or_else(|problem| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Agent {
            id: name.chars().take(LONGEST_ID).collect(),
            hostname: None,
            scaling_group: None,
            version: None,
            system: None,
            kernel: None,
            address: None,
            tags: BTreeMap::new(),
            collected_at: 0,
            snapshot: Some(path.to_owned()),
            telemetry: Vec::new(),
            problem: Some(format!("{name} cannot be read ({problem})")),
        }
    })
}

fn read(snapshot: &Snapshot, path: Option<PathBuf>) -> Result<Agent, String> {
    let view = View::new(snapshot);
    let problem = |error: crate::model::state::FactError| error.to_string();
    let (_, hosts) = view.typed::<Host>().map_err(problem)?;
    let host = hosts.into_iter().next().ok_or("it says nothing about the host")?;
    let cloud = view.typed::<Cloud>().map_err(problem)?.1.into_iter().next();
    let (_, interfaces) = view.typed::<Interface>().map_err(problem)?;
    let short = |text: &str, longest: usize| -> Option<String> {
        let text: String = text.chars().take(longest).collect();
        (!text.is_empty()).then_some(text)
    };
    let tags = host.tags.iter().filter_map(|tag| tag.split_once('='));
    let kernel = host.kernel_running.or_else(|| host.kernels_installed.last().cloned());
    Ok(Agent {
        id: short(&host.agent_id, LONGEST_ID).ok_or("its agent has no id")?,
        hostname: short(&host.hostname, 256),
        scaling_group: cloud
            .and_then(|cloud| cloud.autoscaling_group)
            .and_then(|group| short(&group, 256)),
        version: short(&host.collector, 128),
        system: host.os_name.or(host.os).and_then(|system| short(&system, 256)),
        kernel: kernel.and_then(|kernel| short(&kernel, 128)),
        address: interfaces
            .iter()
            .flat_map(|interface| interface.ipv4.iter())
            .find(|address| (7..=15).contains(&address.len()))
            .map(|address| address.to_string()),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        collected_at: host.collected_at.0,
        snapshot: path,
        telemetry: telemetry(snapshot),
        problem: None,
    })
}

/// Rows and bytes of each table of a snapshot.
pub fn telemetry(snapshot: &Snapshot) -> Vec<(String, i64, i64)> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let sections = snapshot.info();
    let sections = sections.iter().filter(|section| section.known);
    sections
        .map(|section| (section.name.to_string(), number(section.rows), number(section.raw)))
        .collect()
}
