//! `boot_entries`: what each kernel is started with. Of a parameter that stands several times the
//! kernel takes the last one, and it takes `-` in its name for `_`: kernel-parameters in the
//! kernel's own documentation. What comes after `--` is for init.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::boot::Boot;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::{Loaded, View};

/// What update-grub makes the command lines of all entries from.
const ALL: &str = "GRUB_CMDLINE_LINUX";
/// What it adds for entries that are not for recovery.
const USUAL: &str = "GRUB_CMDLINE_LINUX_DEFAULT";
const NO_RECOVERY: &str = "GRUB_DISABLE_RECOVERY";
/// The most bytes of a variable; the kernel takes fewer.
const LONGEST: usize = 64 << 10;

facts! {
    /// Ways to start a kernel, each with the parameters that it gets.
    #[table(name = "boot_entries", origin = Derived, location = "{path}")]
    pub struct BootEntry {
        /// The file.
        pub path: AbsPath,
        /// The line of the parameters.
        pub line: i64,
        /// `entry` of a boot loader; what new entries are made from: `cmdline` (/etc/kernel/cmdline),
        /// `default` (what GRUB_CMDLINE_LINUX and its like give every entry), `usual` (what they give entries that are not for recovery).
        pub kind: Arc<str>,
        /// The title of an entry.
        pub title: Option<Arc<str>>,
        /// The kernel of an entry.
        pub kernel: Option<Arc<str>>,
        /// Whether it is the rescue entry that dracut makes once.
        pub rescue: bool,
        /// Whether it says how the host starts: an entry does, what entries are made from only where there is none.
        pub starts: bool,
        /// Parameters as `name` or `name=value`, of each name the last, `_` for `-` in names.
        pub parameters: Vec<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        BootEntry::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Boot::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, boot) = view.typed::<Boot>()?;
        let (mut entries, mut sources): (Vec<BootEntry>, Vec<BootEntry>) = (Vec::new(), Vec::new());
        for row in &boot {
            match &*row.kind {
                "entry" if !is_test(row) => entries.push(entry(row, parameters(&row.args))),
                "cmdline" => sources.push(entry(row, parameters(&row.args))),
                _ => {}
            }
        }
        sources.extend(defaults(&boot));
        for source in &mut sources {
            source.starts = entries.is_empty() && &*source.kind != "usual";
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(entries.into_iter().chain(sources))) })
    }
}

/// A memory test, which is no Linux.
fn is_test(row: &Boot) -> bool {
    row.kernel.as_deref().is_some_and(|kernel| kernel.contains("memtest"))
}

fn entry(row: &Boot, parameters: Vec<Arc<str>>) -> BootEntry {
    let name = row.path.0.rsplit('/').next().unwrap_or_default();
    BootEntry {
        path: row.path.clone(),
        line: row.line,
        kind: Arc::clone(&row.kind),
        title: row.title.clone(),
        kernel: row.kernel.clone(),
        rescue: name.ends_with(".conf") && name.contains("rescue"),
        starts: true,
        parameters,
    }
}

/// The last of each name, in the order of the last ones.
fn parameters(args: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut list: Vec<(String, String)> = Vec::new();
    for arg in args.iter().take_while(|arg| &***arg != "--") {
        let arg = arg.replace('"', "");
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&*arg, None),
        };
        let name = name.replace('-', "_");
        let whole = value.map_or_else(|| name.clone(), |value| format!("{name}={value}"));
        list.push((name, whole));
    }
    let last: BTreeMap<&str, usize> =
        list.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at)).collect();
    let kept = list.iter().enumerate().filter(|(at, (name, _))| last.get(&**name) == Some(at));
    kept.map(|(_, (_, whole))| whole.as_str().into()).collect()
}

/// What the variables of /etc/default/grub and its drop-ins come to.
fn defaults(boot: &[Boot]) -> Vec<BootEntry> {
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let mut place: Option<&Boot> = None;
    for row in boot.iter().filter(|row| &*row.kind == "default") {
        let Some(name) = row.title.as_deref() else { continue };
        let (name, adds) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let mut value = row.args.join(" ");
        for known in [ALL, USUAL] {
            let now = values.get(known).map_or("", String::as_str);
            if value.contains('$') && value.len() + now.len() <= LONGEST {
                value = value.replace(&format!("${{{known}}}"), now);
                value = words(&value, &format!("${known}"), now);
            }
        }
        if name == ALL {
            place = Some(row);
        } else if name == USUAL {
            place = place.or(Some(row));
        }
        let before = values.entry(name).or_default();
        if adds && before.len() + value.len() <= LONGEST {
            before.push(' ');
            before.push_str(&value);
        } else {
            *before = value;
        }
    }
    let Some(place) = place else { return Vec::new() };
    let of = |name: &str| values.get(name).map_or("", String::as_str);
    let with_usual = format!("{} {}", of(ALL), of(USUAL));
    let every = if of(NO_RECOVERY) == "true" { &*with_usual } else { of(ALL) };
    let row = |kind: &str, line: &str| {
        let args: Vec<Arc<str>> = line.split_whitespace().map(Arc::from).collect();
        BootEntry { kind: kind.into(), title: None, ..entry(place, parameters(&args)) }
    };
    let usual = (!of(USUAL).is_empty()).then(|| row("usual", &with_usual));
    [row("default", every)].into_iter().chain(usual).collect()
}

/// The text with each word that is the variable replaced.
fn words(text: &str, variable: &str, value: &str) -> String {
    let replaced = text.split_whitespace().map(|word| if word == variable { value } else { word });
    replaced.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        let facts = MemoryFacts::new().with(texts.iter().map(|(path, words)| text(path, words)));
        let (state, rows) = View::new(&facts).typed::<BootEntry>().unwrap();
        assert!(state.is_complete());
        let rows = rows.iter().map(|row| {
            let marks = [(row.starts, "starts"), (row.rescue, "rescue")];
            let marks: Vec<_> = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
            format!("{} {}: {}", row.kind, marks.join(" "), row.parameters.join(" "))
        });
        rows.collect()
    }

    #[test]
    fn the_last_of_a_parameter_counts() {
        let menu = "menuentry a {\n linux /vmlinuz audit=0 ro audit-backlog-limit=1 audit=1 a=\"b\" -- audit=5\n}\nmenuentry test {\n linux16 /boot/memtest86+.bin console=ttyS0\n}\n";
        let rescue = "title r\nlinux /vmlinuz-0-rescue\noptions ro\n";
        assert_eq!(
            shown(&[
                ("/boot/grub/grub.cfg", menu),
                ("/boot/loader/entries/x-0-rescue.conf", rescue),
                ("/etc/default/grub", "GRUB_CMDLINE_LINUX=audit=1\n"),
                ("/etc/kernel/cmdline", "root=x"),
            ]),
            [
                "entry starts: ro audit_backlog_limit=1 audit=1 a=b",
                "entry starts rescue: ro",
                "cmdline : root=x",
                "default : audit=1",
            ]
        );
    }

    #[test]
    fn variables_of_the_defaults_add_up() {
        let main = "GRUB_CMDLINE_LINUX=\"a=1 b\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n";
        let more = "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX c\"\n";
        let last = "GRUB_CMDLINE_LINUX_DEFAULT=\"${GRUB_CMDLINE_LINUX_DEFAULT} d\"\nGRUB_CMDLINE_LINUX+=\" a=2\"\n";
        let mut texts = vec![
            ("/etc/default/grub", main),
            ("/etc/default/grub.d/1.cfg", more),
            ("/etc/default/grub.d/2.cfg", last),
        ];
        assert_eq!(shown(&texts), ["default starts: b c a=2", "usual : b c a=2 quiet d"]);
        texts.push(("/etc/default/grub.d/3.cfg", "GRUB_DISABLE_RECOVERY=\"true\"\n"));
        let whole = "b c a=2 quiet d";
        assert_eq!(shown(&texts), [format!("default starts: {whole}"), format!("usual : {whole}")]);
    }
}
