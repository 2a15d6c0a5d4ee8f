//! What rules of nftables do with loopback traffic: nft(8).

use std::collections::{BTreeMap, BTreeSet};

use super::{Firewall, LOOPBACK4, LOOPBACK6};
use crate::model::table::FirewallRule;

/// Family, table, chain.
type Chain<'a> = (&'a str, &'a str, &'a str);

/// The hooks at which each chain is gone through: its own, and those of the chains that jump to it
/// whatever the packet is.
pub(super) struct Jumps<'a>(BTreeMap<Chain<'a>, BTreeSet<&'a str>>);

impl<'a> Jumps<'a> {
    pub(super) fn of(rules: &[&'a FirewallRule]) -> Self {
        let mut hooks: BTreeMap<Chain<'_>, BTreeSet<&str>> = BTreeMap::new();
        let mut jumps: BTreeMap<Chain<'_>, BTreeSet<Chain<'_>>> = BTreeMap::new();
        for rule in rules {
            let Some(chain) = chain(rule) else { continue };
            if let Some(hook) = &rule.hook {
                hooks.entry(chain).or_default().insert(hook);
            }
            if let Some(target) = rule.rule.as_deref().and_then(target) {
                jumps.entry(chain).or_default().insert((chain.0, chain.1, target));
            }
        }
        let mut open: Vec<(Chain<'_>, &str)> =
            hooks.iter().flat_map(|(chain, at)| at.iter().map(|hook| (*chain, *hook))).collect();
        while let Some((chain, hook)) = open.pop() {
            for target in jumps.get(&chain).into_iter().flatten() {
                if hooks.entry(*target).or_default().insert(hook) {
                    open.push((*target, hook));
                }
            }
        }
        Self(hooks)
    }

    /// The hooks at which a rule is gone through.
    pub(super) fn hooks(&self, rule: &FirewallRule) -> Vec<&'a str> {
        let hooks = chain(rule).and_then(|chain| self.0.get(&chain));
        hooks.into_iter().flatten().copied().collect()
    }
}

fn chain(rule: &FirewallRule) -> Option<Chain<'_>> {
    Some((rule.family.as_deref()?, rule.table.as_deref()?, rule.chain.as_deref()?))
}

/// The chain that a rule jumps to, unless it asks something before.
fn target(text: &str) -> Option<&str> {
    let mut words = text.split_whitespace().peekable();
    if words.next_if_eq(&"counter").is_some() && words.next_if_eq(&"packets").is_some() {
        // The numbers of packets and bytes.
        words.nth(2);
    }
    let verb = words.next()?;
    let target = words.next()?;
    (matches!(verb, "jump" | "goto") && words.next().is_none()).then_some(target)
}

/// Takes a rule into account that is gone through at a hook.
pub(super) fn rule(row: &mut Firewall, hook: &str, text: &str) {
    let spaced = text.replace(['{', '}', ',', '"', ';'], " ").replace("!=", " != ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let accepts = words.contains(&"accept");
    let refuses = words.contains(&"drop") || words.contains(&"reject");
    let narrow = ["dport", "sport", "protocol", "nexthdr", "daddr", "state"];
    let only = !words.iter().any(|word| narrow.contains(word));
    let from = asks(&words, &["iif", "iifname"], &["lo"]);
    let to = asks(&words, &["oif", "oifname"], &["lo"]);
    let by_source = words.contains(&"saddr");
    match hook {
        "input" if accepts && only && !by_source => row.loopback_in |= from,
        "input" if refuses && only && !from => {
            let of = |family: &str| words.windows(2).any(|pair| pair == [family, "saddr"]);
            row.refuses_loopback4 |= of("ip") && asks(&words, &["saddr"], &LOOPBACK4);
            row.refuses_loopback6 |= of("ip6") && asks(&words, &["saddr"], &LOOPBACK6);
        }
        "output" if accepts && only => row.loopback_out |= to,
        _ => {}
    }
}

/// Words that no value is, so that a list of values ends there.
const NO_VALUES: [&str; 15] = [
    "accept", "drop", "reject", "jump", "goto", "counter", "log", "ip", "ip6", "meta", "iif",
    "oif", "iifname", "oifname", "ct",
];

/// Whether a rule asks for one of these values, alone or among others, and does not exclude it. In a
/// verdict map the value's own verdict has to follow.
fn asks(words: &[&str], keys: &[&str], values: &[&str]) -> bool {
    let at = words.iter().position(|word| keys.contains(word));
    let Some(rest) = at.and_then(|at| words.get(at + 1..)) else { return false };
    match rest {
        ["!=", ..] => false,
        ["vmap", rest @ ..] => rest
            .windows(3)
            .any(|entry| values.contains(&entry[0]) && entry[1] == ":" && entry[2] == "accept"),
        rest => {
            let rest = rest.strip_prefix(&["=="]).unwrap_or(rest);
            rest.iter().take_while(|word| !NO_VALUES.contains(word)).any(|w| values.contains(w))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_alone_in_sets_and_in_maps() {
        let lo = |text: &str| {
            let mut row = super::super::judge("nftables", &[]);
            rule(&mut row, "input", text);
            row.loopback_in
        };
        for text in [
            "iif lo accept",
            "meta iifname \"lo\" counter accept",
            "iif { lo } accept",
            "iifname { \"eth0\", \"lo\" } accept",
            "iifname vmap { lo : accept, eth0 : jump in }",
        ] {
            assert!(lo(text), "{text}");
        }
        for text in [
            "iif != lo accept",
            "iif eth0 accept",
            "iif lo tcp dport 22 accept",
            "iif eth0 oif lo accept",
            "iifname vmap { lo : drop, eth0 : accept }",
        ] {
            assert!(!lo(text), "{text}");
        }
    }

    #[test]
    fn jumps_that_ask_nothing_are_followed() {
        let rule = |chain: &str, hook: Option<&str>, text: &str| FirewallRule {
            engine: "nftables".into(),
            origin: "/etc/x".into(),
            line: None,
            family: Some("inet".into()),
            table: Some("f".into()),
            chain: Some(chain.into()),
            hook: hook.map(Into::into),
            policy: None,
            rule: Some(text.into()),
        };
        let rules = [
            rule("in", Some("input"), "counter packets 0 bytes 0 jump a"),
            rule("in", Some("input"), "tcp dport 22 jump c"),
            rule("a", None, "goto b"),
            rule("b", None, "jump a"),
            rule("c", None, "accept"),
        ];
        let rules: Vec<&FirewallRule> = rules.iter().collect();
        let jumps = Jumps::of(&rules);
        let hooks: Vec<_> = rules.iter().map(|rule| jumps.hooks(rule).len()).collect();
        assert_eq!(hooks, [1, 1, 1, 1, 0]);
    }
}
