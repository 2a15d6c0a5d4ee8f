//! Who hears of what.

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply, time};
use crate::api::fault::{Fault, Result};
use crate::api::input::required;
use crate::api::notify;
use crate::assess::store::{Event, Listed, Subscription};

const RESOURCE: &str = "INVALID_RESOURCE_ARN";
const TOPIC: &str = "INVALID_SNS_TOPIC_ARN";
const EVENT: &str = "INVALID_EVENT";

/// The template, event and topic of a request.
fn members<'a>(call: &Call<'a>) -> Result<(&'a str, Event, &'a str)> {
    let input = call.input();
    let resource =
        input.resource("resourceArn")?.ok_or_else(|| required("resourceArn", RESOURCE))?;
    let event =
        input.word("event", EVENT, Event::parse)?.ok_or_else(|| required("event", EVENT))?;
    let topic = input.text("topicArn", 300, TOPIC)?.ok_or_else(|| required("topicArn", TOPIC))?;
    if !notify::is_topic(topic) {
        return Err(Fault::invalid(TOPIC, "topicArn is not the ARN of an SNS topic."));
    }
    Ok((resource, event, topic))
}

pub(super) fn subscribe(call: &Call<'_>) -> Reply {
    let (template, event, topic) = members(call)?;
    let known = notify::knows(call.service.data(), topic).map_err(Fault::internal)?;
    if !known {
        let message = format!("{topic} is not among the topics in topics.json");
        return Err(Fault::missing("SNS_TOPIC_DOES_NOT_EXIST", message));
    }
    call.service.store.subscribe(template, event, topic, call.now())?;
    call.service.work.ring();
    Ok(None)
}

pub(super) fn unsubscribe(call: &Call<'_>) -> Reply {
    let (template, event, topic) = members(call)?;
    call.service.store.unsubscribe(template, event, topic)?;
    Ok(None)
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    let resource = call.input().resource("resourceArn")?;
    let listed = call.service.store.subscriptions(resource, page)?;
    let items = listed.items.iter().map(subscription).collect();
    call.listed("subscriptions", Listed { items, next: listed.next })
}

fn subscription(subscription: &Subscription) -> Json {
    let event = |(word, at): &(String, _)| json!({"event": word, "subscribedAt": time(*at)});
    let mut out = Map::new();
    out.insert("resourceArn".into(), json!(subscription.template));
    out.insert("topicArn".into(), json!(subscription.topic));
    out.insert("eventSubscriptions".into(), subscription.events.iter().map(event).collect());
    Json::Object(out)
}
