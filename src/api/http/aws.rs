//! AWS JSON 1.1: an operation's name in a header, its members as a JSON object.

use std::sync::Arc;

use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use serde_json::{Map, Value as Json};

use super::answer::{Answer, House, read, respond};
use super::sigv4;
use crate::api::fault::{Fault, Result};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// What comes before the operation's name.
const TARGET: &str = "InspectorService.";

/// Answers a call of the API.
pub(super) async fn answer(house: &House, request: Request<Incoming>, origin: String) -> Answer {
    let result = match operation(&request) {
        Err(fault) => Err(fault),
        Ok(operation) => call(house, operation, request, origin).await,
    };
    match result {
        Ok(None) => respond(200, CONTENT_TYPE, Bytes::new()),
        Ok(Some(json)) => respond(200, CONTENT_TYPE, json.to_string()),
        Err(fault) => {
            let mut answer = respond(fault.status, CONTENT_TYPE, fault.body().to_string());
            if fault.status == 405 {
                answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            answer
        }
    }
}

/// The operation that a request is for.
fn operation(request: &Request<Incoming>) -> Result<String> {
    if request.method() != hyper::Method::POST {
        return Err(Fault::protocol("MethodNotAllowedException", 405, "The API is asked by POST."));
    }
    if request.uri().query().is_some() {
        let message = "The API takes no parameters in the address.";
        return Err(Fault::protocol("ValidationException", 400, message));
    }
    let headers = request.headers();
    if !is_json(headers) {
        let message = format!("The content type must be {CONTENT_TYPE}.");
        return Err(Fault::protocol("UnsupportedMediaTypeException", 415, message));
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(TARGET));
    operation.map(str::to_owned).ok_or_else(|| {
        let message = format!("The header X-Amz-Target must be {TARGET} and an operation.");
        Fault::protocol("UnknownOperationException", 400, message)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(CONTENT_TYPE))
}

async fn call(
    house: &House,
    operation: String,
    request: Request<Incoming>,
    origin: String,
) -> Result<Option<Json>> {
    let (head, body) = request.into_parts();
    let service = Arc::clone(&house.site.service);
    let claim = match &house.site.credentials {
        None => None,
        Some(known) => Some(sigv4::claim(known, &head.headers, service.now())?),
    };
    let body = read(body)
        .await
        .map_err(|why| Fault::protocol("RequestBodyException", why.status(), why.message()))?;
    if let Some(claim) = claim {
        claim.verify(&head, &body)?;
    }
    let members = members(&body)?;
    // The store waits for the disk.
    let worked = tokio::task::spawn_blocking(move || service.call(&operation, &members, &origin));
    worked.await.unwrap_or_else(|_| Err(Fault::internal("assay made a mistake.")))
}

/// The members of a request. serde_json refuses what is nested too deeply.
fn members(body: &[u8]) -> Result<Map<String, Json>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let serialization = |message: String| Fault::protocol("SerializationException", 400, message);
    match serde_json::from_slice(body) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(serialization("The request must be a JSON object.".into())),
        Err(error) => Err(serialization(format!("The request is not JSON: {error}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(members(b"").unwrap().is_empty());
        assert_eq!(members(b"{\"a\": 1}").unwrap().len(), 1);
        let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        let deep = format!("{{\"a\": {deep}}}");
        for bad in ["[]", "null", "{", "{\"a\": 1} x", "\u{feff}{}", deep.as_str()] {
            assert_eq!(members(bad.as_bytes()).unwrap_err().name, "SerializationException");
        }
        assert_eq!(members(b"\xff\xfe").unwrap_err().status, 400);
    }
}
