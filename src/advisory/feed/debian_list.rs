//! Debian's lists of security advisories, DSA and DLA.
//!
//! Format: <https://security-team.debian.org/security_tracker.html#issued-advisories>: a heading
//! with date, id, packages and title at the margin, and indented below it the CVEs in braces, a
//! line for each release and source package, and notes.

use std::io::{BufRead as _, Read as _};

use super::error::{FeedError, quote};
use super::output::Output;
use super::source::Document;
use super::{cve, time};
use crate::advisory::ecosystem;
use crate::advisory::record::{Advisory, Affected, Ecosystem, End, Naming, Range, Status};

/// A line of CVEs of a kernel advisory has some kilobytes.
const MAX_LINE: u64 = 1 << 20;

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let mut current: Option<Advisory> = None;
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        document.budget.entry();
        document.reader.by_ref().take(MAX_LINE).read_line(&mut line)?;
        if line.is_empty() {
            break;
        }
        let Some(text) = line.strip_suffix('\n').map(str::trim_end) else {
            return Err(FeedError::Cut(format!("line {number} does not end")));
        };
        let understood = if text.starts_with('[') {
            let heading = heading(text);
            let understood = heading.is_some();
            finish(std::mem::replace(&mut current, heading), out);
            understood
        } else if let Some(advisory) = &mut current {
            below(text.trim_start(), advisory, out)
        } else {
            text.is_empty()
        };
        if !understood {
            let problem = format!("line {number} is not understood: {}", quote(text));
            return Err(FeedError::Malformed(problem));
        }
    }
    finish(current, out);
    Ok(())
}

fn finish(advisory: Option<Advisory>, out: &mut Output<'_>) {
    match advisory {
        Some(advisory) if advisory.affected.is_empty() => {
            out.skip("an announcement about no package version");
        }
        Some(advisory) => {
            out.made_at(advisory.published);
            out.advisory(advisory);
        }
        None => {}
    }
}

/// `[29 Mar 2023] DSA-5380-1 xorg-server - security update`
fn heading(text: &str) -> Option<Advisory> {
    let (date, rest) = text.strip_prefix('[')?.split_once(']')?;
    let published = time::day_month_year(date.trim())?;
    let (id, title) = rest.trim_start().split_once(' ')?;
    if !id.starts_with("DSA-") && !id.starts_with("DLA-") {
        return None;
    }
    Some(Advisory {
        references: vec![format!("https://security-tracker.debian.org/tracker/{id}")],
        id: id.to_owned(),
        title: title.trim().to_owned(),
        published: Some(published),
        ..Advisory::default()
    })
}

/// What stands below a heading; false where it is not understood.
fn below(text: &str, advisory: &mut Advisory, out: &mut Output<'_>) -> bool {
    if let Some(ids) = text.strip_prefix('{') {
        let Some((ids, _)) = ids.split_once('}') else { return false };
        advisory.cves.extend(cve::all_in(ids));
        return true;
    }
    if text.starts_with('[') {
        return match package(text) {
            Some(Line::Affected(affected)) => {
                advisory.affected.push(affected);
                true
            }
            Some(Line::LeftOut(reason)) => {
                out.leave_out(reason);
                true
            }
            None => false,
        };
    }
    if text.is_empty() {
        return true;
    }
    match text.split_once(':').map_or(text, |(word, _)| word) {
        "NOTE" => {}
        // What the list's authors have still to look into begins with a word of the same kind.
        word if is_remark(word, text) => out.leave_out("a remark"),
        _ if text.starts_with("- ") => out.leave_out("a line about unstable"),
        _ => return false,
    }
    true
}

/// Whether a line is `WORD: text`, a remark that names no package.
fn is_remark(word: &str, text: &str) -> bool {
    word.len() < text.len() && !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase())
}

enum Line {
    Affected(Affected),
    LeftOut(&'static str),
}

/// `[bullseye] - xorg-server 2:1.20.11-1+deb11u6`, or a state in place of the version, and perhaps
/// a remark in parentheses.
fn package(text: &str) -> Option<Line> {
    let (code_name, rest) = text.strip_prefix('[')?.split_once(']')?;
    let mut words = rest.trim_start().strip_prefix('-')?.split_whitespace();
    let (package, version) = (words.next()?, words.next()?);
    let Some(release) = ecosystem::debian_release(code_name) else {
        return Some(Line::LeftOut("a release that is not known"));
    };
    let open = vec![Range::default()];
    let (status, ranges) = match version {
        "<not-affected>" => (Status::NotAffected, Vec::new()),
        "<unfixed>" => (Status::Affected, open),
        "<end-of-life>" => (Status::EndOfLife, open),
        "<no-dsa>" | "<ignored>" | "<postponed>" => (Status::Deferred, open),
        "<undetermined>" => (Status::Undetermined, open),
        "<removed>" => return Some(Line::LeftOut("a package that was removed from the release")),
        _ if version.starts_with('<') => return None,
        _ => {
            let end = End::Fixed(version.to_owned());
            (Status::Affected, vec![Range { introduced: None, end }])
        }
    };
    Some(Line::Affected(Affected {
        ecosystem: Ecosystem::new("Debian", release),
        package: package.to_owned(),
        naming: Naming::Source,
        arch: None,
        module: None,
        repository: None,
        status,
        ranges,
        versions: Vec::new(),
    }))
}
