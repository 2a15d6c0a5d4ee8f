//! `boot_menus`: whether GRUB asks for a password before it lets somebody change an entry: the users
//! in `superusers` may, each with a password (GRUB's manual, "Authentication and authorisation").
//! On Red Hat's systems grub.cfg makes one from GRUB2_PASSWORD in user.cfg beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::boot::{Boot, USER_PASSWORD};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::ConfigFile;
use crate::model::view::{Loaded, View};

facts! {
    /// Menus of GRUB, and whether a password guards them.
    #[table(name = "boot_menus", origin = Derived, location = "{path}")]
    pub struct BootMenu {
        /// The file.
        pub path: AbsPath,
        /// Whether one of its superusers has a password that is kept as a hash.
        pub protected: bool,
        /// Who its superusers are.
        pub superusers: Vec<Arc<str>>,
        /// Who has such a password.
        pub with_password: Vec<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        BootMenu::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Boot::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, boot) = view.typed::<Boot>()?;
        let config = view.config()?;
        let mut menus: BTreeMap<&str, Directory> = BTreeMap::new();
        for file in config.iter() {
            let Some((directory, name)) = file.path.rsplit_once('/') else { continue };
            if !matches!(name, "grub.cfg" | "user.cfg") || !is_boot(directory) {
                continue;
            }
            let text = file.text.as_deref().unwrap_or_default();
            let found = menus.entry(directory).or_default();
            if name == "grub.cfg" && !leads_elsewhere(text) {
                found.menu = Some((&file.path, text));
            } else if name == "user.cfg" {
                found.user_file = Some(&file.path);
            }
        }
        for row in &boot {
            let directory = row.path.0.rsplit_once('/').map_or("", |(directory, _)| directory);
            let Some(found) = menus.get_mut(directory) else { continue };
            match &*row.kind {
                "superusers" => found.superusers.clone_from(&row.args),
                "password" => match row.title.as_deref() {
                    Some(USER_PASSWORD) => found.user_password = true,
                    Some(user) if is_hash(row) => found.with_password.push(user.into()),
                    Some(user) if is_taken(row) => found.with_taken.push(user.into()),
                    _ => {}
                },
                _ => {}
            }
        }
        let rows = menus.into_values().filter_map(Directory::menu);
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// What is known of a directory with a configuration of GRUB.
#[derive(Default)]
struct Directory<'a> {
    menu: Option<(&'a Arc<str>, &'a str)>,
    user_file: Option<&'a Arc<str>>,
    superusers: Vec<Arc<str>>,
    with_password: Vec<Arc<str>>,
    /// Users whose password is the one in user.cfg.
    with_taken: Vec<Arc<str>>,
    /// Whether user.cfg sets GRUB2_PASSWORD.
    user_password: bool,
}

impl Directory<'_> {
    fn menu(mut self) -> Option<BootMenu> {
        let (path, text) = match (self.menu, self.user_file) {
            (Some((path, text)), _) => (path, text),
            (None, Some(path)) if self.user_password => (path, "user.cfg"),
            _ => return None,
        };
        if self.user_password {
            self.with_password.append(&mut self.with_taken);
        }
        // What reads user.cfg and leaves the rest to what it finds there.
        let by_file =
            self.user_password && text.contains("user.cfg") && !text.contains(USER_PASSWORD);
        let known = self.with_password.iter().any(|user| self.superusers.contains(user));
        Some(BootMenu {
            path: AbsPath(Arc::clone(path)),
            protected: by_file || known,
            superusers: self.superusers,
            with_password: self.with_password,
        })
    }
}

fn is_boot(directory: &str) -> bool {
    directory.starts_with("/boot/") || directory.starts_with("/efi/")
}

/// A file that only has GRUB read another one, as on the EFI system partition.
fn leads_elsewhere(text: &str) -> bool {
    let has = |word: &str| text.split_whitespace().any(|other| other == word);
    has("configfile") && !has("menuentry") && !has("blscfg")
}

/// Whether the password is the one that user.cfg sets.
fn is_taken(row: &Boot) -> bool {
    row.args.first().is_some_and(|value| value.contains(USER_PASSWORD))
}

/// Whether the password is written there, and as a hash.
fn is_hash(row: &Boot) -> bool {
    row.args.first().is_some_and(|value| value.starts_with("grub.pbkdf2."))
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    const HASH: &str = "grub.pbkdf2.sha512.[redacted]";

    fn shown(texts: &[(&str, &str)]) -> Vec<(String, bool)> {
        let facts = MemoryFacts::new().with(texts.iter().map(|(path, words)| text(path, words)));
        let (state, rows) = View::new(&facts).typed::<BootMenu>().unwrap();
        assert!(state.is_complete());
        rows.into_iter().map(|row| (row.path.0.to_string(), row.protected)).collect()
    }

    fn protected(menu: &str) -> bool {
        shown(&[("/boot/grub/grub.cfg", menu)]) == [("/boot/grub/grub.cfg".to_owned(), true)]
    }

    #[test]
    fn a_superuser_has_a_password() {
        assert!(protected(&format!("set superusers=\"a,b\"\npassword_pbkdf2 b {HASH}\n")));
        assert!(!protected(&format!("set superusers=a\npassword_pbkdf2 b {HASH}\n")));
        assert!(!protected(&format!("# set superusers=a\npassword_pbkdf2 a {HASH}\n")));
        assert!(!protected("set superusers=a\npassword a [redacted]\n"));
        assert!(!protected("set superusers=a\nmenuentry x {\n}\n"));
        assert!(!protected(""));
        assert!(shown(&[("/etc/grub.cfg", ""), ("/boot/grub/user.cfg", "")]).is_empty());
    }

    #[test]
    fn the_password_of_user_cfg() {
        let part = "if [ -f ${prefix}/user.cfg ]; then\n source ${prefix}/user.cfg\n if [ -n \"${GRUB2_PASSWORD}\" ]; then\n  set superusers=\"root\"\n  export superusers\n  password_pbkdf2 root ${GRUB2_PASSWORD}\n fi\nfi\nblscfg\n";
        let stub =
            "search --set=dev x\nset prefix=($dev)/boot/grub2\nconfigfile $prefix/grub.cfg\n";
        let user = "GRUB2_PASSWORD=[redacted]\n";
        let menu = "/boot/grub2/grub.cfg";
        for (part, user, protected) in [
            (part, user, true),
            (part, "GRUB2_PASSWORD=\n", false),
            (part, "# GRUB2_PASSWORD=x\n", false),
            (&*part.replace("set superusers", "set x"), user, false),
            (&*part.replace("\"root\"", "\"ro ot\""), user, false),
            ("source ${config_directory}/user.cfg\n", user, true),
            ("blscfg\n", user, false),
        ] {
            let texts = [
                (menu, part),
                ("/boot/grub2/user.cfg", user),
                ("/boot/efi/EFI/redhat/grub.cfg", stub),
            ];
            assert_eq!(shown(&texts), [(menu.to_owned(), protected)], "{part}{user}");
        }
        let alone = [("/boot/grub2/user.cfg", user)];
        assert_eq!(shown(&alone), [("/boot/grub2/user.cfg".to_owned(), true)]);
    }
}
