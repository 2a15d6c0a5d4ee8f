//! From `--root`, `--sbom` or this host to a snapshot in memory.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::progress::Progress;
use super::{Exit, Failure, interrupt, render};
use crate::collect::sbom::MAX_BYTES as MAX_SBOM;
use crate::collect::{CollectError, DirectoryRoot, LiveRoot, Options, Root, collect, collect_sbom};
use crate::model::cell::Time;
use crate::snapshot::Codec;

/// What to collect, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The mounted root; none for this host.
    pub(super) root: Option<&'a Path>,
    /// Tags to give the host.
    pub(super) tags: &'a [(String, String)],
    /// For how long this host is observed.
    pub(super) duration: Option<Duration>,
    /// The tables; none for all of them.
    pub(super) sections: Option<&'a [String]>,
}

/// Collects; what goes wrong has been told when this returns.
pub(super) fn collect_from(wanted: Wanted<'_>, codec: Codec) -> Result<Vec<u8>, Failure> {
    let Wanted { root, tags, sections, .. } = wanted;
    let duration = wanted.duration.unwrap_or_default();
    interrupt::listen(!duration.is_zero());
    let opened: std::io::Result<Box<dyn Root>> = match root {
        Some(path) => DirectoryRoot::open(path).map(|root| Box::new(root) as Box<dyn Root>),
        None => LiveRoot::open().map(|root| Box::new(root) as Box<dyn Root>),
    };
    let name = root.map_or_else(|| "/".to_owned(), |path| path.display().to_string());
    let sections = sections.map(<[String]>::to_vec);
    let options = Options { tags: tags.to_vec(), now: now(), duration, sections };
    let progress = Progress::default();
    opened
        .map_err(|error| CollectError::Unusable { path: name.clone(), error })
        .and_then(|root| collect(&*root, &options, codec, &progress))
        .map_err(told)
}

/// From a software bill of materials; what goes wrong has been told when this returns.
pub(super) fn collect_bill(path: &Path, tags: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    interrupt::listen(false);
    let options = Options { tags: tags.to_vec(), now: now(), ..Options::default() };
    bytes_of(path)
        .map_err(|error| CollectError::Unusable { path: path.display().to_string(), error })
        .and_then(|bytes| collect_sbom(&bytes, &options, Codec::Raw))
        .map_err(told)
}

/// The bytes of a bill, one more than it may have where it has too many. A pipe will do.
fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SBOM + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn told(error: CollectError) -> Failure {
    render::diagnostic(&error.diagnostic());
    Failure::Told(match error {
        CollectError::Empty(_) | CollectError::EmptySbom => Exit::Nothing,
        CollectError::Unusable { .. } | CollectError::Sbom(_) | CollectError::Snapshot(_) => {
            Exit::BadInput
        }
    })
}

/// The time, for the snapshot.
#[expect(clippy::disallowed_methods, reason = "a snapshot says when it was taken")]
pub(super) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

/// The day, in UTC, up to which waivers are held.
pub(super) fn today() -> Date {
    let now = Timestamp::from_second(now().0).unwrap_or(Timestamp::MAX);
    TimeZone::UTC.to_datetime(now).date()
}
