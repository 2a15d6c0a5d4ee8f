//! `config.selinux`: /etc/selinux/config, selinux_config(5), as libselinux reads it. Of `SELINUX=`,
//! which begins its line, the first value that it knows counts, by how it begins and without regard
//! to case; of `SELINUXTYPE=`, which white space may precede, the last.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const PATH: &str = "/etc/selinux/config";
const MODES: [&str; 3] = ["enforcing", "permissive", "disabled"];

facts! {
    /// The mode and the policy that SELinux starts with.
    #[table(name = "config.selinux", origin = Lens, location = "{path}")]
    pub struct Selinux {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `SELINUX` or `SELINUXTYPE`.
        pub key: Arc<str>,
        /// The value; of SELINUX `enforcing`, `permissive` or `disabled` where it begins so in any case.
        pub value: Arc<str>,
        /// Whether libselinux takes this one.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Selinux::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Selinux>(files);
        let Some(file) = files.get(PATH) else { return Ok(reading.done()) };
        let text = reading.text(file);
        let mut rows: Vec<Selinux> = (1..)
            .zip(text.lines())
            .filter_map(|(line, text)| {
                let (key, value) = setting(text)?;
                let (path, value) = (AbsPath(Arc::clone(&file.path)), value.into());
                Some(Selinux { path, line, key: key.into(), value, effective: false })
            })
            .collect();
        let mode =
            rows.iter().position(|row| &*row.key == "SELINUX" && MODES.contains(&&*row.value));
        let policy = rows.iter().rposition(|row| &*row.key == "SELINUXTYPE");
        for at in mode.into_iter().chain(policy) {
            if let Some(row) = rows.get_mut(at) {
                row.effective = true;
            }
        }
        rows.into_iter().for_each(|row| reading.push(row));
        Ok(reading.done())
    }
}

/// The key and the value of a line.
fn setting(text: &str) -> Option<(&'static str, &str)> {
    if let Some(value) = text.strip_prefix("SELINUX=") {
        let value = value.trim();
        let begins = |mode: &&&str| {
            value.get(..mode.len()).is_some_and(|start| start.eq_ignore_ascii_case(mode))
        };
        return Some(("SELINUX", MODES.iter().find(begins).copied().unwrap_or(value)));
    }
    const POLICY: &str = "SELINUXTYPE=";
    let text = text.trim();
    let start = text.get(..POLICY.len())?;
    start.eq_ignore_ascii_case(POLICY).then(|| ("SELINUXTYPE", text[POLICY.len()..].trim_end()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn the_first_mode_and_the_last_policy_count() {
        let text = "# SELINUX=enforcing\n SELINUX=permissive\nSELINUX=on\nSELINUX= Enforcing # x\nSELINUX=disabled\n  selinuxtype=mls \nSELINUXTYPE=targeted\nSELINUXTYPEX=a\n";
        let rows: Vec<Selinux> = rows(&Lens, &[(PATH, text), ("/etc/x", "SELINUX=enforcing\n")]);
        let shown: Vec<_> =
            rows.iter().map(|r| (r.line, &*r.key, &*r.value, r.effective)).collect();
        assert_eq!(
            shown,
            [
                (3, "SELINUX", "on", false),
                (4, "SELINUX", "enforcing", true),
                (5, "SELINUX", "disabled", false),
                (6, "SELINUXTYPE", "mls", false),
                (7, "SELINUXTYPE", "targeted", true),
            ]
        );
    }
}
