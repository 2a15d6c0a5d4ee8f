//! `firewalld_zones`: the zones of firewalld, which of them traffic goes through, and what becomes
//! of it: firewalld.zone(5), nm-settings(5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::firewalls::as_configured;
use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::lens::firewalld::Firewalld;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, FirewallRule};
use crate::model::view::{Loaded, View};

const CONFIG: &str = "/etc/firewalld/firewalld.conf";
/// The zone that is the default where nothing names one.
const FALLBACK: &str = "public";
/// The zones that come with firewalld, with their targets.
const SHIPPED: [(&str, &str); 10] = [
    ("block", "reject"),
    ("dmz", "reject"),
    ("drop", "drop"),
    ("external", "reject"),
    ("home", "reject"),
    ("internal", "reject"),
    ("nm-shared", "accept"),
    ("public", "reject"),
    ("trusted", "accept"),
    ("work", "reject"),
];
/// Where NetworkManager and the old network scripts say which zone a connection is in.
const CONNECTIONS: [&str; 3] = [
    "/etc/NetworkManager/system-connections",
    "/usr/lib/NetworkManager/system-connections",
    "/etc/sysconfig/network-scripts",
];

facts! {
    /// Zones of firewalld.
    #[table(name = "firewalld_zones", origin = Derived, location = "{path}")]
    pub struct FirewalldZone {
        /// The zone.
        pub zone: Arc<str>,
        /// The file that defines it.
        pub path: AbsPath,
        /// The line of its target.
        pub line: Option<i64>,
        /// What becomes of what no rule speaks of: `accept`, `drop` or `reject`, the default; none where the zone is not defined.
        pub target: Option<Arc<str>>,
        /// Whether interfaces that are in no other zone are in it.
        pub is_default: bool,
        /// Whether other traffic than that of the loopback interface goes through it.
        pub active: bool,
        /// The interfaces bound to it.
        pub interfaces: Vec<Arc<str>>,
        /// What it lets in, refuses and binds, one an item, for example `service name=ssh`.
        pub rules: Vec<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        FirewalldZone::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[FirewallRule::TABLE, Firewalld::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (rules_state, rules) = view.typed::<FirewallRule>()?;
        let rules_state = as_configured(rules_state);
        let (settings_state, settings) = view.typed::<Firewalld>()?;
        let config = view.config()?;
        let (named, unread) = connections(&config);
        let known = settings_state.and(config.state().clone());
        if !known.is_complete() {
            // Which zone is the default cannot be told from a part.
            return Ok(Loaded { state: known, rows: Arc::new(Rows::new(FirewalldZone::TABLE)) });
        }
        let default = settings
            .iter()
            .find(|row| row.effective && &*row.key == "DefaultZone")
            .map_or(FALLBACK, |row| &row.value);
        let mut zones: BTreeMap<Arc<str>, FirewalldZone> = BTreeMap::new();
        for rule in rules.iter().filter(|rule| &*rule.engine == "firewalld") {
            // The lines of firewalld.conf are in a table of their own.
            let Some(name) = rule.chain.as_ref().filter(|_| &*rule.origin != CONFIG) else {
                continue;
            };
            let zone = zones.entry(Arc::clone(name)).or_insert_with(|| zone(name, &rule.origin));
            if let Some(policy) = &rule.policy {
                zone.target = Some(Arc::clone(policy));
                zone.line = rule.line;
            }
            if let Some(text) = &rule.rule {
                zone.rules.push(Arc::clone(text));
                if let Some(name) = text.strip_prefix("interface name=") {
                    zone.interfaces.push(name.into());
                }
            }
        }
        let default: Arc<str> = default.into();
        for name in named.iter().chain([&default]) {
            zones.entry(Arc::clone(name)).or_insert_with(|| {
                let shipped = SHIPPED.iter().find(|(shipped, _)| **name == **shipped);
                let target = shipped.map(|(_, target)| Arc::from(*target));
                FirewalldZone { target, ..zone(name, CONFIG) }
            });
        }
        for zone in zones.values_mut() {
            zone.is_default = zone.zone == default;
            zone.active = zone.is_default
                || named.contains(&zone.zone)
                || zone.interfaces.iter().any(|name| &**name != "lo")
                || zone.rules.iter().any(|rule| rule.starts_with("source "));
        }
        let state = match unread {
            Some(reason) => rules_state.and(TableState::truncated(reason)),
            None => rules_state.and(known),
        };
        Ok(Loaded { state, rows: Arc::new(Rows::of(zones.into_values())) })
    }
}

fn zone(name: &str, path: &str) -> FirewalldZone {
    FirewalldZone {
        zone: name.into(),
        path: AbsPath(path.into()),
        line: None,
        target: None,
        is_default: false,
        active: false,
        interfaces: Vec::new(),
        rules: Vec::new(),
    }
}

/// The zones that connections name, and why some could not be read.
fn connections(config: &ConfigFiles) -> (BTreeSet<Arc<str>>, Option<String>) {
    let mut zones = BTreeSet::new();
    let mut unread = None;
    for file in CONNECTIONS.iter().flat_map(|place| config.in_directory(place, "")) {
        let text = match &file.text {
            Ok(text) => text,
            Err(problem) => {
                unread.get_or_insert_with(|| format!("{}: {problem}", file.path));
                continue;
            }
        };
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim().trim_matches(['"', '\'']);
            if matches!(key.trim(), "zone" | "ZONE") && !value.is_empty() {
                zones.insert(Arc::from(value));
            }
        }
    }
    (zones, unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn rule(zone: &str, policy: Option<&str>, text: Option<&str>) -> FirewallRule {
        FirewallRule {
            engine: "firewalld".into(),
            origin: format!("/etc/firewalld/zones/{zone}.xml").into(),
            line: Some(2),
            family: None,
            table: None,
            chain: Some(zone.into()),
            hook: None,
            policy: policy.map(Arc::from),
            rule: text.map(Arc::from),
        }
    }

    #[test]
    fn traffic_goes_through_the_default_zone_and_those_with_something_bound_to_them() {
        let config = [
            (CONFIG, "DefaultZone=mine\n"),
            ("/etc/NetworkManager/system-connections/a.nmconnection", "[connection]\nzone=dmz\n"),
        ];
        let config = config.iter().map(|(path, text)| ConfigFile {
            path: AbsPath((*path).into()),
            text: Some((*text).into()),
            problem: None,
        });
        let facts = MemoryFacts::new().with(config.collect::<Vec<_>>()).with(vec![
            rule("trusted", Some("accept"), None),
            rule("trusted", None, Some("interface name=lo")),
            rule("public", Some("reject"), None),
            rule("public", None, Some("interface name=eth1")),
            rule("dmz", Some("drop"), None),
            rule("home", Some("reject"), None),
            rule("internal", Some("reject"), None),
            rule("internal", None, Some("source address=10.0.0.0/8")),
        ]);
        let (_, rows) = View::new(&facts).typed::<FirewalldZone>().unwrap();
        let shown: Vec<String> = rows
            .iter()
            .map(|row| {
                let target = row.target.as_deref().unwrap_or("-");
                format!("{} {target} {} {}", row.zone, row.active, row.is_default)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "dmz drop true false",
                "home reject false false",
                "internal reject true false",
                "mine - true true",
                "public reject true false",
                "trusted accept false false",
            ]
        );
    }
}
