//! The kernel's settings and modules, mounts, and services.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::AbsPath;

facts! {
    /// Values of kernel parameters as they run; live only.
    #[table(name = "kernel_parameters", origin = Collected, location = "sysctl {key}")]
    pub struct KernelParameter {
        /// The parameter with dots, for example `net.ipv4.ip_forward`.
        pub key: Arc<str>,
        /// Its value, white space folded.
        pub value: Arc<str>,
    }

    /// Mounts as they are (/proc/self/mountinfo); live only.
    #[table(name = "running_mounts", origin = Collected, location = "mount {target}")]
    pub struct Mount {
        /// Mount point.
        pub target: AbsPath,
        /// Device or other source.
        pub source: Arc<str>,
        /// File system type.
        pub fstype: Arc<str>,
        /// Options of the mount and of the file system.
        pub options: Vec<Arc<str>>,
    }

    /// Kernel modules that are loaded, available as a file, or built in.
    #[table(name = "kernel_modules", origin = Collected, location = "kernel module {name}")]
    pub struct KernelModule {
        /// Name with `_` for `-`, as the kernel spells it.
        pub name: Arc<str>,
        /// Whether it is loaded now; none where the kernel was not running.
        pub loaded: Option<bool>,
        /// Releases of the installed kernels that have it as a file.
        pub available_in: Vec<Arc<str>>,
        /// Releases of the installed kernels that have it built in.
        pub builtin_in: Vec<Arc<str>>,
    }

    /// systemd units with their enablement, computed from unit files, links, presets and masks.
    #[table(name = "services", origin = Collected, location = "{path}")]
    pub struct Service {
        /// Unit name with its type, for example `ssh.service`.
        pub name: Arc<str>,
        /// The unit file that counts.
        pub path: AbsPath,
        /// As `systemctl is-enabled` says: enabled, enabled-runtime, disabled, static, masked, linked, indirect, alias, generated, transient, bad.
        pub enabled: Arc<str>,
        /// Whether starting the host would start it: something that the default target reaches wants or requires it.
        pub starts_at_boot: bool,
        /// Whether it is active now; live only.
        pub active: Option<bool>,
        /// `User=`; none means root.
        pub user: Option<Arc<str>>,
        /// `ExecStart=` command lines, one an item, prefixes removed.
        pub exec_start: Vec<Arc<str>>,
        /// `WorkingDirectory=` and every `Exec...=` as `Key=command`, prefixes kept; none where an older assay collected it.
        pub commands: Option<Vec<Arc<str>>>,
        /// Names by which other units and links know it, itself left out.
        pub aliases: Vec<Arc<str>>,
        /// Other files that form it: drop-ins, in the order in which they apply.
        pub drop_ins: Vec<Arc<str>>,
    }
}
