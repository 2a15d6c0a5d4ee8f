//! `modules`: whether modprobe would load a kernel module: modprobe.d(5), modprobe(8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::modprobe::Modprobe;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Host, KernelModule};
use crate::model::view::{Loaded, View};

/// Programs that do nothing: an `install` command that runs one keeps the module out.
const NOTHING: [&str; 6] = [
    "/bin/true",
    "/bin/false",
    "/usr/bin/true",
    "/usr/bin/false",
    "/sbin/nologin",
    "/usr/sbin/nologin",
];

facts! {
    /// Kernel modules that the host has or that modprobe.d speaks of.
    #[table(name = "modules", origin = Derived, location = "kernel module {name}")]
    pub struct Module {
        /// Name with `_` for `-`.
        pub name: Arc<str>,
        /// Whether it is loaded now; none where the kernel was not running.
        pub loaded: Option<bool>,
        /// Whether an installed kernel has it as a file.
        pub available: bool,
        /// Whether an installed kernel has it built in.
        pub builtin: bool,
        /// Whether a `blacklist` line keeps its aliases from loading it.
        pub blacklisted: bool,
        /// The last `install` command, which modprobe runs instead.
        pub install_command: Option<Arc<str>>,
        /// Whether modprobe would load it: it is available and no `install` command that does nothing stands in its place.
        pub loadable: bool,
        /// The file of the `install` or else the `blacklist` line.
        pub path: Option<AbsPath>,
        /// The line in that file.
        pub line: Option<i64>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        Module::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Modprobe::TABLE, KernelModule::TABLE, Host::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (configured_state, commands) = view.typed::<Modprobe>()?;
        let (modules_state, modules) = view.typed::<KernelModule>()?;
        // An image without any kernel has no modules to look for.
        let hosts = view.typed::<Host>()?.1;
        let kernelless =
            hosts.iter().any(|host| &*host.source != "live" && host.kernels_installed.is_empty());
        let modules_state = if kernelless { TableState::Collected } else { modules_state };
        let present: BTreeMap<Arc<str>, KernelModule> =
            modules.into_iter().map(|module| (Arc::clone(&module.name), module)).collect();
        let mut installs: BTreeMap<&Arc<str>, &Modprobe> = BTreeMap::new();
        let mut blacklists: BTreeMap<&Arc<str>, &Modprobe> = BTreeMap::new();
        for command in &commands {
            match &*command.command {
                "install" => installs.insert(&command.module, command),
                "blacklist" => blacklists.insert(&command.module, command),
                _ => None,
            };
        }
        let names: BTreeSet<&Arc<str>> = present
            .keys()
            .chain(installs.keys().copied())
            .chain(blacklists.keys().copied())
            .collect();
        let rows = names.into_iter().map(|name| {
            let module = present.get(name);
            let (install, blacklist) = (installs.get(name), blacklists.get(name));
            let argument = install.and_then(|install| install.argument.clone());
            let program = argument.as_ref().and_then(|text| text.split_whitespace().next());
            let kept_out = program.is_some_and(|program| NOTHING.contains(&program));
            let available = module.is_some_and(|module| !module.available_in.is_empty());
            let place = install.or(blacklist);
            Module {
                name: Arc::clone(name),
                loaded: module.and_then(|module| module.loaded),
                available,
                builtin: module.is_some_and(|module| !module.builtin_in.is_empty()),
                blacklisted: blacklist.is_some(),
                install_command: argument.clone(),
                loadable: available && !kept_out,
                path: place.map(|place| place.path.clone()),
                line: place.map(|place| place.line),
            }
        });
        let rows = Arc::new(Rows::of(rows));
        Ok(Loaded { state: configured_state.and(modules_state), rows })
    }
}
