//! Which files are configuration: text below these directories, as the programs that rules ask
//! about look for it.

use crate::model::facts::is_under;

/// What of a directory is configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing.
    Nothing,
    /// Every text.
    Texts,
    /// Only files with the ending of a unit, a preset or a drop-in: programs lie beside them.
    Units,
    /// Only boot loaders' configuration.
    Boot,
    /// Only what root's shells read, directly in the directory.
    Shells,
}

/// Directories, with what of them and of all below is configuration.
const DIRECTORIES: [(&str, Class); 43] = [
    ("/boot", Class::Boot),
    ("/efi", Class::Boot),
    ("/etc", Class::Texts),
    ("/lib/modprobe.d", Class::Texts),
    ("/lib/modules-load.d", Class::Texts),
    ("/lib/security", Class::Units),
    ("/lib/sysctl.d", Class::Texts),
    ("/lib/systemd", Class::Units),
    ("/lib/tmpfiles.d", Class::Texts),
    ("/lib/udev/rules.d", Class::Texts),
    ("/root", Class::Shells),
    ("/run/modprobe.d", Class::Texts),
    ("/run/modules-load.d", Class::Texts),
    ("/run/sysctl.d", Class::Texts),
    ("/run/systemd", Class::Units),
    ("/run/tmpfiles.d", Class::Texts),
    ("/usr/etc", Class::Texts),
    ("/usr/lib/dracut", Class::Units),
    ("/usr/lib/environment.d", Class::Texts),
    ("/usr/lib/firewalld", Class::Texts),
    ("/usr/lib/modprobe.d", Class::Texts),
    ("/usr/lib/modules-load.d", Class::Texts),
    ("/usr/lib/NetworkManager", Class::Units),
    ("/usr/lib/pam.d", Class::Texts),
    ("/usr/lib/security", Class::Units),
    ("/usr/lib/sysctl.d", Class::Texts),
    ("/usr/lib/systemd", Class::Units),
    ("/usr/lib/sysusers.d", Class::Texts),
    ("/usr/lib/tmpfiles.d", Class::Texts),
    ("/usr/local/etc", Class::Texts),
    ("/usr/local/lib/modprobe.d", Class::Texts),
    ("/usr/local/lib/sysctl.d", Class::Texts),
    ("/usr/local/lib/systemd", Class::Units),
    ("/usr/local/lib/tmpfiles.d", Class::Texts),
    ("/usr/share/audit", Class::Texts),
    ("/usr/share/authselect", Class::Texts),
    ("/usr/share/crypto-policies", Class::Texts),
    ("/usr/share/rsyslog", Class::Texts),
    ("/usr/share/security", Class::Texts),
    ("/usr/share/xsessions", Class::Units),
    ("/usr/share/gdm", Class::Units),
    ("/var/lib/ufw", Class::Texts),
    ("/var/spool/cron", Class::Texts),
];

/// Places below them that hold nothing a rule reads, or much of it, or only what is secret.
const EXCLUDED: [&str; 35] = [
    "/etc/X11",
    "/etc/alternatives",
    "/etc/apparmor.d/cache",
    "/etc/apt/trusted.gpg.d",
    "/etc/brltty",
    "/etc/ca-certificates",
    "/etc/dictionaries-common",
    "/etc/emacs",
    "/etc/fonts",
    "/etc/groff",
    "/etc/java",
    "/etc/keys",
    "/etc/pki/ca-trust",
    "/etc/pki/rpm-gpg",
    "/etc/pki/java",
    "/etc/polkit-1/localauthority.conf.d",
    "/etc/rc0.d",
    "/etc/rc1.d",
    "/etc/rc2.d",
    "/etc/rc3.d",
    "/etc/rc4.d",
    "/etc/rc5.d",
    "/etc/rc6.d",
    "/etc/rcS.d",
    "/etc/selinux/mls",
    "/etc/selinux/targeted",
    "/etc/ssl/certs",
    "/etc/udev/hwdb.d",
    "/etc/vim",
    "/etc/xdg/menus",
    "/run/systemd/journal",
    "/run/systemd/sessions",
    "/run/systemd/units",
    "/run/systemd/users",
    "/usr/lib/systemd/catalog",
];

/// Files of that kind.
const EXCLUDED_FILES: [&str; 6] = [
    "/etc/aliases.db",
    "/etc/ld.so.cache",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/ssh/moduli",
    "/etc/udev/hwdb.bin",
];

/// Endings of what is read of [`Class::Units`].
const UNIT_ENDINGS: [&str; 20] = [
    ".automount",
    ".conf",
    ".desktop",
    ".device",
    ".link",
    ".mount",
    ".netdev",
    ".network",
    ".path",
    ".preset",
    ".rules",
    ".scope",
    ".schemas",
    ".service",
    ".slice",
    ".socket",
    ".swap",
    ".target",
    ".timer",
    ".nspawn",
];

/// What is read of [`Class::Shells`].
const SHELL_FILES: [&str; 8] = [
    ".bash_login",
    ".bash_profile",
    ".bashrc",
    ".cshrc",
    ".profile",
    ".tcshrc",
    ".zprofile",
    ".zshrc",
];

/// What of the files directly in a directory is configuration.
pub(super) fn class_of(directory: &str) -> Class {
    if !directory.starts_with(['/']) {
        return Class::Nothing;
    }
    let inside = |place: &str| directory == place || is_under(directory, place);
    let Some((_, class)) = DIRECTORIES.iter().find(|(place, _)| inside(place)) else {
        return Class::Nothing;
    };
    if EXCLUDED.iter().any(|place| inside(place)) {
        return Class::Nothing;
    }
    *class
}

/// Whether a file in a directory of this class is configuration.
pub(super) fn is_config(class: Class, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    match class {
        Class::Nothing => false,
        Class::Texts => !EXCLUDED_FILES.contains(&path),
        Class::Units => UNIT_ENDINGS.iter().any(|ending| name.ends_with(ending)),
        Class::Shells => {
            path.strip_prefix("/root/").is_some_and(|name| SHELL_FILES.contains(&name))
        }
        Class::Boot => {
            matches!(
                name,
                "grub.cfg"
                    | "user.cfg"
                    | "custom.cfg"
                    | "grubenv"
                    | "menu.lst"
                    | "grub.conf"
                    | "cmdline.txt"
                    | "extlinux.conf"
                    | "syslinux.cfg"
                    | "loader.conf"
                    | "limine.conf"
                    | "refind.conf"
            ) || path.contains("/loader/") && name.ends_with(".conf")
        }
    }
}

/// Whether links in a directory only switch something on: what they point to is read itself.
pub(super) fn holds_switches(directory: &str) -> bool {
    [".wants", ".requires", ".upholds"].iter().any(|ending| directory.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(path: &str) -> bool {
        is_config(class_of(path.rsplit_once('/').unwrap().0), path)
    }

    #[test]
    fn configuration_is_known_by_its_place() {
        for path in [
            "/etc/ssh/sshd_config",
            "/etc/passwd",
            "/usr/lib/systemd/system/ssh.service",
            "/lib/systemd/system/ssh.service.d/x.conf",
            "/usr/lib/sysctl.d/50-default.conf",
            "/boot/grub/grub.cfg",
            "/boot/efi/EFI/debian/grub.cfg",
            "/boot/loader/entries/x.conf",
            "/var/spool/cron/crontabs/root",
            "/run/systemd/system/x.service",
            "/root/.bashrc",
        ] {
            assert!(config(path), "{path}");
        }
        for path in [
            "/usr/lib/systemd/systemd",
            "/etc/ssl/certs/x.pem",
            "/home/me/.bashrc",
            "/etc",
            "/etcetera/x.conf",
            "/boot/vmlinuz-6.1",
            "/usr/lib/x.conf",
            "/etc/rc2.d/S01ssh",
            "/root/.bash_history",
            "/root/x/.bashrc",
        ] {
            assert!(!config(path), "{path}");
        }
    }
}
