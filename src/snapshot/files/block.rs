//! One block: its files one after the other, as rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::index::{BlockPlace, Index};
use super::{comes_after, plain_columns};
use crate::model::cell::{AbsPath, Cell, Fact, Mode};
use crate::model::facts::{Row, path_order};
use crate::model::table::File;
use crate::model::value::Value;
use crate::snapshot::bytes::{Cursor, Problem};
use crate::snapshot::column::{self, Cells};
use crate::snapshot::layout;

/// Which files of a block are shown.
#[derive(Clone, Copy)]
pub(in crate::snapshot) enum Want<'w> {
    /// All.
    All,
    /// Those of the classes that are true here, by place in [`Index::classes`].
    Classes(&'w [bool]),
    /// Those below the directory with this path, which ends in a slash.
    Under(&'w str),
    /// The one in this place.
    Row(usize),
    /// Those with these paths, which stand in path order.
    Paths(&'w [&'w str]),
}

/// A block's bytes, cut into its parts.
pub(in crate::snapshot) struct Block<'a> {
    place: &'a BlockPlace,
    index: &'a Index,
    /// The first path of the block after this one.
    after: Option<&'a str>,
    shared: Cursor<'a>,
    lens: Cursor<'a>,
    bytes: Cursor<'a>,
    classes: Cursor<'a>,
    columns: Vec<&'a [u8]>,
}

impl<'a> Block<'a> {
    /// A block of the index, in its raw frame.
    pub(in crate::snapshot) fn new(
        index: &'a Index,
        number: usize,
        frame: &'a [u8],
    ) -> Result<Self, Problem> {
        let place = index.blocks.get(number).ok_or("there is no such block")?;
        let bytes = frame.get(place.at..).and_then(|rest| rest.get(..place.len));
        let mut cursor = Cursor::new(bytes.ok_or("a block is not in its frame")?);
        let mut part = || cursor.bytes();
        let (shared, lens, bytes, classes) = (part()?, part()?, part()?, part()?);
        let mut columns = Vec::with_capacity(index.stored.len());
        for _ in &index.stored {
            columns.push(part()?);
        }
        cursor.end()?;
        // Path order has `/` and zero as equals, so a zero would let two paths stand as one.
        if bytes.contains(&0) {
            return Err("a path holds a zero byte".into());
        }
        Ok(Self {
            place,
            index,
            after: index.blocks.get(number + 1).map(|next| &*next.first),
            shared: Cursor::new(shared),
            lens: Cursor::new(lens),
            bytes: Cursor::new(bytes),
            classes: Cursor::new(classes),
            columns,
        })
    }

    /// The place of the file with this path.
    pub(in crate::snapshot) fn find(&self, wanted: &str) -> Result<Option<usize>, Problem> {
        let mut paths = self.paths();
        for row in 0..self.place.rows {
            paths.step(row)?;
            if paths.path == wanted.as_bytes() {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn paths(&self) -> Paths<'a> {
        Paths {
            first: &self.place.first,
            shared: self.shared,
            lens: self.lens,
            bytes: self.bytes,
            path: Vec::new(),
        }
    }

    /// Shows the files that are wanted, in path order. What is passed over is checked like what
    /// is shown, up to the last file that is.
    pub(in crate::snapshot) fn visit(
        &self,
        want: Want<'_>,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Problem> {
        let kept: Vec<bool> = match want {
            Want::Classes(wanted) => (self.place.classes.iter())
                .map(|class| wanted.get(*class as usize).copied().unwrap_or(false))
                .collect(),
            _ => vec![true; self.place.classes.len()],
        };
        let mut left = match want {
            Want::Paths(paths) => paths,
            _ => &[],
        };
        let mut template = Template::new(self)?;
        let mut paths = self.paths();
        let mut classes = self.classes;
        for row in 0..self.place.rows {
            let path = paths.step(row)?;
            let class = classes.len(kept.len().saturating_sub(1), "a class of a block")?;
            let class_kept = *kept.get(class).ok_or("a file has no class")?;
            template.step()?;
            let shown = match want {
                Want::All => true,
                Want::Classes(_) => class_kept,
                Want::Under(prefix) => {
                    path.len() > prefix.len() && path.starts_with(prefix.as_bytes())
                }
                Want::Row(wanted) => row == wanted,
                Want::Paths(_) => {
                    let before = |wanted: &&str| order(wanted.as_bytes(), path).is_lt();
                    left = &left[left.iter().take_while(|wanted| before(wanted)).count()..];
                    match left.first() {
                        Some(wanted) => wanted.as_bytes() == path,
                        None => return Ok(ControlFlow::Continue(())),
                    }
                }
            };
            if shown {
                let path = std::str::from_utf8(path).map_err(|_| "a path is not UTF-8")?;
                if visit(template.fill(path, class)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        paths.end(self.after)?;
        classes.end()?;
        template.end()?;
        Ok(ControlFlow::Continue(()))
    }
}

/// [`path_order`] of bytes.
fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.iter().map(key).cmp(b.iter().map(key))
}

/// The paths of a block, each made of what it shares with the one before and the rest.
struct Paths<'a> {
    first: &'a str,
    shared: Cursor<'a>,
    lens: Cursor<'a>,
    bytes: Cursor<'a>,
    path: Vec<u8>,
}

impl Paths<'_> {
    fn step(&mut self, row: usize) -> Result<&[u8], Problem> {
        let shared = self.shared.len(self.path.len(), "what a path shares")?;
        let len = self.lens.len(layout::MAX_FILE_TEXT, "the rest of a path")?;
        let rest = self.bytes.take(len)?;
        if shared + len > layout::MAX_FILE_TEXT {
            return Err("a path is too long".into());
        }
        if row == 0 {
            if rest != self.first.as_bytes() {
                return Err("a block begins with another path than the index says".into());
            }
        } else if !comes_after(&self.path, shared, rest) {
            return Err("the files are not in path order".into());
        }
        self.path.truncate(shared);
        self.path.extend_from_slice(rest);
        Ok(&self.path)
    }

    fn end(&self, after: Option<&str>) -> Result<(), Problem> {
        self.shared.end()?;
        self.lens.end()?;
        self.bytes.end()?;
        let last = std::str::from_utf8(&self.path).map_err(|_| "a path is not UTF-8")?;
        if after.is_some_and(|after| !path_order(last, after).is_lt()) {
            return Err("the blocks are not in path order".into());
        }
        Ok(())
    }
}

/// The row that is shown: its cells are filled again for each file.
struct Template<'a> {
    cells: Vec<Value>,
    /// The columns of the block that the schema knows, and where their cells go.
    plain: Vec<(usize, &'static crate::model::schema::Column, Cells<'a>)>,
    current: Vec<Value>,
    classes: Vec<[(usize, Value); 4]>,
    path_at: usize,
}

fn at(name: &str) -> Result<usize, Problem> {
    File::TABLE.column(name).ok_or_else(|| format!("files have no column {name}"))
}

impl<'a> Template<'a> {
    fn new(block: &Block<'a>) -> Result<Self, Problem> {
        let mut plain = Vec::new();
        for (column, place) in plain_columns().zip(&block.index.wanted) {
            let found = place.and_then(|place| {
                Some((*block.columns.get(place)?, block.index.stored.get(place)?))
            });
            if let Some((bytes, described)) = found {
                let cells = Cells::new(bytes, described, column, block.place.rows)?;
                plain.push((at(column.name)?, column, cells));
            }
        }
        let (kind, mode, uid, gid) = (at("kind")?, at("mode")?, at("uid")?, at("gid")?);
        let mut classes = Vec::with_capacity(block.place.classes.len());
        for class in &block.place.classes {
            let class = block.index.classes.get(*class as usize).ok_or("there is no such class")?;
            classes.push([
                (kind, class.kind.into_value()),
                (mode, Mode(class.mode).into_value()),
                (uid, class.uid.into_value()),
                (gid, class.gid.into_value()),
            ]);
        }
        let current = vec![Value::Null; plain.len()];
        let cells = vec![Value::Null; File::TABLE.columns.len()];
        Ok(Self { cells, plain, current, classes, path_at: at("path")? })
    }

    /// Moves to the next file.
    fn step(&mut self) -> Result<(), Problem> {
        for ((_, column, cells), current) in self.plain.iter_mut().zip(&mut self.current) {
            *current = cells.next(&mut 0)?;
            if !column::fits(current, column) {
                return Err(format!("a value of {} does not fit", column.name));
            }
        }
        Ok(())
    }

    fn fill(&mut self, path: &str, class: usize) -> Result<Row<'_>, Problem> {
        let mut put = |at: usize, value: Value| {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = value;
            }
        };
        put(self.path_at, AbsPath(Arc::from(path)).into_value());
        for (at, value) in self.classes.get(class).ok_or("a file has no class")? {
            put(*at, value.clone());
        }
        for ((at, _, _), current) in self.plain.iter().zip(&mut self.current) {
            put(*at, std::mem::take(current));
        }
        Ok(Row::new(File::TABLE, &self.cells))
    }

    fn end(&self) -> Result<(), Problem> {
        self.plain.iter().try_for_each(|(_, _, cells)| cells.end())
    }
}
