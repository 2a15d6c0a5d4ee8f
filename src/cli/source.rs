//! From `--root` or this host to a snapshot in memory.

use std::path::Path;

use super::progress::Progress;
use super::{Exit, Failure, render};
use crate::collect::{CollectError, DirectoryRoot, LiveRoot, Options, Root, collect};
use crate::model::cell::Time;
use crate::snapshot::Codec;

/// Collects; what goes wrong has been told when this returns.
pub(super) fn collect_from(
    root: Option<&Path>,
    tags: &[(String, String)],
    codec: Codec,
) -> Result<Vec<u8>, Failure> {
    let opened: std::io::Result<Box<dyn Root>> = match root {
        Some(path) => DirectoryRoot::open(path).map(|root| Box::new(root) as Box<dyn Root>),
        None => LiveRoot::open().map(|root| Box::new(root) as Box<dyn Root>),
    };
    let name = root.map_or_else(|| "/".to_owned(), |path| path.display().to_string());
    let options = Options { tags: tags.to_vec(), now: now(), ..Options::default() };
    let progress = Progress::default();
    opened
        .map_err(|error| CollectError::Unusable { path: name.clone(), error })
        .and_then(|root| collect(&*root, &options, codec, &progress))
        .map_err(|error| {
            render::diagnostic(&error.diagnostic());
            Failure::Told(match error {
                CollectError::Empty(_) => Exit::Nothing,
                CollectError::Unusable { .. } | CollectError::Snapshot(_) => Exit::BadInput,
            })
        })
}

/// The time, for the snapshot.
#[expect(clippy::disallowed_methods, reason = "a snapshot says when it was taken")]
fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}
