//! The host's identity: os-release(5), machine-id(5), hostname(5), cloud-init's instance data and
//! the firmware's DMI strings.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Options, Root, text};
use crate::model::table::{Cloud, FileKind, Host};

const INSTANCE_DATA: [&str; 2] =
    ["/run/cloud-init/instance-data.json", "/var/lib/cloud/instance/instance-data.json"];

/// The host and what its cloud says about it.
pub(super) fn host(root: &dyn Root, options: &Options) -> (Host, Option<Cloud>) {
    let release = os_release(root);
    let field = |key: &str| {
        release.iter().rev().find(|(name, _)| name == key).map(|(_, value)| Arc::from(&**value))
    };
    let uname = root.is_live().then(rustix::system::uname);
    let uname_text = |text: &std::ffi::CStr| Arc::<str>::from(text.to_string_lossy());
    let hostname = uname
        .as_ref()
        .map(|uname| uname_text(uname.nodename()))
        .or_else(|| text::word(root, "/etc/hostname").map(Arc::from))
        .unwrap_or_else(|| "unknown".into());
    let cloud = cloud(root);
    let instance = cloud.as_ref().and_then(|cloud| cloud.instance_id.clone());
    let mut tags: BTreeSet<Arc<str>> =
        options.tags.iter().map(|(key, value)| format!("{key}={value}").into()).collect();
    tags.extend(cloud_tags(root).into_iter().map(Arc::from));
    let host = Host {
        agent_id: instance.unwrap_or_else(|| agent_id(root, &hostname)),
        hostname,
        family: "linux".into(),
        os: field("ID"),
        os_version: field("VERSION_ID"),
        os_like: field("ID_LIKE")
            .map(|like| like.split_whitespace().map(Arc::from).collect())
            .unwrap_or_default(),
        os_name: field("PRETTY_NAME").or_else(|| field("NAME")),
        kernel_running: uname.as_ref().map(|uname| uname_text(uname.release())),
        kernels_installed: kernels(root),
        arch: uname.as_ref().map(|uname| uname_text(uname.machine())).or_else(|| arch(root)),
        source: if root.is_live() { "live" } else { "root" }.into(),
        collected_at: options.now,
        observed_seconds: 0,
        privileged: rustix::process::geteuid().is_root(),
        nx: nx(root),
        collector: env!("CARGO_PKG_VERSION").into(),
        tags: tags.into_iter().collect(),
    };
    (host, cloud)
}

/// The assignments of os-release, quotes resolved.
fn os_release(root: &dyn Root) -> Vec<(String, String)> {
    let read = |path| text::read(root, path).ok().flatten();
    let Some(content) = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")) else {
        return Vec::new();
    };
    content.lines().filter_map(assignment).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let (key, value) = line.trim().split_once('=')?;
    (!key.starts_with('#')).then(|| (key.trim().to_owned(), unquote(value.trim())))
}

/// A shell word: double quotes with backslash escapes, single quotes, or bare.
fn unquote(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(single) = inner('\'') {
        return single.to_owned();
    }
    let mut out = String::new();
    let mut characters = inner('"').unwrap_or(value).chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

/// Releases of the installed kernels.
fn kernels(root: &dyn Root) -> Vec<Arc<str>> {
    let list = ["/usr/lib/modules", "/lib/modules"].iter().find_map(|path| root.list(path).ok());
    list.unwrap_or_default()
        .into_iter()
        .filter(|(_, kind)| *kind == FileKind::Directory)
        .map(|(name, _)| name.into())
        .collect()
}

/// The machine of an image, from the loader that its programs need.
fn arch(root: &dyn Root) -> Option<Arc<str>> {
    const LOADERS: [(&str, &str); 7] = [
        ("/lib64/ld-linux-x86-64.so.2", "x86_64"),
        ("/lib/ld-linux-aarch64.so.1", "aarch64"),
        ("/lib/ld-linux-armhf.so.3", "armv7l"),
        ("/lib/ld-linux.so.2", "i686"),
        ("/lib/ld-musl-x86_64.so.1", "x86_64"),
        ("/lib/ld-musl-aarch64.so.1", "aarch64"),
        ("/lib64/ld64.so.2", "ppc64le"),
    ];
    LOADERS.iter().find(|(path, _)| root.metadata(path).is_ok()).map(|(_, arch)| Arc::from(*arch))
}

/// Whether the processor has no-execute pages (the flag `nx` is only shown where they are on).
fn nx(root: &dyn Root) -> Option<bool> {
    if !root.is_live() {
        return None;
    }
    let info = text::read(root, "/proc/cpuinfo").ok().flatten()?;
    let flags = info.lines().find(|line| line.starts_with("flags"))?;
    Some(flags.split_whitespace().any(|flag| flag == "nx"))
}

/// An id of Inspector's form that stays the same for the same machine.
fn agent_id(root: &dyn Root, hostname: &str) -> Arc<str> {
    let machine = text::word(root, "/etc/machine-id").unwrap_or_default();
    let hash = blake3::hash(format!("{machine}\n{hostname}").as_bytes()).to_hex();
    format!("i-{}", &hash[..17]).into()
}

fn instance_data(root: &dyn Root) -> Option<Json> {
    INSTANCE_DATA
        .iter()
        .find_map(|path| serde_json::from_str(&text::read(root, path).ok().flatten()?).ok())
}

fn text_at(json: &Json, pointers: &[&str]) -> Option<Arc<str>> {
    pointers
        .iter()
        .find_map(|pointer| json.pointer(pointer).and_then(Json::as_str))
        .filter(|text| !text.is_empty())
        .map(Arc::from)
}

/// The instance, from cloud-init's data or, live, from the firmware.
fn cloud(root: &dyn Root) -> Option<Cloud> {
    let data = instance_data(root).unwrap_or(Json::Null);
    let is_ec2 = |id: &String| {
        id.strip_prefix("i-").is_some_and(|hex| {
            matches!(hex.len(), 8 | 17) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    let instance_id = text_at(&data, &["/v1/instance_id", "/ds/meta_data/instance-id"])
        .or_else(|| text::word(root, "/var/lib/cloud/data/instance-id").map(Arc::from))
        .or_else(|| {
            let live = root.is_live().then(|| {
                ["board_asset_tag", "product_uuid"].iter().find_map(|name| {
                    text::word(root, &format!("/sys/devices/virtual/dmi/id/{name}"))
                        .filter(|id| is_ec2(id))
                })
            });
            live.flatten().map(Arc::from)
        })?;
    let meta = |name: &str| text_at(&data, &[&format!("/ds/meta_data/{name}")]);
    let document =
        |name: &str| text_at(&data, &[&format!("/ds/dynamic/instance-identity/document/{name}")]);
    Some(Cloud {
        platform: text_at(&data, &["/v1/platform", "/v1/cloud_name"])
            .or_else(|| is_ec2(&instance_id.to_string()).then(|| "ec2".into())),
        image_id: meta("ami-id").or_else(|| document("imageId")),
        autoscaling_group: text_at(
            &data,
            &["/ds/meta_data/tags/instance/aws:autoscaling:groupName"],
        ),
        region: text_at(&data, &["/v1/region"]).or_else(|| document("region")),
        account_id: document("accountId"),
        public_ip: meta("public-ipv4"),
        instance_id: Some(instance_id),
    })
}

fn cloud_tags(root: &dyn Root) -> Vec<String> {
    let data = instance_data(root).unwrap_or(Json::Null);
    let tags = data.pointer("/ds/meta_data/tags/instance").and_then(Json::as_object);
    tags.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_quotes_are_resolved() {
        let read = |line| assignment(line).map(|(_, value)| value);
        assert_eq!(read("PRETTY_NAME=\"Debian \\\"12\\\"\"").unwrap(), "Debian \"12\"");
        assert_eq!(read("ID=debian").unwrap(), "debian");
        assert_eq!(read("VERSION_ID='9.4'").unwrap(), "9.4");
        assert_eq!(read("# ID=x"), None);
        assert_eq!(read("ID=\"").unwrap(), "\"");
    }
}
