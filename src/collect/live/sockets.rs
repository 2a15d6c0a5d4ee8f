//! The kernel's lists of sockets: /proc/net/{tcp,tcp6,udp,udp6} (proc_pid_net(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A list of sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Protocol {
    Tcp,
    Tcp6,
    Udp,
    Udp6,
}

impl Protocol {
    pub(super) const ALL: [Self; 4] = [Self::Tcp, Self::Tcp6, Self::Udp, Self::Udp6];

    /// The name of the list.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tcp6 => "tcp6",
            Self::Udp => "udp",
            Self::Udp6 => "udp6",
        }
    }

    pub(super) const fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Tcp6)
    }
}

/// An address and a port.
pub(super) type End = (IpAddr, u16);

/// One socket of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawSocket {
    pub(super) protocol: Protocol,
    pub(super) local: End,
    /// None where nothing is connected: it listens.
    pub(super) remote: Option<End>,
    pub(super) uid: i64,
    /// None where the process has closed it and the kernel goes on alone.
    pub(super) inode: Option<u64>,
    /// UDP: whether datagrams wait to be read.
    pub(super) waiting: bool,
    /// UDP: datagrams that were dropped since the socket was made.
    pub(super) drops: u64,
}

const LISTEN: u8 = 0x0a;

/// The sockets of one list: TCP sockets that listen or are (being) connected or closed, and UDP
/// sockets with a local port. Lines that are none are left out.
pub(super) fn parse(protocol: Protocol, text: &str) -> impl Iterator<Item = RawSocket> {
    text.lines().skip(1).filter_map(move |text| line(protocol, text))
}

/// `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 ...`
fn line(protocol: Protocol, line: &str) -> Option<RawSocket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = end(fields.next()?)?;
    let remote = end(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let (_, waiting) = fields.next()?.split_once(':')?;
    let uid = fields.nth(2)?.parse().ok()?;
    let inode: u64 = fields.nth(1)?.parse().ok()?;
    let drops = fields.nth(2).and_then(|drops| drops.parse().ok()).unwrap_or(0);
    let listens = if protocol.is_tcp() { state == LISTEN } else { remote.1 == 0 };
    // A TCP socket that neither listens nor has a peer is not in use.
    if local.1 == 0 || (!listens && remote.1 == 0) {
        return None;
    }
    Some(RawSocket {
        protocol,
        local,
        remote: (!listens).then_some(remote),
        uid,
        inode: Some(inode).filter(|inode| *inode != 0),
        waiting: !protocol.is_tcp() && waiting.bytes().any(|byte| byte != b'0'),
        drops: if protocol.is_tcp() { 0 } else { drops },
    })
}

/// `0100007F:1F90`: the address in words of the host's byte order, the port as a number.
fn end(text: &str) -> Option<End> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(protocol: Protocol, text: &str) -> Option<RawSocket> {
        parse(protocol, &format!("head\n{text}\n")).next()
    }

    /// The texts are of a little-endian machine; on others the words are written the other way.
    fn le(text: &str) -> String {
        if cfg!(target_endian = "little") {
            return text.to_owned();
        }
        let swap = |word: &str| {
            let pairs: Vec<&str> = (0..4).rev().map(|at| &word[at * 2..at * 2 + 2]).collect();
            pairs.concat()
        };
        (0..text.len() / 8).map(|at| swap(&text[at * 8..at * 8 + 8])).collect()
    }

    #[test]
    fn a_listener_and_connections() {
        let rest = "00000000:00000000 00:00000000 00000000   101        0 639 1 0 100 0 0 10 0";
        let local = le("0100007F");
        let seen =
            one(Protocol::Tcp, &format!(" 0: {local}:1F90 00000000:0000 0A {rest}")).unwrap();
        assert_eq!(seen.local, (IpAddr::V4(Ipv4Addr::LOCALHOST), 8080));
        assert_eq!((seen.remote, seen.uid, seen.inode), (None, 101, Some(639)));
        let seen = one(Protocol::Tcp, &format!("1: {local}:1F90 {local}:D431 06 {rest}")).unwrap();
        assert_eq!(seen.remote.unwrap().1, 0xd431);
        // Bound, but neither listening nor connected.
        assert_eq!(one(Protocol::Tcp, &format!("1: {local}:1F90 00000000:0000 07 {rest}")), None);
        let mapped = le("0000000000000000FFFF00000100007F");
        let seen =
            one(Protocol::Tcp6, &format!("1: {mapped}:0016 {mapped}:D431 01 {rest}")).unwrap();
        assert_eq!(seen.local.0.to_string(), "::ffff:127.0.0.1");
    }

    #[test]
    fn datagrams_that_wait_or_were_dropped() {
        let any = "00000000:0044 00000000:0000 07";
        let rest = "00:00000000 00000000 0 0 700 2 0000000000000000";
        let seen = |queue: &str, drops: &str| {
            let seen = one(Protocol::Udp, &format!("5: {any} {queue} {rest} {drops}")).unwrap();
            (seen.waiting, seen.drops)
        };
        assert_eq!(seen("00000000:00000000", "0"), (false, 0));
        assert_eq!(seen("00000000:00000300", "0"), (true, 0));
        assert_eq!(seen("00000000:00000000", "3"), (false, 3));
    }

    #[test]
    fn damaged_lines_are_left_out() {
        for text in [
            "",
            "0:",
            "0: x:y z:0 0A",
            "0: 0100007F 0 0A",
            "0: 0100007F:1F90 00000000:0000 0A",
            "0: 0100007:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1",
            "0: 0100007F:FFFFF 00000000:0000 0A 0:0 0:0 0 0 0 1",
            "0: ä100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 1",
        ] {
            assert_eq!(one(Protocol::Tcp, text), None, "{text:?}");
        }
    }
}
