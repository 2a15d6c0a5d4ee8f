//! What the cloud says: cloud-init's instance data (instance-data.json as cloud-init documents it;
//! the metadata below `ds.meta_data` as EC2 documents its instance metadata), the instance id that
//! cloud-init leaves on disk, and the firmware's DMI strings of a live host.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::collect::{Root, text};
use crate::model::table::{Cloud, Interface};

const INSTANCE_DATA: [&str; 2] =
    ["/run/cloud-init/instance-data.json", "/var/lib/cloud/instance/instance-data.json"];
/// Longest instance data that is read.
const LIMIT: u64 = 2 << 20;

/// Whether this is the id of an EC2 instance.
pub(super) fn is_ec2_id(id: &str) -> bool {
    id.strip_prefix("i-").is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Everything that was found.
pub(super) struct InstanceData {
    json: Json,
    /// The instance id from elsewhere.
    instance_id: Option<String>,
}

impl InstanceData {
    /// Reads what there is.
    pub(super) fn read(root: &dyn Root) -> Self {
        let json = INSTANCE_DATA
            .iter()
            .find_map(|path| serde_json::from_slice(&root.read(path, LIMIT).ok()?).ok())
            .unwrap_or(Json::Null);
        Self { json, instance_id: left_id(root).or_else(|| firmware_id(root)) }
    }

    /// Whether there is instance data.
    pub(super) fn is_known(&self) -> bool {
        !self.json.is_null()
    }

    fn text(&self, pointers: &[&str]) -> Option<Arc<str>> {
        pointers
            .iter()
            .filter_map(|pointer| self.json.pointer(pointer).and_then(Json::as_str))
            .find(|text| !text.is_empty() && !text.starts_with("redacted"))
            .map(Arc::from)
    }

    /// The instance; none where nothing is known of one.
    pub(super) fn cloud(&self) -> Option<Cloud> {
        let instance_id = self
            .text(&["/ds/meta_data/instance-id", "/ds/meta_data/instance_id", "/v1/instance_id"])
            .or_else(|| self.instance_id.as_deref().map(Arc::from))?;
        let meta = |name: &str| self.text(&[&format!("/ds/meta_data/{name}")]);
        let document =
            |name: &str| self.text(&[&format!("/ds/dynamic/instance-identity/document/{name}")]);
        let platform = self
            .text(&["/v1/cloud_name", "/v1/cloud-name", "/v1/platform"])
            .or_else(|| is_ec2_id(&instance_id).then(|| "aws".into()));
        Some(Cloud {
            platform,
            image_id: meta("ami-id").or_else(|| document("imageId")),
            autoscaling_group: self
                .tag_object()
                .and_then(|tags| tags.get("aws:autoscaling:groupName"))
                .and_then(Json::as_str)
                .map(Arc::from),
            region: self.text(&["/v1/region"]).or_else(|| document("region")),
            account_id: document("accountId"),
            public_ip: meta("public-ipv4"),
            instance_id: Some(instance_id),
        })
    }

    fn tag_object(&self) -> Option<&serde_json::Map<String, Json>> {
        self.json.pointer("/ds/meta_data/tags/instance").and_then(Json::as_object)
    }

    /// The instance's tags as `key=value`; in the metadata only where the instance allows it.
    pub(super) fn tags(&self) -> BTreeSet<String> {
        self.tag_object()
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect()
    }

    /// The network interfaces, in the order of their device numbers. Their names are the kernel's
    /// and unknown to the cloud: they are called by their device number.
    pub(super) fn interfaces(&self) -> Vec<Interface> {
        let macs = self.json.pointer("/ds/meta_data/network/interfaces/macs");
        let mut interfaces: Vec<(i64, Interface)> = macs
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(mac, facts)| {
                let number = match facts.get("device-number") {
                    Some(Json::String(text)) => text.parse().unwrap_or(0),
                    Some(number) => number.as_i64().unwrap_or(0),
                    None => 0,
                };
                let interface = Interface {
                    name: format!("eth{number}").into(),
                    mac: Some(mac.as_str().into()),
                    ipv4: addresses(facts.get("local-ipv4s")),
                    ipv6: addresses(facts.get("ipv6s")),
                };
                (number, interface)
            })
            .collect();
        interfaces.sort_by(|(a, left), (b, right)| (a, &left.mac).cmp(&(b, &right.mac)));
        interfaces.into_iter().map(|(_, interface)| interface).collect()
    }
}

/// One address, several in lines of a text, or a list of them.
fn addresses(value: Option<&Json>) -> Vec<Arc<str>> {
    match value {
        Some(Json::String(text)) => text.split_whitespace().map(Arc::from).collect(),
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(Arc::from).collect(),
        _ => Vec::new(),
    }
}

/// The instance id that cloud-init keeps on disk: in a file, and as the name of the directory
/// that the link `instance` points to.
fn left_id(root: &dyn Root) -> Option<String> {
    text::word(root, "/var/lib/cloud/data/instance-id")
        .or_else(|| text::word(root, "/run/cloud-init/.instance-id"))
        .or_else(|| {
            let target = root.read_link("/var/lib/cloud/instance").ok()?;
            target.rsplit('/').next().map(str::to_owned)
        })
        .filter(|id| {
            !id.is_empty() && id != "iid-datasource-none" && id != "NO_PREVIOUS_INSTANCE_ID"
        })
}

/// The instance id in the firmware, where it is EC2's.
fn firmware_id(root: &dyn Root) -> Option<String> {
    if !root.is_live() {
        return None;
    }
    // On Nitro the asset tag of the board is the instance id.
    text::word(root, "/sys/devices/virtual/dmi/id/board_asset_tag").filter(|id| is_ec2_id(id))
}
