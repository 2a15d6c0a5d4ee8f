//! The findings, what was not judged, and the rules that were checked.

use maud::{Markup, html};

use crate::emit::chart::severity_class as class;
use crate::emit::document::{Document, Place, Topic, adds, count, package_name};
use crate::emit::lines as shown;
use crate::model::finding::{RulesPackage, Severity, Status};

pub(super) fn all(document: &Document) -> Markup {
    html! {
        @for package in document.packages() {
            section {
                h2 id=(package.short()) { (package_name(package)) }
                @let topics = || document.topics.iter().filter(|(t, _)| t.package == package);
                @for (topic, places) in topics() { (one(document, topic, places)) }
                @if topics().next().is_none() { p { (document.nothing(package)) } }
            }
        }
    }
}

fn badge(severity: Severity) -> Markup {
    html! { span.badge.(class(severity)) { (severity.name()) } }
}

fn one(document: &Document, topic: &Topic, places: &[Place]) -> Markup {
    let rule = document.rules.get(topic.rule);
    let severity = topic.severity.0;
    html! {
        article.topic.(class(severity)) {
            h4 { (badge(severity)) " " (shown(&document.name(topic))) }
            p.id {
                @if let Some(rule) = rule { code { (shown(&rule.id)) } }
                @if document.hosts.len() > 1 {
                    " on " (places.len()) " of " (count(document.hosts.len(), "host"))
                }
            }
            p.text { (shown(topic.description.trim_end())) }
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "Where" }
                            th scope="col" { "Found" }
                            th scope="col" { "Required" }
                        }
                    }
                    @for place in places { (seen(document, place)) }
                }
            }
            h5 { "Recommendation" }
            p.text { (shown(topic.recommendation.trim_end())) }
            @if let Some(rule) = rule { (references(&rule.references)) }
        }
    }
}

fn seen(document: &Document, place: &Place) -> Markup {
    let host = document.hosts.get(place.host);
    html! {
        tbody {
            tr {
                th colspan="3" scope="rowgroup" {
                    @if let (Some(host), true) = (host, document.hosts.len() > 1) {
                        a href={ "#host-" (place.host) } { (shown(&host.asset.hostname)) } ": "
                    }
                    (shown(&place.title))
                    @if place.status != Status::Open {
                        " " span.badge.quiet { (place.status.name()) }
                    }
                    @for (key, value) in place.attributes.iter().filter(|(key, _)| adds(key)) {
                        br; code { (shown(key)) "=" (shown(value)) }
                    }
                }
            }
            @for evidence in &place.evidence {
                tr {
                    td { span.path { (shown(&evidence.to_string())) } }
                    td { (shown(&evidence.observed)) }
                    td { (shown(&evidence.expected)) }
                }
            }
        }
    }
}

/// Links to the web; anything else is text.
fn references(links: &[std::sync::Arc<str>]) -> Markup {
    html! {
        @if !links.is_empty() {
            h5 { "References" }
            @for link in links {
                p {
                    @if link.starts_with("https://") || link.starts_with("http://") {
                        a href=(link) rel="noreferrer noopener" { (shown(link)) }
                    } @else { (shown(link)) }
                }
            }
        }
    }
}

/// What was not judged, and why.
pub(super) fn unjudged(document: &Document) -> Markup {
    html! {
        @if !document.exclusions.is_empty() || !document.refused.is_empty() {
            section {
                h2 id="unjudged" { "What was not judged" }
                @for refusal in &document.refused {
                    article.topic {
                        h4 { "Refused: " code { (shown(&refusal.snapshot)) } }
                        p.text { (shown(&refusal.reason)) }
                    }
                }
                @for (unjudged, hosts) in &document.exclusions {
                    article.topic {
                        h4 { (shown(&unjudged.title)) }
                        p.text { (shown(&unjudged.description)) }
                        p.text { (shown(&unjudged.recommendation)) }
                        @if document.hosts.len() > 1 {
                            p.id {
                                @for (at, host) in hosts.iter().enumerate() {
                                    @if at > 0 { ", " }
                                    a href={ "#host-" (host) } {
                                        (document.hosts.get(*host).map_or(String::new(), |host| {
                                            shown(&host.asset.hostname)
                                        }))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Every rule with how the hosts did.
pub(super) fn rules(document: &Document) -> Markup {
    html! {
        section {
            h2 id="rules" { "Rules checked" }
            p { "Every rule that is about one of the hosts, with the number of hosts for each verdict." }
            @for package in document.packages() {
                h3 { (package_name(package)) }
                (of_package(document, package))
            }
        }
    }
}

fn of_package(document: &Document, package: RulesPackage) -> Markup {
    let rules = document.marks.iter().filter_map(|(rule, marks)| {
        let rule = document.rules.get(*rule)?;
        (rule.package == package).then_some((rule, *marks))
    });
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Rule" }
                        th scope="col" { "Severity" }
                        @for name in ["Pass", "Fail", "N/A", "Manual", "Unknown"] {
                            th.n scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for (rule, marks) in rules {
                        tr {
                            td {
                                (shown(&rule.name()))
                                @if !rule.automated {
                                    br; span.text.lead { (shown(&rule.remediation)) }
                                }
                            }
                            td { (rule.severity.name()) }
                            @for number in [
                                marks.pass,
                                marks.fail,
                                marks.not_applicable,
                                marks.manual,
                                marks.unknown,
                            ] {
                                td.n { @if number > 0 { (number) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
