//! Firewall rules and kernel modules of roots made for the purpose.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use assay::collect::{DirectoryRoot, system};
use assay::model::state::TableState;
use assay::model::table::FirewallRule;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn rules(root: &Path) -> Vec<FirewallRule> {
    let (state, rows) = system::firewall(&DirectoryRoot::open(root).unwrap());
    assert_eq!(state, TableState::Collected);
    rows
}

/// A row as one line.
fn line(row: &FirewallRule) -> String {
    let text = |cell: &Option<Arc<str>>| cell.as_deref().unwrap_or("-").to_owned();
    let cells = [&row.family, &row.table, &row.chain, &row.hook, &row.policy, &row.rule].map(text);
    format!("{} {}:{} {}", row.engine, row.origin, row.line.unwrap_or(0), cells.join(" "))
}

const RULESET: &str = r#"#!/usr/sbin/nft -f
table ip gone { chain x { accept; }; }
flush ruleset
define ports = { 22,
  80 }
table inet filter {
	set bad { type ipv4_addr; elements = { 10.0.0.1 } }
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept   # local
		tcp dport { 22,
			80 } accept
	}
	chain output { type filter hook output priority 0; }
	chain mine { ip saddr @bad drop comment "a ; b"; }
}
add rule inet filter input tcp dport 443 accept
include "nftables.d/*.nft"
"#;

#[test]
fn nftables_files_become_chains_and_rules() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/nftables.conf", RULESET);
    write(
        root.path(),
        "etc/nftables.d/b.nft",
        "table ip nat { chain post { type nat hook postrouting priority 100; masquerade } }\n",
    );
    write(root.path(), "etc/nftables.d/a.nft", "add chain inet filter late\n");
    write(root.path(), "etc/nftables.d/a.txt", "table ip no { chain no { } }\n");
    let lines: Vec<String> = rules(root.path()).iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "nftables /etc/nftables.conf:8 inet filter input input drop -",
            "nftables /etc/nftables.conf:10 inet filter input input - iif \"lo\" accept",
            "nftables /etc/nftables.conf:11 inet filter input input - tcp dport { 22, 80 } accept",
            "nftables /etc/nftables.conf:14 inet filter output output accept -",
            "nftables /etc/nftables.conf:15 inet filter mine - - -",
            "nftables /etc/nftables.conf:15 inet filter mine - - ip saddr @bad drop comment \"a ; b\"",
            "nftables /etc/nftables.conf:17 inet filter input input - tcp dport 443 accept",
            "nftables /etc/nftables.d/a.nft:1 inet filter late - - -",
            "nftables /etc/nftables.d/b.nft:1 ip nat post postrouting accept -",
            "nftables /etc/nftables.d/b.nft:1 ip nat post postrouting - masquerade",
        ]
    );
}

#[test]
fn includes_in_a_circle_end() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/nftables.conf",
        "include \"/etc/nftables.conf\"\ninclude \"/etc/*.conf\"\n",
    );
    let (state, rows) = system::firewall(&DirectoryRoot::open(root.path()).unwrap());
    assert!(matches!(state, TableState::Truncated(_)), "{state}");
    assert!(rows.is_empty());
}

#[test]
fn ufw_tells_its_state_policies_and_rules() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/ufw/ufw.conf", "# x\nENABLED=yes\nLOGLEVEL=low\n");
    write(root.path(), "etc/default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n");
    write(
        root.path(),
        "etc/ufw/user.rules",
        "*filter\n:ufw-user-input - [0:0]\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\nCOMMIT\n",
    );
    let lines: Vec<String> = rules(root.path()).iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "ufw /etc/ufw/ufw.conf:2 - - - - - ENABLED=yes",
            "ufw /etc/default/ufw:2 - filter INPUT input drop -",
            "ufw /etc/ufw/user.rules:2 ip filter ufw-user-input - - -",
            "ufw /etc/ufw/user.rules:4 ip filter ufw-user-input - - -A ufw-user-input -p tcp --dport 22 -j ACCEPT",
        ]
    );
}

#[test]
fn zones_of_etc_hide_those_of_the_package() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/firewalld/firewalld.conf", "# c\nDefaultZone=public\n");
    write(
        root.path(),
        "usr/lib/firewalld/zones/public.xml",
        "<zone><service name=\"ssh\"/></zone>",
    );
    write(root.path(), "usr/lib/firewalld/zones/drop.xml", "<zone target=\"DROP\"></zone>");
    write(root.path(), "etc/firewalld/zones/public.xml", "<zone>\n<service name=\"http\"/></zone>");
    let lines: Vec<String> = rules(root.path()).iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "firewalld /etc/firewalld/firewalld.conf:2 - - public - - DefaultZone=public",
            "firewalld /usr/lib/firewalld/zones/drop.xml:1 - - drop - drop -",
            "firewalld /etc/firewalld/zones/public.xml:1 - - public - reject -",
            "firewalld /etc/firewalld/zones/public.xml:2 - - public - - service name=http",
        ]
    );
}

#[test]
fn hostile_texts_end_soon() {
    let many = |text: &str, times: usize| text.repeat(times);
    for (path, text) in [
        ("etc/nftables.conf", many(" ", 4_000_000)),
        ("etc/nftables.conf", format!("add{}rule{}", many(" ", 2_000_000), many("{", 1_000_000))),
        ("etc/nftables.conf", many("table a {", 400_000)),
        ("etc/nftables.conf", many("flush table x\ntable a { chain b { c } }\n", 100_000)),
        ("etc/iptables/rules.v4", many(":", 4_000_000)),
        ("etc/firewalld/zones/a.xml", many("<zone a='", 400_000)),
        ("etc/firewalld/zones/a.xml", many("<", 4_000_000)),
        ("etc/firewalld/zones/a.xml", format!("<zone><r>{}", many("<a b='c'/>", 400_000))),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), path, &text);
        let (_, rows) = system::firewall(&DirectoryRoot::open(root.path()).unwrap());
        assert!(rows.len() <= 200_000);
    }
}

#[test]
#[ignore = "needs nft (package nftables), and unshare as root"]
fn chains_are_those_that_nft_makes() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/nftables.conf", &RULESET.replace("include", "#"));
    let script = format!("nft -f {}/etc/nftables.conf && nft list ruleset", root.path().display());
    let output = Command::new("unshare").args(["-n", "sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What nft lists goes through the same reader, from another text: the same chains come out.
    let listed = tempfile::tempdir().unwrap();
    write(listed.path(), "etc/nftables.conf", &String::from_utf8(output.stdout).unwrap());
    let chains = |root: &Path| -> Vec<String> {
        let rows = rules(root);
        let mut chains: Vec<String> = rows
            .iter()
            .map(|row| {
                let kind = if row.rule.is_some() { "rule" } else { "chain" };
                format!("{kind} {:?} {:?} {:?} {:?}", row.table, row.chain, row.hook, row.policy)
            })
            .collect();
        chains.sort();
        chains
    };
    assert_eq!(chains(root.path()), chains(listed.path()));
}

#[test]
fn modules_are_found_by_their_files() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("usr/lib")).unwrap();
    symlink("usr/lib", root.path().join("lib")).unwrap();
    let modules = "usr/lib/modules/6.1.0-9";
    write(root.path(), &format!("{modules}/kernel/fs/cramfs/cramfs.ko.xz"), "x");
    write(root.path(), &format!("{modules}/updates/dkms/nf-x.ko"), "x");
    write(
        root.path(),
        &format!("{modules}/modules.builtin"),
        "kernel/fs/ext4/ext4.ko\nkernel/a-b.ko\n",
    );
    write(root.path(), "usr/lib/modules/5.10.0/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
    symlink("/usr/src/linux", root.path().join(modules).join("build")).unwrap();
    let (state, rows) = system::kernel_modules(&DirectoryRoot::open(root.path()).unwrap());
    assert_eq!(state, TableState::Collected);
    let seen: Vec<String> = rows
        .iter()
        .map(|row| {
            format!("{} {:?} {:?} {:?}", row.name, row.loaded, row.available_in, row.builtin_in)
        })
        .collect();
    assert_eq!(
        seen,
        [
            "a_b None [] [\"6.1.0-9\"]",
            "cramfs None [\"6.1.0-9\"] []",
            "ext4 None [] [\"5.10.0\", \"6.1.0-9\"]",
            "nf_x None [\"6.1.0-9\"] []",
        ]
    );
}

#[test]
fn a_root_without_a_kernel_does_not_know_its_modules() {
    let root = tempfile::tempdir().unwrap();
    let (state, rows) = system::kernel_modules(&DirectoryRoot::open(root.path()).unwrap());
    assert!(matches!(state, TableState::Absent(_)), "{state}");
    assert!(rows.is_empty());
}
