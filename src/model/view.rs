//! A [`FactSource`] with its lenses and derived tables: every table by name, each computed once.

use std::sync::{Arc, OnceLock};

use super::cell::Fact;
use super::facts::{FactSource, Rows};
use super::lens::{self, ConfigFiles, Keyed, Lens};
use super::schema::{Origin, TableSchema};
use super::state::{FactError, TableState};
use super::table;
use super::value::Value;

/// A table that was looked up: the rows there are, and whether more may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// How far the rows can be trusted.
    pub state: TableState,
    /// The rows there are.
    pub rows: Arc<Rows>,
}

type Slot<T> = OnceLock<Result<T, FactError>>;

/// All tables of one host. Cheap to make; a table is read or computed when it is first asked for.
pub struct View<'a> {
    source: &'a dyn FactSource,
    config: Slot<Arc<ConfigFiles>>,
    tables: Vec<Slot<Loaded>>,
    fingerprints: Vec<Slot<Option<[u8; 32]>>>,
}

impl<'a> View<'a> {
    /// A view of a source.
    pub fn new(source: &'a dyn FactSource) -> Self {
        let count = table::all().len();
        let tables = (0..count).map(|_| OnceLock::new()).collect();
        let fingerprints = (0..count).map(|_| OnceLock::new()).collect();
        Self { source, config: OnceLock::new(), tables, fingerprints }
    }

    /// The source itself: for the `files` table, which is asked by path or scanned, not loaded.
    pub fn source(&self) -> &'a dyn FactSource {
        self.source
    }

    /// The state of the `files` table.
    pub fn files_state(&self) -> TableState {
        self.source.state(table::File::TABLE)
    }

    /// What a collected table says in one number; see [`FactSource::fingerprint`].
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    pub fn fingerprint(&self, schema: &TableSchema) -> Result<Option<[u8; 32]>, FactError> {
        let slot = table::position(schema).and_then(|index| self.fingerprints.get(index));
        let Some(slot) = slot else { return Ok(None) };
        slot.get_or_init(|| self.source.fingerprint(schema)).clone()
    }

    /// A table other than `files`, by its schema.
    ///
    /// # Errors
    /// The bytes behind it are damaged.
    pub fn table(&self, schema: &'static TableSchema) -> Result<Loaded, FactError> {
        debug_assert_ne!(schema.name, table::File::TABLE.name, "files are scanned, not loaded");
        let Some(slot) = table::position(schema).and_then(|index| self.tables.get(index)) else {
            return Ok(Loaded {
                state: TableState::absent(format!("there is no table {}", schema.name)),
                rows: Arc::new(Rows::new(schema)),
            });
        };
        slot.get_or_init(|| self.load(schema)).clone()
    }

    /// The rows of a lens's table that somebody asks about: `may_hold` says whether a row with this
    /// value in the column `keyed` may be meant. Files that lead to no such row are not read.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    pub fn table_about(
        &self,
        lens: &dyn Lens,
        keyed: Keyed,
        may_hold: &dyn Fn(&Value) -> bool,
    ) -> Result<Loaded, FactError> {
        let slot = table::position(lens.table()).and_then(|index| self.tables.get(index));
        if let Some(loaded) = slot.and_then(OnceLock::get) {
            return loaded.clone();
        }
        lens.load(&self.config()?.only(|path| may_hold(&Value::Text((keyed.of)(path)))))
    }

    fn load(&self, schema: &'static TableSchema) -> Result<Loaded, FactError> {
        match schema.origin {
            Origin::Collected => {
                Ok(Loaded { state: self.source.state(schema), rows: self.source.rows(schema)? })
            }
            Origin::Lens => match lens::find(schema.name) {
                Some(lens) => lens.load(&*self.config()?),
                None => self.stored(schema),
            },
            Origin::Derived => match super::derive::find(schema.name) {
                Some(derivation) => derivation.derive(self),
                None => self.stored(schema),
            },
        }
    }

    /// A computed table that nobody computes.
    fn stored(&self, schema: &'static TableSchema) -> Result<Loaded, FactError> {
        Ok(Loaded {
            state: TableState::absent(format!("nothing computes {}", schema.name)),
            rows: Arc::new(Rows::new(schema)),
        })
    }

    /// How far rows of a table can be trusted that are asked about by files: `may_hold` says
    /// whether a row with this value in the column could be meant. It is the table's own state,
    /// without the files that could not be read and do not matter to them.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    pub fn state_of_rows(
        &self,
        loaded: &Loaded,
        keyed: Keyed,
        may_hold: &dyn Fn(&Value) -> bool,
    ) -> Result<TableState, FactError> {
        if !matches!(loaded.state, TableState::Truncated(_)) || lens::is_full(&loaded.rows) {
            return Ok(loaded.state.clone());
        }
        let config = self.config()?;
        let missing = config.iter().filter_map(|file| Some((file, file.text.as_ref().err()?)));
        let first = missing
            .filter(|(file, _)| may_hold(&Value::Text((keyed.of)(&file.path))))
            .map(|(file, problem)| TableState::truncated(format!("{}: {problem}", file.path)))
            .next();
        let state = config.state().clone();
        Ok(match first {
            Some(missing) => state.and(missing),
            None => state,
        })
    }

    /// The typed rows of a table, and its state.
    ///
    /// # Errors
    /// The bytes behind it are damaged.
    pub fn typed<F: Fact>(&self) -> Result<(TableState, Vec<F>), FactError> {
        let loaded = self.table(F::TABLE)?;
        Ok((loaded.state, loaded.rows.typed().collect()))
    }

    /// The texts of the configuration files.
    ///
    /// # Errors
    /// The bytes behind them are damaged.
    pub fn config(&self) -> Result<Arc<ConfigFiles>, FactError> {
        self.config
            .get_or_init(|| {
                let loaded = self.table(table::ConfigFile::TABLE)?;
                Ok(Arc::new(ConfigFiles::new(&loaded)))
            })
            .clone()
    }
}
