//! Which kind of feed some bytes are, by what every feed of the kind has near its beginning.

use quick_xml::events::Event;

use super::error::FeedError;
use super::{Kind, source};

/// Keys are looked for no deeper than this.
const DEPTH: usize = 3;
/// And not more of them: the key that tells is among the first.
const KEYS: usize = 20_000;

/// The kind of the feed in `bytes`, compressed or not; `None` where it is none that is known.
///
/// # Errors
/// Compressed data that is damaged.
pub fn detect(bytes: &[u8]) -> Result<Option<Kind>, FeedError> {
    let head = source::head(bytes)?;
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    Ok(match text.as_bytes() {
        [b'<', ..] => xml(text),
        [b'{', ..] => json(text),
        [b'[', next, ..] if !next.is_ascii_digit() => json(text),
        _ => lines(text),
    })
}

fn xml(text: &str) -> Option<Kind> {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(root) => {
                return match root.local_name().as_ref() {
                    "oval_definitions" => Some(Kind::Oval),
                    "updates" => Some(Kind::UpdateInfo),
                    _ => None,
                };
            }
            Event::Eof | Event::Empty(_) => return None,
            _ => {}
        }
    }
}

fn lines(text: &str) -> Option<Kind> {
    let first = text.lines().next()?;
    if first.starts_with("#model_version") || first == "cve,epss,percentile" {
        return Some(Kind::Epss);
    }
    if first.trim_start_matches('"').starts_with("cveID") {
        return Some(Kind::Kev);
    }
    let heading = first.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    if heading.is_some_and(|(_, id)| id.starts_with("DSA-") || id.starts_with("DLA-")) {
        return Some(Kind::DebianList);
    }
    let secdb =
        |line: &str| ["distroversion:", "secfixes:", "reponame:"].contains(&first_word(line));
    text.lines().any(secdb).then_some(Kind::Secdb)
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

fn json(text: &str) -> Option<Kind> {
    let keys = keys(text);
    let has =
        |depth: usize, names: &[&str]| names.iter().any(|name| keys.contains(&(depth, *name)));
    let tracked = |key: &(usize, &str)| {
        key.0 == 2 && (key.1.starts_with("CVE-") || key.1.starts_with("TEMP-"))
    };
    if has(1, &["catalogVersion"]) {
        Some(Kind::Kev)
    } else if has(1, &["resultsPerPage", "totalResults"]) {
        Some(Kind::Nvd)
    } else if has(1, &["document"]) && has(2, &["csaf_version"]) {
        Some(Kind::Csaf)
    } else if has(1, &["@context"]) && has(1, &["statements", "author"]) {
        Some(Kind::OpenVex)
    } else if has(1, &["distroversion", "reponame"]) {
        Some(Kind::Secdb)
    } else if has(1, &["id"])
        && has(1, &["affected", "modified", "schema_version", "withdrawn", "aliases"])
    {
        Some(Kind::Osv)
    } else if keys.iter().any(tracked) && has(3, &["releases"]) {
        Some(Kind::DebianTracker)
    } else {
        None
    }
}

/// The keys of the objects in a JSON text that may be cut, with how many objects they stand in.
fn keys(text: &str) -> Vec<(usize, &str)> {
    let mut keys = Vec::new();
    let mut depth = 0usize;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '"']) {
        let (sign, after) = rest.split_at(at).1.split_at(1);
        rest = after;
        match sign {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {
                let Some(end) = end_of_string(after) else { break };
                let (content, after) = after.split_at(end);
                rest = after.get(1..).unwrap_or_default();
                if depth <= DEPTH && rest.trim_start().starts_with(':') {
                    keys.push((depth, content));
                }
            }
        }
        if keys.len() >= KEYS {
            break;
        }
    }
    keys
}

/// Where the `"` is that ends a string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_beginning() {
        for (text, kind) in [
            (r#"{"title":"x","catalogVersion":"1","vulnerabilities":["#, Some(Kind::Kev)),
            ("\"cveID\",\"vendorProject\"\n", Some(Kind::Kev)),
            (r#"{"resultsPerPage":1,"startIndex":0"#, Some(Kind::Nvd)),
            (r#"{"document":{"category":"csaf_vex","csaf_version":"2.0""#, Some(Kind::Csaf)),
            (r#"{"@context":"https://openvex.dev/ns/v0.2.0","author":"x"#, Some(Kind::OpenVex)),
            (r#"{"apkurl":"{{x}}","archs":["a"],"reponame":"main"#, Some(Kind::Secdb)),
            ("---\ndistroversion: v3.11\nreponame: x\n", Some(Kind::Secdb)),
            (r#"{"id":"X-1","affected":[{"package":{"name"#, Some(Kind::Osv)),
            (r#"[ {"id":"X-1","modified":"2020"#, Some(Kind::Osv)),
            (r#"{"curl":{"CVE-2020-1":{"scope":"local","releases":{"#, Some(Kind::DebianTracker)),
            ("[29 Mar 2023] DSA-5380-1 xorg-server - security update\n", Some(Kind::DebianList)),
            ("#model_version:v2023,score_date:2024-01-01\n", Some(Kind::Epss)),
            ("<?xml version='1.0'?><!-- x --><updates>", Some(Kind::UpdateInfo)),
            ("<o:oval_definitions xmlns:o='x'>", Some(Kind::Oval)),
            ("<html><updates>", None),
            (r#"{"summary":"says \"catalogVersion\": 1 and {","other":1}"#, None),
            (r#"{"affected":1}"#, None),
            ("", None),
            ("{", None),
            ("\"", None),
            ("<", None),
            ("PK", None),
        ] {
            assert_eq!(detect(text.as_bytes()).unwrap(), kind, "{text}");
        }
    }
}
