//! When releases stop to get security updates without a further contract, by os-release's `ID` and
//! the beginning of `VERSION_ID`. Facts from the vendors' own pages of their life cycles.

use crate::model::cell::Time;

/// `ID`, release, last day.
const ENDS: [(&str, &str, &str); 75] = [
    ("almalinux", "8", "2029-03-01"),
    ("almalinux", "9", "2032-05-31"),
    ("almalinux", "10", "2035-05-31"),
    ("alpine", "3.8", "2020-05-01"),
    ("alpine", "3.9", "2020-11-01"),
    ("alpine", "3.10", "2021-05-01"),
    ("alpine", "3.11", "2021-11-01"),
    ("alpine", "3.12", "2022-05-01"),
    ("alpine", "3.13", "2022-11-01"),
    ("alpine", "3.14", "2023-05-01"),
    ("alpine", "3.15", "2023-11-01"),
    ("alpine", "3.16", "2024-05-23"),
    ("alpine", "3.17", "2024-11-22"),
    ("alpine", "3.18", "2025-05-09"),
    ("alpine", "3.19", "2025-11-01"),
    ("alpine", "3.20", "2026-04-01"),
    ("alpine", "3.21", "2026-11-01"),
    ("alpine", "3.22", "2027-05-01"),
    ("amzn", "2018.03", "2023-12-31"),
    ("amzn", "2017.09", "2023-12-31"),
    ("amzn", "2", "2026-06-30"),
    ("amzn", "2023", "2029-06-30"),
    ("centos", "5", "2017-03-31"),
    ("centos", "6", "2020-11-30"),
    ("centos", "7", "2024-06-30"),
    ("centos", "8", "2024-05-31"),
    ("centos", "9", "2027-05-31"),
    ("debian", "7", "2018-05-31"),
    ("debian", "8", "2020-06-30"),
    ("debian", "9", "2022-06-30"),
    ("debian", "10", "2024-06-30"),
    ("debian", "11", "2026-08-31"),
    ("debian", "12", "2028-06-30"),
    ("debian", "13", "2030-06-30"),
    ("fedora", "37", "2023-12-05"),
    ("fedora", "38", "2024-05-21"),
    ("fedora", "39", "2024-11-26"),
    ("fedora", "40", "2025-05-13"),
    ("fedora", "41", "2025-12-15"),
    ("fedora", "42", "2026-05-13"),
    ("mariner", "1.0", "2023-07-31"),
    ("mariner", "2.0", "2025-07-31"),
    ("ol", "6", "2021-03-31"),
    ("ol", "7", "2024-12-31"),
    ("ol", "8", "2029-07-31"),
    ("ol", "9", "2032-06-30"),
    ("opensuse-leap", "15.3", "2022-12-31"),
    ("opensuse-leap", "15.4", "2023-12-07"),
    ("opensuse-leap", "15.5", "2024-12-31"),
    ("opensuse-leap", "15.6", "2026-04-30"),
    ("rhel", "6", "2020-11-30"),
    ("rhel", "7", "2024-06-30"),
    ("rhel", "8", "2029-05-31"),
    ("rhel", "9", "2032-05-31"),
    ("rhel", "10", "2035-05-31"),
    ("rocky", "8", "2029-05-31"),
    ("rocky", "9", "2032-05-31"),
    ("rocky", "10", "2035-05-31"),
    ("sles", "12.5", "2024-10-31"),
    ("sles", "15.3", "2022-12-31"),
    ("sles", "15.4", "2023-12-31"),
    ("sles", "15.5", "2024-12-31"),
    ("sles", "15.6", "2025-12-31"),
    ("sles", "15.7", "2031-07-31"),
    ("ubuntu", "14.04", "2019-04-25"),
    ("ubuntu", "16.04", "2021-04-30"),
    ("ubuntu", "18.04", "2023-05-31"),
    ("ubuntu", "20.04", "2025-05-31"),
    ("ubuntu", "22.04", "2027-04-30"),
    ("ubuntu", "22.10", "2023-07-20"),
    ("ubuntu", "23.04", "2024-01-25"),
    ("ubuntu", "23.10", "2024-07-11"),
    ("ubuntu", "24.04", "2029-04-30"),
    ("ubuntu", "24.10", "2025-07-10"),
    ("ubuntu", "25.04", "2026-01-15"),
];

/// What is known of a release's support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It ended, or will end, on this day.
    Until(&'static str),
    /// When it ends is not known here.
    Unknown,
}

/// The support of a release.
pub fn of(id: &str, version: &str) -> Support {
    let is_of = |release: &str| {
        let rest = version.strip_prefix(release);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_', '-']))
    };
    let found = ENDS.iter().find(|(os, release, _)| *os == id && is_of(release));
    found.map_or(Support::Unknown, |(_, _, day)| Support::Until(day))
}

/// Whether a day is past at a time, in UTC.
pub fn is_over(day: &str, now: Time) -> bool {
    let day = day.parse::<jiff::civil::Date>().and_then(|day| day.tomorrow());
    let end = day.and_then(|next| jiff::tz::TimeZone::UTC.to_timestamp(next.into()));
    end.is_ok_and(|end| now.0 >= end.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_their_days() {
        for (id, version, day) in [
            ("debian", "10", "2024-06-30"),
            ("almalinux", "8.10", "2029-03-01"),
            ("alpine", "3.11.6", "2021-11-01"),
            ("amzn", "2", "2026-06-30"),
            ("amzn", "2023", "2029-06-30"),
            ("ubuntu", "22.04", "2027-04-30"),
        ] {
            assert_eq!(of(id, version), Support::Until(day), "{id} {version}");
        }
        for (id, version) in [("debian", "99"), ("debian", ""), ("gentoo", "1"), ("alpine", "3.1")]
        {
            assert_eq!(of(id, version), Support::Unknown, "{id} {version}");
        }
        for (id, release, day) in ENDS {
            assert!(is_over(day, Time(4_000_000_000)), "{id} {release}");
            assert!(!is_over(day, Time(0)), "{id} {release}");
        }
        assert!(!is_over("1970-01-02", Time(2 * 86_400 - 1)));
        assert!(is_over("1970-01-02", Time(2 * 86_400)));
    }
}
