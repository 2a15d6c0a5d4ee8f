//! What a run did not judge, and what a run would not judge.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::page::{self, Listed, Page};
use super::{Kind, Result, Store, StoreError, json, new_id, row_of};

/// Something that is not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Inspector's title.
    pub title: String,
    /// What, and why.
    pub description: String,
    /// What to do.
    pub recommendation: String,
    /// `INSTANCE_ID` and `RULES_PACKAGE_ARN` with their values.
    pub scopes: Vec<(String, String)>,
}

/// How far a preview is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// It is being made.
    InProgress,
    /// It is there.
    Completed(Vec<Exclusion>),
}

/// Writes an exclusion of a run.
pub(super) fn insert(
    store: &Connection,
    run_arn: &str,
    run: i64,
    exclusion: &Exclusion,
) -> Result<()> {
    let agent = exclusion.scopes.iter().find(|(key, _)| key == "INSTANCE_ID").map(|(_, id)| id);
    store.execute(
        "INSERT INTO exclusions (arn, run, agent, body) VALUES (?1, ?2, ?3, ?4)",
        params![format!("{run_arn}/exclusion/{}", new_id()?), run, agent, json(exclusion)?],
    )?;
    Ok(())
}

impl Store {
    /// The exclusion with this ARN.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn exclusion(&self, arn: &str) -> Result<Option<Exclusion>> {
        let store = self.read();
        let mut statement = store.prepare_cached("SELECT body FROM exclusions WHERE arn = ?1")?;
        let body: Option<String> = statement.query_row([arn], |row| row.get(0)).optional()?;
        body.map(|body| serde_json::from_str(&body)).transpose().map_err(StoreError::from)
    }

    /// The ARNs of a run's exclusions.
    ///
    /// # Errors
    /// There is no such run.
    pub fn exclusions(&self, run: &str, page: Page) -> Result<Listed<String>> {
        let store = self.read();
        let run = row_of(&store, Kind::Run, run)?;
        let mut statement = store.prepare_cached(
            "SELECT id, arn FROM exclusions WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        page::arns(&mut statement, params![run, page.after, page.probe()], page)
    }

    /// Notes that a preview is being made. False where one is being made for the template already.
    ///
    /// # Errors
    /// There is no such template.
    pub fn begin_preview(&self, template: &str, token: &str) -> Result<bool> {
        self.write(|store| {
            let template = row_of(store, Kind::Template, template)?;
            let busy: bool = store.query_row(
                "SELECT EXISTS (SELECT 1 FROM previews WHERE template = ?1 AND body IS NULL)",
                [template],
                |row| row.get(0),
            )?;
            if !busy {
                // Only the newest preview of a template is of use.
                store.execute("DELETE FROM previews WHERE template = ?1", [template])?;
                store.execute(
                    "INSERT INTO previews (token, template) VALUES (?1, ?2)",
                    params![token, template],
                )?;
            }
            Ok(!busy)
        })
    }

    /// Writes what a preview found; none: it could not be made.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn end_preview(&self, token: &str, found: Option<&[Exclusion]>) -> Result<()> {
        self.write(|store| {
            match found {
                Some(found) => store.execute(
                    "UPDATE previews SET body = ?2 WHERE token = ?1",
                    params![token, json(&found)?],
                )?,
                None => store.execute("DELETE FROM previews WHERE token = ?1", [token])?,
            };
            Ok(())
        })
    }

    /// Forgets the previews that were being made when the program ended.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn drop_unfinished_previews(&self) -> Result<()> {
        self.write(|store| {
            store.execute("DELETE FROM previews WHERE body IS NULL", [])?;
            Ok(())
        })
    }

    /// A preview of a template.
    ///
    /// # Errors
    /// There is no such template.
    pub fn preview(&self, template: &str, token: &str) -> Result<Option<Preview>> {
        let store = self.read();
        let template = row_of(&store, Kind::Template, template)?;
        let found: Option<Option<String>> = store
            .query_row(
                "SELECT body FROM previews WHERE template = ?1 AND token = ?2",
                params![template, token],
                |row| row.get(0),
            )
            .optional()?;
        Ok(match found {
            None => None,
            Some(None) => Some(Preview::InProgress),
            Some(Some(body)) => Some(Preview::Completed(serde_json::from_str(&body)?)),
        })
    }
}
