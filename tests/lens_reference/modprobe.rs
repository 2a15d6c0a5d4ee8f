//! `config.modprobe` against `modprobe --showconfig`.

use std::collections::BTreeMap;

use assay::model::lens::modprobe::Modprobe;

use crate::stage::{Stage, agree, printed};

const DIRECTORIES: [&str; 4] =
    ["/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d"];

const CASES: &[(&str, &[(&str, &str)])] = &[
    (
        "commands",
        &[(
            "/etc/modprobe.d/a.conf",
            "blacklist a\ninstall b /bin/false\nremove c /bin/true x\nalias d e\noptions f x=1 y=2\nsoftdep g pre: h\n",
        )],
    ),
    (
        "names are folded",
        &[(
            "/etc/modprobe.d/a.conf",
            "blacklist usb-storage\ninstall a-b_c-d /bin/true\nalias x-[a-c]-y m-n\n",
        )],
    ),
    (
        "comments and blanks",
        &[(
            "/etc/modprobe.d/a.conf",
            "# blacklist a\n\n  # blacklist b\n   blacklist c\n\tinstall\td\t/bin/true\n",
        )],
    ),
    (
        "what stands behind",
        &[(
            "/etc/modprobe.d/a.conf",
            "blacklist a # why\nblacklist b c\ninstall d /bin/true # why\n",
        )],
    ),
    (
        "lines that go on",
        &[(
            "/etc/modprobe.d/a.conf",
            "install a \\\n/bin/false\nblack\\\nlist b\n# comment \\\nblacklist c\nblacklist d\\\n",
        )],
    ),
    (
        "case counts",
        &[("/etc/modprobe.d/a.conf", "Blacklist a\nINSTALL b /bin/true\nblacklist C\n")],
    ),
    (
        "lines that say too little",
        &[(
            "/etc/modprobe.d/a.conf",
            "blacklist\ninstall a\ninstall\nremove b\nalias c\noptions d\nsoftdep e\n",
        )],
    ),
    (
        "names of files",
        &[
            ("/etc/modprobe.d/a.txt", "blacklist a\n"),
            ("/etc/modprobe.d/b.conf~", "blacklist b\n"),
            ("/etc/modprobe.d/c", "blacklist c\n"),
            ("/etc/modprobe.d/.d.conf", "blacklist d\n"),
            ("/etc/modprobe.d/e/f.conf", "blacklist e\n"),
            ("/etc/modprobe.d/g.alias", "blacklist g\n"),
        ],
    ),
    (
        "directories",
        &[
            ("/etc/modprobe.d/x.conf", "blacklist a\n"),
            ("/run/modprobe.d/x.conf", "blacklist b\n"),
            ("/run/modprobe.d/y.conf", "blacklist c\n"),
            ("/usr/local/lib/modprobe.d/y.conf", "blacklist d\n"),
            ("/usr/lib/modprobe.d/y.conf", "blacklist e\n"),
            ("/usr/lib/modprobe.d/z.conf", "blacklist f\n"),
            ("/usr/local/lib/modprobe.d/v.conf", "blacklist g\n"),
        ],
    ),
    (
        "a name that is masked",
        &[
            ("/usr/lib/modprobe.d/x.conf", "blacklist a\n"),
            ("/etc/modprobe.d/x.conf", "->/dev/null"),
        ],
    ),
    (
        "one module in several files",
        &[
            ("/etc/modprobe.d/a.conf", "install m /bin/false\n"),
            ("/etc/modprobe.d/b.conf", "install m /sbin/modprobe --ignore-install m\n"),
        ],
    ),
    (
        "one module twice in a file",
        &[(
            "/etc/modprobe.d/a.conf",
            "install m /bin/true\ninstall m /bin/false\nblacklist m\nblacklist m\n",
        )],
    ),
    ("spaces in commands", &[("/etc/modprobe.d/a.conf", "install m   /bin/sh   -c  'x  y'\n")]),
    ("no line end", &[("/etc/modprobe.d/a.conf", "blacklist a\nblacklist b")]),
    (
        "line ends of another system",
        &[("/etc/modprobe.d/a.conf", "blacklist a\r\ninstall b /bin/false\r\n")],
    ),
];

/// Lines by what they speak of, each list in the order in which the last or first may count.
fn by_subject(lines: impl Iterator<Item = String>) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let subject = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
        let list = out.entry(subject).or_default();
        // Blacklisting twice is no more than once.
        if words.first() != Some(&"blacklist") || list.is_empty() {
            list.push(words.join(" "));
        }
    }
    out
}

#[test]
#[ignore = "needs modprobe (package kmod), and chroot as root"]
fn modprobe_reads_what_the_lens_reads() {
    let stage = Stage::with(&["/usr/sbin/modprobe"]);
    let mut wrong = Vec::new();
    for (name, files) in CASES {
        stage.replace(&DIRECTORIES, files);
        let said = printed(&stage.run(&["/usr/sbin/modprobe", "--showconfig"])).unwrap();
        let said = said.lines().take_while(|line| !line.starts_with('#'));
        let theirs = by_subject(said.filter(|line| !line.is_empty()).map(str::to_owned));
        let ours = by_subject(stage.rows::<Modprobe>().into_iter().map(|row| {
            let argument = row.argument.as_deref().unwrap_or_default();
            format!("{} {} {argument}", row.command, row.module)
        }));
        if ours != theirs {
            wrong.push(format!("{name}: modprobe\n  {theirs:?}\nthe lens\n  {ours:?}"));
        }
    }
    agree(&wrong);
}
