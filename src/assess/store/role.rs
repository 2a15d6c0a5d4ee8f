//! The role that Inspector was registered with. Nothing here needs one; old scripts register it.

use rusqlite::{OptionalExtension, params};

use super::{Millis, Result, Store, json};

impl Store {
    /// Notes a role.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn register_role(&self, arn: &str, now: Millis) -> Result<()> {
        self.write(|store| {
            store.execute(
                "INSERT OR REPLACE INTO meta VALUES ('role', CAST(?1 AS BLOB))",
                params![json(&(arn, now.0))?],
            )?;
            Ok(())
        })
    }

    /// The role, and since when.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn role(&self) -> Result<Option<(String, Millis)>> {
        let found: Option<Vec<u8>> = self
            .read()
            .query_row("SELECT value FROM meta WHERE key = 'role'", [], |row| row.get(0))
            .optional()?;
        let Some(found) = found else { return Ok(None) };
        let (arn, at): (String, i64) = serde_json::from_slice(&found)?;
        Ok(Some((arn, Millis(at))))
    }
}
