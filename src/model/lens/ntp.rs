//! `config.ntp`: ntp.conf(5) of ntpd and of NTPsec, with its includes.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// NTPsec's place, and ntpd's; the first one there counts.
const MAIN: [&str; 2] = ["/etc/ntpsec/ntp.conf", "/etc/ntp.conf"];
/// As deep as ntpd follows includes.
const DEPTH: usize = 5;

facts! {
    /// Directives of ntpd, in the order in which it reads them.
    #[table(name = "config.ntp", origin = Lens, location = "{path}")]
    pub struct Ntp {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// The directive in lower case, for example `server`, `restrict`.
        pub directive: Arc<str>,
        /// What follows it, joined by one space.
        pub value: Arc<str>,
        /// The words that follow it.
        pub args: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Ntp::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Ntp>(files);
        let mut too_deep = false;
        if let Some(main) = MAIN.iter().find_map(|path| files.get(path)) {
            read(files, main, 0, &mut reading, &mut too_deep);
        }
        if too_deep {
            reading.truncate(format!("ntp.conf includes files more than {DEPTH} deep"));
        }
        Ok(reading.done())
    }
}

fn read(
    files: &ConfigFiles,
    file: &Text,
    depth: usize,
    reading: &mut Reading,
    too_deep: &mut bool,
) {
    let text = reading.text(file);
    if !reading.afford(text.len().max(1)) || reading.is_full() {
        return;
    }
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default();
        let mut words = text.split_whitespace();
        let Some(directive) = words.next().map(str::to_ascii_lowercase) else { continue };
        let args: Vec<&str> = words.map(|word| word.trim_matches('"')).collect();
        reading.push(Ntp {
            path: AbsPath(Arc::clone(&file.path)),
            line,
            directive: directive.as_str().into(),
            value: args.join(" ").into(),
            args: args.iter().map(|arg| Arc::from(*arg)).collect(),
        });
        if directive == "includefile" {
            *too_deep |= depth >= DEPTH;
            if let Some(included) = args.first().and_then(|path| files.get(path))
                && depth < DEPTH
            {
                read(files, included, depth + 1, reading, too_deep);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{files, rows};
    use super::*;
    use crate::model::lens::Lens as _;

    #[test]
    fn includes_are_read_in_place() {
        let texts = [
            (
                MAIN[1],
                "Server a iburst # ours\n# server b\nincludefile \"/etc/ntp.more\"\npool c\n",
            ),
            ("/etc/ntp.more", "restrict -4 default kod nomodify\n"),
        ];
        let shown: Vec<String> = rows::<Ntp>(&Lens, &texts)
            .iter()
            .map(|row| format!("{}:{} {} {}", row.path.0, row.line, row.directive, row.value))
            .collect();
        assert_eq!(
            shown,
            [
                "/etc/ntp.conf:1 server a iburst",
                "/etc/ntp.conf:3 includefile /etc/ntp.more",
                "/etc/ntp.more:1 restrict -4 default kod nomodify",
                "/etc/ntp.conf:4 pool c",
            ]
        );
        let circle = [(MAIN[0], "includefile /etc/ntpsec/ntp.conf\n")];
        assert!(!Lens.load(&files(&circle)).unwrap().state.is_complete());
    }
}
