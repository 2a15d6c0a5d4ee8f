//! `dconf_databases`: whether each database of the system was compiled after its files changed:
//! dconf(1) update.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Time};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{File, FileKind};
use crate::model::view::{Loaded, View};

const DATABASES: &str = "/etc/dconf/db";

facts! {
    /// Databases of dconf in /etc/dconf/db that are made from files.
    #[table(name = "dconf_databases", origin = Derived, location = "{path}")]
    pub struct DconfDatabase {
        /// The compiled database.
        pub path: AbsPath,
        /// The file of its directory that changed last.
        pub newest: AbsPath,
        /// Whether it is there and not older than that.
        pub up_to_date: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        DconfDatabase::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let mut compiled: BTreeMap<Arc<str>, Time> = BTreeMap::new();
        let mut newest: BTreeMap<String, (Time, Arc<str>)> = BTreeMap::new();
        view.source().files_under(DATABASES, &mut |row| {
            let Some(file) = row.typed::<File>().filter(|file| file.kind == FileKind::File) else {
                return ControlFlow::Continue(());
            };
            let rest = file.path.0.get(DATABASES.len() + 1..).unwrap_or_default();
            match rest.split_once('/') {
                None => {
                    compiled.insert(file.path.0, file.mtime);
                }
                Some((directory, name)) => {
                    let name = name.strip_prefix("locks/").unwrap_or(name);
                    if let Some(database) = directory.strip_suffix(".d")
                        && !name.contains('/')
                    {
                        let entry = newest
                            .entry(format!("{DATABASES}/{database}"))
                            .or_insert_with(|| (file.mtime, Arc::clone(&file.path.0)));
                        if file.mtime > entry.0 {
                            *entry = (file.mtime, file.path.0);
                        }
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        let rows = newest.into_iter().map(|(path, (changed, newest))| DconfDatabase {
            up_to_date: compiled.get(path.as_str()).is_some_and(|made| *made >= changed),
            path: AbsPath(path.into()),
            newest: AbsPath(newest),
        });
        Ok(Loaded { state: view.files_state(), rows: Arc::new(Rows::of(rows)) })
    }
}
