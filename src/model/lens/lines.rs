//! `config.lines`: every line of every text, for banners and other files without keys.

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Keyed, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;
use std::sync::Arc;

facts! {
    /// Every line of every configuration text; rules always say `path`.
    #[table(name = "config.lines", origin = Lens, location = "{path}")]
    pub struct Line {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The text without its line end.
        pub text: Arc<str>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Line::TABLE
    }

    fn keyed(&self) -> Option<Keyed> {
        Some(Keyed::PATH)
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Line>(files);
        for file in files.iter() {
            for (line, text) in (1..).zip(reading.text(file).lines()) {
                let path = AbsPath(Arc::clone(&file.path));
                reading.push(Line { path, line, text: text.into() });
            }
        }
        Ok(reading.done())
    }
}
