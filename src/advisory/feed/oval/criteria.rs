//! A definition's expression as rows: which packages, and for each what else must hold.
//!
//! Only expressions that come to "this package, of this release" can be rows. A part that says
//! anything else is left out and counted.

use std::collections::BTreeMap;

use super::super::error::FeedError;
use super::super::platform;
use super::super::xml::Element;
use super::parts::{PackageTest, Parts, State};
use crate::advisory::record::{Ecosystem, End, Range, Status};

/// More packages than any real definition names; those of kernels name some thousand.
pub(super) const MAX_ROWS: usize = 200_000;

/// A package that makes a definition hold.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) package: String,
    pub(super) guard: Guard,
    /// What the expression itself says of it.
    pub(super) status: Option<Status>,
    pub(super) ranges: Vec<Range>,
    pub(super) versions: Vec<String>,
}

/// What must hold beside: any of these; `None`: nothing. An empty list holds nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) releases: Option<Vec<Ecosystem>>,
    pub(super) arches: Option<Vec<String>>,
    pub(super) modules: Option<Vec<String>>,
}

/// The rows of an expression, and what could not be a row.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: BTreeMap<&'static str, u64>,
}

/// Reads an expression. That of Red Hat's `unaffected` definitions asks for a package that is
/// installed and not installed, so that it never holds.
pub(super) fn rows(criteria: &Element, parts: &Parts, unaffected: bool) -> Result<Rows, FeedError> {
    let mut reader = Reader { parts, unaffected, count: 0, left_out: BTreeMap::new() };
    let rows = match reader.part(criteria)? {
        Part::Rows(rows) => rows,
        Part::Guard(_) => Vec::new(),
        Part::Unknown(reason) => {
            reader.leave_out(reason, 1);
            Vec::new()
        }
    };
    Ok(Rows { rows, left_out: reader.left_out })
}

/// What a part of an expression is.
enum Part {
    /// It only says where others count.
    Guard(Guard),
    /// It is about packages.
    Rows(Vec<Row>),
    /// It cannot be told, for this reason.
    Unknown(&'static str),
}

struct Reader<'a> {
    parts: &'a Parts,
    unaffected: bool,
    count: usize,
    left_out: BTreeMap<&'static str, u64>,
}

impl Reader<'_> {
    fn part(&mut self, element: &Element) -> Result<Part, FeedError> {
        if element.attribute("negate") == "true" {
            return Ok(Part::Unknown("a condition that must not hold"));
        }
        match (element.name.as_str(), element.attribute("operator")) {
            ("criterion" | "extend_definition", _) => self.leaf(element),
            ("criteria", "" | "AND") => self.all(element),
            ("criteria", "OR") => self.any(element),
            _ => Ok(Part::Unknown("an operator that is not known")),
        }
    }

    fn all(&mut self, element: &Element) -> Result<Part, FeedError> {
        let mut guard = Guard::default();
        let mut rows: Option<Vec<Row>> = None;
        let mut unknown = None;
        for child in children(element) {
            match self.part(child)? {
                Part::Guard(other) => guard.narrow(&other),
                Part::Unknown(reason) => unknown = Some(reason),
                Part::Rows(more) => match &mut rows {
                    None => rows = Some(more),
                    Some(rows) => {
                        unknown = Some("two packages at once");
                        rows.extend(more);
                    }
                },
            }
        }
        Ok(match (rows, unknown) {
            (None, None) => Part::Guard(guard),
            (None, Some(reason)) => Part::Unknown(reason),
            (Some(rows), Some(reason)) => {
                self.leave_out(reason, rows.len());
                Part::Rows(Vec::new())
            }
            (Some(mut rows), None) => {
                rows.iter_mut().for_each(|row| row.guard.narrow(&guard));
                Part::Rows(rows)
            }
        })
    }

    fn any(&mut self, element: &Element) -> Result<Part, FeedError> {
        let mut guard: Option<Guard> = None;
        let mut rows: Option<Vec<Row>> = None;
        let mut unknown = Vec::new();
        for child in children(element) {
            match self.part(child)? {
                Part::Guard(other) => match &mut guard {
                    None => guard = Some(other),
                    Some(guard) => guard.widen(other),
                },
                Part::Unknown(reason) => unknown.push(reason),
                Part::Rows(more) => rows.get_or_insert_default().extend(more),
            }
        }
        let Some(rows) = rows else {
            return Ok(match (unknown.first(), guard) {
                (Some(reason), _) => Part::Unknown(reason),
                (None, guard) => Part::Guard(guard.unwrap_or_default()),
            });
        };
        unknown.into_iter().for_each(|reason| self.leave_out(reason, 1));
        // Another product is no way for this one to be vulnerable; anything else would be.
        if guard.is_some_and(|guard| guard.releases.is_none_or(|releases| !releases.is_empty())) {
            self.leave_out("a condition without a package", 1);
        }
        Ok(Part::Rows(rows))
    }

    fn leaf(&mut self, element: &Element) -> Result<Part, FeedError> {
        let comment = element.attribute("comment").trim();
        let comment = comment.strip_suffix('.').unwrap_or(comment);
        let test = match element.attribute("test_ref") {
            "" => None,
            id => self.parts.package_test(id)?,
        };
        if self.unaffected && comment.ends_with(" is not installed") {
            return Ok(Part::Guard(Guard::default()));
        }
        if let Some(guard) = beside(comment, test.as_ref()) {
            return Ok(Part::Guard(guard));
        }
        let Some(test) = test else {
            return Ok(Part::Unknown("a condition on something other than packages"));
        };
        let Some(row) = row(comment, test.state) else {
            return Ok(Part::Unknown("a condition on a package that is not known"));
        };
        self.count += test.names.len();
        if self.count > MAX_ROWS {
            let problem = format!("a definition names more than {MAX_ROWS} packages");
            return Err(FeedError::TooLarge(problem));
        }
        let named = |name: &String| Row { package: name.clone(), ..row.clone() };
        Ok(Part::Rows(test.names.iter().map(named).collect()))
    }

    fn leave_out(&mut self, reason: &'static str, count: usize) {
        *self.left_out.entry(reason).or_default() += count as u64;
    }
}

fn children(element: &Element) -> impl Iterator<Item = &Element> {
    let logical = ["criteria", "criterion", "extend_definition"];
    element.children.iter().filter(move |child| logical.contains(&child.name.as_str()))
}

/// What a comment says where it is not about a vulnerable package.
fn beside(comment: &str, test: Option<&PackageTest<'_>>) -> Option<Guard> {
    let holds = Guard::default();
    let nowhere = Guard { releases: Some(Vec::new()), ..Guard::default() };
    if test.is_some_and(|test| test.state.key && test.state.evr.is_none())
        || comment.contains(" is signed with ")
        || comment.ends_with(" is currently running")
        || comment.ends_with(" is set to boot up on next boot")
        || comment == "all architecture"
    {
        return Some(holds);
    }
    if let Some(module) =
        comment.strip_prefix("Module ").and_then(|rest| rest.strip_suffix(" is enabled"))
    {
        return Some(Guard { modules: Some(vec![module.to_owned()]), ..holds });
    }
    if let Some((_, arch)) = comment.split_once(" arch is ") {
        return Some(Guard { arches: Some(vec![arch.to_owned()]), ..holds });
    }
    let product = comment
        .strip_suffix(" is installed")
        .or_else(|| comment.strip_suffix(" must be installed"))?;
    if let Some(release) = platform::of_name(product) {
        return Some(Guard { releases: Some(vec![release]), ..holds });
    }
    let about_release = |test: &PackageTest<'_>| test.names.iter().any(|name| is_release(name));
    test.is_none_or(about_release).then_some(nowhere)
}

/// Whether a package is the one that says which product a system is.
fn is_release(package: &str) -> bool {
    package.ends_with("-release") || package.starts_with("redhat-release")
}

/// A row without its name. `None` where the state asks for something else than a version.
fn row(comment: &str, state: State) -> Option<Row> {
    if state.other {
        return None;
    }
    let mut row = Row {
        package: String::new(),
        guard: Guard {
            arches: state.arches.filter(|arches| !is_every(arches)),
            ..Guard::default()
        },
        status: status(comment),
        ranges: Vec::new(),
        versions: Vec::new(),
    };
    if row.status == Some(Status::NotAffected) {
        return Some(row);
    }
    let Some((operation, version)) = state.evr else {
        row.ranges.push(Range::default());
        return Some(row);
    };
    let version = version.trim();
    let version = version.strip_prefix("0:").unwrap_or(version).trim_start().to_owned();
    let none = matches!(version.as_str(), "" | "0" | "0-0");
    let range = match operation.as_str() {
        "less than" => Range { introduced: None, end: End::Fixed(version) },
        "less than or equal" => Range { introduced: None, end: End::Last(version) },
        // Any version at all.
        "greater than" | "greater than or equal" if none => Range::default(),
        "greater than or equal" => Range { introduced: Some(version), end: End::Open },
        "equals" if !none => {
            row.versions.push(version);
            return Some(row);
        }
        _ => return None,
    };
    row.ranges.push(range);
    Some(row)
}

/// Whether these are all that an Enterprise Linux is built for.
fn is_every(arches: &[String]) -> bool {
    let has = |arch: &str| arches.iter().any(|known| known == arch);
    ["aarch64", "ppc64le", "s390x", "x86_64"].into_iter().all(has)
}

/// What a comment says of an installed package, in the words of Ubuntu, SUSE and Debian.
fn status(comment: &str) -> Option<Status> {
    let says = |words: &[&str]| words.iter().any(|word| comment.contains(word));
    if says(&["is not affected", "is related to the CVE in some way and has been fixed"]) {
        Some(Status::NotAffected)
    } else if says(&["may need fixing"]) {
        Some(Status::Undetermined)
    } else if says(&["no longer supported", "end of life", "end-of-life"]) {
        Some(Status::EndOfLife)
    } else if says(&["decision has been made to defer", "decision has been made to ignore"]) {
        Some(Status::Deferred)
    } else {
        None
    }
}

impl Guard {
    /// Both must hold.
    fn narrow(&mut self, other: &Self) {
        narrow(&mut self.releases, other.releases.as_ref());
        narrow(&mut self.arches, other.arches.as_ref());
        narrow(&mut self.modules, other.modules.as_ref());
    }

    /// One of both must hold.
    fn widen(&mut self, other: Self) {
        widen(&mut self.releases, other.releases);
        widen(&mut self.arches, other.arches);
        widen(&mut self.modules, other.modules);
    }
}

fn narrow<T: Clone + PartialEq>(list: &mut Option<Vec<T>>, other: Option<&Vec<T>>) {
    match (list.as_mut(), other) {
        (Some(list), Some(other)) => list.retain(|item| other.contains(item)),
        (None, Some(other)) => *list = Some(other.clone()),
        (_, None) => {}
    }
}

fn widen<T: PartialEq>(list: &mut Option<Vec<T>>, other: Option<Vec<T>>) {
    match (list.as_mut(), other) {
        (Some(list), Some(other)) => {
            for item in other {
                if !list.contains(&item) {
                    list.push(item);
                }
            }
        }
        _ => *list = None,
    }
}
