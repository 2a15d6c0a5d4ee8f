//! The order of apk: apk-package(5), section on versions, as apk-tools 2.14 and 3 compare.
//!
//! `digits(.digits)*[letter](_suffix[digits])*[~hash][-rN]`. `_alpha`, `_beta`, `_pre` and `_rc`
//! come before the version without them, `_cvs`, `_svn`, `_git`, `_hg` and `_p` after it. Where one
//! of two numbers after the first has a leading zero, both are compared as text. What does not
//! follow that form is compared up to there, and comes before the version that ends there.

use std::cmp::Ordering;

use super::key::Key;

/// Suffixes in their order; the ones before `None` lower the version.
const SUFFIXES: [&str; 9] = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const LOWERING: usize = 4;

/// How apk orders two versions.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Tokens::new(a), Tokens::new(b));
    loop {
        let (next_a, next_b) = (a.next(), b.next());
        let order = next_a.order(&next_b);
        if order.is_ne() || matches!(next_a, Token::End | Token::Invalid) {
            return order;
        }
    }
}

/// A key with the order of [`compare`].
pub(super) fn key(version: &str, key: &mut Key) {
    let mut tokens = Tokens::new(version);
    loop {
        let token = tokens.next();
        token.key(key);
        if matches!(token, Token::End | Token::Invalid) {
            return;
        }
    }
}

/// One part of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Invalid,
}

impl Token<'_> {
    /// What may stand where: a part may be followed by parts of a higher stage.
    fn stage(&self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
            Self::Invalid => 8,
        }
    }

    /// Order among parts that follow the same beginning: suffixes of a release not made yet, what is
    /// no part of a version, the end, then the more the earlier its stage.
    fn rank(&self) -> u8 {
        match self {
            Self::Suffix(suffix) if *suffix < LOWERING => 0,
            Self::Invalid => 1,
            Self::End => 2,
            Self::Revision(_) => 3,
            Self::Hash(_) => 4,
            Self::SuffixNumber(_) => 5,
            Self::Suffix(_) => 6,
            Self::Letter(_) => 7,
            Self::Number(_) | Self::First(_) => 8,
        }
    }

    fn key(&self, key: &mut Key) {
        key.byte(self.rank());
        match self {
            Self::First(number) | Self::SuffixNumber(number) | Self::Revision(number) => {
                key.number(number);
            }
            // Numbers as text come before all others, since those do not begin with a zero.
            Self::Number(number) if number.starts_with(b"0") => {
                key.byte(0);
                key.text(number);
            }
            Self::Number(number) => {
                key.byte(1);
                key.number(number);
            }
            Self::Letter(letter) => key.byte(*letter),
            Self::Suffix(suffix) => key.int(*suffix as u64),
            Self::Hash(text) => key.text(text),
            Self::End | Self::Invalid => {}
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) if a.starts_with(b"0") || b.starts_with(b"0") => {
                a.cmp(b)
            }
            (Self::First(a), Self::First(b))
            | (Self::Number(a), Self::Number(b))
            | (Self::SuffixNumber(a), Self::SuffixNumber(b))
            | (Self::Revision(a), Self::Revision(b)) => {
                super::number_order(super::digits(a).0, super::digits(b).0)
            }
            (Self::Letter(a), Self::Letter(b)) => a.cmp(b),
            (Self::Suffix(a), Self::Suffix(b)) => a.cmp(b),
            (Self::Hash(a), Self::Hash(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// The parts of a version; after the last one, the end for ever.
struct Tokens<'a> {
    rest: &'a [u8],
    stage: Option<u8>,
}

impl<'a> Tokens<'a> {
    fn new(version: &'a str) -> Self {
        Self { rest: version.as_bytes(), stage: None }
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.take().unwrap_or(Token::Invalid);
        self.stage = Some(token.stage());
        token
    }

    /// The next part; `None` where what is left has not the form of a version.
    fn take(&mut self) -> Option<Token<'a>> {
        let Some(stage) = self.stage else { return self.number().map(Token::First) };
        let Some((first, rest)) = self.rest.split_first() else { return Some(Token::End) };
        match first {
            b'a'..=b'z' if stage < 2 => {
                self.rest = rest;
                Some(Token::Letter(*first))
            }
            b'.' if stage < 2 => {
                self.rest = rest;
                self.number().map(Token::Number)
            }
            b'0'..=b'9' if stage == 3 => self.number().map(Token::SuffixNumber),
            b'_' if stage < 5 => {
                let end = rest.iter().position(|byte| !byte.is_ascii_lowercase());
                let (word, rest) = rest.split_at(end.unwrap_or(rest.len()));
                let suffix = SUFFIXES.iter().position(|suffix| suffix.as_bytes() == word)?;
                self.rest = rest;
                Some(Token::Suffix(suffix))
            }
            b'~' if stage < 5 => {
                let hexadecimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let end = rest.iter().position(|byte| !hexadecimal(byte)).unwrap_or(rest.len());
                let (hash, rest) = rest.split_at(end);
                self.rest = rest;
                (!hash.is_empty()).then_some(Token::Hash(hash))
            }
            b'-' if stage < 6 => {
                self.rest = rest.strip_prefix(b"r")?;
                self.number().map(Token::Revision)
            }
            _ => None,
        }
    }

    /// Digits, zeros included; at least one.
    fn number(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering::{Equal, Less};

    #[test]
    fn as_apk_says() {
        for (a, b) in [
            ("2.34", "2.40"),
            ("0.1.0_alpha", "0.1.2_alpha"),
            ("0.1.0_alpha", "0.1.0"),
            ("2.2.39-r1", "2.2.40-r0"),
            ("8.2.0-r0", "8.2.001-r0"),
            ("4.09-r1", "4.10-r0"),
            ("1.05", "1.5"),
            ("1.9", "1.10"),
            ("0.7-r0", "1_rc1"),
            ("1.0_alpha2", "1.0_alpha10"),
            ("1.0_beta", "1.0_pre"),
            ("1.0_rc3", "1.0"),
            ("1.0", "1.0_p1"),
            ("1.0_cvs1", "1.0_git1"),
            ("1.0", "1.0-r0"),
            ("1.0-r9", "1.0.1-r0"),
            ("1.0a", "1.0b"),
            ("1.0", "1.0a"),
            ("1.0_p10", "1.0_p10~abc"),
            ("1.0", "1.0~1234abcd"),
            ("3.0.8-r0", "3.0.12-r1"),
            ("1.2.3!", "1.2.3"),
            ("1.0_rc1", "1.0_unknown"),
            ("1.0_unknown", "1.0"),
            ("1.0-r1-r2", "1.0-r1"),
        ] {
            assert_eq!(compare(a, b), Less, "{a} {b}");
        }
        for (a, b) in
            [("1.0-r1", "1.0-r01"), ("01", "1"), ("1.0", "1.0"), ("1.0!", "1.0?"), ("", "")]
        {
            assert_eq!(compare(a, b), Equal, "{a} {b}");
        }
    }
}
