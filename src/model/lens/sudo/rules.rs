//! `config.sudo_rules`: who may run what as whom by sudoers(5), one row for each command.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Placed, entries};
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::sudoers::Entry;
use crate::model::view::Loaded;

/// The most members that aliases give one rule.
const MAX_MEMBERS: usize = 1_000;

facts! {
    /// Who may run what with sudo: the rules of /etc/sudoers and what it includes, one row for each command.
    #[table(name = "config.sudo_rules", origin = Lens, location = "{path}")]
    pub struct SudoRule {
        /// The file.
        pub path: AbsPath,
        /// The line it begins on, from 1.
        pub line: i64,
        /// Users, `%groups`, `#ids` and `+netgroups`, aliases replaced by their members; negated ones with `!` before them.
        pub users: Vec<Arc<str>>,
        /// Hosts as written, negated ones with `!` before them.
        pub hosts: Vec<Arc<str>>,
        /// Users that the command may be run as; empty where the rule names none, which means root.
        pub runas_users: Vec<Arc<str>>,
        /// Groups that it may be run as.
        pub runas_groups: Vec<Arc<str>>,
        /// Options such as `TIMEOUT=5`.
        pub options: Vec<Arc<str>>,
        /// Tags in force for the command, for example `NOPASSWD`, inherited ones too.
        pub tags: Vec<Arc<str>>,
        /// The command with its arguments, `ALL`, or an alias of commands; negated with `!` before it.
        pub command: Arc<str>,
    }
}

pub(in crate::model::lens) struct Lens;

impl super::super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        SudoRule::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<SudoRule>(files);
        let placed = entries(files, &mut reading);
        let aliases: BTreeMap<&str, &[String]> = placed
            .iter()
            .filter_map(|placed| match &placed.entry {
                Entry::Alias { kind: "User_Alias", name, members } => {
                    Some((name.as_str(), members.as_slice()))
                }
                _ => None,
            })
            .collect();
        for Placed { path, line, entry } in &placed {
            let Entry::Rule { users, hosts, commands } = entry else { continue };
            let users = resolved(users, &aliases);
            for permission in commands {
                reading.push(SudoRule {
                    path: AbsPath(Arc::clone(path)),
                    line: *line,
                    users: users.clone(),
                    hosts: texts(hosts),
                    runas_users: texts(&permission.runas_users),
                    runas_groups: texts(&permission.runas_groups),
                    options: texts(&permission.options),
                    tags: texts(&permission.tags),
                    command: permission.command.as_str().into(),
                });
                if reading.is_full() {
                    return Ok(reading.done());
                }
            }
        }
        Ok(reading.done())
    }
}

fn texts(list: &[String]) -> Vec<Arc<str>> {
    list.iter().map(|text| text.as_str().into()).collect()
}

/// The members with aliases replaced by theirs, as far as they go; each once.
fn resolved(members: &[String], aliases: &BTreeMap<&str, &[String]>) -> Vec<Arc<str>> {
    let mut out: Vec<Arc<str>> = Vec::new();
    let mut seen: BTreeSet<(bool, &str)> = BTreeSet::new();
    let mut pending: Vec<(bool, &str)> =
        members.iter().rev().map(|member| signed(member)).collect();
    while let Some((negated, name)) = pending.pop() {
        if !seen.insert((negated, name)) || seen.len() > MAX_MEMBERS {
            continue;
        }
        match aliases.get(name) {
            Some(members) => pending.extend(members.iter().rev().map(|member| {
                let (inner, name) = signed(member);
                (inner != negated, name)
            })),
            None if negated => out.push(format!("!{name}").into()),
            None => out.push(name.into()),
        }
    }
    out
}

fn signed(member: &str) -> (bool, &str) {
    member.strip_prefix('!').map_or((false, member), |name| (true, name))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{files, rows};
    use super::*;
    use crate::model::lens::Lens as _;

    #[test]
    fn aliases_of_users_are_replaced() {
        let text = "User_Alias A = ann, B\nUser_Alias B = %x, A\nA, !B ALL = (ALL) NOPASSWD: /a, PASSWD: ALL\n";
        let rows: Vec<SudoRule> = rows(&Lens, &[("/etc/sudoers", text)]);
        let shown: Vec<String> = rows
            .iter()
            .map(|r| format!("{} {} {} {}", r.line, r.users.join(","), r.tags.join(","), r.command))
            .collect();
        assert_eq!(shown, ["3 ann,%x,!%x,!ann NOPASSWD /a", "3 ann,%x,!%x,!ann PASSWD ALL"]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_said() {
        let texts = [("/etc/sudoers", "u ALL = ALL\nu ALL\n")];
        let loaded = Lens.load(&files(&texts)).unwrap();
        assert_eq!(loaded.rows.len(), 1);
        assert!(format!("{:?}", loaded.state).contains("/etc/sudoers:2"), "{:?}", loaded.state);
    }

    #[test]
    fn includes_that_multiply_or_circle_come_to_an_end() {
        let text = "@include sudoers\n@include /etc/sudoers\nu ALL=ALL\n";
        let loaded = Lens.load(&files(&[("/etc/sudoers", text)])).unwrap();
        assert!(!loaded.state.is_complete());
        let text = format!("#includedir d\n{}", "u ALL=ALL\n".repeat(1000));
        let loaded = Lens
            .load(&files(&[
                ("/etc/sudoers", &text),
                ("/etc/d/a", "#includedir .\n#include ../etc/sudoers\n"),
            ]))
            .unwrap();
        assert_eq!(loaded.rows.len(), 1000);
    }
}
