//! The process is killed at moments that nobody chose. What was acknowledged is there afterwards,
//! and what was running goes on.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// What the attribute of a finding may be: what was acknowledged last, and what was sent since.
    attributes: BTreeMap<String, Vec<Json>>,
    /// How many answers came in this round.
    answers: Arc<AtomicU64>,
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
    let answers = Arc::clone(&known.answers);
    let ask = |client: &Client, operation: &str, input: &Json| {
        let answer = ask(client, operation, input);
        answers.fetch_add(1, Ordering::SeqCst);
        answer
    };
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
            let may_be = known.attributes.entry(finding.clone()).or_insert_with(|| vec![json!([])]);
            may_be.push(attribute.clone());
            let asked = json!({"findingArns": [&finding], "attributes": &attribute});
            let failed = ask(client, "AddAttributesToFindings", &asked)?;
            assert_eq!(failed["failedItems"], json!({}));
            known.attributes.insert(finding, vec![attribute]);
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
    for (finding, may_be) in known.attributes.iter().filter(|(finding, _)| !is_deleted(finding)) {
        let found = described(client, "DescribeFindings", "finding", finding);
        let attributes = &found.unwrap()["userAttributes"];
        assert!(may_be.contains(attributes), "{finding}: {attributes} is none of {may_be:?}");
    }
}

/// What was seen of the running host is gone with the process, and the run says so.
#[test]
fn a_broken_observation_is_told() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--live"]);
    let client = server.client();
    let template = client.template("live", &[2, 3]);
    let run = client.start(&template);
    let state = |client: &Client| {
        described(client, "DescribeAssessmentRuns", "assessmentRun", &run).unwrap()["state"].clone()
    };
    while state(&client) != "COLLECTING_DATA" {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.end("-KILL"), None);
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let ended = client.finished(&run);
    assert_eq!(ended["state"], "ERROR", "{ended}");
    let told = ended["notifications"].as_array().unwrap().iter().find(|n| n["error"] == true);
    assert!(told.unwrap()["message"].as_str().unwrap().contains("start the run again"), "{ended}");
    // The agent is free again, and who is not there is not judged.
    let again = client.finished(&client.start(&template));
    assert_eq!(again["state"], "FAILED", "{again}");
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
        let moment = RandomState::new().hash_one(round);
        let answers = Arc::clone(&known.answers);
        answers.store(0, Ordering::SeqCst);
        let killer = std::thread::spawn(move || {
            while answers.load(Ordering::SeqCst) < moment % 40 {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(moment / 40 % 20_000));
            assert_eq!(server.end("-KILL"), None);
        });
        work(&client, &target, round, &mut known);
        killer.join().unwrap();
        server = Server::start(data.path(), &[]);
        check(&server.client(), &known);
    }
    assert!(!known.runs.is_empty() && !known.templates.is_empty() && !known.attributes.is_empty());
    assert_eq!(server.end("-TERM"), Some(0));
}
