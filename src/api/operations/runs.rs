//! Assessment runs.

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply, describe, pairs, time};
use crate::api::fault::{Fault, Result};
use crate::api::runs::start as start_run;
use crate::assess::store::{Kind, Run, RunFilter, RunState, Stop};
use crate::model::finding::Severity;

pub(super) fn start(call: &Call<'_>) -> Reply {
    let input = call.input();
    let template = input.arn("assessmentTemplateArn", Kind::Template)?;
    // Inspector has no code of its own for the name of a run.
    let name = input.name("assessmentRunName", "INVALID_ASSESSMENT_TEMPLATE_NAME")?;
    let arn = start_run(call.service, template, name)?;
    Ok(Some(json!({"assessmentRunArn": arn})))
}

pub(super) fn stop(call: &Call<'_>) -> Reply {
    let input = call.input();
    let arn = input.arn("assessmentRunArn", Kind::Run)?;
    let action = input.word("stopAction", "INVALID_ASSESSMENT_RUN_STATE", |word| match word {
        "START_EVALUATION" => Some(Stop::Evaluate),
        "SKIP_EVALUATION" => Some(Stop::Skip),
        _ => None,
    })?;
    call.service.store.stop_run(arn, action.unwrap_or(Stop::Evaluate), call.now())?;
    call.service.work.ring();
    Ok(None)
}

pub(super) fn delete(call: &Call<'_>) -> Reply {
    let arn = call.input().arn("assessmentRunArn", Kind::Run)?;
    call.service.store.delete_run(arn)?;
    Ok(None)
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    const NUMBER: &str = "INVALID_NUMBER_OF_ASSESSMENT_RUN_ARNS";
    let arns = call.input().described("assessmentRunArns", Kind::Run, 10, NUMBER)?;
    describe::list("assessmentRuns", Kind::Run, &arns, |arn| {
        let Some(found) = call.service.store.run(arn)? else { return Ok(None) };
        Ok(Some(run(&found, notifications(call, arn)?)))
    })
}

fn run(run: &Run, notifications: Json) -> Json {
    let mut out = Map::new();
    out.insert("arn".into(), json!(run.arn));
    out.insert("name".into(), json!(run.name));
    out.insert("assessmentTemplateArn".into(), json!(run.template));
    out.insert("state".into(), json!(run.state.name()));
    out.insert("durationInSeconds".into(), json!(run.duration));
    out.insert("rulesPackageArns".into(), json!(run.packages));
    out.insert("userAttributesForFindings".into(), pairs(&run.attributes));
    out.insert("createdAt".into(), time(run.created));
    for (name, at) in [("startedAt", run.started), ("completedAt", run.completed)] {
        if let Some(at) = at {
            out.insert(name.into(), time(at));
        }
    }
    out.insert("stateChangedAt".into(), time(run.changed));
    out.insert("dataCollected".into(), json!(run.data_collected));
    let change =
        |(state, at): &(RunState, _)| json!({"stateChangedAt": time(*at), "state": state.name()});
    out.insert("stateChanges".into(), run.changes.iter().map(change).collect());
    out.insert("notifications".into(), notifications);
    let counts = Severity::ALL.iter().map(|severity| {
        let count = run.counts.iter().find(|(word, _)| word == severity.name());
        (severity.name().to_owned(), json!(count.map_or(0, |(_, count)| *count)))
    });
    out.insert("findingCounts".into(), Json::Object(counts.collect()));
    Json::Object(out)
}

fn notifications(call: &Call<'_>, arn: &str) -> Result<Json> {
    let told = match call.service.store.notifications(arn) {
        Ok(told) => told,
        // Deleted since it was read.
        Err(crate::assess::store::StoreError::Missing(_)) => Vec::new(),
        Err(error) => return Err(Fault::from(error)),
    };
    let notification = |told: &crate::assess::store::Notification| {
        let mut out = Map::new();
        out.insert("date".into(), time(told.at));
        out.insert("event".into(), json!(told.event));
        out.insert("error".into(), json!(told.error));
        let optional = [
            ("message", &told.message),
            ("snsTopicArn", &told.topic),
            ("snsPublishStatusCode", &told.status),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                out.insert(name.into(), json!(value));
            }
        }
        Json::Object(out)
    };
    Ok(told.iter().map(notification).collect())
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    const PATTERN: &str = "INVALID_ASSESSMENT_TEMPLATE_NAME_PATTERN";
    let page = call.page()?;
    let input = call.input();
    let number = "INVALID_NUMBER_OF_ASSESSMENT_TEMPLATE_ARNS";
    let templates = input.parents("assessmentTemplateArns", Kind::Template, number)?;
    let mut filter = RunFilter { templates, ..RunFilter::default() };
    if let Some(given) = input.structure("filter", PATTERN)? {
        filter.name = given.name("namePattern", PATTERN)?.map(str::to_owned);
        given.list("states", 0..=50, "INVALID_NUMBER_OF_ASSESSMENT_RUN_STATES")?;
        filter.states =
            given.words("states", 50, "INVALID_ASSESSMENT_RUN_STATE", RunState::parse)?;
        filter.duration =
            given.durations("durationRange", "INVALID_ASSESSMENT_RUN_DURATION_RANGE")?;
        filter.packages = given.packages("rulesPackageArns")?.unwrap_or_default();
        filter.started =
            given.times("startTimeRange", "INVALID_ASSESSMENT_RUN_START_TIME_RANGE")?;
        filter.completed =
            given.times("completionTimeRange", "INVALID_ASSESSMENT_RUN_COMPLETION_TIME_RANGE")?;
        filter.changed = given
            .times("stateChangeTimeRange", "INVALID_ASSESSMENT_RUN_STATE_CHANGE_TIME_RANGE")?;
    }
    call.listed_arns("assessmentRunArns", call.service.store.runs(&filter, page)?)
}
