//! One ecosystem's release: which packages have which rows. Versions are numbers in the order of
//! their keys, so that an installed version is placed among them once and every range is then a
//! comparison of numbers.

use std::collections::BTreeSet;
use std::ops::Range;

use super::bytes::{Cursor, Problem, u32_at};
use super::{DbError, layout};
use crate::advisory::record::{Ecosystem, Naming, Status};
use crate::model::version::Scheme;

/// A release section in memory, its hash checked.
#[derive(Debug)]
pub struct Release {
    /// The ecosystem's release.
    pub ecosystem: Ecosystem,
    /// How its versions are ordered.
    pub scheme: Scheme,
    bytes: Vec<u8>,
    packages: Table,
    lists: Table,
    rows: Table,
    keys: Table,
    advisories: Table,
    cve_starts: Table,
    cves: Table,
    names: Range<usize>,
    key_bytes: Range<usize>,
    qualifiers: Vec<Qualifier>,
}

/// Where entries of one length lie.
#[derive(Debug, Clone, Copy, Default)]
struct Table {
    start: usize,
    count: u32,
    len: usize,
}

impl Table {
    fn entry<'a>(&self, bytes: &'a [u8], index: u32) -> Option<&'a [u8]> {
        if index >= self.count {
            return None;
        }
        let at = self.start.checked_add((index as usize).checked_mul(self.len)?)?;
        bytes.get(at..at.checked_add(self.len)?)
    }

    fn number(&self, bytes: &[u8], index: u32) -> Option<u32> {
        u32_at(self.entry(bytes, index)?, 0)
    }

    /// The numbers at `index` and after it.
    fn range(&self, bytes: &[u8], index: u32) -> Option<Range<u32>> {
        Some(self.number(bytes, index)?..self.number(bytes, index.checked_add(1)?)?)
    }
}

/// What narrows a row down beside the version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qualifier {
    /// The architecture.
    pub arch: Option<String>,
    /// The rpm module and stream.
    pub module: Option<String>,
    /// The repository.
    pub repository: Option<String>,
}

/// One range of affected versions of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeRow {
    /// The version's number that the range ends at, as `end` says.
    pub version: Option<u32>,
    /// The number of the first affected version; none: from the beginning.
    pub introduced: Option<u32>,
    /// The advisory's place in this release.
    pub advisory: u32,
    /// The position of the qualifier.
    pub qualifier: u16,
    /// What the vendor says.
    pub status: Status,
    /// How the range ends.
    pub end: RowEnd,
}

/// How the range of a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowEnd {
    /// Not at all: there is no fix.
    Open,
    /// The version and later ones are fixed.
    Fixed,
    /// The version is the last affected one.
    Last,
    /// Only the version itself is affected.
    Exact,
}

/// Where a version stands among the versions of a release: those below it are before `lower`, those
/// equal to it between `lower` and `upper`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    lower: u32,
    upper: u32,
}

impl RangeRow {
    /// Whether the version at this place is in the range.
    pub fn contains(&self, place: Place) -> bool {
        let begun = self.introduced.is_none_or(|first| first < place.upper);
        begun
            && match (self.end, self.version) {
                (RowEnd::Open, _) => true,
                (RowEnd::Fixed, Some(version)) => version >= place.upper,
                (RowEnd::Last, Some(version)) => version >= place.lower,
                (RowEnd::Exact, Some(version)) => (place.lower..place.upper).contains(&version),
                (_, None) => false,
            }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let version = |at| match u32_at(bytes, at) {
            Some(layout::NO_VERSION) => None,
            number => number,
        };
        let qualifier = u16::from_le_bytes(bytes.get(12..14)?.try_into().ok()?);
        let [status, end] = *bytes.get(14..16)? else { return None };
        Some(Self {
            version: version(0),
            introduced: version(4),
            advisory: u32_at(bytes, 8)?,
            qualifier,
            status: STATUSES.iter().find(|(_, byte)| *byte == status)?.0,
            end: ENDS.iter().find(|(_, byte)| *byte == end)?.0,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.version, self.introduced] {
            out.extend_from_slice(&number.unwrap_or(layout::NO_VERSION).to_le_bytes());
        }
        out.extend_from_slice(&self.advisory.to_le_bytes());
        out.extend_from_slice(&self.qualifier.to_le_bytes());
        let byte = |found: Option<u8>| found.unwrap_or_default();
        out.push(byte(STATUSES.iter().find(|(it, _)| *it == self.status).map(|(_, b)| *b)));
        out.push(byte(ENDS.iter().find(|(it, _)| *it == self.end).map(|(_, b)| *b)));
    }
}

/// The byte of each status.
const STATUSES: [(Status, u8); 6] = [
    (Status::Affected, 0),
    (Status::Deferred, 1),
    (Status::EndOfLife, 2),
    (Status::Unimportant, 3),
    (Status::NotAffected, 4),
    (Status::Undetermined, 5),
];

const ENDS: [(RowEnd, u8); 4] = [
    (RowEnd::Open, layout::END_OPEN),
    (RowEnd::Fixed, layout::END_FIXED),
    (RowEnd::Last, layout::END_LAST),
    (RowEnd::Exact, layout::END_EXACT),
];

/// The byte of each naming in the package directory.
pub(super) fn naming_byte(naming: Naming) -> u8 {
    match naming {
        Naming::Source => 0,
        Naming::Binary => 1,
    }
}

impl Release {
    /// Out of the bytes of a section. Only its frame is checked: every number in it is checked when
    /// it is used.
    ///
    /// # Errors
    /// What is wrong with the frame.
    pub fn decode(bytes: Vec<u8>, ecosystem: Ecosystem) -> Result<Self, Problem> {
        let mut cursor = Cursor(&bytes);
        let mut counts = [0u32; layout::RELEASE_COUNTS];
        for count in &mut counts {
            *count = cursor.u32()?;
        }
        let [scheme, packages, lists, rows, keys, advisories, cves, qualifiers, names, texts, end] =
            counts;
        let (scheme, _) =
            *Scheme::ALL.get(scheme as usize).ok_or("its version order is unknown")?;
        if end != 0 {
            return Err("its head is of another kind");
        }
        let mut start = layout::RELEASE_COUNTS * 4;
        let mut table = |count: u32, more: u32, len: usize| -> Result<Table, Problem> {
            let count = count.checked_add(more).ok_or("a count is too large")?;
            let table = Table { start, count, len };
            let size = (count as usize).checked_mul(len).ok_or("a count is too large")?;
            start = start.checked_add(size).ok_or("a count is too large")?;
            Ok(table)
        };
        let packages = table(packages, 0, layout::PACKAGE_LEN)?;
        let lists = table(lists, 1, 4)?;
        let rows = table(rows, 0, layout::ROW_LEN)?;
        let keys = table(keys, 1, 4)?;
        let advisory_table = table(advisories, 0, 4)?;
        let cve_starts = table(advisories, 1, 4)?;
        let cves = table(cves, 0, 4)?;
        let name_table = table(names, 0, 1)?;
        let key_table = table(texts, 0, 1)?;
        let mut cursor = Cursor(bytes.get(start..).ok_or("it ends too early")?);
        let mut found = Vec::new();
        for _ in 0..qualifiers {
            found.push(Qualifier {
                arch: cursor.option()?,
                module: cursor.option()?,
                repository: cursor.option()?,
            });
        }
        cursor.end()?;
        let area = |table: Table| table.start..table.start + table.count as usize;
        Ok(Self {
            ecosystem,
            scheme,
            packages,
            lists,
            rows,
            keys,
            advisories: advisory_table,
            cve_starts,
            cves,
            names: area(name_table),
            key_bytes: area(key_table),
            qualifiers: found,
            bytes,
        })
    }

    /// Whether every number in it has something to point at, and names and keys stand in order.
    pub(super) fn check(&self, advisories: u32, vulnerabilities: u32) -> Result<(), Problem> {
        let mut before = None;
        for index in 0..self.packages.count {
            let (name, naming, list) = self.package(index).ok_or("a package is out of place")?;
            std::str::from_utf8(name).map_err(|_| "a name is not UTF-8")?;
            if before.replace((name, naming)) >= Some((name, naming)) {
                return Err("its packages are not in order");
            }
            for row in self.list(list)? {
                let row = row?;
                self.qualifier(row.qualifier)?;
                let versions = [row.version, row.introduced].into_iter().flatten();
                if row.advisory >= self.advisories.count || versions.max() >= Some(self.versions())
                {
                    return Err("a row is out of place");
                }
            }
        }
        let mut before = None;
        for index in 0..self.versions() {
            let key = self.key(index).ok_or("a version is out of place")?;
            if before.replace(key) > Some(key) {
                return Err("its versions are not in order");
            }
        }
        for place in 0..self.advisories.count {
            if self.advisory(place)? >= advisories {
                return Err("an advisory is out of place");
            }
            for vulnerability in self.vulnerabilities(place)? {
                if vulnerability? >= vulnerabilities {
                    return Err("a vulnerability is out of place");
                }
            }
        }
        Ok(())
    }

    /// The bytes that it was decoded from.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many names of packages there are.
    pub fn packages(&self) -> u32 {
        self.packages.count
    }

    /// How many different rows there are.
    pub fn rows(&self) -> u32 {
        self.rows.count
    }

    /// The ranges of a package; none where nothing is said of it.
    pub fn find(
        &self,
        name: &str,
        naming: Naming,
    ) -> Result<impl Iterator<Item = Result<RangeRow, Problem>> + '_, Problem> {
        let wanted = (name.as_bytes(), naming_byte(naming));
        let (mut low, mut high) = (0, self.packages.count);
        let mut list = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let (name, naming, number) = self.package(middle).ok_or("a package is out of place")?;
            match (name, naming).cmp(&wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    list = Some(self.list(number)?);
                    break;
                }
            }
        }
        Ok(list.into_iter().flatten())
    }

    /// The rows of a list.
    fn list(
        &self,
        number: u32,
    ) -> Result<impl Iterator<Item = Result<RangeRow, Problem>> + '_, Problem> {
        let range = self.lists.range(&self.bytes, number).ok_or("a list is out of place")?;
        Ok(range.map(|row| {
            let row = self.rows.entry(&self.bytes, row).and_then(RangeRow::decode);
            row.ok_or("a row is out of place")
        }))
    }

    /// A package of the directory: name, naming and list.
    fn package(&self, index: u32) -> Option<(&[u8], u8, u32)> {
        let entry = self.packages.entry(&self.bytes, index)?;
        let at = u32_at(entry, 0)? as usize;
        let len = u16::from_le_bytes(entry.get(4..6)?.try_into().ok()?) as usize;
        let names = self.bytes.get(self.names.clone())?;
        Some((names.get(at..at.checked_add(len)?)?, *entry.get(6)?, u32_at(entry, 8)?))
    }

    /// Where a version's key stands.
    pub fn place(&self, key: &[u8]) -> Result<Place, Problem> {
        let lower = self.partition(|other| other < key)?;
        let upper = match self.key(lower) {
            Some(other) if other == key => self.partition(|other| other <= key)?,
            _ => lower,
        };
        Ok(Place { lower, upper })
    }

    fn key(&self, version: u32) -> Option<&[u8]> {
        let range = self.keys.range(&self.bytes, version)?;
        let keys = self.bytes.get(self.key_bytes.clone())?;
        keys.get(range.start as usize..range.end as usize)
    }

    /// The number of the first version whose key is not `below`.
    fn partition(&self, below: impl Fn(&[u8]) -> bool) -> Result<u32, Problem> {
        let (mut low, mut high) = (0, self.versions());
        while low < high {
            let middle = low + (high - low) / 2;
            if below(self.key(middle).ok_or("a version is out of place")?) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// How many versions there are.
    pub fn versions(&self) -> u32 {
        self.keys.count.saturating_sub(1)
    }

    /// That something in it is out of place.
    pub(in crate::advisory) fn damaged(&self, problem: Problem) -> DbError {
        DbError::malformed(format!("the index of {}", self.ecosystem), problem)
    }

    /// The qualifier at a position.
    pub fn qualifier(&self, position: u16) -> Result<&Qualifier, Problem> {
        self.qualifiers.get(usize::from(position)).ok_or("a qualifier is out of place")
    }

    /// The advisory's number in the database.
    pub fn advisory(&self, place: u32) -> Result<u32, Problem> {
        self.advisories.number(&self.bytes, place).ok_or("an advisory is out of place")
    }

    /// The numbers of the vulnerabilities that an advisory of this release is about.
    pub fn vulnerabilities(
        &self,
        advisory: u32,
    ) -> Result<impl Iterator<Item = Result<u32, Problem>> + '_, Problem> {
        let range = self.cve_starts.range(&self.bytes, advisory);
        Ok(range.ok_or("an advisory is out of place")?.map(|index| {
            self.cves.number(&self.bytes, index).ok_or("a vulnerability is out of place")
        }))
    }

    /// The places of the advisories that are about a vulnerability.
    pub fn about(&self, number: u32) -> Result<BTreeSet<u32>, Problem> {
        let mut places = BTreeSet::new();
        for place in 0..self.advisories.count {
            for found in self.vulnerabilities(place)? {
                if found? == number {
                    places.insert(place);
                }
            }
        }
        Ok(places)
    }

    /// The names of the packages that advisories at these places are about.
    pub fn names_in(&self, places: &BTreeSet<u32>) -> Result<BTreeSet<String>, Problem> {
        let mut names = BTreeSet::new();
        for index in 0..self.packages.count {
            let (name, _, list) = self.package(index).ok_or("a package is out of place")?;
            for row in self.list(list)? {
                if places.contains(&row?.advisory) {
                    let name = std::str::from_utf8(name).map_err(|_| "a name is not UTF-8")?;
                    names.insert(name.to_owned());
                    break;
                }
            }
        }
        Ok(names)
    }

    /// How many advisories are about this release.
    pub fn advisories(&self) -> u32 {
        self.advisories.count
    }
}
