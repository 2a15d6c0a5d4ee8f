//! The extended attribute `security.capability` and the text that `getcap` writes for it.
//!
//! Layout: `struct vfs_cap_data` and `vfs_ns_cap_data` in <linux/capability.h>; the text form is
//! described in cap_to_text(3) and cap_from_text(3).

/// Name of the attribute.
pub(crate) const ATTRIBUTE: &str = "security.capability";
/// Size of the longest version (revision 3).
pub(crate) const MAX_BYTES: usize = 24;

/// Capability names by number, from capabilities(7).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

const EFFECTIVE: usize = 1;
const PERMITTED: usize = 2;
const INHERITABLE: usize = 4;

/// The text for an attribute value; a value that the kernel would refuse is shown in hexadecimal,
/// because a file with an attribute that nobody understands must not look like one without.
pub(crate) fn text(attribute: &[u8]) -> String {
    decode(attribute).map_or_else(|| unreadable(attribute), |sets| write(&sets))
}

fn unreadable(attribute: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("unreadable:");
    for byte in attribute.iter().take(MAX_BYTES) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Which of effective, permitted and inheritable each capability has, by number.
fn decode(attribute: &[u8]) -> Option<[usize; 64]> {
    let word = |index: usize| -> Option<u64> {
        let bytes = attribute.get(index * 4..index * 4 + 4)?;
        Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    let magic = word(0)?;
    let (permitted, inheritable) = match (magic >> 24, attribute.len()) {
        (1, 12) => (word(1)?, word(2)?),
        (2, 20) | (3, 24) => (word(1)? | word(3)? << 32, word(2)? | word(4)? << 32),
        _ => return None,
    };
    let mut sets = [0; 64];
    for (number, set) in sets.iter_mut().enumerate() {
        let has = |mask: u64, flag: usize| if mask >> number & 1 == 1 { flag } else { 0 };
        *set = has(permitted, PERMITTED) | has(inheritable, INHERITABLE);
        // One bit makes everything effective that the file grants.
        if *set != 0 && magic & 1 == 1 {
            *set |= EFFECTIVE;
        }
    }
    Some(sets)
}

/// The text: the most frequent combination first as `=flags`, then the capabilities that differ
/// from it, by combination in falling order.
fn write(sets: &[usize; 64]) -> String {
    let known = sets.iter().rposition(|set| *set != 0).map_or(0, |last| last + 1).max(NAMES.len());
    let sets = &sets[..known];
    let count = |combination: usize| sets.iter().filter(|set| **set == combination).count();
    let mut base = 7;
    for combination in (0..7).rev() {
        if count(combination) >= count(base) {
            base = combination;
        }
    }
    let mut out = if base == 0 { String::new() } else { format!("={}", flags(base)) };
    for combination in (0..8).rev().filter(|combination| *combination != base) {
        let names: Vec<String> = sets
            .iter()
            .enumerate()
            .filter(|(_, set)| **set == combination)
            .map(|(number, _)| name(number))
            .collect();
        if names.is_empty() {
            continue;
        }
        let sign = if out.is_empty() { '=' } else { '+' };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&names.join(","));
        let (added, removed) = (combination & !base, base & !combination);
        if added != 0 {
            out.push(sign);
            out.push_str(&flags(added));
        }
        if removed != 0 {
            out.push('-');
            out.push_str(&flags(removed));
        }
    }
    if out.is_empty() {
        out.push('=');
    }
    out
}

fn name(number: usize) -> String {
    NAMES.get(number).map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

fn flags(combination: usize) -> String {
    [(EFFECTIVE, 'e'), (INHERITABLE, 'i'), (PERMITTED, 'p')]
        .into_iter()
        .filter(|(flag, _)| combination & flag != 0)
        .map(|(_, letter)| letter)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::text;

    fn of_hex(hex: &str) -> String {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|index| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap())
            .collect();
        text(&bytes)
    }

    /// Attribute values written by setcap, with what getcap (libcap 2.66) said of them.
    #[test]
    fn the_text_is_what_getcap_writes() {
        for (hex, expected) in [
            ("01000002ffffffff00000000ff01000000000000", "=ep"),
            ("01000002ffffffffffffffffff010000ff010000", "=eip"),
            ("0000000200000000ffffffff00000000ff010000", "=i"),
            ("0100000200200000000000000000000000000000", "cap_net_raw=ep"),
            ("0100000200300000003000000000000000000000", "cap_net_admin,cap_net_raw=eip"),
            ("0000000200200000001000000000000000000000", "cap_net_admin=i cap_net_raw+p"),
            ("01000002ffdfffff00000000ff01000000000000", "=ep cap_net_raw-ep"),
            ("00000002feffffff20000000ff01000000000000", "=p cap_kill+i cap_chown-p"),
            ("0000000220000000ffffffff00000000ff010000", "=i cap_kill+p"),
            ("0000000200000000000000000000000000000000", "="),
            ("0100000200000000002000000000000000000000", "cap_net_raw=ei"),
            ("0100000300200000000000000000000000000000e8030000", "cap_net_raw=ep"),
        ] {
            assert_eq!(of_hex(hex), expected, "{hex}");
        }
    }

    #[test]
    fn the_first_revision_has_32_bits() {
        assert_eq!(of_hex("010000010020000000000000"), "cap_net_raw=ep");
    }

    #[test]
    fn a_value_that_the_kernel_refuses_is_still_seen() {
        assert_eq!(of_hex("ff"), "unreadable:ff");
        assert_eq!(of_hex("0100000200200000"), "unreadable:0100000200200000");
    }

    #[test]
    fn numbers_without_a_name_stay_numbers() {
        assert_eq!(of_hex("0100000200000000000000000004000000000000"), "42=ep");
    }
}
