//! `pam_settings`: what each PAM module does, by its arguments, by its own file, and by its own
//! defaults for what neither says. An argument counts over the file (pam_pwquality(8),
//! pam_faillock(8), pam_pwhistory(8), pam_cracklib(8), pam_unix(8)). What a module refuses leaves
//! the setting as it was.

mod files;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::pam::Pam;
use crate::model::lens::pwquality::Pwquality;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, Host};
use crate::model::view::{Loaded, View};
use files::Setting;

facts! {
    /// Settings of PAM modules, from their arguments, their own files and their defaults.
    #[table(name = "pam_settings", origin = Derived, location = "{path}")]
    pub struct PamSetting {
        /// The file that says it.
        pub path: AbsPath,
        /// The line in it.
        pub line: i64,
        /// The service whose stack the module is in.
        pub service: Arc<str>,
        /// `auth`, `account`, `password` or `session`.
        pub r#type: Arc<str>,
        /// The module's file name.
        pub module: Arc<str>,
        /// The setting, in lower case where the module does not look at the case.
        pub key: Arc<str>,
        /// Its value; none for a flag that is set, `off` for one that is not.
        pub value: Option<Arc<str>>,
        /// The value as the number that the module takes it for.
        pub int_value: Option<i64>,
        /// `argument`, `file`, or `default` (at the line of the module) where neither says it.
        pub origin: Arc<str>,
        /// Whether it counts: the module takes the value, and no argument hides it.
        pub effective: bool,
    }
}

/// Module, type of stack, and the settings.
type Defaults = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What modules do where they are told nothing, by module, type and key; flags are `off`.
const DEFAULTS: [Defaults; 5] = [
    (
        "pam_pwquality.so",
        "password",
        &[
            ("dcredit", "0"),
            ("dictcheck", "1"),
            ("difok", "1"),
            ("enforce_for_root", "off"),
            ("enforcing", "1"),
            ("lcredit", "0"),
            ("maxrepeat", "0"),
            ("maxsequence", "0"),
            ("minclass", "0"),
            ("minlen", "8"),
            ("ocredit", "0"),
            ("ucredit", "0"),
            ("usercheck", "1"),
        ],
    ),
    (
        "pam_cracklib.so",
        "password",
        &[
            ("dcredit", "1"),
            ("difok", "5"),
            ("enforce_for_root", "off"),
            ("lcredit", "1"),
            ("maxrepeat", "0"),
            ("maxsequence", "0"),
            ("minclass", "0"),
            ("minlen", "9"),
            ("ocredit", "1"),
            ("ucredit", "1"),
        ],
    ),
    (
        "pam_faillock.so",
        "auth",
        &[
            ("deny", "3"),
            ("even_deny_root", "off"),
            ("fail_interval", "900"),
            ("unlock_time", "600"),
        ],
    ),
    (
        "pam_pwhistory.so",
        "password",
        &[("enforce_for_root", "off"), ("remember", "10"), ("use_authtok", "off")],
    ),
    (
        "pam_unix.so",
        "password",
        &[(ALGORITHM, "off"), ("minlen", "6"), ("remember", "0"), ("use_authtok", "off")],
    ),
];

/// A key of its own for what pam_unix hashes with: the last algorithm among its arguments.
const ALGORITHM: &str = "algorithm";
const ALGORITHMS: [&str; 8] =
    ["bigcrypt", "blowfish", "des", "gost_yescrypt", "md5", "sha256", "sha512", "yescrypt"];

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        PamSetting::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Host::TABLE, Pam::TABLE, Pwquality::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, modules) = view.typed::<Pam>()?;
        let (quality_state, quality) = view.typed::<Pwquality>()?;
        let mut state = state.and(quality_state);
        let quality: Vec<Setting> = quality
            .into_iter()
            .filter(|setting| setting.effective)
            .map(|s| Setting { path: s.path, line: s.line, key: s.key, value: s.value })
            .collect();
        let host = view.typed::<Host>()?.1.into_iter().next();
        let config = view.config()?;
        let mut own: BTreeMap<(Arc<str>, Arc<str>), Vec<Setting>> = BTreeMap::new();
        let mut rows = Rows::new(PamSetting::TABLE);
        for module in modules {
            let read = files::read_by(&module.module, &module.args, host.as_ref());
            let file: &[Setting] = match read {
                None if &*module.module == "pam_pwquality.so" => &quality,
                None => &[],
                Some(path) => own
                    .entry((Arc::clone(&module.module), Arc::clone(&path)))
                    .or_insert_with(|| match config.get(&path).map(|file| &file.text) {
                        Some(Ok(text)) => files::settings(&module.module, &path, text),
                        Some(Err(problem)) => {
                            lose(&mut state, format!("{path}: {problem}"));
                            Vec::new()
                        }
                        None => {
                            if module.args.iter().any(|argument| argument.starts_with("conf=")) {
                                lose(&mut state, format!("{path} was not collected"));
                            }
                            Vec::new()
                        }
                    }),
            };
            for setting in of_module(&module, file) {
                rows.push(setting.into_cells());
            }
        }
        Ok(Loaded { state, rows: Arc::new(rows) })
    }
}

fn lose(state: &mut TableState, reason: String) {
    *state = state.clone().and(TableState::truncated(reason));
}

/// The settings of one module in one stack.
fn of_module(module: &Pam, file: &[Setting]) -> Vec<PamSetting> {
    let name = &*module.module;
    let row =
        |path: &AbsPath, line, key: Arc<str>, value: Option<Arc<str>>, origin: &str| PamSetting {
            path: path.clone(),
            line,
            service: Arc::clone(&module.service),
            r#type: Arc::clone(&module.r#type),
            module: Arc::clone(&module.module),
            int_value: value.as_ref().and_then(|value| values::number(name, &key, value)),
            key,
            value,
            origin: origin.into(),
            effective: true,
        };
    let mut rows: Vec<PamSetting> = Vec::new();
    for argument in &module.args {
        let (key, value) = match argument.split_once('=') {
            Some((key, value)) => (key, Some(Arc::from(value))),
            None => (&**argument, None),
        };
        let mut push =
            |key, value| rows.push(row(&module.path, module.line, key, value, "argument"));
        push(values::key(name, key), value);
        if name == "pam_unix.so" && ALGORITHMS.contains(&key) {
            push(ALGORITHM.into(), Some(key.into()));
        }
    }
    // Of equal arguments the last one that is taken counts.
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    for setting in rows.iter_mut().rev() {
        setting.effective = values::is_taken(name, &setting.key, setting.value.as_deref())
            && seen.insert(Arc::clone(&setting.key));
    }
    for setting in file {
        let (key, value) = (Arc::clone(&setting.key), setting.value.clone());
        let mut row = row(&setting.path, setting.line, key, value, "file");
        row.effective = !seen.contains(&row.key);
        rows.push(row);
    }
    let defaults = DEFAULTS
        .iter()
        .filter(|(name, kind, _)| *name == &*module.module && *kind == &*module.r#type)
        .flat_map(|(_, _, defaults)| defaults.iter());
    for (key, value) in defaults {
        if !rows.iter().any(|row| row.effective && &*row.key == *key) {
            let value = Some(Arc::from(*value));
            rows.push(row(&module.path, module.line, Arc::from(*key), value, "default"));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::MemoryFacts;

    #[test]
    fn arguments_count_over_files() {
        let file = |path: &str, text: &str| ConfigFile {
            path: AbsPath(path.into()),
            text: Some(text.into()),
            problem: None,
        };
        let facts = MemoryFacts::new().with([
            file("/etc/pam.d/passwd", "password requisite pam_pwquality.so retry=3 minlen=8\npassword required pam_pwhistory.so\n"),
            file("/etc/security/pwquality.conf", "minlen = 14\nucredit = -1\n"),
            file("/etc/security/pwhistory.conf", "remember = 24\nenforce_for_root\n"),
        ]);
        let (state, rows) = View::new(&facts).typed::<PamSetting>().unwrap();
        assert!(state.is_complete());
        let shown: Vec<String> = rows
            .iter()
            .filter(|row| row.effective && &*row.origin != "default")
            .map(|row| {
                format!(
                    "{} {}={:?} {}:{}",
                    row.module, row.key, row.int_value, row.path.0, row.line
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "pam_pwquality.so retry=Some(3) /etc/pam.d/passwd:1",
                "pam_pwquality.so minlen=Some(8) /etc/pam.d/passwd:1",
                "pam_pwquality.so ucredit=Some(-1) /etc/security/pwquality.conf:2",
                "pam_pwhistory.so remember=Some(24) /etc/security/pwhistory.conf:1",
                "pam_pwhistory.so enforce_for_root=None /etc/security/pwhistory.conf:2",
            ]
        );
        let default = |key: &str| {
            let row = rows.iter().find(|row| &*row.key == key && &*row.origin == "default")?;
            Some((row.value.clone()?, row.path.0.clone(), row.line))
        };
        assert_eq!(default("lcredit"), Some(("0".into(), "/etc/pam.d/passwd".into(), 1)));
        assert_eq!(default("use_authtok"), Some(("off".into(), "/etc/pam.d/passwd".into(), 2)));
        assert_eq!(default("minlen"), None);
    }
}
