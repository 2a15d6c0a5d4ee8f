//! Who is answered, what is refused, and that a server starts and ends as it should.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::{Client, Server, put};

#[test]
fn a_signed_request_is_answered() {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12-planted");
    let server = Server::start(data.path(), &[]);
    assert!(server.said.contains("AWS_SHARED_CREDENTIALS_FILE"), "{}", server.said);
    let client = server.client();
    let answer = client.try_call("ListRulesPackages", &json!({})).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(answer.header("x-amzn-requestid").unwrap().len(), 36);
    assert_eq!(answer.json()["rulesPackageArns"].as_array().unwrap().len(), 4);
    let template = client.template("all", &[2]);
    let run = client.finished(&client.start(&template));
    assert_eq!(run["state"], "COMPLETED");
    reports(&client, &run);
    let deleted = client.try_call("DeleteAssessmentRun", &json!({"assessmentRunArn": run["arn"]}));
    let deleted = deleted.unwrap();
    assert_eq!((deleted.status, deleted.body.len()), (200, 0));
    let again = client.try_call("DeleteAssessmentRun", &json!({"assessmentRunArn": run["arn"]}));
    let again = again.unwrap();
    assert_eq!((again.status, again.fault()), (400, "NoSuchEntityException".into()));
    assert_eq!(again.json()["errorCode"], "ASSESSMENT_RUN_DOES_NOT_EXIST");
    assert_eq!(server.end("-TERM"), Some(0));

    let server = Server::start(data.path(), &[]);
    assert!(!server.said.contains("export"), "{}", server.said);
    let listed = server.client().call("ListAssessmentTemplates", json!({}));
    assert_eq!(listed["assessmentTemplateArns"], json!([template]));
    assert_eq!(server.end("-INT"), Some(0));
}

/// Reports of a run are made and read at their addresses, without a signature.
fn reports(client: &Client, run: &Json) {
    let ask = |format: &str, kind: &str| {
        let asked = json!({
            "assessmentRunArn": run["arn"], "reportFileFormat": format, "reportType": kind,
        });
        client.call("GetAssessmentReport", asked)
    };
    for (format, kind) in [("HTML", "FINDING"), ("HTML", "FULL"), ("PDF", "FULL")] {
        while ask(format, kind)["status"] == "WORK_IN_PROGRESS" {
            std::thread::sleep(Duration::from_millis(20));
        }
        let made = ask(format, kind);
        assert_eq!(made["status"], "COMPLETED");
        let url = made["url"].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{}", client.address)).unwrap();
        let page = client.get(path);
        assert_eq!(page.status, 200);
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        if format == "PDF" {
            assert_eq!(page.header("content-type"), Some("application/pdf"));
            assert!(page.body.starts_with(b"%PDF-"));
            continue;
        }
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let text = page.text();
        assert!(
            text.contains("COMPLETED") && text.contains("Disable root login over SSH"),
            "{text}"
        );
        assert!(text.contains("<h2 id=\"rules\">") == (kind == "FULL"));
        for other in ["", ".pdf", "x.html", "/../../credentials", ".html/"] {
            let path = path.replace(".html", other);
            assert_eq!(client.get(&path).status, 404, "{path}");
        }
    }
}

#[test]
fn what_is_not_rightly_signed_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let good = client.request("ListRulesPackages", b"{}");
    assert_eq!(client.send(&good).unwrap().status, 200);
    let authorization = good.headers.iter().find(|(name, _)| name == "authorization").unwrap();
    let changed = |from: &str, to: &str| authorization.1.replace(from, to);
    let mut other_body = good.clone();
    other_body.body = b"[]".to_vec();
    let mut other_client = client.clone();
    other_client.secret = "0".repeat(40);
    let mut stranger = client.clone();
    stranger.id = "ASSA0000000000000000".into();
    let stamp = &authorization.1[authorization.1.len() - 1..];
    let flipped = if stamp == "0" { "1" } else { "0" };
    let mut cut = authorization.1.clone();
    cut.pop();
    let late = crate::support::now() - 3600;
    let early = crate::support::now() + 3600;
    let list = "ListRulesPackages";
    let cases = [
        (
            "no signature",
            good.clone().with("authorization", None),
            "MissingAuthenticationTokenException",
        ),
        (
            "another scheme",
            good.clone().with("authorization", Some("Basic YTpi")),
            "IncompleteSignatureException",
        ),
        ("another body", other_body, "UnrecognizedClientException"),
        (
            "another operation",
            good.clone().with("x-amz-target", Some("InspectorService.ListFindings")),
            "UnrecognizedClientException",
        ),
        ("another secret", other_client.request(list, b"{}"), "UnrecognizedClientException"),
        ("an unknown key", stranger.request(list, b"{}"), "UnrecognizedClientException"),
        (
            "a changed digit",
            good.clone().with("authorization", Some(&format!("{cut}{flipped}"))),
            "UnrecognizedClientException",
        ),
        (
            "a digit less",
            good.clone().with("authorization", Some(&cut)),
            "IncompleteSignatureException",
        ),
        (
            "a shorter signature",
            good.clone().with("authorization", Some(&cut[..cut.len() - 1])),
            "UnrecognizedClientException",
        ),
        (
            "another service",
            good.clone().with("authorization", Some(&changed("/inspector/", "/s3/"))),
            "IncompleteSignatureException",
        ),
        (
            "a target that is not signed",
            good.clone().with("authorization", Some(&changed(";x-amz-target", ""))),
            "IncompleteSignatureException",
        ),
        ("an old request", client.request_at(list, b"{}", late), "InvalidSignatureException"),
        ("one of the future", client.request_at(list, b"{}", early), "InvalidSignatureException"),
        (
            "another day",
            good.clone().with("x-amz-date", Some("20160322T205821Z")),
            "IncompleteSignatureException",
        ),
        ("no date", good.clone().with("x-amz-date", None), "IncompleteSignatureException"),
    ];
    for (what, request, fault) in cases {
        let answer = client.send(&request).unwrap();
        assert_eq!(answer.fault(), fault, "{what}: {}", answer.text());
        assert!([400, 403].contains(&answer.status), "{what}");
    }
    assert_eq!(client.send(&good).unwrap().status, 200);
}

#[test]
fn requests_of_another_form_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--no-auth"]);
    let client = server.client();
    let good = client.request("ListRulesPackages", b"{}");
    let post = |headers: &[(&str, Option<&str>)]| {
        let request = headers.iter().fold(good.clone(), |r, (name, value)| r.with(name, *value));
        client.send(&request).unwrap()
    };
    assert_eq!(post(&[("authorization", None)]).status, 200);
    assert_eq!(post(&[("content-type", Some("text/plain"))]).status, 415);
    assert_eq!(post(&[("content-type", None)]).status, 415);
    assert_eq!(post(&[("x-amz-target", None)]).fault(), "UnknownOperationException");
    assert_eq!(
        post(&[("x-amz-target", Some("InspectorService.Nothing"))]).fault(),
        "UnknownOperationException"
    );
    assert_eq!(post(&[("host", Some("inspector.example.com"))]).status, 421);
    assert_eq!(post(&[("host", None)]).status, 421);
    assert_eq!(post(&[("host", Some("localhost"))]).status, 200);
    assert_eq!(post(&[("host", Some("[::1]:8080"))]).status, 200);
    assert_eq!(client.get("/").status, 405);
    for path in ["/x", "/../etc/passwd", "/%2e%2e/credentials", "//", "/?a=b", "/reports/x"] {
        let answer = client.get(path);
        assert!([400, 404, 405].contains(&answer.status), "{path}: {}", answer.status);
    }
}

#[test]
fn a_directory_is_served_by_one_and_a_bad_start_says_why() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(data.path(), &[]);
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_assay"))
            .args(["serve", "--data"])
            .arg(data.path())
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), said)
    };
    let free = ["--listen", "127.0.0.1:0"];
    let (code, said) = run(&free);
    assert!(code == 4 && said.contains("D002"), "{code} {said}");
    let (code, said) = run(&["--listen", &first.address]);
    assert!(code == 4 && said.contains("D003"), "{code} {said}");
    drop(first);
    for (arguments, wanted, word) in [
        (vec!["--listen", "0.0.0.0:0"], 2, "D008"),
        (vec!["--listen", "0.0.0.0:0", "--allow-remote"], 2, "D008"),
        (vec!["--listen", "0.0.0.0:0", "--no-auth"], 2, "D008"),
        (vec!["--listen", "nonsense"], 2, "--listen"),
        (vec!["--listen", "127.0.0.1:0", "--tls-cert", "x", "--tls-key", "y"], 4, "D005"),
    ] {
        let (code, said) = run(&arguments);
        assert!(code == wanted && said.contains(word), "{arguments:?}: {code} {said}");
    }
    std::fs::write(data.path().join("topics.json"), "{").unwrap();
    let (code, said) = run(&free);
    assert!(code == 4 && said.contains("D007"), "{code} {said}");
    std::fs::remove_file(data.path().join("topics.json")).unwrap();
    std::fs::write(data.path().join("credentials"), "nonsense").unwrap();
    let (code, said) = run(&free);
    assert!(code == 4 && said.contains("D004"), "{code} {said}");
}
