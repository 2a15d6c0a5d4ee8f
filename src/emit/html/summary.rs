//! The first part: charts and counts, the hosts, the scores of benchmarks.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::emit::chart::{Part, bars, severity_class as class};
use crate::emit::document::{Document, package_name};
use crate::emit::{lines as shown, time};
use crate::model::finding::Severity;
use crate::model::score::{Marks, Score};

pub(super) fn all(document: &Document) -> Markup {
    html! {
        section {
            h2 id="summary" { "Summary" }
            (charts(document))
            (packages(document))
        }
        section {
            h2 id="hosts" { "Hosts" }
            (hosts(document))
        }
        (scores(document))
    }
}

fn parts(counts: &BTreeMap<Severity, u64>) -> Vec<Part> {
    let part = |severity: Severity| {
        (class(severity), severity.name(), counts.get(&severity).copied().unwrap_or(0))
    };
    Severity::ALL.into_iter().map(part).collect()
}

fn charts(document: &Document) -> Markup {
    let every = parts(&document.severities(None));
    let by_severity: Vec<(String, Vec<Part>)> = every
        .iter()
        .filter(|part| part.1 != Severity::Undefined.name() || part.2 > 0)
        .map(|part| (part.1.to_owned(), vec![*part]))
        .collect();
    let by_package: Vec<(String, Vec<Part>)> = document
        .packages()
        .into_iter()
        .map(|package| (package.name().to_owned(), parts(&document.severities(Some(package)))))
        .collect();
    html! {
        (bars("Findings by severity", &by_severity))
        @if !by_package.is_empty() { (bars("Findings by rules package", &by_package)) }
    }
}

fn packages(document: &Document) -> Markup {
    // Results can be written down without verdicts.
    let judged = !document.marks.is_empty();
    let row = |name: String, counts: &BTreeMap<Severity, u64>, marks: Marks, sum: bool| {
        html! {
            tr.sum[sum] {
                th scope="row" { (name) }
                @for part in parts(counts) { td.n { (part.2) } }
                @if judged {
                    td.n { (marks.pass) }
                    td.n { (marks.fail) }
                    td.n { (marks.not_applicable) }
                    td.n { (marks.manual) }
                    td.n { (marks.unknown) }
                }
            }
        }
    };
    html! {
        div.wide {
            table {
                @if judged {
                    caption { "Findings by severity, and how every rule was judged on every host" }
                }
                thead {
                    tr {
                        th scope="col" { "Rules package" }
                        @for severity in Severity::ALL {
                            th.n scope="col" { (short(severity)) }
                        }
                        @if judged {
                            @for name in ["Pass", "Fail", "N/A", "Manual", "Unknown"] {
                                th.n scope="col" { (name) }
                            }
                        }
                    }
                }
                tbody {
                    @for package in document.packages() {
                        (row(
                            package_name(package),
                            &document.severities(Some(package)),
                            document.marks(Some(package)),
                            false,
                        ))
                    }
                    (row("All".into(), &document.severities(None), document.marks(None), true))
                }
            }
        }
    }
}

fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Info",
        Severity::Undefined => "Undef.",
        other => other.name(),
    }
}

fn hosts(document: &Document) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Host" }
                        th scope="col" { "System" }
                        th scope="col" { "Snapshot" }
                        @for severity in Severity::ALL {
                            th.n scope="col" { (short(severity)) }
                        }
                        @if !document.marks.is_empty() { th.n scope="col" { "Unknown" } }
                    }
                }
                tbody {
                    @for (at, host) in document.hosts.iter().enumerate() {
                        tr id={ "host-" (at) } {
                            th scope="row" {
                                (shown(&host.asset.hostname)) br;
                                code { (shown(&host.asset.agent_id)) }
                            }
                            td {
                                (shown(&host.asset.os))
                                @if let Some(kernel) = &host.asset.kernel {
                                    br; code { (shown(kernel)) }
                                }
                                @for (key, value) in &host.asset.tags {
                                    br; (shown(key)) "=" (shown(value))
                                }
                            }
                            td { code { (shown(&host.snapshot)) } br; (time::minutes(host.collected_at)) }
                            @for part in parts(&host.severities) { td.n { (part.2) } }
                            @if !document.marks.is_empty() { td.n { (host.unknown) } }
                        }
                    }
                }
            }
        }
    }
}

fn scores(document: &Document) -> Markup {
    let scores = document.scores();
    html! {
        @if !scores.0.is_empty() {
            section {
                h2 id="scores" { "CIS scores" }
                p {
                    "The score is the share of recommendations that passed of those that applied: "
                    "what is unknown counts as not passed, what a person has to judge is left out."
                }
                @for ((benchmark, version), score) in &scores.0 {
                    h3 { (shown(benchmark)) " " (shown(version)) }
                    (one_score(document, score))
                }
            }
        }
    }
}

fn one_score(document: &Document, score: &Score) -> Markup {
    let marks = |marks: Marks| -> Vec<Part> {
        vec![
            ("pass", "passed", marks.pass),
            ("fail", "failed", marks.fail),
            ("unknown", "unknown", marks.unknown),
            ("manual", "manual", marks.manual),
            ("na", "not applicable", marks.not_applicable),
        ]
    };
    let sections: Vec<(String, Vec<Part>)> =
        score.named_sections().map(|(name, of)| (name, marks(of))).collect();
    let levels = score.levels_of(document.profile.as_deref());
    html! {
        (bars("Recommendations by section", &sections))
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Section" }
                        @for name in ["Score", "Pass", "Fail", "N/A", "Manual", "Unknown"] {
                            th.n scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for (name, marks) in score.named_sections() { (score_row(&name, marks, false)) }
                    @if levels.len() > 1 {
                        @for (level, marks) in levels { (score_row(&level, marks, false)) }
                    }
                    (score_row("All", score.all, true))
                }
            }
        }
    }
}

fn score_row(name: &str, marks: Marks, sum: bool) -> Markup {
    html! {
        tr.sum[sum] {
            th scope="row" { (shown(name)) }
            td.n { @match marks.percent() { Some(percent) => { (percent) "%" } None => { "–" } } }
            td.n { (marks.pass) }
            td.n { (marks.fail) }
            td.n { (marks.not_applicable) }
            td.n { (marks.manual) }
            td.n { (marks.unknown) }
        }
    }
}
