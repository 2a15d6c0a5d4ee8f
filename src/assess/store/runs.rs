//! Runs: started, listed, stopped, deleted. How one goes on is in [`progress`](super::progress).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::page::{self, Listed, Page};
use super::{
    Counted, Event, Kind, Millis, Pair, Result, Store, StoreError, glob, hold_limit, json, new_id,
    outbox, progress, row_of, wanted,
};

/// How many runs there may be.
const MOST_RUNS: i64 = 50_000;
/// How many runs and agents an error names.
const NAMED: usize = 11;

/// Declares the states with Inspector's words.
macro_rules! states {
    ($($name:ident = $word:literal, $doc:literal;)*) => {
        /// Where a run stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum RunState {
            $(#[doc = $doc] $name,)*
        }

        impl RunState {
            /// Every state, in the order a run goes through them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Inspector's word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}
states! {
    Created = "CREATED", "Acknowledged.";
    StartPending = "START_DATA_COLLECTION_PENDING", "Waits for its turn.";
    Starting = "START_DATA_COLLECTION_IN_PROGRESS", "Agents are opened.";
    Collecting = "COLLECTING_DATA", "A live agent is observed.";
    StopPending = "STOP_DATA_COLLECTION_PENDING", "The observation ends.";
    Collected = "DATA_COLLECTED", "All facts are there.";
    EvaluationPending = "START_EVALUATING_RULES_PENDING", "Waits to be judged.";
    Evaluating = "EVALUATING_RULES", "Agents are judged.";
    Failed = "FAILED", "Nothing could be judged.";
    Error = "ERROR", "It broke off.";
    Completed = "COMPLETED", "Every agent was judged.";
    CompletedWithErrors = "COMPLETED_WITH_ERRORS", "Some agents could not be judged.";
    Canceled = "CANCELED", "Stopped without being judged.";
}

impl RunState {
    /// The state with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == word)
    }

    /// Whether a run stays in it.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Failed
                | Self::Error
                | Self::Completed
                | Self::CompletedWithErrors
                | Self::Canceled
        )
    }
}

/// The states a run stays in, in SQL.
pub(super) const FINAL: &str = "('FAILED','ERROR','COMPLETED','COMPLETED_WITH_ERRORS','CANCELED')";
/// The states in which a run's findings are shown, in SQL.
pub(super) const SHOWN: &str = "('COMPLETED','COMPLETED_WITH_ERRORS')";

/// How a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// What was collected is judged.
    Evaluate,
    /// It is not.
    Skip,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its template's ARN.
    pub template: String,
    /// Where it stands.
    pub state: RunState,
    /// Seconds for which a live agent is observed.
    pub duration: i64,
    /// The ARNs of its rules packages.
    pub packages: Vec<String>,
    /// Attributes that every finding gets.
    pub attributes: Vec<Pair>,
    /// When it was acknowledged.
    pub created: Millis,
    /// When collecting began.
    pub started: Option<Millis>,
    /// When it ended.
    pub completed: Option<Millis>,
    /// When it came into its state.
    pub changed: Millis,
    /// Whether all facts are there.
    pub data_collected: bool,
    /// Whether it was asked to end observing.
    pub stopping: bool,
    /// Every state it was in.
    pub changes: Vec<(RunState, Millis)>,
    /// Findings by severity, Inspector's words.
    pub counts: Vec<(String, i64)>,
}

/// An agent of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAgent {
    /// Its id.
    pub agent: String,
    /// The path of its snapshot, or `live`.
    pub snapshot: String,
    /// Whether its snapshot can be read.
    pub healthy: bool,
    /// What is wrong with it.
    pub details: Option<String>,
    /// The auto scaling group.
    pub scaling_group: Option<String>,
    /// Table, rows, bytes.
    pub telemetry: Vec<(String, i64, i64)>,
}

/// A run to start.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The template's ARN.
    pub template: &'a str,
    /// Its name; a number and the template's name where there is none.
    pub name: Option<&'a str>,
    /// The agents of the target.
    pub agents: &'a [RunAgent],
}

/// Which runs to list: all that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// ARNs of templates; none: any.
    pub templates: Vec<String>,
    /// The name, with `*` for anything.
    pub name: Option<String>,
    /// Any of these states.
    pub states: Vec<RunState>,
    /// Least and most seconds.
    pub duration: (Option<i64>, Option<i64>),
    /// Any of these rules packages.
    pub packages: Vec<String>,
    /// When collecting began.
    pub started: (Option<Millis>, Option<Millis>),
    /// When it ended.
    pub completed: (Option<Millis>, Option<Millis>),
    /// When it came into its state.
    pub changed: (Option<Millis>, Option<Millis>),
    /// The latest first; for the console.
    pub newest_first: bool,
}

/// Fails where a run that a condition holds for has not ended.
pub(super) fn refuse_active(store: &Connection, condition: &str, id: i64) -> Result<()> {
    let sql = format!(
        "SELECT arn FROM runs WHERE {condition} AND state NOT IN {FINAL} ORDER BY id LIMIT {NAMED}"
    );
    let mut statement = store.prepare_cached(&sql)?;
    let active: Vec<String> =
        statement.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if active.is_empty() { Ok(()) } else { Err(StoreError::InProgress(active)) }
}

/// Which of these agents are in runs that have not ended.
fn busy(store: &Connection, agents: &[RunAgent]) -> Result<Vec<(String, String)>> {
    let ids: Vec<&str> = agents.iter().map(|agent| agent.agent.as_str()).collect();
    let mut statement = store.prepare_cached(&format!(
        "SELECT a.agent, r.arn FROM run_agents a JOIN runs r ON r.id = a.run
         WHERE r.state NOT IN {FINAL} AND a.agent IN (SELECT value FROM json_each(?1))
         ORDER BY a.id LIMIT {NAMED}"
    ))?;
    let busy = statement.query_map([json(&ids)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(busy.collect::<rusqlite::Result<_>>()?)
}

impl Store {
    /// Starts a run and gives its ARN.
    ///
    /// # Errors
    /// There is no such template, its name is taken, or one of the agents is in another run.
    pub fn create_run(&self, new: NewRun<'_>, now: Millis) -> Result<String> {
        let arn = format!("{}/run/{}", new.template, new_id()?);
        self.write(|store| {
            let template = row_of(store, Kind::Template, new.template)?;
            hold_limit(store, Counted::Runs, "runs", MOST_RUNS)?;
            let busy = busy(store, new.agents)?;
            if !busy.is_empty() {
                return Err(StoreError::AgentsBusy(busy));
            }
            let name = run_name(store, template, new.name)?;
            store.execute(
                "INSERT INTO runs
                 (arn, template, name, state, duration, packages, attributes, created, changed)
                 SELECT ?1, id, ?3, 'CREATED', duration, packages, attributes, ?4, ?4
                 FROM templates WHERE id = ?2",
                params![arn, template, name, now.0],
            )?;
            let run = store.last_insert_rowid();
            let mut insert = store.prepare_cached(
                "INSERT INTO run_agents (run, agent, snapshot, healthy, details, scaling_group, telemetry)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for agent in new.agents {
                insert.execute(params![
                    run,
                    agent.agent,
                    agent.snapshot,
                    agent.healthy,
                    agent.details,
                    agent.scaling_group,
                    json(&agent.telemetry)?
                ])?;
            }
            progress::log(store, run, RunState::Created, now)?;
            outbox::announce(store, run, Event::Started, &[], now)
        })?;
        Ok(arn)
    }

    /// Deletes a run with its findings, exclusions and reports.
    ///
    /// # Errors
    /// There is no such run, or it is in progress.
    pub fn delete_run(&self, arn: &str) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Run, arn)?;
            refuse_active(store, "id = ?1", id)?;
            store.execute("DELETE FROM runs WHERE id = ?1", [id])?;
            super::shared::sweep(store)
        })
    }

    /// The run with this ARN.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn run(&self, arn: &str) -> Result<Option<Run>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT r.id, r.arn, r.name, p.arn, r.state, r.duration, r.packages, r.attributes,
                    r.created, r.started, r.completed, r.changed, r.data_collected, r.stop
             FROM runs r JOIN templates p ON p.id = r.template WHERE r.arn = ?1",
        )?;
        let Some((id, run, packages, attributes)) = statement.query_row([arn], run).optional()?
        else {
            return Ok(None);
        };
        let mut changes = store
            .prepare_cached("SELECT state, at FROM state_changes WHERE run = ?1 ORDER BY id")?;
        let changes = changes
            .query_map([id], |row| Ok((state(row, 0)?, Millis(row.get(1)?))))?
            .collect::<rusqlite::Result<_>>()?;
        let counts = if matches!(run.state, RunState::Completed | RunState::CompletedWithErrors) {
            counts(&store, id, "severity")?
        } else {
            Vec::new()
        };
        Ok(Some(Run {
            packages: serde_json::from_str(&packages)?,
            attributes: serde_json::from_str(&attributes)?,
            changes,
            counts,
            ..run
        }))
    }

    /// The ARNs of runs.
    ///
    /// # Errors
    /// A template of the filter does not exist.
    pub fn runs(&self, filter: &RunFilter, page: Page) -> Result<Listed<String>> {
        let store = self.read();
        for template in &filter.templates {
            row_of(&store, Kind::Template, template)?;
        }
        let states: Vec<&str> = filter.states.iter().map(|state| state.name()).collect();
        let at = |time: Option<Millis>| time.map(|time| time.0);
        let (beyond, order) = page.direction(filter.newest_first);
        let mut statement = store.prepare_cached(&format!(
            "SELECT r.id, r.arn FROM runs r JOIN templates p ON p.id = r.template
             WHERE r.id {beyond} ?1
               AND (?2 IS NULL OR p.arn IN (SELECT value FROM json_each(?2)))
               AND (?3 IS NULL OR r.name GLOB ?3)
               AND (?4 IS NULL OR r.state IN (SELECT value FROM json_each(?4)))
               AND (?5 IS NULL OR r.duration >= ?5) AND (?6 IS NULL OR r.duration <= ?6)
               AND (?7 IS NULL OR EXISTS (SELECT 1 FROM json_each(r.packages) have
                                          JOIN json_each(?7) want ON want.value = have.value))
               AND (?8 IS NULL OR r.started >= ?8) AND (?9 IS NULL OR r.started <= ?9)
               AND (?10 IS NULL OR r.completed >= ?10) AND (?11 IS NULL OR r.completed <= ?11)
               AND (?12 IS NULL OR r.changed >= ?12) AND (?13 IS NULL OR r.changed <= ?13)
             ORDER BY r.id {order} LIMIT ?14"
        ))?;
        let parameters = params![
            page.start(filter.newest_first),
            wanted(&filter.templates)?,
            filter.name.as_deref().map(glob),
            wanted(&states)?,
            filter.duration.0,
            filter.duration.1,
            wanted(&filter.packages)?,
            at(filter.started.0),
            at(filter.started.1),
            at(filter.completed.0),
            at(filter.completed.1),
            at(filter.changed.0),
            at(filter.changed.1),
            page.probe(),
        ];
        page::arns(&mut statement, parameters, page)
    }

    /// The agents of a run.
    ///
    /// # Errors
    /// There is no such run.
    pub fn run_agents(&self, arn: &str, page: Page) -> Result<Listed<RunAgent>> {
        let store = self.read();
        let run = row_of(&store, Kind::Run, arn)?;
        let mut statement = store.prepare_cached(
            "SELECT id, agent, snapshot, healthy, details, scaling_group, telemetry
             FROM run_agents WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        let rows = statement
            .query_map(params![run, page.after, page.probe()], |row| {
                let agent = RunAgent {
                    agent: row.get(1)?,
                    snapshot: row.get(2)?,
                    healthy: row.get(3)?,
                    details: row.get(4)?,
                    scaling_group: row.get(5)?,
                    telemetry: Vec::new(),
                };
                Ok((row.get(0)?, agent, row.get(6)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, RunAgent, String)>>>()?;
        let rows = rows
            .into_iter()
            .map(|(id, agent, telemetry)| {
                Ok((id, RunAgent { telemetry: serde_json::from_str(&telemetry)?, ..agent }))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::of(rows, page))
    }

    /// The ids of the agents that are in runs that have not ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn busy_agents(&self) -> Result<Vec<String>> {
        let store = self.read();
        let mut statement = store.prepare_cached(&format!(
            "SELECT DISTINCT a.agent FROM run_agents a JOIN runs r ON r.id = a.run
             WHERE r.state NOT IN {FINAL} ORDER BY a.agent"
        ))?;
        let agents = statement.query_map([], |row| row.get(0))?;
        Ok(agents.collect::<rusqlite::Result<_>>()?)
    }
}

/// The name of a new run: the one that is asked for, or the next number.
fn run_name(store: &Connection, template: i64, name: Option<&str>) -> Result<String> {
    let is_taken = |name: &str| -> Result<bool> {
        Ok(store.query_row(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE template = ?1 AND name = ?2)",
            params![template, name],
            |row| row.get(0),
        )?)
    };
    if let Some(name) = name {
        return if is_taken(name)? {
            Err(StoreError::NameTaken(Kind::Run))
        } else {
            Ok(name.to_owned())
        };
    }
    let (template_name, mut number): (String, i64) = store.query_row(
        "SELECT name, 1 + (SELECT count(*) FROM runs WHERE template = ?1)
         FROM templates WHERE id = ?1",
        [template],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    loop {
        let name: String = format!("Run {number} for {template_name}").chars().take(140).collect();
        if !is_taken(&name)? {
            return Ok(name);
        }
        number += 1;
    }
}

/// The findings of a run, counted by a column.
pub(super) fn counts(store: &Connection, run: i64, column: &str) -> Result<Vec<(String, i64)>> {
    let mut statement = store.prepare_cached(&format!(
        "SELECT {column}, count(*) FROM findings WHERE run = ?1 GROUP BY {column} ORDER BY {column}"
    ))?;
    let counts = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

/// A state in a column.
pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<RunState> {
    let word: String = row.get(column)?;
    RunState::parse(&word).ok_or(rusqlite::Error::InvalidQuery)
}

fn run(row: &Row<'_>) -> rusqlite::Result<(i64, Run, String, String)> {
    let time = |column: usize| -> rusqlite::Result<Option<Millis>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Millis))
    };
    let run = Run {
        arn: row.get(1)?,
        name: row.get(2)?,
        template: row.get(3)?,
        state: state(row, 4)?,
        duration: row.get(5)?,
        packages: Vec::new(),
        attributes: Vec::new(),
        created: Millis(row.get(8)?),
        started: time(9)?,
        completed: time(10)?,
        changed: Millis(row.get(11)?),
        data_collected: row.get(12)?,
        stopping: row.get::<_, Option<String>>(13)?.is_some(),
        changes: Vec::new(),
        counts: Vec::new(),
    };
    Ok((row.get(0)?, run, row.get(6)?, row.get(7)?))
}
