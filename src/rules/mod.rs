//! Rank 1. YAML to spanned nodes to checked rules to a plan. The language is described in
//! `rulesets/README.md`.

pub mod ast;
mod benchmark;
mod compile;
mod condition;
mod control;
mod cve;
mod directory;
mod embedded;
pub(crate) mod example;
mod library;
mod operand;
mod params;
pub mod pattern;
mod plan;
mod query;
pub(crate) mod reader;
mod rule;
mod scaffold;
mod schema;
mod scope;
pub(crate) mod selfcheck;
mod suggest;
mod tailoring;
pub mod words;
pub mod yaml;

pub use benchmark::profiles;
pub use library::{FileKind, Library, RuleFile};
pub(crate) use plan::{
    Atom, Atoms, FileAccess, Program, ProgramBody, ProgramPart, RowSet, Step, TablePlan,
};
pub use plan::{DEFAULT_PROFILE, Plan, Selection};
pub use scaffold::{path as scaffold_path, scaffold};
pub use schema::schema;
pub use scope::{Audience, Listed, Scope};
pub use tailoring::Tailoring;
