//! Reports of runs, made once and kept with the run.

use rusqlite::{OptionalExtension, params};

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

impl Store {
    /// The report of a run, and whether the caller is to make it: it is new, or an earlier attempt
    /// failed.
    ///
    /// # Errors
    /// There is no such run.
    pub fn report(
        &self,
        run: &str,
        format: &str,
        kind: &str,
        token: &str,
    ) -> Result<(Report, bool)> {
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
                return Ok((Report { token, status: status.unwrap_or(ReportStatus::Failed) }, false));
            }
            store.execute(
                "INSERT INTO reports (run, format, kind, token, status) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![run, format, kind, token, ReportStatus::InProgress.name()],
            )?;
            let report = Report { token: token.to_owned(), status: ReportStatus::InProgress };
            Ok((report, true))
        })
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

    /// Forgets the reports that were being made when the program ended, or failed then: they are
    /// made again when they are asked for.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn drop_unfinished_reports(&self) -> Result<()> {
        self.write(|store| {
            store.execute("DELETE FROM reports WHERE status <> 'COMPLETED'", [])?;
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
