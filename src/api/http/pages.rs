//! Pages of the console over HTTP.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};

use super::answer::{Answer, House, plain, read, respond};
use crate::api::console::{Ask, Fields, Told};

const FORM: &str = "application/x-www-form-urlencoded";

/// Answers an ask for a page; `path` is what follows the console's root.
pub(super) async fn answer(house: &House, path: String, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let post = match head.method {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => {
            let mut answer = plain(405, "Pages are asked for by GET and POST.");
            let allow = HeaderValue::from_static("GET, HEAD, POST");
            answer.headers_mut().insert(header::ALLOW, allow);
            return answer;
        }
    };
    let mut form = Fields::default();
    if post {
        if text(&head.headers, header::CONTENT_TYPE).is_none_or(|kind| !kind.starts_with(FORM)) {
            return plain(415, "The console takes forms only.");
        }
        match read(body).await {
            Ok(bytes) => form = Fields::read(&bytes),
            Err(why) => return plain(why.status(), why.message()),
        }
    }
    let query = Fields::read(head.uri.query().unwrap_or_default().as_bytes());
    let foreign = is_foreign(&head.headers);
    let cookie = text(&head.headers, header::COOKIE).map(str::to_owned);
    let (console, secure) = (Arc::clone(&house.console), house.scheme == "https");
    // The store waits for the disk.
    let worked = tokio::task::spawn_blocking(move || {
        let cookie = cookie.as_deref();
        console.answer(&Ask { post, path: &path, query, form, cookie, foreign, secure })
    });
    match worked.await {
        Ok(told) => dress(told),
        Err(_) => plain(500, "assay made a mistake."),
    }
}

/// The text of a header that is there once.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// Whether the browser says that a page from elsewhere asks. `Origin` is `null` where a page asks that
/// gives no referrer, as those of the console.
fn is_foreign(headers: &HeaderMap) -> bool {
    if headers.contains_key("sec-fetch-site") {
        let site = text(headers, HeaderName::from_static("sec-fetch-site"));
        return !matches!(site, Some("same-origin" | "none"));
    }
    let origin = text(headers, header::ORIGIN).filter(|origin| *origin != "null");
    let host = text(headers, header::HOST).unwrap_or_default();
    origin.is_some_and(|origin| origin.split_once("://").map(|(_, name)| name) != Some(host))
}

fn dress(told: Told) -> Answer {
    let mut answer = respond(told.status, told.kind, told.body);
    let headers = answer.headers_mut();
    let file = told.file.map(|name| format!("attachment; filename=\"{name}\""));
    let optional = [
        (header::LOCATION, told.location),
        (header::SET_COOKIE, told.cookie),
        (header::CONTENT_DISPOSITION, file),
    ];
    for (name, value) in optional {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    let policy = HeaderValue::from_static(told.policy);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_from_elsewhere_are_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        let host = ("host", "127.0.0.1:8080");
        for (given, foreign) in [
            (vec![host], false),
            (vec![host, ("origin", "http://127.0.0.1:8080")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "http://127.0.0.1:80")], true),
            (vec![host, ("origin", "https://evil.example")], true),
            (vec![host, ("sec-fetch-site", "same-origin"), ("origin", "null")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (vec![host, ("sec-fetch-site", "same-site")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], true),
        ] {
            assert_eq!(is_foreign(&headers(&given)), foreign, "{given:?}");
        }
    }
}
