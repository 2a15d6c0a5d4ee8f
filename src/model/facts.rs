//! Rows, and the [`FactSource`] they come from.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::cell::Fact;
use super::schema::TableSchema;
use super::state::{FactError, TableState};
use super::table;
use super::value::Value;

/// The rows of one table, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    schema: &'static TableSchema,
    cells: Vec<Value>,
}

impl Rows {
    /// No rows.
    pub fn new(schema: &'static TableSchema) -> Self {
        Self { schema, cells: Vec::new() }
    }

    /// Rows of one kind of fact.
    pub fn of<F: Fact>(facts: impl IntoIterator<Item = F>) -> Self {
        let mut rows = Self::new(F::TABLE);
        for fact in facts {
            rows.push(fact.into_cells());
        }
        rows
    }

    /// The table they belong to.
    pub fn schema(&self) -> &'static TableSchema {
        self.schema
    }

    /// Adds a row: one cell a column, in the schema's order; missing cells are null.
    pub fn push(&mut self, mut cells: Vec<Value>) {
        debug_assert!(cells.len() <= self.schema.columns.len(), "{}", self.schema.name);
        cells.resize(self.schema.columns.len(), Value::Null);
        self.cells.append(&mut cells);
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.schema.columns.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The row at a position, in the order they were added.
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        let width = self.schema.columns.len();
        let start = index.checked_mul(width)?;
        let cells = self.cells.get(start..start.checked_add(width)?)?;
        Some(Row { schema: self.schema, cells })
    }

    /// Every row in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + Clone {
        let schema = self.schema;
        self.cells.chunks_exact(schema.columns.len()).map(move |cells| Row { schema, cells })
    }

    /// The typed rows; those that do not fit the type are left out, which only a damaged source
    /// could cause and its reader has refused before.
    pub fn typed<'a, F: Fact + 'a>(&'a self) -> impl Iterator<Item = F> + 'a {
        debug_assert_eq!(self.schema.name, F::TABLE.name);
        self.iter().filter_map(F::from_row)
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    schema: &'static TableSchema,
    cells: &'a [Value],
}

impl<'a> Row<'a> {
    /// A row over cells that somebody else keeps; `cells` has one cell a column.
    pub fn new(schema: &'static TableSchema, cells: &'a [Value]) -> Self {
        debug_assert_eq!(schema.columns.len(), cells.len(), "{}", schema.name);
        Self { schema, cells }
    }

    /// The table it belongs to.
    pub fn schema(&self) -> &'static TableSchema {
        self.schema
    }

    /// The cells in the schema's order.
    pub fn cells(&self) -> &'a [Value] {
        self.cells
    }

    /// The cell of a column; null where there is no such column.
    pub fn get(&self, column: &str) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.schema.column(column).and_then(|index| self.cells.get(index)).unwrap_or(NULL)
    }

    /// How evidence names it.
    pub fn place(&self) -> Arc<str> {
        let place = self.schema.place(&|column| match self.get(column) {
            Value::Null => None,
            value => Some(value.to_string().into()),
        });
        place.unwrap_or_else(|| Arc::from(self.schema.name))
    }

    /// The typed row.
    pub fn typed<F: Fact>(self) -> Option<F> {
        F::from_row(self)
    }
}

/// What a file has in common with many others: the part of an inode that permission rules ask
/// about. Hosts have few of them (45 for 404,000 files), so a source can skip whole blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileClass {
    /// The kind of inode.
    pub kind: table::FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Where facts come from: an opened snapshot, or facts in memory. Small tables come whole; the
/// `files` table, which can have millions of rows, is asked by path or scanned by class.
pub trait FactSource: Sync {
    /// The state of a collected table.
    fn state(&self, table: &TableSchema) -> TableState;

    /// What a collected table says in one number, its state included: equal fingerprints mean equal
    /// tables. The bytes behind it are checked, so that a table that is known need not be read.
    /// None where the source has no such number.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn fingerprint(&self, table: &TableSchema) -> Result<Option<[u8; 32]>, FactError> {
        let _ = table;
        Ok(None)
    }

    /// The rows of a collected table other than `files`; empty where there are none.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn rows(&self, table: &'static TableSchema) -> Result<Arc<Rows>, FactError>;

    /// The file with exactly this path.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn file(&self, path: &str) -> Result<Option<table::File>, FactError>;

    /// Shows the files with exactly these paths, which stand in path order and once each; those
    /// that are not there are passed over.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn files_at(
        &self,
        paths: &[&str],
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError> {
        for path in paths {
            if let Some(file) = self.file(path)?
                && visit(Row::new(table::File::TABLE, &file.into_cells())).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// Shows every file of a class that `keep` wants, in path order, until `visit` breaks.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn scan_files(
        &self,
        keep: &dyn Fn(FileClass) -> bool,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError>;

    /// Shows every file below a directory (not the directory itself), in path order.
    ///
    /// # Errors
    /// The bytes behind the table are damaged.
    fn files_under(
        &self,
        directory: &str,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError>;
}

/// Facts held in memory: the examples of rules, and tests. A table that was not given is absent.
#[derive(Debug, Clone, Default)]
pub struct MemoryFacts {
    tables: BTreeMap<&'static str, (TableState, Arc<Rows>)>,
}

impl MemoryFacts {
    /// No table at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a table with its state. `files` are put into path order.
    pub fn set(&mut self, state: TableState, rows: Rows) -> &mut Self {
        let rows = if rows.schema.name == table::File::TABLE.name { sorted(rows) } else { rows };
        self.tables.insert(rows.schema.name, (state, Arc::new(rows)));
        self
    }

    /// Sets a complete table.
    pub fn with<F: Fact>(mut self, facts: impl IntoIterator<Item = F>) -> Self {
        self.set(TableState::Collected, Rows::of(facts));
        self
    }

    /// Takes a table away, leaving it in `state`.
    pub fn remove(&mut self, table: &'static TableSchema, state: TableState) -> &mut Self {
        self.tables.insert(table.name, (state, Arc::new(Rows::new(table))));
        self
    }

    /// The names of the tables that were given.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.tables.keys().copied()
    }

    fn files(&self) -> Option<&Rows> {
        self.tables.get(table::File::TABLE.name).map(|(_, rows)| &**rows)
    }
}

/// Path order: by component, so that a directory comes just before what it holds. That is byte
/// order with `/` below every other byte.
pub fn path_order(a: &str, b: &str) -> std::cmp::Ordering {
    let key = |byte: u8| if byte == b'/' { 0 } else { byte };
    a.bytes().map(key).cmp(b.bytes().map(key))
}

fn sorted(rows: Rows) -> Rows {
    let mut order: Vec<Row<'_>> = rows.iter().collect();
    order.sort_by(|a, b| path_order(path_of(*a), path_of(*b)));
    let mut sorted = Rows::new(rows.schema);
    for row in order {
        sorted.push(row.cells().to_vec());
    }
    sorted
}

fn path_of(row: Row<'_>) -> &str {
    row.get("path").as_text().unwrap_or_default()
}

impl FactSource for MemoryFacts {
    fn state(&self, table: &TableSchema) -> TableState {
        match self.tables.get(table.name) {
            Some((state, _)) => state.clone(),
            None => TableState::absent(format!("the facts have no {} table", table.name)),
        }
    }

    fn rows(&self, table: &'static TableSchema) -> Result<Arc<Rows>, FactError> {
        Ok(match self.tables.get(table.name) {
            Some((_, rows)) => Arc::clone(rows),
            None => Arc::new(Rows::new(table)),
        })
    }

    fn file(&self, path: &str) -> Result<Option<table::File>, FactError> {
        Ok(self
            .files()
            .and_then(|rows| rows.iter().find(|row| path_of(*row) == path))
            .and_then(table::File::from_row))
    }

    fn scan_files(
        &self,
        keep: &dyn Fn(FileClass) -> bool,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError> {
        for row in self.files().into_iter().flat_map(Rows::iter) {
            let wanted = table::File::from_row(row).is_some_and(|file| keep(file.class()));
            if wanted && visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn files_under(
        &self,
        directory: &str,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), FactError> {
        for row in self.files().into_iter().flat_map(Rows::iter) {
            if is_under(path_of(row), directory) && visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Whether `path` is below `directory` (and not the directory itself), by whole components.
pub fn is_under(path: &str, directory: &str) -> bool {
    let directory = directory.strip_suffix('/').unwrap_or(directory);
    path.strip_prefix(directory).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_is_by_whole_components() {
        assert!(is_under("/etc/ssh/sshd_config", "/etc/ssh"));
        assert!(is_under("/etc", "/"));
        assert!(!is_under("/etc/sshd", "/etc/ssh"));
        assert!(!is_under("/etc/ssh", "/etc/ssh"));
        assert!(!is_under("/", "/"));
    }

    #[test]
    fn a_directory_comes_just_before_what_it_holds() {
        let mut paths = ["/a-b", "/a/c", "/a", "/a.d/x", "/"];
        paths.sort_by(|a, b| path_order(a, b));
        assert_eq!(paths, ["/", "/a", "/a/c", "/a-b", "/a.d/x"]);
    }

    #[test]
    fn a_table_that_was_not_given_is_absent() {
        let facts = MemoryFacts::new();
        assert!(matches!(facts.state(table::Package::TABLE), TableState::Absent(_)));
    }
}
