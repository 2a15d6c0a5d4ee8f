//! The API below its HTTP door: the sequences that scripts run, and what is wrong in them.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use assay::api::{Fault, LiveHost, Parts, Service, notify, operations, runs};
use assay::assess::store::Millis;
use assay::emit::{Format, Style};
use assay::model::finding::Report;
use assay::rules::{Library, Selection};
use serde_json::{Value as Json, json};

const ORIGIN: &str = "http://127.0.0.1:8080";

/// A live host that shows a snapshot of the repository, and observes until it is stopped.
struct Shown;

impl LiveHost for Shown {
    fn identify(&self) -> Result<Vec<u8>, String> {
        std::fs::read("snapshots/debian-12.assay").map_err(|error| error.to_string())
    }

    fn observe(&self, _: Duration, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<u8>, String> {
        while !stop() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.identify()
    }
}

fn service(data: &Path, live: bool) -> Arc<Service> {
    let ticks = AtomicI64::new(1_700_000_000_000);
    let service = Service::open(Parts {
        data: data.to_owned(),
        plan: Library::embedded().compile().unwrap(),
        profile: None,
        clock: Arc::new(move || Millis(ticks.fetch_add(1, Ordering::Relaxed))),
        live: live.then(|| Arc::new(Shown) as Arc<dyn LiveHost>),
    });
    Arc::new(service.unwrap())
}

fn put(data: &Path, name: &str) {
    let to = data.join("agents");
    std::fs::create_dir_all(&to).unwrap();
    std::fs::copy(format!("snapshots/{name}.assay"), to.join(format!("{name}.assay"))).unwrap();
}

fn try_call(service: &Service, operation: &str, input: &Json) -> Result<Json, Fault> {
    service
        .call(operation, input.as_object().unwrap(), ORIGIN)
        .map(|answer| answer.unwrap_or(Json::Null))
}

fn call(service: &Service, operation: &str, input: Json) -> Json {
    match try_call(service, operation, &input) {
        Ok(answer) => answer,
        Err(fault) => panic!("{operation} {input}: {}", fault.body()),
    }
}

/// The exception and its code.
fn fails(service: &Service, operation: &str, input: Json) -> (String, String) {
    match try_call(service, operation, &input) {
        Ok(answer) => panic!("{operation} {input}: {answer}"),
        Err(fault) => {
            let code = fault.body()["errorCode"].as_str().unwrap_or_default().to_owned();
            (fault.name.to_owned(), code)
        }
    }
}

fn text(json: &Json, member: &str) -> String {
    json[member].as_str().unwrap_or_else(|| panic!("{member}: {json}")).to_owned()
}

/// A template over every agent with these packages (by their place in ListRulesPackages).
fn template(service: &Service, name: &str, packages: &[usize]) -> String {
    let target = call(service, "CreateAssessmentTarget", json!({"assessmentTargetName": name}));
    let known = call(service, "ListRulesPackages", json!({}));
    let packages: Vec<&Json> = packages.iter().map(|i| &known["rulesPackageArns"][*i]).collect();
    let template = call(
        service,
        "CreateAssessmentTemplate",
        json!({
            "assessmentTargetArn": target["assessmentTargetArn"],
            "assessmentTemplateName": name,
            "durationInSeconds": 180,
            "rulesPackageArns": packages,
            "userAttributesForFindings": [{"key": "team", "value": "web"}],
        }),
    );
    text(&template, "assessmentTemplateArn")
}

fn run(service: &Service, arn: &str) -> Json {
    call(service, "DescribeAssessmentRuns", json!({"assessmentRunArns": [arn]}))["assessmentRuns"]
        [0]
    .clone()
}

fn finished(service: &Service, arn: &str) -> Json {
    for _ in 0..3000 {
        let run = run(service, arn);
        let state = text(&run, "state");
        if ["COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "ERROR", "CANCELED"]
            .contains(&state.as_str())
        {
            return run;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the run does not end: {}", run(service, arn));
}

fn start(service: &Service, template: &str) -> String {
    let run = call(service, "StartAssessmentRun", json!({"assessmentTemplateArn": template}));
    text(&run, "assessmentRunArn")
}

fn every_finding(service: &Service, run: &str, size: usize) -> Vec<String> {
    let mut arns = Vec::new();
    let mut input = json!({"assessmentRunArns": [run], "maxResults": size});
    loop {
        let page = call(service, "ListFindings", input.clone());
        let items = page["findingArns"].as_array().unwrap();
        arns.extend(items.iter().map(|arn| arn.as_str().unwrap().to_owned()));
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return arns,
        }
    }
}

#[test]
fn a_run_finds_what_scan_finds() {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12-planted");
    let service = service(data.path(), false);
    runs::start_workers(&service).unwrap();
    let template = template(&service, "all", &[0, 1, 2, 3]);
    let arn = start(&service, &template);
    let ended = finished(&service, &arn);
    assert_eq!(ended["state"], "COMPLETED", "{ended}");
    let states: Vec<&str> = ended["stateChanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        [
            "CREATED",
            "START_DATA_COLLECTION_PENDING",
            "START_DATA_COLLECTION_IN_PROGRESS",
            "COLLECTING_DATA",
            "STOP_DATA_COLLECTION_PENDING",
            "DATA_COLLECTED",
            "START_EVALUATING_RULES_PENDING",
            "EVALUATING_RULES",
            "COMPLETED"
        ]
    );

    let plan = Library::embedded().compile().unwrap().select(&Selection::default());
    let path = data.path().join("agents/debian-12-planted.assay");
    let snapshot = assay::snapshot::Snapshot::open(&path).unwrap();
    let name = path.display().to_string();
    let report = Report {
        rules: Arc::clone(&plan.rules),
        hosts: vec![assay::assess::host_report(&plan, None, &name, &snapshot, None).unwrap()],
        ..Report::default()
    };
    let mut bytes = Vec::new();
    assay::emit::write(Format::Inspector, &report, Style::default(), &mut bytes).unwrap();
    let scanned: Json = serde_json::from_slice(&bytes).unwrap();
    let plain = |finding: &Json| {
        let mut plain = finding.clone();
        for member in ["arn", "userAttributes", "createdAt", "updatedAt", "serviceAttributes"] {
            plain.as_object_mut().unwrap().remove(member);
        }
        let mut members: Vec<String> =
            plain.as_object().unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect();
        members.sort();
        members.join("\n")
    };
    let mut wanted: Vec<String> =
        scanned["findings"].as_array().unwrap().iter().map(plain).collect();
    let arns = every_finding(&service, &arn, 10);
    assert_eq!(arns, every_finding(&service, &arn, 500));
    let mut found = Vec::new();
    for chunk in arns.chunks(100) {
        let page = call(&service, "DescribeFindings", json!({"findingArns": chunk}));
        assert_eq!(page["failedItems"], json!({}));
        for finding in page["findings"].as_array().unwrap() {
            assert_eq!(finding["serviceAttributes"]["assessmentRunArn"], arn.as_str());
            assert_eq!(finding["userAttributes"], json!([{"key": "team", "value": "web"}]));
            found.push(plain(finding));
        }
    }
    wanted.sort();
    found.sort();
    assert!(wanted.len() > 10, "the planted host has findings");
    assert_eq!(found, wanted);
    let counts = ended["findingCounts"].as_object().unwrap();
    let sum: i64 = counts.values().map(|count| count.as_i64().unwrap()).sum();
    assert_eq!(usize::try_from(sum).unwrap(), found.len());
}

#[test]
fn a_live_run_waits_to_be_stopped_and_hides_what_it_has() {
    let data = tempfile::tempdir().unwrap();
    let service = service(data.path(), true);
    runs::start_workers(&service).unwrap();
    let template = template(&service, "live", &[2]);
    let arn = start(&service, &template);
    assert_eq!(
        fails(&service, "StartAssessmentRun", json!({"assessmentTemplateArn": template})).0,
        "AgentsAlreadyRunningAssessmentException"
    );
    for (operation, member, arn) in [
        ("DeleteAssessmentRun", "assessmentRunArn", &arn),
        ("DeleteAssessmentTemplate", "assessmentTemplateArn", &template),
    ] {
        let fault = fails(&service, operation, json!({ member: arn }));
        assert_eq!(fault.0, "AssessmentRunInProgressException");
    }
    assert!(every_finding(&service, &arn, 10).is_empty());
    call(&service, "StopAssessmentRun", json!({"assessmentRunArn": arn}));
    assert_eq!(finished(&service, &arn)["state"], "COMPLETED");
    assert!(!every_finding(&service, &arn, 10).is_empty());

    let arn = start(&service, &template);
    let skip = json!({"assessmentRunArn": arn, "stopAction": "SKIP_EVALUATION"});
    call(&service, "StopAssessmentRun", skip);
    assert_eq!(run(&service, &arn)["state"], "CANCELED");
    assert!(every_finding(&service, &arn, 10).is_empty());
}

#[test]
fn a_run_that_was_broken_off_goes_on_or_says_why_not() {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12");
    let arn = {
        let service = service(data.path(), false);
        let template = template(&service, "again", &[2]);
        start(&service, &template)
    };
    let service = service(data.path(), false);
    assert_eq!(run(&service, &arn)["state"], "CREATED");
    runs::start_workers(&service).unwrap();
    assert_eq!(finished(&service, &arn)["state"], "COMPLETED");
}

#[test]
fn nothing_judged_is_never_a_success() {
    let data = tempfile::tempdir().unwrap();
    let service = service(data.path(), false);
    runs::start_workers(&service).unwrap();
    let template = template(&service, "nobody", &[2]);
    let arn = start(&service, &template);
    assert_eq!(finished(&service, &arn)["state"], "FAILED");
    let list = call(&service, "ListExclusions", json!({"assessmentRunArn": arn}));
    let described =
        call(&service, "DescribeExclusions", json!({"exclusionArns": list["exclusionArns"]}));
    let titles: Vec<&Json> =
        described["exclusions"].as_object().unwrap().values().map(|e| &e["title"]).collect();
    assert_eq!(titles, ["No instances in target"]);

    std::fs::write(data.path().join("agents/broken.assay"), b"no snapshot").unwrap();
    put(data.path(), "debian-12");
    let arn = start(&service, &template);
    assert_eq!(finished(&service, &arn)["state"], "COMPLETED_WITH_ERRORS");
    let agents = call(&service, "ListAssessmentRunAgents", json!({"assessmentRunArn": arn}));
    let healths: Vec<(&str, &str)> = agents["assessmentRunAgents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["agentId"].as_str().unwrap(), a["agentHealth"].as_str().unwrap()))
        .collect();
    assert!(healths.contains(&("broken.assay", "UNHEALTHY")), "{healths:?}");
}

#[test]
fn messages_are_those_that_sns_carried() {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12-planted");
    let topic = "arn:aws:sns:us-east-1:000000000000:alerts";
    let topics = json!({"topics": {topic: {"spool": "spool"}}});
    std::fs::write(data.path().join("topics.json"), topics.to_string()).unwrap();
    let service = service(data.path(), false);
    let template = template(&service, "told", &[2]);
    let all = [
        "ASSESSMENT_RUN_STARTED",
        "ASSESSMENT_RUN_STATE_CHANGED",
        "FINDING_REPORTED",
        "ASSESSMENT_RUN_COMPLETED",
    ];
    let one = json!({"resourceArn": template, "event": all[0], "topicArn": format!("{topic}2")});
    assert_eq!(fails(&service, "SubscribeToEvent", one).1, "SNS_TOPIC_DOES_NOT_EXIST");
    for event in all {
        let one = json!({"resourceArn": template, "event": event, "topicArn": topic});
        call(&service, "SubscribeToEvent", one);
    }
    runs::start_workers(&service).unwrap();
    notify::start_sender(&service).unwrap();
    let arn = start(&service, &template);
    let ended = finished(&service, &arn);
    let findings: i64 =
        ended["findingCounts"].as_object().unwrap().values().map(|c| c.as_i64().unwrap()).sum();
    let expected = 4 + 1 + 9 + usize::try_from(findings).unwrap() + 1;
    let spool = data.path().join("spool");
    let spooled = || -> Vec<Json> {
        let mut paths: Vec<_> = std::fs::read_dir(&spool)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        paths.sort();
        let read = |path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        paths.iter().map(read).collect()
    };
    for _ in 0..3000 {
        if spooled().len() >= expected {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let messages: Vec<Json> = spooled()
        .iter()
        .map(|envelope| serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(messages.len(), expected);
    assert_eq!(messages[0]["event"], "ENABLE_ASSESSMENT_NOTIFICATIONS");
    let last = messages.last().unwrap();
    assert_eq!(last["event"], "ASSESSMENT_RUN_COMPLETED");
    assert!(last["findingsCount"].as_str().unwrap().ends_with(&format!("={findings}}}")));
    let told = messages.iter().find(|m| m["event"] == "FINDING_REPORTED").unwrap();
    let described = call(&service, "DescribeFindings", json!({"findingArns": [told["finding"]]}));
    assert_eq!(described["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_slow_program_holds_up_its_own_topic_only() {
    let data = tempfile::tempdir().unwrap();
    put(data.path(), "debian-12");
    let topic = |name: &str| format!("arn:aws:sns:us-east-1:000000000000:{name}");
    // It would take longer than this test waits.
    let program = json!({"program": ["/bin/sleep", "300"], "timeout_seconds": 600});
    let topics = json!({"topics": {topic("a-slow"): program, topic("quick"): {"spool": "spool"}}});
    std::fs::write(data.path().join("topics.json"), topics.to_string()).unwrap();
    let service = service(data.path(), false);
    let template = template(&service, "told", &[2]);
    for name in ["a-slow", "quick"] {
        let event = "ASSESSMENT_RUN_COMPLETED";
        let one = json!({"resourceArn": template, "event": event, "topicArn": topic(name)});
        call(&service, "SubscribeToEvent", one);
    }
    runs::start_workers(&service).unwrap();
    notify::start_sender(&service).unwrap();
    let arn = start(&service, &template);
    assert_eq!(finished(&service, &arn)["state"], "COMPLETED");
    let spooled = || std::fs::read_dir(data.path().join("spool")).map_or(0, Iterator::count);
    for _ in 0..3000 {
        if spooled() == 2 {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} messages", spooled());
}

#[test]
fn wrong_input_is_answered_with_inspectors_code() {
    let data = tempfile::tempdir().unwrap();
    let service = service(data.path(), false);
    let unknown = "arn:aws:inspector:us-east-1:000000000000:target/0-AAAAAAAA";
    let unknown_template = format!("{unknown}/template/0-AAAAAAAA");
    let unknown_run = format!("{unknown_template}/run/0-AAAAAAAA");
    let template = template(&service, "taken", &[2]);
    let target = template.split("/template").next().unwrap();
    let tags: Vec<Json> = (0..11).map(|i| json!({"key": format!("k{i}")})).collect();
    let cases: Vec<(&str, Json, &str)> = vec![
        ("CreateAssessmentTarget", json!({}), "INVALID_ASSESSMENT_TARGET_NAME"),
        (
            "CreateAssessmentTarget",
            json!({"assessmentTargetName": "n".repeat(141)}),
            "INVALID_ASSESSMENT_TARGET_NAME",
        ),
        (
            "CreateAssessmentTarget",
            json!({"assessmentTargetName": "taken"}),
            "ASSESSMENT_TARGET_NAME_ALREADY_TAKEN",
        ),
        (
            "CreateAssessmentTarget",
            json!({"assessmentTargetName": "x", "resourceGroupArn": unknown}),
            "INVALID_RESOURCE_GROUP_ARN",
        ),
        (
            "CreateResourceGroup",
            json!({"resourceGroupTags": tags}),
            "INVALID_NUMBER_OF_RESOURCE_GROUP_TAGS",
        ),
        (
            "CreateAssessmentTemplate",
            json!({"assessmentTargetArn": target, "assessmentTemplateName": "x",
                   "durationInSeconds": 179, "rulesPackageArns": []}),
            "INVALID_ASSESSMENT_TEMPLATE_DURATION",
        ),
        (
            "CreateAssessmentTemplate",
            json!({"assessmentTargetArn": target, "assessmentTemplateName": "taken",
                   "durationInSeconds": 180, "rulesPackageArns": []}),
            "ASSESSMENT_TEMPLATE_NAME_ALREADY_TAKEN",
        ),
        (
            "StartAssessmentRun",
            json!({"assessmentTemplateArn": unknown_template}),
            "ASSESSMENT_TEMPLATE_DOES_NOT_EXIST",
        ),
        ("DeleteAssessmentRun", json!({"assessmentRunArn": 7}), "INVALID_ASSESSMENT_RUN_ARN"),
        (
            "ListFindings",
            json!({"assessmentRunArns": [unknown_run]}),
            "ASSESSMENT_RUN_DOES_NOT_EXIST",
        ),
        ("ListFindings", json!({"maxResults": 0}), "INVALID_MAX_RESULTS"),
        ("ListFindings", json!({"nextToken": "abc"}), "INVALID_PAGINATION_TOKEN"),
        ("ListFindings", json!({"filter": {"severities": ["high"]}}), "INVALID_SEVERITY"),
        (
            "DescribeFindings",
            json!({"findingArns": vec!["x"; 101]}),
            "INVALID_NUMBER_OF_FINDING_ARNS",
        ),
        ("DescribeFindings", json!({"findingArns": ["x"], "locale": "DE"}), "INVALID_LOCALE"),
        ("ListTagsForResource", json!({"resourceArn": target}), "INVALID_RESOURCE_ARN"),
        ("RegisterCrossAccountAccessRole", json!({"roleArn": "me"}), "INVALID_IAM_ROLE_ARN"),
    ];
    for (operation, input, code) in cases {
        assert_eq!(fails(&service, operation, input.clone()).1, code, "{operation} {input}");
    }
    let described = call(
        &service,
        "DescribeAssessmentTargets",
        json!({"assessmentTargetArns": [target, target, unknown, "x"]}),
    );
    assert_eq!(described["assessmentTargets"].as_array().unwrap().len(), 1);
    let code = |arn: &str| &described["failedItems"][arn]["failureCode"];
    assert_eq!(code(target), "DUPLICATE_ARN");
    assert_eq!(code(unknown), "ITEM_DOES_NOT_EXIST");
    assert_eq!(code("x"), "INVALID_ARN");
    for operation in operations() {
        // No operation takes an empty request for a mistake of the program.
        if let Err(fault) = try_call(&service, operation, &json!({})) {
            assert_eq!(fault.status, 400, "{operation}: {}", fault.body());
        }
    }
}
