//! Derived tables: each joins other tables once, in Rust, so that rules need no query language.
//! One file a table; a new one is its file and its row in [`all`].

pub mod account_groups;
pub mod account_passwords;
pub mod accounts;
pub mod apparmor_profiles;
pub mod audit_watches;
pub mod authselect_stacks;
pub mod boot_entries;
pub mod boot_menus;
pub mod dconf_databases;
pub mod dot_files;
pub mod firewalld_zones;
pub mod firewalls;
pub mod guarded_files;
pub mod homes;
pub mod linked_files;
pub mod log_systems;
pub mod mail_servers;
pub mod modules;
pub mod mounts;
pub mod open_ports;
pub mod pam_lockouts;
pub mod pam_settings;
pub mod pam_wheel;
pub mod password_changes;
pub mod privileged_programs;
pub mod root_executables;
pub mod root_path;
pub mod setuid_files;
pub mod sshd_algorithms;
pub mod sudo_logs;
pub mod sysctl;
pub mod third_party_binaries;
pub mod time_daemons;
pub mod ufw_policies;
pub mod unit_settings;
pub mod unowned_files;

use super::schema::TableSchema;
use super::state::FactError;
use super::view::{Loaded, View};

/// Computes one table from others.
pub trait Derivation: Sync {
    /// The table it gives.
    fn table(&self) -> &'static TableSchema;

    /// The tables it reads: a rule that needs this table needs those.
    fn reads(&self) -> &'static [&'static TableSchema];

    /// Computes the rows. Total; a table it reads that is not complete makes the state truncated,
    /// with the reason.
    ///
    /// # Errors
    /// The bytes behind a table are damaged.
    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError>;
}

/// Every derivation.
pub fn all() -> &'static [&'static dyn Derivation] {
    &[
        &account_groups::Derivation,
        &account_passwords::Derivation,
        &accounts::Derivation,
        &dconf_databases::Derivation,
        &dot_files::Derivation,
        &firewalld_zones::Derivation,
        &homes::Derivation,
        &linked_files::Derivation,
        &log_systems::Derivation,
        &apparmor_profiles::Derivation,
        &audit_watches::Derivation,
        &authselect_stacks::Derivation,
        &boot_entries::Derivation,
        &boot_menus::Derivation,
        &guarded_files::Derivation,
        &mail_servers::Derivation,
        &firewalls::Derivation,
        &modules::Derivation,
        &mounts::Derivation,
        &open_ports::Derivation,
        &pam_lockouts::Derivation,
        &pam_settings::Derivation,
        &pam_wheel::Derivation,
        &password_changes::Derivation,
        &privileged_programs::Derivation,
        &root_executables::Derivation,
        &root_path::Derivation,
        &setuid_files::Derivation,
        &sshd_algorithms::Derivation,
        &sudo_logs::Derivation,
        &sysctl::Derivation,
        &time_daemons::Derivation,
        &third_party_binaries::Derivation,
        &ufw_policies::Derivation,
        &unit_settings::Derivation,
        &unowned_files::Derivation,
    ]
}

/// The derivation that gives this table.
pub fn find(table: &str) -> Option<&'static dyn Derivation> {
    all().iter().copied().find(|derivation| derivation.table().name == table)
}
