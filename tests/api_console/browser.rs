//! The console in a real browser, over HTTP, without scripts.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Ends a process when it is dropped.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs chromium-driver and python3-selenium"]
fn a_browser_without_scripts_goes_from_login_to_a_finding() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(data.path().join("agents")).unwrap();
    super::put_sample(data.path(), "debian-12-planted");
    let mut server = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let server = Ended(server);
    let at = first.find("http://").unwrap();
    let pictures = std::env::temp_dir().join("assay-console");
    let output = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api_console/browser.py"))
        .arg(first[at..].trim())
        .arg(data.path().join("credentials"))
        .arg(pictures)
        .output()
        .unwrap();
    drop(server);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
