//! The schema of tables: names, columns, types and one line of documentation each. The rule
//! type-check, the JSON schema for editors, `assay facts` and the container all read this.

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Permission bits, `0o7777` at most; written as octal text (`"0644"`) in rules.
    Mode,
    /// Seconds since 1970-01-01 UTC.
    Time,
    /// Text.
    Text,
    /// An absolute path; `under` and `glob` understand its components.
    Path,
    /// A package version, ordered as the row's package manager orders it.
    Version,
    /// A list of texts.
    TextList,
    /// A list of whole numbers.
    IntList,
}

impl ColumnType {
    /// The word for it in documentation and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Mode => "mode",
            Self::Time => "time",
            Self::Text => "text",
            Self::Path => "path",
            Self::Version => "version",
            Self::TextList => "list of text",
            Self::IntList => "list of int",
        }
    }

    /// Whether values of this type are stored as [`Value::Int`](super::value::Value::Int).
    pub const fn is_int(self) -> bool {
        matches!(self, Self::Int | Self::Mode | Self::Time)
    }

    /// Whether values of this type are stored as [`Value::Text`](super::value::Value::Text).
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Path | Self::Version)
    }
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Lower case, words joined by `_`.
    pub name: &'static str,
    /// The type of its values.
    pub ty: ColumnType,
    /// Whether a row may have no value here.
    pub optional: bool,
    /// One line of documentation.
    pub doc: &'static str,
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A collector read them from the host; they are stored in the snapshot.
    Collected,
    /// A lens reads them out of the `config` table's texts.
    Lens,
    /// Computed from other tables.
    Derived,
}

/// One table.
#[derive(Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// `packages`, `config.sshd`, ...
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Where the rows come from.
    pub origin: Origin,
    /// How evidence names a row, for example `package {name}`; `{column}` is filled in. Where the
    /// table has a `line` column, the line goes with it.
    pub location: &'static str,
    /// The columns in order.
    pub columns: &'static [Column],
}

impl TableSchema {
    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
