//! `config.shell`: umask and variables that shell startup files set: profile, bashrc and their like,
//! bash(1), sh(1p).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::lens::{ConfigFiles, Keyed, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::shell::{Command, commands};
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// Startup files, and directories all of whose files are.
const FILES: [&str; 26] = [
    "/etc/bash.bashrc",
    "/etc/bash.bashrc.local",
    "/etc/bash_completion",
    "/etc/bashrc",
    "/etc/csh.login",
    "/etc/default/locale",
    "/etc/environment",
    "/etc/init.d/functions",
    "/etc/profile",
    "/etc/profile.local",
    "/etc/sysconfig/init",
    "/etc/zprofile",
    "/etc/zsh/zlogin",
    "/etc/zsh/zprofile",
    "/etc/zsh/zshenv",
    "/etc/zsh/zshrc",
    "/etc/zshenv",
    "/etc/zshrc",
    "/root/.bash_login",
    "/root/.bash_profile",
    "/root/.bashrc",
    "/root/.profile",
    "/root/.zprofile",
    "/root/.zshenv",
    "/root/.zshrc",
    "/usr/etc/profile",
];
const DIRECTORIES: [&str; 3] = ["/etc/profile.d", "/etc/skel", "/usr/etc/profile.d"];

facts! {
    /// What shell startup files set: the umask, and variables; rules always say `path`.
    #[table(name = "config.shell", origin = Lens, location = "{path}")]
    pub struct Shell {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The variable, or `umask`.
        pub name: Arc<str>,
        /// The value as written, quotes removed; none where a line only marks the variable or unsets it.
        pub value: Option<Arc<str>>,
        /// The value as a decimal number.
        pub int_value: Option<i64>,
        /// For umask: the bits it takes away, also where it is written as `u=rwx,g=rx,o=`.
        pub mask: Option<Mode>,
        /// Whether the variable is made read-only, by this or any other line of the file that always runs.
        pub readonly: bool,
        /// Whether the variable is exported, by this or any other line of the file that always runs.
        pub exported: bool,
        /// Whether the line may not run: it stands in a condition, loop or function.
        pub conditional: bool,
        /// Whether nothing in the file takes its place: no later line that always runs, and no earlier one that made the variable read-only.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Shell::TABLE
    }

    fn keyed(&self) -> Option<Keyed> {
        Some(Keyed::PATH)
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Shell>(files);
        let own: BTreeSet<&str> = FILES.into_iter().collect();
        let in_directories = |path: &str| {
            let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            DIRECTORIES.contains(&directory)
        };
        for file in files.iter() {
            if own.contains(&*file.path) || in_directories(&file.path) {
                let text = reading.text(file);
                settings(file, text).into_iter().for_each(|row| reading.push(row));
            }
        }
        Ok(reading.done())
    }
}

/// One setting before it is known what the rest of the file says.
struct Setting {
    line: i64,
    name: String,
    value: Option<String>,
    conditional: bool,
    /// Whether it says a value, or takes it away.
    assigns: bool,
    readonly: bool,
    exported: bool,
}

fn settings(file: &Text, text: &str) -> Vec<Shell> {
    let list: Vec<Setting> = commands(text).into_iter().flat_map(of_command).collect();
    let marked = |wanted: fn(&Setting) -> bool| -> BTreeMap<&str, usize> {
        let marks = list.iter().enumerate().rev();
        let marks = marks.filter(|(_, setting)| wanted(setting) && !setting.conditional);
        marks.map(|(at, setting)| (setting.name.as_str(), at)).collect()
    };
    let readonly = marked(|setting| setting.readonly);
    let exported = marked(|setting| setting.exported);
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, setting) in list.iter().enumerate() {
        // What comes after the first read-only mark is refused by the shell.
        let refused = readonly.get(setting.name.as_str()).is_some_and(|mark| at > *mark);
        if setting.assigns && !setting.conditional && !refused {
            last.insert(&setting.name, at);
        }
    }
    let rows = list.iter().enumerate().filter(|(_, setting)| setting.assigns);
    rows.map(|(at, setting)| {
        let name = setting.name.as_str();
        let refused = readonly.get(name).is_some_and(|mark| at > *mark);
        Shell {
            path: AbsPath(Arc::clone(&file.path)),
            line: setting.line,
            name: name.into(),
            value: setting.value.as_deref().map(Arc::from),
            int_value: setting.value.as_deref().and_then(|value| value.parse().ok()),
            mask: setting.value.as_deref().filter(|_| name == "umask").and_then(mask).map(Mode),
            readonly: readonly.contains_key(name) || setting.readonly,
            exported: exported.contains_key(name) || setting.exported,
            conditional: setting.conditional,
            effective: !refused && last.get(name).is_none_or(|last| at >= *last),
        }
    })
    .collect()
}

/// What a command sets or marks.
fn of_command(command: Command) -> Vec<Setting> {
    let Command { line, words, conditional } = command;
    let mut words = words.into_iter().peekable();
    let base = |name: &str, value: Option<&str>| Setting {
        line,
        name: name.to_owned(),
        value: value.map(str::to_owned),
        conditional,
        assigns: value.is_some(),
        readonly: false,
        exported: false,
    };
    let mut list: Vec<Setting> = Vec::new();
    while let Some(word) = words.next_if(|word| assignment(word).is_some()) {
        list.extend(assignment(&word).map(|(name, value)| base(name, Some(value))));
    }
    let Some(mut command) = words.next() else { return list };
    while matches!(command.as_str(), "builtin" | "command") {
        command = words.next().unwrap_or_default();
    }
    // Assignments before another command hold for that command only.
    list.clear();
    let rest: Vec<String> = words.collect();
    match command.as_str() {
        "umask" => {
            let value = rest.iter().find(|word| !word.starts_with('-') || word.len() > 2);
            list.extend(value.map(|value| base("umask", Some(value))));
        }
        "unset" => {
            for name in rest.iter().filter(|word| !word.starts_with('-')) {
                list.push(Setting { assigns: true, ..base(name, None) });
            }
        }
        "export" | "readonly" | "declare" | "typeset" | "local" => {
            let flag = |letter: char| {
                rest.iter().any(|word| word.starts_with('-') && word.contains(letter))
            };
            let readonly = command == "readonly" || command != "export" && flag('r');
            let exported = command == "export" && !flag('n') || command != "export" && flag('x');
            for word in rest.iter().filter(|word| !word.starts_with(['-', '+'])) {
                let (name, value) = match assignment(word) {
                    Some((name, value)) => (name, Some(value)),
                    None => (word.as_str(), None),
                };
                list.push(Setting { readonly, exported, ..base(name, value) });
            }
        }
        // The C shell's way.
        "setenv" => {
            if let [name, value, ..] = rest.as_slice() {
                list.push(Setting { exported: true, ..base(name, Some(value)) });
            }
        }
        _ => {}
    }
    list
}

/// The name and value of `NAME=VALUE`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let bad_start = name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit());
    (!bad_start && name.chars().all(good)).then_some((name, value))
}

/// The bits that a umask takes away.
fn mask(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) && !text.is_empty() {
        return u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777);
    }
    // Symbolic modes say what is allowed.
    let mut denied = [7u32; 3];
    for clause in text.split(',') {
        let at = clause.find(['=', '+', '-'])?;
        let (who, rest) = clause.split_at(at);
        let (operator, letters) = rest.split_at(1);
        let mut bits = 0;
        for letter in letters.chars() {
            bits |= match letter {
                'r' => 4,
                'w' => 2,
                'x' | 'X' => 1,
                _ => return None,
            };
        }
        let who = if who.is_empty() || who == "a" { "ugo" } else { who };
        // Without all three classes it depends on the umask before.
        for class in who.chars() {
            let slot = "ugo".find(class).and_then(|at| denied.get_mut(at))?;
            match operator {
                "=" => *slot = 7 & !bits,
                _ => return None,
            }
        }
    }
    ["u", "g", "o"]
        .iter()
        .all(|class| {
            text.split(',').any(|clause| {
                let who = clause.split('=').next().unwrap_or_default();
                who.is_empty() || who.contains('a') || who.contains(class)
            })
        })
        .then(|| denied[0] << 6 | denied[1] << 3 | denied[2])
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        rows::<Shell>(&Lens, &[("/etc/profile.d/x.sh", text)])
            .into_iter()
            .map(|row| {
                let mut marks = String::new();
                for (set, mark) in [
                    (row.readonly, "r"),
                    (row.exported, "x"),
                    (row.conditional, "?"),
                    (!row.effective, "-"),
                ] {
                    marks.push_str(if set { mark } else { "" });
                }
                format!(
                    "{} {}={} {marks}",
                    row.line,
                    row.name,
                    row.value.as_deref().unwrap_or("(none)")
                )
            })
            .collect()
    }

    #[test]
    fn every_way_to_set_tmout_is_seen() {
        for text in [
            "TMOUT=900\nreadonly TMOUT\nexport TMOUT\n",
            "TMOUT=900; readonly TMOUT; export TMOUT\n",
            "export TMOUT=900\nreadonly TMOUT",
            "readonly TMOUT=900 ; export TMOUT",
            "typeset -xr TMOUT=900",
            "declare -r -x \"TMOUT\"='900'",
        ] {
            assert_eq!(shown(text), ["1 TMOUT=900 rx"], "{text}");
        }
    }

    #[test]
    fn what_counts_is_the_last_that_runs_unless_read_only() {
        assert_eq!(
            shown(
                "TMOUT=1\nif x; then TMOUT=2; fi\nTMOUT=3\nif y; then TMOUT=4; fi\nunset TMOUT\n"
            ),
            ["1 TMOUT=1 -", "2 TMOUT=2 ?-", "3 TMOUT=3 -", "4 TMOUT=4 ?-", "5 TMOUT=(none) "]
        );
        assert_eq!(
            shown("readonly TMOUT=1\nTMOUT=2\nTMOUT=3 ls\n"),
            ["1 TMOUT=1 r", "2 TMOUT=2 r-"]
        );
    }

    #[test]
    fn masks_are_bits() {
        for (text, expected) in [
            ("027", Some(0o27)),
            ("0022", Some(0o22)),
            ("u=rwx,g=rx,o=", Some(0o27)),
            ("a=rx", Some(0o222)),
            ("ug=rwx,o=", Some(0o7)),
            ("g-w", None),
            ("u=rwx", None),
            ("999", None),
            ("$x", None),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
        assert_eq!(shown("umask -S u=rwx,g=,o=\numask\n"), ["1 umask=u=rwx,g=,o= "]);
    }
}
