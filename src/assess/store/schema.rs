//! The tables, and how a store of an older assay becomes one of this.

use rusqlite::Connection;

use super::{Result, StoreError};

/// The steps, in order; a released one is never changed. `shared` holds each text once, however
/// many findings carry it. What belongs to something goes with it.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE shared (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body TEXT NOT NULL
) STRICT;
CREATE TABLE resource_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE, tags TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE targets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
    resource_group INTEGER REFERENCES resource_groups (id), created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE TABLE templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE,
    target INTEGER NOT NULL REFERENCES targets (id) ON DELETE CASCADE, name TEXT NOT NULL,
    duration INTEGER NOT NULL, packages TEXT NOT NULL, attributes TEXT NOT NULL,
    created INTEGER NOT NULL, UNIQUE (target, name)
) STRICT;
CREATE TABLE tags (
    template INTEGER NOT NULL REFERENCES templates (id) ON DELETE CASCADE, place INTEGER NOT NULL,
    key TEXT NOT NULL, value TEXT, PRIMARY KEY (template, key)
) STRICT;
CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    template INTEGER NOT NULL REFERENCES templates (id) ON DELETE CASCADE, topic TEXT NOT NULL,
    event TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (template, topic, event)
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE,
    template INTEGER NOT NULL REFERENCES templates (id) ON DELETE CASCADE, name TEXT NOT NULL,
    state TEXT NOT NULL, duration INTEGER NOT NULL, packages TEXT NOT NULL,
    attributes TEXT NOT NULL, created INTEGER NOT NULL, started INTEGER, completed INTEGER,
    changed INTEGER NOT NULL, data_collected INTEGER NOT NULL DEFAULT 0, stop TEXT,
    rules INTEGER REFERENCES shared (id), UNIQUE (template, name)
) STRICT;
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_rules ON runs (rules);
CREATE TABLE state_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, state TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX state_changes_by_run ON state_changes (run);
CREATE TABLE run_agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, agent TEXT NOT NULL,
    snapshot TEXT NOT NULL, healthy INTEGER NOT NULL, details TEXT, scaling_group TEXT,
    telemetry TEXT NOT NULL DEFAULT '[]', asset INTEGER REFERENCES shared (id),
    outcomes TEXT, collected_at INTEGER, UNIQUE (run, agent)
) STRICT;
CREATE INDEX run_agents_by_asset ON run_agents (asset);
CREATE TABLE findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, agent TEXT NOT NULL,
    scaling_group TEXT, rule_name TEXT NOT NULL, severity TEXT NOT NULL, package TEXT NOT NULL,
    title TEXT NOT NULL, attributes TEXT NOT NULL, user_attributes TEXT NOT NULL,
    evidence TEXT NOT NULL, rule INTEGER, body TEXT NOT NULL,
    texts INTEGER NOT NULL REFERENCES shared (id), asset INTEGER NOT NULL REFERENCES shared (id),
    created INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT;
CREATE INDEX findings_by_run ON findings (run, severity);
CREATE INDEX findings_by_texts ON findings (texts);
CREATE INDEX findings_by_asset ON findings (asset);
CREATE TABLE exclusions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, agent TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX exclusions_by_run ON exclusions (run);
CREATE TABLE previews (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE,
    template INTEGER NOT NULL REFERENCES templates (id) ON DELETE CASCADE, body TEXT
) STRICT;
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, at INTEGER NOT NULL,
    event TEXT NOT NULL, message TEXT, error INTEGER NOT NULL, topic TEXT, status TEXT
) STRICT;
CREATE INDEX notifications_by_run ON notifications (run);
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER REFERENCES runs (id) ON DELETE SET NULL,
    topic TEXT NOT NULL, event TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_run ON outbox (run);
CREATE INDEX outbox_by_topic ON outbox (topic);
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, format TEXT NOT NULL,
    kind TEXT NOT NULL, token TEXT NOT NULL UNIQUE, status TEXT NOT NULL, body BLOB,
    UNIQUE (run, format, kind)
) STRICT;
",
    "
CREATE INDEX findings_in_run ON findings (run);
",
];

/// Brings the store to this program's schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = usize::try_from(found).ok().filter(|found| *found <= MIGRATIONS.len());
    let Some(known) = known else { return Err(StoreError::TooNew(found)) };
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(known) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::MIGRATIONS;
    use crate::assess::store::{FindingFilter, Kind, Page, Store, StoreError};

    #[test]
    fn a_store_of_the_first_assay_becomes_one_of_this() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        let every = FindingFilter::default();
        assert!(store.findings(&every, Page::first(1)).unwrap().items.is_empty());
        let of_run = FindingFilter { runs: vec!["none".into()], ..every };
        let missing = store.findings(&of_run, Page::first(1));
        assert!(matches!(missing, Err(StoreError::Missing(Kind::Run))));
        let found: i64 = Connection::open(&path)
            .unwrap()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(usize::try_from(found).unwrap(), MIGRATIONS.len());
    }
}
