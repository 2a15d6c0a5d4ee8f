//! From typed rows to cells and back: [`Cell`] for one value, [`Fact`] for one row, and the
//! `facts!` macro that declares a table as a documented struct.

use std::sync::Arc;

use super::facts::Row;
use super::schema::{ColumnType, TableSchema};
use super::value::Value;

/// A Rust type that can be a column.
pub trait Cell: Sized {
    /// The column type it is stored as.
    const TYPE: ColumnType;
    /// Whether it may be null.
    const OPTIONAL: bool = false;
    /// Into a cell.
    fn into_value(self) -> Value;
    /// Out of a cell; `None` where the cell is of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

/// Permission bits (`0o7777` at most).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mode(pub u32);

/// Seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// An absolute path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AbsPath(pub Arc<str>);

/// A package version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Version(pub Arc<str>);

macro_rules! text_cell {
    ($type:ty, $column:expr, $wrap:expr, $unwrap:expr) => {
        impl Cell for $type {
            const TYPE: ColumnType = $column;
            fn into_value(self) -> Value {
                let unwrap: fn($type) -> Arc<str> = $unwrap;
                Value::Text(unwrap(self))
            }
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Text(text) => Some($wrap(text)),
                    _ => None,
                }
            }
        }
    };
}
text_cell!(Arc<str>, ColumnType::Text, Arc::clone, |text| text);
text_cell!(String, ColumnType::Text, |text: &Arc<str>| text.to_string(), |text| text.into());
text_cell!(AbsPath, ColumnType::Path, |text| AbsPath(Arc::clone(text)), |path| path.0);
text_cell!(Version, ColumnType::Version, |text| Version(Arc::clone(text)), |version| version.0);

macro_rules! int_cell {
    ($type:ty, $column:expr, $wrap:expr, $unwrap:expr) => {
        impl Cell for $type {
            const TYPE: ColumnType = $column;
            fn into_value(self) -> Value {
                let unwrap: fn($type) -> i64 = $unwrap;
                Value::Int(unwrap(self))
            }
            fn from_value(value: &Value) -> Option<Self> {
                let wrap: fn(i64) -> Option<$type> = $wrap;
                value.as_int().and_then(wrap)
            }
        }
    };
}
int_cell!(i64, ColumnType::Int, Some, |int| int);
int_cell!(u32, ColumnType::Int, |int| u32::try_from(int).ok(), i64::from);
int_cell!(Mode, ColumnType::Mode, |int| u32::try_from(int).ok().map(Mode), |mode| i64::from(
    mode.0
));
int_cell!(Time, ColumnType::Time, |int| Some(Time(int)), |time| time.0);

impl Cell for bool {
    const TYPE: ColumnType = ColumnType::Bool;
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! list_cell {
    ($item:ty, $column:expr) => {
        impl Cell for Vec<$item> {
            const TYPE: ColumnType = $column;
            fn into_value(self) -> Value {
                Value::List(self.into_iter().map(Cell::into_value).collect())
            }
            fn from_value(value: &Value) -> Option<Self> {
                value.as_list()?.iter().map(<$item>::from_value).collect()
            }
        }
    };
}
list_cell!(String, ColumnType::TextList);
list_cell!(Arc<str>, ColumnType::TextList);
list_cell!(i64, ColumnType::IntList);

impl<T: Cell> Cell for Option<T> {
    const TYPE: ColumnType = T::TYPE;
    const OPTIONAL: bool = true;
    fn into_value(self) -> Value {
        self.map_or(Value::Null, Cell::into_value)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// The column's name for a field's: `r#match` is the column `match`.
pub const fn plain_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// A typed row of one table; declared with `facts!`.
pub trait Fact: Sized {
    /// The table's schema.
    const TABLE: &'static TableSchema;
    /// The cells in the order of the columns.
    fn into_cells(self) -> Vec<Value>;
    /// The typed row; `None` where a cell is of another type than the schema says.
    fn from_row(row: Row<'_>) -> Option<Self>;
}

/// Declares tables as documented structs: the struct's and the fields' doc comments are the
/// schema's documentation, the field types give the column types.
///
/// ```ignore
/// facts! {
///     /// Local groups.
///     #[table(name = "groups", origin = Collected, location = "group {name}")]
///     pub struct Group {
///         /// The group's name.
///         pub name: Arc<str>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! facts {
    ($(
        $(#[doc = $doc:literal])+
        #[table(name = $name:literal, origin = $origin:ident, location = $location:literal)]
        pub struct $row:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident: $type:ty,
            )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $row {
            $(
                $(#[doc = $field_doc])+
                pub $field: $type,
            )+
        }

        impl $crate::model::cell::Fact for $row {
            const TABLE: &'static $crate::model::schema::TableSchema =
                &$crate::model::schema::TableSchema {
                    name: $name,
                    doc: concat!($($doc),+),
                    origin: $crate::model::schema::Origin::$origin,
                    location: $location,
                    columns: &[$(
                        $crate::model::schema::Column {
                            name: $crate::model::cell::plain_name(stringify!($field)),
                            ty: <$type as $crate::model::cell::Cell>::TYPE,
                            optional: <$type as $crate::model::cell::Cell>::OPTIONAL,
                            doc: concat!($($field_doc),+),
                        },
                    )+],
                };

            fn into_cells(self) -> Vec<$crate::model::value::Value> {
                vec![$($crate::model::cell::Cell::into_value(self.$field)),+]
            }

            fn from_row(row: $crate::model::facts::Row<'_>) -> Option<Self> {
                let mut cells = row.cells().iter();
                Some(Self {
                    $($field: $crate::model::cell::Cell::from_value(cells.next()?)?,)+
                })
            }
        }
    )+};
}
