//! The process is killed at moments that nobody chose. What was acknowledged is there afterwards,
//! and what was running goes on.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::{Client, Server, hosts};

const ROUNDS: usize = 12;

/// What the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Templates by ARN, with the tag each was given last.
    templates: BTreeMap<String, Option<String>>,
    runs: Vec<String>,
    deleted: Vec<String>,
    /// Attributes that findings were given.
    attributes: Vec<(String, String)>,
}

/// Calls an operation; none where the server is gone. It must not refuse.
fn ask(client: &Client, operation: &str, input: &Json) -> Option<Json> {
    let answer = client.try_call(operation, input)?;
    assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.text());
    Some(if answer.body.is_empty() { Json::Null } else { answer.json() })
}

fn arn(answer: &Json, member: &str) -> String {
    answer[member].as_str().unwrap().to_owned()
}

/// Does all kinds of things until the server is gone.
fn work(client: &Client, target: &str, round: usize, known: &mut Acknowledged) -> Option<()> {
    let packages = ask(client, "ListRulesPackages", &json!({}))?;
    for number in 0.. {
        let asked = json!({
            "assessmentTargetArn": target,
            "assessmentTemplateName": format!("{round}-{number}"),
            "durationInSeconds": 180,
            "rulesPackageArns": [packages["rulesPackageArns"][2]],
        });
        let made = ask(client, "CreateAssessmentTemplate", &asked)?;
        let template = arn(&made, "assessmentTemplateArn");
        known.templates.insert(template.clone(), None);
        let tag = format!("{round}.{number}");
        let tags = json!({"resourceArn": template, "tags": [{"key": "mark", "value": tag}]});
        ask(client, "SetTagsForResource", &tags)?;
        known.templates.insert(template.clone(), Some(tag.clone()));
        // An agent takes part in one run at a time.
        let started =
            client.try_call("StartAssessmentRun", &json!({"assessmentTemplateArn": template}))?;
        if started.status == 200 {
            known.runs.push(arn(&started.json(), "assessmentRunArn"));
        } else {
            assert_eq!(started.fault(), "AgentsAlreadyRunningAssessmentException");
        }
        let found = ask(client, "ListFindings", &json!({"maxResults": 500}))?;
        let findings = found["findingArns"].as_array().unwrap();
        if let Some(finding) = findings.get(number % findings.len().max(1)) {
            let finding = finding.as_str().unwrap().to_owned();
            let attribute = json!([{"key": "mark", "value": tag}]);
            let asked = json!({"findingArns": [finding], "attributes": attribute});
            let failed = ask(client, "AddAttributesToFindings", &asked)?;
            assert_eq!(failed["failedItems"], json!({}));
            known.attributes.retain(|(other, _)| *other != finding);
            known.attributes.push((finding, tag));
        }
        if number % 4 == 3 {
            let asked = json!({"assessmentTemplateArn": template});
            let deleted = client.try_call("DeleteAssessmentTemplate", &asked);
            // Whether it was deleted is not known where no answer came.
            known.templates.remove(&template);
            if deleted?.status == 200 {
                known.deleted.push(template);
            }
        }
    }
    None
}

fn described(client: &Client, operation: &str, member: &str, arn: &str) -> Option<Json> {
    let (input, list) = (format!("{member}Arns"), format!("{member}s"));
    let answer = client.call(operation, json!({ input: [arn] }));
    answer[list.as_str()].as_array().unwrap().first().cloned()
}

fn check(client: &Client, known: &Acknowledged) {
    for (template, tag) in &known.templates {
        let found =
            described(client, "DescribeAssessmentTemplates", "assessmentTemplate", template);
        assert!(found.is_some(), "{template} is lost");
        let tags = client.call("ListTagsForResource", json!({"resourceArn": template}));
        if let Some(tag) = tag {
            assert_eq!(tags["tags"], json!([{"key": "mark", "value": tag}]));
        }
    }
    for template in &known.deleted {
        let found =
            described(client, "DescribeAssessmentTemplates", "assessmentTemplate", template);
        assert!(found.is_none(), "{template} is there again");
    }
    let is_deleted = |arn: &str| {
        known.deleted.iter().any(|template| arn.starts_with(&format!("{template}/")))
            || !known.templates.keys().any(|template| arn.starts_with(&format!("{template}/")))
    };
    let mut counts = Vec::new();
    for run in known.runs.iter().filter(|run| !is_deleted(run)) {
        let ended = client.finished(run);
        assert_eq!(ended["state"], "COMPLETED", "{ended}");
        let states: Vec<&Json> =
            ended["stateChanges"].as_array().unwrap().iter().map(|c| &c["state"]).collect();
        let mut once = states.clone();
        once.dedup();
        assert_eq!(states, once, "each state is reached once");
        let asked = json!({"assessmentRunArns": [run], "maxResults": 500});
        let found = client.call("ListFindings", asked);
        counts.push(found["findingArns"].as_array().unwrap().len());
    }
    assert!(counts.iter().all(|count| *count == counts[0] && *count > 0), "{counts:?}");
    for (finding, tag) in known.attributes.iter().filter(|(finding, _)| !is_deleted(finding)) {
        let found = described(client, "DescribeFindings", "finding", finding);
        let attributes = &found.unwrap()["userAttributes"];
        assert_eq!(attributes, &json!([{"key": "mark", "value": tag}]), "{finding}");
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let data = tempfile::tempdir().unwrap();
    hosts(data.path(), 6);
    let mut server = Server::start(data.path(), &[]);
    let target =
        server.client().call("CreateAssessmentTarget", json!({"assessmentTargetName": "t"}));
    let target = arn(&target, "assessmentTargetArn");
    let mut known = Acknowledged::default();
    for round in 0..ROUNDS {
        let client = server.client();
        let moment = RandomState::new().hash_one(round) % 400;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20 + moment));
            assert_eq!(server.end("-KILL"), None);
        });
        work(&client, &target, round, &mut known);
        killer.join().unwrap();
        server = Server::start(data.path(), &[]);
        check(&server.client(), &known);
    }
    assert!(known.runs.len() >= ROUNDS / 2, "{} runs", known.runs.len());
    assert!(known.templates.len() >= ROUNDS, "{} templates", known.templates.len());
    assert_eq!(server.end("-TERM"), Some(0));
}
