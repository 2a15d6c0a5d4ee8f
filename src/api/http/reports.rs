//! Reports by their addresses, which are secrets.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request};

use super::answer::{Answer, House, plain, respond};

/// A page of its own: it may load nothing, send nothing, and be shown in no other.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Answers a request for a report.
pub(super) async fn answer(house: &House, request: &Request<Incoming>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(405, "A report can be read only.");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let (service, path) = (Arc::clone(&house.site.service), request.uri().path().to_owned());
    // The store waits for the disk.
    let found = tokio::task::spawn_blocking(move || service.report_at(&path)).await;
    let Ok(Some(made)) = found else {
        return plain(404, "There is no such report.");
    };
    let mut answer = respond(200, made.content_type, made.bytes);
    let policy = HeaderValue::from_static(POLICY);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}
