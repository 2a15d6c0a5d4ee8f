//! `config.chrony` against `chronyd -p`, which prints what it has read.

use assay::model::lens::chrony::Chrony;

use crate::stage::{Stage, agree, printed};

const CASES: &[(&str, &[(&str, &str)])] = &[
    (
        "directives",
        &[(
            "chrony.conf",
            "server ntp.example iburst\npool p.example maxsources 4\nmakestep 1 3\nuser _chrony\n",
        )],
    ),
    (
        "comments",
        &[(
            "chrony.conf",
            "# server a\n! server b\n; server c\n% server d\n  # server e\n\nserver f\n",
        )],
    ),
    ("case and spaces", &[("chrony.conf", "  SERVER\ta   iburst  \nPooL b\nUser root\n")]),
    (
        "a directory",
        &[
            ("chrony.conf", "confdir /etc/chrony/conf.d\nserver z\n"),
            ("conf.d/b.conf", "server b\n"),
            ("conf.d/a.conf", "server a\n"),
            ("conf.d/c.txt", "server c\n"),
            ("conf.d/.d.conf", "server d\n"),
            ("conf.d/e.conf~", "server e\n"),
        ],
    ),
    (
        "several directories",
        &[
            ("chrony.conf", "confdir /etc/chrony/one /etc/chrony/two\n"),
            ("one/b.conf", "server b\n"),
            ("two/a.conf", "server a\n"),
            ("two/b.conf", "server hidden\n"),
        ],
    ),
    (
        "includes",
        &[
            ("chrony.conf", "include /etc/chrony/inc/*.conf\nserver z\n"),
            ("inc/b.conf", "server b\ninclude /etc/chrony/inc/c.inc\n"),
            ("inc/a.conf", "server a\n"),
            ("inc/c.inc", "server c\n"),
            ("inc/.h.conf", "server h\n"),
        ],
    ),
    ("no line end, and line ends of another system", &[("chrony.conf", "server a\r\nserver b")]),
];

#[test]
#[ignore = "needs chronyd (package chrony), and chroot as root"]
fn chronyd_reads_what_the_lens_reads() {
    let stage = Stage::with(&["/usr/sbin/chronyd"]);
    stage.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n_chrony:x:101:101::/:/bin/false\n");
    let mut wrong = Vec::new();
    for (name, files) in CASES {
        stage.replace(&["/etc/chrony"], &[]);
        for (path, text) in *files {
            stage.write(&format!("/etc/chrony/{path}"), text);
        }
        let output = stage.run(&["/usr/sbin/chronyd", "-p", "-f", "/etc/chrony/chrony.conf"]);
        let theirs: Vec<String> = match printed(&output) {
            Ok(text) => text.lines().map(plain).collect(),
            Err(problem) => {
                wrong.push(format!("{name}: chronyd refuses it: {problem}"));
                continue;
            }
        };
        let ours: Vec<String> = stage
            .rows::<Chrony>()
            .iter()
            .map(|row| plain(&format!("{} {}", row.directive, row.value)))
            .filter(|line| !line.starts_with("include ") && !line.starts_with("confdir "))
            .collect();
        let theirs: Vec<String> = theirs
            .into_iter()
            .filter(|line| !line.starts_with("include ") && !line.starts_with("confdir "))
            .collect();
        if ours != theirs {
            wrong.push(format!("{name}: chronyd {theirs:?}, the lens {ours:?}"));
        }
    }
    agree(&wrong);
}

/// A line with one space between its words, its directive in lower case.
fn plain(line: &str) -> String {
    let mut words = line.split_whitespace();
    let directive = words.next().unwrap_or_default().to_lowercase();
    words.fold(directive, |line, word| format!("{line} {word}"))
}
