//! Resource groups and assessment targets.

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply, describe, pairs, time};
use crate::api::input::{GROUP_TAGS, required};
use crate::assess::store::{Kind, ResourceGroup, Target};

const NAME: &str = "INVALID_ASSESSMENT_TARGET_NAME";

pub(super) fn create_group(call: &Call<'_>) -> Reply {
    let tags = call.input().pairs("resourceGroupTags", 1..=10, GROUP_TAGS)?;
    let tags = tags.ok_or_else(|| required("resourceGroupTags", GROUP_TAGS.number))?;
    let arn = call.service.store.create_resource_group(&tags, call.now())?;
    Ok(Some(json!({"resourceGroupArn": arn})))
}

pub(super) fn describe_groups(call: &Call<'_>) -> Reply {
    const NUMBER: &str = "INVALID_NUMBER_OF_RESOURCE_GROUP_ARNS";
    let arns = call.input().described("resourceGroupArns", Kind::ResourceGroup, 10, NUMBER)?;
    describe::list("resourceGroups", Kind::ResourceGroup, &arns, |arn| {
        Ok(call.service.store.resource_group(arn)?.map(|found| group(&found)))
    })
}

fn group(group: &ResourceGroup) -> Json {
    json!({"arn": group.arn, "tags": pairs(&group.tags), "createdAt": time(group.created)})
}

pub(super) fn create(call: &Call<'_>) -> Reply {
    let input = call.input();
    let name = input.name("assessmentTargetName", NAME)?;
    let name = name.ok_or_else(|| required("assessmentTargetName", NAME))?;
    let group = input.optional_arn("resourceGroupArn", Kind::ResourceGroup)?;
    let arn = call.service.store.create_target(name, group, call.now())?;
    Ok(Some(json!({"assessmentTargetArn": arn})))
}

pub(super) fn update(call: &Call<'_>) -> Reply {
    let input = call.input();
    let arn = input.arn("assessmentTargetArn", Kind::Target)?;
    let name = input.name("assessmentTargetName", NAME)?;
    let name = name.ok_or_else(|| required("assessmentTargetName", NAME))?;
    let group = input.optional_arn("resourceGroupArn", Kind::ResourceGroup)?;
    call.service.store.update_target(arn, name, group, call.now())?;
    Ok(None)
}

pub(super) fn delete(call: &Call<'_>) -> Reply {
    let arn = call.input().arn("assessmentTargetArn", Kind::Target)?;
    call.service.store.delete_target(arn)?;
    Ok(None)
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    const NUMBER: &str = "INVALID_NUMBER_OF_ASSESSMENT_TARGET_ARNS";
    let arns = call.input().described("assessmentTargetArns", Kind::Target, 10, NUMBER)?;
    describe::list("assessmentTargets", Kind::Target, &arns, |arn| {
        Ok(call.service.store.target(arn)?.map(|found| target(&found)))
    })
}

fn target(target: &Target) -> Json {
    let mut out = Map::new();
    out.insert("arn".into(), json!(target.arn));
    out.insert("name".into(), json!(target.name));
    if let Some(group) = &target.resource_group {
        out.insert("resourceGroupArn".into(), json!(group));
    }
    out.insert("createdAt".into(), time(target.created));
    out.insert("updatedAt".into(), time(target.updated));
    Json::Object(out)
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    const PATTERN: &str = "INVALID_ASSESSMENT_TARGET_NAME_PATTERN";
    let page = call.page()?;
    let filter = call.input().structure("filter", PATTERN)?;
    let pattern = match filter {
        Some(filter) => filter.name("assessmentTargetNamePattern", PATTERN)?,
        None => None,
    };
    call.listed_arns("assessmentTargetArns", call.service.store.targets(pattern, page)?)
}
