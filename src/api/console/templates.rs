//! Assessment templates: what is assessed, by which rules, for how long. They cannot be changed, so
//! that every run says what it did.

use maud::{Markup, html};
use serde_json::{Value as Json, json};

use super::fields::{address, pairs};
use super::page::{duration, more, package, shown, time};
use super::targets::{self, pair};
use super::{ROOT, Reply, Told, Visit};
use crate::api::fault::Result;
use crate::api::packages;
use crate::assess::store::{Page, Target, Template, TemplateFilter};

/// How many templates a page has.
const ROWS: usize = 50;
/// The durations that Inspector's console offered, in seconds.
const DURATIONS: [(i64, &str); 5] = [
    (900, "15 minutes"),
    (3600, "1 hour (recommended)"),
    (8 * 3600, "8 hours"),
    (12 * 3600, "12 hours"),
    (24 * 3600, "24 hours"),
];

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    let store = &visit.service.store;
    let after = visit.ask.query.get("after").parse().unwrap_or(0);
    let listed = store.templates(&TemplateFilter::default(), Page { after, limit: ROWS })?;
    let mut rows = Vec::new();
    for arn in &listed.items {
        let Some(template) = store.template(arn)? else { continue };
        let target = store.target(&template.target)?;
        rows.push((template, target));
    }
    let content = html! {
        p { a.main href={ (ROOT) "/templates/new" } { "New template" } }
        @if rows.is_empty() { p { "There are no templates yet." } } @else { (table(visit, &rows)) }
        (more("/templates", &[], listed.next))
    };
    Ok(visit.page("Assessment templates", content))
}

fn table(visit: &Visit<'_>, rows: &[(Template, Option<Target>)]) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Template" }
                        th scope="col" { "Target" }
                        th scope="col" { "Duration" }
                        th scope="col" { "Rules packages" }
                        th.n scope="col" { "Runs" }
                        th scope="col" { "Made" }
                        th scope="col" { span.hidden { "Actions" } }
                    }
                }
                tbody {
                    @for (template, target) in rows {
                        tr {
                            th scope="row" { (shown(&template.name)) br; code.small { (template.arn) } }
                            td data-name="Target" { @if let Some(target) = target { (shown(&target.name)) } }
                            td data-name="Duration" { (duration(template.duration)) }
                            td data-name="Rules packages" { ul.plain { @for arn in &template.packages { li { (package(arn)) } } } }
                            td.n data-name="Runs" {
                                a href=(address("/runs", &[("template", &template.arn)])) { (template.runs) }
                            }
                            td data-name="Created" { (time(template.created)) }
                            td.actions {
                                (visit.button("/templates/run", &template.arn, "Run", &template.name))
                                (visit.button("/templates/delete", &template.arn, "Delete", &template.name))
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn form(visit: &Visit<'_>) -> Reply {
    page(visit, None)
}

fn page(visit: &Visit<'_>, problem: Option<&str>) -> Result<Told> {
    let targets = targets::all(visit)?;
    let content = html! {
        @if targets.is_empty() {
            p { "A template is for a target. " a href={ (ROOT) "/targets#new" } { "Create a target first." } }
        } @else {
            p.note { "A template cannot be changed once it is there; make another one instead." }
            (fields(visit, &targets, problem))
        }
    };
    Ok(visit.page("New assessment template", content))
}

fn fields(visit: &Visit<'_>, targets: &[Target], problem: Option<&str>) -> Markup {
    let form = &visit.ask.form;
    let chosen = form.all("package");
    let again = visit.ask.post;
    let wanted = form.given("duration").unwrap_or("3600");
    html! {
        form.card method="post" action={ (ROOT) "/templates/new" } {
            (visit.guard())
            @if let Some(problem) = problem { p.said.bad role="alert" { (shown(problem)) } }
            label for="name" { "Name" }
            input #name name="name" required maxlength="140" value=(form.get("name"));
            label for="target" { "Target" }
            select #target name="target" {
                @for target in targets {
                    option value=(target.arn) selected[form.get("target") == target.arn] { (shown(&target.name)) }
                }
            }
            fieldset {
                legend { "Rules packages" }
                @for known in packages::listed().filter(|known| known.package.is_some()) {
                    label.check {
                        input type="checkbox" name="package" value=(known.arn)
                            checked[!again || chosen.contains(&known.arn)];
                        span {
                            (known.name) "-" (known.version)
                            span.note { (known.description) }
                        }
                    }
                }
            }
            label for="duration" { "Duration" }
            select #duration name="duration" aria-describedby="duration-note" {
                @for (seconds, words) in DURATIONS {
                    @let value = seconds.to_string();
                    option value=(value) selected[wanted == value] { (words) }
                }
            }
            p.note id="duration-note" {
                "How long a live host is observed. A snapshot has its own time, and is judged at once."
            }
            label for="attributes" { "Attributes added to findings" }
            textarea #attributes name="attributes" rows="2" placeholder="team=web" { (form.get("attributes")) }
            label for="tags" { "Tags of the template" }
            textarea #tags name="tags" rows="2" placeholder="purpose=gate" { (form.get("tags")) }
            label for="topic" { "Topic for notifications" }
            input #topic name="topic" aria-describedby="topic-note" value=(form.get("topic"))
                placeholder="arn:aws:sns:us-east-1:123456789012:inspector";
            p.note id="topic-note" {
                "The ARN of a topic that is configured in the data directory; it is told of every event."
            }
            p {
                button.main name="then" value="run" { "Create and run" }
                " "
                button.quiet name="then" value="stay" { "Create" }
            }
        }
    }
}

/// The events that a topic can be told of.
const EVENTS: [&str; 4] = [
    "ASSESSMENT_RUN_STARTED",
    "ASSESSMENT_RUN_COMPLETED",
    "ASSESSMENT_RUN_STATE_CHANGED",
    "FINDING_REPORTED",
];

pub(super) fn create(visit: &Visit<'_>) -> Reply {
    let form = &visit.ask.form;
    let list = |name: &str| -> Vec<Json> {
        pairs(form.get(name)).iter().map(|(key, value)| pair(key, value)).collect()
    };
    let chosen = form.all("package");
    if chosen.is_empty() {
        // The API makes such a template, of which no run can begin.
        let problem = "Choose at least one rules package.";
        return Ok(Told { status: 400, ..page(visit, Some(problem))? });
    }
    let members = json!({
        "assessmentTargetArn": form.get("target"),
        "assessmentTemplateName": form.get("name"),
        "durationInSeconds": form.get("duration").parse::<i64>().unwrap_or(0),
        "rulesPackageArns": chosen,
        "userAttributesForFindings": list("attributes"),
    });
    let made = match visit.call("CreateAssessmentTemplate", &members) {
        Ok(made) => made,
        Err(fault) => {
            return Ok(Told { status: fault.status, ..page(visit, Some(fault.message()))? });
        }
    };
    let arn = &made["assessmentTemplateArn"];
    let tags = list("tags");
    let dressed = || -> Result<()> {
        if !tags.is_empty() {
            visit.call("SetTagsForResource", &json!({ "resourceArn": arn, "tags": tags }))?;
        }
        if let Some(topic) = form.given("topic") {
            for event in EVENTS {
                let members = json!({ "resourceArn": arn, "event": event, "topicArn": topic });
                visit.call("SubscribeToEvent", &members)?;
            }
        }
        Ok(())
    };
    // A template that is there only by half would have to be found out about: it goes again.
    if let Err(fault) = dressed() {
        visit.call("DeleteAssessmentTemplate", &json!({ "assessmentTemplateArn": arn }))?;
        return Ok(Told { status: fault.status, ..page(visit, Some(fault.message()))? });
    }
    if form.get("then") == "run" {
        return Ok(start(visit, arn));
    }
    visit.session.say(true, format!("The template {} is there.", form.get("name")));
    Ok(Told::to("/templates"))
}

/// Starts a run, and goes there.
fn start(visit: &Visit<'_>, template: &Json) -> Told {
    match visit.call("StartAssessmentRun", &json!({ "assessmentTemplateArn": template })) {
        Ok(run) => {
            visit.session.say(true, "The run has begun.");
            let arn = run["assessmentRunArn"].as_str().unwrap_or_default();
            let page = address("/runs/show", &[("arn", arn)]);
            Told::to(page.strip_prefix(ROOT).unwrap_or("/runs"))
        }
        Err(fault) => {
            visit.session.say(false, format!("The run did not begin: {}", fault.message()));
            Told::to("/templates")
        }
    }
}

pub(super) fn run(visit: &Visit<'_>) -> Reply {
    Ok(start(visit, &json!(visit.ask.form.get("arn"))))
}

pub(super) fn delete(visit: &Visit<'_>) -> Reply {
    let members = json!({ "assessmentTemplateArn": visit.ask.form.get("arn") });
    let result = visit.call("DeleteAssessmentTemplate", &members).map(drop);
    Ok(visit.done(result, "The template is gone, with its runs and findings.", "/templates"))
}
