//! Files for iptables-restore(8), as netfilter-persistent, the RHEL family, Arch and Alpine keep
//! them, and as ufw writes them.

use std::sync::Arc;

use super::{Rules, folded, row};
use crate::model::table::FirewallRule;

const FILES: [(&str, &str); 8] = [
    ("/etc/iptables/rules.v4", "iptables"),
    ("/etc/iptables/rules.v6", "ip6tables"),
    ("/etc/sysconfig/iptables", "iptables"),
    ("/etc/sysconfig/ip6tables", "ip6tables"),
    ("/etc/iptables/iptables.rules", "iptables"),
    ("/etc/iptables/ip6tables.rules", "ip6tables"),
    ("/etc/iptables/rules-save", "iptables"),
    ("/etc/iptables/rules6-save", "ip6tables"),
];

pub(super) fn collect(rules: &mut Rules<'_>) {
    for (path, engine) in FILES {
        if let Some(text) = rules.text(path) {
            let family = if engine == "iptables" { "ip" } else { "ip6" };
            for row in parse(&text, engine, family, &path.into()) {
                rules.push(row);
            }
        }
    }
}

/// The chains and rules of a file. `*name` begins a table, `:CHAIN POLICY` declares a chain, other
/// lines are iptables commands, with counters before them or not.
pub(super) fn parse(
    text: &str,
    engine: &str,
    family: &str,
    origin: &Arc<str>,
) -> Vec<FirewallRule> {
    let mut rows = Vec::new();
    let mut table: Option<Arc<str>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let mut row = row(engine, origin, index + 1);
        row.family = Some(family.into());
        if let Some(name) = line.strip_prefix('*') {
            table = Some(name.trim().into());
            continue;
        }
        row.table = table.clone();
        if let Some(declared) = line.strip_prefix(':') {
            let mut words = declared.split_whitespace();
            declare(&mut row, words.next(), words.next());
        } else if let Some((option, chain, policy)) = command(line) {
            match option {
                "-P" | "--policy" | "-N" | "--new-chain" | "--new" => {
                    declare(&mut row, Some(chain), policy);
                }
                _ => {
                    row.chain = Some(chain.into());
                    row.hook = hook(chain);
                    row.rule = Some(folded(without_counters(line)));
                }
            }
        } else {
            continue;
        }
        if row.chain.is_some() {
            rows.push(row);
        }
    }
    rows
}

fn declare(row: &mut FirewallRule, chain: Option<&str>, policy: Option<&str>) {
    row.chain = chain.map(Arc::from);
    row.hook = chain.and_then(hook);
    row.policy = policy.filter(|policy| *policy != "-").map(|p| p.to_ascii_lowercase().into());
}

/// A command that adds a chain, a rule or a policy: option, chain, next word.
fn command(line: &str) -> Option<(&str, &str, Option<&str>)> {
    let mut words = without_counters(line).split_whitespace();
    let option = words.next()?;
    let adds = matches!(
        option,
        "-A" | "--append" | "-I" | "--insert" | "-P" | "--policy" | "-N" | "--new-chain" | "--new"
    );
    adds.then_some(())?;
    Some((option, words.next()?, words.next()))
}

/// `[12:3456] -A INPUT ...` without what stands in brackets.
fn without_counters(line: &str) -> &str {
    line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(line, |(_, rest)| rest)
}

/// The hook of a built-in chain.
fn hook(chain: &str) -> Option<Arc<str>> {
    matches!(chain, "INPUT" | "FORWARD" | "OUTPUT" | "PREROUTING" | "POSTROUTING")
        .then(|| chain.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_rule_set() {
        let text = "# Generated\n*filter\n:INPUT DROP [0:0]\n:mine - [0:0]\n\
            [3:180] -A INPUT -i lo   -j ACCEPT\n-A mine -p tcp --dport 22 -j ACCEPT\nCOMMIT\n\
            *nat\n-P PREROUTING ACCEPT\n";
        let rows = parse(text, "iptables", "ip", &"/f".into());
        let seen: Vec<_> = rows
            .iter()
            .map(|r| {
                let text = |cell: &Option<Arc<str>>| cell.as_deref().unwrap_or("-").to_owned();
                let cells = [&r.table, &r.chain, &r.hook, &r.policy, &r.rule].map(text);
                (r.line.unwrap(), cells.join("|"))
            })
            .collect();
        assert_eq!(
            seen,
            [
                (3, "filter|INPUT|input|drop|-".to_owned()),
                (4, "filter|mine|-|-|-".to_owned()),
                (5, "filter|INPUT|input|-|-A INPUT -i lo -j ACCEPT".to_owned()),
                (6, "filter|mine|-|-|-A mine -p tcp --dport 22 -j ACCEPT".to_owned()),
                (9, "nat|PREROUTING|prerouting|accept|-".to_owned()),
            ]
        );
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for text in ["[", "[]", ":", "*", "-A", "-X a", "COMMIT", "\u{0}", "-A  "] {
            assert!(parse(text, "iptables", "ip", &"/f".into()).is_empty(), "{text:?}");
        }
    }
}
