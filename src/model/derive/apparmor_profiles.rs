//! `apparmor_profiles`: the profiles in /etc/apparmor.d with the mode they are loaded in:
//! apparmor.d(5), aa-disable(8), aa-complain(8).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{ConfigFile, File};
use crate::model::view::{Loaded, View};

const DIRECTORY: &str = "/etc/apparmor.d";

facts! {
    /// AppArmor profiles of the host, by the files that define them.
    #[table(name = "apparmor_profiles", origin = Derived, location = "{path}")]
    pub struct AppArmorProfile {
        /// The file.
        pub path: AbsPath,
        /// The line that the profile begins on.
        pub line: i64,
        /// Its name or attachment as written.
        pub name: Arc<str>,
        /// `enforce`, `complain`, `unconfined` or `disabled`.
        pub mode: Arc<str>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        AppArmorProfile::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[ConfigFile::TABLE, File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let config = view.config()?;
        let mut rows = Vec::new();
        for file in config.in_directory(DIRECTORY, "") {
            let Ok(text) = &file.text else { continue };
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let switch = |kind: &str| view.source().file(&format!("{DIRECTORY}/{kind}/{name}"));
            let disabled = switch("disable")?.is_some();
            let complains = switch("force-complain")?.is_some();
            for (line, profile, mode) in profiles(text) {
                let mode = match mode {
                    _ if disabled => "disabled",
                    "enforce" if complains => "complain",
                    mode => mode,
                };
                rows.push(AppArmorProfile {
                    path: AbsPath(Arc::clone(&file.path)),
                    line,
                    name: profile.into(),
                    mode: mode.into(),
                });
            }
        }
        let state = config.state().clone().and(view.files_state());
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// Line, name and mode of each profile, those inside others too. A header is what stands before a
/// `{` and begins with `profile`, `hat`, `^`, a path or a variable.
fn profiles(text: &str) -> Vec<(i64, String, &'static str)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or(line).trim();
        let Some(header) = line.strip_suffix('{').map(str::trim_end) else { continue };
        let named = ["profile ", "hat "].iter().find_map(|word| header.strip_prefix(word));
        let attached = header.starts_with(['/', '^', '@', '"']);
        if named.is_none() && !attached {
            continue;
        }
        let rest = named.unwrap_or(header).trim();
        let name = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => rest.split_whitespace().next().unwrap_or_default(),
        };
        found.push((number, name.to_owned(), mode(header)));
    }
    found
}

fn mode(header: &str) -> &'static str {
    let flags = header.split_once("flags").map(|(_, rest)| rest.trim_start());
    let flags = flags.and_then(|rest| rest.strip_prefix('=')).map(str::trim_start);
    let flags = flags.and_then(|rest| rest.strip_prefix('(')).or_else(|| {
        // The word `flags=` may be left out.
        header.ends_with(')').then(|| header.rsplit_once('(').map(|(_, flags)| flags)).flatten()
    });
    let flags = flags.and_then(|rest| rest.split(')').next()).unwrap_or_default();
    let has = |word: &str| flags.split([',', ' ', '\t']).any(|flag| flag == word);
    if has("unconfined") {
        "unconfined"
    } else if has("complain") {
        "complain"
    } else {
        "enforce"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_name_and_mode() {
        let text = "# profile no {\nprofile man_groff {\n  /x r,\n}\n/usr/bin/man flags=(complain) {\n \
                    ^hat {\n}\n}\nprofile a /b flags=(attach_disconnected, unconfined) { # x\n}\n\
                    profile \"c d\" (complain) {\n}\nif $x {\n}\n";
        let found: Vec<(i64, String, &str)> = profiles(text);
        let shown: Vec<String> =
            found.iter().map(|(line, name, mode)| format!("{line} {name} {mode}")).collect();
        assert_eq!(
            shown,
            [
                "2 man_groff enforce",
                "5 /usr/bin/man complain",
                "6 ^hat enforce",
                "9 a unconfined",
                "11 c d complain"
            ]
        );
    }
}
