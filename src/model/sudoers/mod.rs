//! The text of a sudoers file as entries: sudoers(5), and the behaviour of sudo 1.9 where the page
//! is silent. Pure and total: a line that sudo would not take becomes [`Entry::Unreadable`], and
//! reading goes on with the next one, as sudo does.

mod commands;
mod scan;

use self::scan::{Scanner, Unreadable};

/// One entry and the line it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The line, counted from 1.
    pub line: i64,
    /// What stands there.
    pub entry: Entry,
}

/// What a line of sudoers says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// `@include`, `#include`, `@includedir` or `#includedir`.
    Include {
        /// The path as written, quotes and escapes removed.
        path: String,
        /// Whether it is a directory.
        directory: bool,
    },
    /// One setting of a `Defaults` line.
    Setting(Setting),
    /// One alias.
    Alias {
        /// `User_Alias`, `Runas_Alias`, `Host_Alias` or `Cmnd_Alias`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Its members, negated ones with one `!` before them.
        members: Vec<String>,
    },
    /// Commands that users may run on hosts; a line with several host lists gives several.
    Rule {
        /// The users, negated ones with one `!` before them.
        users: Vec<String>,
        /// The hosts.
        hosts: Vec<String>,
        /// The commands.
        commands: Vec<Permission>,
    },
    /// A line that sudo refuses.
    Unreadable,
}

/// One setting of a `Defaults` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// For whom.
    pub scope: Scope,
    /// The users, hosts or commands of the scope.
    pub members: Vec<String>,
    /// The name.
    pub name: String,
    /// Whether an odd number of `!` stands before it.
    pub negated: bool,
    /// `=`, `+=` or `-=`, and the value without quotes and escapes.
    pub value: Option<(&'static str, String)>,
}

/// For whom a `Defaults` line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// For all.
    Global,
    /// `Defaults:USERS`
    User,
    /// `Defaults@HOSTS`
    Host,
    /// `Defaults>USERS`
    Runas,
    /// `Defaults!COMMANDS`
    Command,
}

impl Scope {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::User => "user",
            Self::Host => "host",
            Self::Runas => "runas",
            Self::Command => "command",
        }
    }
}

/// One command of a rule with what holds for it, inherited from those before it on the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permission {
    /// Users that it may be run as; none where the rule names none, which means root.
    pub runas_users: Vec<String>,
    /// Groups that it may be run as.
    pub runas_groups: Vec<String>,
    /// Options such as `TIMEOUT=5`.
    pub options: Vec<String>,
    /// Tags in force, for example `NOPASSWD`: the last of each pair.
    pub tags: Vec<String>,
    /// The command with its arguments, or an alias, with one `!` before it where it is negated.
    pub command: String,
}

/// Reads the text of a sudoers file.
pub fn parse(text: &str) -> Vec<Located> {
    let mut scanner = Scanner::new(text);
    let mut list = Vec::new();
    while scanner.next_entry() {
        let line = scanner.line();
        let mut entries = Vec::new();
        if entry(&mut scanner, &mut entries).is_err() {
            entries = vec![Entry::Unreadable];
            scanner.skip_entry();
        }
        list.extend(entries.into_iter().map(|entry| Located { line, entry }));
    }
    list
}

fn entry(scanner: &mut Scanner<'_>, out: &mut Vec<Entry>) -> Result<(), Unreadable> {
    if let Some(directory) = scanner.include_keyword() {
        let path = scanner.include_path()?;
        out.push(Entry::Include { path, directory });
        return scanner.end();
    }
    if scanner.keyword("Defaults") {
        return defaults(scanner, out);
    }
    const ALIASES: [(&str, &str); 5] = [
        ("User_Alias", "User_Alias"),
        ("Runas_Alias", "Runas_Alias"),
        ("Host_Alias", "Host_Alias"),
        ("Cmnd_Alias", "Cmnd_Alias"),
        ("Cmd_Alias", "Cmnd_Alias"),
    ];
    for (word, kind) in ALIASES {
        if scanner.keyword(word) {
            return aliases(scanner, kind, out);
        }
    }
    rule(scanner, out)
}

fn defaults(scanner: &mut Scanner<'_>, out: &mut Vec<Entry>) -> Result<(), Unreadable> {
    let scope = match scanner.peek() {
        Some(':') => Scope::User,
        Some('@') => Scope::Host,
        Some('>') => Scope::Runas,
        Some('!') => Scope::Command,
        Some(' ' | '\t') => Scope::Global,
        _ => return Err(Unreadable),
    };
    // White space between the word and `!` makes it the negation of a global setting.
    let members = match scope {
        Scope::Global => Vec::new(),
        Scope::Command => {
            scanner.take();
            commands::list(scanner, false)?
        }
        Scope::User | Scope::Runas | Scope::Host => {
            scanner.take();
            scanner.members(scope == Scope::Host)?
        }
    };
    loop {
        scanner.blanks();
        let negated = scanner.negations();
        let name = scanner.setting_name()?;
        scanner.blanks();
        let value = match scanner.operator() {
            Some(operator) => Some((operator, scanner.setting_value()?)),
            None => None,
        };
        let members = members.clone();
        out.push(Entry::Setting(Setting { scope, members, name, negated, value }));
        scanner.blanks();
        if !scanner.accept(',') {
            return scanner.end();
        }
    }
}

fn aliases(
    scanner: &mut Scanner<'_>,
    kind: &'static str,
    out: &mut Vec<Entry>,
) -> Result<(), Unreadable> {
    loop {
        scanner.blanks();
        let name = scanner.alias_name()?;
        scanner.blanks();
        scanner.expect('=')?;
        let members = match kind {
            "Cmnd_Alias" => commands::list(scanner, true)?,
            _ => scanner.members(kind == "Host_Alias")?,
        };
        out.push(Entry::Alias { kind, name, members });
        scanner.blanks();
        if !scanner.accept(':') {
            return scanner.end();
        }
    }
}

fn rule(scanner: &mut Scanner<'_>, out: &mut Vec<Entry>) -> Result<(), Unreadable> {
    let users = scanner.members(false)?;
    loop {
        let hosts = scanner.members(true)?;
        scanner.blanks();
        scanner.expect('=')?;
        let commands = commands::permissions(scanner)?;
        out.push(Entry::Rule { users: users.clone(), hosts, commands });
        scanner.blanks();
        if !scanner.accept(':') {
            return scanner.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let one = |located: Located| {
            let what = match located.entry {
                Entry::Include { path, directory } => format!("include {path} {directory}"),
                Entry::Setting(s) => format!(
                    "{} {:?} {}{} {:?}",
                    s.scope.name(),
                    s.members,
                    if s.negated { "!" } else { "" },
                    s.name,
                    s.value
                ),
                Entry::Alias { kind, name, members } => format!("{kind} {name} {members:?}"),
                Entry::Rule { users, hosts, commands } => {
                    let commands: Vec<String> = commands
                        .iter()
                        .map(|p| {
                            format!(
                                "{}:{} {} {} {}",
                                p.runas_users.join(","),
                                p.runas_groups.join(","),
                                p.options.join(","),
                                p.tags.join(","),
                                p.command
                            )
                        })
                        .collect();
                    format!("{users:?} {hosts:?} {commands:?}")
                }
                Entry::Unreadable => "?".to_owned(),
            };
            format!("{}: {what}", located.line)
        };
        parse(text).into_iter().map(one).collect()
    }

    #[test]
    fn settings_keep_their_scope() {
        let text = "Defaults\t!!use_pty , logfile = \"/var/log/a b\",!lecture, env_keep += \"A B\" # x\n\
                    Defaults:bob,%wheel !authenticate\nDefaults!PAGERS,/bin/ls noexec\n\
                    Defaults>root,#0 \\\n set_home\nDefaults a b\n";
        assert_eq!(
            shown(text),
            [
                "1: global [] use_pty None",
                "1: global [] logfile Some((\"=\", \"/var/log/a b\"))",
                "1: global [] !lecture None",
                "1: global [] env_keep Some((\"+=\", \"A B\"))",
                "2: user [\"bob\", \"%wheel\"] !authenticate None",
                "3: command [\"PAGERS\", \"/bin/ls\"] noexec None",
                "4: runas [\"root\", \"#0\"] set_home None",
                "6: ?",
            ]
        );
    }

    #[test]
    fn tags_and_runas_are_inherited() {
        let text = "bob ALL = (root:wheel) NOPASSWD: /bin/a, PASSWD: /bin/b \"x\", EXEC:NOPASSWD:/bin/c : \
                    h2, fe80::1/64 = TIMEOUT=5 sudoedit /etc/x\n#1000 ALL=(:grp) ALL\n";
        assert_eq!(
            shown(text),
            [
                "1: [\"bob\"] [\"ALL\"] [\"root:wheel  NOPASSWD /bin/a\", \
                 \"root:wheel  PASSWD /bin/b \\\"x\\\"\", \
                 \"root:wheel  EXEC,NOPASSWD /bin/c\"]",
                "1: [\"bob\"] [\"h2\", \"fe80::1/64\"] [\": TIMEOUT=5  sudoedit /etc/x\"]",
                "2: [\"#1000\"] [\"ALL\"] [\":grp   ALL\"]",
            ]
        );
    }

    #[test]
    fn comments_includes_and_uids_begin_alike() {
        let text = "#includeX\n#include a\\ b # c\n@includedir \"/x y\"\n# one \\\n%sudo ALL=(ALL:ALL) ALL\n";
        assert_eq!(
            shown(text),
            [
                "2: include a b false",
                "3: include /x y true",
                "5: [\"%sudo\"] [\"ALL\"] [\"ALL:ALL   ALL\"]",
            ]
        );
    }

    #[test]
    fn aliases_hold_names_and_commands() {
        let text = "User_Alias A = b, ! c, \"%x y\" : D = +e\nCmnd_Alias P = sha224:0Go=, sha512:ab /bin/ls -l, !/bin/x\n";
        assert_eq!(
            shown(text),
            [
                "1: User_Alias A [\"b\", \"!c\", \"%x y\"]",
                "1: User_Alias D [\"+e\"]",
                "2: Cmnd_Alias P [\"/bin/ls -l\", \"!/bin/x\"]",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ \\t\"\\\\#=:,!@()/a-cDefaultsALL\\n]{0,200}") {
            let _ = parse(&text);
        }
    }
}
