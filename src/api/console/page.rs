//! What every page has, and pieces that many have.

use maud::{DOCTYPE, Markup, html};

use super::fields::address;
use super::{ROOT, Told, Visit};
use crate::api::fault::Fault;
use crate::api::packages;
use crate::assess::store::{Millis, Run, RunState};
pub(super) use crate::emit::lines as shown;
use crate::model::finding::Severity;

/// The pages in the bar, with their names.
const BAR: [(&str, &str); 6] = [
    ("/", "Dashboard"),
    ("/targets", "Assessment targets"),
    ("/templates", "Assessment templates"),
    ("/runs", "Assessment runs"),
    ("/findings", "Findings"),
    ("/agents", "Agents"),
];

/// A whole page.
pub(super) fn frame(title: &str, bar: Markup, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – assay" }
                link rel="stylesheet" href={ (ROOT) "/style.css" };
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (bar)
                main id="content" { h1 { (title) } (content) }
            }
        }
    }
}

impl Visit<'_> {
    /// A page of somebody who has come in.
    pub(super) fn page(&self, title: &str, content: Markup) -> Told {
        let said = self.session.said();
        let content = html! {
            @if let Some((good, message)) = said {
                p.said.good[good].bad[!good] role=(if good { "status" } else { "alert" }) { (shown(&message)) }
            }
            (content)
        };
        let page = frame(&shown(title), self.bar(), content);
        Told::of("text/html; charset=utf-8", page.into_string())
    }

    fn bar(&self) -> Markup {
        let here = self.ask.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        html! {
            header.bar {
                a.brand href={ (ROOT) "/" } { "assay" }
                nav aria-label="Console" {
                    ul {
                        @for (path, name) in BAR {
                            li {
                                a href={ (ROOT) (path) } aria-current=[(path[1..] == *here).then_some("page")] {
                                    (name)
                                }
                            }
                        }
                    }
                }
                @if self.has_login {
                    form method="post" action={ (ROOT) "/logout" } {
                        (self.guard())
                        span.who title="The key of this session" { (self.session.who) }
                        button.quiet { "Log out" }
                    }
                }
            }
        }
    }

    /// What a form of this session carries.
    pub(super) fn guard(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.session.form); }
    }

    /// A form of one button, about one thing.
    pub(super) fn button(&self, path: &str, arn: &str, label: &str, about: &str) -> Markup {
        html! {
            form.inline method="post" action={ (ROOT) (path) } {
                (self.guard())
                input type="hidden" name="arn" value=(arn);
                button.quiet { (label) span.hidden { " " (shown(about)) } }
            }
        }
    }

    /// A page that says what is wrong.
    pub(super) fn problem(&self, status: u16, message: &str) -> Told {
        let content = html! {
            p.said.bad role="alert" { (shown(message)) }
            p { a href={ (ROOT) "/" } { "Go to the dashboard" } }
        };
        let title = if status == 404 { "Not found" } else { "This did not work" };
        Told { status, ..self.page(title, content) }
    }

    /// A page that says what the API said.
    pub(super) fn fault(&self, fault: &Fault) -> Told {
        let missing = fault.name == "NoSuchEntityException";
        self.problem(if missing { 404 } else { fault.status }, fault.message())
    }

    /// Does what the API says, and tells it on the next page.
    pub(super) fn done(&self, result: crate::api::fault::Result<()>, good: &str, to: &str) -> Told {
        match result {
            Ok(()) => self.session.say(true, good),
            Err(fault) => self.session.say(false, fault.message()),
        }
        Told::to(to)
    }
}

/// A severity's class in the style sheet.
pub(super) fn class(severity: &str) -> String {
    severity.to_ascii_lowercase()
}

pub(super) fn badge(severity: &str) -> Markup {
    html! { span class={ "badge " (class(severity)) } { (severity) } }
}

/// A time, to the second, in UTC.
pub(super) fn time(at: Millis) -> Markup {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    html! {
        time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S").to_string()) " UTC" }
    }
}

/// A number of seconds, in words.
pub(super) fn duration(seconds: i64) -> String {
    let words =
        |number: i64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => words(seconds, "second"),
        (0, minutes, 0) => words(minutes, "minute"),
        (hours, 0, 0) => words(hours, "hour"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A state in the words of Inspector's console.
pub(super) fn state(state: RunState) -> Markup {
    let (class, words) = match state {
        RunState::Created | RunState::StartPending | RunState::Starting => ("going", "Starting"),
        RunState::Collecting => ("going", "Collecting data"),
        RunState::StopPending | RunState::Collected => ("going", "Stopping"),
        RunState::EvaluationPending | RunState::Evaluating => ("going", "Analyzing"),
        RunState::Completed => ("good", "Analysis complete"),
        RunState::CompletedWithErrors => ("mixed", "Analysis complete with errors"),
        RunState::Failed => ("bad", "Failed"),
        RunState::Error => ("bad", "Error"),
        RunState::Canceled => ("mixed", "Canceled"),
    };
    html! { span class={ "state " (class) } title=(state.name()) { (words) } }
}

/// A link to a run.
pub(super) fn run_link(run: &Run) -> Markup {
    html! { a href=(address("/runs/show", &[("arn", &run.arn)])) { (shown(&run.name)) } }
}

/// How many findings there are of each severity.
pub(super) fn counts(counts: &[(String, i64)]) -> Markup {
    let of = |severity: Severity| {
        counts.iter().find(|(name, _)| name == severity.name()).map_or(0, |(_, count)| *count)
    };
    let none = counts.iter().all(|(_, count)| *count == 0);
    html! {
        span.counts {
            @for severity in Severity::ALL {
                @if of(severity) > 0 {
                    span class={ "badge " (class(severity.name())) } {
                        (of(severity)) " " (severity.name())
                    }
                    " "
                }
            }
            @if none { "none" }
        }
    }
}

/// A rules package by its ARN.
pub(super) fn package(arn: &str) -> String {
    match packages::find(arn) {
        Some(package) => format!("{}-{}", package.name, package.version),
        None => arn.to_owned(),
    }
}

/// A link to the page after this one.
pub(super) fn more(path: &str, members: &[(&str, &str)], next: Option<i64>) -> Markup {
    html! {
        @if let Some(next) = next {
            @let next = next.to_string();
            @let members = [members, &[("after", next.as_str())]].concat();
            p { a.more rel="next" href=(address(path, &members)) { "Next page" } }
        }
    }
}
