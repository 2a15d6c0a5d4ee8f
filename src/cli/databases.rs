//! The advisory databases that a scan was given, and how old they may be.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::args::Scan;
use super::{Exit, Failure, advisories, render, source};
use crate::advisory::db::Database;
use crate::assess::Advisories;
use crate::diagnostic::codes::advisory as codes;
use crate::diagnostic::{Diagnostic, Level};
use crate::model::cell::Time;

const DAY: i64 = 86_400;

/// Opens the databases; none where the scan was given none. What is wrong has been told when this
/// returns.
pub(super) fn read(arguments: &Scan) -> Result<Option<Advisories>, Failure> {
    if arguments.advisories.is_empty() {
        return Ok(None);
    }
    let mut databases = Vec::new();
    let mut stale = false;
    for path in &arguments.advisories {
        let database = advisories::open(path)?;
        if let Some(key) = &arguments.signed_by {
            advisories::signed(path, &database, key)?;
        }
        let problems = problems(&database, source::now(), arguments.max_age);
        stale |= !problems.is_empty();
        for problem in problems {
            tell(path, &problem, arguments.fail_stale);
        }
        databases.push(database);
    }
    if stale && arguments.fail_stale {
        return Err(Failure::Told(Exit::BadRules));
    }
    Ok(Some(Advisories { databases, include_unfixed: arguments.include_unfixed }))
}

/// Whether a host could not be judged because of a database, by the code that the reason begins with;
/// then the user has been told. A part of a database is checked when it is first needed.
pub(super) fn blamed(reason: &str) -> bool {
    let code = reason.split(':').next().unwrap_or_default();
    let damaged = codes::ALL.iter().any(|known| known.0.id == code);
    if damaged {
        render::line(&format!(
            "error: the advisories cannot be used: {reason}\n  = help: `assay advisories verify DB` \
             checks a whole database; copy it again or import again"
        ));
    }
    damaged
}

fn tell(path: &Path, problem: &str, fails: bool) {
    let message = format!("{}: {problem}", path.display());
    let mut diagnostic = Diagnostic::warning(codes::STALE, message).help(
        "what was published since is not known; import newer feeds, or allow more with --max-age",
    );
    if fails {
        diagnostic.level = Level::Error;
    }
    render::diagnostic(&diagnostic);
}

/// Feeds of one kind are as new as the newest of them: repositories of one distribution are
/// published apart, and a quiet one is not an old one.
fn problems(database: &Database, now: Time, max_age: Duration) -> Vec<String> {
    let mut newest: BTreeMap<&str, Option<Time>> = BTreeMap::new();
    for feed in database.feeds() {
        let known = newest.entry(&feed.kind).or_default();
        *known = (*known).max(feed.made_at);
    }
    let limit = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
    newest
        .into_iter()
        .filter_map(|(kind, made_at)| match made_at {
            None => Some(format!(
                "when its feeds of kind {kind} were made is not known (`advisories import \
                 --fetched DAY` says it)"
            )),
            Some(time) => {
                let age = now.0.saturating_sub(time.0);
                (age > limit).then(|| {
                    let day = advisories::day(made_at);
                    format!("its feeds of kind {kind} are of {day}, {} days ago", age / DAY)
                })
            }
        })
        .collect()
}
