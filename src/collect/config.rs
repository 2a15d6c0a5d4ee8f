//! Which files are configuration, and their texts with secrets redacted.

use std::sync::Arc;

use super::{Root, redact, text};
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::{Rows, is_under};
use crate::model::state::TableState;
use crate::model::table::{ConfigFile, File, FileKind};

/// The most bytes of one text.
const FILE_LIMIT: u64 = 512 * 1024;
/// The most bytes of all texts.
const TOTAL_LIMIT: usize = 64 << 20;
/// The most files.
const COUNT_LIMIT: usize = 100_000;

/// Directories whose texts are configuration.
const DIRECTORIES: [&str; 28] = [
    "/etc",
    "/usr/etc",
    "/usr/local/etc",
    "/usr/lib/sysctl.d",
    "/usr/lib/modprobe.d",
    "/usr/lib/pam.d",
    "/usr/lib/security",
    "/usr/lib/environment.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/systemd",
    "/usr/local/lib/sysctl.d",
    "/usr/local/lib/modprobe.d",
    "/usr/local/lib/systemd",
    "/lib/sysctl.d",
    "/lib/modprobe.d",
    "/lib/systemd",
    "/lib/security",
    "/run/sysctl.d",
    "/run/modprobe.d",
    "/run/systemd",
    "/boot/grub",
    "/boot/grub2",
    "/boot/loader",
    "/boot/efi/EFI",
    "/var/spool/cron",
    "/usr/share/crypto-policies",
    "/var/lib/AccountsService",
    "/usr/lib/firewalld",
];

/// Places below them that hold nothing a rule reads, and much of it.
const EXCLUDED: [&str; 17] = [
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/etc/pki/ca-trust",
    "/etc/fonts",
    "/etc/vim",
    "/etc/dictionaries-common",
    "/etc/selinux/targeted/policy",
    "/etc/selinux/targeted/contexts",
    "/etc/apparmor.d/cache",
    "/etc/udev/hwdb.d",
    "/usr/lib/systemd/user",
    "/usr/lib/systemd/catalog",
    "/usr/lib/systemd/boot",
    "/boot/grub/fonts",
    "/boot/grub/locale",
    "/boot/grub/i386-pc",
];

/// Endings of texts below the directories that also hold programs.
const UNIT_ENDINGS: [&str; 14] = [
    ".conf",
    ".service",
    ".socket",
    ".timer",
    ".target",
    ".mount",
    ".automount",
    ".path",
    ".slice",
    ".scope",
    ".swap",
    ".preset",
    ".device",
    ".network",
];

/// Whether a path is that of a configuration file.
pub(super) fn is_config(path: &str) -> bool {
    let programs = ["/usr/lib/systemd", "/lib/systemd", "/run/systemd"]
        .iter()
        .any(|place| is_under(path, place));
    DIRECTORIES.iter().any(|directory| is_under(path, directory))
        && !EXCLUDED.iter().any(|place| is_under(path, place))
        && (!programs || UNIT_ENDINGS.iter().any(|ending| path.ends_with(ending)))
        && !path.ends_with(".mod")
}

/// Gathers the configuration files that a walk meets.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    paths: Vec<Arc<str>>,
}

impl Gatherer {
    pub(super) fn meet(&mut self, file: &File) {
        if matches!(file.kind, FileKind::File | FileKind::Link) && is_config(&file.path.0) {
            self.paths.push(Arc::clone(&file.path.0));
        }
    }

    /// Reads the texts.
    pub(super) fn read(mut self, root: &dyn Root) -> (TableState, Rows) {
        self.paths.sort_unstable();
        let mut rows = Rows::new(ConfigFile::TABLE);
        let mut total = 0;
        let mut left_out = 0;
        for path in self.paths {
            if total > TOTAL_LIMIT || rows.len() >= COUNT_LIMIT {
                left_out += 1;
                continue;
            }
            let (text, problem) = match content(root, &path) {
                Ok(None) => continue,
                Ok(Some(text)) => (Some(text), None),
                Err(problem) => (None, Some(problem.into())),
            };
            total += text.as_ref().map_or(0, |text: &Arc<str>| text.len());
            rows.push(ConfigFile { path: AbsPath(path), text, problem }.into_cells());
        }
        let state = if left_out == 0 {
            TableState::Collected
        } else {
            TableState::truncated(format!(
                "{left_out} configuration files are left out: over {COUNT_LIMIT} files or \
                 {TOTAL_LIMIT} bytes"
            ))
        };
        (state, rows)
    }
}

/// The redacted text; `None` where the file is not text, or a link to nothing or to a directory.
fn content(root: &dyn Root, path: &str) -> Result<Option<Arc<str>>, String> {
    if redact::is_secret_file(path) {
        return Err("not collected: it holds secrets".to_owned());
    }
    let bytes = match root.read(path, FILE_LIMIT) {
        Ok(bytes) => bytes,
        Err(error)
            if text::is_missing(&error) || error.kind() == std::io::ErrorKind::IsADirectory =>
        {
            return Ok(None);
        }
        // A link to a device such as /dev/null is how a unit is masked: it has no text.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            return Ok(Some("".into()));
        }
        Err(error) => return Err(text::sentence(&error)),
    };
    if bytes.contains(&0) {
        return Ok(None);
    }
    // The target of a link may hold secrets though the link's own name does not say so.
    let target = root.resolve(path).unwrap_or_default();
    if redact::is_secret_file(&target) {
        return Err("not collected: it holds secrets".to_owned());
    }
    let content = String::from_utf8_lossy(&bytes);
    Ok(Some(redact::text(&content).as_ref().into()))
}

#[cfg(test)]
mod tests {
    use super::is_config;

    #[test]
    fn configuration_is_known_by_its_place() {
        for path in [
            "/etc/ssh/sshd_config",
            "/usr/lib/systemd/system/ssh.service",
            "/boot/grub/grub.cfg",
            "/var/spool/cron/crontabs/root",
        ] {
            assert!(is_config(path), "{path}");
        }
        for path in ["/usr/lib/systemd/systemd", "/etc/ssl/certs/x.pem", "/home/me/.bashrc", "/etc"]
        {
            assert!(!is_config(path), "{path}");
        }
    }
}
