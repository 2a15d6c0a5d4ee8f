//! Coming in, with a key of the data directory.

use maud::html;

use super::page::frame;
use super::{Ask, Console, ROOT, Told};
use crate::assess::store::Millis;

/// Answers somebody who has not come in.
pub(super) fn answer(console: &Console, ask: &Ask<'_>, now: Millis) -> Told {
    if ask.path != "/login" {
        return Told::to("/login");
    }
    if !ask.post {
        return form(200, None);
    }
    if ask.foreign {
        return form(403, Some("A page from elsewhere sent this. Log in here."));
    }
    if !console.sessions.may_try(now) {
        return form(429, Some("Too many logins failed. Wait a minute, then try again."));
    }
    let (id, secret) = (ask.form.get("id"), ask.form.get("secret"));
    let known = console.credentials.iter().flat_map(|all| all.iter());
    let mut good = false;
    // Every key is looked at, so that the time does not tell which there are.
    for credential in known {
        good |= credential.is_secret(secret) & (credential.id == id);
    }
    if !good {
        console.sessions.failed(now);
        return form(403, Some("No key of this server has this id and this secret."));
    }
    match console.sessions.begin(id, ask.secure, now) {
        Some((_, cookie)) => Told::to("/").with_cookie(Some(cookie)),
        None => form(500, Some("The system gives no random bytes.")),
    }
}

fn form(status: u16, problem: Option<&str>) -> Told {
    let content = html! {
        div.narrow {
            @if let Some(problem) = problem { p.said.bad role="alert" { (problem) } }
            form.card method="post" action={ (ROOT) "/login" } {
                label for="id" { "Access key id" }
                input #id name="id" required autocomplete="username" autofocus spellcheck="false";
                label for="secret" { "Secret access key" }
                input #secret name="secret" type="password" required autocomplete="current-password";
                button.main { "Log in" }
            }
            p.note {
                "The keys are in the file " code { "credentials" }
                " of the server's data directory."
            }
        }
    };
    let bar = html! { header.bar { span.brand { "assay" } } };
    let page = frame("Log in", bar, content).into_string();
    Told { status, ..Told::of("text/html; charset=utf-8", page) }
}
