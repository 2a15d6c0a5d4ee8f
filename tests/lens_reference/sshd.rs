//! `config.sshd` against `sshd -T`: every keyword that sshd knows, globally and for a connection.

use std::collections::{BTreeMap, BTreeSet};

use assay::model::lens::sshd::Sshd;

use crate::stage::{Stage, agree, printed};

const MAIN: &str = "/etc/ssh/sshd_config";

/// A configuration: its name, its files below /etc/ssh, and the criteria of the Match blocks that
/// hold for the connection that is asked about.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    holds: &'static [&'static str],
}

const fn case(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, files, holds: &[] }
}

/// The connection: what `sshd -T -C` is told.
const CONNECTION: &str = "user=bob,host=client.example,addr=192.0.2.7,laddr=192.0.2.1,lport=22";

const CASES: &[Case] = &[
    case("empty", &[("sshd_config", "")]),
    case("comments and blanks", &[("sshd_config", "# Port 1\n\n  \t\n#\n   # x\nPort 2\n")]),
    case(
        "case of keywords and words",
        &[("sshd_config", "pErMiTrOoTlOgIn no\nX11FORWARDING no\nLogLevel verbose\n")],
    ),
    case(
        "the first value wins",
        &[("sshd_config", "MaxAuthTries 3\nMaxAuthTries 5\nmaxauthtries 4\n")],
    ),
    case(
        "the last MaxStartups wins",
        &[(
            "sshd_config",
            "MaxStartups 10:30:60\nMaxStartups 9:20:50\nMatch all\nMaxStartups 8:30:60\n",
        )],
    ),
    case(
        "equals sign",
        &[(
            "sshd_config",
            "MaxAuthTries=3\nMaxSessions = 4\nLoginGraceTime= 20\nBanner =/etc/issue\n",
        )],
    ),
    case(
        "quoted values",
        &[(
            "sshd_config",
            "Banner \"/etc/issue net\"\nPermitRootLogin \"no\"\nVersionAddendum 'a  b'\n",
        )],
    ),
    case(
        "quotes inside of words",
        &[("sshd_config", "Banner /etc/\"issue\"\nForceCommand /bin/\"a b\"\n")],
    ),
    case("quoted keywords", &[("sshd_config", "\"MaxAuthTries\" 3\n\"MaxSessions\"4\n")]),
    case(
        "a quote behind spaces",
        &[("sshd_config", "Banner  \"/etc/issue\"\nMaxSessions \"4\"\n")],
    ),
    case(
        "escapes",
        &[(
            "sshd_config",
            "Banner /etc/a\\ b\nVersionAddendum \"a\\\"b\\\\c\"\nForceCommand /bin/a\\b\n",
        )],
    ),
    case(
        "comments behind values",
        &[("sshd_config", "MaxAuthTries 3 # three\nMaxSessions 4 #four\nBanner /etc/issue#net\n")],
    ),
    case(
        "white space",
        &[(
            "sshd_config",
            "\t MaxAuthTries \t 3 \t\nMaxSessions\t4\x0c\nPort 7 \r\nX11Forwarding no\r\n",
        )],
    ),
    case("no line end", &[("sshd_config", "Port 9\nPermitRootLogin no")]),
    case("ports add up", &[("sshd_config", "Port 22\nPort 2222\nPort 22\n")]),
    case(
        "addresses",
        &[("sshd_config", "ListenAddress 127.0.0.1\nListenAddress [::1]:2200\nPort 23\n")],
    ),
    case(
        "users and groups add up",
        &[(
            "sshd_config",
            "AllowUsers a b@192.0.2.0/24\nAllowUsers c\nDenyUsers d\nAllowGroups e f\nAllowGroups g\nDenyGroups h\nDenyGroups i\n",
        )],
    ),
    case("AcceptEnv adds up", &[("sshd_config", "AcceptEnv LANG LC_*\nAcceptEnv X\n")]),
    case("SetEnv", &[("sshd_config", "SetEnv A=1 B=2\nSetEnv C=3\n")]),
    case(
        "subsystems",
        &[("sshd_config", "Subsystem sftp internal-sftp -l INFO\nSubsystem x /bin/x \"a b\"\n")],
    ),
    case(
        "host keys",
        &[("sshd_config", "HostKey /etc/ssh/ssh_host_ed25519_key\nHostKey /etc/ssh/other\n")],
    ),
    case(
        "times",
        &[("sshd_config", "LoginGraceTime 1m30s\nClientAliveInterval 5M\nRekeyLimit 1G 1h\n")],
    ),
    case(
        "time in hours",
        &[("sshd_config", "LoginGraceTime 1h\nClientAliveInterval 0\nClientAliveCountMax 0\n")],
    ),
    case(
        "synonyms of values",
        &[(
            "sshd_config",
            "PermitRootLogin without-password\nCompression yes\nGatewayPorts clientspecified\n",
        )],
    ),
    case(
        "yes and no",
        &[("sshd_config", "PasswordAuthentication NO\nX11Forwarding Yes\nUsePAM yes\n")],
    ),
    case(
        "older names",
        &[(
            "sshd_config",
            "ChallengeResponseAuthentication yes\nPubkeyAcceptedKeyTypes ssh-ed25519\nHostbasedAcceptedKeyTypes ssh-ed25519\nKeepAlive no\n",
        )],
    ),
    case(
        "older and newer name of one keyword",
        &[(
            "sshd_config",
            "ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\nDSAAuthentication no\nPubkeyAuthentication yes\n",
        )],
    ),
    case("skey", &[("sshd_config", "SkeyAuthentication no\nKbdInteractiveAuthentication yes\n")]),
    case(
        "deprecated keywords",
        &[(
            "sshd_config",
            "Protocol 2\nUsePrivilegeSeparation yes\nRhostsAuthentication yes\nKeyRegenerationInterval 1h\nUseLogin no\nRhostsRSAAuthentication no\nRSAAuthentication no\nServerKeyBits 768\n",
        )],
    ),
    case(
        "explicit algorithms",
        &[(
            "sshd_config",
            "Ciphers aes256-ctr,aes128-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256\n",
        )],
    ),
    case(
        "algorithms added",
        &[(
            "sshd_config",
            "Ciphers +3des-cbc,aes128-cbc\nMACs +hmac-md5\nKexAlgorithms +diffie-hellman-group1-sha1\n",
        )],
    ),
    case(
        "algorithms first",
        &[(
            "sshd_config",
            "Ciphers ^aes256-cbc\nMACs ^hmac-sha1\nKexAlgorithms ^diffie-hellman-group14-sha1\n",
        )],
    ),
    case(
        "algorithms taken away",
        &[(
            "sshd_config",
            "Ciphers -chacha20-poly1305@openssh.com\nMACs -umac-64@openssh.com,hmac-sha1\nKexAlgorithms -diffie-hellman-group14-sha256\n",
        )],
    ),
    case(
        "algorithms taken away by pattern",
        &[(
            "sshd_config",
            "Ciphers -*ctr\nMACs -*umac-64*,hmac-sha?\nKexAlgorithms -ecdh-*\nHostKeyAlgorithms -*cert*\n",
        )],
    ),
    case(
        "patterns that take nothing or all but one",
        &[("sshd_config", "Ciphers -nothing*\nMACs -hmac-*,umac-64*\n")],
    ),
    case(
        "the first list of algorithms wins",
        &[(
            "sshd_config",
            "Ciphers aes256-ctr\nCiphers +3des-cbc\nMACs -hmac-sha1\nMACs hmac-sha1\n",
        )],
    ),
    case(
        "include first",
        &[
            ("sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nPort 1\n"),
            ("sshd_config.d/50-a.conf", "PermitRootLogin yes\nPort 2\n"),
            ("sshd_config.d/10-b.conf", "MaxAuthTries 2\nPort 3\n"),
            ("sshd_config.d/60-c.conf", "MaxAuthTries 9\n"),
        ],
    ),
    case(
        "include last",
        &[
            ("sshd_config", "PermitRootLogin no\nInclude /etc/ssh/sshd_config.d/*.conf\n"),
            ("sshd_config.d/a.conf", "PermitRootLogin yes\nMaxSessions 3\n"),
        ],
    ),
    case(
        "relative include, several patterns, quoted",
        &[
            (
                "sshd_config",
                "Include sshd_config.d/b* \"/etc/ssh/with space/x.conf\" sshd_config.d/a.conf\n",
            ),
            ("sshd_config.d/a.conf", "MaxAuthTries 1\nMaxSessions 1\nMaxStartups 1:30:1\n"),
            ("sshd_config.d/b.conf", "MaxAuthTries 2\n"),
            ("with space/x.conf", "MaxSessions 3\n"),
        ],
    ),
    case(
        "globs",
        &[
            (
                "sshd_config",
                "Include sshd_config.d/[0-4]?.conf\nInclude nothing/*.conf\nInclude /nowhere\n",
            ),
            ("sshd_config.d/10.conf", "MaxAuthTries 1\n"),
            ("sshd_config.d/.1.conf", "MaxSessions 7\n"),
            ("sshd_config.d/50.conf", "MaxSessions 9\n"),
        ],
    ),
    case(
        "hidden files are not in a glob",
        &[
            ("sshd_config", "Include sshd_config.d/*\n"),
            ("sshd_config.d/.hidden.conf", "MaxSessions 7\n"),
            ("sshd_config.d/a", "MaxAuthTries 7\n"),
        ],
    ),
    case(
        "a slash too many, and dots",
        &[
            (
                "sshd_config",
                "Include /etc/ssh//sshd_config.d/./a.conf\nInclude sshd_config.d/../b.conf\nInclude /etc/ssh//sshd_config.d/*.inc\n",
            ),
            ("sshd_config.d/a.conf", "MaxAuthTries 7\n"),
            ("sshd_config.d/c.inc", "MaxStartups 7:30:7\n"),
            ("b.conf", "MaxSessions 7\n"),
        ],
    ),
    case(
        "a glob over directories",
        &[
            ("sshd_config", "Include sshd_config.d/*/*.conf\n"),
            ("sshd_config.d/b/1.conf", "MaxAuthTries 7\n"),
            ("sshd_config.d/a/2.conf", "MaxAuthTries 8\n"),
            ("sshd_config.d/3.conf", "MaxSessions 9\n"),
        ],
    ),
    case(
        "nested includes",
        &[
            ("sshd_config", "Include a.conf\nMaxAuthTries 1\n"),
            ("a.conf", "Include b.conf\nMaxAuthTries 2\nMaxSessions 2\n"),
            ("b.conf", "MaxAuthTries 3\n"),
        ],
    ),
    case(
        "a Match block says nothing about others",
        &[("sshd_config", "Match User ann\nX11Forwarding no\nPermitRootLogin no\n")],
    ),
    Case {
        name: "a Match block for the connection",
        holds: &["User bob"],
        files: &[(
            "sshd_config",
            "X11Forwarding no\nMatch User bob\n  X11Forwarding yes\n  X11Forwarding no\n  MaxAuthTries 2\n",
        )],
    },
    Case {
        name: "the first block that holds wins",
        holds: &["User bob", "Address 192.0.2.0/24"],
        files: &[(
            "sshd_config",
            "Match User ann\nMaxAuthTries 1\nMatch User bob\nMaxAuthTries 2\nMatch Address 192.0.2.0/24\nMaxAuthTries 3\nMaxSessions 3\n",
        )],
    },
    Case {
        name: "Match all ends a block",
        holds: &[],
        files: &[(
            "sshd_config",
            "Match User ann\nMaxAuthTries 1\nMatch all\nMaxAuthTries 2\nMatch All\nMaxSessions 3\n",
        )],
    },
    Case {
        name: "a Match block in an included file ends with it",
        holds: &["User bob"],
        files: &[
            ("sshd_config", "Include m.conf\nMaxSessions 4\nPermitRootLogin no\n"),
            ("m.conf", "Match User bob\nMaxAuthTries 2\n"),
        ],
    },
    Case {
        name: "an include in a Match block",
        holds: &["User bob"],
        files: &[
            (
                "sshd_config",
                "Match User bob\nInclude m.conf\nMaxSessions 5\nMatch User ann\nInclude n.conf\n",
            ),
            ("m.conf", "MaxAuthTries 2\n"),
            ("n.conf", "MaxAuthTries 3\nX11Forwarding yes\n"),
        ],
    },
    Case {
        name: "a Match block in a file that a Match block includes",
        holds: &["User bob", "User bob Address 192.0.2.7"],
        files: &[
            (
                "sshd_config",
                "Match User bob\nInclude m.conf\nMaxSessions 5\nMatch User ann\nInclude m.conf\n",
            ),
            (
                "m.conf",
                "X11Forwarding yes\nMatch Address 192.0.2.7\nMaxAuthTries 3\nMatch User ann\nMaxAuthTries 4\n",
            ),
        ],
    },
    Case {
        name: "criteria with an equals sign and quotes",
        holds: &["User bob", "user bob"],
        files: &[(
            "sshd_config",
            "Match=User \"bob\"\nMaxAuthTries 2\nmatch user bob\nMaxSessions 2\n",
        )],
    },
    Case {
        name: "what a Match block adds to lists",
        holds: &["User bob"],
        files: &[(
            "sshd_config",
            "AllowGroups a\nAllowUsers b\nAcceptEnv A\nMatch User bob\nAllowGroups c\nAcceptEnv B\nAcceptEnv C\n",
        )],
    },
    case(
        "tokens and lists of words",
        &[(
            "sshd_config",
            "AuthorizedKeysFile .ssh/keys /etc/keys/%u\nAuthorizedKeysFile x\nAuthorizedKeysCommand /bin/k %u \"%h x\"\nAuthorizedKeysCommandUser nobody\nAuthenticationMethods publickey,password publickey,keyboard-interactive\n",
        )],
    ),
    case(
        "what may stand once or many times",
        &[(
            "sshd_config",
            "PermitOpen host:1 host:2\nPermitOpen other:3\nPermitListen *:1 *:2\nPermitListen *:3\nLogVerbose a.c:*:*,b.c:*:*\nLogVerbose c.c:*:*\nPubkeyAuthOptions touch-required\nIPQoS af21 cs1\n",
        )],
    ),
    case(
        "ignoring of rhosts and others",
        &[(
            "sshd_config",
            "IgnoreRhosts shosts-only\nIgnoreUserKnownHosts yes\nHostbasedAuthentication yes\nHostbasedUsesNameFromPacketOnly yes\nPermitUserEnvironment LANG,LC_*\nPermitTTY no\nPermitUserRC no\nStrictModes no\nTCPKeepAlive no\nUseDNS yes\nDisableForwarding yes\nAllowTcpForwarding local\nAllowStreamLocalForwarding remote\nAllowAgentForwarding no\n",
        )],
    ),
    case(
        "files and facilities",
        &[(
            "sshd_config",
            "SyslogFacility AUTHPRIV\nPidFile none\nChrootDirectory /srv/%u\nTrustedUserCAKeys /etc/ca\nRevokedKeys none\nModuliFile /etc/m\nXAuthLocation /bin/x\nMaxStartups 10:30:60\nPerSourceMaxStartups 5\nPerSourceNetBlockSize 24:64\n",
        )],
    ),
];

/// What sshd says: each keyword with its values in order.
type Answer = BTreeMap<String, Vec<String>>;

fn ask(stage: &Stage, connection: bool) -> Result<Answer, String> {
    let mut command = vec!["/usr/sbin/sshd", "-T"];
    if connection {
        command.extend(["-C", CONNECTION]);
    }
    let mut answer = Answer::new();
    for line in printed(&stage.run(&command))?.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        answer.entry(keyword.to_owned()).or_default().push(value.to_owned());
    }
    Ok(answer)
}

fn stage() -> Stage {
    let stage = Stage::with(&["/usr/sbin/sshd", "/usr/bin/ssh-keygen"]);
    stage.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\nbob:x:1000:1000::/home/bob:/bin/sh\n");
    stage.write("/etc/group", "root:x:0:\n");
    std::fs::create_dir_all(stage.path("/run/sshd")).unwrap();
    let key = stage.run(&["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/key"]);
    printed(&key).unwrap();
    stage
}

/// The rows of the keyword that count: those of the first block that holds and has one, else those
/// of the global part.
fn effective<'a>(rows: &'a [Sshd], holds: &[&str], keyword: &str) -> Vec<&'a Sshd> {
    let counts = |row: &&Sshd| row.effective && &*row.keyword == keyword;
    let of_block = |row: &&Sshd| row.r#match.as_deref().is_some_and(|own| holds.contains(&own));
    let first = rows.iter().filter(counts).find(of_block);
    let criteria = first.and_then(|row| row.r#match.clone());
    rows.iter().filter(counts).filter(|row| row.r#match == criteria).collect()
}

/// Keywords of which sshd prints each word of every line apart.
const BY_WORD: [&str; 6] =
    ["acceptenv", "allowgroups", "allowusers", "denygroups", "denyusers", "setenv"];

/// What sshd should print where these rows count; `without` is what it prints where none does.
fn expected(keyword: &str, rows: &[&Sshd], without: &[String]) -> Vec<String> {
    let Some(first) = rows.first() else { return without.to_vec() };
    let algorithms = keyword.ends_with("algorithms") || matches!(keyword, "ciphers" | "macs");
    if algorithms {
        let own: Vec<&str> = first.values.iter().map(AsRef::as_ref).collect();
        let default: Vec<&str> = without.iter().flat_map(|text| text.split(',')).collect();
        let others = |list: &[&str], but: &[&str]| -> Vec<String> {
            list.iter().filter(|name| !but.contains(name)).map(|name| (*name).to_owned()).collect()
        };
        let list = match first.value.chars().next() {
            Some('-') => others(&default, &own),
            Some('+') => [others(&default, &[]), others(&own, &default)].concat(),
            Some('^') => [others(&own, &[]), others(&default, &own)].concat(),
            _ => others(&own, &[]),
        };
        return vec![list.join(",")];
    }
    let shown = |row: &&Sshd| -> Vec<String> {
        if BY_WORD.contains(&keyword) {
            return row.value.split(' ').map(str::to_owned).collect();
        }
        vec![row.value.to_string()]
    };
    rows.iter().flat_map(shown).collect()
}

/// Sizes, times and synonyms in one spelling.
fn plain(keyword: &str, value: &str, seconds: Option<i64>) -> String {
    match (keyword, value) {
        (_, value) if value.eq_ignore_ascii_case("prohibit-password") => "without-password".into(),
        ("logingracetime" | "clientaliveinterval", _) => {
            seconds.map_or_else(|| value.to_owned(), |seconds| seconds.to_string())
        }
        ("rekeylimit", "1G 1h") => "1073741824 3600".into(),
        _ => value.to_lowercase(),
    }
}

#[test]
#[ignore = "needs sshd (package openssh-server), and chroot as root"]
fn sshd_understands_every_keyword_as_the_lens_does() {
    let stage = stage();
    let mut wrong = Vec::new();
    stage.replace(&["/etc/ssh"], &[(MAIN, "HostKey /key\n")]);
    let default = ask(&stage, false).unwrap();
    for case in CASES {
        stage.replace(&["/etc/ssh"], &[]);
        for (name, text) in case.files {
            let first = if *name == "sshd_config" { "HostKey /key\n" } else { "" };
            stage.write(&format!("/etc/ssh/{name}"), &format!("{first}{text}"));
        }
        let rows: Vec<Sshd> = stage.rows();
        for (holds, connection) in [(&[][..], false), (case.holds, true)] {
            let answer = match ask(&stage, connection) {
                Ok(answer) => answer,
                Err(problem) => {
                    wrong.push(format!("{}: sshd refuses it: {problem}", case.name));
                    continue;
                }
            };
            let keywords: BTreeSet<&String> = answer.keys().chain(default.keys()).collect();
            for keyword in keywords.into_iter().filter(|keyword| *keyword != "listenaddress") {
                let counted = effective(&rows, holds, keyword);
                let without = default.get(keyword).cloned().unwrap_or_default();
                let seconds = counted.first().and_then(|row| row.int_value);
                let [ours, theirs] = [
                    expected(keyword, &counted, &without),
                    answer.get(keyword).cloned().unwrap_or_default(),
                ]
                .map(|list| {
                    list.iter().map(|value| plain(keyword, value, seconds)).collect::<Vec<_>>()
                });
                if ours != theirs {
                    wrong.push(format!(
                        "{}: {keyword}: sshd {theirs:?}, the lens {ours:?}",
                        case.name
                    ));
                }
            }
        }
    }
    agree(&wrong);
}
