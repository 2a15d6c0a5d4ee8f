//! Building the section of one release.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bytes::put_option;
use super::release::{Qualifier, RangeRow, RowEnd, naming_byte};
use super::{DbError, blocks, layout};
use crate::advisory::record::{Affected, Ecosystem, End};
use crate::model::version::Scheme;

/// The rows of one release, while they are collected. Versions and advisories have the numbers
/// they were met in.
pub(super) struct ReleaseBuilder {
    scheme: Scheme,
    packages: BTreeMap<(String, u8), BTreeSet<RangeRow>>,
    versions: HashMap<String, u32>,
    qualifiers: Vec<Qualifier>,
    normal_names: bool,
}

/// The sections of one release.
pub(super) struct Built {
    pub(super) index: Vec<u8>,
    pub(super) versions: blocks::Writer,
}

/// How the versions of an ecosystem are ordered.
fn scheme(ecosystem: &Ecosystem) -> Scheme {
    let language = match &*ecosystem.name {
        "PyPI" => Scheme::Pypi,
        "RubyGems" => Scheme::Gem,
        "Maven" => Scheme::Maven,
        _ => Scheme::Semver,
    };
    ecosystem.manager().and_then(Scheme::parse).unwrap_or(language)
}

impl ReleaseBuilder {
    pub(super) fn new(ecosystem: &Ecosystem) -> Self {
        Self {
            scheme: scheme(ecosystem),
            packages: BTreeMap::new(),
            versions: HashMap::new(),
            qualifiers: Vec::new(),
            normal_names: ecosystem.name == "PyPI",
        }
    }

    fn version(&mut self, version: &str) -> Result<u32, DbError> {
        if version.len() > layout::MAX_VERSION {
            return Err(DbError::TooLarge("the length of a version"));
        }
        let next = number(self.versions.len(), "the number of versions")?;
        Ok(*self.versions.entry(version.to_owned()).or_insert(next))
    }

    pub(super) fn add(&mut self, affected: Affected, advisory: u32) -> Result<(), DbError> {
        let qualifier = Qualifier {
            arch: affected.arch,
            module: affected.module,
            repository: affected.repository,
        };
        let qualifier = match self.qualifiers.iter().position(|known| *known == qualifier) {
            Some(position) => position,
            None => {
                self.qualifiers.push(qualifier);
                self.qualifiers.len() - 1
            }
        };
        let qualifier = u16::try_from(qualifier)
            .map_err(|_| DbError::TooLarge("the number of modules and repositories"))?;
        let row = |version, introduced, end| RangeRow {
            version,
            introduced,
            advisory,
            qualifier,
            status: affected.status,
            end,
        };
        let mut rows = Vec::new();
        for range in &affected.ranges {
            let introduced = match range.introduced.as_deref() {
                None | Some("0") => None,
                Some(version) => Some(self.version(version)?),
            };
            rows.push(match &range.end {
                End::Open => row(None, introduced, RowEnd::Open),
                End::Fixed(version) => row(Some(self.version(version)?), introduced, RowEnd::Fixed),
                End::Last(version) => row(Some(self.version(version)?), introduced, RowEnd::Last),
            });
        }
        for version in &affected.versions {
            // What a range says already would only make the database larger.
            let scheme = self.scheme;
            let in_range = affected.ranges.iter().any(|range| {
                let begun = range
                    .introduced
                    .as_deref()
                    .is_none_or(|first| first == "0" || scheme.compare(version, first).is_ge());
                begun
                    && match &range.end {
                        End::Open => true,
                        End::Fixed(end) => scheme.compare(version, end).is_lt(),
                        End::Last(end) => scheme.compare(version, end).is_le(),
                    }
            });
            if !in_range {
                rows.push(row(Some(self.version(version)?), None, RowEnd::Exact));
            }
        }
        if rows.is_empty() && affected.versions.is_empty() {
            rows.push(row(None, None, RowEnd::Open));
        }
        let name =
            if self.normal_names { normal_name(&affected.package) } else { affected.package };
        if name.len() > usize::from(u16::MAX) {
            return Err(DbError::TooLarge("the length of a package's name"));
        }
        self.packages.entry((name, naming_byte(affected.naming))).or_default().extend(rows);
        Ok(())
    }

    /// The sections, with advisories and vulnerabilities numbered as the database has them.
    pub(super) fn finish(
        &self,
        advisory_numbers: &[u32],
        cves: &dyn Fn(u32) -> Vec<u32>,
    ) -> Result<Built, DbError> {
        let (keys, texts, version_numbers) = self.sorted_versions();
        let mut qualifiers: Vec<&Qualifier> = self.qualifiers.iter().collect();
        qualifiers.sort();
        let qualifier_numbers: Vec<u16> = self
            .qualifiers
            .iter()
            .map(|qualifier| qualifiers.binary_search(&qualifier).unwrap_or_default() as u16)
            .collect();
        // The advisories of this release, in the order of their numbers in the database.
        let used: BTreeMap<u32, u32> = self
            .packages
            .values()
            .flatten()
            .filter_map(|row| Some((*advisory_numbers.get(row.advisory as usize)?, row.advisory)))
            .collect();
        let places: HashMap<u32, u32> =
            used.values().zip(0..).map(|(old, place)| (*old, place)).collect();

        let (mut directory, mut names) = (Vec::new(), Vec::new());
        let (mut starts, mut rows) = (vec![0u32], Vec::new());
        let mut lists: HashMap<Vec<RangeRow>, u32> = HashMap::new();
        let version =
            |old: Option<u32>| old.and_then(|old| version_numbers.get(old as usize).copied());
        let mut row_count: u32 = 0;
        for ((name, naming), drafts) in &self.packages {
            let mut list: Vec<RangeRow> = drafts
                .iter()
                .map(|row| RangeRow {
                    version: version(row.version),
                    introduced: version(row.introduced),
                    advisory: places.get(&row.advisory).copied().unwrap_or_default(),
                    qualifier: qualifier_numbers
                        .get(usize::from(row.qualifier))
                        .copied()
                        .unwrap_or_default(),
                    ..*row
                })
                .collect();
            list.sort();
            let next = number(lists.len(), "the number of packages")?;
            let list_number = match lists.get(&list) {
                Some(known) => *known,
                None => {
                    list.iter().for_each(|row| row.encode(&mut rows));
                    row_count = number(list.len(), "the number of rows")?
                        .checked_add(row_count)
                        .ok_or(DbError::TooLarge("the number of rows"))?;
                    starts.push(row_count);
                    lists.insert(list, next);
                    next
                }
            };
            directory.extend_from_slice(&number(names.len(), "the names")?.to_le_bytes());
            directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
            directory.extend_from_slice(&[*naming, 0]);
            directory.extend_from_slice(&list_number.to_le_bytes());
            names.extend_from_slice(name.as_bytes());
        }
        let (mut cve_starts, mut cve_numbers) = (vec![0u32], Vec::new());
        for old in used.values() {
            cve_numbers.extend(cves(*old));
            cve_starts.push(number(cve_numbers.len(), "the number of vulnerabilities")?);
        }
        let (mut key_starts, mut key_bytes) = (vec![0u32], Vec::new());
        for key in &keys {
            key_bytes.extend_from_slice(key);
            key_starts.push(number(key_bytes.len(), "the versions")?);
        }
        let scheme = Scheme::ALL.iter().position(|(scheme, _)| *scheme == self.scheme);
        let mut index = Vec::new();
        for count in [
            scheme.unwrap_or_default(),
            self.packages.len(),
            lists.len(),
            row_count as usize,
            keys.len(),
            used.len(),
            cve_numbers.len(),
            qualifiers.len(),
            names.len(),
            key_bytes.len(),
            0,
        ] {
            index.extend_from_slice(&number(count, "a release")?.to_le_bytes());
        }
        let put = |index: &mut Vec<u8>, numbers: &mut dyn Iterator<Item = u32>| {
            numbers.for_each(|number| index.extend_from_slice(&number.to_le_bytes()));
        };
        index.extend(directory);
        put(&mut index, &mut starts.into_iter());
        index.extend(rows);
        put(&mut index, &mut key_starts.into_iter());
        put(&mut index, &mut used.keys().copied());
        put(&mut index, &mut cve_starts.into_iter());
        put(&mut index, &mut cve_numbers.into_iter());
        index.extend(names);
        index.extend(key_bytes);
        for qualifier in qualifiers {
            for text in [&qualifier.arch, &qualifier.module, &qualifier.repository] {
                put_option(&mut index, text.as_deref());
            }
        }
        let mut versions = blocks::Writer::default();
        for text in texts {
            versions.push(text.as_bytes())?;
        }
        Ok(Built { index, versions })
    }

    /// Keys and texts in rising order, and for every version its place there.
    fn sorted_versions(&self) -> (Vec<Vec<u8>>, Vec<&str>, Vec<u32>) {
        let mut sorted: Vec<(Vec<u8>, &str, u32)> = Vec::with_capacity(self.versions.len());
        // The order of a hash map does not matter: it is sorted at once.
        #[expect(clippy::iter_over_hash_type, reason = "sorted before it is used")]
        for (text, number) in &self.versions {
            sorted.push((self.scheme.key(text), text, *number));
        }
        sorted.sort();
        let mut places = vec![0; sorted.len()];
        for (place, (_, _, old)) in (0u32..).zip(&sorted) {
            if let Some(slot) = places.get_mut(*old as usize) {
                *slot = place;
            }
        }
        let texts = sorted.iter().map(|(_, text, _)| *text).collect();
        (sorted.into_iter().map(|(key, _, _)| key).collect(), texts, places)
    }
}

fn number(value: usize, what: &'static str) -> Result<u32, DbError> {
    u32::try_from(value).ok().filter(|n| *n != layout::NO_VERSION).ok_or(DbError::TooLarge(what))
}

/// PyPI's names: lower case, one dash for every run of dots, dashes and underscores.
pub(super) fn normal_name(name: &str) -> String {
    let words = name.split(['.', '-', '_']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
