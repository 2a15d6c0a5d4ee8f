//! How a run goes on: its states, what is found, and its end.

use rusqlite::{Connection, params};

use super::exclusions::{self, Exclusion};
use super::findings::{self, NewFinding};
use super::runs::{self, FINAL, RunState, Stop};
use super::{Event, Kind, Millis, Result, Store, json, outbox, row_of, shared};

/// What judging one agent gave.
#[derive(Debug, Clone, Default)]
pub struct AgentResult {
    /// Table, rows, bytes.
    pub telemetry: Vec<(String, i64, i64)>,
    /// Inspector's assetAttributes.
    pub asset: String,
    /// When the facts were collected, seconds since 1970.
    pub collected_at: i64,
    /// One verdict a rule, as JSON.
    pub outcomes: String,
    /// Whether any rule was about the host.
    pub applied: bool,
    /// The findings.
    pub findings: Vec<NewFinding>,
    /// What was not judged.
    pub exclusions: Vec<Exclusion>,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// A state that it stays in.
    pub state: RunState,
    /// Why, where it did not go well.
    pub reason: Option<String>,
}

/// Writes a state into a run and its log.
pub(super) fn log(store: &Connection, run: i64, state: RunState, now: Millis) -> Result<()> {
    store.execute(
        "UPDATE runs SET state = ?2, changed = ?3,
             started = CASE WHEN ?2 = 'COLLECTING_DATA' THEN ?3 ELSE started END,
             data_collected = data_collected OR ?2 = 'DATA_COLLECTED',
             completed = CASE WHEN ?4 THEN ?3 ELSE completed END
         WHERE id = ?1",
        params![run, state.name(), now.0, state.is_final()],
    )?;
    store.execute(
        "INSERT INTO state_changes (run, state, at) VALUES (?1, ?2, ?3)",
        params![run, state.name(), now.0],
    )?;
    outbox::announce(store, run, Event::StateChanged, &[("newstate", state.name())], now)
}

/// Whether a run has not ended, so that it may go on.
fn goes_on(store: &Connection, run: i64) -> Result<bool> {
    let sql = format!("SELECT state NOT IN {FINAL} FROM runs WHERE id = ?1");
    Ok(store.query_row(&sql, [run], |row| row.get(0))?)
}

fn forget(store: &Connection, run: i64) -> Result<()> {
    store.execute("DELETE FROM findings WHERE run = ?1", [run])?;
    store.execute("DELETE FROM exclusions WHERE run = ?1", [run])?;
    Ok(())
}

impl Store {
    /// Takes a run to its next state. False where it has ended meanwhile.
    ///
    /// # Errors
    /// There is no such run.
    pub fn advance(&self, arn: &str, state: RunState, now: Millis) -> Result<bool> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            let goes_on = goes_on(store, run)?;
            if goes_on {
                log(store, run, state, now)?;
            }
            Ok(goes_on)
        })
    }

    /// Notes which rules a run is judged with, as JSON, and takes back what an earlier attempt
    /// left. False where the run has ended.
    ///
    /// # Errors
    /// There is no such run.
    pub fn begin_evaluation(&self, arn: &str, rules: &str, now: Millis) -> Result<bool> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            if !goes_on(store, run)? {
                return Ok(false);
            }
            forget(store, run)?;
            let rules = shared::put(store, rules)?;
            store.execute("UPDATE runs SET rules = ?2 WHERE id = ?1", params![run, rules])?;
            let again: bool = store.query_row(
                "SELECT state = ?2 FROM runs WHERE id = ?1",
                params![run, RunState::Evaluating.name()],
                |row| row.get(0),
            )?;
            if !again {
                log(store, run, RunState::Evaluating, now)?;
            }
            Ok(true)
        })
    }

    /// Writes what judging one agent gave. False where the run has ended.
    ///
    /// # Errors
    /// There is no such run.
    pub fn record(
        &self,
        arn: &str,
        agent: &str,
        result: &AgentResult,
        now: Millis,
    ) -> Result<bool> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            if !goes_on(store, run)? {
                return Ok(false);
            }
            let asset = shared::put(store, &result.asset)?;
            store.execute(
                "UPDATE run_agents SET telemetry = ?3, asset = ?4, collected_at = ?5, outcomes = ?6
                 WHERE run = ?1 AND agent = ?2",
                params![
                    run,
                    agent,
                    json(&result.telemetry)?,
                    asset,
                    result.collected_at,
                    result.outcomes
                ],
            )?;
            for finding in &result.findings {
                findings::insert(store, arn, run, agent, asset, finding, now)?;
            }
            for exclusion in &result.exclusions {
                exclusions::insert(store, arn, run, exclusion)?;
            }
            Ok(true)
        })
    }

    /// Writes an exclusion that is not about a judged agent, and what is wrong with the agent.
    ///
    /// # Errors
    /// There is no such run.
    pub fn exclude(&self, arn: &str, agent: Option<&str>, exclusion: &Exclusion) -> Result<()> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            exclusions::insert(store, arn, run, exclusion)?;
            store.execute(
                "UPDATE run_agents SET healthy = 0, details = ?3 WHERE run = ?1 AND agent = ?2",
                params![run, agent, exclusion.description],
            )?;
            Ok(())
        })
    }

    /// Ends a run; from now on its findings are seen, and told to those who subscribed. Nothing
    /// happens where it has ended already.
    ///
    /// # Errors
    /// There is no such run.
    pub fn finish(&self, arn: &str, ending: &Ending, now: Millis) -> Result<()> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            if goes_on(store, run)? {
                end(store, run, ending, now)?;
            }
            Ok(())
        })
    }

    /// Asks a run to stop: it is cancelled at once, or ends observing. Nothing happens where it has
    /// ended already.
    ///
    /// # Errors
    /// There is no such run.
    pub fn stop_run(&self, arn: &str, stop: Stop, now: Millis) -> Result<()> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, arn)?;
            if !goes_on(store, run)? {
                return Ok(());
            }
            match stop {
                Stop::Evaluate => {
                    store.execute("UPDATE runs SET stop = 'evaluate' WHERE id = ?1", [run])?;
                    Ok(())
                }
                Stop::Skip => {
                    let ending = Ending { state: RunState::Canceled, reason: None };
                    end(store, run, &ending, now)
                }
            }
        })
    }

    /// The ARNs of the runs that have not ended, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn unfinished_runs(&self) -> Result<Vec<String>> {
        let store = self.read();
        let mut statement = store.prepare_cached(&format!(
            "SELECT arn FROM runs WHERE state NOT IN {FINAL} ORDER BY id"
        ))?;
        let arns = statement.query_map([], |row| row.get(0))?;
        Ok(arns.collect::<rusqlite::Result<_>>()?)
    }
}

fn end(store: &Connection, run: i64, ending: &Ending, now: Millis) -> Result<()> {
    log(store, run, ending.state, now)?;
    if let Some(reason) = &ending.reason {
        store.execute(
            "INSERT INTO notifications (run, at, event, message, error)
             VALUES (?1, ?2, 'OTHER', ?3, 1)",
            params![run, now.0, reason.chars().take(1000).collect::<String>()],
        )?;
    }
    if matches!(ending.state, RunState::Completed | RunState::CompletedWithErrors) {
        outbox::announce_findings(store, run, now)?;
        let packages: String =
            store.query_row("SELECT packages FROM runs WHERE id = ?1", [run], |row| row.get(0))?;
        let packages: Vec<String> = serde_json::from_str(&packages)?;
        let counts = runs::counts(store, run, "package")?;
        let counts: Vec<String> = packages
            .iter()
            .map(|package| {
                let count = counts.iter().find(|(name, _)| name == package).map_or(0, |c| c.1);
                format!("{package}={count}")
            })
            .collect();
        let counts = format!("{{{}}}", counts.join(", "));
        outbox::announce(store, run, Event::Completed, &[("findingsCount", &counts)], now)
    } else {
        // What was excluded says why nothing was judged.
        store.execute("DELETE FROM findings WHERE run = ?1", [run])?;
        Ok(())
    }
}
