//! A host's packages and databases to matches: which vulnerabilities the host has, by which
//! packages, and what could not be judged.
//!
//! - `subject`: what is judged, and the names and versions by which feeds know it.
//! - `kernel`: which of several kernels runs, and what live patches mend.
//! - `decide`: one package and one row of a feed.
//! - `exception`: statements that silence a match.
//! - [`explain`]: the same decisions, told for one vulnerability.
//! - [`support`]: when releases stop to get updates.

mod decide;
mod exception;
pub mod explain;
mod gather;
mod kernel;
mod subject;
pub mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::db::{AdvisoryText, Database, DbError, Release, VulnerabilityText};
use super::ecosystem::of_host;
use super::record::{Ecosystem, Status};
use super::red_hat;
use crate::model::state::FactError;
use crate::model::table::{Host, LanguagePackage, Package};
use crate::model::view::View;

use self::exception::Silencer;
use self::gather::Gathered;
use self::subject::{Subject, Subjects};

pub use kernel::Kernel;

/// Databases, and what is wanted of them.
#[derive(Debug, Clone, Copy)]
pub struct Matcher<'a> {
    /// The databases; a vulnerability that several have is one.
    pub databases: &'a [Database],
    /// Whether vulnerabilities without a fix count, and those that the vendor finds unimportant.
    pub include_unfixed: bool,
}

/// What was found on one host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matches {
    /// The vulnerabilities, in the order of their ids.
    pub found: Vec<Found>,
    /// How far the distribution's packages could be judged.
    pub packages: Coverage,
    /// How far the packages of language ecosystems could be judged.
    pub languages: Coverage,
    /// How many vulnerabilities were left out because they have no fix or are unimportant.
    pub hidden: usize,
}

/// How far packages of one sort could be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many packages were judged.
    pub judged: usize,
    /// Why some could not be, sorted.
    pub doubts: Vec<String>,
    /// Why there was nothing to judge, where there was nothing.
    pub nothing: Option<String>,
}

/// A vulnerability that the host has.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The CVE, or the id of an advisory that names none.
    pub id: String,
    /// What is known of it, of all databases together.
    pub known: VulnerabilityText,
    /// The advisories that say so.
    pub advisories: Vec<Arc<Source>>,
    /// The packages that have it.
    pub hits: Vec<Hit>,
}

/// An advisory, and the feed that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// What it says.
    pub text: AdvisoryText,
    /// The feed's kind and name.
    pub feed: String,
}

/// A package that has a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Where it was seen: `package NAME`, or the file of a language package.
    pub location: Arc<str>,
    /// The package with its version, as Inspector names packages.
    pub label: Arc<str>,
    /// The installed version that was compared.
    pub version: Arc<str>,
    /// The first version without the vulnerability; none where there is no fix.
    pub fixed: Option<String>,
    /// What the vendor says.
    pub status: Status,
    /// Where it is a package of one of several kernels: which one.
    pub kernel: Option<Kernel>,
    /// Whether it is a package of a language ecosystem.
    pub language: bool,
    /// The position of the advisory.
    pub advisory: usize,
}

impl Matcher<'_> {
    /// The vulnerabilities of a host.
    ///
    /// # Errors
    /// The bytes behind its facts, or of a database, are damaged.
    pub fn judge(&self, view: &View<'_>) -> Result<Matches, FactError> {
        let (matches, _) = self.matches(&Inventory::of(view)?)?;
        Ok(matches)
    }

    fn matches(&self, inventory: &Inventory) -> Result<(Matches, Gathered), DbError> {
        let mut gathered = Gathered::default();
        let packages = self.packages(inventory, &mut gathered)?;
        let languages = self.languages(inventory, &mut gathered)?;
        let hidden = gathered.hidden();
        let silencer = self.silencer(inventory);
        let found = gathered.finish(self.databases, &inventory.all(), &silencer)?;
        Ok((Matches { found, packages, languages, hidden }, gathered))
    }

    fn silencer<'a>(&'a self, inventory: &'a Inventory) -> Silencer<'a> {
        let os = inventory.os.as_deref().unwrap_or_default();
        Silencer::new(self.databases, os, &inventory.os_version)
    }

    /// The distribution's packages by the feeds of the distribution.
    fn packages(
        &self,
        inventory: &Inventory,
        gathered: &mut Gathered,
    ) -> Result<Coverage, DbError> {
        let mut coverage = Coverage::default();
        let mut doubts: Vec<String> = inventory.doubts.clone();
        let ecosystems = &inventory.ecosystems;
        if ecosystems.is_empty() {
            doubts.push(format!("no feed is about {}", inventory.system));
        }
        let mut there = Vec::new();
        for (index, database) in self.databases.iter().enumerate() {
            for ecosystem in inventory.ecosystems_in(database) {
                there.extend(database.release(&ecosystem)?.map(|release| (index, release)));
            }
        }
        let has =
            |wanted: &Ecosystem| there.iter().any(|(_, release)| release.ecosystem == *wanted);
        if let Some(itself) = ecosystems.first().filter(|itself| !has(itself)) {
            let others: Vec<_> = ecosystems.iter().filter(|other| has(other)).collect();
            doubts.push(match others.first() {
                None => format!("the databases have no advisories of {itself}"),
                Some(other) => {
                    format!("the databases have advisories of {other} and none of {itself} itself")
                }
            });
        }
        let mut unjudged = 0;
        for subject in &inventory.packages.list {
            let by = |release: &Release| inventory.is_judged_by(subject, &release.ecosystem);
            let mut judged = false;
            for (index, release) in there.iter().filter(|(_, release)| by(release)) {
                judged |= gathered.take(self, *index, release, subject)?;
            }
            coverage.judged += usize::from(judged);
            unjudged += usize::from(!judged && !there.is_empty());
        }
        if unjudged > 0 {
            doubts.push(format!(
                "{unjudged} packages came from a source that the databases have no advisories of"
            ));
        }
        if inventory.packages.list.is_empty() && doubts.is_empty() {
            coverage.nothing = Some("the host has no packages".into());
        }
        doubts.sort();
        doubts.dedup();
        coverage.doubts = doubts;
        Ok(coverage)
    }

    /// Packages of language ecosystems that no distribution package owns.
    fn languages(
        &self,
        inventory: &Inventory,
        gathered: &mut Gathered,
    ) -> Result<Coverage, DbError> {
        let mut coverage = Coverage::default();
        let list = &inventory.languages.list;
        let is_language = |ecosystem: Ecosystem| ecosystem.manager().is_none();
        if !self.databases.iter().any(|database| database.ecosystems().any(is_language)) {
            coverage.nothing = Some("the databases have no advisories of a language".into());
            return Ok(coverage);
        }
        if list.is_empty() && inventory.languages.state.is_complete() {
            let reason = "the host has no package of a language beside the distribution's";
            coverage.nothing = Some(reason.into());
            return Ok(coverage);
        }
        coverage.doubts.extend(inventory.languages.state.reason().map(ToString::to_string));
        for subject in list {
            let ecosystem = Ecosystem::new(&*subject.ecosystem, "");
            let mut judged = false;
            for (index, database) in self.databases.iter().enumerate() {
                let Some(release) = database.release(&ecosystem)? else { continue };
                judged |= gathered.take(self, index, &release, subject)?;
            }
            coverage.judged += usize::from(judged);
            if !judged {
                coverage.doubts.push(format!("the databases have no advisories of {ecosystem}"));
            }
        }
        coverage.doubts.sort();
        coverage.doubts.dedup();
        Ok(coverage)
    }
}

/// What a host has to be judged.
struct Inventory {
    packages: Subjects,
    languages: Subjects,
    os: Option<Arc<str>>,
    os_version: Arc<str>,
    /// The releases whose feeds judge the host.
    ecosystems: Vec<Ecosystem>,
    /// The operating system, for messages.
    system: String,
    /// What makes the packages themselves uncertain.
    doubts: Vec<String>,
}

impl Inventory {
    fn of(view: &View<'_>) -> Result<Self, FactError> {
        let host = view.typed::<Host>()?.1.into_iter().next();
        let (state, packages) = view.typed::<Package>()?;
        let (language_state, languages) = view.typed::<LanguagePackage>()?;
        let running = host.as_ref().and_then(|host| host.kernel_running.clone());
        let mut doubts: Vec<String> =
            state.reason().map(|reason| format!("packages: {reason}")).into_iter().collect();
        let installed: Vec<Package> = packages.into_iter().filter(subject::is_there).collect();
        let kernels = kernel::Kernels::new(&installed, running.as_deref());
        doubts.extend(kernels.doubt());
        let list = installed
            .iter()
            .enumerate()
            .map(|(number, package)| Subject::package(number, package, &kernels));
        let packages = Subjects { state, list: list.collect() };
        // What a distribution package owns is judged as that package, by the distribution's feed.
        let first = packages.list.len();
        let free = languages.iter().filter(|package| package.package.is_none());
        let list = free.enumerate().map(|(number, one)| Subject::language(first + number, one));
        let languages = Subjects { state: language_state, list: list.collect() };
        let (os, os_version, system) = match host {
            Some(host) => {
                let version = host.os_version.unwrap_or_default();
                let system = host.os_name.or_else(|| host.os.clone());
                let system = system.map_or("this system".to_owned(), |name| name.to_string());
                (host.os, version, system)
            }
            None => (None, Arc::from(""), "this system".to_owned()),
        };
        // CentOS Stream runs before the releases whose advisories there are: its builds have their
        // own order of fixes.
        let ecosystems = match system.starts_with("CentOS Stream") {
            true => Vec::new(),
            false => of_host(os.as_deref().unwrap_or_default(), &os_version),
        };
        Ok(Self { packages, languages, os, os_version, ecosystems, system, doubts })
    }

    /// The releases of a database whose feeds judge the host: the host's own, and the streams that
    /// packages were built for on a host of another minor release.
    fn ecosystems_in(&self, database: &Database) -> Vec<Ecosystem> {
        let there: Vec<Ecosystem> = database.ecosystems().collect();
        let own = self.ecosystems.iter().filter(|own| there.contains(own)).cloned();
        let built: BTreeSet<String> =
            self.packages.list.iter().filter_map(|subject| subject.minor()).collect();
        let streams = there.iter().filter(|other| {
            !self.ecosystems.contains(other)
                && red_hat::minor_of(other).is_some_and(|minor| built.contains(minor))
        });
        let is_red_hat = self.ecosystems.first().is_some_and(|first| first.name == red_hat::NAME);
        own.chain(streams.filter(|_| is_red_hat).cloned()).collect()
    }

    /// Whether an ecosystem's feed is about a package: a stream's is about the packages of hosts of
    /// its minor release, and about those that were built for it.
    fn is_judged_by(&self, subject: &Subject, ecosystem: &Ecosystem) -> bool {
        subject.is_judged_by(ecosystem)
            && red_hat::minor_of(ecosystem).is_none_or(|minor| {
                *minor == *self.os_version || subject.minor().as_deref() == Some(minor)
            })
    }

    /// Every subject, at its number.
    fn all(&self) -> Vec<&Subject> {
        self.packages.list.iter().chain(&self.languages.list).collect()
    }
}
