//! Who answers which path, and what every answer has.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::{Site, aws, pages, reports};
use crate::api::console::{self, Console};
use crate::api::uuid;

/// The largest body of a request, bytes. The largest that is of use is a filter of findings with
/// every list full, half as large.
const LARGEST_BODY: usize = 1 << 20;
/// The longest name of a host (RFC 1035), with a port.
const LONGEST_HOST: usize = 253 + 6;
/// How long a client may take to send a body.
const SENDING: Duration = Duration::from_secs(30);

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// A site, and who can reach it.
pub(super) struct House {
    pub(super) site: Site,
    pub(super) console: Arc<Console>,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// Whether only this machine can connect.
    pub(super) loopback: bool,
}

/// Why a body is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
}

impl Unread {
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::Broken => 400,
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::TooLarge => "The request is larger than 1 MiB.",
            Self::TooSlow => "The request was not sent within 30 seconds.",
            Self::Broken => "The request broke off.",
        }
    }
}

/// The body of a request, within the limits of size and time.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Unread> {
    let most = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
    if body.size_hint().lower() > most {
        return Err(Unread::TooLarge);
    }
    let collected = Limited::new(body, LARGEST_BODY).collect();
    match tokio::time::timeout(SENDING, collected).await {
        Err(_) => Err(Unread::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::Broken),
    }
}

/// Answers a request.
pub(super) async fn answer(house: Arc<House>, request: Request<Incoming>) -> Answer {
    let mut answer = match host(&house, request.headers()) {
        Err(message) => plain(421, message),
        Ok(host) => {
            let origin = format!("{}://{host}", house.scheme);
            match request.uri().path() {
                "/" => aws::answer(&house, request, origin).await,
                path if path.starts_with("/reports/") => reports::answer(&house, &request).await,
                path => match path.strip_prefix(console::ROOT) {
                    Some(path) if path.is_empty() || path.starts_with('/') => {
                        let path = path.to_owned();
                        pages::answer(&house, path, request).await
                    }
                    _ => plain(404, "There is nothing here."),
                },
            }
        }
    };
    let headers = answer.headers_mut();
    let always = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&uuid()) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    // What was not read is not waited for.
    if answer.status() == StatusCode::PAYLOAD_TOO_LARGE
        || answer.status() == StatusCode::REQUEST_TIMEOUT
    {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// Checks the host that a request names. Where only this machine can connect it must be a name of this
/// machine, so that no page from elsewhere that a browser shows can reach the service under a name
/// of its own.
fn host(house: &House, headers: &HeaderMap) -> Result<String, &'static str> {
    const BAD: &str = "The request names no host, or several.";
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).ok_or(BAD)?;
    let authority: hyper::http::uri::Authority = host.parse().map_err(|_| BAD)?;
    if hosts.next().is_some() || authority.as_str().contains('@') || host.len() > LONGEST_HOST {
        return Err(BAD);
    }
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let local = address.is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost");
    if house.loopback && !local {
        return Err("This server is for this machine only: ask for localhost or 127.0.0.1.");
    }
    Ok(authority.to_string())
}

/// An answer for people.
pub(super) fn plain(status: u16, message: &str) -> Answer {
    respond(status, "text/plain; charset=utf-8", format!("{message}\n"))
}

/// An answer.
pub(super) fn respond(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
