//! Findings and their user attributes.

use serde_json::{Value as Json, json};

use super::describe::{self, Failed};
use super::{Call, Reply, pairs, time};
use crate::api::fault::Result;
use crate::api::input::{USER_ATTRIBUTES, WANTED_ATTRIBUTES, WANTED_USER_ATTRIBUTES, required};
use crate::assess::store::{FindingFilter, Kind, Pair, StoredFinding};
use crate::model::finding::Severity;

const NUMBER: &str = "INVALID_NUMBER_OF_FINDING_ARNS";
/// Inspector's documentation says 10; much client code sends up to 100, which its answer may hold.
const DESCRIBED: usize = 100;

pub(super) fn describe(call: &Call<'_>) -> Reply {
    let input = call.input();
    input.locale()?;
    let arns = input.described("findingArns", Kind::Finding, DESCRIBED, NUMBER)?;
    describe::list("findings", Kind::Finding, &arns, |arn| {
        Ok(call.service.store.finding(arn)?.map(finding))
    })
}

/// The complete Inspector finding.
fn finding(found: StoredFinding) -> Json {
    let mut out = found.body;
    out.insert("arn".into(), json!(found.arn));
    if let Some(Json::Object(service)) = out.get_mut("serviceAttributes") {
        service.insert("assessmentRunArn".into(), json!(found.run));
    }
    out.insert("userAttributes".into(), pairs(&found.user_attributes));
    out.insert("createdAt".into(), time(found.created));
    out.insert("updatedAt".into(), time(found.updated));
    Json::Object(out)
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    let input = call.input();
    let number = "INVALID_NUMBER_OF_ASSESSMENT_RUN_ARNS";
    let runs = input.parents("assessmentRunArns", Kind::Run, number)?;
    let mut filter = FindingFilter { runs, ..FindingFilter::default() };
    if let Some(given) = input.structure("filter", "INVALID_ATTRIBUTE")? {
        let texts =
            |name: &str, most: usize, number: &str, item: &str, longest: usize| -> Result<_> {
                Ok(given.texts(name, 0..=most, number, item, longest)?.unwrap_or_default())
            };
        filter.agents =
            texts("agentIds", 99, "INVALID_NUMBER_OF_AGENT_IDS", "INVALID_AGENT_ID", 128)?;
        filter.scaling_groups = texts(
            "autoScalingGroups",
            20,
            "INVALID_NUMBER_OF_AUTO_SCALING_GROUPS",
            "INVALID_AUTO_SCALING_GROUP",
            256,
        )?;
        filter.rules =
            texts("ruleNames", 50, "INVALID_NUMBER_OF_RULE_NAMES", "INVALID_RULE_NAME", 1000)?;
        given.list("severities", 0..=50, "INVALID_NUMBER_OF_SEVERITIES")?;
        filter.severities = given.words("severities", 50, "INVALID_SEVERITY", |word| {
            Severity::ALL.iter().find(|s| s.name() == word).map(|s| s.name().to_owned())
        })?;
        filter.packages = given.packages("rulesPackageArns")?.unwrap_or_default();
        filter.attributes =
            given.pairs("attributes", 0..=50, WANTED_ATTRIBUTES)?.unwrap_or_default();
        filter.user_attributes =
            given.pairs("userAttributes", 0..=50, WANTED_USER_ATTRIBUTES)?.unwrap_or_default();
        // Inspector has no code of its own for this range.
        filter.created =
            given.times("creationTimeRange", "INVALID_ASSESSMENT_RUN_START_TIME_RANGE")?;
    }
    call.listed_arns("findingArns", call.service.store.findings(&filter, page)?)
}

pub(super) fn add_attributes(call: &Call<'_>) -> Reply {
    let input = call.input();
    let arns = input.described("findingArns", Kind::Finding, 10, NUMBER)?;
    let added = input.pairs("attributes", 0..=10, USER_ATTRIBUTES)?;
    let added = added.ok_or_else(|| required("attributes", USER_ATTRIBUTES.number))?;
    change(call, &arns, |attributes| {
        for (key, value) in &added {
            attributes.retain(|(other, _)| other != key);
            attributes.push((key.clone(), value.clone()));
        }
    })
}

pub(super) fn remove_attributes(call: &Call<'_>) -> Reply {
    let input = call.input();
    let arns = input.described("findingArns", Kind::Finding, 10, NUMBER)?;
    let (number, key) = (USER_ATTRIBUTES.number, USER_ATTRIBUTES.key);
    let removed = input.texts("attributeKeys", 0..=10, number, key, 128)?;
    let removed = removed.ok_or_else(|| required("attributeKeys", number))?;
    change(call, &arns, |attributes| attributes.retain(|(key, _)| !removed.contains(key)))
}

fn change(call: &Call<'_>, arns: &[String], change: impl Fn(&mut Vec<Pair>)) -> Reply {
    let mut failed = Failed::default();
    let mut wanted: Vec<String> = Vec::new();
    for arn in arns {
        if wanted.contains(arn) {
            failed.add(arn, "DUPLICATE_ARN");
        } else if Kind::of(arn) != Some(Kind::Finding) {
            failed.add(arn, "INVALID_ARN");
        } else {
            wanted.push(arn.clone());
        }
    }
    let (missing, full) = call.service.store.change_attributes(&wanted, change, call.now())?;
    missing.iter().for_each(|arn| failed.add(arn, "ITEM_DOES_NOT_EXIST"));
    full.iter().for_each(|arn| failed.add(arn, "LIMIT_EXCEEDED"));
    Ok(Some(json!({"failedItems": failed.json()})))
}
