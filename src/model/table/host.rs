//! The host itself, and what its cloud says about it.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::Time;

facts! {
    /// The host: exactly one row.
    #[table(name = "host", origin = Collected, location = "host {hostname}")]
    pub struct Host {
        /// The host name, from /etc/hostname or the running kernel.
        pub hostname: Arc<str>,
        /// The agent id: the EC2 instance id where it is known, else `i-` and 17 hexadecimal digits of a hash of machine-id and host name.
        pub agent_id: Arc<str>,
        /// The operating system family: `linux` or `windows`.
        pub family: Arc<str>,
        /// os-release ID, for example `debian`, `amzn`, `rhel`.
        pub os: Option<Arc<str>>,
        /// os-release VERSION_ID, for example `12` or `9.4`.
        pub os_version: Option<Arc<str>>,
        /// os-release ID_LIKE, as words.
        pub os_like: Vec<Arc<str>>,
        /// os-release PRETTY_NAME.
        pub os_name: Option<Arc<str>>,
        /// Release of the running kernel (`uname -r`); only from a live host.
        pub kernel_running: Option<Arc<str>>,
        /// Releases of the kernels that are installed (directories in /lib/modules).
        pub kernels_installed: Vec<Arc<str>>,
        /// Machine architecture as `uname -m` spells it.
        pub arch: Option<Arc<str>>,
        /// Where the facts were collected: `live`, `root`, `image`, `archive`, `sbom`.
        pub source: Arc<str>,
        /// When collecting began.
        pub collected_at: Time,
        /// For how many seconds sockets and processes were observed; 0 is one look.
        pub observed_seconds: i64,
        /// For how many seconds they were to be observed: more than they were where it was stopped early.
        pub requested_seconds: Option<i64>,
        /// Whether the collector ran with the right to see everything.
        pub privileged: bool,
        /// Whether the processor has, and the kernel uses, no-execute pages; only from a live host.
        pub nx: Option<bool>,
        /// The version of assay that collected it.
        pub collector: Arc<str>,
        /// Tags as `key=value`, from --tag and from instance data.
        pub tags: Vec<Arc<str>>,
    }

    /// What cloud-init and DMI say about the instance: at most one row.
    #[table(name = "cloud", origin = Collected, location = "instance {instance_id}")]
    pub struct Cloud {
        /// `aws`, `azure`, `gcp`, ... as cloud-init names it.
        pub platform: Option<Arc<str>>,
        /// The instance id.
        pub instance_id: Option<Arc<str>>,
        /// The image the instance was started from.
        pub image_id: Option<Arc<str>>,
        /// The auto scaling group, from the tag `aws:autoscaling:groupName`.
        pub autoscaling_group: Option<Arc<str>>,
        /// The region.
        pub region: Option<Arc<str>>,
        /// The account.
        pub account_id: Option<Arc<str>>,
        /// The public IPv4 address.
        pub public_ip: Option<Arc<str>>,
    }
}
