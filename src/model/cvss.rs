//! CVSS: the base score of a vector, and the severity that Inspector gives a score.
//!
//! The formulas are the library's; what is ours is which metrics count. Threat, temporal and
//! environmental metrics are left out before the vector is scored, since feeds disagree about them
//! and Inspector reports base scores.

use std::fmt;

use super::finding::Severity;

/// No vector with every metric of any version is longer.
const MAX_VECTOR: usize = 400;

/// A version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2.0, whose vectors have no prefix.
    V2,
    /// 3.0.
    V30,
    /// 3.1: the same base metrics as 3.0.
    V31,
    /// 4.0.
    V4,
}

impl Version {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V4 => "4.0",
        }
    }

    /// The metrics of a base vector, all of them mandatory, in the order in which they are written.
    const fn metrics(self) -> &'static [&'static str] {
        match self {
            Self::V2 => &["AV", "AC", "Au", "C", "I", "A"],
            Self::V30 | Self::V31 => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
            Self::V4 => &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A base score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Base {
    /// The version of its vector.
    pub version: Version,
    /// The score in tenths, 0 to 100.
    pub tenths: u8,
}

impl Base {
    /// The score, 0.0 to 10.0.
    pub fn score(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }

    /// The severity of its band.
    pub fn severity(self) -> Severity {
        band(self.tenths)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

/// Inspector's severity of a score in tenths. The bands are those of CVSS 3 and 4, critical being
/// high to Inspector; NVD's bands for version 2 are the same. No impact at all is informational.
pub const fn band(tenths: u8) -> Severity {
    match tenths {
        70.. => Severity::High,
        40.. => Severity::Medium,
        1.. => Severity::Low,
        0 => Severity::Informational,
    }
}

/// The base score of a vector: `CVSS:3.1/AV:N/...`, `CVSS:4.0/...`, and for version 2 `AV:N/...` as
/// it is or in parentheses. None where the vector is damaged or a base metric is missing.
pub fn base(vector: &str) -> Option<Base> {
    let vector = vector.trim();
    if vector.len() > MAX_VECTOR {
        return None;
    }
    let (version, metrics) = match vector.split_once('/')? {
        ("CVSS:3.0", rest) => (Version::V30, rest),
        ("CVSS:3.1", rest) => (Version::V31, rest),
        ("CVSS:4.0", rest) => (Version::V4, rest),
        ("CVSS:2.0", rest) => (Version::V2, rest),
        _ => {
            let bare = vector.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            (Version::V2, bare.unwrap_or(vector))
        }
    };
    let canonical = base_metrics(version, metrics)?;
    let score = match version {
        Version::V2 => canonical.parse::<cvss::v2::Vector>().ok()?.score().value(),
        // Both versions mean the same score; the library's rounding for 3.0 is the one that
        // suffers from binary fractions, which is why 3.1 described another.
        Version::V30 | Version::V31 => {
            format!("CVSS:3.1/{canonical}").parse::<cvss::v3::Vector>().ok()?.base_score().value()
        }
        Version::V4 => {
            format!("CVSS:4.0/{canonical}").parse::<cvss::v4::Vector>().ok()?.score().value()
        }
    };
    Some(Base { version, tenths: (score * 10.0).round() as u8 })
}

/// The base metrics alone, each once, in the order in which they are written.
fn base_metrics(version: Version, metrics: &str) -> Option<String> {
    let mut found = vec![""; version.metrics().len()];
    for metric in metrics.split('/') {
        let (name, _) = metric.split_once(':')?;
        if let Some(at) = version.metrics().iter().position(|known| *known == name) {
            if !found[at].is_empty() {
                return None;
            }
            found[at] = metric;
        }
    }
    found.iter().all(|metric| !metric.is_empty()).then(|| found.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of FIRST's examples and of NVD, with the CVE where it is one's, and their scores.
    const PUBLISHED: [(&str, &str, u8); 21] = [
        ("2.0", "AV:N/AC:L/Au:N/C:N/I:N/A:C", 78),  // CVE-2002-0392
        ("2.0", "AV:N/AC:L/Au:N/C:C/I:C/A:C", 100), // CVE-2003-0818
        ("2.0", "(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 62), // CVE-2003-0062
        ("2.0", "AV:N/AC:M/Au:N/C:P/I:N/A:N", 43),
        ("2.0", "AV:N/AC:L/Au:N/C:N/I:N/A:N", 0),
        ("3.0", "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64), // CVE-2013-0375
        ("3.0", "CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31), // CVE-2014-3566
        ("3.0", "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99), // CVE-2012-1516
        ("3.1", "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 42), // CVE-2009-0783
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:N/I:H/A:H", 65),
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61), // CVE-2013-1937
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75), // CVE-2014-0160
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98), // CVE-2014-6271
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100), // CVE-2021-44228
        ("3.1", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 68), // CVE-2008-1447
        ("3.1", "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 68),
        ("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
        ("4.0", "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73),
        ("4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100),
        ("4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 51),
        ("4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0),
    ];

    #[test]
    fn published_scores() {
        for (version, vector, tenths) in PUBLISHED {
            let base = base(vector).unwrap();
            assert_eq!((base.version.name(), base.tenths), (version, tenths), "{vector}");
        }
    }

    #[test]
    fn only_base_metrics_count() {
        let plain = base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
        assert_eq!(base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/MAV:P"), plain);
        assert_eq!(base(" CVSS:3.1/A:H/AC:L/PR:N/UI:N/S:U/C:H/I:H/AV:N\n"), plain);
        let plain = base("AV:N/AC:L/Au:N/C:P/I:P/A:P").unwrap();
        assert_eq!(plain.to_string(), "7.5");
        assert_eq!(base("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:U/TD:N"), Some(plain));
        let vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        assert_eq!(base(vector).unwrap().tenths, 93);
        assert_eq!(base(&format!("{vector}/E:U/MAV:P")), base(vector));
    }

    #[test]
    fn what_is_damaged_has_no_score() {
        for vector in [
            "",
            "/",
            "CVSS:3.1",
            "CVSS:3.1/",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Q",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/AV:P",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/",
            "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "(AV:N/AC:L/Au:N/C:P/I:P/A:P",
            "AV:N:L/AC:L/Au:N/C:P/I:P/A:P",
        ] {
            assert_eq!(base(vector), None, "{vector}");
        }
        assert_eq!(base(&format!("AV:N/AC:L/Au:N/C:P/I:P/A:P/{}", "E:U/".repeat(200))), None);
    }

    #[test]
    fn bands_begin_where_they_should() {
        for (tenths, severity) in [
            (0, Severity::Informational),
            (1, Severity::Low),
            (39, Severity::Low),
            (40, Severity::Medium),
            (69, Severity::Medium),
            (70, Severity::High),
            (100, Severity::High),
        ] {
            assert_eq!(band(tenths), severity, "{tenths}");
        }
    }
}
