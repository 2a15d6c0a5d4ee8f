//! Secrets never enter a snapshot: a dozen of each kind are planted, and every byte of the
//! snapshot, decompressed, is searched for them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::FactSource;
use assay::model::state::TableState;
use assay::model::table::{ConfigFile, Shadow};
use assay::snapshot::{Codec, Snapshot};

/// A value that no rule for shapes knows: only its place makes it a secret.
fn value(kind: &str, index: usize) -> String {
    format!("planted{kind}{index}Zq7")
}

/// The part of a planted secret that must not be found.
struct Planted(Vec<String>);

impl Planted {
    fn add(&mut self, kind: &str, index: usize) -> String {
        let value = value(kind, index);
        self.0.push(value.clone());
        value
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn plant(root: &Path) -> Planted {
    let mut planted = Planted(Vec::new());
    write(root, "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    let mut shadow = String::new();
    let mut passwd = String::from("root:x:0:0::/root:/bin/sh\n");
    let mut group = String::from("root:x:0:\n");
    for index in 0..12 {
        let hash = planted.add("shadow", index);
        let kind = ["6", "y", "5", "1", "2b", "gy"][index % 6];
        shadow += &format!("user{index}:${kind}$salt${hash}:19000:0:99999:7:::\n");
        passwd += &format!("user{index}:{}:{index}:1::/:/bin/sh\n", planted.add("passwd", index));
        group += &format!("group{index}:{}:{index}:\n", planted.add("group", index));
    }
    for path in ["/etc/shadow", "/etc/shadow-", "/etc/gshadow"] {
        write(root, path, &shadow);
    }
    write(root, "/etc/passwd", &passwd);
    write(root, "/etc/group", &group);
    let key = |secret: &str, label: &str| {
        format!(
            "-----BEGIN {label}-----\nAAAAB3NzaC1{secret}\n{secret}AAAA\n-----END {label}-----\n"
        )
    };
    for index in 0..12 {
        let label = ["OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"];
        let label = label[index % 4];
        write(
            root,
            &format!("/etc/ssh/ssh_host_{index}_key"),
            &key(&planted.add("hostkey", index), label),
        );
        write(
            root,
            &format!("/etc/app/server{index}.conf"),
            &key(&planted.add("inlinekey", index), label),
        );
        write(
            root,
            &format!("/etc/ssl/private/{index}.pem"),
            &key(&planted.add("private", index), label),
        );
    }
    let shapes = [
        "password = {}",
        "password: {}",
        "\"password\": \"{}\",",
        "<password>{}</password>",
        "export DB_PASSWORD='{}'",
        "api_key={}",
        "client_secret: '{}'",
        "token = \"{}\"",
        "psk=\"{}\"",
        "bindpw {}",
        "private_key: {}",
        "passwd {}",
        "aws_secret_access_key = {}",
        "Environment=\"APP_SECRET={}\"",
        "ExecStart=/usr/bin/app --password {} --flag",
        "machine example.org login bob password {}",
        "https://bob:{}@example.org/",
        "mysql://root:{}@localhost/db",
        "Authorization: Bearer {}",
        "Authorization: Basic {}",
        "X-Auth-Token: {}",
        "requirepass {}",
        "rocommunity {}",
        "ldap_default_authtok = {}",
        "PrivateKey = {}=",
        "secret \"{}\";",
        "//srv/share /mnt cifs username=a,password={},nodev 0 0",
        "0 5 * * * root PGPASSWORD={} pg_dump",
        "passphrase: |\n  {}\nend: 1",
        "password_hash: {}",
    ];
    for (number, shape) in shapes.iter().enumerate() {
        for (place, path) in [
            "/etc/app{}.conf",
            "/etc/default/app{}",
            "/etc/cron.d/app{}",
            "/etc/systemd/system/app{}.service",
            "/var/spool/cron/crontabs/user{}",
            "/usr/lib/systemd/system/app{}.service",
            "/etc/sysconfig/app{}",
            "/etc/nginx/conf.d/app{}.conf",
            "/etc/apt/apt.conf.d/{}",
            "/etc/profile.d/app{}.sh",
            "/etc/security/app{}.conf",
            "/etc/fstab.d/fstab{}",
        ]
        .iter()
        .enumerate()
        {
            let secret = planted.add(&format!("shape{number}x"), place);
            let text = format!("before = 1\n{}\nafter = 1\n", shape.replace("{}", &secret));
            write(root, &path.replace("{}", &number.to_string()), &text);
        }
    }
    for index in 0..12 {
        for path in [
            "/etc/app/.htpasswd{}",
            "/etc/ipsec.secrets",
            "/etc/ppp/chap-secrets",
            "/etc/krb5.keytab",
            "/etc/app{}.key",
            "/etc/security/opasswd",
        ] {
            let path = path.replace("{}", "");
            let old = std::fs::read_to_string(root.join(&path[1..])).unwrap_or_default();
            let secret = planted.add(&format!("file{}", path.len()), index);
            write(root, &path, &format!("{old}bob:{secret}\n"));
        }
    }
    for index in 0..12 {
        let secret = planted.add("unit", index);
        let option = ["--password=", "--token ", "-p", "https://bob:"][index % 4];
        let program = if index % 4 == 2 { "mysqladmin" } else { "app" };
        let tail = if index % 4 == 3 { "@example.org" } else { "" };
        write(
            root,
            &format!("/etc/systemd/system/run{index}.service"),
            &format!("[Service]\nExecStart=/usr/bin/{program} {option}{secret}{tail} --flag\n"),
        );
    }
    // A harmless name that leads to a file of secrets.
    std::os::unix::fs::symlink("shadow", root.join("etc/harmless.conf")).unwrap();
    std::os::unix::fs::symlink("/etc/ssl/private/0.pem", root.join("etc/app/linked.conf")).unwrap();
    planted
}

/// Every byte of a snapshot, compressed frames also decompressed.
fn all_bytes(snapshot: &[u8]) -> Vec<u8> {
    const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut all = snapshot.to_vec();
    for at in 0..snapshot.len() {
        if snapshot[at..].starts_with(&FRAME) {
            let mut decoder = zstd::Decoder::new(&snapshot[at..]).unwrap().single_frame();
            let mut frame = Vec::new();
            if std::io::Read::read_to_end(&mut decoder, &mut frame).is_ok() {
                all.append(&mut frame);
            }
        }
    }
    all
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn no_planted_secret_is_in_a_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let planted = plant(directory.path());
    assert!(planted.0.len() > 400);
    let root = DirectoryRoot::open(directory.path()).unwrap();
    for codec in [Codec::Raw, Codec::Zstd] {
        let bytes = collect(&root, &Options::default(), codec, &Silent).unwrap();
        let all = all_bytes(&bytes);
        assert!(contains(&all, "after = 1"), "the texts are searched");
        let text = String::from_utf8_lossy(&all);
        let found: Vec<&String> =
            planted.0.iter().filter(|secret| text.contains(secret.as_str())).collect();
        assert!(found.is_empty(), "{} of them: {found:?}", found.len());
    }
}

#[test]
fn lines_stay_and_files_of_secrets_are_named() {
    let directory = tempfile::tempdir().unwrap();
    plant(directory.path());
    let root = DirectoryRoot::open(directory.path()).unwrap();
    let bytes = collect(&root, &Options::default(), Codec::Raw, &Silent).unwrap();
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    assert_eq!(snapshot.state(ConfigFile::TABLE), TableState::Collected);
    let rows: Vec<ConfigFile> = snapshot.rows(ConfigFile::TABLE).unwrap().typed().collect();
    let row = |path: &str| rows.iter().find(|row| &*row.path.0 == path).unwrap();
    assert_eq!(
        row("/etc/app0.conf").text.as_deref(),
        Some("before = 1\npassword = [redacted]\nafter = 1\n")
    );
    for path in [
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/harmless.conf",
        "/etc/app/linked.conf",
        "/etc/ssh/ssh_host_0_key",
    ] {
        assert_eq!(row(path).problem.as_deref(), Some("not collected: secret"), "{path}");
        assert_eq!(row(path).text, None, "{path}");
    }
    let shadow: Vec<Shadow> = snapshot.rows(Shadow::TABLE).unwrap().typed().collect();
    let algorithms: Vec<&str> =
        shadow.iter().filter_map(|row| row.algorithm.as_deref()).take(6).collect();
    assert_eq!(algorithms, ["sha512", "yescrypt", "sha256", "md5", "bcrypt", "gost-yescrypt"]);
    assert_eq!(shadow[0].max_days, Some(99_999));
}
