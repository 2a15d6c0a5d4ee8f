//! The schema of tables: names, columns, types and one line of documentation each. The rule
//! type-check, the JSON schema for editors, `assay facts` and the container all read this.

use std::sync::Arc;

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
    /// How evidence names a row, for example `package {name}`; `{column}` is filled in. Forms that
    /// `|` separates are tried until all columns of one have a value; `[...]` at the end of a form
    /// is left out where its column has none. Where the table has a `line` column, the line goes
    /// with it.
    pub location: &'static str,
    /// The columns in order.
    pub columns: &'static [Column],
}

impl TableSchema {
    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The location with its columns filled in; none where no form of it has all of them.
    pub fn place(&self, column: &dyn Fn(&str) -> Option<Arc<str>>) -> Option<Arc<str>> {
        self.location.split('|').find_map(|form| {
            let (form, optional) = form.split_once('[').unwrap_or((form, ""));
            let mut text = filled(form, column)?;
            text.push_str(&filled(optional.trim_end_matches(']'), column).unwrap_or_default());
            Some(text.into())
        })
    }
}

fn filled(form: &str, column: &dyn Fn(&str) -> Option<Arc<str>>) -> Option<String> {
    let mut out = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}')?;
        let value = column(name)?;
        // An address of IPv6 before a port.
        if value.contains(':') && tail.starts_with(':') {
            out.push('[');
            out.push_str(&value);
            out.push(']');
        } else {
            out.push_str(&value);
        }
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_has_all_of_its_columns_names_the_place() {
        let table = TableSchema {
            name: "t",
            doc: "d",
            origin: Origin::Collected,
            location: "to {far}:{port}[ by {who}]|at {near}:{port}[ by {who}]",
            columns: &[],
        };
        let place = |cells: &[(&str, &str)]| {
            let cell =
                |name: &str| cells.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).into());
            table.place(&cell).map(|text| text.to_string())
        };
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(place(&[("far", "::1"), ("port", "1")]), of("to [::1]:1"));
        assert_eq!(place(&[("near", "a"), ("port", "1"), ("who", "x")]), of("at a:1 by x"));
        assert_eq!(place(&[("near", "a")]), None);
    }
}
