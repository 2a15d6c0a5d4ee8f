//! `firewalls`: the programs that a host can keep its packet filter with, which of them it uses,
//! and what each does by default and with loopback traffic.

mod nft;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{FirewallRule, ONLY_CONFIGURED, Package, Service};
use crate::model::view::{Loaded, View};

facts! {
    /// Programs that keep the packet filter: one row for each of `ufw`, `nftables`, `iptables`, `ip6tables` and `firewalld`.
    #[table(name = "firewalls", origin = Derived, location = "{path}")]
    pub struct Firewall {
        /// `ufw`, `nftables`, `iptables`, `ip6tables` or `firewalld`.
        pub utility: Arc<str>,
        /// The file that configures it.
        pub path: AbsPath,
        /// Whether its package is installed.
        pub installed: bool,
        /// Whether it is switched on: its service starts at boot, and for ufw its own switch says so too.
        pub enabled: bool,
        /// Whether it is the one that is used: it is switched on, or none is.
        pub used: bool,
        /// Policy for what comes in; none where nothing says so.
        pub input: Option<Arc<str>>,
        /// Policy for what goes out.
        pub output: Option<Arc<str>>,
        /// Policy for what is forwarded.
        pub forward: Option<Arc<str>>,
        /// Whether a rule lets in what comes from the loopback interface.
        pub loopback_in: bool,
        /// Whether a rule lets out what goes to the loopback interface.
        pub loopback_out: bool,
        /// Whether a rule refuses loopback addresses of IPv4 from other interfaces.
        pub refuses_loopback4: bool,
        /// Whether a rule refuses the loopback address of IPv6 from other interfaces.
        pub refuses_loopback6: bool,
    }
}

/// Name, packages, units of which one starts it, the file to name.
type Utility = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);
const UTILITIES: [Utility; 5] = [
    ("ufw", &["ufw"], &["ufw.service"], "/etc/ufw/ufw.conf"),
    ("nftables", &["nftables"], &["nftables.service"], "/etc/nftables.conf"),
    (
        "iptables",
        &["iptables-persistent", "iptables-services"],
        &["netfilter-persistent.service", "iptables.service"],
        "/etc/iptables/rules.v4",
    ),
    (
        "ip6tables",
        &["iptables-persistent", "iptables-services"],
        &["netfilter-persistent.service", "ip6tables.service"],
        "/etc/iptables/rules.v6",
    ),
    ("firewalld", &["firewalld"], &["firewalld.service"], "/etc/firewalld/firewalld.conf"),
];

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        Firewall::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Package::TABLE, Service::TABLE, FirewallRule::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (packages_state, packages) = view.typed::<Package>()?;
        let (services_state, services) = view.typed::<Service>()?;
        let (rules_state, rules) = view.typed::<FirewallRule>()?;
        let known = packages_state.and(services_state);
        let rules_are_missing =
            matches!(rules_state, TableState::Absent(_) | TableState::Denied(_));
        if !known.is_complete() || rules_are_missing {
            // Which one is used cannot be told from a part.
            let state = known.and(rules_state);
            return Ok(Loaded { state, rows: Arc::new(Rows::new(Firewall::TABLE)) });
        }
        let installed: BTreeSet<&str> =
            packages.iter().filter(|p| &*p.status == "installed").map(|p| &*p.name).collect();
        let started: BTreeSet<&str> = services
            .iter()
            .filter(|s| matches!(&*s.enabled, "enabled" | "enabled-runtime" | "generated"))
            .flat_map(|s| s.aliases.iter().chain([&s.name]).map(|name| &**name))
            .collect();
        let mut rows: Vec<Firewall> = UTILITIES
            .iter()
            .map(|(utility, packages, units, path)| {
                let rules: Vec<&FirewallRule> =
                    rules.iter().filter(|rule| &*rule.engine == *utility).collect();
                let off = *utility == "ufw" && !ufw_is_on(&rules);
                let mut row = judge(utility, &rules);
                row.path = AbsPath(place(&rules).unwrap_or_else(|| Arc::from(*path)));
                row.installed = packages.iter().any(|name| installed.contains(name));
                row.enabled = !off && units.iter().any(|unit| started.contains(unit));
                row
            })
            .collect();
        let none = !rows.iter().any(|row| row.enabled);
        for row in &mut rows {
            row.used = row.enabled || none;
        }
        let in_kernel = rows.iter().any(|row| row.enabled && IN_KERNEL.contains(&&*row.utility));
        let rules_state = if in_kernel { rules_state } else { as_configured(rules_state) };
        let state = known.and(rules_state);
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// Utilities whose rules an administrator changes in the kernel and writes to a file afterwards.
const IN_KERNEL: [&str; 3] = ["ip6tables", "iptables", "nftables"];

/// The state of the rules for utilities that put into the kernel what their files say.
pub(super) fn as_configured(state: TableState) -> TableState {
    match &state {
        TableState::Truncated(reason) if &**reason == ONLY_CONFIGURED => TableState::Collected,
        _ => state,
    }
}

/// The first file that a rule of it stands in.
fn place(rules: &[&FirewallRule]) -> Option<Arc<str>> {
    let origin = rules.iter().map(|rule| &rule.origin).find(|origin| origin.starts_with('/'))?;
    Some(Arc::clone(origin))
}

fn ufw_is_on(rules: &[&FirewallRule]) -> bool {
    let switch =
        rules.iter().rev().filter_map(|rule| rule.rule.as_deref()?.strip_prefix("ENABLED="));
    let value = switch.map(|value| value.trim().to_ascii_lowercase()).next();
    value.is_some_and(|value| value == "yes")
}

/// What the rules say, apart from whether they are used.
fn judge(utility: &str, rules: &[&FirewallRule]) -> Firewall {
    let mut row = Firewall {
        utility: utility.into(),
        path: AbsPath(Arc::from("/")),
        installed: false,
        enabled: false,
        used: false,
        input: None,
        output: None,
        forward: None,
        loopback_in: false,
        loopback_out: false,
        refuses_loopback4: false,
        refuses_loopback6: false,
    };
    let jumps = nft::Jumps::of(rules);
    for rule in rules {
        if let Some(policy) = &rule.policy {
            policies(&mut row, rule, policy);
        }
        let Some(text) = &rule.rule else { continue };
        let words: Vec<&str> = text.split_whitespace().collect();
        match utility {
            "nftables" => {
                for hook in jumps.hooks(rule) {
                    nft::rule(&mut row, hook, text);
                }
            }
            "firewalld" => {}
            _ => iptables_rule(&mut row, &words),
        }
    }
    row
}

/// Of several base chains at one hook the strictest counts: a packet has to get through all.
fn policies(row: &mut Firewall, rule: &FirewallRule, policy: &Arc<str>) {
    let filters = rule.table.as_deref() == Some("filter") || row.utility.as_ref() == "nftables";
    if !filters {
        return;
    }
    let hook = match rule.hook.as_deref().or(rule.chain.as_deref()) {
        Some(hook) => hook.to_ascii_lowercase(),
        None => return,
    };
    let slot = match hook.as_str() {
        "input" => &mut row.input,
        "output" => &mut row.output,
        "forward" => &mut row.forward,
        _ => return,
    };
    if slot.as_deref().is_none_or(|old| old == "accept") {
        *slot = Some(Arc::clone(policy));
    }
}

/// A rule as iptables-save(8) writes it.
fn iptables_rule(row: &mut Firewall, words: &[&str]) {
    let chain = match words.first() {
        Some(&("-A" | "--append" | "-I" | "--insert")) => words.get(1).copied().unwrap_or_default(),
        _ => return,
    };
    let after = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(word))?;
        let negated = at > 0 && words.get(at - 1) == Some(&"!");
        words.get(at + 1).map(|value| (*value, negated))
    };
    let verdict = after(&["-j", "--jump", "-g"]).map_or("", |(verdict, _)| verdict);
    let refused = matches!(verdict, "DROP" | "REJECT");
    let other = ["-p", "--protocol", "--dport", "--sport", "-d", "--destination", "--ctstate"];
    let only = !words.iter().any(|word| other.contains(word));
    let incoming = chain == "INPUT" || chain.ends_with("-input");
    let outgoing = chain == "OUTPUT" || chain.ends_with("-output");
    let source = after(&["-s", "--source", "--src"]);
    if incoming && verdict == "ACCEPT" && only && source.is_none() {
        row.loopback_in |= after(&["-i", "--in-interface"]) == Some(("lo", false));
    }
    if outgoing && verdict == "ACCEPT" && only {
        row.loopback_out |= after(&["-o", "--out-interface"]) == Some(("lo", false));
    }
    let elsewhere =
        after(&["-i", "--in-interface"]).is_none_or(|interface| interface == ("lo", true));
    if incoming && refused && only && elsewhere {
        row.refuses_loopback4 |= source.is_some_and(|(net, not)| !not && LOOPBACK4.contains(&net));
        row.refuses_loopback6 |= source.is_some_and(|(net, not)| !not && LOOPBACK6.contains(&net));
    }
}

const LOOPBACK4: [&str; 3] = ["127.0.0.0/8", "127.0.0.0/255.0.0.0", "127.0.0.1/8"];
const LOOPBACK6: [&str; 3] = ["::1/128", "::1", "::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn rule(
        engine: &str,
        chain: &str,
        hook: Option<&str>,
        policy: Option<&str>,
        text: Option<&str>,
    ) -> FirewallRule {
        FirewallRule {
            engine: engine.into(),
            origin: "/etc/x".into(),
            line: Some(1),
            family: Some("ip".into()),
            table: Some("filter".into()),
            chain: Some(chain.into()),
            hook: hook.map(Arc::from),
            policy: policy.map(Arc::from),
            rule: text.map(Arc::from),
        }
    }

    fn find(rules: Vec<FirewallRule>, units: &[&str], utility: &str) -> Firewall {
        let service = |name: &&str| Service {
            name: (*name).into(),
            path: AbsPath("/x".into()),
            enabled: "enabled".into(),
            starts_at_boot: true,
            active: None,
            user: None,
            exec_start: Vec::new(),
            commands: None,
            aliases: Vec::new(),
            drop_ins: Vec::new(),
        };
        let facts = MemoryFacts::new()
            .with(Vec::<Package>::new())
            .with(units.iter().map(service).collect::<Vec<_>>())
            .with(rules);
        let (_, rows) = View::new(&facts).typed::<Firewall>().unwrap();
        rows.into_iter().find(|row| &*row.utility == utility).unwrap()
    }

    #[test]
    fn rules_of_iptables_in_any_order_of_their_words() {
        let all = |texts: &[&str]| {
            let rules = texts.iter().map(|text| rule("iptables", "INPUT", None, None, Some(text)));
            let row = find(rules.collect(), &[], "iptables");
            (row.loopback_in, row.loopback_out, row.refuses_loopback4)
        };
        assert_eq!(
            all(&[
                "-A INPUT -i lo -j ACCEPT",
                "-A OUTPUT -j ACCEPT -o lo",
                "-A INPUT ! -i lo --source 127.0.0.0/8 -j REJECT",
            ]),
            (true, true, true)
        );
        assert_eq!(
            all(&[
                "-A INPUT ! -i lo -j ACCEPT",
                "-A OUTPUT -o lo -p tcp -j ACCEPT",
                "-A INPUT -i lo -s 127.0.0.0/8 -j DROP",
            ]),
            (false, false, false)
        );
    }

    #[test]
    fn ufw_is_switched_on_in_two_places() {
        let on = || rule("ufw", "", None, None, Some("ENABLED=yes"));
        let off = || rule("ufw", "", None, None, Some("ENABLED=no"));
        assert!(find(vec![off(), on()], &["ufw.service"], "ufw").enabled);
        assert!(!find(vec![on(), off()], &["ufw.service"], "ufw").enabled);
        assert!(!find(vec![on()], &["nftables.service"], "ufw").enabled);
        assert!(!find(vec![on()], &["nftables.service"], "ufw").used);
        assert!(find(vec![on()], &[], "ufw").used, "none is on");
    }

    #[test]
    fn the_strictest_base_chain_counts() {
        let chain = |policy| rule("nftables", "in", Some("input"), Some(policy), None);
        let row = find(vec![chain("accept"), chain("drop"), chain("accept")], &[], "nftables");
        assert_eq!((row.input.as_deref(), row.output), (Some("drop"), None));
        let lo = rule("nftables", "in", Some("input"), None, Some("iif \"lo\" accept"));
        let four = rule(
            "nftables",
            "in",
            Some("input"),
            None,
            Some("ip saddr 127.0.0.0/8 counter packets 0 bytes 0 drop"),
        );
        let row = find(vec![lo, four], &[], "nftables");
        assert!(row.loopback_in && row.refuses_loopback4 && !row.refuses_loopback6);
    }
}
