//! Sockets, network interfaces and firewall rules.

use std::sync::Arc;

use crate::facts;

/// Why the firewall rules of a running host are not complete, where nothing else is missing.
pub const ONLY_CONFIGURED: &str =
    "the rules in force in the kernel cannot be read from files, only configured ones";

facts! {
    /// Sockets seen in the observation window; live only.
    #[table(name = "sockets", origin = Collected, location = "{protocol} to {remote_address}:{remote_port}[ by {process}]|{protocol} {local_address}:{local_port}[ by {process}]")]
    pub struct Socket {
        /// `tcp`, `tcp6`, `udp`, `udp6`.
        pub protocol: Arc<str>,
        /// `listening` or `connected`.
        pub state: Arc<str>,
        /// Local address.
        pub local_address: Arc<str>,
        /// Local port.
        pub local_port: i64,
        /// Peer address; none for a listener.
        pub remote_address: Option<Arc<str>>,
        /// Peer port; none for a listener.
        pub remote_port: Option<i64>,
        /// Process id of the owner, where it could be seen.
        pub pid: Option<i64>,
        /// Executable of the owner.
        pub exe: Option<Arc<str>>,
        /// Name of the owner's process.
        pub process: Option<Arc<str>>,
        /// User id that owns the socket.
        pub uid: i64,
        /// Which side opened the connection: `client`, `server`; none for a listener.
        pub role: Option<Arc<str>>,
        /// For a listener: whether any connection to its port was seen in the window.
        pub traffic: Option<bool>,
        /// In how many of the samples it was seen.
        pub samples: i64,
    }

    /// Network interfaces and their addresses; live, or from cloud-init data.
    #[table(name = "interfaces", origin = Collected, location = "interface {name}")]
    pub struct Interface {
        /// Interface name.
        pub name: Arc<str>,
        /// Hardware address.
        pub mac: Option<Arc<str>>,
        /// IPv4 addresses.
        pub ipv4: Vec<Arc<str>>,
        /// IPv6 addresses.
        pub ipv6: Vec<Arc<str>>,
    }

    /// Firewall rules in force (live) or configured.
    #[table(name = "firewall", origin = Collected, location = "{origin}")]
    pub struct FirewallRule {
        /// `nftables`, `iptables`, `ip6tables`, `ufw` or `firewalld`.
        pub engine: Arc<str>,
        /// The file, or `running` for the kernel's rules.
        pub origin: Arc<str>,
        /// Line in that file, where it is a file.
        pub line: Option<i64>,
        /// `inet`, `ip`, `ip6`, `arp`, `bridge`, `netdev`; iptables and ufw: `ip` or `ip6`.
        pub family: Option<Arc<str>>,
        /// Table name; firewalld has none.
        pub table: Option<Arc<str>>,
        /// Chain name; firewalld: the zone.
        pub chain: Option<Arc<str>>,
        /// Hook of a base chain.
        pub hook: Option<Arc<str>>,
        /// Policy in lower case, where the row is a base chain, a default of ufw, or a zone.
        pub policy: Option<Arc<str>>,
        /// The rule as written, white space folded; none where the row is a chain or zone.
        pub rule: Option<Arc<str>>,
    }
}
