//! Times as people and other programs write them, always in UTC.

use crate::model::cell::Time;

/// RFC 3339 to the second, for example `2026-05-20T12:00:00Z`; a time that is out of the calendar is
/// its beginning.
pub(super) fn rfc3339(time: Time) -> String {
    jiff::Timestamp::from_second(time.0).unwrap_or_default().to_string()
}

/// For people, to the minute. Results that an older program wrote down do not tell when a host was seen
/// on which nothing was found.
pub(super) fn minutes(time: Time) -> String {
    if time == Time::default() {
        return "at a time that was not written down".into();
    }
    jiff::Timestamp::from_second(time.0)
        .unwrap_or_default()
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}
