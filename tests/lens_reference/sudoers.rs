//! `config.sudo_rules` and `config.sudo_defaults` against `cvtsudoers -f json`.

use std::collections::BTreeMap;

use assay::model::lens::sudo::defaults::SudoDefault;
use assay::model::lens::sudo::rules::SudoRule;
use serde_json::Value;

use crate::stage::{Stage, agree, printed};

const CASES: &[(&str, &[(&str, &str)])] = &[
    (
        "usual rules",
        &[(
            "sudoers",
            "root ALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL) NOPASSWD: ALL\nbob h1,h2 = /bin/ls -l, !/bin/rm\n",
        )],
    ),
    (
        "kinds of users",
        &[(
            "sudoers",
            "#1000, %#100, +net, %g, !%h, \"us er\", u\\,v ALL = /bin/a\n%:domain\\ users ALL = /bin/b\n\"%x y\" ALL=/bin/c\n",
        )],
    ),
    (
        "kinds of hosts",
        &[(
            "sudoers",
            "u h, !i, 10.0.0.1, 10.0.0.0/255.0.0.0, 10.0.0.0/8, fe80::1, +net = /bin/a\n",
        )],
    ),
    (
        "several hosts with commands of their own",
        &[("sudoers", "u h = /bin/a : i = NOPASSWD: /bin/b, /bin/c : ALL = ALL\n")],
    ),
    (
        "as whom",
        &[(
            "sudoers",
            "u ALL=(r) /bin/a, /bin/b, (s,%t : g, h) /bin/c, (:g) /bin/d, (#5) /bin/e, (!x, ALL) /bin/f\n",
        )],
    ),
    (
        "tags go on",
        &[(
            "sudoers",
            "u ALL=NOPASSWD: /bin/a, /bin/b, PASSWD: /bin/c, NOEXEC: /bin/d, EXEC: NOPASSWD: /bin/e, /bin/f\n",
        )],
    ),
    (
        "every tag",
        &[(
            "sudoers",
            "u ALL=SETENV: /bin/a, NOSETENV: /bin/b, LOG_INPUT: LOG_OUTPUT: /bin/c, NOLOG_INPUT:NOLOG_OUTPUT: /bin/d, MAIL: /bin/e, NOMAIL: FOLLOW: /bin/f, NOFOLLOW: INTERCEPT: /bin/g, NOINTERCEPT: /bin/h\n",
        )],
    ),
    (
        "options",
        &[(
            "sudoers",
            "u ALL=TIMEOUT=5m /bin/a, TIMEOUT=7 NOPASSWD: /bin/b\nv ALL = (r) NOTBEFORE=20300101000000Z /bin/c\n",
        )],
    ),
    (
        "commands",
        &[(
            "sudoers",
            "u ALL = sudoedit /etc/a /etc/b, /bin/, /bin/[a-z]*, /bin/x \"\", /bin/y a\\,b \\:c, list, sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls\n",
        )],
    ),
    (
        "lines that go on",
        &[(
            "sudoers",
            "u ALL = \\\n  /bin/a, \\\n\t/bin/b\nv \\\nALL=ALL\n# comment \\\nw ALL=ALL\n",
        )],
    ),
    (
        "comments",
        &[("sudoers", "# u ALL=ALL\nu ALL=ALL # v ALL=ALL\n#includex\n  # x\nw ALL=/bin/a # 1\n")],
    ),
    (
        "user aliases",
        &[(
            "sudoers",
            "User_Alias A = a, !b, %g : B = c, A\nB ALL=ALL\n!A, d ALL=/bin/x\nA, B ALL=/bin/y\n",
        )],
    ),
    ("aliases that come later", &[("sudoers", "A ALL=ALL\nUser_Alias A = x\n")]),
    (
        "other aliases",
        &[(
            "sudoers",
            "Host_Alias H = h, 10.0.0.0/8\nRunas_Alias R = r, s\nCmnd_Alias C = /bin/a, /bin/b x, !/bin/c\nu H = (R) C, !C\n",
        )],
    ),
    (
        "included files in place",
        &[
            (
                "sudoers",
                "u ALL=/bin/1\n@include /etc/sudoers.more\n#includedir /etc/sudoers.d\nu ALL=/bin/9\n",
            ),
            ("sudoers.more", "u ALL=/bin/2\n@include sudoers.third\n"),
            ("sudoers.third", "u ALL=/bin/3\n"),
            ("sudoers.d/b", "u ALL=/bin/5\n"),
            ("sudoers.d/a", "u ALL=/bin/4\n"),
            ("sudoers.d/c.conf", "u ALL=/bin/hidden\n"),
            ("sudoers.d/d~", "u ALL=/bin/hidden\n"),
            ("sudoers.d/sub/e", "u ALL=/bin/hidden\n"),
            ("sudoers.d/10-x", "u ALL=/bin/6"),
        ],
    ),
    (
        "quoted and escaped paths of includes",
        &[
            ("sudoers", "@include \"/etc/with space\"\n@include /etc/other\\ one # x\n"),
            ("with space", "u ALL=/bin/1\n"),
            ("other one", "u ALL=/bin/2\n"),
        ],
    ),
    (
        "a last line without end, and line ends of another system",
        &[("sudoers", "u ALL=ALL\r\nv ALL=/bin/b")],
    ),
    (
        "settings",
        &[(
            "sudoers",
            "Defaults env_reset, !lecture, passwd_tries = 3, timestamp_timeout=15.5\nDefaults !!use_pty\nDefaults logfile=\"/var/log/sudo.log\", badpass_message=x\\ y\nDefaults timestamp_timeout=-1, !syslog, syslog=auth\nDefaults\tinsults,!insults\n",
        )],
    ),
    (
        "settings that are lists",
        &[(
            "sudoers",
            "Defaults env_keep += \"A B\", env_check-=C, env_delete=\"D E\", !env_keep\n",
        )],
    ),
    (
        "settings for some",
        &[(
            "sudoers",
            "Defaults:bob,%wheel !authenticate\nDefaults>root, op secure_path=\"/a:/b\"\nDefaults@h1 log_host\nDefaults!/bin/ls,/bin/cat noexec\nDefaults:bob  lecture\n",
        )],
    ),
    (
        "settings over lines",
        &[("sudoers", "Defaults env_reset, \\\n   !lecture, \\\n use_pty # x\n")],
    ),
    (
        "settings in included files",
        &[
            ("sudoers", "Defaults use_pty\n@includedir /etc/sudoers.d\nDefaults !requiretty\n"),
            ("sudoers.d/a", "Defaults !use_pty\n"),
            ("sudoers.d/b", "Defaults use_pty\nDefaults:x !use_pty\n"),
        ],
    ),
];

/// A member of a list as sudoers spells it.
fn member(value: &Value) -> String {
    let mut text = String::new();
    if value["negated"] == true {
        text.push('!');
    }
    for (key, sign) in [
        ("username", ""),
        ("usergroup", "%"),
        ("userid", "#"),
        ("usergid", "%#"),
        ("netgroup", "+"),
        ("nonunixgroup", "%:"),
        ("hostname", ""),
        ("networkaddr", ""),
        ("useralias", ""),
        ("hostalias", ""),
        ("runasalias", ""),
        ("cmndalias", ""),
        ("command", ""),
        ("groupname", ""),
        ("groupid", "#"),
    ] {
        match &value[key] {
            Value::String(name) => return text + sign + name,
            Value::Number(id) => return format!("{text}{sign}{id}"),
            _ => {}
        }
    }
    panic!("{value}")
}

/// The members of a list, each once.
fn members(list: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for member in list.as_array().into_iter().flatten().map(member) {
        if !out.contains(&member) {
            out.push(member);
        }
    }
    out
}

/// Tags as sudo names what they do, in one order; time-outs in seconds.
fn tags(tags: &[&str], options: &[&str]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for tag in tags {
        let (name, on) = match *tag {
            "NOPASSWD" => ("authenticate", false),
            "PASSWD" => ("authenticate", true),
            tag => (
                tag.strip_prefix("NO").filter(|tag| *tag != "EXEC").unwrap_or(tag),
                !tag.starts_with("NO"),
            ),
        };
        let (name, on) = match name {
            "EXEC" | "NOEXEC" => ("noexec", name == "NOEXEC"),
            "MAIL" => ("send_mail", on),
            "FOLLOW" => ("sudoedit_follow", on),
            name => (name, on),
        };
        out.insert(name.to_lowercase(), on.to_string());
    }
    for option in options {
        let (name, value) = option.split_once('=').unwrap();
        match name {
            "TIMEOUT" => {
                let minutes =
                    value.strip_suffix('m').map(|number| number.parse::<u32>().unwrap() * 60);
                let seconds = minutes.unwrap_or_else(|| value.parse().unwrap());
                out.insert("command_timeout".into(), seconds.to_string());
            }
            name => drop(out.insert(name.to_lowercase(), value.to_owned())),
        }
    }
    out
}

/// Each command of each rule; `users` are those of the same rule with aliases replaced.
fn their_rules(plain: &Value, expanded: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let specs = |value: &Value| value["User_Specs"].as_array().cloned().unwrap_or_default();
    for (spec, resolved) in specs(plain).iter().zip(specs(expanded)) {
        for group in spec["Cmnd_Specs"].as_array().unwrap() {
            for command in group["Commands"].as_array().unwrap() {
                let mut said: BTreeMap<String, String> = BTreeMap::new();
                for option in group["Options"].as_array().into_iter().flatten() {
                    for (name, value) in option.as_object().unwrap() {
                        said.insert(
                            name.clone(),
                            value.as_str().map_or(value.to_string(), str::to_owned),
                        );
                    }
                }
                let command = member(command);
                // ALL lets set the environment by itself.
                if command == "ALL" {
                    said.remove("setenv");
                }
                out.push(format!(
                    "{:?} {:?} {:?} {:?} {said:?} {command}",
                    members(&resolved["User_List"]),
                    members(&spec["Host_List"]),
                    members(&group["runasusers"]),
                    members(&group["runasgroups"])
                        .iter()
                        .map(|name| name.trim_start_matches('%'))
                        .collect::<Vec<_>>(),
                ));
            }
        }
    }
    out
}

fn our_rules(rows: &[SudoRule]) -> Vec<String> {
    fn texts(list: &[std::sync::Arc<str>]) -> Vec<&str> {
        list.iter().map(AsRef::as_ref).collect()
    }
    let one = |row: &SudoRule| {
        let mut said = tags(&texts(&row.tags), &texts(&row.options));
        if &*row.command == "ALL" {
            said.remove("setenv");
        }
        format!(
            "{:?} {:?} {:?} {:?} {said:?} {}",
            texts(&row.users),
            texts(&row.hosts),
            texts(&row.runas_users),
            texts(&row.runas_groups),
            row.command
        )
    };
    rows.iter().map(one).collect()
}

/// Each setting with those for whom it holds.
fn their_settings(plain: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for group in plain["Defaults"].as_array().into_iter().flatten() {
        let binding = members(&group["Binding"]);
        for option in group["Options"].as_array().unwrap() {
            let operator = match option["operation"].as_str() {
                Some("list_add") => "+=",
                Some("list_remove") => "-=",
                _ => "=",
            };
            for (name, value) in
                option.as_object().unwrap().iter().filter(|(name, _)| *name != "operation")
            {
                let value = match value {
                    Value::Bool(on) => on.to_string(),
                    Value::Array(list) => {
                        let items: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                        format!("{operator} {}", items.join(" "))
                    }
                    value => format!("= {}", value.as_str().unwrap()),
                };
                out.push(format!("{binding:?} {name} {value}"));
            }
        }
    }
    out
}

fn our_settings(rows: &[SudoDefault]) -> Vec<String> {
    let one = |row: &SudoDefault| {
        let binding: Vec<&str> = row.members.iter().map(AsRef::as_ref).collect();
        let value = match (&row.operator, &row.value) {
            (Some(operator), Some(value)) => format!("{operator} {value}"),
            _ => (!row.negated).to_string(),
        };
        format!("{binding:?} {} {value}", row.name)
    };
    rows.iter().map(one).collect()
}

#[test]
#[ignore = "needs cvtsudoers (package sudo), and chroot as root"]
fn sudo_reads_what_the_lens_reads() {
    const PROGRAM: &str = "/usr/bin/cvtsudoers";
    let stage = Stage::with(&[PROGRAM]);
    stage.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    let mut wrong = Vec::new();
    for (name, files) in CASES {
        let _ = std::fs::remove_dir_all(stage.path("/etc/sudoers.d"));
        for (path, text) in *files {
            stage.write(&format!("/etc/{path}"), text);
        }
        let ask = |arguments: &[&str]| -> Result<Value, String> {
            let command = [&[PROGRAM, "-f", "json"], arguments, &["/etc/sudoers"]].concat();
            serde_json::from_str(&printed(&stage.run(&command))?).map_err(|error| error.to_string())
        };
        let (plain, expanded) = match (ask(&[]), ask(&["-e"])) {
            (Ok(plain), Ok(expanded)) => (plain, expanded),
            (Err(problem), _) | (_, Err(problem)) => {
                wrong.push(format!("{name}: cvtsudoers refuses it: {problem}"));
                continue;
            }
        };
        for (ours, theirs) in [
            (our_rules(&stage.rows()), their_rules(&plain, &expanded)),
            (our_settings(&stage.rows()), their_settings(&plain)),
        ] {
            if ours != theirs {
                wrong.push(format!(
                    "{name}: sudo\n  {}\nthe lens\n  {}",
                    theirs.join("\n  "),
                    ours.join("\n  ")
                ));
            }
        }
    }
    agree(&wrong);
}

/// What sudo refuses: a lens that passed over it would judge by half of the file.
const REFUSED: &[&str] = &[
    "u ALL=(root)",
    "u ALL",
    "Defaults",
    "Defaults foo bar",
    "User_Alias a = b",
    "u ALL=bin/ls",
    "u ALL=UNKNOWN: /bin/a",
    "Defaults env_keep+=A B",
    "@include",
    "u ALL=(ALL) ALL,",
    "u ALL=/bin/a,,/bin/b",
    "Defaults logfile=",
    "u ALL=/bin/a #1",
    "Defaults use_pty,",
    "u ALL=\\\n",
];

#[test]
#[ignore = "needs cvtsudoers (package sudo), and chroot as root"]
fn what_sudo_refuses_is_said_to_be_unreadable() {
    const PROGRAM: &str = "/usr/bin/cvtsudoers";
    let stage = Stage::with(&[PROGRAM]);
    stage.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    let mut wrong = Vec::new();
    for text in REFUSED {
        stage.write("/etc/sudoers", &format!("v ALL=ALL\n{text}\nw ALL=ALL\n"));
        if printed(&stage.run(&[PROGRAM, "-f", "json", "/etc/sudoers"])).is_ok() {
            wrong.push(format!("{text}: cvtsudoers takes it"));
        }
        if stage.state::<SudoRule>().is_complete() {
            wrong.push(format!("{text}: the lens takes it"));
        }
    }
    agree(&wrong);
}
