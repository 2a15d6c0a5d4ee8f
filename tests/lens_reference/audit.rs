//! `config.audit_rules` against augenrules, which joins the files of rules.d, and against the kernel
//! as `auditctl -l` tells of it: a rule and what the kernel makes of it must be one.

use std::fs;
use std::process::Command;

use assay::model::lens::audit_rules::AuditRule;

use crate::stage::{Stage, agree, printed};

/// Everything that a rule says, without where it stands.
fn said(row: &AuditRule) -> String {
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {} {:?} {} {} {} {}",
        row.kind,
        row.option,
        row.value,
        row.list,
        row.action,
        row.arch,
        row.syscalls.join(","),
        row.target.as_ref().map(|target| &target.0),
        row.perms.join(""),
        row.fields.join(" "),
        row.comparisons.join(" "),
        row.keys.join(","),
    )
}

const JOINED: &[(&str, &[(&str, &str)])] = &[
    (
        "the order of names",
        &[
            ("10-b.rules", "-w /b -p wa -k b\n"),
            ("9-a.rules", "-w /a -p wa -k a\n"),
            ("B.rules", "-w /c -p wa\n"),
            ("a.rules", "-w /d -p wa\n"),
            ("10-a1.rules", "-w /e -p r\n"),
            ("10-a10.rules", "-w /f -p r\n"),
            ("10-a9.rules", "-w /g -p r\n"),
            ("010-a.rules", "-w /h -p r\n"),
        ],
    ),
    (
        "other names do not count",
        &[
            ("a.rules~", "-w /a -p wa\n"),
            ("b", "-w /b -p wa\n"),
            (".c.rules", "-w /c -p wa\n"),
            ("d.rules", "-w /d -p wa\n"),
        ],
    ),
    (
        "comments and blanks",
        &[("a.rules", "## x\n\n# -w /a -p wa\n   # -w /b -p wa\n  -w /c -p wa\n")],
    ),
    (
        "controls are put first and last",
        &[
            ("a.rules", "-e 2\n-w /a -p wa\n-b 100\n-f 1\n-D\n--backlog_wait_time 60000\n"),
            ("b.rules", "-w /b -p wa\n-b 200\n-f 2\n-r 10\n"),
            ("c.rules", "-e 1\n"),
        ],
    ),
    (
        "no line end before another file",
        &[("a.rules", "-w /a -p wa -k a"), ("b.rules", "-w /b -p wa -k b\n")],
    ),
    (
        "a comment without line end",
        &[("a.rules", "-w /a -p wa -k a\n# end"), ("b.rules", "-w /b -p wa -k b\n-w /c -p wa\n")],
    ),
    (
        "a lock without line end",
        &[("a.rules", "-w /a -p wa -k a\n-e 2"), ("b.rules", "-w /b -p wa -k b\n-w /c -p wa\n")],
    ),
    (
        "an empty file between",
        &[("a.rules", "-w /a -p wa -k a"), ("b.rules", ""), ("c.rules", "-w /c -p wa\n")],
    ),
    (
        "a delete with a key stays where it is",
        &[("a.rules", "-w /a -p wa -k a\n-D -k a\n-w /b -p wa\n")],
    ),
];

#[test]
#[ignore = "needs augenrules (package auditd), and chroot as root"]
fn augenrules_joins_files_as_the_lens_does() {
    let tools = [
        "/bin/sh",
        "/bin/ls",
        "/bin/grep",
        "/bin/cat",
        "/bin/rm",
        "/bin/cp",
        "/bin/chmod",
        "/usr/bin/mktemp",
        "/usr/bin/cmp",
        "/usr/bin/mawk",
        "/usr/sbin/augenrules",
    ];
    let stage = Stage::with(&tools);
    std::os::unix::fs::symlink("mawk", stage.path("/usr/bin/awk")).unwrap();
    let mut wrong = Vec::new();
    for (name, files) in JOINED {
        stage.replace(&["/etc/audit"], &[]);
        for (file, text) in *files {
            stage.write(&format!("/etc/audit/rules.d/{file}"), text);
        }
        let effective = |stage: &Stage| -> Vec<String> {
            let rows = stage.rows::<AuditRule>();
            rows.iter().filter(|row| row.effective).map(said).collect()
        };
        let ours = effective(&stage);
        printed(&stage.run(&["/usr/sbin/augenrules"])).unwrap();
        // What it wrote, read as the one file that it is.
        fs::remove_dir_all(stage.path("/etc/audit/rules.d")).unwrap();
        let theirs = effective(&stage);
        if ours != theirs {
            wrong.push(format!(
                "{name}: augenrules\n  {}\nthe lens\n  {}",
                theirs.join("\n  "),
                ours.join("\n  ")
            ));
        }
    }
    agree(&wrong);
}

/// Rules that mean the same as what the kernel lists for them.
const RULES: &[&str] = &[
    "-w /etc/passwd -p wa -k identity",
    "-w /etc/passwd",
    "-w /etc -p rwxa",
    "-a always,exit -F path=/etc/passwd -F perm=wa -F key=identity",
    "-a exit,always -F dir=/etc -F perm=wa -k x",
    "-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time",
    "-a always,exit -F arch=b64 -S settimeofday -S adjtimex -k time",
    "-a always,exit -F arch=b32 -S clock_settime -F a0=0x0 -k time",
    "-a always,exit -F arch=x86_64 -S open -F exit=-EACCES -F auid>=1000 -F auid!=-1 -k access",
    "-a always,exit -F arch=b64 -S open -F exit=-13 -F auid>=1000 -F auid!=4294967295 -k access",
    "-a always,exit -F arch=b64 -S chmod -F auid>=1000 -F auid!=unset -F key=perm",
    "-a never,exit -F arch=b64 -S all -F uid=root",
    "-a always,exit -S execve -C uid!=euid -F euid=0 -k esc",
    "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k esc",
    "-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset -k priv",
    "-a always,exclude -F msgtype=CWD",
    "-a never,task",
    "-a always,user -F uid=0",
    "-A always,exit -F arch=b64 -S mount -F success=1",
    "-a always,exit -F arch=b64 -S kill -F a1=9 -k k -k l",
    "-a always,exit -F arch=b64 -S unlink,unlinkat,rename,renameat -F auid>=1000 -F auid!=unset",
    "-a always,exit -F arch=b64 -S init_module,delete_module,finit_module -F gid<=100 -F pid>1 -F exit>0",
    "-a always,exit -F dir=/etc/sudoers.d/ -F perm=wa -k slash",
    "-w /etc/sudoers.d/ -p wa -k slash",
    "-a always,exit -F arch=b64 -F path=/etc/shadow -F perm=wa -k both",
    "-a always,exit -F arch=b64 -S open -F exe=/usr/bin/x -F ppid!=1",
    "-a always,exit -F arch=b64 -S open -F uid!=0 -F sessionid!=unset -F subj_user=x",
    "-a always,exit -F arch=b64 -S chown,fchown,lchown,fchownat -F inode=5 -F devmajor=3",
];

#[test]
#[ignore = "needs auditctl (package auditd) and root, and changes the audit rules of this machine for a moment"]
fn the_kernel_takes_a_rule_as_the_lens_does() {
    let auditctl =
        |arguments: &[&str]| printed(&Command::new("auditctl").args(arguments).output().unwrap());
    let there = auditctl(&["-l"]);
    if there.as_deref().map(str::trim) != Ok("No rules") {
        eprintln!("the kernel has no audit, or rules of its own: {there:?}");
        return;
    }
    let stage = Stage::with(&[]);
    let mut wrong = Vec::new();
    for rule in RULES {
        let one = |text: &str| -> Vec<String> {
            stage.write("/etc/audit/audit.rules", &format!("{text}\n"));
            stage.rows::<AuditRule>().iter().map(said).collect()
        };
        let file = stage.path("/rule");
        fs::write(&file, format!("{rule}\n")).unwrap();
        let loaded = auditctl(&["-R", file.to_str().unwrap()]);
        let listed = auditctl(&["-l"]).unwrap_or_default();
        auditctl(&["-D"]).unwrap();
        if let Err(problem) = loaded {
            wrong.push(format!("{rule}: auditctl refuses it: {problem}"));
            continue;
        }
        let (ours, theirs) = (one(rule), one(&listed));
        if ours != theirs {
            wrong
                .push(format!("{rule}: the kernel has {listed}  {theirs:?}\nthe lens\n  {ours:?}"));
        }
    }
    agree(&wrong);
}
