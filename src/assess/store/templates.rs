//! Templates, which never change once they are made, and their tags.

use rusqlite::{OptionalExtension, Row, params};

use super::page::{self, Listed, Page};
use super::{
    Counted, Kind, Millis, Pair, Result, Store, StoreError, glob, hold_limit, json, new_id, row_of,
    runs, taken, wanted,
};

/// How many templates there may be.
const MOST_TEMPLATES: i64 = 500;

/// How a target is assessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its ARN.
    pub arn: String,
    /// Its target's ARN.
    pub target: String,
    /// Its name, which no other template of the target has.
    pub name: String,
    /// For how many seconds a live agent is observed.
    pub duration: i64,
    /// The ARNs of the rules packages.
    pub packages: Vec<String>,
    /// Attributes that every finding gets.
    pub attributes: Vec<Pair>,
    /// The ARN of its last run.
    pub last_run: Option<String>,
    /// How many runs it has.
    pub runs: i64,
    /// When it was made.
    pub created: Millis,
}

/// A template to make.
#[derive(Debug, Clone, Copy)]
pub struct NewTemplate<'a> {
    /// The target's ARN.
    pub target: &'a str,
    /// The name.
    pub name: &'a str,
    /// Seconds.
    pub duration: i64,
    /// ARNs of rules packages.
    pub packages: &'a [String],
    /// Attributes for findings.
    pub attributes: &'a [Pair],
}

/// Which templates to list: all that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct TemplateFilter {
    /// ARNs of targets; none: any.
    pub targets: Vec<String>,
    /// The name, with `*` for anything.
    pub name: Option<String>,
    /// Least and most seconds.
    pub duration: (Option<i64>, Option<i64>),
    /// Any of these rules packages.
    pub packages: Vec<String>,
}

fn template(row: &Row<'_>) -> rusqlite::Result<(Template, String, String)> {
    let template = Template {
        arn: row.get(0)?,
        target: row.get(1)?,
        name: row.get(2)?,
        duration: row.get(3)?,
        packages: Vec::new(),
        attributes: Vec::new(),
        created: Millis(row.get(6)?),
        last_run: row.get(7)?,
        runs: row.get(8)?,
    };
    Ok((template, row.get(4)?, row.get(5)?))
}

impl Store {
    /// Makes a template and gives its ARN.
    ///
    /// # Errors
    /// There are too many, the name is taken, or there is no such target.
    pub fn create_template(&self, new: NewTemplate<'_>, now: Millis) -> Result<String> {
        let arn = format!("{}/template/{}", new.target, new_id()?);
        self.write(|store| {
            let target = row_of(store, Kind::Target, new.target)?;
            hold_limit(store, Counted::Templates, "templates", MOST_TEMPLATES)?;
            store
                .execute(
                    "INSERT INTO templates
                     (arn, target, name, duration, packages, attributes, created)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        arn,
                        target,
                        new.name,
                        new.duration,
                        json(&new.packages)?,
                        json(&new.attributes)?,
                        now.0
                    ],
                )
                .map_err(taken(Kind::Template))?;
            Ok(())
        })?;
        Ok(arn)
    }

    /// Deletes a template with its runs and all that belongs to them.
    ///
    /// # Errors
    /// There is no such template, or one of its runs is in progress.
    pub fn delete_template(&self, arn: &str) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Template, arn)?;
            runs::refuse_active(store, "template = ?1", id)?;
            store.execute("DELETE FROM templates WHERE id = ?1", [id])?;
            super::shared::sweep(store)
        })
    }

    /// The template with this ARN.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn template(&self, arn: &str) -> Result<Option<Template>> {
        let store = self.read();
        let mut statement = store.prepare_cached(
            "SELECT p.arn, t.arn, p.name, p.duration, p.packages, p.attributes, p.created,
                    (SELECT arn FROM runs WHERE template = p.id ORDER BY id DESC LIMIT 1),
                    (SELECT count(*) FROM runs WHERE template = p.id)
             FROM templates p JOIN targets t ON t.id = p.target WHERE p.arn = ?1",
        )?;
        let found = statement.query_row([arn], template).optional()?;
        found
            .map(|(template, packages, attributes)| {
                Ok(Template {
                    packages: serde_json::from_str(&packages)?,
                    attributes: serde_json::from_str(&attributes)?,
                    ..template
                })
            })
            .transpose()
    }

    /// The ARNs of templates.
    ///
    /// # Errors
    /// A target of the filter does not exist.
    pub fn templates(&self, filter: &TemplateFilter, page: Page) -> Result<Listed<String>> {
        let store = self.read();
        for target in &filter.targets {
            row_of(&store, Kind::Target, target)?;
        }
        let mut statement = store.prepare_cached(
            "SELECT p.id, p.arn FROM templates p JOIN targets t ON t.id = p.target
             WHERE p.id > ?1
               AND (?2 IS NULL OR t.arn IN (SELECT value FROM json_each(?2)))
               AND (?3 IS NULL OR p.name GLOB ?3)
               AND (?4 IS NULL OR p.duration >= ?4) AND (?5 IS NULL OR p.duration <= ?5)
               AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(p.packages) have
                                          JOIN json_each(?6) want ON want.value = have.value))
             ORDER BY p.id LIMIT ?7",
        )?;
        let parameters = params![
            page.after,
            wanted(&filter.targets)?,
            filter.name.as_deref().map(glob),
            filter.duration.0,
            filter.duration.1,
            wanted(&filter.packages)?,
            page.probe(),
        ];
        page::arns(&mut statement, parameters, page)
    }

    /// Sets a template's tags, in place of those it had.
    ///
    /// # Errors
    /// There is no such template.
    pub fn set_tags(&self, arn: &str, tags: &[Pair]) -> Result<()> {
        self.write(|store| {
            let id = row_of(store, Kind::Template, arn)?;
            store.execute("DELETE FROM tags WHERE template = ?1", [id])?;
            for (place, (key, value)) in tags.iter().enumerate() {
                store.execute(
                    "INSERT INTO tags VALUES (?1, ?2, ?3, ?4)",
                    params![id, place, key, value],
                )?;
            }
            Ok(())
        })
    }

    /// A template's tags.
    ///
    /// # Errors
    /// There is no such template.
    pub fn tags(&self, arn: &str) -> Result<Vec<Pair>> {
        let store = self.read();
        let id = row_of(&store, Kind::Template, arn)?;
        let mut statement = store
            .prepare_cached("SELECT key, value FROM tags WHERE template = ?1 ORDER BY place")?;
        let tags = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        tags.collect::<rusqlite::Result<_>>().map_err(StoreError::from)
    }
}
