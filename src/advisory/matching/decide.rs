//! One installed package and one row of a feed.

use std::collections::BTreeSet;

use super::Matcher;
use super::subject::Subject;
use crate::advisory::db::{Database, DbError, Place, Qualifier, RangeRow, Release, RowEnd};
use crate::advisory::ecosystem::special_build;
use crate::advisory::record::Status;
use crate::advisory::red_hat;

const ORACLE: &str = "Oracle Linux";

/// What a row means for a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is vulnerable.
    Affected,
    /// It is vulnerable, and such rows were not asked for, for this reason.
    Hidden(&'static str),
    /// The vendor says that it is not affected, whatever another feed says.
    NotAffected,
    /// Its version is outside the range.
    OutOfRange,
    /// The row is about another build of the package, for this reason.
    OtherBuild(String),
}

/// The rows about one package in one release, each with where the installed version stands.
pub(super) struct Rows<'a> {
    matcher: &'a Matcher<'a>,
    database: &'a Database,
    release: &'a Release,
    subject: &'a Subject,
    pub(super) list: Vec<(Place, RangeRow)>,
    /// The versions that mend something in the update stream that the package was built for.
    of_stream: BTreeSet<u32>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(
        matcher: &'a Matcher<'a>,
        database: &'a Database,
        release: &'a Release,
        subject: &'a Subject,
    ) -> Result<Self, DbError> {
        let bad = |problem| release.damaged(problem);
        let mut list = Vec::new();
        for (naming, name, version) in &subject.names {
            let mut place = None;
            for row in release.find(name, *naming).map_err(bad)? {
                let row = row.map_err(bad)?;
                let there = match place {
                    Some(place) => place,
                    None => release.place(&release.scheme.key(version)).map_err(bad)?,
                };
                place = Some(there);
                list.push((there, row));
            }
        }
        let of_stream = BTreeSet::new();
        let mut rows = Self { matcher, database, release, subject, list, of_stream };
        rows.of_stream = rows.fixes_of_stream()?;
        Ok(rows)
    }

    fn qualifier(&self, row: &RangeRow) -> Result<&'a Qualifier, DbError> {
        self.release.qualifier(row.qualifier).map_err(|problem| self.release.damaged(problem))
    }

    /// The text of the version that a row's range ends at.
    pub(super) fn fixed(&self, row: &RangeRow) -> Result<Option<String>, DbError> {
        match (row.end, row.version) {
            (RowEnd::Fixed, Some(number)) => {
                self.database.version(&self.release.ecosystem, number).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// What a row of the list means for the package.
    pub(super) fn decide(&self, place: Place, row: &RangeRow) -> Result<Decision, DbError> {
        if !row.contains(place) {
            return Ok(Decision::OutOfRange);
        }
        if let Some(reason) = self.other_build(row)? {
            return Ok(Decision::OtherBuild(reason));
        }
        let hidden = match row.status {
            Status::NotAffected => return Ok(Decision::NotAffected),
            Status::Unimportant => "the vendor finds it unimportant",
            Status::Undetermined => "the vendor has not judged it yet",
            Status::Deferred => "the vendor will not or not yet mend it",
            Status::EndOfLife => "the release gets no updates any more",
            Status::Affected if row.end == RowEnd::Open => "there is no fix",
            Status::Affected => return Ok(Decision::Affected),
        };
        Ok(match self.matcher.include_unfixed {
            true => Decision::Affected,
            false => Decision::Hidden(hidden),
        })
    }

    /// Why a row is about another build of the package.
    fn other_build(&self, row: &RangeRow) -> Result<Option<String>, DbError> {
        let qualifier = self.qualifier(row)?;
        Ok(self
            .other_arch(qualifier)
            .or(self.other_module(qualifier, row)?)
            .or(self.other_repository(qualifier)?)
            .or(self.other_flavour(row)?))
    }

    /// The fixes for the minor release that the package was built for.
    fn fixes_of_stream(&self) -> Result<BTreeSet<u32>, DbError> {
        let mut versions = BTreeSet::new();
        let Some(built_for) = self.subject.built_for.filter(|_| self.is_red_hat()) else {
            return Ok(versions);
        };
        let ends = |(_, row): &(Place, RangeRow)| row.version.filter(|_| row.end == RowEnd::Fixed);
        for number in self.list.iter().filter_map(ends).collect::<BTreeSet<u32>>() {
            let text = self.database.version(&self.release.ecosystem, number)?;
            if red_hat::built_for(&text) == Some(built_for) {
                versions.insert(number);
            }
        }
        Ok(versions)
    }

    fn is_red_hat(&self) -> bool {
        self.release.ecosystem.name == red_hat::NAME
    }

    /// Whether the package is known to come from the stream that the rows are about.
    pub(super) fn is_own_stream(&self) -> bool {
        self.subject.is_from(&self.release.ecosystem)
    }

    /// What a fix says of the package where both are of one of Red Hat's update streams: whether it
    /// is in the package already. `None`: they are not, or the row is no fix.
    pub(super) fn in_stream(&self, place: Place, row: &RangeRow) -> Result<Option<bool>, DbError> {
        let fix = row.version.filter(|_| {
            self.is_red_hat() && row.end == RowEnd::Fixed && row.status == Status::Affected
        });
        let own = self.is_own_stream();
        if !fix.is_some_and(|fix| own || self.of_stream.contains(&fix))
            || (!own
                && self.subject.is_from_stream()
                && red_hat::is_stream(&self.release.ecosystem))
        {
            return Ok(None);
        }
        // Streams of a module have versions that do not follow each other.
        let module = self.qualifier(row)?.module.as_deref() == self.subject.module.as_deref();
        if !module || self.other_build(row)?.is_some() {
            return Ok(None);
        }
        Ok(Some(!row.contains(place)))
    }

    /// Whether the rows can say of the package's build that it has a fix: for a special build, only
    /// fixes of such builds can.
    pub(super) fn can_judge(&self) -> Result<bool, DbError> {
        if self.special_build().is_none() || self.list.is_empty() {
            return Ok(true);
        }
        for (_, row) in &self.list {
            if self.other_flavour(row)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Oracle's builds for Ksplice and FIPS.
    fn special_build(&self) -> Option<&'static str> {
        special_build(self.subject.version()).filter(|_| self.release.ecosystem.name == ORACLE)
    }

    fn other_flavour(&self, row: &RangeRow) -> Result<Option<String>, DbError> {
        if self.release.ecosystem.name != ORACLE {
            return Ok(None);
        }
        let Some(fixed) = self.fixed(row)? else { return Ok(None) };
        Ok(match (special_build(&fixed), self.special_build()) {
            (wanted, installed) if wanted == installed => None,
            (Some(wanted), _) => Some(format!("it is about a {wanted} build")),
            (None, _) => Some("it is about the ordinary build".to_owned()),
        })
    }

    fn other_arch(&self, qualifier: &Qualifier) -> Option<String> {
        let wanted = qualifier.arch.as_deref()?;
        let installed = self.subject.arch.as_deref()?;
        let folded = |arch: &str| match arch {
            "i386" | "i486" | "i586" | "i686" => "i386".to_owned(),
            other => other.to_owned(),
        };
        let same = matches!(installed, "noarch" | "all") || folded(wanted) == folded(installed);
        (!same).then(|| format!("it is about {wanted}"))
    }

    /// A module build and a plain build of one package have fixes of their own: what is fixed in a
    /// module says nothing of the plain package.
    fn other_module(
        &self,
        qualifier: &Qualifier,
        row: &RangeRow,
    ) -> Result<Option<String>, DbError> {
        if &*self.subject.ecosystem != "rpm" {
            return Ok(None);
        }
        let built = self.subject.module.as_deref();
        if let Some(wanted) = &qualifier.module {
            let same = built.is_some_and(|built| built.is_empty() || built == wanted);
            return Ok((!same).then(|| format!("it is about the module {wanted}")));
        }
        if built.is_some() {
            return Ok(None);
        }
        let fixed = self.fixed(row)?.filter(|fixed| fixed.contains(".module"));
        Ok(fixed.map(|_| "it is about a build of a module, and this is none".to_owned()))
    }

    /// Extras and live patches have advisories of their own. Where it is not known which repository
    /// a package came from, an extra's topic tells by the version at its end (`kernel-5.10`).
    fn other_repository(&self, qualifier: &Qualifier) -> Result<Option<String>, DbError> {
        let wanted = qualifier.repository.as_deref();
        let other = |of: &str| Some(format!("it is about packages of {of}"));
        if let Some(from) = self.subject.special_repository() {
            return Ok(match from.as_deref() == wanted {
                true => None,
                false => other(wanted.unwrap_or("the release itself")),
            });
        }
        let Some(topic) = wanted.and_then(|wanted| wanted.strip_prefix("extras/")) else {
            return Ok(None);
        };
        if self.is_of(topic) {
            return Ok(None);
        }
        for (_, row) in &self.list {
            let repository = self.qualifier(row)?.repository.as_deref();
            let topic = repository.and_then(|name| name.strip_prefix("extras/"));
            if topic.is_none_or(|topic| self.is_of(topic)) {
                return Ok(other(wanted.unwrap_or_default()));
            }
        }
        Ok(None)
    }

    /// Whether the installed version begins as the topic of an extra ends.
    fn is_of(&self, topic: &str) -> bool {
        let line = topic.trim_start_matches(|c: char| !c.is_ascii_digit());
        let version = self.subject.version();
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        let rest = version.strip_prefix(line);
        !line.is_empty() && rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}
