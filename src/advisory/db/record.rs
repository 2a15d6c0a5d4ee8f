//! What the text sections hold, and the feeds: the records and their bytes.

use super::bytes::{Cursor, Problem, put_int, put_list, put_option, put_text};
use crate::advisory::record::Score;
use crate::model::cell::Time;

/// One feed that a database was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedInfo {
    /// The kind of feed, as the command line names it.
    pub kind: String,
    /// The file's name, without its directory.
    pub name: String,
    /// BLAKE3 of the file, in hexadecimal.
    pub hash: String,
    /// When the feed was made: as it says, else when its newest advisory was published.
    pub made_at: Option<Time>,
    /// Entries in the feed.
    pub entries: u64,
    /// Entries that became records.
    pub taken: u64,
    /// Entries left out: the reason and how many.
    pub skipped: Vec<(String, u64)>,
    /// Parts of entries left out: the reason and how many.
    pub left_out: Vec<(String, u64)>,
    /// Records that were dropped because they are about vulnerabilities that no advisory of this
    /// database names.
    pub unused: u64,
}

impl FeedInfo {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for text in [&self.kind, &self.name, &self.hash] {
            put_text(out, text);
        }
        put_time(out, self.made_at);
        for count in [self.entries, self.taken, self.unused] {
            put_int(out, count);
        }
        for reasons in [&self.skipped, &self.left_out] {
            put_list(out, reasons, |out, (reason, count)| {
                put_text(out, reason);
                put_int(out, *count);
            });
        }
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Problem> {
        let reason = |cursor: &mut Cursor<'_>| Ok((cursor.string()?, cursor.int()?));
        Ok(Self {
            kind: cursor.string()?,
            name: cursor.string()?,
            hash: cursor.string()?,
            made_at: time(cursor)?,
            entries: cursor.int()?,
            taken: cursor.int()?,
            unused: cursor.int()?,
            skipped: cursor.list(reason)?,
            left_out: cursor.list(reason)?,
        })
    }
}

/// What one advisory says, beside the packages that it is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AdvisoryText {
    /// The vendor's id.
    pub id: String,
    /// The feed it came from, as a position in the database's feeds.
    pub feed: usize,
    /// The vendor's word for the severity.
    pub severity: Option<String>,
    /// Scores that the advisory carries.
    pub scores: Vec<Score>,
    /// One line.
    pub title: String,
    /// The text.
    pub description: String,
    /// A link.
    pub reference: Option<String>,
    /// First published.
    pub published: Option<Time>,
}

impl AdvisoryText {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, &self.id);
        put_int(&mut out, self.feed as u64);
        put_option(&mut out, self.severity.as_deref());
        put_list(&mut out, &self.scores, put_score);
        put_text(&mut out, &self.title);
        put_text(&mut out, &self.description);
        put_option(&mut out, self.reference.as_deref());
        put_time(&mut out, self.published);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Problem> {
        let mut cursor = Cursor(bytes);
        let text = Self {
            id: cursor.string()?,
            feed: usize::try_from(cursor.int()?).map_err(|_| "there is no such feed")?,
            severity: cursor.option()?,
            scores: cursor.list(score)?,
            title: cursor.string()?,
            description: cursor.string()?,
            reference: cursor.option()?,
            published: time(&mut cursor)?,
        };
        cursor.end()?;
        Ok(text)
    }
}

/// What is known of one vulnerability whatever the package, of all feeds together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VulnerabilityText {
    /// The CVE, or the id of an advisory that names none.
    pub id: String,
    /// Scores, in the order of the feeds.
    pub scores: Vec<Score>,
    /// Text.
    pub description: Option<String>,
    /// The day on which it was put on the list of known exploited vulnerabilities.
    pub known_exploited_since: Option<String>,
    /// Whether ransomware campaigns use it.
    pub ransomware: bool,
    /// EPSS probability and percentile, 0 to 1.
    pub epss: Option<(f64, f64)>,
}

impl VulnerabilityText {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, &self.id);
        put_list(&mut out, &self.scores, put_score);
        put_option(&mut out, self.description.as_deref());
        put_option(&mut out, self.known_exploited_since.as_deref());
        out.push(u8::from(self.ransomware));
        match self.epss {
            Some((probability, percentile)) => {
                out.push(1);
                out.extend_from_slice(&probability.to_le_bytes());
                out.extend_from_slice(&percentile.to_le_bytes());
            }
            None => out.push(0),
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Problem> {
        let mut cursor = Cursor(bytes);
        let text = Self {
            id: cursor.string()?,
            scores: cursor.list(score)?,
            description: cursor.option()?,
            known_exploited_since: cursor.option()?,
            ransomware: cursor.byte()? == 1,
            epss: match cursor.byte()? {
                0 => None,
                _ => Some((f64::from_bits(cursor.u64()?), f64::from_bits(cursor.u64()?))),
            },
        };
        cursor.end()?;
        Ok(text)
    }
}

/// A statement that products are not affected by a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExceptionText {
    /// The vulnerability's number.
    pub vulnerability: u32,
    /// The products, as package URLs.
    pub products: Vec<String>,
    /// The reason.
    pub reason: String,
    /// Who says so.
    pub author: String,
}

impl ExceptionText {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_int(out, u64::from(self.vulnerability));
        put_list(out, &self.products, |out, product| put_text(out, product));
        put_text(out, &self.reason);
        put_text(out, &self.author);
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, Problem> {
        Ok(Self {
            vulnerability: u32::try_from(cursor.int()?).map_err(|_| "a number is too large")?,
            products: cursor.list(Cursor::string)?,
            reason: cursor.string()?,
            author: cursor.string()?,
        })
    }
}

fn put_time(out: &mut Vec<u8>, time: Option<Time>) {
    match time {
        Some(Time(seconds)) => {
            out.push(1);
            out.extend_from_slice(&seconds.to_le_bytes());
        }
        None => out.push(0),
    }
}

fn time(cursor: &mut Cursor<'_>) -> Result<Option<Time>, Problem> {
    match cursor.byte()? {
        0 => Ok(None),
        _ => Ok(Some(Time(cursor.u64()?.cast_signed()))),
    }
}

fn put_score(out: &mut Vec<u8>, score: &Score) {
    put_text(out, &score.version);
    match score.base {
        Some(base) => {
            out.push(1);
            out.extend_from_slice(&base.to_le_bytes());
        }
        None => out.push(0),
    }
    put_text(out, &score.vector);
    put_text(out, &score.source);
}

fn score(cursor: &mut Cursor<'_>) -> Result<Score, Problem> {
    Ok(Score {
        version: cursor.string()?,
        base: match cursor.byte()? {
            0 => None,
            _ => Some(f64::from_bits(cursor.u64()?)),
        },
        vector: cursor.string()?,
        source: cursor.string()?,
    })
}
