//! Assessment runs: how far they are, what they found, their reports.

use maud::{Markup, html};
use serde_json::json;

use super::dashboard::{table, whole};
use super::fields::address;
use super::page::{counts, duration, more, package, shown, state, time};
use super::{ROOT, Reply, Told, Visit};
use crate::api::fault::{Fault, Result};
use crate::api::reports;
use crate::assess::store::{Kind, Page, Run, RunAgent, RunFilter, StoreError};
use crate::emit::Format;

/// How many runs a page has.
const ROWS: usize = 50;
/// How many agents and exclusions of a run are shown.
const MOST: usize = 500;
/// What the report of a run may do in a browser: look as it says itself.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
                             base-uri 'none'; form-action 'none'; sandbox allow-popups";

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    let query = &visit.ask.query;
    let template = query.given("template");
    let filter = RunFilter {
        templates: template.map(str::to_owned).into_iter().collect(),
        newest_first: true,
        ..RunFilter::default()
    };
    let after = query.get("after").parse().unwrap_or(0);
    let listed = visit.service.store.runs(&filter, Page { after, limit: ROWS })?;
    let runs = whole(visit, &listed.items)?;
    let content = html! {
        @if template.is_some() {
            p { "Runs of one template. " a href={ (ROOT) "/runs" } { "Show all runs" } }
        }
        @if runs.is_empty() {
            p { "There are no runs. " a href={ (ROOT) "/templates" } { "Run a template" } "." }
        } @else { (table(&runs)) }
        (more("/runs", &[("template", template.unwrap_or_default())], listed.next))
    };
    Ok(visit.page("Assessment runs", content))
}

/// The run that the address names.
fn named(visit: &Visit<'_>) -> Result<Run> {
    let run = visit.service.store.run(visit.ask.query.get("arn"))?;
    run.ok_or_else(|| Fault::from(StoreError::Missing(Kind::Run)))
}

pub(super) fn show(visit: &Visit<'_>) -> Reply {
    let store = &visit.service.store;
    let run = named(visit)?;
    let template = store.template(&run.template)?;
    let target = match &template {
        Some(template) => store.target(&template.target)?,
        None => None,
    };
    let agents = store.run_agents(&run.arn, Page::first(MOST))?;
    let mut exclusions = Vec::new();
    for arn in store.exclusions(&run.arn, Page::first(MOST))?.items {
        exclusions.extend(store.exclusion(&arn)?);
    }
    let ended = run.state.is_final();
    let content = html! {
        dl.about {
            dt { "State" } dd { (state(run.state)) @if !ended { " " a href="" { "Look again" } } }
            @if let Some(target) = &target { dt { "Target" } dd { (shown(&target.name)) } }
            @if let Some(template) = &template { dt { "Template" } dd { (shown(&template.name)) } }
            dt { "Begun" } dd { (time(run.started.unwrap_or(run.created))) }
            @if let Some(at) = run.completed { dt { "Ended" } dd { (time(at)) } }
            dt { "Duration" } dd { (duration(run.duration)) }
            dt { "Rules packages" } dd { ul.plain { @for arn in &run.packages { li { (package(arn)) } } } }
            @if ended { dt { "Findings" } dd { (counts(&run.counts)) } }
            dt { "ARN" } dd { code.small { (run.arn) } }
        }
        @if ended {
            p { a.main href=(address("/findings", &[("run", &run.arn)])) { "Show the findings" } }
            (reports(&run))
        } @else { (stopping(visit, &run)) }
        h2 { "Agents" }
        (agents_table(&run, &agents.items))
        @if !exclusions.is_empty() {
            h2 { "What was not judged" }
            @for exclusion in &exclusions {
                article.card {
                    h3 { (shown(&exclusion.title)) }
                    p.text { (shown(&exclusion.description)) }
                    p.text.note { (shown(&exclusion.recommendation)) }
                    @for (_, value) in &exclusion.scopes { code.small { (shown(value)) } " " }
                }
            }
        }
        h2 { "States" }
        ol.states { @for (to, at) in &run.changes { li { code { (to.name()) } " " (time(*at)) } } }
        @if ended { (visit.button("/runs/delete", &run.arn, "Delete this run", &run.name)) }
    };
    Ok(visit.page(&run.name, content))
}

fn reports(run: &Run) -> Markup {
    let link = |format: &str, kind: &str| {
        address("/runs/report", &[("arn", &run.arn), ("format", format), ("type", kind)])
    };
    html! {
        p {
            "Reports: "
            a href=(link("html", "full")) { "full, HTML" } ", "
            a href=(link("pdf", "full")) { "full, PDF" } ", "
            a href=(link("html", "finding")) { "findings, HTML" } ", "
            a href=(link("pdf", "finding")) { "findings, PDF" } ", "
            a href=(link("csv", "finding")) { "CSV" }
        }
    }
}

fn stopping(visit: &Visit<'_>, run: &Run) -> Markup {
    html! {
        form.inline method="post" action={ (ROOT) "/runs/stop" } {
            (visit.guard())
            input type="hidden" name="arn" value=(run.arn);
            button.main name="action" value="START_EVALUATION" { "Stop observing and judge" }
            " "
            button.quiet name="action" value="SKIP_EVALUATION" { "Cancel" }
        }
    }
}

fn agents_table(run: &Run, agents: &[RunAgent]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Agent" }
                        th scope="col" { "Snapshot" }
                        th scope="col" { "Health" }
                    }
                }
                tbody {
                    @for agent in agents {
                        tr {
                            th scope="row" {
                                a href=(address("/findings", &[("run", &run.arn), ("agent", &agent.agent)])) {
                                    code { (shown(&agent.agent)) }
                                }
                            }
                            td data-name="Snapshot" { code.small { (shown(&agent.snapshot)) } }
                            td data-name="Health" {
                                @if agent.healthy { "healthy" } @else {
                                    span.state.bad { "unhealthy" } " "
                                    (shown(agent.details.as_deref().unwrap_or_default()))
                                }
                            }
                        }
                    }
                    @if agents.is_empty() { tr { td colspan="3" { "No agent took part." } } }
                }
            }
        }
    }
}

/// Where a form's run is shown.
fn place(visit: &Visit<'_>) -> String {
    let page = address("/runs/show", &[("arn", visit.ask.form.get("arn"))]);
    page.strip_prefix(ROOT).unwrap_or("/runs").to_owned()
}

pub(super) fn stop(visit: &Visit<'_>) -> Reply {
    let form = &visit.ask.form;
    let members = json!({
        "assessmentRunArn": form.get("arn"),
        "stopAction": form.get("action"),
    });
    let result = visit.call("StopAssessmentRun", &members).map(drop);
    Ok(visit.done(result, "The run is being stopped.", &place(visit)))
}

pub(super) fn delete(visit: &Visit<'_>) -> Reply {
    let members = json!({ "assessmentRunArn": visit.ask.form.get("arn") });
    let result = visit.call("DeleteAssessmentRun", &members).map(drop);
    Ok(visit.done(result, "The run is gone, with its findings.", "/runs"))
}

pub(super) fn download(visit: &Visit<'_>) -> Reply {
    let query = &visit.ask.query;
    let run = named(visit)?;
    if !run.state.is_final() {
        return Err(Fault::in_progress(&[run.arn]));
    }
    let (format, kind, ending) = match query.get("format") {
        "pdf" => (Format::Pdf, "application/pdf", "pdf"),
        "csv" => (Format::Csv, "text/csv; charset=utf-8", "csv"),
        _ => (Format::Html, "text/html; charset=utf-8", "html"),
    };
    let findings_only = query.get("type") == "finding";
    let bytes = reports::bytes(visit.service, &run.arn, format, findings_only)
        .map_err(|problem| Fault::internal(format!("The report cannot be made: {problem}.")))?;
    let id = run.arn.rsplit('/').next().unwrap_or("run").to_owned();
    let file = (ending != "html").then(|| format!("assay-{id}.{ending}"));
    Ok(Told { policy: REPORT_POLICY, file, ..Told::of(kind, bytes) })
}
