//! Lenses: each reads one configuration format out of the `config` table into rows that keep file
//! and line. One file a lens; a new one is its file and its row in [`all`].

mod config_files;

use super::schema::TableSchema;
use super::state::FactError;
use super::view::Loaded;

pub use config_files::{ConfigFiles, Text};

/// Reads one configuration format.
pub trait Lens: Sync {
    /// The table it gives; its name begins with `config.`.
    fn table(&self) -> &'static TableSchema;

    /// Reads the rows. Total: whatever the texts hold, it gives what can be read. A file that it
    /// needs and that could not be collected makes the state truncated, with the reason.
    ///
    /// # Errors
    /// The bytes behind the texts are damaged.
    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError>;
}

/// Every lens.
pub fn all() -> &'static [&'static dyn Lens] {
    &[]
}

/// The lens that gives this table.
pub fn find(table: &str) -> Option<&'static dyn Lens> {
    all().iter().copied().find(|lens| lens.table().name == table)
}
