//! One installed package and one row of a feed.

use super::Matcher;
use super::subject::Subject;
use crate::advisory::db::{Database, DbError, Place, Qualifier, RangeRow, Release, RowEnd};
use crate::advisory::record::Status;

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
        Ok(Self { matcher, database, release, subject, list })
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
        let qualifier = self.qualifier(row)?;
        if let Some(reason) = self.other_arch(qualifier).or(self.other_module(qualifier, row)?) {
            return Ok(Decision::OtherBuild(reason));
        }
        if let Some(reason) = self.other_repository(qualifier)? {
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
        let Some((_, _, version)) = self.subject.names.first() else { return false };
        let version = version.split_once(':').map_or(&**version, |(_, rest)| rest);
        let rest = version.strip_prefix(line);
        !line.is_empty() && rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}
