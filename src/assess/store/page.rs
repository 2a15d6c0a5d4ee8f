//! One page of a list: by the number of the last row that was shown, so that what is added or
//! deleted between two pages neither repeats nor hides anything.

use rusqlite::{Params, Statement};

use super::Result;

/// Which rows to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only rows after this number.
    pub after: i64,
    /// At most so many.
    pub limit: usize,
}

impl Page {
    /// The first page, of this size.
    pub const fn first(limit: usize) -> Self {
        Self { after: 0, limit }
    }

    /// How rows that come after are compared, and sorted, in SQL.
    pub(super) const fn direction(self, newest_first: bool) -> (&'static str, &'static str) {
        if newest_first { ("<", "DESC") } else { (">", "ASC") }
    }

    /// The number that the rows come after; before the first page, every number does.
    pub(super) const fn start(self, newest_first: bool) -> i64 {
        if newest_first && self.after == 0 { i64::MAX } else { self.after }
    }

    /// One row more than is shown, to know whether there are more.
    pub(super) fn probe(self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// A page, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was asked for.
    pub items: Vec<T>,
    /// The number of the last row, where there are more.
    pub next: Option<i64>,
}

impl<T> Listed<T> {
    /// A page of rows with their numbers, of which there is one too many where more exist.
    pub(super) fn of(rows: Vec<(i64, T)>, page: Page) -> Self {
        let more = rows.len() > page.limit;
        let shown: Vec<(i64, T)> = rows.into_iter().take(page.limit).collect();
        let next = shown.last().map(|(id, _)| *id).filter(|_| more);
        Self { items: shown.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// A page of ARNs from a query whose rows are `id, arn`.
pub(super) fn arns(
    statement: &mut Statement<'_>,
    parameters: impl Params,
    page: Page,
) -> Result<Listed<String>> {
    let rows = statement
        .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    Ok(Listed::of(rows, page))
}
