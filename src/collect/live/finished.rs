//! Connections that begin and end between two samples: the kernel tells of every TCP socket that
//! it destroys (sock_diag(7), multicast groups of the destroyed), to those who may administer the
//! network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::fd::OwnedFd;
use rustix::net::bind;
use rustix::net::netlink::{self, SocketAddrNetlink};

use super::files::read_text;
use super::netlink::{messages, number, open, receive};
use super::sockets::{Protocol, RawSocket};

/// The groups of destroyed TCP sockets, of IPv4 and of IPv6.
const DESTROYED: u32 = 0b101;
const BY_FAMILY: u16 = 20;
const INET: u8 = 2;
const INET6: u8 = 10;
/// Datagrams that are taken at once; the kernel keeps some hundreds.
const MOST: usize = 100_000;
/// The modules that answer. They would be loaded by asking, and looking must change nothing.
const MODULES: [&str; 2] = ["inet_diag", "tcp_diag"];

/// Hears of the connections that ended.
pub(super) struct Finished {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Finished {
    /// Begins to listen; none without the right to, or where it would load a kernel module.
    pub(super) fn listen() -> Option<Self> {
        // A kernel without loadable modules has no such file, and nothing to load.
        if let Ok((loaded, _)) = read_text("/proc/modules", 8 * 1024 * 1024) {
            let is_loaded =
                |name: &&str| loaded.lines().any(|line| line.split(' ').next() == Some(*name));
            MODULES.iter().all(is_loaded).then_some(())?;
        }
        let socket = open(Some(netlink::SOCK_DIAG)).ok()?;
        bind(&socket, &SocketAddrNetlink::new(0, DESTROYED)).ok()?;
        Some(Self { socket, buffer: Vec::new() })
    }

    /// Shows the connections that ended since the last time.
    pub(super) fn drain(&mut self, visit: &mut dyn FnMut(RawSocket)) {
        for _ in 0..MOST {
            match receive(&self.socket, &mut self.buffer) {
                Ok([]) => return,
                Ok(bytes) => {
                    for (kind, payload) in messages(bytes) {
                        if kind == BY_FAMILY
                            && let Some(socket) = parse(payload)
                        {
                            visit(socket);
                        }
                    }
                }
                // More ended than it could keep; the samples see the rest.
                Err(error)
                    if rustix::io::Errno::from_io_error(&error)
                        == Some(rustix::io::Errno::NOBUFS) => {}
                Err(_) => return,
            }
        }
    }
}

/// `struct inet_diag_msg`: family and state, ports and addresses in network order, and further on
/// the user.
fn parse(payload: &[u8]) -> Option<RawSocket> {
    let port = |at: usize| Some(u16::from_be_bytes(payload.get(at..at + 2)?.try_into().ok()?));
    let family = *payload.first()?;
    let address = |at: usize| match family {
        INET => {
            let bytes: [u8; 4] = payload.get(at..at + 4)?.try_into().ok()?;
            Some(IpAddr::V4(Ipv4Addr::from(bytes)))
        }
        INET6 => {
            let bytes: [u8; 16] = payload.get(at..at + 16)?.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    };
    let local = (address(8)?, port(4)?);
    let remote = (address(24)?, port(6)?);
    let uid = i64::from(number(payload, 64)?);
    let protocol = if family == INET { Protocol::Tcp } else { Protocol::Tcp6 };
    // One that listened, or never had a peer, is no connection.
    (local.1 != 0 && remote.1 != 0).then_some(RawSocket {
        protocol,
        local,
        remote: Some(remote),
        uid,
        inode: None,
        waiting: false,
        drops: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destroyed_connection() {
        let mut payload = vec![0; 72];
        payload[0] = INET;
        payload[4..8].copy_from_slice(&[0, 80, 0xd4, 0x31]);
        payload[8..12].copy_from_slice(&[10, 0, 0, 1]);
        payload[24..28].copy_from_slice(&[10, 0, 0, 9]);
        payload[64..68].copy_from_slice(&33u32.to_ne_bytes());
        let socket = parse(&payload).unwrap();
        assert_eq!(socket.local, (IpAddr::from([10, 0, 0, 1]), 80));
        assert_eq!(socket.remote, Some((IpAddr::from([10, 0, 0, 9]), 0xd431)));
        assert_eq!(socket.uid, 33);
        payload[6..8].fill(0);
        assert_eq!(parse(&payload), None);
        for length in 0..72 {
            assert_eq!(
                parse(&vec![INET6; length]).map(|s| s.protocol),
                (length >= 68).then_some(Protocol::Tcp6)
            );
        }
    }
}
