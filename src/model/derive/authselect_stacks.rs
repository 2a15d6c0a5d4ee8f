//! `authselect_stacks`: what the profile that authselect uses puts into the PAM stacks:
//! authselect(8), authselect-profiles(5). The first line of /etc/authselect/authselect.conf names
//! the profile; one that the site made is below /etc/authselect, others below /usr/share/authselect.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::ConfigFile;
use crate::model::view::{Loaded, View};

const CHOICE: &str = "/etc/authselect/authselect.conf";
const STACKS: [&str; 2] = ["password-auth", "system-auth"];
/// Where profiles that are not the site's own lie, first place first.
const SHARED: [&str; 2] = ["/usr/share/authselect/vendor", "/usr/share/authselect/default"];

facts! {
    /// The stacks `system-auth` and `password-auth` in the profile that authselect uses.
    #[table(name = "authselect_stacks", origin = Derived, location = "{path}")]
    pub struct AuthselectStack {
        /// The file of the profile.
        pub path: AbsPath,
        /// `system-auth` or `password-auth`.
        pub name: Arc<str>,
        /// The profile, for example `sssd` or `custom/site`.
        pub profile: Arc<str>,
        /// The features that are switched on.
        pub features: Vec<Arc<str>>,
        /// The modules that the file names, whether or not a feature has to switch them on; none where there is no file.
        pub modules: Vec<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        AuthselectStack::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let config = view.config()?;
        let mut state = config.state().clone();
        let mut text = |path: &str| {
            let file = config.get(path)?;
            match &file.text {
                Ok(text) => Some(Arc::clone(text)),
                Err(problem) => {
                    let truncated = TableState::truncated(format!("{path}: {problem}"));
                    state = std::mem::replace(&mut state, TableState::Collected).and(truncated);
                    None
                }
            }
        };
        let mut rows = Vec::new();
        if let Some(choice) = text(CHOICE) {
            let mut lines = choice.lines().map(str::trim).filter(|line| !line.is_empty());
            let profile = lines.next().unwrap_or_default();
            let features: Vec<Arc<str>> = lines.map(Arc::from).collect();
            let directory = directory(&config, profile);
            for name in STACKS {
                let path = format!("{directory}/{name}");
                rows.push(AuthselectStack {
                    modules: text(&path).map(|text| modules(&text)).unwrap_or_default(),
                    path: AbsPath(path.into()),
                    name: name.into(),
                    profile: profile.into(),
                    features: features.clone(),
                });
            }
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

fn directory(config: &ConfigFiles, profile: &str) -> String {
    let own = format!("/etc/authselect/{profile}");
    let places = SHARED.iter().map(|place| format!("{place}/{profile}"));
    let mut places = [own.clone()].into_iter().chain(places);
    let has =
        |place: &String| STACKS.iter().any(|name| config.get(&format!("{place}/{name}")).is_some());
    places.find(has).unwrap_or(own)
}

/// The modules of a template: lines of pam.conf(5) with conditions in braces.
fn modules(text: &str) -> Vec<Arc<str>> {
    let mut modules: Vec<Arc<str>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let module = line.split_whitespace().find(|word| word.ends_with(".so"));
        let Some(module) = module.and_then(|word| word.rsplit('/').next()) else { continue };
        if !modules.iter().any(|known| &**known == module) {
            modules.push(module.into());
        }
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        let facts = MemoryFacts::new().with(texts.iter().map(|(path, words)| text(path, words)));
        let (state, rows) = View::new(&facts).typed::<AuthselectStack>().unwrap();
        assert!(state.is_complete());
        let rows = rows
            .iter()
            .map(|r| format!("{} [{}]: {}", r.path.0, r.features.join(" "), r.modules.join(" ")));
        rows.collect()
    }

    #[test]
    fn the_profile_in_use_is_read() {
        let own = "auth required pam_env.so\n# auth required pam_x.so\nauth required pam_faillock.so preauth {include if \"with-faillock\"}\npassword [success=1 default=ignore] /lib64/security/pam_unix.so\npassword required pam_env.so\n";
        let shared = "/usr/share/authselect/default/sssd/system-auth";
        let mut texts = vec![
            ("/etc/authselect/custom/site/system-auth", own),
            (shared, "auth required pam_unix.so\n"),
            (CHOICE, "custom/site\nwith-faillock\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "/etc/authselect/custom/site/password-auth [with-faillock]: ",
                "/etc/authselect/custom/site/system-auth [with-faillock]: pam_env.so pam_faillock.so pam_unix.so",
            ]
        );
        texts.pop();
        assert!(shown(&texts).is_empty());
        texts.push((CHOICE, "sssd\n"));
        assert_eq!(
            shown(&texts),
            [
                "/usr/share/authselect/default/sssd/password-auth []: ",
                "/usr/share/authselect/default/sssd/system-auth []: pam_unix.so"
            ]
        );
    }
}
