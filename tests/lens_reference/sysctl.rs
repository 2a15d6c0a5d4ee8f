//! `config.sysctl` and `sysctl` against `sysctl --system --dry-run`: the value that every parameter
//! of a kernel ends with.

use std::collections::BTreeMap;
use std::fs;

use assay::model::derive::sysctl::Sysctl;
use assay::model::table::KernelParameter;
use assay::model::view::View;

use crate::stage::{Stage, agree, printed};

const DIRECTORIES: [&str; 4] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];
const INTERFACES: [&str; 4] = ["all", "default", "eth0", "eth0.100"];

const CASES: &[(&str, &[(&str, &str)])] = &[
    (
        "one file",
        &[("/etc/sysctl.d/a.conf", "kernel.a = 1\n# kernel.b = 1\n; kernel.c = 1\n\nkernel.d=2")],
    ),
    (
        "by name over all directories",
        &[
            ("/etc/sysctl.d/50-x.conf", "kernel.a = 1\nkernel.b = 1\n"),
            ("/usr/lib/sysctl.d/60-x.conf", "kernel.a = 2\n"),
            ("/run/sysctl.d/40-x.conf", "kernel.b = 2\nkernel.c = 2\n"),
            ("/usr/local/lib/sysctl.d/70-x.conf", "kernel.c = 3\n"),
        ],
    ),
    (
        "one name in several directories",
        &[
            ("/etc/sysctl.d/50-x.conf", "kernel.a = 1\n"),
            ("/run/sysctl.d/50-x.conf", "kernel.a = 2\nkernel.b = 2\n"),
            ("/run/sysctl.d/51-x.conf", "kernel.c = 2\n"),
            ("/usr/local/lib/sysctl.d/51-x.conf", "kernel.c = 3\nkernel.d = 3\n"),
            ("/usr/local/lib/sysctl.d/52-x.conf", "kernel.e = 3\n"),
            ("/usr/lib/sysctl.d/52-x.conf", "kernel.e = 4\n"),
            ("/usr/lib/sysctl.d/50-x.conf", "kernel.f = 4\n"),
        ],
    ),
    (
        "a name that is masked",
        &[
            ("/usr/lib/sysctl.d/50-x.conf", "kernel.a = 1\n"),
            ("/etc/sysctl.d/50-x.conf", "->/dev/null"),
            ("/usr/lib/sysctl.d/51-x.conf", "kernel.b = 1\n"),
            ("/run/sysctl.d/51-x.conf", ""),
        ],
    ),
    ("a link", &[("/etc/target", "kernel.a = 7\n"), ("/etc/sysctl.d/50-x.conf", "->../target")]),
    (
        "sysctl.conf last",
        &[
            ("/etc/sysctl.conf", "kernel.a = 9\n"),
            ("/etc/sysctl.d/99-z.conf", "kernel.a = 1\nkernel.b = 1\n"),
            ("/etc/sysctl.d/zz.conf", "kernel.b = 2\n"),
        ],
    ),
    (
        "other names do not count",
        &[
            ("/etc/sysctl.d/README", "kernel.a = 1\n"),
            ("/etc/sysctl.d/a.conf~", "kernel.a = 1\n"),
            ("/etc/sysctl.d/a.conf.bak", "kernel.a = 1\n"),
            ("/etc/sysctl.d/sub/a.conf", "kernel.a = 1\n"),
            ("/etc/sysctl.d/.hidden.conf", "kernel.b = 1\n"),
        ],
    ),
    (
        "the order of names is that of bytes",
        &[
            ("/etc/sysctl.d/9.conf", "kernel.a = 9\nkernel.b = 9\n"),
            ("/etc/sysctl.d/10.conf", "kernel.a = 10\n"),
            ("/etc/sysctl.d/B.conf", "kernel.b = 1\n"),
            ("/etc/sysctl.d/a.conf", "kernel.b = 2\n"),
        ],
    ),
    (
        "spaces and signs",
        &[(
            "/etc/sysctl.d/a.conf",
            "  kernel.a\t=\t1  \nkernel.b=  2\t 3\nkernel.c = \"4\"\nkernel.d = 5 # x\nkernel.e = 6=7\nkernel.f\nkernel.g\t8\n",
        )],
    ),
    ("the dash", &[("/etc/sysctl.d/a.conf", "-kernel.a = 1\n-kernel.b\nkernel.b = 2\n")]),
    (
        "slashes",
        &[(
            "/etc/sysctl.d/a.conf",
            "kernel/a = 1\nnet/ipv4/conf/eth0.100/rp_filter = 2\nnet.ipv4.conf.eth0/100.log_martians = 3\nnet/ipv4/conf/all/rp_filter=1\n",
        )],
    ),
    (
        "a name in several spellings",
        &[("/etc/sysctl.d/a.conf", "kernel.a = 1\nkernel/a = 2\nkernel.b=1\n-kernel.b=2\n")],
    ),
    ("a glob", &[("/etc/sysctl.d/a.conf", "net.ipv4.conf.*.rp_filter = 2\n")]),
    (
        "a glob before and after its exceptions",
        &[(
            "/etc/sysctl.d/a.conf",
            "net.ipv4.conf.eth0.rp_filter = 1\nnet.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.all.rp_filter = 3\n-net.ipv4.conf.default.rp_filter\n",
        )],
    ),
    (
        "globs over globs",
        &[(
            "/etc/sysctl.d/a.conf",
            "net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.e*.rp_filter = 1\nnet.ipv4.conf.[ad]*.log_martians = 1\nnet.ipv4.*.all.log_martians = 5\n",
        )],
    ),
    (
        "globs of other files",
        &[
            (
                "/usr/lib/sysctl.d/50-default.conf",
                "-net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.default.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n",
            ),
            ("/etc/sysctl.d/10.conf", "net.ipv4.conf.all.rp_filter = 1\n"),
            ("/etc/sysctl.d/90.conf", "net.ipv4.conf.eth0.rp_filter = 0\n"),
        ],
    ),
    (
        "a glob with slashes",
        &[(
            "/etc/sysctl.d/a.conf",
            "net/ipv4/conf/*/rp_filter = 2\nnet/ipv4/conf/eth0.100/rp_filter = 1\n",
        )],
    ),
    (
        "line ends of another system",
        &[("/etc/sysctl.d/a.conf", "kernel.a = 1\r\nkernel.b = 2\r\n")],
    ),
];

/// Cases in which the lens does as the service at boot, and sysctl does not: hidden files, and a line
/// that only excludes a parameter which an earlier line has set.
const ONLY_AT_BOOT: [&str; 2] = ["other names do not count", "globs of other files"];

/// Parameters of the stage: path below /proc/sys and name.
fn parameters() -> Vec<(String, String)> {
    let plain = ["a", "b", "c", "d", "e", "f", "g"];
    let mut list: Vec<_> =
        plain.iter().map(|name| (format!("kernel/{name}"), format!("kernel.{name}"))).collect();
    for interface in INTERFACES {
        for name in ["rp_filter", "log_martians"] {
            let dotted = interface.replace('.', "/");
            list.push((
                format!("net/ipv4/conf/{interface}/{name}"),
                format!("net.ipv4.conf.{dotted}.{name}"),
            ));
        }
    }
    list
}

fn folded(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Compares every parameter of every case with what the program says or does.
fn compare(program: &str, skipped: &[&str], ask: impl Fn(&Stage) -> BTreeMap<String, String>) {
    let stage = Stage::with(&[program]);
    let parameters = parameters();
    let mut wrong = Vec::new();
    for (name, files) in CASES.iter().filter(|(name, _)| !skipped.contains(name)) {
        for (path, _) in &parameters {
            stage.write(&format!("/proc/sys/{path}"), "");
        }
        let _ = fs::remove_file(stage.path("/etc/sysctl.conf"));
        stage.replace(&DIRECTORIES, files);
        let theirs = ask(&stage);
        let running = |(_, key): &(String, String)| KernelParameter {
            key: key.as_str().into(),
            value: "0".into(),
        };
        let facts = stage.facts().with(parameters.iter().map(running));
        let (_, rows) = View::new(&facts).typed::<Sysctl>().unwrap();
        for (_, key) in &parameters {
            let row = rows.iter().find(|row| &*row.key == key).unwrap();
            let (ours, theirs) = (row.configured.as_deref(), theirs.get(key).map(String::as_str));
            if ours != theirs {
                wrong.push(format!("{name}: {key}: {program} {theirs:?}, the lens {ours:?}"));
            }
        }
    }
    agree(&wrong);
}

#[test]
#[ignore = "needs sysctl (package procps) of version 4, and chroot as root"]
fn sysctl_says_what_the_lens_says() {
    compare("/usr/sbin/sysctl", &ONLY_AT_BOOT, |stage| {
        let output = stage.run(&["/usr/sbin/sysctl", "--system", "--dry-run"]);
        let text = printed(&output).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('*'));
        lines
            .filter_map(|line| line.split_once(" = "))
            .map(|(key, value)| (key.to_owned(), folded(value)))
            .collect()
    });
}

/// The service reads the main file where a link in sysctl.d leads to it, and by the name of that
/// link; the lens reads it last, as sysctl does.
const NOT_AT_BOOT: [&str; 1] = ["sysctl.conf last"];

#[test]
#[ignore = "needs systemd-sysctl (package systemd), and chroot as root"]
fn the_service_at_boot_sets_what_the_lens_says() {
    const PROGRAM: &str = "/usr/lib/systemd/systemd-sysctl";
    compare(PROGRAM, &NOT_AT_BOOT, |stage| {
        // It fails where a parameter cannot be set, and sets the others.
        let _ = stage.run(&[PROGRAM]);
        parameters()
            .into_iter()
            .map(|(path, key)| {
                (key, fs::read_to_string(stage.path(format!("/proc/sys/{path}"))).unwrap())
            })
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key, folded(&value)))
            .collect()
    });
}
