//! Rank 0. Pure data and pure functions: the fact schema, facts and where they come from, lenses
//! and derived tables, version order, verdicts and findings.

pub mod audit_rule;
pub mod cell;
pub mod cvss;
pub mod derive;
pub mod facts;
pub mod finding;
pub mod lens;
mod paths;
pub mod purl;
pub mod recent;
pub mod schema;
pub mod score;
pub mod shell;
pub mod state;
pub mod sudoers;
pub mod summary;
pub mod table;
pub mod unit;
pub mod value;
pub mod version;
pub mod view;
