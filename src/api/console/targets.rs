//! Assessment targets: which hosts belong together, by their tags.

use maud::{Markup, html};
use serde_json::json;

use super::fields::pairs;
use super::page::{shown, time};
use super::{ROOT, Reply, Told, Visit};
use crate::api::fault::Result;
use crate::assess::store::{Page, Pair, Target};

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    page(visit, None)
}

fn page(visit: &Visit<'_>, problem: Option<&str>) -> Result<Told> {
    let mut rows = Vec::new();
    for target in all(visit)? {
        let agents = visit.service.agents_of_target(&target.arn)?.len();
        rows.push((tags(visit, &target)?, agents, target));
    }
    let content = html! {
        @if rows.is_empty() {
            p { "There are no targets yet. A target says which hosts are assessed together." }
        } @else {
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "Target" }
                            th scope="col" { "Hosts with any of" }
                            th.n scope="col" { "Agents now" }
                            th scope="col" { "Changed" }
                            th scope="col" { span.hidden { "Actions" } }
                        }
                    }
                    tbody {
                        @for (tags, agents, target) in &rows {
                            tr {
                                th scope="row" { (shown(&target.name)) br; code.small { (target.arn) } }
                                td data-name="Hosts with any of" { (tag_list(tags.as_deref())) }
                                td.n data-name="Agents now" { (agents) }
                                td data-name="Changed" { (time(target.updated)) }
                                td { (visit.button("/targets/delete", &target.arn, "Delete", &target.name)) }
                            }
                        }
                    }
                }
            }
        }
        h2 id="new" { "New target" }
        form.card method="post" action={ (ROOT) "/targets" } {
            (visit.guard())
            @if let Some(problem) = problem { p.said.bad role="alert" { (shown(problem)) } }
            label for="name" { "Name" }
            input #name name="name" required maxlength="140" value=(visit.ask.form.get("name"));
            label for="tags" { "Tags" }
            textarea #tags name="tags" rows="3" aria-describedby="tags-note" placeholder="env=prod" {
                (visit.ask.form.get("tags"))
            }
            p.note id="tags-note" {
                "One a line, as key=value or as a key alone. A host belongs to the target if it has any "
                "of them; without tags, every host does."
            }
            button.main { "Create target" }
        }
    };
    Ok(visit.page("Assessment targets", content))
}

/// Every target; there are fifty at most.
pub(super) fn all(visit: &Visit<'_>) -> Result<Vec<Target>> {
    let store = &visit.service.store;
    let mut targets = Vec::new();
    for arn in store.targets(None, Page::first(1000))?.items {
        targets.extend(store.target(&arn)?);
    }
    Ok(targets)
}

/// The tags that a target asks for; none: every host belongs to it.
fn tags(visit: &Visit<'_>, target: &Target) -> Result<Option<Vec<Pair>>> {
    let Some(group) = &target.resource_group else { return Ok(None) };
    Ok(visit.service.store.resource_group(group)?.map(|group| group.tags))
}

fn tag_list(tags: Option<&[Pair]>) -> Markup {
    html! {
        @match tags {
            None => { "every host" }
            Some(tags) => {
                @for (key, value) in tags {
                    span.tag { (shown(key)) @if let Some(value) = value { "=" (shown(value)) } } " "
                }
            }
        }
    }
}

pub(super) fn create(visit: &Visit<'_>) -> Reply {
    let form = &visit.ask.form;
    let made = || -> Result<()> {
        let mut members = json!({ "assessmentTargetName": form.get("name") });
        let tags = pairs(form.get("tags"));
        if !tags.is_empty() {
            let tags: Vec<_> = tags.iter().map(|(key, value)| pair(key, value)).collect();
            let group = visit.call("CreateResourceGroup", &json!({ "resourceGroupTags": tags }))?;
            members["resourceGroupArn"] = group["resourceGroupArn"].clone();
        }
        visit.call("CreateAssessmentTarget", &members).map(drop)
    };
    match made() {
        Ok(()) => {
            visit.session.say(true, format!("The target {} is there.", form.get("name")));
            Ok(Told::to("/targets"))
        }
        Err(fault) => Ok(Told { status: fault.status, ..page(visit, Some(fault.message()))? }),
    }
}

/// A key with a value, as the API takes it.
pub(super) fn pair(key: &str, value: &Option<String>) -> serde_json::Value {
    match value {
        Some(value) => json!({ "key": key, "value": value }),
        None => json!({ "key": key }),
    }
}

pub(super) fn delete(visit: &Visit<'_>) -> Reply {
    let members = json!({ "assessmentTargetArn": visit.ask.form.get("arn") });
    let result = visit.call("DeleteAssessmentTarget", &members).map(drop);
    Ok(visit.done(result, "The target is gone, with its templates, runs and findings.", "/targets"))
}
