//! The host's identity: os-release(5), machine-id(5), hostname(5), installed kernels, the running
//! kernel, and what its cloud says of it ([`cloud`]).

mod cloud;
mod machine;
mod release;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::cloud::InstanceData;
use super::{Options, Root, text};
use crate::model::state::TableState;
use crate::model::table::{Cloud, Host, Interface};

pub(super) use release::PLACES as OS_RELEASE;

/// What is known of the host itself.
pub(super) struct Identity {
    pub(super) host: Host,
    pub(super) cloud: Option<Cloud>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) interfaces_state: TableState,
}

/// Finds out what the host is.
pub(super) fn identity(root: &dyn Root, options: &Options) -> Identity {
    let release = release::read(root);
    let field = |key: &str| release.get(key).map(|value| Arc::from(&**value));
    let uname = root.is_live().then(rustix::system::uname);
    let uname_text = |text: &std::ffi::CStr| Arc::<str>::from(text.to_string_lossy());
    let hostname = uname
        .as_ref()
        .map(|uname| uname_text(uname.nodename()))
        .filter(|name| !matches!(&**name, "" | "(none)"))
        .or_else(|| configured_name(root).map(Arc::from))
        .unwrap_or_else(|| "unknown".into());
    let data = InstanceData::read(root);
    let cloud = data.cloud();
    let instance = cloud.as_ref().and_then(|cloud| cloud.instance_id.clone());
    let mut tags: BTreeSet<Arc<str>> = data.tags().into_iter().map(Arc::from).collect();
    for (key, value) in &options.tags {
        // What the user says replaces what the cloud says.
        let prefix = format!("{key}=");
        tags.retain(|tag| !tag.starts_with(&prefix));
        tags.insert(format!("{prefix}{value}").into());
    }
    let host = Host {
        agent_id: instance
            .filter(|id| cloud::is_ec2_id(id))
            .unwrap_or_else(|| agent_id(root, &hostname)),
        hostname,
        family: "linux".into(),
        os: field("ID"),
        os_version: field("VERSION_ID"),
        os_like: field("ID_LIKE")
            .map(|like| like.split_whitespace().map(Arc::from).collect())
            .unwrap_or_default(),
        os_name: field("PRETTY_NAME").or_else(|| field("NAME")),
        kernel_running: uname.as_ref().map(|uname| uname_text(uname.release())),
        kernels_installed: machine::kernels(root),
        arch: uname
            .as_ref()
            .map(|uname| uname_text(uname.machine()))
            .or_else(|| machine::architecture(root)),
        source: if root.is_live() { "live" } else { "root" }.into(),
        collected_at: options.now,
        observed_seconds: 0,
        requested_seconds: None,
        privileged: rustix::process::geteuid().is_root(),
        nx: machine::no_execute(root),
        collector: env!("CARGO_PKG_VERSION").into(),
        tags: tags.into_iter().collect(),
    };
    let interfaces = data.interfaces();
    let interfaces_state = if data.is_known() {
        TableState::Collected
    } else {
        TableState::absent("there is no instance data of cloud-init")
    };
    Identity { host, cloud, interfaces, interfaces_state }
}

/// The name in /etc/hostname, or where distributions before it kept theirs.
fn configured_name(root: &dyn Root) -> Option<String> {
    let first = |path: &str, take: &dyn Fn(&str) -> Option<String>| {
        let content = text::small(root, path)?;
        content.lines().map(str::trim).filter(|line| !line.starts_with('#')).find_map(take)
    };
    let word = |line: &str| line.split_whitespace().next().map(str::to_owned);
    first("/etc/hostname", &word).or_else(|| first("/etc/HOSTNAME", &word)).or_else(|| {
        first("/etc/sysconfig/network", &|line| {
            let value = line.strip_prefix("HOSTNAME=")?.trim_matches(['"', '\'']);
            (!value.is_empty()).then(|| value.to_owned())
        })
    })
}

/// An id of Inspector's form that stays the same for the same machine.
fn agent_id(root: &dyn Root, hostname: &str) -> Arc<str> {
    let machine = text::word(root, "/etc/machine-id")
        .filter(|id| id != "uninitialized")
        .or_else(|| text::word(root, "/var/lib/dbus/machine-id"))
        .unwrap_or_default();
    let hash = blake3::hash(format!("{machine}\n{hostname}").as_bytes()).to_hex();
    format!("i-{}", &hash[..17]).into()
}
