//! Reports of runs, made once and kept with the run.

use rusqlite::{OptionalExtension, params};
use serde_json::Value as Json;

use super::{Kind, Result, Store, StoreError, row_of};

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportStatus {
    /// It is being made.
    InProgress,
    /// It could not be made.
    Failed,
    /// It is there.
    Completed,
}

impl ReportStatus {
    /// Inspector's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "WORK_IN_PROGRESS",
            Self::Failed => "FAILED",
            Self::Completed => "COMPLETED",
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The secret part of its address.
    pub token: String,
    /// How far it is.
    pub status: ReportStatus,
}

/// How a run was judged, beside findings and exclusions.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// The rules, in the order that findings and verdicts count in.
    pub rules: Vec<Json>,
    /// The agents that were judged.
    pub agents: Vec<JudgedAgent>,
}

/// An agent that was judged.
#[derive(Debug, Clone)]
pub struct JudgedAgent {
    /// Its id.
    pub agent: String,
    /// Its snapshot.
    pub snapshot: String,
    /// Inspector's assetAttributes.
    pub asset: Json,
    /// One verdict a rule: the rule's place, the verdict, the reason where there is one.
    pub outcomes: Json,
    /// When its facts were collected, in seconds.
    pub collected_at: i64,
}

/// A report that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedReport {
    /// The run's ARN.
    pub run: String,
    /// Inspector's word for the format.
    pub format: String,
    /// Inspector's word for what is in it.
    pub kind: String,
    /// The secret part of its address.
    pub token: String,
}

impl Store {
    /// How a run was judged.
    ///
    /// # Errors
    /// There is no such run, or the store cannot be read.
    pub fn judged(&self, run: &str) -> Result<Judged> {
        let store = self.read();
        let run = row_of(&store, Kind::Run, run)?;
        let rules: Option<String> = store
            .query_row(
                "SELECT s.body FROM runs r JOIN shared s ON s.id = r.rules WHERE r.id = ?1",
                [run],
                |row| row.get(0),
            )
            .optional()?;
        let mut statement = store.prepare_cached(
            "SELECT a.agent, a.snapshot, s.body, a.outcomes, a.collected_at
             FROM run_agents a JOIN shared s ON s.id = a.asset
             WHERE a.run = ?1 AND a.outcomes IS NOT NULL ORDER BY a.id",
        )?;
        let rows = statement.query_map([run], |row| {
            let texts: (String, String) = (row.get(2)?, row.get(3)?);
            let at: Option<i64> = row.get(4)?;
            let agent = JudgedAgent {
                agent: row.get(0)?,
                snapshot: row.get(1)?,
                asset: Json::Null,
                outcomes: Json::Null,
                collected_at: at.unwrap_or_default(),
            };
            Ok((agent, texts))
        })?;
        let agents = rows
            .map(|row| {
                let (agent, (asset, outcomes)) = row?;
                let (asset, outcomes) =
                    (serde_json::from_str(&asset)?, serde_json::from_str(&outcomes)?);
                Ok(JudgedAgent { asset, outcomes, ..agent })
            })
            .collect::<Result<Vec<_>>>()?;
        let rules = rules.map(|rules| serde_json::from_str(&rules)).transpose()?;
        Ok(Judged { rules: rules.unwrap_or_default(), agents })
    }

    /// The report of a run; where there is none yet, one to be made, with this token.
    ///
    /// # Errors
    /// There is no such run.
    pub fn report(&self, run: &str, format: &str, kind: &str, token: &str) -> Result<Report> {
        self.write(|store| {
            let run = row_of(store, Kind::Run, run)?;
            let found: Option<(String, String)> = store
                .query_row(
                    "SELECT token, status FROM reports WHERE run = ?1 AND format = ?2 AND kind = ?3",
                    params![run, format, kind],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let all = [ReportStatus::InProgress, ReportStatus::Failed, ReportStatus::Completed];
            if let Some((token, word)) = found {
                let status = all.into_iter().find(|status| status.name() == word);
                return Ok(Report { token, status: status.unwrap_or(ReportStatus::Failed) });
            }
            store.execute(
                "INSERT INTO reports (run, format, kind, token, status) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![run, format, kind, token, ReportStatus::InProgress.name()],
            )?;
            Ok(Report { token: token.to_owned(), status: ReportStatus::InProgress })
        })
    }

    /// The oldest report that is to be made.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_report(&self) -> Result<Option<WantedReport>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT r.arn, w.format, w.kind, w.token FROM reports w JOIN runs r ON r.id = w.run
             WHERE w.status = ?1 ORDER BY w.id LIMIT 1",
        )?;
        let wanted = statement.query_row([ReportStatus::InProgress.name()], |row| {
            Ok(WantedReport {
                run: row.get(0)?,
                format: row.get(1)?,
                kind: row.get(2)?,
                token: row.get(3)?,
            })
        });
        wanted.optional().map_err(StoreError::from)
    }

    /// Writes a report; none: it could not be made.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn finish_report(&self, token: &str, body: Option<&[u8]>) -> Result<()> {
        let status = if body.is_some() { ReportStatus::Completed } else { ReportStatus::Failed };
        self.write(|store| {
            store.execute(
                "UPDATE reports SET status = ?2, body = ?3 WHERE token = ?1",
                params![token, status.name(), body],
            )?;
            Ok(())
        })
    }

    /// Forgets the reports that could not be made: they are tried again when they are asked for.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn drop_failed_reports(&self) -> Result<()> {
        self.write(|store| {
            store
                .execute("DELETE FROM reports WHERE status = ?1", [ReportStatus::Failed.name()])?;
            Ok(())
        })
    }

    /// The format and the bytes of a report that is there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn report_body(&self, token: &str) -> Result<Option<(String, Vec<u8>)>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT format, body FROM reports WHERE token = ?1 AND body IS NOT NULL",
        )?;
        let body = statement.query_row([token], |row| Ok((row.get(0)?, row.get(1)?)));
        body.optional().map_err(StoreError::from)
    }
}
