//! The first page: how things stand.

use maud::{Markup, html};

use super::fields::address;
use super::page::{counts, package, run_link, shown, state, time};
use super::{ROOT, Reply, Visit};
use crate::api::fault::Result;
use crate::assess::store::{Page, Run, RunFilter, TemplateFilter};
use crate::emit::chart::{Part, bars, severity_class};
use crate::model::finding::Severity;

/// How many runs are shown.
const RUNS: usize = 8;

pub(super) fn show(visit: &Visit<'_>) -> Reply {
    let store = &visit.service.store;
    let agents = visit.service.agents.all();
    let sick = agents.iter().filter(|agent| agent.problem.is_some()).count();
    let targets = store.targets(None, Page::first(100))?.items.len();
    let templates = store.templates(&TemplateFilter::default(), Page::first(501))?.items.len();
    let filter = RunFilter { newest_first: true, ..RunFilter::default() };
    let runs = whole(visit, &store.runs(&filter, Page::first(RUNS))?.items)?;
    let latest = runs.iter().find(|run| run.counts.iter().any(|(_, count)| *count > 0));
    let content = html! {
        ul.tiles {
            (tile("/agents", agents.len(), "agents", sick, "not healthy"))
            (tile("/targets", targets, "assessment targets", 0, ""))
            (tile("/templates", templates, "assessment templates", 0, ""))
        }
        @if agents.is_empty() { (first_steps(visit)) }
        @if let Some(latest) = latest { (last_findings(visit, latest)?) }
        h2 { "Latest runs" }
        @if runs.is_empty() {
            p { "There are no runs yet. " a href={ (ROOT) "/templates/new" } { "Create a template" } " and run it." }
        } @else { (table(&runs)) }
    };
    Ok(visit.page("Dashboard", content))
}

/// Runs by their ARNs, but for those that were deleted since.
pub(super) fn whole(visit: &Visit<'_>, arns: &[String]) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for arn in arns {
        runs.extend(visit.service.store.run(arn)?);
    }
    Ok(runs)
}

fn tile(path: &str, number: usize, what: &str, bad: usize, words: &str) -> Markup {
    html! {
        li {
            a href={ (ROOT) (path) } {
                strong { (number) } " " (what)
                @if bad > 0 { span.warn { (bad) " " (words) } }
            }
        }
    }
}

fn first_steps(visit: &Visit<'_>) -> Markup {
    let folder = visit.service.data().join("agents");
    html! {
        div.card {
            h2 { "Where hosts come from" }
            p { "A host is an agent once its snapshot lies in " code { (shown(&folder.display().to_string())) } ":" }
            pre { "assay collect -o " (shown(&folder.join("web1.assay").display().to_string())) }
        }
    }
}

fn last_findings(visit: &Visit<'_>, run: &Run) -> Result<Markup> {
    let found = visit.service.store.counts_by_package(&run.arn)?;
    let part = |package: &str, severity: Severity| {
        let of = |(p, s, _): &&(String, String, i64)| p == package && s == severity.name();
        let number = found.iter().find(of).map_or(0, |(_, _, number)| *number);
        (severity_class(severity), severity.name(), u64::try_from(number).unwrap_or(0))
    };
    let rows: Vec<(String, Vec<Part>)> = run
        .packages
        .iter()
        .map(|arn| (package(arn), Severity::ALL.into_iter().map(|s| part(arn, s)).collect()))
        .collect();
    Ok(html! {
        section.card {
            h2 { "The last run that found something" }
            p { (run_link(run)) " " (counts(&run.counts)) }
            (bars("Findings by rules package", &rows))
            p { a href=(address("/findings", &[("run", &run.arn)])) { "Show these findings" } }
        }
    })
}

/// Runs with what one wants to know at a glance.
pub(super) fn table(runs: &[Run]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Run" }
                        th scope="col" { "State" }
                        th scope="col" { "Begun" }
                        th scope="col" { "Findings" }
                    }
                }
                tbody {
                    @for run in runs {
                        tr {
                            th scope="row" { (run_link(run)) }
                            td data-name="State" { (state(run.state)) }
                            td data-name="Begun" { (time(run.started.unwrap_or(run.created))) }
                            td data-name="Findings" { @if run.state.is_final() { (counts(&run.counts)) } @else { "not yet" } }
                        }
                    }
                }
            }
        }
    }
}
