//! `config.pam` against libpam: a program runs the stacks of a service, whose modules write down
//! that they were called, and how.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use assay::model::lens::pam::Pam;

use crate::stage::{Stage, agree, printed};

/// A module that writes its name and arguments into a file and has no opinion.
const MODULE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>
static int called(const char *type, int count, const char **arguments) {
    Dl_info here;
    FILE *log = fopen("/log", "a");
    dladdr((void *)called, &here);
    fprintf(log, "%s %s", type, strrchr(here.dli_fname, '/') + 1);
    for (int at = 0; at < count; at++) fprintf(log, "|%s", arguments[at]);
    fputc('\n', log);
    fclose(log);
    return PAM_IGNORE;
}
#define ENTRY(name, type, when) \
    int name(pam_handle_t *handle, int flags, int count, const char **arguments) { \
        (void)handle; (void)flags; \
        return (when) ? called(type, count, arguments) : PAM_IGNORE; \
    }
ENTRY(pam_sm_authenticate, "auth", 1)
ENTRY(pam_sm_setcred, "auth", 0)
ENTRY(pam_sm_acct_mgmt, "account", 1)
ENTRY(pam_sm_open_session, "session", 1)
ENTRY(pam_sm_close_session, "session", 0)
ENTRY(pam_sm_chauthtok, "password", flags & PAM_PRELIM_CHECK)
"#;

/// A program that runs all stacks of the service.
const PROGRAM: &str = r#"
#include <security/pam_appl.h>
static int talk(int count, const struct pam_message **asked, struct pam_response **answer, void *data) {
    (void)count; (void)asked; (void)answer; (void)data;
    return PAM_CONV_ERR;
}
int main(int count, char **arguments) {
    struct pam_conv conversation = { talk, 0 };
    pam_handle_t *handle;
    if (count != 2 || pam_start(arguments[1], "bob", &conversation, &handle) != PAM_SUCCESS) return 1;
    pam_authenticate(handle, 0);
    pam_acct_mgmt(handle, 0);
    pam_open_session(handle, 0);
    pam_chauthtok(handle, 0);
    pam_end(handle, 0);
    return 0;
}
"#;

const MODULES: [&str; 5] = ["pam_a.so", "pam_b.so", "pam_c.so", "pam_d.so", "pam_other.so"];
const DIRECTORIES: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// What counts for a type that the service says nothing about.
const OTHER: (&str, &str) = (
    "/etc/pam.d/other",
    "auth required pam_other.so\naccount required pam_other.so\npassword required pam_other.so\nsession required pam_other.so\n",
);

/// The files of a case; the stacks of `s` are run.
const CASES: &[(&str, &[(&str, &str)])] = &[
    (
        "plain",
        &[(
            "/etc/pam.d/s",
            "auth required pam_a.so x y=1\naccount optional pam_b.so\nsession requisite pam_c.so\npassword sufficient pam_d.so\nauth required pam_b.so\n",
        )],
    ),
    (
        "comments, blanks and white space",
        &[(
            "/etc/pam.d/s",
            "# auth required pam_a.so\n\n  auth\trequired \t pam_b.so   x\t y  # z\n#\n   \nauth required pam_c.so a#b\n",
        )],
    ),
    (
        "in any case",
        &[(
            "/etc/pam.d/s",
            "AUTH Required pam_a.so\nAccount OPTIONAL pam_b.so\n-Session optional pam_c.so\n",
        )],
    ),
    (
        "a module that may be missing",
        &[("/etc/pam.d/s", "-auth optional pam_a.so x\n-auth\toptional\tpam_b.so\n")],
    ),
    (
        "controls in brackets",
        &[(
            "/etc/pam.d/s",
            "auth [success=1 default=ignore] pam_a.so\nauth [ default=bad   success=ok ignore=ignore ] pam_b.so x\nauth [success=done ignore=ignore] pam_c.so\n",
        )],
    ),
    (
        "arguments in brackets",
        &[(
            "/etc/pam.d/s",
            "auth required pam_a.so [x y] z\nauth required pam_b.so a=[b c] [d=e f]\nauth required pam_c.so [a \\] b] c\n",
        )],
    ),
    (
        "lines that go on",
        &[(
            "/etc/pam.d/s",
            "auth required \\\n  pam_a.so \\\n x\nauth \\\nrequired pam_b.so\\\n y\n",
        )],
    ),
    (
        "comments in lines that go on",
        &[(
            "/etc/pam.d/s",
            "auth required pam_a.so # x \\\nauth required pam_b.so\nauth required \\\n# between\npam_c.so x\nauth required pam_d.so\n",
        )],
    ),
    ("a path", &[("/etc/pam.d/s", "auth required /usr/lib/pam/pam_a.so x\n")]),
    (
        "included files",
        &[
            (
                "/etc/pam.d/s",
                "auth required pam_a.so 1\n@include common\naccount required pam_b.so 2\n@include nested\n",
            ),
            ("/etc/pam.d/common", "auth required pam_c.so\nsession required pam_d.so\n"),
            ("/etc/pam.d/nested", "@include common\nauth required pam_a.so 3\n"),
        ],
    ),
    (
        "included stacks",
        &[
            (
                "/etc/pam.d/s",
                "auth include common\naccount substack common\nsession required pam_a.so\nsession INCLUDE nested\npassword substack nested\n",
            ),
            (
                "/etc/pam.d/common",
                "auth required pam_a.so\naccount required pam_b.so\nsession required pam_c.so\nauth required pam_d.so\n",
            ),
            (
                "/etc/pam.d/nested",
                "session include common\nsession required pam_d.so\npassword required pam_d.so x\n@include common\n",
            ),
        ],
    ),
    (
        "included by path",
        &[
            ("/etc/pam.d/s", "@include /etc/pam.d/common\naccount include /etc/pam.d/common\n"),
            ("/etc/pam.d/common", "auth required pam_a.so\naccount required pam_b.so\n"),
        ],
    ),
    (
        "included from elsewhere",
        &[
            ("/etc/pam.d/s", "auth required pam_a.so\n@include /etc/elsewhere/common\n"),
            ("/etc/elsewhere/common", "auth required pam_b.so\n"),
            ("/etc/pam.d/common", "auth required pam_c.so\n"),
        ],
    ),
    ("the vendor's file", &[("/usr/lib/pam.d/s", "auth required pam_a.so\n")]),
    (
        "a file before the vendor's",
        &[
            ("/etc/pam.d/s", "auth required pam_a.so\n"),
            ("/usr/lib/pam.d/s", "auth required pam_b.so\naccount required pam_b.so\n"),
        ],
    ),
    ("a link", &[("/etc/pam.d/real", "auth required pam_a.so\n"), ("/etc/pam.d/s", "->real")]),
    ("no line end", &[("/etc/pam.d/s", "auth required pam_a.so\nauth required pam_b.so x")]),
];

/// Compiles both, and puts them where libpam looks.
fn stage(work: &Path) -> (Stage, String) {
    let compile = |name: &str, text: &str, options: &[&str]| {
        let (source, made) = (work.join(format!("{name}.c")), work.join(name));
        fs::write(&source, text).unwrap();
        let mut command = Command::new("cc");
        command.arg("-o").arg(&made).arg(&source).args(options);
        printed(&command.output().unwrap()).unwrap();
        made.to_str().unwrap().to_owned()
    };
    let module = compile("module.so", MODULE, &["-shared", "-fPIC"]);
    let program = compile("program", PROGRAM, &["-lpam"]);
    let stage = Stage::with(&[&program, &module]);
    stage.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n");
    let loaded = printed(&Command::new("ldd").arg(&program).output().unwrap()).unwrap();
    let libpam = loaded.split_whitespace().find(|word| word.ends_with("/libpam.so.0")).unwrap();
    let libraries = Path::new(libpam).parent().unwrap().join("security");
    for directory in [libraries.to_str().unwrap(), "/usr/lib/pam"] {
        fs::create_dir_all(stage.path(directory)).unwrap();
        for name in MODULES {
            fs::copy(&module, stage.path(directory).join(name)).unwrap();
        }
    }
    (stage, program)
}

#[test]
#[ignore = "needs libpam0g-dev and a C compiler, and chroot as root"]
fn libpam_runs_the_stacks_that_the_lens_reads() {
    let work = tempfile::tempdir().unwrap();
    let (stage, program) = stage(work.path());
    let mut wrong = Vec::new();
    for (name, files) in CASES {
        stage.replace(&DIRECTORIES, &[OTHER]);
        stage.replace(&[], files);
        let _ = fs::remove_file(stage.path("/log"));
        let run = stage.run(&[&program, "s"]);
        if !run.status.success() {
            wrong.push(format!("{name}: libpam refuses it: {:?}", run.status));
            continue;
        }
        let mut theirs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let log = fs::read_to_string(stage.path("/log")).unwrap_or_default();
        for line in log.lines().filter(|line| !line.contains(" pam_other.so")) {
            let (kind, call) = line.split_once(' ').unwrap();
            theirs.entry(kind.to_owned()).or_default().push(call.to_owned());
        }
        let mut ours: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in stage.rows::<Pam>().iter().filter(|row| &*row.service == "s") {
            let call =
                row.args.iter().fold(row.module.to_string(), |call, arg| format!("{call}|{arg}"));
            ours.entry(row.r#type.to_string()).or_default().push(call);
        }
        if ours != theirs {
            wrong.push(format!("{name}: libpam\n  {theirs:?}\nthe lens\n  {ours:?}"));
        }
    }
    agree(&wrong);
}
