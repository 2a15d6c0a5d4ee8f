//! Kernel modules: as files below /lib/modules, built in, loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::collect::Root;
use crate::model::state::TableState;
use crate::model::table::{FileKind, KernelModule};

const MODULES: &str = "/lib/modules";
/// Endings of module files, packed or not (kmod(8)).
const ENDINGS: [&str; 4] = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"];
/// Most names that are looked at, and how deep directories may be nested; a distribution's kernel
/// has some 6,000 modules in 900 directories.
const MOST_NAMES: usize = 400_000;
const DEEPEST: usize = 24;
/// Largest list of built-in modules, and of loaded ones.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The modules of every installed kernel, by name, and on the running host those that are loaded.
///
/// A module is available where its file is there, whether or not depmod has listed it. Absent
/// where the root has no kernel at all, as container images have not: what its kernel can load is
/// not in it. On the running host it is truncated if the kernel that runs has no directory.
pub fn kernel_modules(root: &dyn Root) -> (TableState, Vec<KernelModule>) {
    let mut found = Found::default();
    let releases = match root.list(MODULES) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let state = TableState::denied(format!("{MODULES} could not be read ({error})"));
            return (state, Vec::new());
        }
        Err(_) => Vec::new(),
    };
    let releases = releases.into_iter().filter(|(_, kind)| *kind == FileKind::Directory);
    let releases: BTreeSet<String> = releases.map(|(name, _)| name).collect();
    for release in &releases {
        found.release(root, release);
    }
    if root.is_live() {
        found.running(root, &releases);
    } else if releases.is_empty() {
        let state = TableState::absent(format!("no kernel is installed: {MODULES} has none"));
        return (state, Vec::new());
    }
    (found.state(), found.modules.into_values().collect())
}

#[derive(Default)]
struct Found {
    modules: BTreeMap<String, KernelModule>,
    names: usize,
    troubles: Vec<String>,
}

impl Found {
    fn release(&mut self, root: &dyn Root, release: &str) {
        let directory = format!("{MODULES}/{release}");
        let shared: Arc<str> = release.into();
        self.directory(root, &directory, &shared, DEEPEST);
        let list = format!("{directory}/modules.builtin");
        match root.read(&list, LARGEST) {
            Ok(bytes) => {
                for path in String::from_utf8_lossy(&bytes).lines() {
                    let file = path.trim().rsplit('/').next().unwrap_or_default();
                    if let Some(name) = module_name(file) {
                        push(&mut self.module(name).builtin_in, &shared);
                    }
                }
            }
            Err(error) => self.troubles.push(format!("{list} could not be read ({error})")),
        }
    }

    fn directory(&mut self, root: &dyn Root, path: &str, release: &Arc<str>, depth: usize) {
        let entries = match root.list(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.troubles.push(format!("{path} could not be read ({error})"));
                return;
            }
        };
        for (name, kind) in entries {
            self.names += 1;
            if self.names > MOST_NAMES {
                self.trouble_once(format!("{MODULES} has more than {MOST_NAMES} names"));
                return;
            }
            match kind {
                FileKind::Directory if depth == 0 => {
                    self.trouble_once(format!("{path} is nested too deep"));
                }
                FileKind::Directory => {
                    self.directory(root, &format!("{path}/{name}"), release, depth - 1);
                }
                // A link counts: weak-updates of rpm kernels are links to another release.
                FileKind::File | FileKind::Link => {
                    if let Some(module) = module_name(&name) {
                        push(&mut self.module(module).available_in, release);
                    }
                }
                _ => {}
            }
        }
    }

    /// What the running kernel says.
    fn running(&mut self, root: &dyn Root, releases: &BTreeSet<String>) {
        let release = root.read("/proc/sys/kernel/osrelease", 4096).unwrap_or_default();
        let release = String::from_utf8_lossy(&release).trim().to_owned();
        let loaded = match root.read("/proc/modules", LARGEST) {
            Ok(bytes) => loaded(&String::from_utf8_lossy(&bytes)),
            // A kernel without loadable modules has no such file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !release.is_empty() => {
                BTreeSet::new()
            }
            Err(error) => {
                self.troubles.push(format!("/proc/modules could not be read ({error})"));
                return;
            }
        };
        if !releases.contains(&release) {
            self.troubles.push(format!("the running kernel {release} has no {MODULES}/{release}"));
        }
        let release: Arc<str> = release.into();
        // Modules that are built in and have parameters show here too.
        for (name, _) in root.list("/sys/module").unwrap_or_default() {
            if !loaded.contains(&name) && name != "kernel" {
                push(&mut self.module(name).builtin_in, &release);
            }
        }
        for name in &loaded {
            self.module(name.clone());
        }
        for (name, module) in &mut self.modules {
            module.loaded = Some(loaded.contains(name));
        }
    }

    fn module(&mut self, name: String) -> &mut KernelModule {
        self.modules.entry(name.clone()).or_insert_with(|| KernelModule {
            name: name.into(),
            loaded: None,
            available_in: Vec::new(),
            builtin_in: Vec::new(),
        })
    }

    fn trouble_once(&mut self, trouble: String) {
        if self.troubles.last() != Some(&trouble) {
            self.troubles.push(trouble);
        }
    }

    fn state(&self) -> TableState {
        match self.troubles.as_slice() {
            [] => TableState::Collected,
            [one] => TableState::truncated(one.as_str()),
            [first, more @ ..] => {
                TableState::truncated(format!("{first}, and {} more like it", more.len()))
            }
        }
    }
}

fn push(releases: &mut Vec<Arc<str>>, release: &Arc<str>) {
    if releases.last() != Some(release) && !releases.contains(release) {
        releases.push(Arc::clone(release));
    }
}

/// The module that a file holds, as the kernel spells it.
fn module_name(file: &str) -> Option<String> {
    let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending))?;
    (!stem.is_empty()).then(|| stem.replace('-', "_"))
}

/// The names in /proc/modules (proc_modules(5)): the first word of each line.
fn loaded(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_modules() {
        assert_eq!(module_name("nf-tables.ko.xz").as_deref(), Some("nf_tables"));
        assert_eq!(module_name("usb-storage.ko").as_deref(), Some("usb_storage"));
        for no in ["modules.dep", ".ko", "x.ko.bz2", "x.kooo"] {
            assert_eq!(module_name(no), None, "{no}");
        }
    }

    #[test]
    fn loaded_modules() {
        let text = "ext4 1003520 1 - Live 0x0000\n\nnf_tables 1 0 - Live 0x0\n";
        assert_eq!(loaded(text).into_iter().collect::<Vec<_>>(), ["ext4", "nf_tables"]);
    }
}
