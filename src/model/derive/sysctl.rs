//! `sysctl`: each kernel parameter as it runs and as it is configured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::sysctl::{SysctlRow, is_glob, is_match};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Host, KernelParameter};
use crate::model::view::{Loaded, View};

facts! {
    /// Kernel parameters as they run and as sysctl.d configures them.
    #[table(name = "sysctl", origin = Derived, location = "sysctl {key}")]
    pub struct Sysctl {
        /// The parameter with dots.
        pub key: Arc<str>,
        /// Its value now; live only.
        pub running: Option<Arc<str>>,
        /// The value that sysctl.d sets at boot.
        pub configured: Option<Arc<str>>,
        /// The file that sets it.
        pub path: Option<AbsPath>,
        /// The line in that file.
        pub line: Option<i64>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        Sysctl::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[SysctlRow::TABLE, KernelParameter::TABLE, Host::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (configured_state, assignments) = view.typed::<SysctlRow>()?;
        let (running_state, running) = view.typed::<KernelParameter>()?;
        let live = view.typed::<Host>()?.1.iter().any(|host| &*host.source == "live");
        // An image has no running kernel, and misses nothing by that.
        let running_state = if live { running_state } else { TableState::Collected };
        let running: BTreeMap<Arc<str>, Arc<str>> =
            running.into_iter().map(|parameter| (parameter.key, parameter.value)).collect();
        let effective: Vec<SysctlRow> =
            assignments.into_iter().filter(|assignment| assignment.effective).collect();
        let exact: BTreeMap<&str, &SysctlRow> =
            effective.iter().map(|assignment| (&*assignment.key, assignment)).collect();
        let globs: Vec<&SysctlRow> =
            effective.iter().filter(|assignment| is_glob(&assignment.key)).collect();
        let keys: BTreeSet<&Arc<str>> =
            running.keys().chain(effective.iter().map(|assignment| &assignment.key)).collect();
        let rows = keys.into_iter().map(|key| {
            let by_glob = || globs.iter().rev().find(|glob| is_match(&glob.key, key)).copied();
            let setting = exact.get(&**key).copied().or_else(by_glob);
            let value = setting.and_then(|setting| setting.value.clone());
            let setting = setting.filter(|_| value.is_some());
            Sysctl {
                key: Arc::clone(key),
                running: running.get(key).cloned(),
                path: setting.map(|setting| setting.path.clone()),
                line: setting.map(|setting| setting.line),
                configured: value,
            }
        });
        let rows = Arc::new(Rows::of(rows));
        Ok(Loaded { state: configured_state.and(running_state), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;
    use crate::model::table::ConfigFile;

    #[test]
    fn running_and_configured_stand_side_by_side() {
        let facts = MemoryFacts::new()
            .with([ConfigFile {
                path: AbsPath("/etc/sysctl.d/a.conf".into()),
                text: Some(
                    "net.ipv4.conf.*.rp_filter=1\n-net.ipv4.conf.lo.rp_filter\nkernel.x=2\n".into(),
                ),
                problem: None,
            }])
            .with(
                ["net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.lo.rp_filter"]
                    .map(|key| KernelParameter { key: key.into(), value: "0".into() }),
            );
        let (state, rows) = View::new(&facts).typed::<Sysctl>().unwrap();
        assert!(state.is_complete());
        let find = |key: &str| rows.iter().find(|row| &*row.key == key).unwrap();
        assert_eq!(find("net.ipv4.conf.eth0.rp_filter").configured.as_deref(), Some("1"));
        assert_eq!(find("net.ipv4.conf.lo.rp_filter").configured, None);
        assert_eq!((find("kernel.x").running.clone(), find("kernel.x").line), (None, Some(3)));
    }
}
