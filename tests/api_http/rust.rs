//! Amazon's own Rust client, from a crate of its own (`tests/clients/rust`): this one's lock file holds
//! no HTTP client.

use std::path::Path;
use std::process::Command;

use crate::support::{Server, put};

#[test]
#[ignore = "builds aws-sdk-inspector, which it gets from crates.io"]
fn the_rust_client_walks_its_flows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/rust");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-client");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12-planted");
    put(data.path(), "debian-13");
    std::fs::write(data.path().join("agents/broken.assay"), "no snapshot").unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let walked = Command::new(target.join("debug/inspector-client"))
        .arg(format!("http://{}", server.address))
        .env("AWS_ACCESS_KEY_ID", client.id)
        .env("AWS_SECRET_ACCESS_KEY", client.secret)
        .output()
        .unwrap();
    let (said, problem) = (
        String::from_utf8_lossy(&walked.stdout).into_owned(),
        String::from_utf8_lossy(&walked.stderr).into_owned(),
    );
    assert!(walked.status.success(), "{said}\n{problem}");
    let found = said.trim().strip_suffix(" findings").and_then(|found| found.parse::<u32>().ok());
    assert!(found.is_some_and(|found| found > 100), "{said}");
    assert_eq!(server.end("-TERM"), Some(0));
}
