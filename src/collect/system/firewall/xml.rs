//! As much XML as firewalld's files have: elements with attributes, and where they stand. Text,
//! comments, declarations and CDATA are passed over; entities are the five of XML and characters
//! by number. Nothing nests in the reader, so no input makes it deep.

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    /// `<name a="b">` or `<name a="b"/>`.
    Open {
        /// Element name.
        name: String,
        /// Attributes in order.
        attributes: Vec<(String, String)>,
        /// Whether it closes itself.
        empty: bool,
        /// The line of its `<`.
        line: usize,
    },
    /// `</name>`.
    Close {
        /// Element name.
        name: String,
    },
}

/// The tags of a text. What is no tag is passed over.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        line += newlines(before);
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
            .into_iter()
            .find(|(begin, _)| from.starts_with(begin));
        let length = match skipped {
            Some((begin, end)) => from
                .get(begin.len()..)
                .and_then(|inner| inner.find(end))
                .map(|at| begin.len() + at + end.len()),
            None => end_of_tag(from),
        };
        let Some(length) = length else { break };
        let (whole, after) = from.split_at(length);
        if skipped.is_none() {
            let inner = whole.trim_start_matches('<').trim_end_matches('>');
            tags.extend(tag(inner, line));
        }
        line += newlines(whole);
        rest = after;
    }
    tags
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The length up to the `>` that stands in no quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn tag(inner: &str, line: usize) -> Option<Tag> {
    if let Some(name) = inner.strip_prefix('/') {
        return Some(Tag::Close { name: name.trim().to_owned() });
    }
    let (inner, empty) = match inner.strip_suffix('/') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let inner = inner.trim();
    let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    let (name, mut rest) = inner.split_at(end);
    if name.is_empty() {
        return None;
    }
    let mut attributes = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let Some((value, after)) = after.get(1..).and_then(|value| value.split_once(quote)) else {
            break;
        };
        attributes.push((key.trim().to_owned(), decode(value)));
        rest = after;
    }
    Some(Tag::Open { name: name.to_owned(), attributes, empty, line })
}

/// A value with its entities resolved; unknown ones stay as written.
fn decode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        match entity {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_with_lines() {
        let text = "<?xml version=\"1.0\"?>\n<!-- <no/> -->\n<zone target=\"DROP\">\n  <port port='80' protocol=\"tcp\"/>\n<a b=\"x &gt; &#65;&bad;\"/></zone>";
        let seen = tags(text);
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert!(
            matches!(&seen[0], Tag::Open { name, line: 3, empty: false, .. } if name == "zone")
        );
        let Tag::Open { attributes, line: 4, empty: true, .. } = &seen[1] else { panic!() };
        assert_eq!(attributes[1], ("protocol".into(), "tcp".into()));
        let Tag::Open { attributes, .. } = &seen[2] else { panic!() };
        assert_eq!(attributes[0].1, "x > A&bad;");
    }

    #[test]
    fn damage_ends_quietly() {
        for text in
            ["<", "<a", "<a b", "<a b=\"", "<!--", "<![CDATA[ ]]", "</>", "<>", "< a='ä", "<a =>"]
        {
            tags(text);
        }
        let deep = "<a>".repeat(100_000);
        assert_eq!(tags(&deep).len(), 100_000);
    }
}
