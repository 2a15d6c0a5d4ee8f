//! Secrets that take several lines: armoured private keys, YAML blocks, XML elements.

use std::ops::Range;

use super::{Dialect, Output, line_end, names, next_line, pairs, redact_line};

/// A block that never ends is not followed further than this.
const MAX_LINES: usize = 2_000;

/// Where the line begins an armoured private key, hides the key and says where the text goes on.
pub(super) fn redact(text: &str, line: Range<usize>, out: &mut Output<'_>) -> Option<usize> {
    let begin = &text[line.clone()];
    let label = begin.find("-----BEGIN ").or_else(|| begin.find("---- BEGIN "))?;
    let label = &begin[label..];
    let named = label.to_ascii_uppercase();
    let secret = named.contains("PRIVATE KEY") || named.contains("OPENVPN STATIC KEY");
    if !secret {
        return None;
    }
    let after_label = line.end - label.len() + armour_length(label);
    if after_label < line.end {
        // On one line, as in JSON.
        let end = text[after_label..line.end]
            .find("-----END")
            .or_else(|| text[after_label..line.end].find("---- END"));
        out.hide(after_label..end.map_or(line.end, |end| after_label + end));
        if end.is_some() {
            return Some(next_line(text, line.end));
        }
    }
    let mut at = next_line(text, line.end);
    for _ in 0..MAX_LINES {
        if at >= text.len() {
            break;
        }
        let end = line_end(text, at);
        let body = text[at..end].trim();
        if body.contains("-- END ") || body.contains("--END ") || !is_armour(body) {
            break;
        }
        let indent = text[at..end].len() - text[at..end].trim_start().len();
        out.hide(at + indent..end);
        at = next_line(text, end);
    }
    Some(at)
}

/// Length of `-----BEGIN ...-----`.
fn armour_length(label: &str) -> usize {
    let dashes = label.len() - label.trim_start_matches('-').len();
    let closing = &label[dashes..];
    closing.find("----").map_or(label.len(), |at| {
        let rest = &closing[at..];
        dashes + at + (rest.len() - rest.trim_start_matches('-').len())
    })
}

/// Whether a line can stand inside an armoured key: base64 in any wrapping, a header, nothing.
fn is_armour(body: &str) -> bool {
    let inner = body.trim_start_matches(['#', '"', '\'', '+', ' ', '\t', '>', '*', '/', ';']);
    let inner = inner.trim_end_matches(['"', '\'', ',', '\\', ' ', '+', ';']);
    let inner = inner.strip_suffix("\\n").unwrap_or(inner);
    let base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    inner.bytes().all(base64)
        || ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:", "Charset:"]
            .iter()
            .any(|header| inner.starts_with(header))
}

/// Where the line ends with the name of a secret and its value stands on the lines below, hides
/// them and says where the text goes on.
pub(super) fn redact_continuation(
    text: &str,
    line: Range<usize>,
    dialect: Dialect,
    out: &mut Output<'_>,
) -> Option<usize> {
    if dialect == Dialect::Command {
        return None;
    }
    let content = &text[line.clone()];
    if let Some(tag) = open_element(content) {
        return Some(redact_element(text, line.end, tag, out));
    }
    if content.starts_with("PuTTY-User-Key-File") {
        return None;
    }
    if content.starts_with("Private-Lines:") {
        return Some(redact_indented(text, line.end, None, out));
    }
    let trimmed = content.trim_end();
    if trimmed.trim_start() == "chpasswd:" {
        return Some(redact_passwords(text, line, dialect, out));
    }
    if trimmed.ends_with('\\')
        && pairs::find(content, dialect).last().is_some_and(|last| last.end >= trimmed.len())
    {
        let next = next_line(text, line.end);
        if next < text.len() {
            let end = line_end(text, next);
            out.hide(next..end);
            return Some(next_line(text, end));
        }
    }
    // YAML: `password: |`, `password: >-`, or `password:` with the value on the next line.
    let (name, rest) = trimmed.rsplit_once(':')?;
    let rest = rest.trim();
    let block = rest.starts_with(['|', '>']) && rest.len() <= 3;
    if !(block || rest.is_empty()) || !names::is_secret(pairs::name_at_end(name)) {
        return None;
    }
    if dialect == Dialect::NameService {
        return None;
    }
    let indent = content.len() - content.trim_start_matches([' ', '-']).len();
    if block {
        return Some(redact_indented(text, line.end, Some(indent), out));
    }
    let next = next_line(text, line.end);
    let value = &text[next..line_end(text, next.min(text.len()))];
    let deeper = value.len() - value.trim_start().len() > indent;
    let scalar =
        !value.trim().is_empty() && !value.contains(": ") && !value.trim_end().ends_with(':');
    if deeper && scalar {
        let start = next + (value.len() - value.trim_start().len());
        let end = next + value.len();
        out.hide(start..end);
        return Some(next_line(text, end));
    }
    None
}

/// cloud-init's `chpasswd:`: below it every `name:password`, and what is hidden elsewhere, too.
fn redact_passwords(
    text: &str,
    line: Range<usize>,
    dialect: Dialect,
    out: &mut Output<'_>,
) -> usize {
    let depth_of = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let indent = depth_of(&text[line.clone()]);
    let mut at = next_line(text, line.end);
    for _ in 0..MAX_LINES {
        if at >= text.len() {
            break;
        }
        let end = line_end(text, at);
        let below = &text[at..end];
        if !below.trim().is_empty() && depth_of(below) <= indent {
            break;
        }
        match below.find(':') {
            Some(colon) if below[colon + 1..].starts_with(|next: char| !next.is_whitespace()) => {
                out.hide(at + colon + 1..end);
            }
            _ => redact_line(below, at, dialect, out),
        }
        at = next_line(text, end);
    }
    at
}

/// Hides the lines below that are indented more than `indent`, or all that look like armour.
fn redact_indented(text: &str, from: usize, indent: Option<usize>, out: &mut Output<'_>) -> usize {
    let mut at = next_line(text, from);
    for _ in 0..MAX_LINES {
        if at >= text.len() {
            break;
        }
        let end = line_end(text, at);
        let line = &text[at..end];
        let depth = line.len() - line.trim_start().len();
        let inside = match indent {
            Some(indent) => depth > indent || line.trim().is_empty(),
            None => !line.trim().is_empty() && is_armour(line.trim()),
        };
        if !inside {
            break;
        }
        out.hide(at + depth..end);
        at = next_line(text, end);
    }
    at
}

/// The name of an XML element that is a secret's and that this line opens and does not close.
fn open_element(line: &str) -> Option<&str> {
    let start = line.rfind('<')?;
    let tag = line[start + 1..].split(['>', ' ', '\t']).next()?;
    let after = line[start..].split_once('>')?.1;
    let opens =
        is_tag(tag) && !tag.starts_with(['/', '!', '?']) && !line.trim_end().ends_with("/>");
    (opens && after.trim().is_empty() && names::is_secret(tag)).then_some(tag)
}

/// Whether this can be the name of an element; `<local/x>` is an include of another program.
fn is_tag(tag: &str) -> bool {
    let named =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':');
    tag.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && tag.chars().all(named)
}

fn redact_element(text: &str, from: usize, tag: &str, out: &mut Output<'_>) -> usize {
    let close = format!("</{tag}");
    let mut at = next_line(text, from);
    for _ in 0..64 {
        if at >= text.len() {
            break;
        }
        let end = line_end(text, at);
        let line = &text[at..end];
        let depth = line.len() - line.trim_start().len();
        if let Some(found) = line.find(&close) {
            out.hide(at + depth..at + found.max(depth));
            return next_line(text, end);
        }
        out.hide(at + depth..end);
        at = next_line(text, end);
    }
    at
}
