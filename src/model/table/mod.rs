//! The collected tables, as typed rows, and the registry of all tables.

mod account;
mod binary;
mod file;
mod host;
mod network;
mod package;
mod process;
mod system;

use std::sync::OnceLock;

use super::cell::Fact;
use super::schema::{Origin, TableSchema};
use super::{derive, lens};

pub use account::{Group, Shadow, User};
pub use binary::Binary;
pub use file::{ConfigFile, File, FileKind};
pub use host::{Cloud, Host};
pub use network::{FirewallRule, Interface, ONLY_CONFIGURED, Socket};
pub use package::{LanguagePackage, Package};
pub use process::{Process, ProcessModule};
pub use system::{KernelModule, KernelParameter, Mount, Service};

/// The tables that a snapshot can hold, in the order in which it holds them.
pub static COLLECTED: &[&TableSchema] = &[
    Host::TABLE,
    Cloud::TABLE,
    Interface::TABLE,
    Package::TABLE,
    LanguagePackage::TABLE,
    User::TABLE,
    Group::TABLE,
    Shadow::TABLE,
    KernelParameter::TABLE,
    Mount::TABLE,
    KernelModule::TABLE,
    Service::TABLE,
    Socket::TABLE,
    Process::TABLE,
    ProcessModule::TABLE,
    Binary::TABLE,
    FirewallRule::TABLE,
    ConfigFile::TABLE,
    File::TABLE,
];

/// Every table: collected, lenses, derived.
pub fn all() -> &'static [&'static TableSchema] {
    static ALL: OnceLock<Vec<&'static TableSchema>> = OnceLock::new();
    ALL.get_or_init(|| {
        let lenses = lens::all().iter().map(|lens| lens.table());
        let derived = derive::all().iter().map(|derivation| derivation.table());
        COLLECTED.iter().copied().chain(lenses).chain(derived).collect()
    })
}

/// The table with this name.
pub fn find(name: &str) -> Option<&'static TableSchema> {
    all().iter().copied().find(|table| table.name == name)
}

/// The position of a table in [`all`].
pub fn position(table: &TableSchema) -> Option<usize> {
    all().iter().position(|other| other.name == table.name)
}

/// The collected tables that a table is made of, in the order of [`all`]; a collected one is made
/// of itself.
pub fn sources(table: &'static TableSchema) -> Vec<&'static TableSchema> {
    let mut sources: Vec<&'static TableSchema> = match table.origin {
        Origin::Collected => vec![table],
        Origin::Lens => vec![ConfigFile::TABLE],
        Origin::Derived => {
            let reads = derive::find(table.name).map_or(&[][..], |derivation| derivation.reads());
            reads.iter().copied().flat_map(sources).collect()
        }
    };
    sources.sort_by_key(|source| position(source));
    sources.dedup_by_key(|source| source.name);
    sources
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_documented() {
        let mut seen = BTreeSet::new();
        for table in super::all() {
            assert!(seen.insert(table.name), "{} is declared twice", table.name);
            assert!(table.doc.trim().len() > 10, "{} needs a line of doc", table.name);
            for column in table.columns {
                assert!(column.doc.trim().len() > 3, "{}.{}", table.name, column.name);
            }
        }
    }
}
