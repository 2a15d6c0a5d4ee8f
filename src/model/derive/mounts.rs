//! `mounts`: the mount points of a host, as they are (live) and as /etc/fstab configures them.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::fstab::Fstab;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Host, Mount};
use crate::model::view::{Loaded, View};

facts! {
    /// Mount points, running and configured.
    #[table(name = "mounts", origin = Derived, location = "mount {target}")]
    pub struct MountPoint {
        /// Mount point.
        pub target: AbsPath,
        /// Device or other source.
        pub source: Arc<str>,
        /// File system type.
        pub fstype: Arc<str>,
        /// Options; those that `defaults` stands for are left out.
        pub options: Vec<Arc<str>>,
        /// `running` or `fstab`.
        pub origin: Arc<str>,
        /// Line in /etc/fstab.
        pub line: Option<i64>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        MountPoint::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Fstab::TABLE, Mount::TABLE, Host::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (configured_state, configured) = view.typed::<Fstab>()?;
        let (running_state, running) = view.typed::<Mount>()?;
        let live = view.typed::<Host>()?.1.iter().any(|host| &*host.source == "live");
        // An image has no running mounts, and misses nothing by that.
        let running_state = if live { running_state } else { TableState::Collected };
        let configured = configured.into_iter().filter(|mount| mount.target.starts_with('/'));
        let rows = running
            .into_iter()
            .map(|mount| MountPoint {
                target: mount.target,
                source: mount.source,
                fstype: mount.fstype,
                options: mount.options,
                origin: "running".into(),
                line: None,
            })
            .chain(configured.map(|mount| MountPoint {
                target: AbsPath(mount.target),
                source: mount.source,
                fstype: mount.fstype,
                options: mount.options,
                origin: "fstab".into(),
                line: Some(mount.line),
            }));
        let rows = Arc::new(Rows::of(rows));
        Ok(Loaded { state: configured_state.and(running_state), rows })
    }
}
