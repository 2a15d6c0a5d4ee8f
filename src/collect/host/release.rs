//! os-release(5): assignments in the shell's syntax.

use std::collections::BTreeMap;

use crate::collect::{Root, text};

/// Where it is looked for; the first that is there counts alone.
pub(in crate::collect) const PLACES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// The assignments; the last one of a name counts.
pub(super) fn read(root: &dyn Root) -> BTreeMap<String, String> {
    let content = PLACES.iter().find_map(|path| text::small(root, path)).unwrap_or_default();
    content.lines().filter_map(assignment).filter(|(_, value)| !value.is_empty()).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let (key, value) = line.trim().split_once('=')?;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!key.is_empty() && key.bytes().all(name)).then(|| (key.to_owned(), unquote(value.trim())))
}

/// A shell word: parts in double quotes with backslash escapes, in single quotes, or bare.
fn unquote(value: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None | Some('"'), '\\') => out.extend(letters.next()),
            // A word ends at white space; what follows would be a command to the shell.
            (None, letter) if letter.is_whitespace() => break,
            (_, letter) => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::assignment;

    #[test]
    fn quotes_are_resolved() {
        let read = |line| assignment(line).map(|(_, value)| value);
        assert_eq!(read("PRETTY_NAME=\"Debian \\\"12\\\"\"").unwrap(), "Debian \"12\"");
        assert_eq!(read("ID=debian").unwrap(), "debian");
        assert_eq!(read("ID=debian # no").unwrap(), "debian");
        assert_eq!(read("VERSION_ID='9.4'").unwrap(), "9.4");
        assert_eq!(read("NAME='a\"b'\"c d\"").unwrap(), "a\"bc d");
        assert_eq!(read("# ID=x"), None);
        assert_eq!(read("echo ID=x"), None);
        assert_eq!(read("ID=\"").unwrap(), "");
    }
}
