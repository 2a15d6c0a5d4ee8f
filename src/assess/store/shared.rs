//! Texts that many findings carry, each kept once and found by its hash.

use rusqlite::{Connection, params};

use super::Result;

/// The number of a text, which is written where it is new.
pub(super) fn put(store: &Connection, body: &str) -> Result<i64> {
    let hash = blake3::hash(body.as_bytes());
    let mut insert = store.prepare_cached(
        "INSERT INTO shared (hash, body) VALUES (?1, ?2)
         ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id",
    )?;
    Ok(insert.query_row(params![hash.as_bytes(), body], |row| row.get(0))?)
}

/// Deletes the texts that nothing carries any more.
pub(super) fn sweep(store: &Connection) -> Result<()> {
    store.execute(
        "DELETE FROM shared WHERE
             NOT EXISTS (SELECT 1 FROM findings WHERE texts = shared.id)
             AND NOT EXISTS (SELECT 1 FROM findings WHERE asset = shared.id)
             AND NOT EXISTS (SELECT 1 FROM run_agents WHERE asset = shared.id)
             AND NOT EXISTS (SELECT 1 FROM runs WHERE rules = shared.id)",
        [],
    )?;
    Ok(())
}
