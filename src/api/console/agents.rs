//! Agents: the hosts that there are, and how fresh what is known of them is.

use maud::html;

use super::fields::address;
use super::page::{more, shown, time};
use super::{Reply, Visit};
use crate::assess::store::Millis;

/// How many agents a page has.
const ROWS: usize = 200;

pub(super) fn list(visit: &Visit<'_>) -> Reply {
    let mut agents = visit.service.agents.all();
    agents.sort_by(|a, b| a.hostname.cmp(&b.hostname));
    let after: usize = visit.ask.query.get("after").parse().unwrap_or(0);
    let next = Some(after.saturating_add(ROWS)).filter(|next| *next < agents.len());
    let next = next.and_then(|next| i64::try_from(next).ok());
    let folder = visit.service.data().join("agents");
    let content = html! {
        p {
            "Agents are the snapshots in " code { (shown(&folder.display().to_string())) }
            @if visit.service.live.is_some() { ", and this machine" }
            ": " (agents.len()) " now."
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
                        @for agent in agents.iter().skip(after).take(ROWS) {
                            tr {
                                th scope="row" {
                                    (shown(agent.hostname.as_deref().unwrap_or("unknown"))) br;
                                    a href=(address("/findings", &[("agent", &agent.id)])) {
                                        code.small { (shown(&agent.id)) }
                                    }
                                }
                                td data-name="System" {
                                    (shown(agent.system.as_deref().unwrap_or_default()))
                                    @if let Some(kernel) = &agent.kernel { br; code.small { (shown(kernel)) } }
                                    @if let Some(address) = &agent.address { br; code.small { (shown(address)) } }
                                }
                                td data-name="Tags" {
                                    @for (key, value) in &agent.tags {
                                        span.tag { (shown(key)) "=" (shown(value)) } " "
                                    }
                                }
                                td data-name="Collected" {
                                    @match &agent.snapshot {
                                        None => { "live" }
                                        Some(_) if agent.problem.is_some() => {}
                                        Some(_) => { (time(Millis(agent.collected_at.saturating_mul(1000)))) }
                                    }
                                }
                                td data-name="Health" {
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
            (more("/agents", &[], next))
        }
    };
    Ok(visit.page("Agents", content))
}
