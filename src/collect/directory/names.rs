//! File names are bytes, paths in facts are text: the escape between them.
//!
//! A byte that is not part of valid UTF-8 becomes U+FFFD and two hexadecimal digits. The three
//! bytes of a real U+FFFD are written the same way, so every U+FFFD in a text begins an escape:
//! no two names give one text, and the text gives the name back. A backslash was not chosen
//! because systemd's unit names are full of them.

use std::borrow::Cow;

const MARK: char = '\u{FFFD}';
const MARK_BYTES: [u8; 3] = [0xEF, 0xBF, 0xBD];

/// The text for a name or path.
pub(crate) fn text(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name)
        && (text.is_ascii() || !text.contains(MARK))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(name.len() + 16);
    for chunk in name.utf8_chunks() {
        for (index, part) in chunk.valid().split(MARK).enumerate() {
            if index > 0 {
                escape(&mut out, &MARK_BYTES);
            }
            out.push_str(part);
        }
        escape(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn escape(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(MARK);
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// The name for a text. A mark without two digits stands for itself: no name has such a text, so
/// nothing is found by it.
pub(crate) fn bytes(text: &str) -> Cow<'_, [u8]> {
    if text.is_ascii() || !text.contains(MARK) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut parts = text.split(MARK);
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                out.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                out.extend_from_slice(&MARK_BYTES);
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_are_themselves() {
        for name in ["passwd", "dev-disk-by\\x2duuid.swap", "größe", "a b\tc"] {
            assert!(matches!(text(name.as_bytes()), Cow::Borrowed(same) if same == name));
            assert_eq!(bytes(name), name.as_bytes());
        }
    }

    #[test]
    fn a_bad_byte_and_the_mark_itself_are_escaped() {
        assert_eq!(text(b"a\xffb"), "a\u{FFFD}ffb");
        assert_eq!(text("\u{FFFD}ff".as_bytes()), "\u{FFFD}ef\u{FFFD}bf\u{FFFD}bdff");
        assert_eq!(text(b"\xe2\x82"), "\u{FFFD}e2\u{FFFD}82");
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0xEF), Just(0xBF), Just(0xBD), Just(b'f')], 0..40)) {
            let there = text(&name).into_owned();
            prop_assert_eq!(bytes(&there).into_owned(), name);
        }

        #[test]
        fn any_text_is_total(text in "\\PC*") {
            let _ = bytes(&text);
        }
    }
}
