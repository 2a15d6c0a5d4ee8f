//! Findings, which are seen once their run has ended, and the attributes users give them.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value as Json};

use super::page::{self, Listed, Page};
use super::runs::SHOWN;
use super::{Kind, Millis, Pair, Result, Store, json, new_id, row_of, shared, wanted};

/// How many attributes a user may give a finding.
const MOST_ATTRIBUTES: usize = 10;

/// A finding to write.
#[derive(Debug, Clone)]
pub struct NewFinding {
    /// Inspector's id, which filters call the rule's name.
    pub rule_name: String,
    /// The title.
    pub title: String,
    /// Inspector's word.
    pub severity: &'static str,
    /// The rules package's ARN.
    pub package: &'static str,
    /// The auto scaling group.
    pub scaling_group: Option<String>,
    /// Where it was seen, as JSON.
    pub evidence: Json,
    /// The rule's place in the run's list of rules.
    pub rule: Option<usize>,
    /// The complete Inspector finding; its ARNs and times are set when it is read.
    pub body: Map<String, Json>,
    /// Attributes from the template.
    pub user_attributes: Vec<Pair>,
}

/// A finding.
#[derive(Debug, Clone)]
pub struct StoredFinding {
    /// Its ARN.
    pub arn: String,
    /// Its run's ARN.
    pub run: String,
    /// Its agent.
    pub agent: String,
    /// Inspector's word.
    pub severity: String,
    /// The rules package's ARN.
    pub package: String,
    /// The title.
    pub title: String,
    /// Attributes users gave it.
    pub user_attributes: Vec<Pair>,
    /// Where it was seen.
    pub evidence: Json,
    /// The rule's place in the run's list of rules.
    pub rule: Option<usize>,
    /// The complete Inspector finding, but for ARNs, user attributes and times.
    pub body: Map<String, Json>,
    /// When it was found.
    pub created: Millis,
    /// When its attributes were last changed.
    pub updated: Millis,
}

/// Which findings to list: all that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// ARNs of runs; none: any.
    pub runs: Vec<String>,
    /// Any of these agents.
    pub agents: Vec<String>,
    /// Any of these auto scaling groups.
    pub scaling_groups: Vec<String>,
    /// Any of these rules.
    pub rules: Vec<String>,
    /// Any of these severities.
    pub severities: Vec<String>,
    /// Any of these rules packages.
    pub packages: Vec<String>,
    /// Any of these attributes.
    pub attributes: Vec<Pair>,
    /// Any of these attributes that users gave.
    pub user_attributes: Vec<Pair>,
    /// When it was found.
    pub created: (Option<Millis>, Option<Millis>),
    /// Only of this target; for the console.
    pub target: Option<String>,
    /// Only of this template; for the console.
    pub template: Option<String>,
    /// A part of the title, in any case; for the console.
    pub text: Option<String>,
    /// The latest first; for the console.
    pub newest_first: bool,
    /// The worst first; for the console, of one run. Pages then come after so many rows, not after the
    /// row with a number.
    pub worst_first: bool,
}

/// The order of severities, the worst first.
const WORST: &str = "instr('High Medium Low Informational Undefined', f.severity), f.id";

/// The members of a finding that many others have too.
const TEXTS: [&str; 2] = ["description", "recommendation"];

/// Writes a finding. What many findings share is kept once.
pub(super) fn insert(
    store: &Connection,
    run_arn: &str,
    run: i64,
    agent: &str,
    asset: i64,
    new: &NewFinding,
    now: Millis,
) -> Result<()> {
    let mut body = new.body.clone();
    let mut texts = Map::new();
    for name in TEXTS {
        texts.insert(name.into(), body.remove(name).unwrap_or_default());
    }
    let attributes = body.remove("attributes").unwrap_or_default();
    for name in ["arn", "assetAttributes", "userAttributes", "createdAt", "updatedAt"] {
        body.remove(name);
    }
    let mut insert = store.prepare_cached(
        "INSERT INTO findings (arn, run, agent, scaling_group, rule_name, severity, package, title,
                               attributes, user_attributes, evidence, rule, body, texts, asset,
                               created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)",
    )?;
    insert.execute(params![
        format!("{run_arn}/finding/{}", new_id()?),
        run,
        agent,
        new.scaling_group,
        new.rule_name,
        new.severity,
        new.package,
        new.title,
        json(&attributes)?,
        json(&new.user_attributes)?,
        json(&new.evidence)?,
        new.rule,
        json(&body)?,
        shared::put(store, &json(&texts)?)?,
        asset,
        now.0
    ])?;
    Ok(())
}

impl Store {
    /// The finding with this ARN, where its run has ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn finding(&self, arn: &str) -> Result<Option<StoredFinding>> {
        let store = self.read();
        let mut statement = store.prepare_cached(&format!(
            "SELECT r.arn, f.agent, f.severity, f.package, f.title, f.user_attributes, f.evidence,
                    f.rule, f.body, t.body, a.body, f.attributes, f.created, f.updated
             FROM findings f JOIN runs r ON r.id = f.run JOIN shared t ON t.id = f.texts
             JOIN shared a ON a.id = f.asset
             WHERE f.arn = ?1 AND r.state IN {SHOWN}"
        ))?;
        let Some((finding, columns)) = statement
            .query_row([arn], |row| {
                let finding = StoredFinding {
                    arn: arn.to_owned(),
                    run: row.get(0)?,
                    agent: row.get(1)?,
                    severity: row.get(2)?,
                    package: row.get(3)?,
                    title: row.get(4)?,
                    user_attributes: Vec::new(),
                    evidence: Json::Null,
                    rule: row.get(7)?,
                    body: Map::new(),
                    created: Millis(row.get(12)?),
                    updated: Millis(row.get(13)?),
                };
                let columns: [String; 6] = [
                    row.get(5)?,
                    row.get(6)?,
                    row.get(8)?,
                    row.get(9)?,
                    row.get(10)?,
                    row.get(11)?,
                ];
                Ok((finding, columns))
            })
            .optional()?
        else {
            return Ok(None);
        };
        let [user_attributes, evidence, body, texts, asset, attributes] = &columns;
        let mut body: Map<String, Json> = serde_json::from_str(body)?;
        body.extend(serde_json::from_str::<Map<String, Json>>(texts)?);
        body.insert("assetAttributes".into(), serde_json::from_str(asset)?);
        body.insert("attributes".into(), serde_json::from_str(attributes)?);
        Ok(Some(StoredFinding {
            user_attributes: serde_json::from_str(user_attributes)?,
            evidence: serde_json::from_str(evidence)?,
            body,
            ..finding
        }))
    }

    /// The ARNs of the findings of runs that have ended.
    ///
    /// # Errors
    /// A run of the filter does not exist.
    pub fn findings(&self, filter: &FindingFilter, page: Page) -> Result<Listed<String>> {
        let store = self.read();
        let runs = filter.runs.iter().map(|run| row_of(&store, Kind::Run, run));
        let runs = runs.collect::<Result<Vec<i64>>>()?;
        // In the order of the pages, so that one costs what it shows, however many findings there are:
        // of one run, which most ask for, by the index of its findings; else one after the other.
        let (by, of_runs) = match runs.as_slice() {
            [_] => ("INDEXED BY findings_in_run", "f.run = (?2 ->> 0)"),
            _ => ("NOT INDEXED", "(?2 IS NULL OR f.run IN (SELECT value FROM json_each(?2)))"),
        };
        let at = |time: Option<Millis>| time.map(|time| time.0);
        let (beyond, order) = page.direction(filter.newest_first);
        let (after, order, skip) = if filter.worst_first {
            ("TRUE".to_owned(), WORST.to_owned(), "OFFSET ?1")
        } else {
            (format!("f.id {beyond} ?1"), format!("f.id {order}"), "")
        };
        // An attribute is wanted with its value, or by its key alone.
        let mut statement = store.prepare_cached(&format!(
            "SELECT f.id, f.arn FROM findings f {by} CROSS JOIN runs r ON r.id = f.run
             CROSS JOIN templates p ON p.id = r.template CROSS JOIN targets t ON t.id = p.target
             WHERE {after} AND {of_runs} AND r.state IN {SHOWN}
               AND (?3 IS NULL OR f.agent IN (SELECT value FROM json_each(?3)))
               AND (?4 IS NULL OR f.scaling_group IN (SELECT value FROM json_each(?4)))
               AND (?5 IS NULL OR f.rule_name IN (SELECT value FROM json_each(?5)))
               AND (?6 IS NULL OR f.severity IN (SELECT value FROM json_each(?6)))
               AND (?7 IS NULL OR f.package IN (SELECT value FROM json_each(?7)))
               AND (?8 IS NULL OR EXISTS (
                   SELECT 1 FROM json_each(f.attributes) have JOIN json_each(?8) want
                   ON have.value ->> 'key' = want.value ->> 0
                   AND (want.value ->> 1 IS NULL OR have.value ->> 'value' = want.value ->> 1)))
               AND (?9 IS NULL OR EXISTS (
                   SELECT 1 FROM json_each(f.user_attributes) have JOIN json_each(?9) want
                   ON have.value ->> 0 = want.value ->> 0
                   AND (want.value ->> 1 IS NULL OR have.value ->> 1 = want.value ->> 1)))
               AND (?10 IS NULL OR f.created >= ?10) AND (?11 IS NULL OR f.created <= ?11)
               AND (?12 IS NULL OR t.arn = ?12) AND (?13 IS NULL OR p.arn = ?13)
               AND (?14 IS NULL OR instr(lower(f.title), lower(?14)))
             ORDER BY {order} LIMIT ?15 {skip}"
        ))?;
        let parameters = params![
            page.start(filter.newest_first),
            wanted(&runs)?,
            wanted(&filter.agents)?,
            wanted(&filter.scaling_groups)?,
            wanted(&filter.rules)?,
            wanted(&filter.severities)?,
            wanted(&filter.packages)?,
            wanted(&filter.attributes)?,
            wanted(&filter.user_attributes)?,
            at(filter.created.0),
            at(filter.created.1),
            filter.target,
            filter.template,
            filter.text,
            page.probe(),
        ];
        let mut listed = page::arns(&mut statement, parameters, page)?;
        if filter.worst_first {
            let shown = i64::try_from(page.limit).unwrap_or(i64::MAX);
            listed.next = listed.next.map(|_| page.after.saturating_add(shown));
        }
        Ok(listed)
    }

    /// How many findings a run has, by rules package and severity.
    ///
    /// # Errors
    /// There is no such run.
    pub fn counts_by_package(&self, run: &str) -> Result<Vec<(String, String, i64)>> {
        let store = self.read();
        let run = row_of(&store, Kind::Run, run)?;
        let mut statement = store.prepare_cached(
            "SELECT package, severity, count(*) FROM findings WHERE run = ?1
             GROUP BY package, severity ORDER BY package, severity",
        )?;
        let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Changes the user attributes of findings. Gives the ARNs that do not exist, and those that
    /// would have too many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn change_attributes(
        &self,
        arns: &[String],
        change: impl Fn(&mut Vec<Pair>),
        now: Millis,
    ) -> Result<(Vec<String>, Vec<String>)> {
        self.write(|store| {
            let (mut missing, mut full) = (Vec::new(), Vec::new());
            let mut read = store.prepare_cached(&format!(
                "SELECT f.id, f.user_attributes FROM findings f JOIN runs r ON r.id = f.run
                 WHERE f.arn = ?1 AND r.state IN {SHOWN}"
            ))?;
            for arn in arns {
                let found: Option<(i64, String)> =
                    read.query_row([arn], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                let Some((id, before)) = found else {
                    missing.push(arn.clone());
                    continue;
                };
                let mut attributes: Vec<Pair> = serde_json::from_str(&before)?;
                change(&mut attributes);
                if attributes.len() > MOST_ATTRIBUTES {
                    full.push(arn.clone());
                    continue;
                }
                let after = json(&attributes)?;
                if after != before {
                    store.execute(
                        "UPDATE findings SET user_attributes = ?2, updated = ?3 WHERE id = ?1",
                        params![id, after, now.0],
                    )?;
                }
            }
            Ok((missing, full))
        })
    }
}
