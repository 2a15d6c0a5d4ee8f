//! The forms in which feeds write times.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::model::cell::Time;

/// RFC 3339, the same without zone (then UTC) and with a space, and a day alone; `None` for other
/// texts.
pub(super) fn parse(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(Time(time.as_second()));
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return utc(time);
    }
    text.parse::<Date>().ok().and_then(|day| utc(day.into()))
}

/// `29 Mar 2023`, as Debian's lists have it.
pub(super) fn day_month_year(text: &str) -> Option<Time> {
    let day = strtime::parse("%d %b %Y", text).ok()?.to_date().ok()?;
    utc(day.into())
}

fn utc(time: DateTime) -> Option<Time> {
    TimeZone::UTC.to_timestamp(time).ok().map(|time| Time(time.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, seconds) in [
            ("1970-01-01T00:01:00Z", 60),
            ("1970-01-01T01:01:00+01:00", 60),
            ("1970-01-01T00:01:00", 60),
            ("1970-01-01 00:01", 60),
            ("1970-01-01 00:01:00.25", 60),
            ("1970-01-02", 86_400),
        ] {
            assert_eq!(parse(text), Some(Time(seconds)), "{text}");
        }
        assert_eq!(day_month_year("02 Jan 1970"), Some(Time(86_400)));
        for text in ["", "yesterday", "1970-13-01", "9999999-01-01", "-", "1970-01-01T25:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(day_month_year("32 Jan 1970"), None);
    }
}
