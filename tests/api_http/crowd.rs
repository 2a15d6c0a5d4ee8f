//! Many clients, many findings, and snapshots that come and go while runs go on.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::support::{Client, Server, host, hosts, put};

const CLIENTS: usize = 50;
const FINDINGS: usize = 10_000;

fn pages(client: &Client, filter: &Json, size: usize) -> Vec<String> {
    let mut arns = Vec::new();
    let mut input = json!({"filter": filter, "maxResults": size});
    loop {
        let page = client.call("ListFindings", input.clone());
        let items = page["findingArns"].as_array().unwrap();
        assert!(items.len() <= size);
        arns.extend(items.iter().map(|arn| arn.as_str().unwrap().to_owned()));
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return arns,
        }
    }
}

#[test]
fn fifty_clients_page_through_ten_thousand_findings() {
    let data = tempfile::tempdir().unwrap();
    hosts(data.path(), 180);
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let run = client.start(&client.template("all", &[0, 1, 2, 3]));
    let ended = client.finished(&run);
    assert_eq!(ended["state"], "COMPLETED", "{ended}");
    let every = pages(&client, &json!({}), 500);
    let counted: u64 =
        ended["findingCounts"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(every.len(), usize::try_from(counted).unwrap());
    assert!(every.len() >= FINDINGS, "{} findings", every.len());
    let unique: BTreeSet<&String> = every.iter().collect();
    assert_eq!(unique.len(), every.len());
    let high = pages(&client, &json!({"severities": ["High"]}), 500);
    let number = |client: usize| format!("of client {client}");
    std::thread::scope(|scope| {
        for index in 0..CLIENTS {
            let (client, every, high) = (client.clone(), &every, &high);
            scope.spawn(move || match index {
                // Two go through all of it, ten at a time.
                0 | 1 => assert_eq!(&pages(&client, &json!({}), 10), every),
                _ if index % 2 == 0 => {
                    assert_eq!(&pages(&client, &json!({}), 500), every);
                }
                _ => {
                    let name = number(index);
                    let group = json!({"resourceGroupTags": [{"key": "name", "value": name}]});
                    let group = client.call("CreateResourceGroup", group);
                    let arns = json!({"resourceGroupArns": [group["resourceGroupArn"]]});
                    let found = client.call("DescribeResourceGroups", arns);
                    assert_eq!(found["resourceGroups"][0]["tags"][0]["value"], name.as_str());
                    assert_eq!(&pages(&client, &json!({"severities": ["High"]}), 500), high);
                }
            });
        }
    });
    let memory = server.peak_memory();
    assert!(memory < 400 * 1024, "{memory} KiB");
    assert_eq!(server.end("-TERM"), Some(0));
}

fn ids(client: &Client, run: &str) -> Vec<String> {
    let found = client.call("ListFindings", json!({"assessmentRunArns": [run], "maxResults": 100}));
    let described = client.call("DescribeFindings", json!({"findingArns": found["findingArns"]}));
    let findings = described["findings"].as_array().unwrap();
    findings.iter().filter_map(|finding| Some(finding["id"].as_str()?.to_owned())).collect()
}

#[test]
fn what_was_put_right_is_not_found_again() {
    const ROOT: &str = "Disable root login over SSH";
    let data = tempfile::tempdir().unwrap();
    host(data.path(), 1, "PermitRootLogin yes\n");
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let template = client.template("again", &[2]);
    let first = client.start(&template);
    client.finished(&first);
    host(data.path(), 1, "PermitRootLogin no\n");
    let second = client.start(&template);
    client.finished(&second);
    let (before, after) = (ids(&client, &first), ids(&client, &second));
    assert!(before.iter().any(|id| id == ROOT), "{before:?}");
    let rest: Vec<String> = before.into_iter().filter(|id| id != ROOT).collect();
    assert_eq!(after, rest);
    let agents = client.call("ListAssessmentRunAgents", json!({"assessmentRunArn": second}));
    assert_eq!(agents["assessmentRunAgents"].as_array().unwrap().len(), 1, "it is the same host");
}

#[test]
#[ignore = "collects all of this machine"]
fn this_machine_is_an_agent() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--live"]);
    let client = server.client();
    let run = client.start(&client.template("live", &[2, 3]));
    let stop = json!({"assessmentRunArn": run, "stopAction": "START_EVALUATION"});
    client.call("StopAssessmentRun", stop);
    let ended = client.finished(&run);
    assert_eq!(ended["state"], "COMPLETED", "{ended}");
    assert!(!ids(&client, &run).is_empty());
    let telemetry = client.call("GetTelemetryMetadata", json!({"assessmentRunArn": run}));
    let rows = |name: &str| {
        let all = telemetry["telemetryMetadata"].as_array().unwrap();
        all.iter()
            .find(|row| row["messageType"] == name)
            .map_or(0, |row| row["count"].as_u64().unwrap())
    };
    assert!(rows("InspectorCreateProcess") > 0 && rows("InspectorDirectoryInfoMsg") > 1000);
    assert_eq!(server.end("-TERM"), Some(0));
}

#[test]
fn snapshots_come_and_go_while_runs_go_on() {
    let data = tempfile::tempdir().unwrap();
    hosts(data.path(), 20);
    let server = Server::start(data.path(), &[]);
    let client = server.client();
    let template = client.template("all", &[2]);
    let (agents, elsewhere) = (data.path().join("agents"), data.path().join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    let mut seen = Vec::new();
    for round in 0..10 {
        let run = client.start(&template);
        // One host goes, another comes, a third is cut short, a fourth is written anew.
        let name = |number: usize| format!("host-{number}.assay");
        let moved = std::fs::rename(agents.join(name(round)), elsewhere.join(name(round)));
        moved.unwrap();
        let whole = std::fs::read(elsewhere.join(name(round))).unwrap();
        std::fs::write(agents.join(name(10)), &whole[..whole.len() / 2]).unwrap();
        std::fs::write(agents.join(".part"), &whole).unwrap();
        std::fs::rename(agents.join(".part"), agents.join(name(round))).unwrap();
        put(data.path(), "debian-12");
        let ended = client.finished(&run);
        let state = ended["state"].as_str().unwrap().to_owned();
        assert!(["COMPLETED", "COMPLETED_WITH_ERRORS"].contains(&state.as_str()), "{ended}");
        let errors = ended["notifications"].as_array().unwrap();
        assert_eq!(state == "COMPLETED", errors.iter().all(|n| n["error"] == false), "{ended}");
        seen.push(state);
    }
    assert_eq!(seen.last().unwrap(), "COMPLETED_WITH_ERRORS");
    let run = client.start(&template);
    client.finished(&run);
    let agents =
        client.call("ListAssessmentRunAgents", json!({"assessmentRunArn": run, "maxResults": 100}));
    let agents = agents["assessmentRunAgents"].as_array().unwrap();
    assert_eq!(agents.len(), 21, "{agents:?}");
    let bad: Vec<&Json> = agents.iter().filter(|agent| agent["agentHealth"] != "HEALTHY").collect();
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert_eq!(bad[0]["agentId"], "host-10.assay");
}
