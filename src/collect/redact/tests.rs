//! What must go, and what must stay.

use super::{MARK, command_line, text, text_of};

/// Every case hides `hunter2...` and keeps what is on the left.
#[test]
fn values_of_secrets_are_hidden() {
    let mut wrong = Vec::new();
    for line in [
        "password = hunter2",
        "password=hunter2 with spaces",
        "  DB_PASSWORD: hunter2",
        "#password = hunter2",
        "; secret=hunter2",
        "export PGPASSWORD='hunter2 x'",
        "export API_KEY=\"hunter2\"",
        "{\"password\": \"hunter2\", \"user\": \"bob\"}",
        "{\"user\":\"bob\",\"clientSecret\":\"hunter2\"}",
        "\"auth\": \"aHVudGVyMg==hunter2\"",
        "'password' => 'hunter2',",
        "define('DB_PASSWORD', 'x'); $db_password = 'hunter2';",
        "<password>hunter2</password>",
        "<db:Password encrypted=\"no\">hunter2</db:Password>",
        "<entry key=\"db.password\">hunter2</entry>",
        "<add name=\"apiKey\" value=\"hunter2\"/>",
        "<connection user=\"bob\" password=\"hunter2\" />",
        "Environment=\"DB_PASSWORD=hunter2 and more\" OTHER=1",
        "Environment=DB_PASSWORD=hunter2",
        "SetCredential=name:hunter2",
        "//server/share /mnt cifs user=bob,password=hunter2,nodev 0 0",
        "bindpw hunter2",
        "cache_peer proxy parent 3128 0 login=bob:hunter2",
        "*.* :ommysql:host,db,user,hunter2;Template",
        "rootpw hunter2",
        "requirepass hunter2",
        "machine host login bob password hunter2",
        "password hunter2",
        "  secret \"hunter2\";",
        "wpa-psk hunter2",
        "PrivateKey = hunter2aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgMTI=",
        "PresharedKey=hunter2",
        "https://bob:hunter2@example.org/x",
        "postgres://bob:hunter2@db:5432/x?sslmode=on",
        "url = http://example.org/?token=hunter2&x=1",
        "Authorization: Bearer hunter2hunter2",
        "Authorization: Basic hunter2hunter2",
        "proxy_set_header Authorization \"Basic hunter2Hunter2=\";",
        "X-Api-Key: hunter2",
        "Cookie: hunter2=1",
        "curl -H 'Authorization: token hunter2' https://x",
        "rocommunity hunter2 10.0.0.0/8",
        "createUser bob SHA hunter2 AES hunter2",
        "ExecStart=/usr/bin/app --password hunter2 --verbose",
        "ExecStart=/usr/bin/app --password=hunter2 --verbose",
        "  - token: hunter2",
        "aws_secret_access_key = hunter2",
        "AccountKey=hunter2;EndpointSuffix=x",
        "//registry.example/:_authToken=hunter2",
        "spring.datasource.password=hunter2",
        "sasl.jaas.config=org.apache.Plain required username=\"a\" password=\"hunter2\";",
        "password: \"{SSHA}hunter2hunter2\"",
        "userPassword: {SSHA}hunter2hunter2",
        "ldap_default_authtok = hunter2",
        "MYSQL_PWD=hunter2 mysqldump db",
        "0 5 * * * root mysqldump -uroot -phunter2 db | gzip",
        "ExecStart=/usr/bin/mysqladmin -phunter2 ping",
        "ExecStart=/bin/sh -c 'curl -u bob:hunter2 https://x'",
        "sshpass -p hunter2 ssh host",
        "\\\"password\\\": \\\"hunter2\\\"",
    ] {
        let hidden = text(line);
        if hidden.contains("hunter2") || !hidden.contains(MARK) {
            wrong.push(format!("{line}   ->   {hidden}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tokens_are_known_by_their_shape() {
    for token in [
        "$6$rounds=5000$saltsalt$3X7kQ1yV9bN0pL2mR4tW6zA8cE1gI3kM5oQ7sU9wY1aC3eG5iK7mO9qS1uW3yA5cE7gI9kM1oQ3sU5wY7a",
        "$y$j9T$abcdefghijkl$VZbQ1rW3yU5iO7pA9sD1fG3hJ5kL7zX9cV1bN3mQ5w",
        "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$1$abcdefgh$0123456789abcdefghijkl",
        "$apr1$abcdefgh$0123456789abcdefghijkl",
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b0dWRWJTmaaJObG",
        "grub.pbkdf2.sha512.10000.8F3B7C0D1E2F.0A1B2C3D4E5F60718293A4B5C6D7E8F9",
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_11ABCDEFG0123456789_abcdefghijk",
        "glpat-abcdefghijklmnopqrst",
        "xoxb-123456789012-abcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "AIzaSyD-abcdefghijklmnopqrstuvwxyz01234",
        "sk_live_abcdefghijklmnop",
        "https://hooks.slack.com/services/T00000000/B00000000/AbCdEfGhIjKlMnOpQrStUvWx",
    ] {
        let line = format!("value is '{token}' here");
        let hidden = text(&line);
        let tail = &token[token.len() - 8..];
        assert!(!hidden.contains(tail), "{token}\n{hidden}");
        assert!(hidden.ends_with("' here"), "{hidden}");
    }
}

#[test]
fn private_keys_go_and_lines_stay() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nQyNTUxOQAAACB\n-----END OPENSSH PRIVATE KEY-----\nafter\n";
    let hidden = text(key);
    assert_eq!(
        hidden,
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{MARK}\n{MARK}\n-----END OPENSSH PRIVATE KEY-----\nafter\n"
        )
    );
    let json = "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----\\n\", \"b\": 1}\n";
    assert!(!text(json).contains("MIIEvQ"));
    let yaml = "a:\n  key: |\n    -----BEGIN RSA PRIVATE KEY-----\n    Proc-Type: 4,ENCRYPTED\n    MIIEpAIB\n    -----END RSA PRIVATE KEY-----\nb: 1\n";
    let hidden = text(yaml);
    assert!(!hidden.contains("MIIEpAIB") && hidden.contains("b: 1"), "{hidden}");
    assert_eq!(hidden.lines().count(), yaml.lines().count());
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIDdzCC\n-----END CERTIFICATE-----\n";
    assert_eq!(text(certificate), certificate);
    let unended = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\nPermitRootLogin no # set\n";
    assert!(text(unended).contains("PermitRootLogin no"));
}

#[test]
fn blocks_of_several_lines_are_hidden() {
    for block in [
        "password: |\n  hunter2\n  hunter2\nafter: 1\n",
        "- name: x\n  secret: >-\n    hunter2\n  after: 1\n",
        "password:\n  hunter2\nafter: 1\n",
        "<Password>\n  hunter2\n</Password>\nafter\n",
        "password = abc\\\n  hunter2\nafter\n",
    ] {
        let hidden = text(block);
        assert!(!hidden.contains("hunter2"), "{block}\n{hidden}");
        assert!(hidden.contains("after"), "{hidden}");
        assert_eq!(hidden.lines().count(), block.lines().count());
    }
}

#[test]
fn passwords_that_cloud_init_sets_are_hidden() {
    let given = "chpasswd:\n  expire: false\n  list: |\n    root:hunter2\n    - bob:$6$hunter2\n  \
                 users:\n  - {name: a, password: hunter2}\nhostname: x:y\n";
    let hidden = text(given);
    assert!(!hidden.contains("hunter2"), "{hidden}");
    assert_eq!(hidden.lines().count(), given.lines().count());
    assert!(
        hidden.contains("  expire: false\n") && hidden.ends_with("hostname: x:y\n"),
        "{hidden}"
    );
}

#[test]
fn settings_about_passwords_stay() {
    let mut wrong = Vec::new();
    for (path, line) in [
        ("/etc/ssh/sshd_config", "PasswordAuthentication no"),
        ("/etc/ssh/sshd_config", "PasswordAuthentication=no"),
        ("/etc/ssh/sshd_config", "PermitEmptyPasswords no"),
        ("/etc/ssh/sshd_config", "AuthorizedKeysFile .ssh/authorized_keys"),
        ("/etc/ssh/sshd_config", "HostKey /etc/ssh/ssh_host_ed25519_key"),
        ("/etc/ssh/sshd_config", "KbdInteractiveAuthentication no"),
        ("/etc/ssh/sshd_config", "Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com"),
        ("/etc/pam.d/common-password", "password requisite pam_pwquality.so retry=3 minlen=14"),
        (
            "/etc/pam.d/common-password",
            "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt",
        ),
        ("/etc/pam.d/x", "password\tsubstack\tpassword-auth"),
        ("/etc/pam.d/x", "-password optional pam_gnome_keyring.so use_authtok"),
        ("", "password   required   pam_unix.so sha512"),
        ("", "@include common-password"),
        ("/etc/login.defs", "PASS_MAX_DAYS\t99999"),
        ("/etc/login.defs", "ENCRYPT_METHOD YESCRYPT"),
        ("/etc/sudoers", "%sudo ALL=(ALL:ALL) NOPASSWD: ALL"),
        ("/etc/sudoers", "bob ALL=(root) NOPASSWD:/usr/bin/x, PASSWD: /usr/bin/y"),
        (
            "/etc/sudoers",
            "Defaults passwd_tries=3, passwd_timeout=5, !rootpw, passprompt=\"[sudo] password for %p: \"",
        ),
        ("/etc/nsswitch.conf", "passwd:         files systemd"),
        ("", "passwd: files sss [NOTFOUND=return] ldap"),
        ("/etc/security/pwquality.conf", "minlen = 14"),
        ("/etc/audit/rules.d/x.rules", "-w /etc/passwd -p wa -k identity"),
        (
            "/etc/audit/rules.d/x.rules",
            "-a always,exit -F path=/usr/bin/passwd -F perm=x -F key=privileged",
        ),
        ("/etc/sysctl.d/x.conf", "kernel.keys.root_maxkeys = 1000000"),
        ("/etc/fstab", "//s/x /mnt cifs credentials=/root/.smb,nodev 0 0"),
        (
            "/usr/lib/systemd/system/x.service",
            "ExecStart=/usr/bin/systemd-tty-ask-password-agent --wall",
        ),
        ("/usr/lib/systemd/system/x.service", "LoadCredential=sysctl.extra"),
        ("/usr/lib/systemd/system/x.service", "Environment=GSSPROXY_KEYTAB=/x OPTIONS=-4"),
        ("/etc/default/useradd", "SHELL=/bin/sh"),
        ("/etc/profile.d/x.sh", "umask 027"),
        ("/etc/profile.d/x.sh", "alias a='echo \"$1$2\"'"),
        ("/etc/apt/apt.conf.d/x", "APT::Get::AllowUnauthenticated \"false\";"),
        (
            "/etc/apt/sources.list",
            "deb [signed-by=/usr/share/keyrings/x.gpg] http://deb.debian.org/debian bookworm main",
        ),
        ("/etc/rsyslog.conf", "auth,authpriv.*  /var/log/auth.log"),
        ("/etc/nginx/nginx.conf", "proxy_pass http://127.0.0.1:8080;"),
        ("/etc/nginx/nginx.conf", "fastcgi_pass unix:/run/php/php.sock;"),
        ("/etc/apache2/x.conf", "AuthType Basic"),
        ("/etc/apache2/x.conf", "# Basic authentication of users is needed"),
        ("/etc/nginx/nginx.conf", "ssl_certificate_key /etc/ssl/private/x.key;"),
        ("/etc/samba/smb.conf", "encrypt passwords = yes"),
        ("/etc/samba/smb.conf", "unix password sync = yes"),
        ("/etc/postfix/main.cf", "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd"),
        ("/etc/snmp/snmpd.conf", "rocommunity public default"),
        ("/etc/security/limits.conf", "* hard core 0"),
        ("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly"),
        ("/boot/grub/grub.cfg", "set superusers=\"root\""),
        ("/etc/hosts", "10.0.0.1 db.example.org"),
    ] {
        let kept = text_of(path, line);
        if kept != line {
            wrong.push(format!("{path}: {line}   ->   {kept}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn grub_keeps_the_user_of_a_password() {
    let line =
        "password_pbkdf2 root grub.pbkdf2.sha512.10000.AB12CD34EF56AB12CD34.0123456789ABCDEF0123";
    let hidden = text(line);
    assert!(hidden.starts_with("password_pbkdf2 root grub.pbkdf2.sha512."), "{hidden}");
    assert!(!hidden.contains("0123456789AB") && !hidden.contains("AB12"), "{hidden}");
    let line = "password root hunter2";
    assert!(!text(line).contains("hunter2"));
}

#[test]
fn the_mark_hides_the_length() {
    assert_eq!(text("password = a-secret"), text("password = another-much-longer-secret"));
    assert_eq!(text("no secret at all\n"), "no secret at all\n");
    assert!(matches!(text("nothing"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn mount_options_beside_a_secret_stay() {
    let hidden = text_of("/etc/fstab", "//s/x /mnt cifs user=a,password=hunter2,nodev,nosuid 0 0");
    assert_eq!(hidden, format!("//s/x /mnt cifs user=a,password={MARK},nodev,nosuid 0 0"));
}

#[test]
fn the_password_field_of_accounts_is_hidden() {
    let text =
        "root:x:0:0::/root:/bin/sh\nold:ab0123456789.:1:1::/:/bin/sh\nfree::2:2::/:/bin/sh\n";
    assert_eq!(text_of("/etc/passwd", text), text.replace("ab0123456789.", MARK));
}

#[test]
fn command_lines_lose_their_secrets() {
    let mut wrong = Vec::new();
    for line in [
        "mysql -u root -phunter2 db",
        "mysqldump --password=hunter2 db",
        "/usr/bin/sshpass -p hunter2 ssh host",
        "app --token hunter2",
        "app\0--password\0hunter2 hunter2\0-v\0",
        "app\0--password=hunter2 hunter2\0-v\0",
        "curl -u bob:hunter2 https://x",
        "curl https://bob:hunter2@x",
        "curl\0-H\0Authorization: Bearer hunter2hunter2\0https://x",
        "java -Djavax.net.ssl.keyStorePassword=hunter2 -jar x",
        "redis-cli -a hunter2",
        "ldapsearch -x -D cn=admin -w hunter2",
        "smbclient //s/x -U bob%hunter2",
        "openssl rsa -passin pass:hunter2",
        "PGPASSWORD=hunter2 psql",
        "docker login -u bob -p hunter2",
        "sh -c \"DB_PASSWORD=hunter2 ./run\"",
        "snmpwalk -v2c -c hunter2 host",
        "htpasswd -bc /etc/x bob hunter2",
        "curl -ubob:hunter2 https://x",
    ] {
        let hidden = command_line(line);
        if hidden.contains("hunter2") || hidden.contains('\0') {
            wrong.push(format!("{line:?}   ->   {hidden}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for line in [
        "/usr/sbin/sshd -D",
        "/lib/systemd/systemd --system --deserialize 30",
        "ps -p 100",
        "agetty -o '-p -- \\u' --noclear tty1 linux",
    ] {
        assert_eq!(command_line(line), line);
    }
    assert_eq!(command_line("a\0b c\0"), "a b c");
}

mod properties {
    use super::super::{command_line, text};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_keeps_its_lines_and_is_stable(input in "(?s)([a-z =:'\"<>|\\\\$-]|\n|password|-----BEGIN PRIVATE KEY-----|é|token|://|@){0,60}") {
            let once = text(&input).into_owned();
            prop_assert_eq!(once.matches('\n').count(), input.matches('\n').count());
            let twice = text(&once).into_owned();
            prop_assert_eq!(twice.matches('\n').count(), input.matches('\n').count());
        }

        #[test]
        fn any_command_line_is_total(input in "(?s).{0,80}") {
            let _ = command_line(&input);
        }
    }
}
