//! `config.login_defs` against useradd, which writes the ages of passwords that it reads there into
//! the shadow file, and the owner's home with the umask.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use assay::model::lens::login_defs::LoginDef;

use crate::stage::{Stage, agree, printed};

const CASES: &[(&str, &str)] = &[
    ("plain", "PASS_MAX_DAYS 90\nPASS_MIN_DAYS\t7\nPASS_WARN_AGE   14\nUMASK 027\n"),
    ("twice", "PASS_MAX_DAYS 90\nPASS_MAX_DAYS 60\nUMASK 022\nUMASK 077\n"),
    (
        "comments",
        "# PASS_MAX_DAYS 1\n#PASS_MIN_DAYS 1\n  # PASS_WARN_AGE 1\nPASS_WARN_AGE 9 # nine\n",
    ),
    ("quotes", "PASS_MAX_DAYS \"90\"\nUMASK \"077\"\n"),
    ("signs between", "PASS_MAX_DAYS=90\nPASS_MIN_DAYS = 7\nUMASK=077\n"),
    ("case counts", "pass_max_days 90\nPass_Min_Days 7\numask 077\n"),
    ("leading spaces", "  PASS_MAX_DAYS 90\n\tPASS_MIN_DAYS 7\n"),
    ("other bases", "PASS_MAX_DAYS 0x10\nPASS_MIN_DAYS 010\nUMASK 77\n"),
    ("negative and empty", "PASS_MAX_DAYS -1\nPASS_MIN_DAYS\nPASS_WARN_AGE 7\n"),
    ("words that are no numbers", "PASS_MAX_DAYS many\nPASS_MIN_DAYS 7d\nPASS_WARN_AGE 3\n"),
    ("no line end", "UMASK 027\nPASS_MAX_DAYS 30"),
    ("line ends of another system", "PASS_MAX_DAYS 30\r\nPASS_MIN_DAYS 3\r\n"),
];

#[test]
#[ignore = "needs useradd (package passwd), and chroot as root"]
fn useradd_reads_what_the_lens_reads() {
    let stage = Stage::with(&["/usr/sbin/useradd"]);
    let mut wrong = Vec::new();
    for (name, text) in CASES {
        for (path, text) in [
            ("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
            ("/etc/shadow", "root:*:1::::::\n"),
            ("/etc/group", "root:x:0:\n"),
            ("/etc/gshadow", "root:*::\n"),
            ("/etc/login.defs", text),
        ] {
            stage.write(path, text);
        }
        stage.replace(&["/home"], &[]);
        let output = stage.run(&["/usr/sbin/useradd", "-m", "-U", "bob"]);
        if let Err(problem) = printed(&output) {
            wrong.push(format!("{name}: useradd refuses it: {problem}"));
            continue;
        }
        let shadow = fs::read_to_string(stage.path("/etc/shadow")).unwrap();
        let fields: Vec<&str> = shadow.lines().last().unwrap().split(':').collect();
        let mode = fs::metadata(stage.path("/home/bob")).unwrap().permissions().mode() & 0o777;
        let rows = stage.rows::<LoginDef>();
        let ours = |key: &str| {
            let row = rows.iter().find(|row| row.effective && &*row.key == key)?;
            row.int_value.filter(|number| *number >= 0)
        };
        for (key, field) in [("PASS_MIN_DAYS", 3), ("PASS_MAX_DAYS", 4), ("PASS_WARN_AGE", 5)] {
            let theirs: Option<i64> = fields[field].parse().ok();
            if ours(key) != theirs {
                wrong.push(format!("{name}: {key}: useradd {theirs:?}, the lens {:?}", ours(key)));
            }
        }
        let umask = ours("UMASK").unwrap_or(0o22);
        if i64::from(mode) != 0o777 & !umask {
            wrong.push(format!(
                "{name}: UMASK: useradd made a home {mode:o}, the lens says {umask:o}"
            ));
        }
    }
    agree(&wrong);
}
