//! The role that Inspector was given in the cloud. assay needs none; old scripts register it.

use serde_json::json;

use super::{Call, Reply, time};
use crate::api::fault::Fault;
use crate::api::input::required;
use crate::assess::store::Millis;

const CODE: &str = "INVALID_IAM_ROLE_ARN";
/// The role that the cloud made by itself.
const SERVICE_ROLE: &str = "arn:aws:iam::000000000000:role/aws-service-role/inspector.amazonaws.com/AWSServiceRoleForAmazonInspector";

pub(super) fn register(call: &Call<'_>) -> Reply {
    let role = call.input().text("roleArn", 300, CODE)?.ok_or_else(|| required("roleArn", CODE))?;
    if !is_role(role) {
        return Err(Fault::invalid(CODE, "roleArn is not the ARN of a role."));
    }
    call.service.store.register_role(role, call.now())?;
    Ok(None)
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [first, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    *first == "arn"
        && partition.starts_with("aws")
        && *service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    let (role, at) =
        call.service.store.role()?.unwrap_or_else(|| (SERVICE_ROLE.to_owned(), Millis(0)));
    Ok(Some(json!({"roleArn": role, "valid": true, "registeredAt": time(at)})))
}
