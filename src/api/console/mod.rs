//! The console: pages for people, made on the server, that work without scripts.
//!
//! It knows nothing of HTTP beyond what a page needs: [`Ask`] in, [`Told`] out. What changes
//! something goes through the operations of the API, so that both refuse the same things.

mod agents;
mod dashboard;
mod fields;
mod findings;
mod login;
mod page;
mod runs;
mod session;
mod targets;
mod templates;

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::fault::Fault;
use super::http::Credential;
use super::{Service, fault};

pub use fields::Fields;
use session::{Session, Sessions};

/// Where the console stands.
pub const ROOT: &str = "/console";

/// What pages may load and do: nothing from elsewhere, no scripts at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// What a browser asks for.
#[derive(Debug, Default)]
pub struct Ask<'a> {
    /// Whether it wants something changed.
    pub post: bool,
    /// The path after [`ROOT`].
    pub path: &'a str,
    /// The members of the address.
    pub query: Fields,
    /// The members of a form.
    pub form: Fields,
    /// The header `Cookie`.
    pub cookie: Option<&'a str>,
    /// Whether the browser says that a page from elsewhere asks.
    pub foreign: bool,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

/// The answer.
#[derive(Debug)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `Set-Cookie`.
    pub cookie: Option<String>,
    /// The header `Content-Security-Policy`.
    pub policy: &'static str,
    /// The name under which a browser keeps it.
    pub file: Option<String>,
}

/// The console of a service.
pub struct Console {
    service: Arc<Service>,
    /// Who may come in; none: anybody who can connect.
    credentials: Option<Arc<[Credential]>>,
    sessions: Sessions,
}

/// An ask of somebody who has come in.
struct Visit<'a> {
    service: &'a Service,
    ask: &'a Ask<'a>,
    session: &'a Session,
    /// Whether one can go out again.
    has_login: bool,
}

type Reply = Result<Told, Fault>;

impl Console {
    /// The console of a service.
    pub fn new(service: Arc<Service>, credentials: Option<Arc<[Credential]>>) -> Self {
        Self { service, credentials, sessions: Sessions::default() }
    }

    /// Answers.
    pub fn answer(&self, ask: &Ask<'_>) -> Told {
        if ask.path == "/style.css" && !ask.post {
            return Told::of("text/css; charset=utf-8", include_str!("style.css"));
        }
        let now = self.service.now();
        let Some((session, fresh)) = self.session(ask, now) else {
            return login::answer(self, ask, now);
        };
        let visit = Visit {
            service: &self.service,
            ask,
            session: &session,
            has_login: self.credentials.is_some(),
        };
        let refused = ask.post && (ask.foreign || !session.made(ask.form.get("form")));
        let mut told = if refused {
            visit.problem(403, "This form is not from this session. Go back, load the page again.")
        } else if ask.post && ask.path == "/logout" {
            self.sessions.end(ask.cookie);
            Told::to("/login").with_cookie(Some(session::gone(ask.secure)))
        } else {
            route(&visit).unwrap_or_else(|fault| visit.fault(&fault))
        };
        if let Some(cookie) = fresh {
            told = told.with_cookie(Some(cookie));
        }
        told
    }

    /// The session of who asks, and a cookie where it has just begun. Where nobody needs to log in, one
    /// begins by itself, so that forms from elsewhere are told apart all the same.
    fn session(
        &self,
        ask: &Ask<'_>,
        now: crate::assess::store::Millis,
    ) -> Option<(Session, Option<String>)> {
        if let Some(session) = self.sessions.find(ask.cookie, now) {
            return Some((session, None));
        }
        if self.credentials.is_some() {
            return None;
        }
        let (session, cookie) = self.sessions.begin("everybody", ask.secure, now)?;
        Some((session, Some(cookie)))
    }
}

/// Who answers which path.
fn route(visit: &Visit<'_>) -> Reply {
    match (visit.ask.post, visit.ask.path) {
        (false, "" | "/") => dashboard::show(visit),
        (false, "/targets") => targets::list(visit),
        (true, "/targets") => targets::create(visit),
        (true, "/targets/delete") => targets::delete(visit),
        (false, "/templates") => templates::list(visit),
        (false, "/templates/new") => templates::form(visit),
        (true, "/templates/new") => templates::create(visit),
        (true, "/templates/run") => templates::run(visit),
        (true, "/templates/delete") => templates::delete(visit),
        (false, "/runs") => runs::list(visit),
        (false, "/runs/show") => runs::show(visit),
        (false, "/runs/report") => runs::download(visit),
        (true, "/runs/stop") => runs::stop(visit),
        (true, "/runs/delete") => runs::delete(visit),
        (false, "/findings") => findings::list(visit),
        (false, "/findings/show") => findings::show(visit),
        (false, "/agents") => agents::list(visit),
        (false, "/login") => Ok(Told::to("/")),
        _ => Ok(visit.problem(404, "There is no such page.")),
    }
}

impl Visit<'_> {
    /// Calls an operation of the API.
    fn call(&self, operation: &str, members: &Json) -> fault::Result<Json> {
        let empty = Map::new();
        let members = members.as_object().unwrap_or(&empty);
        // The console asks for nothing that has an address outside of it.
        Ok(self.service.call(operation, members, "")?.unwrap_or(Json::Null))
    }
}

impl Told {
    fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            kind,
            body: body.into(),
            location: None,
            cookie: None,
            policy: POLICY,
            file: None,
        }
    }

    /// Sends the browser to another page of the console, to read it.
    fn to(path: &str) -> Self {
        let location = Some(format!("{ROOT}{path}"));
        Self { status: 303, location, ..Self::of("text/plain; charset=utf-8", "") }
    }

    fn with_cookie(self, cookie: Option<String>) -> Self {
        Self { cookie, ..self }
    }
}
