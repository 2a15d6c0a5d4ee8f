//! `config.boot`: kernel command lines of every boot entry and what protects the boot loader: GRUB's
//! generated configuration and its defaults, boot loader entries, kernel-install's command line.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::shell::commands;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// The most bytes of one command line with its variables replaced; the kernel takes fewer.
const LONGEST: usize = 64 << 10;
/// What names the password in user.cfg, from which grub.cfg of Red Hat's systems takes it.
pub(in crate::model) const USER_PASSWORD: &str = "GRUB2_PASSWORD";

facts! {
    /// Kernel command lines of boot entries, and users and passwords of the boot loader.
    #[table(name = "config.boot", origin = Lens, location = "{path}")]
    pub struct Boot {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `entry` (a menu entry of grub.cfg or a boot loader entry), `cmdline` (/etc/kernel/cmdline),
        /// `default` (GRUB_CMDLINE_LINUX and its like, GRUB_DISABLE_RECOVERY), `superusers` or `password`.
        pub kind: Arc<str>,
        /// The title of an entry, the variable of a default with `+` where it is added to, the user of a password.
        pub title: Option<Arc<str>>,
        /// The kernel of an entry.
        pub kernel: Option<Arc<str>>,
        /// Arguments of the kernel, of entries with variables replaced; for `superusers` their names, for `password` what is left of it.
        pub args: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Boot::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Boot>(files);
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        for file in files.iter().filter(|file| is_boot(&file.path) && file.name() == "grubenv") {
            let text = reading.text(file);
            variables.extend(text.lines().filter_map(|line| {
                let (name, value) = line.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            }));
        }
        for file in files.iter() {
            let rows = match &*file.path {
                "/etc/kernel/cmdline" | "/usr/lib/kernel/cmdline" => {
                    cmdline(file, reading.text(file))
                }
                "/etc/default/grub" => defaults(file, reading.text(file)),
                path if path.starts_with("/etc/default/grub.d/") && path.ends_with(".cfg") => {
                    defaults(file, reading.text(file))
                }
                path if is_boot(path) && path.contains("/loader/entries/") => {
                    entry(file, reading.text(file), &variables)
                }
                path if is_boot(path) && path.ends_with(".cfg") => {
                    menu(file, reading.text(file), &variables)
                }
                path if is_boot(path) && matches!(file.name(), "grub.conf" | "menu.lst") => {
                    legacy(file, reading.text(file))
                }
                _ => continue,
            };
            rows.into_iter().for_each(|row| reading.push(row));
        }
        Ok(reading.done())
    }
}

fn is_boot(path: &str) -> bool {
    path.starts_with("/boot/") || path.starts_with("/efi/")
}

fn row(file: &Text, line: i64, kind: &str, title: Option<&str>, args: &[String]) -> Boot {
    Boot {
        path: AbsPath(Arc::clone(&file.path)),
        line,
        kind: kind.into(),
        title: title.map(Arc::from),
        kernel: None,
        args: args.iter().map(|arg| arg.as_str().into()).collect(),
    }
}

/// The arguments stand on any number of lines; comments begin with `#`.
fn cmdline(file: &Text, text: &str) -> Vec<Boot> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let args: Vec<String> = lines.flat_map(str::split_whitespace).map(str::to_owned).collect();
    vec![row(file, 1, "cmdline", None, &args)]
}

/// What /etc/default/grub and its drop-ins, which are shell, say of the command line.
fn defaults(file: &Text, text: &str) -> Vec<Boot> {
    let mut rows = Vec::new();
    for command in commands(text) {
        for word in &command.words {
            if let Some((name, value)) = word.split_once('=')
                && (name.starts_with("GRUB_CMDLINE_LINUX") || name == "GRUB_DISABLE_RECOVERY")
            {
                let args: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
                rows.push(row(file, command.line, "default", Some(name), &args));
            }
        }
    }
    rows
}

/// A boot loader entry: a key and its value on each line.
fn entry(file: &Text, text: &str, variables: &BTreeMap<String, String>) -> Vec<Boot> {
    let (mut title, mut kernel, mut at, mut args) = (None, None, 1, Vec::new());
    for (line, text) in (1..).zip(text.lines()) {
        let Some((key, value)) = text.trim().split_once([' ', '\t']) else { continue };
        let value = value.trim();
        match key {
            "title" => title = Some(value),
            "linux" | "efi" => kernel = Some(value),
            "options" => {
                if args.is_empty() {
                    at = line;
                }
                args.extend(replaced(value, variables).split_whitespace().map(str::to_owned));
            }
            _ => {}
        }
    }
    kernel
        .map(|kernel| Boot { kernel: Some(kernel.into()), ..row(file, at, "entry", title, &args) })
        .into_iter()
        .collect()
}

/// grub.cfg and what it reads: GRUB's language is close enough to the shell's.
fn menu(file: &Text, text: &str, known: &BTreeMap<String, String>) -> Vec<Boot> {
    let mut variables = known.clone();
    let mut title: Option<String> = None;
    let mut rows = Vec::new();
    for command in commands(text) {
        let [name, rest @ ..] = command.words.as_slice() else { continue };
        match name.as_str() {
            "menuentry" => title = rest.first().cloned(),
            "set" => {
                let Some((name, value)) = rest.first().and_then(|word| word.split_once('=')) else {
                    continue;
                };
                if name == "superusers" {
                    let split = |c: char| c.is_whitespace() || ",;|&".contains(c);
                    let users: Vec<String> =
                        value.split(split).filter(|u| !u.is_empty()).map(str::to_owned).collect();
                    rows.push(row(file, command.line, "superusers", None, &users));
                }
                if value.len() <= LONGEST {
                    variables.insert(name.to_owned(), value.to_owned());
                }
            }
            "password" | "password_pbkdf2" => {
                let user = rest.first().map(String::as_str);
                let value = rest.get(1..).unwrap_or_default();
                rows.push(row(file, command.line, "password", user, value));
            }
            "linux" | "linux16" | "linuxefi" => {
                let Some((kernel, args)) = rest.split_first() else { continue };
                let args: Vec<String> = args
                    .iter()
                    .flat_map(|arg| {
                        let arg = replaced(arg, &variables);
                        arg.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
                    })
                    .collect();
                let entry = row(file, command.line, "entry", title.as_deref(), &args);
                rows.push(Boot { kernel: Some(kernel.as_str().into()), ..entry });
            }
            word => {
                if let Some((USER_PASSWORD, value)) = word.split_once('=')
                    && !value.is_empty()
                {
                    let value = [value.to_owned()];
                    rows.push(row(file, command.line, "password", Some(USER_PASSWORD), &value));
                }
            }
        }
    }
    rows
}

/// The menu of GRUB before version 2: `title` begins an entry, `kernel` says what it starts.
fn legacy(file: &Text, text: &str) -> Vec<Boot> {
    let mut title = None;
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((command, rest)) = text.trim().split_once([' ', '\t']) else { continue };
        match command {
            "title" => title = Some(rest.trim()),
            "kernel" => {
                let words = rest.split_whitespace().skip_while(|word| word.starts_with("--"));
                let words: Vec<String> = words.map(str::to_owned).collect();
                let Some((kernel, args)) = words.split_first() else { continue };
                let entry = row(file, line, "entry", title, args);
                rows.push(Boot { kernel: Some(kernel.as_str().into()), ..entry });
            }
            _ => {}
        }
    }
    rows
}

/// The text with `$name` and `${name}` replaced where the name is known, and as written elsewhere.
fn replaced(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let name = after.get(1..).unwrap_or_default();
        let braced = name.strip_prefix('{');
        let name = braced.unwrap_or(name);
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
        let length = 1 + end + if braced.is_some() { 2 } else { 0 };
        let length = length.min(after.len());
        match name.get(..end).and_then(|name| variables.get(name)) {
            Some(value) if out.len() + value.len() <= LONGEST => out.push_str(value),
            _ => out.push_str(after.get(..length).unwrap_or(after)),
        }
        rest = after.get(length..).unwrap_or_default();
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;
    use proptest::prelude::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        rows::<Boot>(&Lens, texts)
            .into_iter()
            .map(|row| {
                let title = row.title.as_deref().unwrap_or("-").to_owned();
                format!("{}:{} {} [{title}] {}", row.path.0, row.line, row.kind, row.args.join(" "))
            })
            .collect()
    }

    #[test]
    fn grub_as_debian_writes_it() {
        let text = "set superusers=\"root, ann\"\npassword_pbkdf2 root [redacted]\nmenuentry 'Debian' --class x {\n\tif [ x = y ]; then\n\tinsmod z\n\tfi\n\tlinux\t/vmlinuz-6.1 root=UUID=1 ro  audit=1 \\\n quiet\n}\nsubmenu 'More' {\n menuentry 'Old' {\n  linux /vmlinuz-5 ro\n }\n}\n";
        assert_eq!(
            shown(&[
                ("/boot/grub/grub.cfg", text),
                (
                    "/etc/default/grub",
                    "# GRUB_CMDLINE_LINUX=x\nGRUB_CMDLINE_LINUX=\"audit=1 a b\"\n"
                ),
                ("/etc/kernel/cmdline", "root=x ro\n# c\nquiet\n"),
            ]),
            [
                "/boot/grub/grub.cfg:1 superusers [-] root ann",
                "/boot/grub/grub.cfg:2 password [root] [redacted]",
                "/boot/grub/grub.cfg:7 entry [Debian] root=UUID=1 ro audit=1 quiet",
                "/boot/grub/grub.cfg:12 entry [Old] ro",
                "/etc/default/grub:2 default [GRUB_CMDLINE_LINUX] audit=1 a b",
                "/etc/kernel/cmdline:1 cmdline [-] root=x ro quiet",
            ]
        );
    }

    #[test]
    fn the_menu_of_old_grub_and_the_password_of_user_cfg() {
        let menu = "default=0\ntitle Amazon Linux\n\troot (hd0)\n\tkernel --no-mem-option /boot/vmlinuz root=x audit=1\n# kernel /y\n";
        assert_eq!(
            shown(&[
                ("/boot/grub/menu.lst", menu),
                ("/boot/grub2/user.cfg", "GRUB2_PASSWORD=[redacted]\n#GRUB2_PASSWORD=a\n"),
            ]),
            [
                "/boot/grub/menu.lst:4 entry [Amazon Linux] root=x audit=1",
                "/boot/grub2/user.cfg:1 password [GRUB2_PASSWORD] [redacted]",
            ]
        );
    }

    #[test]
    fn entries_take_variables_from_grubenv() {
        assert_eq!(
            shown(&[
                (
                    "/boot/grub2/grubenv",
                    "# GRUB Environment Block\nkernelopts=root=x ro audit=1 \n####\n"
                ),
                (
                    "/boot/loader/entries/a.conf",
                    "title RHEL\nlinux /vmlinuz\noptions $kernelopts ${none} $tuned_params crash\n",
                ),
            ]),
            [
                "/boot/loader/entries/a.conf:3 entry [RHEL] root=x ro audit=1 ${none} $tuned_params crash"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ ${}a-clinuxset=\"\\n]{0,120}") {
            let _ = shown(&[("/boot/grub/grub.cfg", &text), ("/boot/loader/entries/a.conf", &text)]);
        }
    }
}
