//! Times as people and other programs write them, always in UTC.

use crate::model::cell::Time;

/// RFC 3339 to the second, for example `2026-05-20T12:00:00Z`; a time that is out of the calendar is
/// its beginning.
pub(super) fn rfc3339(time: Time) -> String {
    jiff::Timestamp::from_second(time.0).unwrap_or_default().to_string()
}

/// For people, to the minute.
pub(super) fn minutes(time: Time) -> String {
    jiff::Timestamp::from_second(time.0)
        .unwrap_or_default()
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}
