//! Netlink (netlink(7)): asking the kernel for a dump, and taking its messages apart. The readers
//! trust no length.

use std::io;

use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER: usize = 16;
/// One answer; the kernel sends at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;
/// Most bytes of a dump.
const MOST: usize = 64 * 1024 * 1024;

/// A socket that never waits for more than the kernel has to say. Without a protocol it speaks
/// rtnetlink, whose number is 0.
///
/// # Errors
/// As the system gives them.
pub(super) fn open(protocol: Option<Protocol>) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?)
}

/// What the kernel has sent since it was last asked; empty where there is nothing.
///
/// # Errors
/// As the system gives them; `ENOBUFS` where it had more to say than it could keep.
pub(super) fn receive(socket: impl AsFd, buffer: &mut Vec<u8>) -> io::Result<&[u8]> {
    buffer.resize(BUFFER, 0);
    match recv(socket, buffer.as_mut_slice(), RecvFlags::empty()) {
        Ok((length, _)) => Ok(buffer.get(..length).unwrap_or_default()),
        Err(rustix::io::Errno::AGAIN) => Ok(&[]),
        Err(error) => Err(error.into()),
    }
}

/// Asks for a dump and shows every message: its type and payload.
///
/// # Errors
/// As the system gives them; `InvalidData` where the answer does not end.
pub(super) fn dump(
    socket: impl AsFd,
    kind: u16,
    payload: &[u8],
    visit: &mut dyn FnMut(u16, &[u8]),
) -> io::Result<()> {
    let mut request = Vec::with_capacity(HEADER + payload.len());
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(0);
    request.extend_from_slice(&length.to_ne_bytes());
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&(REQUEST | DUMP).to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(payload);
    send(&socket, &request, SendFlags::empty())?;
    let mut buffer = Vec::new();
    let mut total = 0;
    loop {
        // The kernel answers while it takes the request, so there is nothing to wait for.
        let bytes = receive(&socket, &mut buffer)?;
        total += bytes.len();
        if bytes.is_empty() || total > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for (kind, payload) in messages(bytes) {
            match kind {
                DONE => return Ok(()),
                ERROR => return Err(error(payload)),
                kind => visit(kind, payload),
            }
        }
    }
}

fn error(payload: &[u8]) -> io::Error {
    match number(payload, 0) {
        Some(code) if code != 0 => io::Error::from_raw_os_error(code.cast_signed().wrapping_neg()),
        _ => io::ErrorKind::InvalidData.into(),
    }
}

/// The messages of a datagram: type and payload. What does not fit ends them.
pub(super) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::try_from(number(bytes, 0)?).ok()?;
        let payload = bytes.get(HEADER..length)?;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
        Some((kind, payload))
    })
}

/// The attributes of a message: type and value.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
        // The upper bits say how the value is nested or ordered.
        Some((kind & 0x3fff, value))
    })
}

/// A 32 bit number of the host's byte order.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_not_believed() {
        for bytes in [vec![], vec![0; 3], vec![0; 16], vec![0xff; 40], vec![17, 0, 0, 0]] {
            assert_eq!(messages(&bytes).count(), 0, "{bytes:?}");
            assert_eq!(attributes(&bytes).count(), 0, "{bytes:?}");
        }
        let mut two = 17u32.to_ne_bytes().to_vec();
        two.extend_from_slice(&[0; 12]);
        two.push(9);
        two.extend_from_slice(&[0; 3]);
        two.extend_from_slice(&16u32.to_ne_bytes());
        two.extend_from_slice(&[0; 12]);
        let seen: Vec<usize> = messages(&two).map(|(_, payload)| payload.len()).collect();
        assert_eq!(seen, [1, 0]);
    }
}
