//! Agents: the hosts that there are, and how fresh what is known of them is.

use maud::html;

use super::fields::address;
use super::page::{shown, time};
use super::{Reply, Visit};
use crate::assess::store::Millis;

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    let agents = visit.service.agents.all();
    let folder = visit.service.data().join("agents");
    let content = html! {
        p {
            "Agents are the snapshots in " code { (shown(&folder.display().to_string())) }
            @if visit.service.live.is_some() { ", and this machine" } "."
        }
        @if agents.is_empty() {
            p { "There are none yet: " code { "assay collect -o web1.assay" } " makes one." }
        } @else {
            div.wide {
                table {
                    thead {
                        tr {
                            th scope="col" { "Host" }
                            th scope="col" { "System" }
                            th scope="col" { "Tags" }
                            th scope="col" { "Collected" }
                            th scope="col" { "Health" }
                        }
                    }
                    tbody {
                        @for agent in &agents {
                            tr {
                                th scope="row" {
                                    (shown(agent.hostname.as_deref().unwrap_or("unknown"))) br;
                                    a href=(address("/findings", &[("agent", &agent.id)])) {
                                        code.small { (shown(&agent.id)) }
                                    }
                                }
                                td {
                                    (shown(agent.system.as_deref().unwrap_or_default()))
                                    @if let Some(kernel) = &agent.kernel { br; code.small { (shown(kernel)) } }
                                    @if let Some(address) = &agent.address { br; code.small { (shown(address)) } }
                                }
                                td {
                                    @for (key, value) in &agent.tags {
                                        span.tag { (shown(key)) "=" (shown(value)) } " "
                                    }
                                }
                                td {
                                    @match &agent.snapshot {
                                        None => { "live" }
                                        Some(_) if agent.problem.is_some() => {}
                                        Some(_) => { (time(Millis(agent.collected_at.saturating_mul(1000)))) }
                                    }
                                }
                                td {
                                    @match &agent.problem {
                                        None => { span.state.good { "healthy" } }
                                        Some(problem) => {
                                            span.state.bad { "unhealthy" } " " (shown(problem))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(visit.page("Agents", content))
}
