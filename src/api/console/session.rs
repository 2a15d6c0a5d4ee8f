//! Sessions: who has come in, in memory only. A cookie names a session by a random text of which the
//! console keeps the hash; forms carry another, which pages from elsewhere cannot know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use crate::assess::store::Millis;

const COOKIE: &str = "assay_session";
/// How long a session lasts that nobody uses, milliseconds.
const IDLE: i64 = 8 * 60 * 60 * 1000;
/// The most sessions; the one that ends first makes room.
const MOST: usize = 1000;
/// How many failed logins there may be within [`PAUSE`], whoever tries.
const TRIES: usize = 20;
/// Milliseconds.
const PAUSE: i64 = 60 * 1000;

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Who has come in.
    pub(super) who: String,
    /// What the forms of this session carry.
    pub(super) form: String,
    /// What is to be said on the next page, and whether it is good news.
    message: Arc<Mutex<Option<(bool, String)>>>,
    until: i64,
}

impl Session {
    /// Whether a form is one of this session's.
    pub(super) fn made(&self, form: &str) -> bool {
        // Hashes are compared in constant time.
        blake3::hash(form.as_bytes()) == blake3::hash(self.form.as_bytes())
    }

    /// Keeps a message for the next page.
    pub(super) fn say(&self, good: bool, message: impl Into<String>) {
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = Some((good, message.into()));
    }

    /// The message that waits.
    pub(super) fn said(&self) -> Option<(bool, String)> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The sessions there are.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    sessions: BTreeMap<[u8; 32], Session>,
    failures: Vec<i64>,
}

fn random() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn key(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// The token in a header `Cookie`.
fn token(cookie: &str) -> Option<&str> {
    cookie.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn cookie(token: &str, secure: bool, age: i64) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let root = super::ROOT;
    format!("{COOKIE}={token}; Path={root}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

/// A cookie that takes the session's away.
pub(super) fn gone(secure: bool) -> String {
    cookie("", secure, 0)
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session; gives it and its cookie. None where the system gives no random bytes.
    pub(super) fn begin(&self, who: &str, secure: bool, now: Millis) -> Option<(Session, String)> {
        let (token, form) = (random()?, random()?);
        let until = now.0 + IDLE;
        let session = Session { who: who.to_owned(), form, message: Arc::default(), until };
        let mut open = self.open();
        open.sessions.retain(|_, session| session.until > now.0);
        if open.sessions.len() >= MOST {
            let first = open.sessions.iter().min_by_key(|(_, session)| session.until);
            if let Some(first) = first.map(|(key, _)| *key) {
                open.sessions.remove(&first);
            }
        }
        open.sessions.insert(key(&token), session.clone());
        Some((session, cookie(&token, secure, IDLE / 1000)))
    }

    /// The session of a cookie.
    pub(super) fn find(&self, cookie: Option<&str>, now: Millis) -> Option<Session> {
        let mut open = self.open();
        let session = open.sessions.get_mut(&key(token(cookie?)?))?;
        if session.until <= now.0 {
            return None;
        }
        session.until = now.0 + IDLE;
        Some(session.clone())
    }

    /// Ends the session of a cookie.
    pub(super) fn end(&self, cookie: Option<&str>) {
        if let Some(token) = cookie.and_then(token) {
            self.open().sessions.remove(&key(token));
        }
    }

    /// Whether one may try to come in: not too many have failed just now.
    pub(super) fn may_try(&self, now: Millis) -> bool {
        let mut open = self.open();
        open.failures.retain(|at| at + PAUSE > now.0);
        open.failures.len() < TRIES
    }

    /// Notes that somebody failed to come in.
    pub(super) fn failed(&self, now: Millis) {
        self.open().failures.push(now.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_cookie_until_it_is_over() {
        let sessions = Sessions::default();
        let (session, cookie) = sessions.begin("A", true, Millis(0)).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"));
        let sent = cookie.split(';').next().unwrap();
        let found = |header: &str, now| sessions.find(Some(header), Millis(now));
        assert!(found(&format!("x=1; {sent}; y=2"), 1).unwrap().made(&session.form));
        assert!(!session.made("") && !session.made(&"0".repeat(64)));
        for header in ["", "assay_session=", "assay_session", "x", &sent.replace('=', "=0")] {
            assert!(found(header, 1).is_none(), "{header}");
        }
        assert!(found(sent, IDLE - 1).is_some(), "it is used");
        assert!(found(sent, IDLE + 1).is_some(), "and lasts longer for it");
        assert!(found(sent, 3 * IDLE).is_none());
        let (_, cookie) = sessions.begin("A", false, Millis(0)).unwrap();
        sessions.end(Some(&cookie));
        assert!(sessions.find(Some(&cookie), Millis(0)).is_none());
    }

    #[test]
    fn there_are_so_many_sessions_and_tries() {
        let sessions = Sessions::default();
        let (_, first) = sessions.begin("A", false, Millis(0)).unwrap();
        for at in 1..=1000 {
            sessions.begin("B", false, Millis(at)).unwrap();
        }
        assert_eq!(sessions.open().sessions.len(), MOST);
        assert!(sessions.find(Some(&first), Millis(2)).is_none(), "the oldest made room");
        for _ in 0..TRIES {
            assert!(sessions.may_try(Millis(0)));
            sessions.failed(Millis(0));
        }
        assert!(!sessions.may_try(Millis(PAUSE - 1)));
        assert!(sessions.may_try(Millis(PAUSE + 1)));
    }
}
