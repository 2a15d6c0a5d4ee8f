//! Findings: those of a run the worst first, else the latest, narrowed down by what is asked for; each
//! with all that is known of it.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::fields::address;
use super::page::{badge, more, package, run_link, shown, time};
use super::{ROOT, Reply, Visit, targets};
use crate::api::fault::{Fault, Result};
use crate::api::packages;
use crate::assess::store::{
    FindingFilter, Kind, Page, StoreError, StoredFinding, Template, TemplateFilter,
};
use crate::model::finding::Severity;

/// How many findings a page has.
const ROWS: usize = 50;
/// How many templates there are to choose from.
const TEMPLATES: usize = 500;
/// What narrows the list down, as the address names it.
const NAMES: [&str; 7] = ["severity", "package", "target", "template", "run", "agent", "text"];

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    let (query, store) = (&visit.ask.query, &visit.service.store);
    let one = |name: &str| query.given(name).map(str::to_owned);
    let list = |name: &str| one(name).into_iter().collect::<Vec<String>>();
    let filter = FindingFilter {
        severities: list("severity"),
        packages: list("package"),
        runs: list("run"),
        agents: list("agent"),
        target: one("target"),
        template: one("template"),
        text: one("text"),
        newest_first: query.given("run").is_none(),
        worst_first: query.given("run").is_some(),
        ..FindingFilter::default()
    };
    let after = query.get("after").parse().unwrap_or(0);
    let listed = store.findings(&filter, Page { after, limit: ROWS })?;
    let mut found = Vec::new();
    for arn in &listed.items {
        found.extend(store.finding(arn)?);
    }
    let members: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, query.get(name))).collect();
    let content = html! {
        (filters(visit)?)
        @if found.is_empty() { p { "No finding is like that." } } @else { (table(&found)) }
        (more("/findings", &members, listed.next))
    };
    Ok(visit.page("Findings", content))
}

fn filters(visit: &Visit<'_>) -> Result<Markup> {
    let (query, store) = (&visit.ask.query, &visit.service.store);
    let mut templates: Vec<Template> = Vec::new();
    for arn in store.templates(&TemplateFilter::default(), Page::first(TEMPLATES))?.items {
        templates.extend(store.template(&arn)?);
    }
    let severities: Vec<(String, String)> =
        Severity::ALL.iter().map(|s| (s.name().to_owned(), s.name().to_owned())).collect();
    let packages: Vec<(String, String)> =
        packages::listed().map(|p| (p.arn.to_owned(), package(p.arn))).collect();
    let targets: Vec<(String, String)> =
        targets::all(visit)?.into_iter().map(|target| (target.arn, target.name)).collect();
    let templates: Vec<(String, String)> =
        templates.into_iter().map(|template| (template.arn, template.name)).collect();
    let narrowed = NAMES.iter().any(|name| query.given(name).is_some());
    Ok(html! {
        form.filters method="get" action={ (ROOT) "/findings" } role="search" aria-label="Findings" {
            (choice(visit, "severity", "Severity", &severities))
            (choice(visit, "package", "Rules package", &packages))
            (choice(visit, "target", "Target", &targets))
            (choice(visit, "template", "Template", &templates))
            div {
                label for="text" { "Title contains" }
                input #text name="text" type="search" value=(query.get("text"));
            }
            @for name in ["run", "agent"] {
                @if let Some(value) = query.given(name) { input type="hidden" name=(name) value=(value); }
            }
            div.go {
                button.main { "Show" }
                @if narrowed { " " a href={ (ROOT) "/findings" } { "Show all" } }
            }
        }
        @for (name, words) in [("run", "Only findings of the run "), ("agent", "Only findings of the agent ")] {
            @if let Some(value) = query.given(name) { p.note { (words) code.small { (shown(value)) } } }
        }
    })
}

fn choice(visit: &Visit<'_>, name: &str, label: &str, options: &[(String, String)]) -> Markup {
    let chosen = visit.ask.query.get(name);
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for (value, words) in options {
                    option value=(value) selected[chosen == value] { (shown(words)) }
                }
            }
        }
    }
}

fn member<'j>(body: &'j serde_json::Map<String, Json>, name: &str) -> &'j str {
    body.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn host(found: &StoredFinding) -> &str {
    let asset = found.body.get("assetAttributes");
    asset.and_then(|asset| asset.get("hostname")).and_then(Json::as_str).unwrap_or_default()
}

fn table(found: &[StoredFinding]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Severity" }
                        th scope="col" { "Finding" }
                        th scope="col" { "Host" }
                        th scope="col" { "Rules package" }
                        th scope="col" { "Found" }
                    }
                }
                tbody {
                    @for found in found {
                        tr {
                            td { (badge(&found.severity)) }
                            th scope="row" {
                                a href=(address("/findings/show", &[("arn", &found.arn)])) {
                                    (shown(&found.title))
                                }
                            }
                            td data-name="Host" {
                                a href=(address("/findings", &[("agent", &found.agent)])) {
                                    (shown(host(found)))
                                }
                            }
                            td data-name="Rules package" { (package(&found.package)) }
                            td data-name="Found" { (time(found.created)) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn show(visit: &Visit<'_>) -> Reply {
    let store = &visit.service.store;
    let found = store.finding(visit.ask.query.get("arn"))?;
    let found = found.ok_or_else(|| Fault::from(StoreError::Missing(Kind::Finding)))?;
    let run = store.run(&found.run)?;
    let template = match &run {
        Some(run) => store.template(&run.template)?,
        None => None,
    };
    let target = match &template {
        Some(template) => store.target(&template.target)?,
        None => None,
    };
    let content = html! {
        p { (badge(&found.severity)) " " strong { (shown(member(&found.body, "id"))) } }
        dl.about {
            dt { "ARN" } dd { code.small { (found.arn) } }
            @if let Some(run) = &run {
                dt { "Run" } dd { (run_link(run)) }
                dt { "Begun" } dd { (time(run.started.unwrap_or(run.created))) }
                @if let Some(at) = run.completed { dt { "Ended" } dd { (time(at)) } }
            }
            @if let Some(target) = &target { dt { "Target" } dd { (shown(&target.name)) } }
            @if let Some(template) = &template { dt { "Template" } dd { (shown(&template.name)) } }
            dt { "Rules package" } dd { (package(&found.package)) }
            dt { "Agent" } dd { (shown(host(&found))) " " code.small { (shown(&found.agent)) } }
        }
        h2 { "Description" }
        p.text { (shown(member(&found.body, "description"))) }
        (evidence(&found.evidence))
        h2 { "Recommendation" }
        p.text { (shown(member(&found.body, "recommendation"))) }
        (attributes(&found))
    };
    Ok(visit.page(&found.title, content))
}

fn evidence(evidence: &Json) -> Markup {
    let rows = evidence.as_array().map(Vec::as_slice).unwrap_or_default();
    let word =
        |row: &Json, name: &str| shown(row.get(name).and_then(Json::as_str).unwrap_or_default());
    html! {
        @if !rows.is_empty() {
            h2 { "Evidence" }
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "Where" }
                            th scope="col" { "Found" }
                            th scope="col" { "Required" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                td data-name="Where" {
                                    code {
                                        (word(row, "location"))
                                        @if let Some(line) = row.get("line").and_then(Json::as_u64) { ":" (line) }
                                    }
                                }
                                td data-name="Found" { (word(row, "observed")) }
                                td data-name="Required" { (word(row, "expected")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn attributes(found: &StoredFinding) -> Markup {
    let attributes = found.body.get("attributes").and_then(Json::as_array);
    let own = attributes.into_iter().flatten().filter_map(|pair| {
        let word = |name: &str| pair.get(name).and_then(Json::as_str).map(shown);
        Some((word("key")?, word("value").unwrap_or_default()))
    });
    let given = found
        .user_attributes
        .iter()
        .map(|(key, value)| (shown(key), shown(value.as_deref().unwrap_or_default())));
    let all: Vec<(String, String)> = own.chain(given).collect();
    html! {
        @if !all.is_empty() {
            h2 { "Attributes" }
            dl.about { @for (key, value) in all { dt { (key) } dd { (value) } } }
        }
    }
}
