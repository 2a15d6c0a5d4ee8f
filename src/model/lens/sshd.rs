//! `config.sshd`: sshd_config(5) with Include and Match. The first value of a keyword wins, by
//! the order in which sshd reads: included files where they are included.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text, glob};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const MAIN: &str = "/etc/ssh/sshd_config";
/// As deep as sshd follows Include.
const DEPTH: usize = 16;
/// More settings than any real host has; an include can multiply a hostile file.
const MAX_ROWS: usize = 50_000;
/// More bytes than any real configuration has, a file counted each time it is included, and each
/// path that is compared with a pattern.
const MAX_BYTES: usize = 64 << 20;

/// Keywords that may stand several times and whose values add up.
const REPEATED: [&str; 13] = [
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "hostkey",
    "include",
    "listenaddress",
    "persourcepenaltyexemptlist",
    "port",
    "setenv",
    "subsystem",
];

/// Lists of algorithms, which may add to the default (`+`, `^`) or take from it (`-`).
const ALGORITHMS: [&str; 7] = [
    "casignaturealgorithms",
    "ciphers",
    "hostbasedacceptedalgorithms",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
];

/// Older names of keywords.
const ALIASES: [(&str, &str); 9] = [
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
    ("keepalive", "tcpkeepalive"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
    ("hostdsakey", "hostkey"),
    ("rhostsauthentication", "hostbasedauthentication"),
    ("ipqostos", "ipqos"),
];

facts! {
    /// Settings of the SSH server: /etc/ssh/sshd_config with what it includes.
    #[table(name = "config.sshd", origin = Lens, location = "{path}")]
    pub struct Sshd {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The keyword in lower case, older names replaced by today's.
        pub keyword: Arc<str>,
        /// The arguments joined by one space, quotes removed.
        pub value: Arc<str>,
        /// The arguments, those separated by commas apart; a list of algorithms without the `+`,
        /// `-` or `^` before it.
        pub values: Vec<Arc<str>>,
        /// The value as a number; times such as `2m` in seconds.
        pub int_value: Option<i64>,
        /// The criteria of the Match block it stands in; none for the global part.
        pub r#match: Option<Arc<str>>,
        /// Whether it is the first value of its keyword in the global part or in its Match block.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Sshd::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reader = Reader {
            files,
            reading: Reading::of::<Sshd>(files),
            seen: BTreeSet::new(),
            rows: 0,
            bytes: 0,
            block: 0,
        };
        if let Some(main) = files.get(MAIN) {
            reader.file(main, None, 0, 0);
        }
        Ok(reader.reading.done())
    }
}

struct Reader<'a> {
    files: &'a ConfigFiles,
    reading: Reading,
    /// Keywords that have a value, by the number of the block (0 is the global part).
    seen: BTreeSet<(usize, String)>,
    rows: usize,
    /// What was read so far, against [`MAX_BYTES`].
    bytes: usize,
    block: usize,
}

impl Reader<'_> {
    /// Reads a file; a Match block that it opens ends with it.
    fn file(&mut self, file: &Text, outer: Option<Arc<str>>, outer_block: usize, depth: usize) {
        let text = self.reading.text(file);
        if self.spent(text.len()) {
            return;
        }
        let (mut criteria, mut block) = (outer.clone(), outer_block);
        for (line, text) in (1..).zip(text.lines()) {
            let Some((keyword, arguments)) = split(text) else { continue };
            if keyword == "match" {
                let own = arguments.join(" ");
                self.block += 1;
                block = self.block;
                criteria = Some(match &outer {
                    Some(outer) => format!("{outer} {own}").into(),
                    None => own.into(),
                });
                continue;
            }
            if self.rows == MAX_ROWS {
                self.reading.truncate(format!("sshd_config has more than {MAX_ROWS} settings"));
                self.rows += 1;
            }
            if self.rows > MAX_ROWS {
                return;
            }
            self.rows += 1;
            self.push(file, line, &keyword, &arguments, criteria.clone(), block);
            if keyword == "include" {
                self.include(&arguments, criteria.clone(), block, depth);
            }
        }
    }

    fn include(
        &mut self,
        patterns: &[String],
        criteria: Option<Arc<str>>,
        block: usize,
        depth: usize,
    ) {
        if depth >= DEPTH {
            self.reading.truncate(format!("Include is nested more than {DEPTH} deep"));
            return;
        }
        for pattern in patterns {
            let pattern = if pattern.starts_with(['/', '~']) {
                pattern.clone()
            } else {
                format!("/etc/ssh/{pattern}")
            };
            let files = self.files;
            if !pattern.contains(['*', '?', '[', '\\']) {
                if self.spent(pattern.len()) {
                    return;
                }
                if let Some(file) = files.get(&pattern) {
                    self.file(file, criteria.clone(), block, depth + 1);
                }
                continue;
            }
            for file in files.under(literal_directory(&pattern)) {
                if self.spent(pattern.len() + file.path.len()) {
                    return;
                }
                if glob::matches(&pattern, &file.path) {
                    self.file(file, criteria.clone(), block, depth + 1);
                }
            }
        }
    }

    /// Counts bytes that are about to be read; true once that is more than any real host needs.
    fn spent(&mut self, bytes: usize) -> bool {
        let over = |bytes| bytes > MAX_BYTES;
        let before = over(self.bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        if over(self.bytes) && !before {
            self.reading.truncate(format!("sshd_config reads more than {MAX_BYTES} bytes"));
        }
        over(self.bytes)
    }

    fn push(
        &mut self,
        file: &Text,
        line: i64,
        keyword: &str,
        arguments: &[String],
        criteria: Option<Arc<str>>,
        block: usize,
    ) {
        let first = self.seen.insert((block, keyword.to_owned()));
        let value = arguments.join(" ");
        self.reading.push(Sshd {
            path: AbsPath(Arc::clone(&file.path)),
            line,
            keyword: keyword.into(),
            int_value: arguments.first().and_then(|argument| seconds(argument)),
            values: arguments
                .iter()
                .map(|argument| match ALGORITHMS.contains(&keyword) {
                    true => argument.trim_start_matches(['+', '-', '^']),
                    false => argument,
                })
                .flat_map(|argument| argument.split(','))
                .filter(|item| !item.is_empty())
                .map(Arc::from)
                .collect(),
            value: value.into(),
            r#match: criteria,
            effective: first || REPEATED.contains(&keyword),
        });
    }
}

/// The directory above the first component of a pattern that is not literal.
fn literal_directory(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len());
    let literal = pattern.get(..end).unwrap_or_default();
    literal.rfind('/').and_then(|slash| pattern.get(..slash)).unwrap_or_default()
}

/// The keyword and arguments of a line, as sshd splits it; none for blank and comment lines.
fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim_matches([' ', '\t', '\r', '\u{c}']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    // The keyword ends at white space or at `=`, which may have white space round it once.
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let keyword = line[..end].trim_matches('"').to_ascii_lowercase();
    let rest = line[end..].trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let keyword = ALIASES
        .iter()
        .find(|(old, _)| *old == keyword)
        .map_or(keyword, |(_, new)| (*new).to_owned());
    Some((keyword, arguments(rest)))
}

fn arguments(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let Some(first) = characters.peek().copied() else { return list };
        if first == '#' {
            return list;
        }
        let mut argument = String::new();
        let mut quote = None;
        while let Some(character) = characters.peek().copied() {
            match (quote, character) {
                (None, ' ' | '\t') => break,
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), close) if open == close => quote = None,
                (_, '\\') => {
                    characters.next();
                    match characters.peek().copied() {
                        Some(escaped @ ('\\' | '"' | '\'')) => argument.push(escaped),
                        Some(' ') if quote.is_none() => argument.push(' '),
                        _ => {
                            argument.push('\\');
                            continue;
                        }
                    }
                }
                (_, other) => argument.push(other),
            }
            characters.next();
        }
        list.push(argument);
    }
}

/// A number, or a time such as `1h30m`, in seconds.
fn seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    let (mut total, mut digits) = (0i64, String::new());
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    if digits.is_empty() {
        (!text.is_empty()).then_some(total)
    } else {
        total.checked_add(digits.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;
    use proptest::prelude::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        rows::<Sshd>(&Lens, texts)
            .into_iter()
            .map(|row| {
                let name = row.path.0.rsplit('/').next().unwrap().to_owned();
                let place = row.r#match.map(|m| format!(" [{m}]")).unwrap_or_default();
                let mark = if row.effective { "" } else { " -" };
                format!("{name}:{} {} {}{place}{mark}", row.line, row.keyword, row.value)
            })
            .collect()
    }

    #[test]
    fn the_first_value_wins_and_includes_stand_in_place() {
        let texts = [
            (MAIN, "Include sshd_config.d/*.conf\n# no\nPermitRootLogin=no\nport 22\nPort 23\n"),
            ("/etc/ssh/sshd_config.d/b.conf", "permitrootlogin \"yes\" # trailing\n"),
            ("/etc/ssh/sshd_config.d/a.conf", "X11Forwarding\tno\n"),
            ("/etc/ssh/sshd_config.d/c.txt", "PermitRootLogin no\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "sshd_config:1 include sshd_config.d/*.conf",
                "a.conf:1 x11forwarding no",
                "b.conf:1 permitrootlogin yes",
                "sshd_config:3 permitrootlogin no -",
                "sshd_config:4 port 22",
                "sshd_config:5 port 23",
            ]
        );
    }

    #[test]
    fn match_blocks_end_with_the_next_one_and_with_their_file() {
        let texts = [
            (
                MAIN,
                "Include /etc/ssh/m.conf\nPermitRootLogin no\nMatch User \"a b\"\n PermitRootLogin yes\nPermitRootLogin no\nMatch all\nX11Forwarding yes\n",
            ),
            ("/etc/ssh/m.conf", "Match Group x\nBanner none\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "sshd_config:1 include /etc/ssh/m.conf",
                "m.conf:2 banner none [Group x]",
                "sshd_config:2 permitrootlogin no",
                "sshd_config:4 permitrootlogin yes [User a b]",
                "sshd_config:5 permitrootlogin no [User a b] -",
                "sshd_config:7 x11forwarding yes [all]",
            ]
        );
    }

    #[test]
    fn lists_of_algorithms_are_apart_without_their_sign() {
        let texts = [(MAIN, "MACs -umac-64@openssh.com,hmac-sha1\nSetEnv +a\n")];
        let rows: Vec<Sshd> = rows(&Lens, &texts);
        assert_eq!(rows[0].values, ["umac-64@openssh.com".into(), "hmac-sha1".into()]);
        assert_eq!(&*rows[0].value, "-umac-64@openssh.com,hmac-sha1");
        assert_eq!(rows[1].values, ["+a".into()]);
    }

    #[test]
    fn times_and_numbers_are_read() {
        assert_eq!(seconds("2m"), Some(120));
        assert_eq!(seconds("1h30"), Some(3630));
        assert_eq!(seconds("60"), Some(60));
        assert_eq!(seconds("no"), None);
        assert_eq!(seconds("10:30:60"), None);
    }

    #[test]
    fn an_include_cycle_ends() {
        let texts = [(MAIN, "Include /etc/ssh/sshd_config\nPort 1\n")];
        assert!(rows::<Sshd>(&Lens, &texts).len() <= 2 * (DEPTH + 1));
    }

    #[test]
    fn includes_that_multiply_come_to_an_end() {
        let main = format!("Include {}\n", "sshd_config.d/* ".repeat(20_000));
        let text = format!("# {}\n", "x".repeat(100_000));
        let texts = [(MAIN, &*main), ("/etc/ssh/sshd_config.d/a", &*text)];
        let loaded =
            super::super::Lens::load(&Lens, &super::super::testing::files(&texts)).unwrap();
        assert!(format!("{:?}", loaded.state).contains("bytes"), "{:?}", loaded.state);
    }

    #[test]
    fn a_pattern_is_looked_for_below_its_literal_directory() {
        assert_eq!(literal_directory("/etc/ssh/a*/b.conf"), "/etc/ssh");
        assert_eq!(literal_directory("/*/x"), "");
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ \\t\"'\\\\#=a-zMatchInclude*/\\n]{0,200}") {
            let _ = rows::<Sshd>(&Lens, &[(MAIN, &text)]);
        }
    }
}
