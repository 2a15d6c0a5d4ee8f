//! `third_party_binaries`: executables and libraries that no distribution package owns.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Binary, Package};
use crate::model::view::{Loaded, View};

facts! {
    /// ELF executables and libraries that no distribution package owns.
    #[table(name = "third_party_binaries", origin = Derived, location = "{path}")]
    pub struct ThirdPartyBinary {
        /// Absolute path.
        pub path: AbsPath,
        /// `executable` or `library`.
        pub kind: Arc<str>,
        /// Machine, for example `x86_64`.
        pub machine: Arc<str>,
        /// Whether the stack is executable.
        pub executable_stack: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        ThirdPartyBinary::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Binary::TABLE, Package::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, binaries) = view.typed::<Binary>()?;
        // Where packages are not known, nobody can say that a file belongs to none.
        let (packages, _) = view.typed::<Package>()?;
        if matches!(packages, TableState::Absent(_) | TableState::Denied(_)) {
            return Ok(Loaded { state: packages, rows: Arc::new(Rows::new(self.table())) });
        }
        let rows = binaries.into_iter().filter(|binary| binary.package.is_none()).map(|binary| {
            ThirdPartyBinary {
                path: binary.path,
                kind: binary.kind,
                machine: binary.machine,
                executable_stack: binary.executable_stack,
            }
        });
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}
