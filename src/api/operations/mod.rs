//! The operations, one line each in [`OPERATIONS`]; a new one is its function and its line.

mod agents;
mod describe;
mod exclusions;
mod findings;
mod packages;
mod reports;
mod roles;
mod runs;
mod subscriptions;
mod tags;
mod targets;
mod templates;

use serde_json::{Map, Value as Json, json};

use super::fault::{Fault, Result};
use super::input::Input;
use super::{Service, token};
use crate::assess::store::{Listed, Millis, Page, Pair};

/// An operation's answer; none: it has no body.
type Reply = Result<Option<Json>>;
type Operation = fn(&Call<'_>) -> Reply;

/// Every operation by its name, sorted.
static OPERATIONS: &[(&str, Operation)] = &[
    ("AddAttributesToFindings", findings::add_attributes),
    ("CreateAssessmentTarget", targets::create),
    ("CreateAssessmentTemplate", templates::create),
    ("CreateExclusionsPreview", exclusions::create_preview),
    ("CreateResourceGroup", targets::create_group),
    ("DeleteAssessmentRun", runs::delete),
    ("DeleteAssessmentTarget", targets::delete),
    ("DeleteAssessmentTemplate", templates::delete),
    ("DescribeAssessmentRuns", runs::describe),
    ("DescribeAssessmentTargets", targets::describe),
    ("DescribeAssessmentTemplates", templates::describe),
    ("DescribeCrossAccountAccessRole", roles::describe),
    ("DescribeExclusions", exclusions::describe),
    ("DescribeFindings", findings::describe),
    ("DescribeResourceGroups", targets::describe_groups),
    ("DescribeRulesPackages", packages::describe),
    ("GetAssessmentReport", reports::get),
    ("GetExclusionsPreview", exclusions::get_preview),
    ("GetTelemetryMetadata", agents::telemetry),
    ("ListAssessmentRunAgents", agents::list),
    ("ListAssessmentRuns", runs::list),
    ("ListAssessmentTargets", targets::list),
    ("ListAssessmentTemplates", templates::list),
    ("ListEventSubscriptions", subscriptions::list),
    ("ListExclusions", exclusions::list),
    ("ListFindings", findings::list),
    ("ListRulesPackages", packages::list),
    ("ListTagsForResource", tags::list),
    ("PreviewAgents", agents::preview),
    ("RegisterCrossAccountAccessRole", roles::register),
    ("RemoveAttributesFromFindings", findings::remove_attributes),
    ("SetTagsForResource", tags::set),
    ("StartAssessmentRun", runs::start),
    ("StopAssessmentRun", runs::stop),
    ("SubscribeToEvent", subscriptions::subscribe),
    ("UnsubscribeFromEvent", subscriptions::unsubscribe),
    ("UpdateAssessmentTarget", targets::update),
];

/// The names of all operations, sorted.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// One call of an operation.
struct Call<'a> {
    service: &'a Service,
    origin: &'a str,
    operation: &'a str,
    members: &'a Map<String, Json>,
}

/// Answers one operation.
pub(super) fn call(
    service: &Service,
    operation: &str,
    members: &Map<String, Json>,
    origin: &str,
) -> Reply {
    match OPERATIONS.binary_search_by_key(&operation, |(name, _)| name) {
        Ok(index) => (OPERATIONS[index].1)(&Call { service, origin, operation, members }),
        Err(_) => Err(Fault::protocol(
            "UnknownOperationException",
            400,
            "There is no operation of this name in Amazon Inspector's API of 2016-02-16.",
        )),
    }
}

impl<'a> Call<'a> {
    fn input(&self) -> Input<'a> {
        Input(self.members)
    }

    fn now(&self) -> Millis {
        self.service.now()
    }

    /// The page that is asked for.
    fn page(&self) -> Result<Page> {
        let key = self.service.store.key();
        self.input().page(|text| token::read(key, self.operation, self.members, text))
    }

    /// The token for the page after a row.
    fn token(&self, after: i64) -> String {
        token::make(self.service.store.key(), self.operation, self.members, after)
    }

    /// A page as an answer.
    fn listed(&self, member: &str, listed: Listed<Json>) -> Reply {
        let mut out = Map::new();
        out.insert(member.into(), Json::Array(listed.items));
        if let Some(after) = listed.next {
            out.insert("nextToken".into(), json!(self.token(after)));
        }
        Ok(Some(Json::Object(out)))
    }

    /// A page of ARNs as an answer.
    fn listed_arns(&self, member: &str, listed: Listed<String>) -> Reply {
        let items = listed.items.into_iter().map(Json::String).collect();
        self.listed(member, Listed { items, next: listed.next })
    }

    /// A page of a list that is in memory; rows are numbered from 1.
    fn sliced(&self, member: &str, items: Vec<Json>, page: Page) -> Reply {
        let start = usize::try_from(page.after).unwrap_or(usize::MAX).min(items.len());
        let end = start.saturating_add(page.limit).min(items.len());
        let next = (end < items.len()).then(|| i64::try_from(end).unwrap_or(i64::MAX));
        let items = items.into_iter().skip(start).take(page.limit).collect();
        self.listed(member, Listed { items, next })
    }
}

/// A time on the wire: seconds since 1970 with a fraction.
#[expect(clippy::cast_precision_loss, reason = "exact for some 285,000 years")]
fn time(at: Millis) -> Json {
    json!(at.0 as f64 / 1000.0)
}

/// Keys with values.
fn pairs(pairs: &[Pair]) -> Json {
    let pair = |(key, value): &Pair| match value {
        Some(value) => json!({"key": key, "value": value}),
        None => json!({"key": key}),
    };
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn operations_are_found_by_name() {
        assert_eq!(super::OPERATIONS.len(), 37);
        assert!(super::OPERATIONS.is_sorted_by_key(|(name, _)| *name));
    }
}
