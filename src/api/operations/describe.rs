//! Describing many things at once: each ARN that is wrong is answered for itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::api::fault::Result;
use crate::assess::store::Kind;

/// Which ARNs failed, and why.
#[derive(Debug, Default)]
pub(super) struct Failed(Map<String, Json>);

impl Failed {
    pub(super) fn add(&mut self, arn: &str, code: &str) {
        self.0.insert(arn.to_owned(), json!({"failureCode": code, "retryable": false}));
    }

    pub(super) fn json(self) -> Json {
        Json::Object(self.0)
    }
}

/// What is found, with its ARN, and what is not. An ARN that is given twice is described once, and
/// said to be a duplicate.
pub(super) fn each(
    kind: Kind,
    arns: &[String],
    find: impl Fn(&str) -> Result<Option<Json>>,
) -> Result<(Vec<(String, Json)>, Failed)> {
    let (mut found, mut failed) = (Vec::new(), Failed::default());
    let mut seen = BTreeSet::new();
    for arn in arns {
        if !seen.insert(arn) {
            failed.add(arn, "DUPLICATE_ARN");
        } else if Kind::of(arn) != Some(kind) {
            failed.add(arn, "INVALID_ARN");
        } else {
            match find(arn)? {
                Some(item) => found.push((arn.clone(), item)),
                None => failed.add(arn, "ITEM_DOES_NOT_EXIST"),
            }
        }
    }
    Ok((found, failed))
}

/// The answer with a list of what is found.
pub(super) fn list(
    member: &str,
    kind: Kind,
    arns: &[String],
    find: impl Fn(&str) -> Result<Option<Json>>,
) -> Result<Option<Json>> {
    let (found, failed) = each(kind, arns, find)?;
    let found: Vec<Json> = found.into_iter().map(|(_, item)| item).collect();
    Ok(Some(json!({ member: found, "failedItems": failed.json() })))
}
