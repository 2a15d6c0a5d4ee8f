//! The words of a value: white space separates, quotes group, backslashes escape.

use super::is_white;

/// What a backslash means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// C escapes are decoded (command lines); one that is not known stays as written.
    Decode,
    /// A backslash is a character like any other (lists of units, whose names have them).
    Keep,
}

/// A quote that is not closed: systemd ignores the assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// The words of a value. `None` where a quote is not closed: systemd then ignores the assignment.
pub fn words(value: &str, escapes: Escapes) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = value;
    while let Some((word, after)) = first(rest, escapes).ok()? {
        words.push(word);
        rest = after;
    }
    Some(words)
}

/// The first word and what follows it, white space skipped on both sides; `None` at the end.
pub(super) fn first(value: &str, escapes: Escapes) -> Result<Option<(String, &str)>, Unbalanced> {
    let mut rest = value.trim_start_matches(is_white);
    if rest.is_empty() {
        return Ok(None);
    }
    let mut word: Vec<u8> = Vec::new();
    let mut quote: Option<char> = None;
    while let Some((c, after)) = split(rest) {
        rest = after;
        match quote {
            _ if c == '\\' && escapes == Escapes::Decode => match unescape(rest) {
                Some((bytes, used)) => {
                    word.extend_from_slice(&bytes);
                    rest = rest.get(used..).unwrap_or_default();
                }
                // Not known: kept, and the character after it means nothing special either.
                None => {
                    word.push(b'\\');
                    if let Some((c, after)) = split(rest) {
                        push(&mut word, c);
                        rest = after;
                    }
                }
            },
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if is_white(c) => {
                return Ok(Some((text(word), rest.trim_start_matches(is_white))));
            }
            _ => push(&mut word, c),
        }
    }
    if quote.is_some() {
        return Err(Unbalanced);
    }
    Ok(Some((text(word), "")))
}

fn split(text: &str) -> Option<(char, &str)> {
    let c = text.chars().next()?;
    Some((c, text.get(c.len_utf8()..)?))
}

fn push(word: &mut Vec<u8>, c: char) {
    word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Escapes can write any byte; what is no UTF-8 in the end is shown with replacement characters.
fn text(word: Vec<u8>) -> String {
    String::from_utf8(word)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What the escape after a backslash stands for, and how many bytes it takes.
fn unescape(after: &str) -> Option<(Vec<u8>, usize)> {
    let simple = |byte: u8| Some((vec![byte], 1));
    match after.bytes().next()? {
        b'a' => simple(7),
        b'b' => simple(8),
        b'f' => simple(12),
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'v' => simple(11),
        b's' => simple(b' '),
        quoted @ (b'\\' | b'"' | b'\'') => simple(quoted),
        b'x' => byte(number(after.get(1..3)?, 16)?, 3),
        b'u' => character(number(after.get(1..5)?, 16)?, 5),
        b'U' => character(number(after.get(1..9)?, 16)?, 9),
        b'0'..=b'7' => byte(number(after.get(..3)?, 8)?, 3),
        _ => None,
    }
}

fn number(digits: &str, radix: u32) -> Option<u32> {
    // `from_str_radix` would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then_some(())?;
    u32::from_str_radix(digits, radix).ok().filter(|number| *number != 0)
}

fn byte(number: u32, used: usize) -> Option<(Vec<u8>, usize)> {
    Some((vec![u8::try_from(number).ok()?], used))
}

fn character(number: u32, used: usize) -> Option<(Vec<u8>, usize)> {
    Some((char::from_u32(number)?.to_string().into_bytes(), used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(value: &str) -> Vec<String> {
        words(value, Escapes::Decode).unwrap()
    }

    #[test]
    fn quotes_group_and_join() {
        assert_eq!(decode(" a  'b c'\t\"d 'e\" f\"g\"h '' "), ["a", "b c", "d 'e", "fgh", ""]);
        assert_eq!(words("a 'b", Escapes::Decode), None);
        assert_eq!(words("a \"b'", Escapes::Keep), None);
    }

    #[test]
    fn escapes_decode() {
        assert_eq!(
            decode(r"a\sb \x41\102\u00e4 \\ \' \$x \"),
            ["a b", "ABä", "\\", "'", "\\$x", "\\"]
        );
        assert_eq!(decode(r"\xff \x00 \400 \x+1"), ["\u{fffd}", "\\x00", "\\400", "\\x+1"]);
        assert_eq!(decode("\\ä \"\\\"\""), ["\\ä", "\""]);
    }

    #[test]
    fn names_keep_their_backslashes() {
        let names = words(r"dev-disk-by\x2dlabel-x.swap 'b c'", Escapes::Keep).unwrap();
        assert_eq!(names, [r"dev-disk-by\x2dlabel-x.swap", "b c"]);
    }
}
