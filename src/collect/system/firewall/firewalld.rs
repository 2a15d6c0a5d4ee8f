//! firewalld (firewalld.conf(5), firewalld.zone(5)): the default zone, and each zone with its
//! target and what it lets in. A zone of /etc hides the one of the same name that came with the
//! package. Rows use `chain` for the zone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::xml::{Tag, tags};
use super::{Rules, folded, row};
use crate::model::table::FirewallRule;

const CONFIG: &str = "/etc/firewalld/firewalld.conf";
/// Least important first.
const ZONES: [&str; 2] = ["/usr/lib/firewalld/zones", "/etc/firewalld/zones"];

pub(super) fn collect(rules: &mut Rules<'_>) {
    if let Some(text) = rules.text(CONFIG) {
        for (index, line) in text.lines().enumerate() {
            if let Some(("DefaultZone", zone)) =
                line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
            {
                let mut row = row("firewalld", &CONFIG.into(), index + 1);
                row.chain = Some(zone.into());
                row.rule = Some(format!("DefaultZone={zone}").into());
                rules.push(row);
            }
        }
    }
    let mut zones = BTreeMap::new();
    for directory in ZONES {
        for name in rules.names(directory, ".xml") {
            let path = format!("{directory}/{name}");
            zones.insert(name, path);
        }
    }
    for (name, path) in zones {
        let zone = name.strip_suffix(".xml").unwrap_or(&name).to_owned();
        if let Some(text) = rules.text(&path) {
            for row in parse(&text, &zone, &path.into()) {
                rules.push(row);
            }
        }
    }
}

/// A row for the zone with its target as the policy, and one for everything directly in it. A rich
/// rule is one row, its parts in the order of the file.
fn parse(text: &str, zone: &str, origin: &Arc<str>) -> Vec<FirewallRule> {
    let mut rows: Vec<FirewallRule> = Vec::new();
    let mut depth = 0usize;
    let mut rich: Option<(usize, String)> = None;
    for tag in tags(text) {
        match tag {
            Tag::Open { name, attributes, empty, line } => {
                let shown = shown(&name, &attributes);
                match depth {
                    0 if name == "zone" => {
                        let target = attributes.iter().find(|(key, _)| key == "target");
                        let mut row = place(zone, origin, line);
                        row.policy = Some(policy(target.map(|(_, value)| value.as_str())).into());
                        rows.push(row);
                    }
                    1 if empty => rows.extend(rule(zone, origin, line, &name, &shown)),
                    1 => rich = Some((line, shown)),
                    _ => {
                        if let Some((_, text)) = &mut rich {
                            text.push(' ');
                            text.push_str(&shown);
                        }
                    }
                }
                depth += usize::from(!empty);
            }
            Tag::Close { .. } => {
                depth = depth.saturating_sub(1);
                if depth == 1
                    && let Some((line, shown)) = rich.take()
                {
                    let name = shown.split(' ').next().unwrap_or_default().to_owned();
                    rows.extend(rule(zone, origin, line, &name, &shown));
                }
            }
        }
    }
    rows
}

fn place(zone: &str, origin: &Arc<str>, line: usize) -> FirewallRule {
    FirewallRule { chain: Some(zone.into()), ..row("firewalld", origin, line) }
}

fn rule(
    zone: &str,
    origin: &Arc<str>,
    line: usize,
    name: &str,
    shown: &str,
) -> Option<FirewallRule> {
    let says_nothing = matches!(name, "short" | "description");
    (!says_nothing).then(|| FirewallRule { rule: Some(folded(shown)), ..place(zone, origin, line) })
}

/// `port port=80 protocol=tcp`.
fn shown(name: &str, attributes: &[(String, String)]) -> String {
    let parts = attributes.iter().map(|(key, value)| format!(" {key}={value}"));
    std::iter::once(name.to_owned()).chain(parts).collect()
}

/// What becomes of a packet that nothing in the zone speaks of.
fn policy(target: Option<&str>) -> &'static str {
    match target {
        Some("ACCEPT") => "accept",
        Some("DROP") => "drop",
        _ => "reject",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>Public</short>
  <service name="ssh"/>
  <port port="8080" protocol="tcp"/>
  <rule family="ipv4">
    <source address="10.0.0.0/8"/>
    <accept/>
  </rule>
  <masquerade/>
</zone>"#;
        let rows = parse(text, "public", &"/z".into());
        let seen: Vec<_> = rows
            .iter()
            .map(|r| (r.line.unwrap(), r.policy.as_deref(), r.rule.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (2, Some("drop"), None),
                (4, None, Some("service name=ssh")),
                (5, None, Some("port port=8080 protocol=tcp")),
                (6, None, Some("rule family=ipv4 source address=10.0.0.0/8 accept")),
                (10, None, Some("masquerade")),
            ]
        );
    }
}
