//! `open_ports`: the ports that a host listens on for others, and whether a rule of each packet
//! filter speaks of them: iptables(8), iptables-extensions(8), ufw(8).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::Fact;
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{FirewallRule, Socket};
use crate::model::view::{Loaded, View};

facts! {
    /// Ports that the host listens on for others, once for each of `ufw`, `iptables` and `ip6tables`; live only.
    #[table(name = "open_ports", origin = Derived, location = "{protocol} port {port}")]
    pub struct OpenPort {
        /// `ufw`, `iptables` or `ip6tables`.
        pub utility: Arc<str>,
        /// `tcp` or `udp`.
        pub protocol: Arc<str>,
        /// The port.
        pub port: i64,
        /// The address it listens on.
        pub address: Arc<str>,
        /// The process that listens, where it could be seen.
        pub process: Option<Arc<str>>,
        /// Whether a rule for what comes in names the port.
        pub ruled: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        OpenPort::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Socket::TABLE, FirewallRule::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (sockets_state, sockets) = view.typed::<Socket>()?;
        let (rules_state, rules) = view.typed::<FirewallRule>()?;
        let mut state = sockets_state.and(match rules_state {
            TableState::Truncated(_) | TableState::Collected => TableState::Collected,
            missing => missing,
        });
        let is_whole = view.table(FirewallRule::TABLE)?.state.is_complete();
        let mut rows = Vec::new();
        for utility in ["ufw", "iptables", "ip6tables"] {
            let rules = rules.iter().filter(|rule| &*rule.engine == utility && comes_in(rule));
            let named = Named::of(rules.filter_map(|rule| ports(rule.rule.as_deref()?)));
            for socket in sockets.iter().filter(|socket| is_open(socket)) {
                let six = socket.local_address.contains(':');
                let dual = matches!(&*socket.local_address, "::" | "[::]");
                let reached = match utility {
                    "iptables" => !six || dual,
                    "ip6tables" => six,
                    _ => true,
                };
                if !reached {
                    continue;
                }
                let protocol = socket.protocol.trim_end_matches('6');
                let ruled = named.has(protocol, socket.local_port);
                // ufw's files are what it loads; rules of the others may be in force without a file.
                if !ruled && utility != "ufw" && !is_whole {
                    let reason = format!("the rules of {utility} in force cannot be read");
                    if state.is_complete() {
                        state = TableState::truncated(reason);
                    }
                    continue;
                }
                rows.push(OpenPort {
                    utility: utility.into(),
                    protocol: protocol.into(),
                    port: socket.local_port,
                    address: Arc::clone(&socket.local_address),
                    process: socket.process.clone(),
                    ruled,
                });
            }
        }
        rows.sort_by(|a, b| {
            (&a.utility, &a.protocol, a.port).cmp(&(&b.utility, &b.protocol, b.port))
        });
        rows.dedup_by(|a, b| {
            (&a.utility, &a.protocol, a.port, &a.address)
                == (&b.utility, &b.protocol, b.port, &b.address)
        });
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// Whether others can reach it.
fn is_open(socket: &Socket) -> bool {
    let address = socket.local_address.trim_matches(['[', ']']);
    let address = address.split('%').next().unwrap_or(address);
    let is_loopback = address.parse().is_ok_and(|ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V6(six) => {
            six.is_loopback() || six.to_ipv4_mapped().is_some_and(|four| four.is_loopback())
        }
        std::net::IpAddr::V4(four) => four.is_loopback(),
    });
    &*socket.state == "listening" && !is_loopback
}

fn comes_in(rule: &FirewallRule) -> bool {
    rule.chain.as_deref().is_some_and(|chain| chain == "INPUT" || chain.ends_with("-input"))
}

/// The ports that a rule names.
struct Ports {
    protocol: Option<String>,
    ranges: Vec<(i64, i64)>,
}

/// The ports that all rules together name: there may be very many of them.
struct Named {
    tcp: Vec<bool>,
    udp: Vec<bool>,
}

impl Named {
    fn of(rules: impl Iterator<Item = Ports>) -> Self {
        // Where a range begins and where one has ended.
        let mut edges = [vec![0i64; PORTS + 1], vec![0i64; PORTS + 1]];
        for rule in rules {
            for (protocol, edges) in ["tcp", "udp"].iter().zip(&mut edges) {
                let own = rule.protocol.as_deref();
                if own.is_some_and(|own| own != *protocol && own != "all") {
                    continue;
                }
                for (first, last) in &rule.ranges {
                    let place = |port: i64| usize::try_from(port).unwrap_or(0).min(PORTS);
                    if let Some(edge) = edges.get_mut(place(*first)).filter(|_| first <= last) {
                        *edge += 1;
                        if let Some(edge) = edges.get_mut(place(last.saturating_add(1))) {
                            *edge -= 1;
                        }
                    }
                }
            }
        }
        let [tcp, udp] = edges.map(|edges| {
            let mut inside = 0;
            edges
                .into_iter()
                .map(|edge| {
                    inside += edge;
                    inside > 0
                })
                .collect()
        });
        Self { tcp, udp }
    }

    fn has(&self, protocol: &str, port: i64) -> bool {
        let ports = if protocol == "udp" { &self.udp } else { &self.tcp };
        let port = usize::try_from(port).ok().filter(|port| *port < PORTS);
        port.and_then(|port| ports.get(port)).copied().unwrap_or(false)
    }
}

/// Port numbers there are.
const PORTS: usize = 65_536;

/// Of a rule as iptables-save(8) writes it; none where it names no port.
fn ports(rule: &str) -> Option<Ports> {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let mut found = Ports { protocol: None, ranges: Vec::new() };
    for (at, pair) in words.windows(2).enumerate() {
        let [option, value] = pair else { continue };
        if at.checked_sub(1).and_then(|before| words.get(before)) == Some(&"!") {
            continue;
        }
        match *option {
            "-p" | "--protocol" | "--proto" => {
                found.protocol = Some(match *value {
                    "6" => "tcp".to_owned(),
                    "17" => "udp".to_owned(),
                    name => name.to_ascii_lowercase(),
                });
            }
            "--dport" | "--destination-port" | "--dports" | "--destination-ports" | "--ports" => {
                found.ranges.extend(value.split(',').filter_map(range));
            }
            _ => {}
        }
    }
    (!found.ranges.is_empty()).then_some(found)
}

/// `22`, `1000:2000`, `1024:`.
fn range(text: &str) -> Option<(i64, i64)> {
    let number = |text: &str, open: i64| match text {
        "" => Some(open),
        text => text.parse().ok(),
    };
    match text.split_once(':') {
        Some((first, last)) => Some((number(first, 0)?, number(last, 65_535)?)),
        None => text.parse().ok().map(|port| (port, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_ports_in_several_ways() {
        let names = |rule: &str, protocol: &str, port| {
            Named::of(ports(rule).into_iter()).has(protocol, port)
        };
        assert!(names("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "tcp", 22));
        assert!(!names("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "udp", 22));
        assert!(names("-A INPUT -p 17 -m multiport --dports 53,1000:2000 -j DROP", "udp", 1500));
        assert!(names("-A INPUT --dport 1024: -j ACCEPT", "udp", 5000));
        assert!(!names("-A INPUT -p tcp ! --dport 22 -j DROP", "tcp", 22));
        assert!(!names("-A INPUT -p tcp --sport 22 -j ACCEPT", "tcp", 22));
        assert!(!names("-A INPUT -i lo -j ACCEPT", "tcp", 22));
    }
}
