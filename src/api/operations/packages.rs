//! Rules packages.

use serde_json::json;

use super::{Call, Reply, describe};
use crate::api::packages::{PROVIDER, find, listed};
use crate::assess::store::Kind;

pub(super) fn list(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    call.sliced("rulesPackageArns", listed().map(|package| json!(package.arn)).collect(), page)
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    const NUMBER: &str = "INVALID_NUMBER_OF_RULES_PACKAGE_ARNS";
    let input = call.input();
    input.locale()?;
    let arns = input.described("rulesPackageArns", Kind::RulesPackage, 10, NUMBER)?;
    describe::list("rulesPackages", Kind::RulesPackage, &arns, |arn| {
        Ok(find(arn).map(|package| {
            json!({
                "arn": arn,
                "name": package.name,
                "version": package.version,
                "provider": PROVIDER,
                "description": package.description,
            })
        }))
    })
}
