//! OSV's ranges: events on a line of versions, to intervals.

use std::cmp::Ordering;

use serde::Deserialize;

use super::output::Output;
use crate::advisory::record::{Ecosystem, End, Range};
use crate::model::version;

/// Versions that the ranges cover are left out of the list where finding them costs no more than
/// this; keeping them changes no answer.
const MAX_COMPARISONS: usize = 1 << 20;

/// A range as it is written.
#[derive(Deserialize)]
pub(super) struct Written {
    r#type: String,
    events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// One event, in the order in which events at the same version take effect.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Sign {
    Introduced,
    Last,
    Fixed,
}

/// The intervals and the single versions beside them; `None` where nothing can be compared, which
/// must not become "every version".
pub(super) fn check(
    written: Vec<Written>,
    mut versions: Vec<String>,
    ecosystem: &Ecosystem,
    out: &mut Output<'_>,
) -> Option<(Vec<Range>, Vec<String>)> {
    let manager = ecosystem.manager();
    let mut ranges = Vec::new();
    for range in written {
        if range.r#type == "GIT" {
            out.leave_out("a range of commits");
            continue;
        }
        let before = ranges.len();
        intervals(range.events.unwrap_or_default(), manager, &mut ranges);
        if ranges.len() == before {
            out.leave_out("a range that begins nowhere");
        }
    }
    let few = versions.len().saturating_mul(ranges.len()) <= MAX_COMPARISONS;
    if let Some(manager) = manager.filter(|_| few) {
        versions.retain(|version| !ranges.iter().any(|range| covers(range, version, manager)));
    }
    (!ranges.is_empty() || !versions.is_empty()).then_some((ranges, versions))
}

/// Events to intervals. With a known order they are sorted, as the format asks of evaluators;
/// without one they are taken as they are written, which is in rising order.
fn intervals(events: Vec<Event>, manager: Option<&str>, ranges: &mut Vec<Range>) {
    let mut signs = Vec::new();
    for event in events {
        signs.extend(event.introduced.map(|version| (Sign::Introduced, version)));
        signs.extend(event.last_affected.map(|version| (Sign::Last, version)));
        signs.extend(event.fixed.or(event.limit).map(|version| (Sign::Fixed, version)));
    }
    if let Some(manager) = manager {
        signs.sort_by(|a, b| order(manager, a, b));
    }
    let mut open: Option<Option<String>> = None;
    for (sign, version) in signs {
        let end = match sign {
            Sign::Introduced => {
                let first = (version != "0").then_some(version);
                open.get_or_insert(first);
                continue;
            }
            Sign::Fixed if version == "*" => continue,
            Sign::Fixed => End::Fixed(version),
            Sign::Last => End::Last(version),
        };
        if let Some(introduced) = open.take() {
            ranges.push(Range { introduced, end });
        }
    }
    ranges.extend(open.map(|introduced| Range { introduced, end: End::Open }));
}

/// `introduced: 0` is before every version.
fn order(manager: &str, a: &(Sign, String), b: &(Sign, String)) -> Ordering {
    let beginning = |event: &(Sign, String)| event.0 == Sign::Introduced && event.1 == "0";
    beginning(b)
        .cmp(&beginning(a))
        .then_with(|| version::compare(manager, &a.1, &b.1).unwrap_or(Ordering::Equal))
        .then_with(|| a.0.cmp(&b.0))
}

fn covers(range: &Range, version: &str, manager: &str) -> bool {
    let order = |other: &str| version::compare(manager, version, other);
    let begun = range
        .introduced
        .as_deref()
        .is_none_or(|first| matches!(order(first), Some(Ordering::Greater | Ordering::Equal)));
    begun
        && match &range.end {
            End::Open => true,
            End::Fixed(fixed) => order(fixed) == Some(Ordering::Less),
            End::Last(last) => matches!(order(last), Some(Ordering::Less | Ordering::Equal)),
        }
}
