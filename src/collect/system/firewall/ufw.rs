//! ufw (ufw-framework(8)): whether it is on, its default policies, and its rule files.

use std::sync::Arc;

use super::{Rules, iptables, row};

const STATE: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";
/// In the order in which ufw loads them. Before 0.34 the user's rules were in /lib/ufw.
const FILES: [(&str, &str); 8] = [
    ("/etc/ufw/before.rules", "ip"),
    ("/etc/ufw/user.rules", "ip"),
    ("/lib/ufw/user.rules", "ip"),
    ("/etc/ufw/after.rules", "ip"),
    ("/etc/ufw/before6.rules", "ip6"),
    ("/etc/ufw/user6.rules", "ip6"),
    ("/lib/ufw/user6.rules", "ip6"),
    ("/etc/ufw/after6.rules", "ip6"),
];

pub(super) fn collect(rules: &mut Rules<'_>) {
    let Some(state) = rules.text(STATE) else { return };
    for (line, key, value) in assignments(&state) {
        if key == "ENABLED" {
            let mut row = row("ufw", &STATE.into(), line);
            row.rule = Some(format!("ENABLED={value}").into());
            rules.push(row);
        }
    }
    if let Some(defaults) = rules.text(DEFAULTS) {
        for (line, key, value) in assignments(&defaults) {
            let hook = key.strip_prefix("DEFAULT_").and_then(|key| key.strip_suffix("_POLICY"));
            if let Some(hook @ ("INPUT" | "OUTPUT" | "FORWARD")) = hook {
                let mut row = row("ufw", &DEFAULTS.into(), line);
                row.table = Some("filter".into());
                row.chain = Some(hook.into());
                row.hook = Some(hook.to_ascii_lowercase().into());
                row.policy = Some(value.to_ascii_lowercase().into());
                rules.push(row);
            }
        }
    }
    for (path, family) in FILES {
        if let Some(text) = rules.text(path) {
            for row in iptables::parse(&text, "ufw", family, &Arc::from(path)) {
                rules.push(row);
            }
        }
    }
}

/// `KEY="value"` lines with their numbers.
fn assignments(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (!key.starts_with('#')).then(|| (index + 1, key.trim(), value))
    })
}
