//! assay: an offline rules-engine scanner over host snapshots.
//!
//! A host's packages, sockets, processes, permissions, configuration, users and services become
//! one small file, a *snapshot*; declarative YAML rules judge one snapshot or thousands.
//!
//! # Code map, lowest rank first
//!
//! | rank | module | what lives there |
//! |---|---|---|
//! | 0 | [`diagnostic`] | coded, spanned diagnostics; the `Monitor` that hears progress |
//! | 0 | [`model`] | tables and their schema, facts, lenses, derived tables, verdicts, findings |
//! | 1 | [`snapshot`] | the container: the only place that knows its bytes |
//! | 1 | [`rules`] | YAML to spanned syntax to a checked plan |
//! | 1 | [`advisory`] | feeds to records to an index; packages to matches |
//! | 1 | [`emit`] | a report to bytes; total, no filtering |
//! | 2 | [`collect`] | a root (live, directory) to facts to a snapshot |
//! | 2 | [`engine`] | plan and facts to judgements; pure |
//! | 3 | [`assess`] | targets, parallel runs, gates, exclusions |
//! | 4 | [`api`] | Inspector's API over the store |
//! | 5 | [`cli`] | the only place that parses arguments, prints and exits |
//!
//! A module imports only from lower ranks; `tests/architecture.rs` reads every `use crate::` and
//! holds that, the purity of the engine, and the other invariants.

pub mod advisory;
#[cfg(feature = "server")]
pub mod api;
pub mod assess;
pub mod cli;
pub mod collect;
pub mod diagnostic;
pub mod emit;
pub mod engine;
pub mod model;
pub mod rules;
pub mod snapshot;
