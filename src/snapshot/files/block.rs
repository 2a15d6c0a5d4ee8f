//! One block: its files one after the other, as rows. A block is read and checked whole, once;
//! afterwards any of its files is found without walking over those before it.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::index::{BlockPlace, Index};
use super::{comes_after, plain_columns, rank};
use crate::model::cell::{AbsPath, Cell, Fact, Mode};
use crate::model::facts::{FileClass, Row, path_order};
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
    /// Those with these paths, which stand in path order.
    Paths(&'w [&'w str]),
}

/// Columns by their place in the schema, with a cell for each file.
type Columns = Vec<(usize, Box<[Value]>)>;

/// How many files apart whole paths are kept.
const APART: usize = 16;
/// The most bytes of whole paths that are kept of one block; paths that share much can be many
/// times what the block has.
const WHOLE_PATHS: usize = 1 << 20;

/// A block that was read.
#[derive(Debug)]
pub(in crate::snapshot) struct Block {
    /// For each file, how many bytes its path shares with the one before, and where the rest ends
    /// in `bytes`.
    steps: Box<[(u32, u32)]>,
    bytes: Box<[u8]>,
    /// Some files and their whole paths, the first among them.
    whole: Vec<(usize, Box<[u8]>)>,
    /// For each file, its class by place in [`Index::classes`].
    classes: Box<[u32]>,
    /// Cells of the other columns that the schema knows, and where they go.
    columns: Columns,
}

impl Block {
    /// Reads a block of the index in its raw frame.
    pub(in crate::snapshot) fn decode(
        index: &Index,
        number: usize,
        frame: &[u8],
    ) -> Result<Self, Problem> {
        let place = index.blocks.get(number).ok_or("there is no such block")?;
        let bytes = frame.get(place.at..).and_then(|rest| rest.get(..place.len));
        let mut cursor = Cursor::new(bytes.ok_or("a block is not in its frame")?);
        let mut part = || cursor.bytes();
        let (shared, lens, bytes, classes) = (part()?, part()?, part()?, part()?);
        let mut bodies = Vec::with_capacity(index.stored.len());
        for _ in &index.stored {
            bodies.push(part()?);
        }
        cursor.end()?;
        // Path order has `/` and zero as equals, so a zero would let two paths stand as one.
        if bytes.contains(&0) {
            return Err("a path holds a zero byte".into());
        }
        let after = index.blocks.get(number + 1).map(|next| &*next.first);
        let (steps, whole) = steps(place, after, shared, lens, bytes)?;
        Ok(Self {
            steps,
            bytes: bytes.into(),
            whole,
            classes: self::classes(place, classes)?,
            columns: columns(index, place, &bodies)?,
        })
    }

    /// About how many bytes it takes.
    pub(in crate::snapshot) fn weight(&self) -> usize {
        let whole: usize = self.whole.iter().map(|(_, path)| path.len() + 32).sum();
        let cells = self.columns.len() * size_of::<Value>();
        self.steps.len() * (12 + cells) + self.bytes.len() + whole
    }

    /// Shows the files that are wanted, in path order.
    pub(in crate::snapshot) fn visit(
        &self,
        index: &Index,
        want: Want<'_>,
        visit: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Problem> {
        let mut template = Template::new(self, &index.classes)?;
        let mut walk = match want {
            Want::Under(prefix) => self.walk_before(prefix.as_bytes()),
            _ => self.walk(0),
        };
        if let Want::Paths(paths) = want {
            for path in paths {
                if let Some(row) = self.find(path)
                    && visit(template.fill(path, row)?).is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        while let Some(row) = walk.step() {
            let shown = match want {
                Want::Classes(wanted) => {
                    let class = self.classes.get(row).map_or(0, |class| *class as usize);
                    wanted.get(class).copied().unwrap_or(false)
                }
                Want::Under(prefix) => {
                    let under = walk.path.starts_with(prefix.as_bytes());
                    if !under && order(&walk.path, prefix.as_bytes()).is_gt() {
                        break;
                    }
                    under && walk.path.len() > prefix.len()
                }
                _ => true,
            };
            if shown {
                let path = std::str::from_utf8(&walk.path).map_err(|_| "a path is not UTF-8")?;
                if visit(template.fill(path, row)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The place of the file with this path.
    fn find(&self, wanted: &str) -> Option<usize> {
        let mut walk = self.walk_before(wanted.as_bytes());
        let end = self.whole.get(walk.from + 1).map_or(self.steps.len(), |(row, _)| *row);
        while let Some(row) = walk.step() {
            if walk.path == wanted.as_bytes() {
                return Some(row);
            }
            if row + 1 >= end {
                break;
            }
        }
        None
    }

    /// A walk from the last whole path that does not come after this one.
    fn walk_before(&self, path: &[u8]) -> Walk<'_> {
        let before = self.whole.partition_point(|(_, whole)| order(whole, path).is_le());
        self.walk(before.saturating_sub(1))
    }

    /// A walk from a whole path.
    fn walk(&self, from: usize) -> Walk<'_> {
        let (next, path) = match self.whole.get(from) {
            Some((row, path)) => (*row, path.to_vec()),
            None => (self.steps.len(), Vec::new()),
        };
        Walk { block: self, from, next, begun: false, path }
    }
}

/// [`path_order`] of bytes.
fn order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let next = |path: &[u8]| path.get(same).copied().map(rank);
    next(a).cmp(&next(b))
}

/// Goes over the paths of a block.
struct Walk<'b> {
    block: &'b Block,
    /// The whole path that it began with.
    from: usize,
    next: usize,
    begun: bool,
    path: Vec<u8>,
}

impl Walk<'_> {
    /// The place of the next file, whose path is then in `path`.
    fn step(&mut self) -> Option<usize> {
        let row = self.next;
        let (shared, end) = *self.block.steps.get(row)?;
        if self.begun {
            let start = row.checked_sub(1).and_then(|last| self.block.steps.get(last))?.1;
            let rest = self.block.bytes.get(start as usize..end as usize)?;
            self.path.truncate(shared as usize);
            self.path.extend_from_slice(rest);
        }
        self.begun = true;
        self.next += 1;
        Some(row)
    }
}

type Steps = (Box<[(u32, u32)]>, Vec<(usize, Box<[u8]>)>);

/// The paths of a block, each made of what it shares with the one before and the rest; and some of
/// them whole.
fn steps(
    place: &BlockPlace,
    after: Option<&str>,
    shared: &[u8],
    lens: &[u8],
    bytes: &[u8],
) -> Result<Steps, Problem> {
    let (mut all, mut lens, mut rests) = (Cursor::new(shared), Cursor::new(lens), bytes);
    let mut steps = Vec::with_capacity(place.rows);
    let mut whole: Vec<(usize, Box<[u8]>)> = Vec::with_capacity(place.rows / APART + 1);
    let mut kept = 0;
    let mut path: Vec<u8> = Vec::new();
    // A path is text where all bytes are ASCII; else each must be looked at.
    let ascii = bytes.is_ascii();
    for row in 0..place.rows {
        let shared = all.len(path.len(), "what a path shares")?;
        let len = lens.len(layout::MAX_FILE_TEXT, "the rest of a path")?;
        let (rest, others) = rests.split_at_checked(len).ok_or("a path ends too early")?;
        rests = others;
        if shared + len > layout::MAX_FILE_TEXT {
            return Err("a path is too long".into());
        }
        if row == 0 {
            if rest != place.first.as_bytes() {
                return Err("a block begins with another path than the index says".into());
            }
        } else if !comes_after(&path, shared, rest) {
            return Err("the files are not in path order".into());
        }
        path.truncate(shared);
        path.extend_from_slice(rest);
        if !ascii && std::str::from_utf8(&path).is_err() {
            return Err("a path is not UTF-8".into());
        }
        let apart = whole.last().is_none_or(|(last, _)| row - last >= APART);
        if apart && (row == 0 || kept + path.len() <= WHOLE_PATHS) {
            kept += path.len();
            whole.push((row, path.as_slice().into()));
        }
        steps.push((shared as u32, (bytes.len() - rests.len()) as u32));
    }
    all.end()?;
    lens.end()?;
    if !rests.is_empty() {
        return Err("a block has bytes of no path".into());
    }
    let last = std::str::from_utf8(&path).map_err(|_| "a path is not UTF-8")?;
    if after.is_some_and(|after| !path_order(last, after).is_lt()) {
        return Err("the blocks are not in path order".into());
    }
    Ok((steps.into(), whole))
}

fn classes(place: &BlockPlace, bytes: &[u8]) -> Result<Box<[u32]>, Problem> {
    let mut cursor = Cursor::new(bytes);
    let mut classes = Vec::with_capacity(place.rows);
    for _ in 0..place.rows {
        let class = cursor.len(place.classes.len(), "a class of a block")?;
        classes.push(*place.classes.get(class).ok_or("a file has no class")?);
    }
    cursor.end()?;
    Ok(classes.into())
}

fn at(name: &str) -> Result<usize, Problem> {
    File::TABLE.column(name).ok_or_else(|| format!("files have no column {name}"))
}

fn columns(index: &Index, place: &BlockPlace, bodies: &[&[u8]]) -> Result<Columns, Problem> {
    let mut columns = Vec::new();
    for (column, found) in plain_columns().zip(&index.wanted) {
        let found = found.and_then(|at| Some((*bodies.get(at)?, index.stored.get(at)?)));
        let Some((bytes, described)) = found else { continue };
        let mut cells = Cells::new(bytes, described, column, place.rows)?;
        let mut values = Vec::with_capacity(place.rows);
        for _ in 0..place.rows {
            let value = cells.next(&mut 0)?;
            if !column::fits(&value, column) {
                return Err(format!("a value of {} does not fit", column.name));
            }
            values.push(value);
        }
        cells.end()?;
        columns.push((at(column.name)?, values.into()));
    }
    Ok(columns)
}

/// The row that is shown: its cells are filled again for each file.
struct Template<'a> {
    cells: Vec<Value>,
    block: &'a Block,
    classes: &'a [FileClass],
    /// The class that the cells have.
    class: Option<u32>,
    path_at: usize,
    class_at: [usize; 4],
}

impl<'a> Template<'a> {
    fn new(block: &'a Block, classes: &'a [FileClass]) -> Result<Self, Problem> {
        Ok(Self {
            cells: vec![Value::Null; File::TABLE.columns.len()],
            block,
            classes,
            class: None,
            path_at: at("path")?,
            class_at: [at("kind")?, at("mode")?, at("uid")?, at("gid")?],
        })
    }

    fn fill(&mut self, path: &str, row: usize) -> Result<Row<'_>, Problem> {
        let place = self.block.classes.get(row).copied();
        let class = place.and_then(|place| self.classes.get(place as usize));
        let class = *class.ok_or("there is no such class")?;
        let mut put = |at: usize, value: Value| {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = value;
            }
        };
        put(self.path_at, AbsPath(Arc::from(path)).into_value());
        if self.class != place {
            self.class = place;
            let values = [
                class.kind.into_value(),
                Mode(class.mode).into_value(),
                class.uid.into_value(),
                class.gid.into_value(),
            ];
            self.class_at.into_iter().zip(values).for_each(|(at, value)| put(at, value));
        }
        for (at, values) in &self.block.columns {
            put(*at, values.get(row).cloned().unwrap_or_default());
        }
        Ok(Row::new(File::TABLE, &self.cells))
    }
}
