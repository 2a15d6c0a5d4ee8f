//! The clients that people have: boto3 and the AWS command line, over every operation.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{Server, put};

/// Runs a Python program against a fresh server with two hosts and a file that is no snapshot.
fn python(program: impl AsRef<Path>) -> String {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12-planted");
    put(data.path(), "debian-13");
    std::fs::write(data.path().join("agents/broken.assay"), "no snapshot").unwrap();
    let topic = "arn:aws:sns:us-east-1:000000000000:spooled";
    let topics = json!({"topics": {topic: {"spool": "spool"}}});
    std::fs::write(data.path().join("topics.json"), topics.to_string()).unwrap();
    let server = Server::start(data.path(), &[]);
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(program))
        .arg(format!("http://{}", server.address))
        .env("AWS_SHARED_CREDENTIALS_FILE", data.path().join("credentials"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{problem}");
    assert_eq!(server.end("-TERM"), Some(0));
    said
}

#[test]
#[ignore = "needs boto3 (.ci/requirements.txt)"]
fn boto3_gets_what_its_model_says() {
    let said = python("tests/api_http/walk.py");
    assert!(said.starts_with("37 operations"), "{said}");
}

#[test]
#[ignore = "needs the AWS command line (.ci/requirements.txt)"]
fn the_aws_command_line_knows_every_operation() {
    let said = python("tests/api_http/walk_cli.py");
    assert!(said.starts_with("37 operations"), "{said}");
}

/// The Python of the README, against this server.
#[test]
#[ignore = "needs boto3 (.ci/requirements.txt)"]
fn the_readme_is_right() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    assert!(program.contains("http://127.0.0.1:8080") && program.contains("assay-data"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let program = program
        .replace("\"http://127.0.0.1:8080\"", "__import__('sys').argv[1]")
        .replace("\"assay-data/credentials\"", "os.environ[\"AWS_SHARED_CREDENTIALS_FILE\"]");
    std::fs::write(file.path(), program).unwrap();
    let said = python(file.path());
    assert_eq!(said.matches(":rulespackage/").count(), 4, "{said}");
}

#[test]
#[ignore = "needs boto3 (.ci/requirements.txt)"]
fn the_example_gates() {
    let said = python("examples/inspector_gate.py");
    assert!(said.contains("High"), "{said}");
}
