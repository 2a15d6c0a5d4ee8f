//! Lenses: each reads one configuration format out of the `config` table into rows that keep file
//! and line. One file a lens; a new one is its file and its row in [`all`].

pub mod aide;
pub mod apt;
pub mod audit_rules;
pub mod auditd;
pub mod boot;
pub mod chrony;
mod config_files;
pub mod cron;
pub mod crypto_policy;
pub mod dconf;
pub mod firewalld;
pub mod fstab;
mod glob;
pub mod ini;
pub mod key_value;
pub mod limits;
pub mod lines;
pub mod login_defs;
pub mod modprobe;
pub mod ntp;
pub mod pam;
pub mod pwquality;
pub mod rsyslog;
pub mod selinux;
pub mod shell;
pub mod sshd;
pub mod sudo;
pub mod sysctl;
pub mod syslog_ng;
pub mod xinetd;

use std::sync::Arc;

use super::schema::TableSchema;
use super::state::FactError;
use super::view::Loaded;

pub use config_files::{ConfigFiles, Reading, Text, is_full};

/// Reads one configuration format.
pub trait Lens: Sync {
    /// The table it gives; its name begins with `config.`.
    fn table(&self) -> &'static TableSchema;

    /// Reads the rows. Total: whatever the texts hold, it gives what can be read. A file that it
    /// needs and that could not be collected makes the state truncated, with the reason.
    ///
    /// # Errors
    /// The bytes behind the texts are damaged.
    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError>;

    /// For a table whose rows each depend on few files: how to tell which. A file that could not be
    /// read then matters only to those who ask about its rows.
    fn keyed(&self) -> Option<Keyed> {
        None
    }
}

/// How the rows of a table depend on files.
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    /// The column that says it.
    pub column: &'static str,
    /// What the column holds in every row that a file can change.
    pub of: fn(&str) -> Arc<str>,
}

impl Keyed {
    /// Each row depends on its own file alone.
    pub const PATH: Self = Self { column: "path", of: |path| path.into() };
}

/// Every lens.
pub fn all() -> &'static [&'static dyn Lens] {
    &[
        &audit_rules::Lens,
        &auditd::Lens,
        &boot::Lens,
        &chrony::Lens,
        &cron::Lens,
        &crypto_policy::Lens,
        &firewalld::Lens,
        &fstab::Lens,
        &aide::Lens,
        &apt::Lens,
        &dconf::Lens,
        &ini::Lens,
        &key_value::Lens,
        &limits::Lens,
        &lines::Lens,
        &login_defs::Lens,
        &modprobe::Lens,
        &ntp::Lens,
        &pam::Lens,
        &pwquality::Lens,
        &selinux::Lens,
        &rsyslog::Lens,
        &shell::Lens,
        &sshd::Lens,
        &sudo::defaults::Lens,
        &sudo::rules::Lens,
        &sysctl::Lens,
        &xinetd::Lens,
        &syslog_ng::Lens,
    ]
}

/// The lens that gives this table.
pub fn find(table: &str) -> Option<&'static dyn Lens> {
    all().iter().copied().find(|lens| lens.table().name == table)
}

#[cfg(test)]
pub(super) mod testing {
    //! A host whose configuration is these files.

    use super::*;
    use crate::model::cell::{AbsPath, Fact};
    use crate::model::facts::Rows;
    use crate::model::state::TableState;
    use crate::model::table::ConfigFile;

    pub(crate) fn files(texts: &[(&str, &str)]) -> ConfigFiles {
        let rows = texts.iter().map(|(path, text)| ConfigFile {
            path: AbsPath((*path).into()),
            text: Some((*text).into()),
            problem: None,
        });
        ConfigFiles::new(&Loaded { state: TableState::Collected, rows: Arc::new(Rows::of(rows)) })
    }

    /// The typed rows that a lens reads.
    pub(crate) fn rows<F: Fact>(lens: &dyn Lens, texts: &[(&str, &str)]) -> Vec<F> {
        lens.load(&files(texts)).unwrap().rows.typed().collect()
    }
}
