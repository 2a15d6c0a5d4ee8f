//! Network interfaces and their addresses (rtnetlink(7)).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::netlink::{attributes, dump, number, open};
use crate::model::state::TableState;
use crate::model::table::Interface;

const GET_LINK: u16 = 18;
const NEW_LINK: u16 = 16;
const GET_ADDRESS: u16 = 22;
const NEW_ADDRESS: u16 = 20;
/// What stands before the attributes of a link, of an address.
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
/// Attributes of a link.
const LINK_ADDRESS: u16 = 1;
const LINK_NAME: u16 = 3;
/// Attributes of an address: that of the interface, and, on point-to-point links, its own end.
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const INET: u8 = 2;
const INET6: u8 = 10;

/// The interfaces of this network namespace, by name.
pub fn interfaces() -> (TableState, Vec<Interface>) {
    let mut found = Found::default();
    let asked = open(None).and_then(|socket| {
        dump(&socket, GET_LINK, &[0; LINK_HEADER], &mut |kind, payload| {
            found.message(kind, payload);
        })?;
        dump(&socket, GET_ADDRESS, &[0; ADDRESS_HEADER], &mut |kind, payload| {
            found.message(kind, payload);
        })
    });
    match asked {
        Ok(()) => (TableState::Collected, found.rows()),
        Err(error) => {
            let reason = format!("the kernel did not list its interfaces ({error})");
            match found.rows() {
                rows if rows.is_empty() => (TableState::denied(reason), rows),
                rows => (TableState::truncated(reason), rows),
            }
        }
    }
}

#[derive(Default)]
struct Found(BTreeMap<u32, Interface>);

impl Found {
    fn message(&mut self, kind: u16, payload: &[u8]) {
        match kind {
            NEW_LINK => self.link(payload),
            NEW_ADDRESS => self.address(payload),
            _ => None,
        };
    }

    fn link(&mut self, payload: &[u8]) -> Option<()> {
        let index = number(payload, 4)?;
        let attributes: BTreeMap<u16, &[u8]> = attributes(payload.get(LINK_HEADER..)?).collect();
        let name = attributes.get(&LINK_NAME)?;
        let name = String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned();
        let mac = attributes.get(&LINK_ADDRESS).copied().filter(|mac| mac.iter().any(|b| *b != 0));
        let interface = Interface {
            name: name.into(),
            mac: mac.map(hardware),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
        };
        self.0.insert(index, interface);
        Some(())
    }

    fn address(&mut self, payload: &[u8]) -> Option<()> {
        let family = *payload.first()?;
        let interface = self.0.get_mut(&number(payload, 4)?)?;
        let attributes: BTreeMap<u16, &[u8]> = attributes(payload.get(ADDRESS_HEADER..)?).collect();
        let bytes = attributes.get(&LOCAL).or_else(|| attributes.get(&ADDRESS))?;
        match family {
            INET => {
                let bytes: [u8; 4] = (*bytes).try_into().ok()?;
                interface.ipv4.push(Ipv4Addr::from(bytes).to_string().into());
            }
            INET6 => {
                let bytes: [u8; 16] = (*bytes).try_into().ok()?;
                interface.ipv6.push(Ipv6Addr::from(bytes).to_string().into());
            }
            _ => {}
        }
        Some(())
    }

    fn rows(self) -> Vec<Interface> {
        let mut rows: Vec<Interface> = self.0.into_values().collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }
}

fn hardware(bytes: &[u8]) -> Arc<str> {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_messages_are_left_out() {
        let mut found = Found::default();
        for length in 0..40 {
            for byte in [0, 1, 2, 10, 255] {
                found.message(NEW_LINK, &vec![byte; length]);
                found.message(NEW_ADDRESS, &vec![byte; length]);
            }
        }
        assert!(found.rows().is_empty());
    }

    #[test]
    fn this_machine_has_a_loopback() {
        let (state, rows) = interfaces();
        assert_eq!(state, TableState::Collected);
        let names: Vec<&str> = rows.iter().map(|row| &*row.name).collect();
        assert!(names.contains(&"lo"), "{names:?}");
    }
}
