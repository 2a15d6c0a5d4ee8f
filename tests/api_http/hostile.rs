//! Requests that mean harm: the server refuses them, stays up, and its memory stays bounded.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::support::{Client, Server, receive};

/// More than the server needs with every rule in a build that is not optimised, KiB.
const MEMORY: u64 = 300 * 1024;
const MEBIBYTE: usize = 1 << 20;

/// Sends bytes and gives the status of the answer; none where the connection was closed instead.
fn status(client: &Client, bytes: &[u8]) -> Option<u16> {
    let mut stream = client.connect();
    // The server may close before it has all.
    let _ = stream.write_all(bytes);
    receive(&mut stream).map(|answer| answer.status)
}

/// The head of a request that is signed for another body.
fn head(client: &Client, body: &str) -> String {
    let request = client.request("ListFindings", b"{}").with("content-length", None);
    let mut head = String::from("POST / HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + body + "\r\n\r\n"
}

#[test]
fn bodies_without_end_are_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let announced = head(&client, "content-length: 104857600");
    assert_eq!(status(&client, announced.as_bytes()), Some(413));

    // Whoever is not known is refused before a byte of the body is read.
    let unsigned = announced.replace("authorization", "x-authorization");
    assert_eq!(status(&client, unsigned.as_bytes()), Some(403));

    // No length is announced, and nothing ends.
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut endless = head(&client, "transfer-encoding: chunked").into_bytes();
    for _ in 0..(100 * MEBIBYTE / 0x10000) {
        endless.extend_from_slice(chunk.as_bytes());
    }
    let many: Vec<_> = (0..8)
        .map(|_| {
            let (client, endless) = (client.clone(), endless.clone());
            std::thread::spawn(move || status(&client, &endless))
        })
        .collect();
    for one in many {
        // The answer can be lost where the client still sends.
        let status = one.join().unwrap();
        assert!(matches!(status, Some(413) | None), "{status:?}");
    }
    let memory = server.peak_memory();
    assert!(memory < MEMORY, "{memory} KiB");
    assert_eq!(client.call("ListFindings", json!({})), json!({"findingArns": []}));
}

#[test]
fn json_that_means_harm_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let deep = format!("{{\"filter\": {}}}", "[".repeat(MEBIBYTE / 2));
    let closed = format!("{{\"filter\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 9] = [
        deep.as_bytes(),
        closed.as_bytes(),
        b"[]",
        b"null",
        b"\"text\"",
        b"{",
        b"{} {}",
        b"{\"a\": \xff}",
        b"{\"maxResults\": 1e999}",
    ];
    for body in bodies {
        let answer = client.send(&client.request("ListFindings", body)).unwrap();
        assert_eq!((answer.status, answer.fault().as_str()), (400, "SerializationException"));
    }
    // Texts that are kept are given back as they were, and say nothing else.
    let name = "</script>\u{1b}[31m\u{202e}'; DROP TABLE targets; --\u{0}é";
    let made = client.call("CreateAssessmentTarget", json!({"assessmentTargetName": name}));
    let arns = json!({"assessmentTargetArns": [made["assessmentTargetArn"]]});
    let found = client.call("DescribeAssessmentTargets", arns);
    assert_eq!(found["assessmentTargets"][0]["name"], name);
    let huge = json!({"assessmentTargetName": "n".repeat(MEBIBYTE / 2)});
    let answer = client.try_call("CreateAssessmentTarget", &huge).unwrap();
    assert_eq!(answer.fault(), "InvalidInputException");
    assert!(answer.body.len() < 1000, "what was sent is not sent back");
    let twice =
        client.send(&client.request("ListFindings", b"{\"maxResults\":1,\"maxResults\":2}"));
    assert_eq!(twice.unwrap().status, 200);
    assert!(server.peak_memory() < MEMORY);
}

#[test]
fn what_is_no_request_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let host = format!("host: {}\r\n", client.address);
    let many: String = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(MEBIBYTE));
    let path = format!("/{}", "a".repeat(MEBIBYTE));
    let cases = [
        format!("POST / HTTP/1.1\r\n{host}{many}\r\n"),
        format!("POST / HTTP/1.1\r\n{host}{long}\r\n"),
        format!("GET {path} HTTP/1.1\r\n{host}\r\n"),
        format!("POST / HTTP/1.1\r\n{host}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"),
        format!("POST / HTTP/1.1\r\n{host}content-length: -1\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{host}x\u{0}: y\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{host} folded\r\n\r\n"),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("CONNECT example.com:443 HTTP/1.1\r\n{host}\r\n"),
        format!("GET http://example.com/ HTTP/1.1\r\n{host}\r\n"),
        format!("OPTIONS * HTTP/1.1\r\n{host}\r\n"),
    ];
    for case in cases {
        let shown = &case[..case.len().min(60)];
        let status = status(&client, case.as_bytes());
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{shown}: {status:?}");
    }
    assert_eq!(client.try_call("ListFindings", &json!({})).unwrap().status, 200);
    assert!(server.peak_memory() < MEMORY);
}

#[test]
fn pages_of_other_sites_reach_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--no-auth"]);
    let client = server.client();
    let good = client.request("ListFindings", b"{}");
    // What a browser sends for a page of another site without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = client.send(&good.clone().with("content-type", Some(kind))).unwrap();
        assert_eq!(answer.status, 415, "{kind}");
    }
    // What it sends to ask first is not answered with a yes.
    let host = &client.address;
    let asked = format!(
        "OPTIONS / HTTP/1.1\r\nhost: {host}\r\norigin: http://example.com\r\n\
         access-control-request-method: POST\r\n\
         access-control-request-headers: content-type,x-amz-target\r\n\r\n"
    );
    let mut stream = client.connect();
    stream.write_all(asked.as_bytes()).unwrap();
    let answer = receive(&mut stream).unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    // A name of their own that leads here.
    let answer = client.send(&good.with("host", Some("rebound.example.com"))).unwrap();
    assert_eq!(answer.status, 421);
}

/// Opens connections that send a part of a request and then nothing.
fn slow(client: &Client, count: usize) -> Vec<TcpStream> {
    let parts = ["", "P", "POST / HTTP/1.1\r\nhost: x\r\n", "POST / HTTP/1.1\r\nx-"];
    let head = head(client, "content-length: 100");
    (0..count)
        .map(|number| {
            let mut stream = client.connect();
            let part = parts.get(number % 5).copied().unwrap_or(head.as_str());
            stream.write_all(part.as_bytes()).unwrap();
            stream
        })
        .collect()
}

#[test]
fn the_slow_do_not_hold_up_others() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let held = slow(&client, 200);
    for _ in 0..20 {
        assert_eq!(client.try_call("ListFindings", &json!({})).unwrap().status, 200);
    }
    assert!(server.peak_memory() < MEMORY);
    drop(held);
    // A server that is to end does not wait for them for long.
    let held = slow(&client, 50);
    assert_eq!(server.end("-TERM"), Some(0));
    drop(held);
}

#[test]
#[ignore = "waits until the server loses its patience, half a minute"]
fn the_slow_are_let_go() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    // More than there may be at once, so that a good request waits for its turn and then has it.
    let held = slow(&client, 400);
    assert_eq!(client.try_call("ListFindings", &json!({})).unwrap().status, 200);
    let let_go = |mut stream: TcpStream| {
        let mut rest = Vec::new();
        // The end of the stream, an answer that says why and then the end, or a reset.
        stream.read_to_end(&mut rest).is_ok() || rest.is_empty()
    };
    assert!(held.into_iter().take(100).all(let_go));
    assert!(server.peak_memory() < MEMORY);
    assert_eq!(server.end("-TERM"), Some(0));
}
