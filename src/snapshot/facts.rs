//! A snapshot as a source of facts.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Snapshot;
use super::files::Want;
use super::reader::too_new;
use crate::model::cell::Fact;
use crate::model::facts::{FactSource, FileClass, Row, Rows};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::File;

type Result<T> = std::result::Result<T, FactError>;

impl FactSource for Snapshot {
    fn state(&self, table: &TableSchema) -> TableState {
        match self.entry(table.name) {
            Some(entry) => match too_new(entry) {
                Ok(()) => entry.state.clone(),
                Err(error) => TableState::absent(error.to_string()),
            },
            None => TableState::absent(format!("the snapshot has no {} table", table.name)),
        }
    }

    fn fingerprint(&self, table: &TableSchema) -> Result<Option<[u8; 32]>> {
        let Some(entry) = self.entry(table.name) else { return Ok(Some([0; 32])) };
        self.check_frames(entry)?;
        Ok(Some(entry.hash()))
    }

    fn rows(&self, table: &'static TableSchema) -> Result<Arc<Rows>> {
        // What a newer assay wrote is absent, as the state says, and not damage.
        if matches!(self.state(table), TableState::Absent(_)) {
            return Ok(Arc::new(Rows::new(table)));
        }
        Ok(Arc::new(self.decode(table)?))
    }

    fn file(&self, path: &str) -> Result<Option<File>> {
        let mut found = None;
        self.files_at(&[path], &mut |row| {
            found = File::from_row(row);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    fn files_at(
        &self,
        paths: &[&str],
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        if matches!(self.state(File::TABLE), TableState::Absent(_)) {
            return Ok(());
        }
        let Some((_, index)) = self.index()? else { return Ok(()) };
        let mut rest = paths;
        while let Some(first) = rest.first() {
            let block = index.block_of(first);
            let end = rest.partition_point(|path| index.block_of(path) <= block);
            let (here, after) = rest.split_at(end);
            rest = after;
            if let Some(block) = block
                && self.visit_block(block, Want::Paths(here), visit)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn scan_files(
        &self,
        keep: &dyn Fn(FileClass) -> bool,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        if matches!(self.state(File::TABLE), TableState::Absent(_)) {
            return Ok(());
        }
        let Some((_, index)) = self.index()? else { return Ok(()) };
        let wanted: Vec<bool> = index.classes.iter().map(|class| keep(*class)).collect();
        for (number, block) in index.blocks.iter().enumerate() {
            let held = |class: &u32| wanted.get(*class as usize).copied().unwrap_or(false);
            if block.classes.iter().any(held)
                && self.visit_block(number, Want::Classes(&wanted), visit)?.is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn files_under(
        &self,
        directory: &str,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        if matches!(self.state(File::TABLE), TableState::Absent(_)) {
            return Ok(());
        }
        let Some((_, index)) = self.index()? else { return Ok(()) };
        // All that begins with the directory and a slash stands together in path order.
        let prefix = format!("{}/", directory.strip_suffix('/').unwrap_or(directory));
        let first = index.block_of(&prefix).unwrap_or(0);
        for (number, block) in index.blocks.iter().enumerate().skip(first) {
            if number > first && !block.first.starts_with(&prefix) {
                break;
            }
            if self.visit_block(number, Want::Under(&prefix), visit)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
