//! `config.sshd`: sshd_config(5) with Include and Match. The first value of a keyword wins, by
//! the order in which sshd reads: included files where they are included. What a Match block says
//! goes before what the global part says, and `Match all` speaks of everybody. MaxStartups is the
//! one keyword whose last value wins, whatever the manual says.

mod algorithms;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const MAIN: &str = "/etc/ssh/sshd_config";
/// As deep as sshd follows Include.
const DEPTH: usize = 16;
/// More settings than any real host has; an include can multiply a hostile file.
const MAX_ROWS: usize = 50_000;

/// Keywords that may stand several times and whose values add up.
const REPEATED: [&str; 12] = [
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
    "subsystem",
];

/// The keyword whose values sshd stores as it reads them, without asking for one before.
const LAST_WINS: &str = "maxstartups";

/// Keywords whose value is the rest of the line as it stands, quotes too.
const RAW: [&str; 4] =
    ["authorizedkeyscommand", "authorizedprincipalscommand", "forcecommand", "versionaddendum"];

/// Older names of keywords.
const ALIASES: [(&str, &str); 7] = [
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
    ("keepalive", "tcpkeepalive"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
    ("hostdsakey", "hostkey"),
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
        /// The criteria of the Match block it stands in; none for the global part and for `Match all`.
        pub r#match: Option<Arc<str>>,
        /// Whether it is the first value of its keyword (of MaxStartups the last) for those whom its block is about, and no `Match all` takes its place.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Sshd::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let reading = Reading::of::<Sshd>(files);
        let mut reader = Reader { files, reading, seen: BTreeSet::new(), rows: Vec::new() };
        if let Some(main) = files.get(MAIN) {
            reader.file(main, &Scope::Global, 0);
        }
        Ok(reader.done())
    }
}

/// For whom a setting holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Everybody, where no Match block says otherwise.
    Global,
    /// Everybody, by `Match all`.
    All,
    /// Those who meet the criteria.
    Some(Arc<str>),
}

impl Scope {
    /// Where a Match block of a file stands that is included here.
    fn inner(&self, criteria: &[String]) -> Self {
        let all = matches!(criteria, [only] if only.eq_ignore_ascii_case("all"));
        match self {
            Self::Some(_) if all => self.clone(),
            Self::Some(outer) => Self::Some(format!("{outer} {}", criteria.join(" ")).into()),
            _ if all => Self::All,
            _ => Self::Some(criteria.join(" ").into()),
        }
    }
}

struct Reader<'a> {
    files: &'a ConfigFiles,
    reading: Reading,
    /// Keywords that have a value, by scope.
    seen: BTreeSet<(Scope, String)>,
    rows: Vec<(Scope, Sshd)>,
}

impl Reader<'_> {
    /// Reads a file; a Match block that it opens ends with it.
    fn file(&mut self, file: &Text, outer: &Scope, depth: usize) {
        let text = self.reading.text(file);
        if !self.reading.afford(text.len().max(1)) {
            return;
        }
        let mut scope = outer.clone();
        for (line, text) in (1..).zip(text.lines()) {
            let Some((keyword, rest)) = split(text) else { continue };
            let arguments = arguments(rest);
            if keyword == "match" {
                scope = outer.inner(&arguments);
                continue;
            }
            if self.rows.len() >= MAX_ROWS {
                return;
            }
            self.push(file, line, &keyword, rest, &arguments, &scope);
            if keyword == "include" {
                self.include(&arguments, &scope, depth);
            }
        }
    }

    fn include(&mut self, patterns: &[String], scope: &Scope, depth: usize) {
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
            for file in files.globbed(&pattern, &mut self.reading) {
                self.file(file, scope, depth + 1);
            }
        }
    }

    fn push(
        &mut self,
        file: &Text,
        line: i64,
        keyword: &str,
        rest: &str,
        arguments: &[String],
        scope: &Scope,
    ) {
        let by_all = self.seen.contains(&(Scope::All, keyword.to_owned()));
        let first = self.seen.insert((scope.clone(), keyword.to_owned()));
        let value = if RAW.contains(&keyword) { rest.to_owned() } else { arguments.join(" ") };
        let row = Sshd {
            path: AbsPath(Arc::clone(&file.path)),
            line,
            keyword: keyword.into(),
            int_value: arguments.first().and_then(|argument| seconds(argument)),
            values: if algorithms::is_list(keyword) {
                algorithms::names(&value)
            } else {
                let items = arguments.iter().flat_map(|argument| argument.split(','));
                items.filter(|item| !item.is_empty()).map(Arc::from).collect()
            },
            value: value.into(),
            r#match: match scope {
                Scope::Some(criteria) => Some(Arc::clone(criteria)),
                Scope::Global | Scope::All => None,
            },
            effective: match scope {
                Scope::Some(_) if by_all => false,
                _ => first || REPEATED.contains(&keyword),
            },
        };
        self.rows.push((scope.clone(), row));
    }

    fn done(mut self) -> Loaded {
        if self.rows.len() >= MAX_ROWS {
            self.reading.truncate(format!("sshd_config has more than {MAX_ROWS} settings"));
        }
        let last = self.rows.iter().rposition(|(_, row)| &*row.keyword == LAST_WINS);
        for (at, (scope, mut row)) in self.rows.into_iter().enumerate() {
            if &*row.keyword == LAST_WINS {
                row.effective = last == Some(at);
                self.reading.push(row);
                continue;
            }
            let by_all = || self.seen.contains(&(Scope::All, row.keyword.to_string()));
            if scope == Scope::Global && &*row.keyword != "include" && by_all() {
                row.effective = false;
            }
            self.reading.push(row);
        }
        self.reading.done()
    }
}

/// The keyword of a line and what follows it, as sshd splits it; none for blank and comment lines.
fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\u{c}']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let white = [' ', '\t', '\r'];
    let end = line.find([' ', '\t', '\r', '=', '"']).unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let (keyword, rest) = match rest.strip_prefix('"') {
        // A quote goes on to the next one, and ends the keyword.
        Some(quoted) => {
            let (inside, rest) = quoted.split_once('"')?;
            (format!("{keyword}{inside}"), rest)
        }
        // `=` may stand once between the keyword and the value.
        None => {
            let rest = rest.trim_start_matches(white);
            (keyword.to_owned(), rest.strip_prefix('=').unwrap_or(rest))
        }
    };
    let keyword = keyword.to_ascii_lowercase();
    let keyword = ALIASES
        .iter()
        .find(|(old, _)| *old == keyword)
        .map_or(keyword, |(_, new)| (*new).to_owned());
    Some((keyword, rest.trim_start_matches(white)))
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
                "sshd_config:7 x11forwarding yes",
            ]
        );
    }

    #[test]
    fn match_all_speaks_of_everybody() {
        let text = "PermitRootLogin no\nMaxSessions 1\nMatch User a\nMaxAuthTries 1\nMatch All\n\
                    PermitRootLogin yes\nMatch User a\nMaxAuthTries 2\nPermitRootLogin no\n";
        assert_eq!(
            shown(&[(MAIN, text)]),
            [
                "sshd_config:1 permitrootlogin no -",
                "sshd_config:2 maxsessions 1",
                "sshd_config:4 maxauthtries 1 [User a]",
                "sshd_config:6 permitrootlogin yes",
                "sshd_config:8 maxauthtries 2 [User a] -",
                "sshd_config:9 permitrootlogin no [User a] -",
            ]
        );
    }

    #[test]
    fn the_last_number_of_startups_wins() {
        let text = "MaxStartups 10:30:60\nMaxStartups 10\nMatch all\nMaxStartups 9\n";
        assert_eq!(
            shown(&[(MAIN, text)]),
            [
                "sshd_config:1 maxstartups 10:30:60 -",
                "sshd_config:2 maxstartups 10 -",
                "sshd_config:4 maxstartups 9",
            ]
        );
    }

    #[test]
    fn lists_are_apart() {
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

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ \\t\"'\\\\#=a-zMatchInclude*/\\n]{0,200}") {
            let _ = rows::<Sshd>(&Lens, &[(MAIN, &text)]);
        }
    }
}
