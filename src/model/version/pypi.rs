//! The order of Python packages: the version specifiers of PyPA (PEP 440).
//!
//! `[epoch!]release[pre][.postN][.devN][+local]`, spelled in many ways that mean the same. What is
//! no such version comes before those that are.

use super::key::Key;

const INVALID: u8 = 0;
const VALID: u8 = 1;
/// What a part of a key begins with: a part that is less for being there, the end, one that is
/// more.
const LESS: u8 = 1;
const END: u8 = 2;
const MORE: u8 = 3;

/// A key with this order.
pub(super) fn key(version: &str, key: &mut Key) {
    let text = version.trim().to_ascii_lowercase();
    match Parsed::of(&text) {
        Some(parsed) => parsed.key(key),
        None => {
            key.byte(INVALID);
            key.text(text.as_bytes());
        }
    }
}

struct Parsed<'a> {
    epoch: &'a str,
    release: Vec<&'a str>,
    /// `a`, `b` or `r`, with its number.
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

impl<'a> Parsed<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let epoch = match rest.split_once('!') {
            Some((epoch, after)) if is_number(epoch) => {
                rest = after;
                epoch
            }
            Some(_) => return None,
            None => "",
        };
        let mut release = vec![number(&mut rest)?];
        while let Some(mut after) = rest.strip_prefix('.')
            && let Some(part) = number(&mut after)
        {
            release.push(part);
            rest = after;
        }
        let pre = [
            ("alpha", b'a'),
            ("a", b'a'),
            ("beta", b'b'),
            ("b", b'b'),
            ("preview", b'r'),
            ("pre", b'r'),
            ("rc", b'r'),
            ("c", b'r'),
        ];
        let pre = pre.iter().find_map(|(word, kind)| Some((*kind, named(&mut rest, word)?)));
        let post = ["post", "rev", "r"].iter().find_map(|word| named(&mut rest, word)).or_else(
            // `1.0-1` is another spelling of `1.0.post1`.
            || {
                let mut after = rest.strip_prefix('-')?;
                let found = number(&mut after)?;
                rest = after;
                Some(found)
            },
        );
        let dev = named(&mut rest, "dev");
        let local = rest.strip_prefix('+');
        let valid = match local {
            Some(local) => local
                .split(['-', '_', '.'])
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric())),
            None => rest.is_empty(),
        };
        valid.then_some(Self { epoch, release, pre, post, dev, local })
    }

    fn key(&self, key: &mut Key) {
        key.byte(VALID);
        key.number(self.epoch.as_bytes());
        let zeros = self.release.iter().rev().take_while(|part| part.bytes().all(|b| b == b'0'));
        let significant = self.release.len() - zeros.count();
        for part in self.release.iter().take(significant) {
            key.byte(MORE);
            key.number(part.as_bytes());
        }
        key.byte(END);
        match self.pre {
            Some((kind, number)) => {
                key.byte(END);
                key.byte(kind);
                key.number(number.as_bytes());
            }
            // A development release of a release comes before the release's own alphas.
            None if self.post.is_none() && self.dev.is_some() => key.byte(LESS),
            None => key.byte(MORE),
        }
        for (part, byte) in [(self.post, MORE), (self.dev, LESS)] {
            match part {
                Some(number) => {
                    key.byte(byte);
                    key.number(number.as_bytes());
                }
                None => key.byte(END),
            }
        }
        for part in self.local.into_iter().flat_map(|local| local.split(['-', '_', '.'])) {
            if is_number(part) {
                key.byte(MORE + 1);
                key.number(part.as_bytes());
            } else {
                key.byte(MORE);
                key.text(part.as_bytes());
            }
        }
        key.byte(END);
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes digits; at least one.
fn number<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    (!digits.is_empty()).then_some(digits)
}

fn separator(text: &str) -> Option<&str> {
    text.strip_prefix(['-', '_', '.'])
}

/// Takes `[-_.]word[-_.]N`, all but the word optional; the number is empty where there is none.
fn named<'a>(rest: &mut &'a str, word: &str) -> Option<&'a str> {
    let start = separator(rest).unwrap_or(rest);
    let after = start.strip_prefix(word)?;
    let mut numbered = separator(after).unwrap_or(after);
    match number(&mut numbered) {
        Some(number) => {
            *rest = numbered;
            Some(number)
        }
        None => {
            *rest = after;
            Some("")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::rises;

    #[test]
    fn as_pep_440_says() {
        rises(
            "pypi",
            &[
                "not a version",
                "1.dev0",
                "1.0.dev456",
                "1.0a1",
                "1.0a2.dev456",
                "1.0a12.dev456",
                "1.0a12",
                "1.0b1.dev456",
                "1.0b2",
                "1.0b2.post345.dev456",
                "1.0b2.post345",
                "1.0rc1.dev456",
                "1.0rc1",
                "1.0",
                "1.0+abc.5",
                "1.0+abc.7",
                "1.0+5",
                "1.0.post456.dev34",
                "1.0.post456",
                "1.0.15",
                "1.1.dev1",
                "1!0.1",
            ],
            &[
                ("1.0", "v1"),
                ("1.0.0-ALPHA_1", "1a1"),
                ("1.0-1", "1.0.post1"),
                ("1.0.r4", "1.0.post4"),
                ("1.0c1", "1.0.preview.1"),
                ("1.0+a-1", "1.0+a.1"),
                ("1.0.dev", "1.dev0"),
            ],
        );
    }
}
