//! Resource groups and the targets that name them.

use rusqlite::{OptionalExtension, params};

use super::page::{self, Listed, Page};
use super::{
    Counted, Kind, Millis, Pair, Result, Store, StoreError, glob, hold_limit, json, new_id, row_of,
    runs, taken,
};

/// How many resource groups there may be.
const MOST_GROUPS: i64 = 5_000;
/// How many targets there may be.
const MOST_TARGETS: i64 = 50;

/// Tags that select agents: any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its ARN.
    pub arn: String,
    /// The tags; without a value, the key alone counts.
    pub tags: Vec<Pair>,
    /// When it was made.
    pub created: Millis,
}

/// What is assessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The resource group; none: every agent.
    pub resource_group: Option<String>,
    /// When it was made.
    pub created: Millis,
    /// When it was changed.
    pub updated: Millis,
}

impl Store {
    /// Makes a resource group and gives its ARN.
    ///
    /// # Errors
    /// There are too many, or the store cannot be written.
    pub fn create_resource_group(&self, tags: &[Pair], now: Millis) -> Result<String> {
        let arn = format!("{}:resourcegroup/{}", self.prefix(), new_id()?);
        self.write(|store| {
            hold_limit(store, Counted::ResourceGroups, "resource_groups", MOST_GROUPS)?;
            store.execute(
                "INSERT INTO resource_groups (arn, tags, created) VALUES (?1, ?2, ?3)",
                params![arn, json(&tags)?, now.0],
            )?;
            Ok(())
        })?;
        Ok(arn)
    }

    /// The resource group with this ARN.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn resource_group(&self, arn: &str) -> Result<Option<ResourceGroup>> {
        let store = self.read();
        let mut statement =
            store.prepare_cached("SELECT tags, created FROM resource_groups WHERE arn = ?1")?;
        let found: Option<(String, i64)> =
            statement.query_row([arn], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found
            .map(|(tags, created)| {
                Ok(ResourceGroup {
                    arn: arn.to_owned(),
                    tags: serde_json::from_str(&tags)?,
                    created: Millis(created),
                })
            })
            .transpose()
    }

    /// Makes a target and gives its ARN.
    ///
    /// # Errors
    /// There are too many, the name is taken, or there is no such resource group.
    pub fn create_target(&self, name: &str, group: Option<&str>, now: Millis) -> Result<String> {
        let arn = format!("{}:target/{}", self.prefix(), new_id()?);
        self.write(|store| {
            hold_limit(store, Counted::Targets, "targets", MOST_TARGETS)?;
            let group = group.map(|arn| row_of(store, Kind::ResourceGroup, arn)).transpose()?;
            store
                .execute(
                    "INSERT INTO targets (arn, name, resource_group, created, updated)
                     VALUES (?1, ?2, ?3, ?4, ?4)",
                    params![arn, name, group, now.0],
                )
                .map_err(taken(Kind::Target))?;
            Ok(())
        })?;
        Ok(arn)
    }

    /// Changes a target's name and resource group; without one, it is every agent from now on.
    ///
    /// # Errors
    /// There is no such target or resource group, or the name is taken.
    pub fn update_target(
        &self,
        arn: &str,
        name: &str,
        group: Option<&str>,
        now: Millis,
    ) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Target, arn)?;
            let group = group.map(|arn| row_of(store, Kind::ResourceGroup, arn)).transpose()?;
            store
                .execute(
                    "UPDATE targets SET name = ?2, resource_group = ?3, updated = ?4 WHERE id = ?1",
                    params![id, name, group, now.0],
                )
                .map_err(taken(Kind::Target))?;
            Ok(())
        })
    }

    /// Deletes a target with its templates, their runs and all that belongs to them.
    ///
    /// # Errors
    /// There is no such target, or one of its runs is in progress.
    pub fn delete_target(&self, arn: &str) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Target, arn)?;
            runs::refuse_active(
                store,
                "template IN (SELECT id FROM templates WHERE target = ?1)",
                id,
            )?;
            store.execute("DELETE FROM targets WHERE id = ?1", [id])?;
            super::shared::sweep(store)
        })
    }

    /// The target with this ARN.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn target(&self, arn: &str) -> Result<Option<Target>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT t.arn, t.name, g.arn, t.created, t.updated FROM targets t
             LEFT JOIN resource_groups g ON g.id = t.resource_group WHERE t.arn = ?1",
        )?;
        let target = statement.query_row([arn], |row| {
            Ok(Target {
                arn: row.get(0)?,
                name: row.get(1)?,
                resource_group: row.get(2)?,
                created: Millis(row.get(3)?),
                updated: Millis(row.get(4)?),
            })
        });
        target.optional().map_err(StoreError::from)
    }

    /// The ARNs of targets, those whose name fits the pattern.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn targets(&self, pattern: Option<&str>, page: Page) -> Result<Listed<String>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT id, arn FROM targets WHERE id > ?1 AND (?2 IS NULL OR name GLOB ?2)
             ORDER BY id LIMIT ?3",
        )?;
        page::arns(&mut statement, params![page.after, pattern.map(glob), page.probe()], page)
    }
}
