//! Tags of templates.

use serde_json::json;

use super::{Call, Reply, pairs};
use crate::api::input::{TAGS, required};

const RESOURCE: &str = "INVALID_RESOURCE_ARN";

pub(super) fn set(call: &Call<'_>) -> Reply {
    let input = call.input();
    let arn = input.resource("resourceArn")?.ok_or_else(|| required("resourceArn", RESOURCE))?;
    let tags = input.pairs("tags", 0..=10, TAGS)?.unwrap_or_default();
    call.service.store.set_tags(arn, &tags)?;
    Ok(None)
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    let arn = call.input().resource("resourceArn")?;
    let arn = arn.ok_or_else(|| required("resourceArn", RESOURCE))?;
    let tags = call.service.store.tags(arn)?;
    Ok(Some(json!({"tags": pairs(&tags)})))
}
