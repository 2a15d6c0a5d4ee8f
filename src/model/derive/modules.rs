//! `modules`: whether modprobe would load a kernel module: modprobe.d(5), modprobe(8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::modprobe::{Modprobe, is_match, is_pattern};
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{Host, KernelModule};
use crate::model::view::{Loaded, View};

/// Programs that do nothing: an `install` command that runs one keeps the module out.
const NOTHING: [&str; 9] = [
    ":",
    "true",
    "false",
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
        /// The first `install` command for it, which modprobe runs instead.
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
        // Of several commands for a module, modprobe takes the first.
        let mut installs: BTreeMap<&Arc<str>, (usize, &Modprobe)> = BTreeMap::new();
        let mut patterns: Vec<(usize, &Modprobe)> = Vec::new();
        let mut blacklists: BTreeMap<&Arc<str>, &Modprobe> = BTreeMap::new();
        for (at, command) in commands.iter().enumerate() {
            match &*command.command {
                "install" if is_pattern(&command.module) => patterns.push((at, command)),
                "install" => drop(installs.entry(&command.module).or_insert((at, command))),
                "blacklist" => drop(blacklists.entry(&command.module).or_insert(command)),
                _ => {}
            }
        }
        let install_of = |name: &Arc<str>| {
            let named = installs.get(name).copied();
            let spoken = patterns.iter().copied().find(|(_, row)| is_match(&row.module, name));
            named.into_iter().chain(spoken).min_by_key(|(at, _)| *at).map(|(_, row)| row)
        };
        let names: BTreeSet<&Arc<str>> = present
            .keys()
            .chain(installs.keys().copied())
            .chain(blacklists.keys().copied())
            .collect();
        let rows = names.into_iter().map(|name| {
            let module = present.get(name);
            let (install, blacklist) = (install_of(name), blacklists.get(name).copied());
            let argument = install.and_then(|install| install.argument.clone());
            let kept_out = argument.as_deref().is_some_and(does_nothing);
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

/// Whether a command of the shell comes to nothing: it is one program that does nothing, and no
/// other stands behind it.
fn does_nothing(command: &str) -> bool {
    let program = command.split_whitespace().next();
    program.is_some_and(|program| NOTHING.contains(&program))
        && !command.contains([';', '|', '&', '`', '(', '<', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;
    use crate::model::table::ConfigFile;

    #[test]
    fn the_first_command_for_a_module_counts() {
        let text = "install a /sbin/modprobe -i a\ninstall a /bin/false\ninstall b* /bin/true\n\
                    install bc /sbin/modprobe -i bc\ninstall d /bin/false\n\
                    install e /bin/false || /sbin/modprobe -i e\ninstall f true # never\n";
        let facts = MemoryFacts::new()
            .with([ConfigFile {
                path: AbsPath("/etc/modprobe.d/a.conf".into()),
                text: Some(text.into()),
                problem: None,
            }])
            .with(["a", "bc", "d", "e", "f"].map(|name| KernelModule {
                name: name.into(),
                loaded: None,
                available_in: vec!["6.1".into()],
                builtin_in: Vec::new(),
            }));
        let (_, rows) = View::new(&facts).typed::<Module>().unwrap();
        let shown: Vec<_> = rows.iter().map(|row| (&*row.name, row.loadable, row.line)).collect();
        assert_eq!(
            shown,
            [
                ("a", true, Some(1)),
                ("bc", false, Some(3)),
                ("d", false, Some(5)),
                ("e", true, Some(6)),
                ("f", false, Some(7)),
            ]
        );
    }
}
