//! The sockets of all samples, merged: which listened, who was connected, and which listeners had
//! traffic.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::sockets::{End, Protocol, RawSocket};
use crate::model::table::Socket;

/// Most different sockets that are kept.
pub(super) const MOST_SOCKETS: usize = 1_000_000;

/// A process for good: its id and when it began.
pub(super) type ProcessKey = (i64, u64);

/// What makes two sightings the same socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    protocol: Protocol,
    local: End,
    remote: Option<End>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    uid: Option<i64>,
    inode: Option<u64>,
    owner: Option<ProcessKey>,
    samples: u32,
    /// The sample that counted it last: a port may be shared by several sockets.
    last: u32,
    first_drops: Option<u64>,
    traffic: bool,
}

/// What is known of the process that owns a socket.
pub(super) struct Owner {
    pub(super) pid: i64,
    pub(super) exe: Option<Arc<str>>,
    pub(super) name: Arc<str>,
}

/// Every socket seen.
#[derive(Debug, Default)]
pub(super) struct SocketLog {
    entries: BTreeMap<Key, Entry>,
    sample: u32,
    /// Whether more sockets were seen than are kept.
    pub(super) overflow: bool,
}

impl SocketLog {
    /// A new sample begins.
    pub(super) fn begin_sample(&mut self) {
        self.sample += 1;
    }

    /// A socket of the current sample. True where its owner is not known and could be.
    pub(super) fn see(&mut self, socket: &RawSocket) -> bool {
        let sample = self.sample;
        let Some(entry) = self.entry(socket) else { return false };
        if entry.last != sample {
            entry.last = sample;
            entry.samples += 1;
        }
        if socket.inode.is_some() && entry.inode != socket.inode {
            // The same addresses, and another socket.
            let first = entry.inode.is_none();
            if first || socket.remote.is_some() {
                entry.owner = None;
                entry.inode = socket.inode;
            }
            entry.uid = Some(socket.uid);
        }
        let first_drops = *entry.first_drops.get_or_insert(socket.drops);
        entry.traffic |= socket.waiting || socket.drops > first_drops;
        entry.owner.is_none() && entry.inode.is_some() && entry.inode == socket.inode
    }

    /// A connection that ended between two samples.
    pub(super) fn finished(&mut self, socket: &RawSocket) {
        if let Some(entry) = self.entry(socket) {
            entry.uid.get_or_insert(socket.uid);
        }
    }

    fn entry(&mut self, socket: &RawSocket) -> Option<&mut Entry> {
        let key = Key { protocol: socket.protocol, local: socket.local, remote: socket.remote };
        if self.entries.len() >= MOST_SOCKETS && !self.entries.contains_key(&key) {
            self.overflow = true;
            return None;
        }
        Some(self.entries.entry(key).or_default())
    }

    /// Tells whose sockets these are, by inode.
    pub(super) fn own(&mut self, owners: &BTreeMap<u64, ProcessKey>) {
        if owners.is_empty() {
            return;
        }
        for entry in self.entries.values_mut().filter(|entry| entry.owner.is_none()) {
            entry.owner = entry.inode.and_then(|inode| owners.get(&inode)).copied();
        }
    }

    /// The rows, in the order of protocol and addresses, and how many have an owner that could not
    /// be seen. `window` says whether there was more than one look, so that no traffic means
    /// something.
    pub(super) fn rows(
        self,
        window: bool,
        owner: impl Fn(ProcessKey) -> Option<Owner>,
    ) -> (Vec<Socket>, usize) {
        let ports = Ports::new(&self.entries);
        let mut had_traffic = vec![false; ports.listeners.len()];
        for (key, entry) in &self.entries {
            match key.remote {
                None => {
                    if let (true, Some(at)) = (entry.traffic, ports.at(key)) {
                        mark(&mut had_traffic, at);
                    }
                }
                Some(remote) => {
                    for at in ports.serving(key.protocol, key.local) {
                        mark(&mut had_traffic, at);
                    }
                    // The peer is on this host, and its side may have been closed already.
                    if remote.0.to_canonical().is_loopback() || remote.0 == key.local.0 {
                        for at in ports.serving(key.protocol, remote) {
                            mark(&mut had_traffic, at);
                        }
                    }
                }
            }
        }
        let mut unseen = 0;
        let mut rows = Vec::with_capacity(self.entries.len());
        for (key, entry) in &self.entries {
            let serving = key.remote.and_then(|_| ports.serving(key.protocol, key.local).next());
            let listener = serving.and_then(|at| self.entries.get(ports.listeners.get(at)?));
            // What the kernel finishes alone belongs to who listens there.
            let known = entry.owner.or(listener.and_then(|listener| listener.owner));
            let uid = entry.uid.or(listener.and_then(|listener| listener.uid)).unwrap_or(-1);
            unseen += usize::from(entry.owner.is_none() && entry.inode.is_some());
            let owner = known.and_then(&owner);
            let traffic = match key.remote {
                None => {
                    let seen = ports.at(key).and_then(|at| had_traffic.get(at)).copied();
                    let silent = (window && key.protocol.is_tcp()).then_some(false);
                    if seen == Some(true) { seen } else { silent }
                }
                Some(_) => None,
            };
            rows.push(Socket {
                protocol: key.protocol.name().into(),
                state: if key.remote.is_some() { "connected" } else { "listening" }.into(),
                local_address: key.local.0.to_string().into(),
                local_port: i64::from(key.local.1),
                remote_address: key.remote.map(|(address, _)| address.to_string().into()),
                remote_port: key.remote.map(|(_, port)| i64::from(port)),
                pid: owner.as_ref().map(|owner| owner.pid),
                exe: owner.as_ref().and_then(|owner| owner.exe.clone()),
                process: owner.map(|owner| owner.name),
                uid,
                role: key
                    .remote
                    .map(|_| if serving.is_some() { "server" } else { "client" }.into()),
                traffic,
                samples: i64::from(entry.samples),
            });
        }
        (rows, unseen)
    }
}

fn mark(flags: &mut [bool], at: usize) {
    if let Some(flag) = flags.get_mut(at) {
        *flag = true;
    }
}

/// The listeners by port.
struct Ports<'e> {
    listeners: Vec<&'e Key>,
    by_port: BTreeMap<(bool, u16), Vec<usize>>,
}

impl<'e> Ports<'e> {
    fn new(entries: &'e BTreeMap<Key, Entry>) -> Self {
        let listeners: Vec<&Key> = entries.keys().filter(|key| key.remote.is_none()).collect();
        let mut by_port: BTreeMap<(bool, u16), Vec<usize>> = BTreeMap::new();
        for (at, key) in listeners.iter().enumerate() {
            by_port.entry((key.protocol.is_tcp(), key.local.1)).or_default().push(at);
        }
        Self { listeners, by_port }
    }

    fn at(&self, key: &Key) -> Option<usize> {
        self.listeners.binary_search(&key).ok()
    }

    /// The listeners that a connection to this end can have come through: those of its own list,
    /// and where there is none, those that take IPv4 on an IPv6 socket.
    fn serving(&self, protocol: Protocol, end: End) -> impl Iterator<Item = usize> {
        let port = self.by_port.get(&(protocol.is_tcp(), end.1));
        let fits = |at: &usize, own: bool| {
            self.listeners
                .get(*at)
                .is_some_and(|key| (!own || key.protocol == protocol) && takes(key.local.0, end.0))
        };
        let at = |own: bool| -> Vec<usize> {
            port.into_iter().flatten().copied().filter(|at| fits(at, own)).collect()
        };
        let own = at(true);
        if own.is_empty() { at(false) } else { own }.into_iter()
    }
}

/// Whether a socket that listens at one address gets what is sent to another.
fn takes(listening: IpAddr, address: IpAddr) -> bool {
    listening.is_unspecified() || listening.to_canonical() == address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(protocol: Protocol, local: &str, remote: Option<&str>, inode: u64) -> RawSocket {
        let end = |text: &str| {
            let end: std::net::SocketAddr = text.parse().unwrap();
            (end.ip(), end.port())
        };
        RawSocket {
            protocol,
            local: end(local),
            remote: remote.map(end),
            uid: 7,
            inode: Some(inode).filter(|inode| *inode != 0),
            waiting: false,
            drops: 0,
        }
    }

    fn rows(sockets: &[RawSocket], window: bool) -> Vec<String> {
        let mut log = SocketLog::default();
        log.begin_sample();
        for socket in sockets {
            log.see(socket);
        }
        log.own(&BTreeMap::from([(1, (10, 1))]));
        let owner = |(pid, _)| Some(Owner { pid, exe: None, name: "p".into() });
        log.rows(window, owner)
            .0
            .iter()
            .map(|row| {
                format!(
                    "{} {} {} {} {} {}",
                    row.local_port,
                    row.state,
                    row.role.as_deref().unwrap_or("-"),
                    row.traffic.map_or("-".into(), |t| t.to_string()),
                    row.pid.map_or("-".into(), |pid| pid.to_string()),
                    row.uid
                )
            })
            .collect()
    }

    #[test]
    fn a_connection_is_traffic_for_its_listener_only() {
        use Protocol::{Tcp, Tcp6};
        assert_eq!(
            rows(
                &[
                    socket(Tcp, "0.0.0.0:80", None, 1),
                    socket(Tcp, "10.0.0.1:81", None, 2),
                    socket(Tcp6, "[::]:80", None, 3),
                    socket(Tcp, "10.0.0.1:80", Some("10.9.9.9:5000"), 0),
                    socket(Tcp, "10.0.0.2:81", Some("10.9.9.9:5001"), 4),
                    socket(Tcp, "10.0.0.1:4444", Some("10.9.9.9:443"), 5),
                ],
                true
            ),
            [
                "80 listening - true 10 7",
                "80 connected server - 10 7",
                "81 listening - false - 7",
                "4444 connected client - - 7",
                "81 connected client - - 7",
                "80 listening - false - 7",
            ]
        );
    }

    #[test]
    fn a_dual_listener_serves_ipv4() {
        use Protocol::Tcp6;
        let listener = socket(Tcp6, "[::]:22", None, 1);
        let mapped = socket(Tcp6, "[::ffff:10.0.0.1]:22", Some("[::ffff:10.0.0.9]:1"), 2);
        assert_eq!(rows(&[listener.clone(), mapped], true)[0], "22 listening - true 10 7");
        // Only the client's side of a connection inside the host is left.
        let rest = socket(Protocol::Tcp, "127.0.0.1:40000", Some("127.0.0.1:22"), 0);
        let seen = rows(&[listener, rest], true);
        assert_eq!(seen, ["40000 connected client - - -1", "22 listening - true 10 7"]);
    }

    #[test]
    fn silence_means_something_only_for_tcp_and_over_time() {
        use Protocol::{Tcp, Udp};
        let tcp = socket(Tcp, "0.0.0.0:1", None, 1);
        let udp = socket(Udp, "0.0.0.0:2", None, 2);
        let waiting = RawSocket { waiting: true, ..socket(Udp, "0.0.0.0:3", None, 3) };
        let all = [tcp, udp, waiting];
        let traffic = |window| -> Vec<String> {
            rows(&all, window).iter().map(|row| row.split(' ').nth(3).unwrap().into()).collect()
        };
        assert_eq!(traffic(true), ["false", "-", "true"]);
        assert_eq!(traffic(false), ["-", "-", "true"]);
    }

    #[test]
    fn samples_are_counted_once_each() {
        let mut log = SocketLog::default();
        let listener = socket(Protocol::Tcp, "0.0.0.0:1", None, 1);
        for _ in 0..3 {
            log.begin_sample();
            assert!(log.see(&listener));
            log.see(&RawSocket { inode: Some(2), ..listener.clone() });
        }
        log.finished(&socket(Protocol::Tcp, "10.0.0.1:1", Some("10.0.0.2:2"), 0));
        let (rows, unseen) = log.rows(true, |_| None);
        let samples: Vec<i64> = rows.iter().map(|row| row.samples).collect();
        assert_eq!((samples, unseen), (vec![3, 0], 1));
        assert_eq!(rows[0].traffic, Some(true));
    }
}
