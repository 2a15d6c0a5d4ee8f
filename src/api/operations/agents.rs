//! Agents and what was collected from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply};
use crate::api::agents::Agent;
use crate::api::input::required;
use crate::assess::store::{Kind, Listed, Page, RunAgent, StoreError};

/// Inspector's names for what is collected, by table; others are named in the same way.
const MESSAGES: &[(&str, &str)] = &[
    ("binaries", "InspectorCodeModule"),
    ("cloud", "InspectorInstanceMetaData"),
    ("config", "InspectorConfigurationInfo"),
    ("files", "InspectorDirectoryInfoMsg"),
    ("groups", "InspectorGroup"),
    ("host", "InspectorOperatingSystem"),
    ("interfaces", "InspectorNetworkInterface"),
    ("kernel_modules", "InspectorKernelModule"),
    ("packages", "InspectorPackageInfo"),
    ("processes", "InspectorCreateProcess"),
    ("shadow", "InspectorPasswordState"),
    ("sockets", "InspectorListeningPort"),
    ("users", "InspectorUser"),
];
/// The sum of all.
const TOTAL: &str = "Total";

fn message(table: &str) -> String {
    let known = MESSAGES.iter().find(|(name, _)| *name == table);
    known.map_or_else(
        || {
            let words = table.split('_').map(|word| {
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            });
            format!("Inspector{}", words.collect::<String>())
        },
        |(_, message)| (*message).to_owned(),
    )
}

fn metadata(telemetry: &[(String, i64, i64)]) -> Json {
    if telemetry.is_empty() {
        return json!([]);
    }
    let sum = telemetry.iter().fold((0i64, 0i64), |sum, (_, rows, bytes)| {
        (sum.0.saturating_add(*rows), sum.1.saturating_add(*bytes))
    });
    let row = |name: String, rows: i64, bytes: i64| json!({"messageType": name, "count": rows, "dataSize": bytes});
    let rows = telemetry.iter().map(|(table, rows, bytes)| row(message(table), *rows, *bytes));
    rows.chain([row(TOTAL.to_owned(), sum.0, sum.1)]).collect()
}

pub(super) fn preview(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    let target = call.input().arn("previewAgentsArn", Kind::Target)?;
    let agents = call.service.agents_of_target(target)?;
    let items = agents.iter().map(|agent| previewed(agent)).collect();
    call.sliced("agentPreviews", items, page)
}

fn previewed(agent: &Agent) -> Json {
    let mut out = Map::new();
    let optional = [
        ("hostname", &agent.hostname),
        ("autoScalingGroup", &agent.scaling_group),
        ("agentVersion", &agent.version),
        ("operatingSystem", &agent.system),
        ("kernelVersion", &agent.kernel),
        ("ipv4Address", &agent.address),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            out.insert(name.into(), json!(value));
        }
    }
    out.insert("agentId".into(), json!(agent.id));
    let health = if agent.problem.is_none() { "HEALTHY" } else { "UNHEALTHY" };
    out.insert("agentHealth".into(), json!(health));
    Json::Object(out)
}

fn health(agent: &RunAgent, running: bool) -> (&'static str, &'static str) {
    match (agent.healthy, running) {
        (false, _) => ("UNHEALTHY", "UNHEALTHY"),
        (true, true) => ("HEALTHY", "RUNNING"),
        (true, false) => ("HEALTHY", "IDLE"),
    }
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    let page = call.page()?;
    let input = call.input();
    let arn = input.arn("assessmentRunArn", Kind::Run)?;
    let (mut healths, mut codes) = (Vec::new(), Vec::new());
    // Inspector has no codes of its own for these words.
    const WORD: &str = "INVALID_AGENT_ID";
    if let Some(filter) = input.structure("filter", WORD)? {
        for name in ["agentHealths", "agentHealthCodes"] {
            filter.list(name, 0..=10, WORD)?.ok_or_else(|| required(name, WORD))?;
        }
        healths = filter.words("agentHealths", 10, WORD, |word| {
            ["HEALTHY", "UNHEALTHY", "UNKNOWN"].into_iter().find(|known| *known == word)
        })?;
        codes = filter.words("agentHealthCodes", 10, WORD, |word| {
            ["IDLE", "RUNNING", "SHUTDOWN", "UNHEALTHY", "THROTTLED", "UNKNOWN"]
                .into_iter()
                .find(|known| *known == word)
        })?;
    }
    let store = &call.service.store;
    let run = store.run(arn)?.ok_or(StoreError::Missing(Kind::Run))?;
    let running = !run.state.is_final();
    let every = Page { after: 0, limit: usize::MAX };
    let items = store.run_agents(arn, every)?.items.into_iter().filter_map(|agent| {
        let (health, code) = health(&agent, running);
        let wanted = (healths.is_empty() || healths.contains(&health))
            && (codes.is_empty() || codes.contains(&code));
        wanted.then(|| {
            let mut out = Map::new();
            out.insert("agentId".into(), json!(agent.agent));
            out.insert("assessmentRunArn".into(), json!(arn));
            out.insert("agentHealth".into(), json!(health));
            out.insert("agentHealthCode".into(), json!(code));
            if let Some(details) = &agent.details {
                let details: String = details.chars().take(1000).collect();
                out.insert("agentHealthDetails".into(), json!(details));
            }
            if let Some(group) = &agent.scaling_group {
                out.insert("autoScalingGroup".into(), json!(group));
            }
            out.insert("telemetryMetadata".into(), metadata(&agent.telemetry));
            Json::Object(out)
        })
    });
    call.sliced("assessmentRunAgents", items.collect(), page)
}

pub(super) fn telemetry(call: &Call<'_>) -> Reply {
    let arn = call.input().arn("assessmentRunArn", Kind::Run)?;
    let every = Page { after: 0, limit: usize::MAX };
    let agents: Listed<RunAgent> = call.service.store.run_agents(arn, every)?;
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (table, rows, bytes) in agents.items.into_iter().flat_map(|agent| agent.telemetry) {
        let sum = sums.entry(table).or_default();
        *sum = (sum.0.saturating_add(rows), sum.1.saturating_add(bytes));
    }
    let sums: Vec<(String, i64, i64)> =
        sums.into_iter().map(|(table, (rows, bytes))| (table, rows, bytes)).collect();
    Ok(Some(json!({"telemetryMetadata": metadata(&sums)})))
}
