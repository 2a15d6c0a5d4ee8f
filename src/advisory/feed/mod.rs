//! Feeds: one file a kind, each a pure function from bytes to [records](super::record).
//!
//! [`read`] is the way in: it decompresses, tells the kind where none is named, and hands every
//! record to a sink as soon as it is read, so that a feed of gigabytes is never held as a whole. A
//! feed that ends in an error must leave nothing behind: what its sink has got is to be dropped.

mod csaf;
mod cve;
mod debian_list;
mod debian_tracker;
mod detect;
mod epss;
mod error;
mod json;
mod kev;
mod map;
mod nvd;
mod openvex;
mod osv;
mod osv_range;
mod output;
mod oval;
mod platform;
mod secdb;
mod source;
mod tarball;
mod time;
mod updateinfo;
mod xml;
mod yaml;

use std::fmt;

use super::record::{Advisory, Counts, Ecosystem, Exception, Feed, Vulnerability};
use crate::model::cell::Time;

pub use detect::detect;
pub use error::FeedError;
use output::Output;
use source::Document;
pub use source::is_feed_name;

/// A kind of feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// OSV: a zip archive, a JSON document, or one document a line.
    Osv,
    /// The JSON of the Debian security tracker.
    DebianTracker,
    /// Debian's lists of DSAs and DLAs.
    DebianList,
    /// `updateinfo.xml` of an rpm repository, such as Amazon Linux has.
    UpdateInfo,
    /// Alpine's secdb, YAML or JSON.
    Secdb,
    /// OVAL 5 definitions of Linux distributions.
    Oval,
    /// CSAF 2.0 documents, VEX among them.
    Csaf,
    /// OpenVEX documents.
    OpenVex,
    /// CISA's known exploited vulnerabilities, JSON or CSV.
    Kev,
    /// EPSS scores, CSV.
    Epss,
    /// NVD JSON 2.0: scores and texts.
    Nvd,
}

impl Kind {
    /// Every kind, in the order of help texts.
    pub const ALL: [Self; 11] = [
        Self::Osv,
        Self::DebianTracker,
        Self::DebianList,
        Self::UpdateInfo,
        Self::Secdb,
        Self::Oval,
        Self::Csaf,
        Self::OpenVex,
        Self::Kev,
        Self::Epss,
        Self::Nvd,
    ];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Osv => "osv",
            Self::DebianTracker => "debian-tracker",
            Self::DebianList => "debian-list",
            Self::UpdateInfo => "updateinfo",
            Self::Secdb => "secdb",
            Self::Oval => "oval",
            Self::Csaf => "csaf",
            Self::OpenVex => "openvex",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::Nvd => "nvd",
        }
    }

    /// The kind with this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the bytes of a feed may not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The release that the feed is for, for feeds that do not say it.
    pub release: Option<Ecosystem>,
}

/// One thing that a feed says.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An advisory with the packages that it is about.
    Advisory(Advisory),
    /// What is known of a CVE whatever the package.
    Vulnerability(Vulnerability),
    /// A statement that silences a match.
    Exception(Exception),
}

/// What reading a feed gave beside its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its kind.
    pub kind: Kind,
    /// When the feed was made, where it says so.
    pub made_at: Option<Time>,
    /// What was read and what was left out.
    pub counts: Counts,
}

/// Reads the feed in `bytes`, compressed or not, and hands its records to `sink` in the feed's
/// order. `name` is the file's name; `kind` is told from the content where none is given.
///
/// # Errors
/// The first thing that makes the feed unfit. The records handed out before must be dropped: half a
/// feed looks like a whole one with few advisories.
pub fn read(
    kind: Option<Kind>,
    name: &str,
    bytes: &[u8],
    context: &Context,
    sink: &mut dyn FnMut(Record),
) -> Result<Summary, FeedError> {
    let kind = match (kind, detect(bytes)?) {
        (None, found) => found.ok_or(FeedError::Unrecognised)?,
        (Some(expected), Some(found)) if expected != found => {
            return Err(FeedError::WrongKind { expected, found });
        }
        (Some(kind), _) => kind,
    };
    let reader: fn(&mut Document<'_>, &mut Output<'_>) -> Result<(), FeedError> = match kind {
        Kind::DebianTracker => debian_tracker::read,
        Kind::DebianList => debian_list::read,
        Kind::Epss => epss::read,
        Kind::Kev => kev::read,
        Kind::Nvd => nvd::read,
        Kind::OpenVex => openvex::read,
        Kind::Osv => osv::read,
        Kind::Secdb => secdb::read,
        Kind::UpdateInfo => updateinfo::read,
        Kind::Csaf => csaf::read,
        Kind::Oval => oval::read,
    };
    let mut out = Output::new(context, sink);
    source::each(name, bytes, &mut out, reader)?;
    let (counts, made_at) = out.finish();
    if counts.entries == 0 {
        return Err(FeedError::Empty);
    }
    Ok(Summary { kind, made_at, counts })
}

/// Reads a feed as a whole, for feeds that are known to be small.
///
/// # Errors
/// As [`read`].
pub fn collect(
    kind: Option<Kind>,
    name: &str,
    bytes: &[u8],
    context: &Context,
) -> Result<Feed, FeedError> {
    let mut feed = Feed::default();
    let summary = read(kind, name, bytes, context, &mut |record| match record {
        Record::Advisory(advisory) => feed.advisories.push(advisory),
        Record::Vulnerability(vulnerability) => feed.vulnerabilities.push(vulnerability),
        Record::Exception(exception) => feed.exceptions.push(exception),
    })?;
    feed.made_at = summary.made_at;
    feed.counts = summary.counts;
    Ok(feed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kev(count: u32, entries: &str) -> String {
        format!(r#"{{"catalogVersion":"1","count":{count},"vulnerabilities":[{entries}]}}"#)
    }

    fn refused(kind: Option<Kind>, bytes: &[u8]) -> String {
        collect(kind, "feed", bytes, &Context::default()).unwrap_err().code().to_string()
    }

    #[test]
    fn every_name_parses() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(&kind.name().to_uppercase()), Some(kind));
        }
        assert_eq!(Kind::parse("rss"), None);
    }

    #[test]
    fn a_feed_that_is_not_what_it_should_be_is_refused() {
        let entry = r#"{"cveID":"CVE-2020-1","dateAdded":"2021-11-03"}"#;
        let good = kev(1, entry);
        let feed = collect(None, "kev.json", good.as_bytes(), &Context::default()).unwrap();
        assert_eq!((feed.counts.entries, feed.counts.taken), (1, 1));
        assert_eq!(feed.vulnerabilities[0].id, "CVE-2020-1");
        assert_eq!(refused(Some(Kind::Epss), good.as_bytes()), "V002");
        assert_eq!(refused(None, b"hello"), "V001");
        assert_eq!(refused(None, b""), "V001");
        assert_eq!(refused(None, &good.as_bytes()[..good.len() - 3]), "V003");
        assert_eq!(refused(None, kev(2, entry).as_bytes()), "V008");
        assert_eq!(refused(None, kev(0, "").as_bytes()), "V009");
        assert_eq!(refused(None, kev(1, "{}").as_bytes()), "V004");
    }
}
