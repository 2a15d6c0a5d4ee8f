//! The clients that people have: boto3 and the AWS command line, over every operation.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{Server, put};

/// Runs a Python program against a fresh server with two hosts and a file that is no snapshot.
fn python(program: impl AsRef<Path>) -> String {
    let data = tempfile::tempdir().unwrap();
    let server = prepare(data.path(), &[]);
    let url = format!("http://{}", server.address);
    run(program, server, &url)
}

fn prepare(data: &Path, more: &[&str]) -> Server {
    put(data, "debian-12-planted");
    put(data, "debian-13");
    std::fs::write(data.join("agents/broken.assay"), "no snapshot").unwrap();
    let topic = "arn:aws:sns:us-east-1:000000000000:spooled";
    let topics = json!({"topics": {topic: {"spool": "spool"}}});
    std::fs::write(data.join("topics.json"), topics.to_string()).unwrap();
    Server::start(data, more)
}

fn run(program: impl AsRef<Path>, server: Server, url: &str) -> String {
    let mut command = Command::new("python3");
    let certificate = server.data.join("cert.pem");
    if certificate.exists() {
        command.env("AWS_CA_BUNDLE", &certificate).env("ASSAY_CERTIFICATE", &certificate);
    }
    let output = command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(program))
        .arg(url)
        .env("AWS_SHARED_CREDENTIALS_FILE", server.data.join("credentials"))
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

#[test]
#[ignore = "needs boto3 (.ci/requirements.txt) and openssl"]
fn others_reach_it_with_a_certificate() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=assay", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let more = ["--allow-remote", "--tls-cert", &certificate, "--tls-key", &key];
    let server = prepare(data.path(), &[&more[..], &["--listen", "0.0.0.0:0"]].concat());
    let (_, port) = server.address.rsplit_once(':').unwrap();
    // Who speaks no TLS gets no answer.
    let plain = crate::support::Client { address: format!("127.0.0.1:{port}"), ..server.client() };
    assert!(plain.try_call("ListFindings", &json!({})).is_none());
    let url = format!("https://127.0.0.1:{port}");
    let said = run("tests/api_http/walk.py", server, &url);
    assert!(said.starts_with("37 operations"), "{said}");
}
