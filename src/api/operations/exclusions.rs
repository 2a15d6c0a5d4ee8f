//! Exclusions and their previews.

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply, describe};
use crate::api::fault::Fault;
use crate::api::runs::preview;
use crate::api::uuid;
use crate::assess::store::{Exclusion, Kind, Preview};

/// How long a page of a preview is where nobody says.
const PREVIEW_PAGE: usize = 100;
// Inspector has no codes of its own for exclusions and preview tokens.
const NUMBER: &str = "INVALID_RESOURCE_ARN";
const TOKEN: &str = "INVALID_PAGINATION_TOKEN";

fn members(exclusion: &Exclusion) -> Map<String, Json> {
    let scopes = exclusion.scopes.iter().map(|(key, value)| json!({"key": key, "value": value}));
    let short = |text: &str| json!(text.chars().take(20_000).collect::<String>());
    let mut out = Map::new();
    out.insert("title".into(), short(&exclusion.title));
    out.insert("description".into(), short(&exclusion.description));
    out.insert("recommendation".into(), short(&exclusion.recommendation));
    out.insert("scopes".into(), scopes.collect());
    out.insert("attributes".into(), json!([]));
    out
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    let run = call.input().arn("assessmentRunArn", Kind::Run)?;
    call.listed_arns("exclusionArns", call.service.store.exclusions(run, page)?)
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    let input = call.input();
    input.locale()?;
    let arns = input.described("exclusionArns", Kind::Exclusion, 100, NUMBER)?;
    let (found, failed) = describe::each(Kind::Exclusion, &arns, |arn| {
        Ok(call.service.store.exclusion(arn)?.map(|exclusion| {
            let mut out = members(&exclusion);
            out.insert("arn".into(), json!(arn));
            Json::Object(out)
        }))
    })?;
    let found: Map<String, Json> = found.into_iter().collect();
    Ok(Some(json!({"exclusions": found, "failedItems": failed.json()})))
}

pub(super) fn create_preview(call: &Call<'_>) -> Reply {
    let arn = call.input().arn("assessmentTemplateArn", Kind::Template)?;
    let store = &call.service.store;
    let token = uuid();
    if !store.begin_preview(arn, &token)? {
        return Err(Fault::preview_in_progress());
    }
    let found = preview(call.service, arn);
    store.end_preview(&token, found.as_deref().ok())?;
    found?;
    Ok(Some(json!({"previewToken": token})))
}

pub(super) fn get_preview(call: &Call<'_>) -> Reply {
    let input = call.input();
    input.locale()?;
    let template = input.arn("assessmentTemplateArn", Kind::Template)?;
    let bad = || Fault::invalid(TOKEN, "previewToken is not one that was given for the template.");
    let token = input.text("previewToken", 36, TOKEN)?.ok_or_else(bad)?;
    let mut page = call.page()?;
    page.limit = input.max_results(PREVIEW_PAGE)?;
    match call.service.store.preview(template, token)?.ok_or_else(bad)? {
        Preview::InProgress => Ok(Some(json!({"previewStatus": "WORK_IN_PROGRESS"}))),
        Preview::Completed(found) => {
            let items = found.iter().map(|found| Json::Object(members(found))).collect();
            let answer = call.sliced("exclusionPreviews", items, page)?;
            Ok(answer.map(|mut answer| {
                answer["previewStatus"] = json!("COMPLETED");
                answer
            }))
        }
    }
}
