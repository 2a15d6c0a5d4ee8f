//! The modes that the lens of rsyslog gives log files, against those that rsyslogd makes them with.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use assay::model::cell::{AbsPath, Mode};
use assay::model::facts::MemoryFacts;
use assay::model::lens::rsyslog::Rsyslog;
use assay::model::table::ConfigFile;
use assay::model::view::View;

/// Each writes files below OUT; MORE is a directory with the files of `INCLUDED`.
const CONFIGURATIONS: [&str; 6] = [
    r#"*.* OUT/a0
$FileCreateMode 0640
*.* -OUT/a1
*.* action(type="omfile" file="OUT/n1")
*.* action(type="omfile" file="OUT/n2" FileCreateMode="0600")
$filecreatemode 0604 # x
*.* OUT/a2;RSYSLOG_FileFormat
& OUT/a3
$FileCreateMode 640
*.* OUT/a4
*.* OUT/a5 # comment
if $programname == 'x' then OUT/a6
if $msg contains "then hello" then {
  OUT/a7
  action(type="omfile"
   # c
   file="OUT/n3" fileCreateMode="0644")
} else -OUT/a8
:msg, contains, "hello" OUT/a9
:programname,isequal,"x" { OUT/b0
}
"#,
    r#"module(load="builtin:omfile" fileCreateMode="0600")
*.* OUT/a0
*.* action(type="omfile" file="OUT/n1")
$FileCreateMode 0660
*.* OUT/a1
$umask 0077
"#,
    r#"global(umask="0027")
*.* OUT/a0
action(type="omfile" file="OUT/n1" FILECREATEMODE="00640")
action(type="omfile" file="OUT/n3" FILECREATEMODE="0644" config.enabled="off")
ACTION ( TYPE = "omfile" FILE = "OUT/n4" )
"#,
    r#"*.*  \
  OUT/d1
$FileCreateMode \
 0600
*.* OUT/d2
/* $FileCreateMode 0644
*.* OUT/d3 */
  $FileCreateMode 0640
  *.* OUT/d4
$FileCreateMode "0600"
*.* OUT/d6
$FileCreateMode 00600
*.* OUT/d7
"#,
    r#"$IncludeConfig MORE/*.conf
*.* OUT/after
include(file="MORE/single" mode="optional")
*.* OUT/last
"#,
    r#"ruleset(name="rules") {
  *.* OUT/r1
  action(type="omfile" file="OUT/r2" fileCreateMode="0620") }
$FileCreateMode 0611
*.info call rules
local0.*;*.info OUT/s1
set $.x = "a;b then";
if ($.x == "a;b") then { stop }
*.* {
 OUT/s2
}
"#,
];

const INCLUDED: [(&str, &str); 4] = [
    ("a.conf", "$FileCreateMode 0620\n"),
    ("b.conf", "*.* OUT/included\n$FileCreateMode 0602\n"),
    (".c.conf", "$FileCreateMode 0666\n"),
    ("single", "$FileCreateMode 0600\n"),
];

/// The modes of the files that rsyslogd makes.
fn made(place: &Path, main: &str) -> BTreeMap<String, u32> {
    let socket = place.join("socket");
    let head = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{}\")\n",
        socket.display()
    );
    fs::write(place.join("main"), format!("{head}{main}")).unwrap();
    let mut daemon = Command::new("rsyslogd")
        .args(["-n", "-iNONE", "-f"])
        .arg(place.join("main"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = UnixDatagram::unbound().unwrap();
    for _ in 0..600 {
        if client.send_to(b"<14>x: then hello", &socket).is_ok() {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    // It writes what it has before it ends.
    sleep(Duration::from_millis(500));
    let id = daemon.id().to_string();
    assert!(Command::new("kill").arg(&id).status().unwrap().success());
    daemon.wait().unwrap();
    let files = fs::read_dir(place.join("out")).unwrap().map(Result::unwrap);
    files
        .map(|file| {
            let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
            (file.path().to_str().unwrap().to_owned(), mode)
        })
        .collect()
}

fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    u32::from_str_radix(line.trim(), 8).unwrap()
}

/// The modes that the lens gives them.
fn read(texts: Vec<(String, String)>) -> BTreeMap<String, u32> {
    let files = texts.into_iter().map(|(path, text)| ConfigFile {
        path: AbsPath(path.into()),
        text: Some(text.into()),
        problem: None,
    });
    let facts = MemoryFacts::new().with(files.collect::<Vec<_>>());
    let (state, rows) = View::new(&facts).typed::<Rsyslog>().unwrap();
    assert!(state.is_complete(), "{state}");
    let files = rows.into_iter().filter(|row| &*row.kind == "file");
    files.map(|row| (row.name.to_string(), row.mode.map_or(0, |Mode(mode)| mode))).collect()
}

#[test]
#[ignore = "needs rsyslogd"]
fn log_files_have_the_modes_that_rsyslogd_makes() {
    let mut compared = 0;
    for configuration in CONFIGURATIONS {
        let place = tempfile::tempdir().unwrap();
        let (out, more) = (place.path().join("out"), place.path().join("more"));
        fs::create_dir(&out).unwrap();
        fs::create_dir(&more).unwrap();
        let filled = |text: &str| {
            text.replace("OUT", out.to_str().unwrap()).replace("MORE", more.to_str().unwrap())
        };
        let main = filled(configuration);
        let mut texts = vec![("/etc/rsyslog.conf".to_owned(), main.clone())];
        for (name, text) in INCLUDED {
            let path = more.join(name);
            fs::write(&path, filled(text)).unwrap();
            texts.push((path.to_str().unwrap().to_owned(), filled(text)));
        }
        let (made, read) = (made(place.path(), &main), read(texts));
        assert!(made.len() > 2, "rsyslogd wrote too little for\n{configuration}");
        for (path, mode) in &made {
            // Where the configuration sets no mask, that of whoever runs it holds.
            let mask = if configuration.contains("umask") { 0 } else { umask() };
            let known = read.get(path).unwrap_or_else(|| panic!("{path} in\n{configuration}"));
            assert_eq!(known & !mask, *mode, "{path} ({known:o}) in\n{configuration}");
            compared += 1;
        }
    }
    println!("{compared} files compared");
}
