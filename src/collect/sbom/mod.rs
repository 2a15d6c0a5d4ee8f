//! A software bill of materials instead of a host: CycloneDX, SPDX 2 or SPDX 3, JSON, to a snapshot.
//!
//! It tells packages and the distribution, and nothing else: every other table is absent, so that a
//! rule that needs one is unknown. What a bill leaves open (packages without a package URL, of
//! another distribution, or without their source package) is said in the table's state.

mod cyclonedx;
mod packages;
mod spdx;
mod spdx3;
mod system;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use self::packages::Listed;
use self::system::System;
use super::{CollectError, Options};
use crate::model::cell::{Fact as _, Time};
use crate::model::facts::Rows;
use crate::model::purl::Purl;
use crate::model::state::TableState;
use crate::model::table::{COLLECTED, File, Host};
use crate::snapshot::{Codec, Writer};

/// The most bytes of a bill. The largest real ones, of whole distributions, have a tenth of it.
pub const MAX_BYTES: u64 = 512 << 20;
/// The most components.
const MAX_COMPONENTS: usize = 1_000_000;
/// The longest name, version or path.
const MAX_WORD: usize = 4096;

/// What a bill says, in whichever format.
#[derive(Debug, Default)]
struct Bill {
    /// What it is of: the image's or host's name.
    subject: Option<String>,
    created: Option<String>,
    system: Option<System>,
    components: Vec<Component>,
    /// Components that are packages and have no package URL.
    unnamed: usize,
    /// Why it is not all, where it says so itself.
    incomplete: Option<String>,
}

/// A package of a bill.
#[derive(Debug)]
struct Component {
    purl: Purl,
    /// Name and, where it is another, version of the source package.
    source: Option<(String, Option<String>)>,
    module: Option<String>,
    /// The file that says so.
    path: Option<String>,
}

impl Bill {
    fn add(&mut self, component: Component) -> Result<(), String> {
        if self.components.len() >= MAX_COMPONENTS {
            return Err(format!("it has more than {MAX_COMPONENTS} components"));
        }
        self.components.push(component);
        Ok(())
    }
}

/// Which format a document is in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    bom_format: Option<String>,
    spdx_version: Option<String>,
    #[serde(rename = "@graph")]
    graph: Option<IgnoredAny>,
}

/// Makes a snapshot of a bill of materials.
///
/// # Errors
/// The bytes are no bill that is known, make no sense, or list no package.
pub fn collect_sbom(
    bytes: &[u8],
    options: &Options,
    codec: Codec,
) -> Result<Vec<u8>, CollectError> {
    let bill = read(bytes).map_err(CollectError::Sbom)?;
    let system = system::of(&bill);
    let listed = packages::of(&bill, system.as_ref());
    if listed.packages.is_empty() && listed.languages.is_empty() {
        return Err(CollectError::EmptySbom);
    }
    let mut writer = Writer::new(codec);
    let host = host(bytes, &bill, system, &listed, options);
    writer.table(&Rows::of([host]), &TableState::Collected)?;
    let mut written = vec![Host::TABLE.name, File::TABLE.name];
    let Listed { packages, packages_state, languages, languages_state, .. } = listed;
    for (rows, state) in
        [(Rows::of(packages), packages_state), (Rows::of(languages), languages_state)]
    {
        let name = rows.schema().name;
        if options.wants(name) {
            writer.table(&rows, &state)?;
            written.push(name);
        }
    }
    let absent = TableState::absent("a software bill of materials does not tell it");
    writer.files_state(absent.clone());
    for table in COLLECTED {
        if !written.contains(&table.name) {
            writer.missing(table, &absent)?;
        }
    }
    Ok(writer.finish()?)
}

fn read(bytes: &[u8]) -> Result<Bill, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it has more than {} MiB", MAX_BYTES >> 20));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let probe: Probe = serde_json::from_slice(bytes).map_err(|error| {
        if bytes.trim_ascii_start().starts_with(b"<") {
            "XML is not read; write the bill as JSON, as `syft -o cyclonedx-json`, `trivy --format \
             cyclonedx` and `cyclonedx convert --output-format json` do"
                .to_owned()
        } else if bytes.starts_with(b"SPDXVersion:") {
            "the form of SPDX with tags and values is not read; write the bill as JSON".to_owned()
        } else {
            error.to_string()
        }
    })?;
    match (probe.bom_format.as_deref(), probe.spdx_version.as_deref()) {
        (Some("CycloneDX"), _) => cyclonedx::read(bytes),
        (_, Some(version)) if version.starts_with("SPDX-2.") => spdx::read(bytes),
        (None, _) if probe.graph.is_some() => spdx3::read(bytes),
        _ => Err("it is neither CycloneDX nor SPDX 2 or 3".to_owned()),
    }
}

fn host(
    bytes: &[u8],
    bill: &Bill,
    system: Option<System>,
    listed: &Listed,
    options: &Options,
) -> Host {
    let system = system.unwrap_or_default();
    let hash = blake3::hash(bytes).to_hex();
    let tags: BTreeSet<Arc<str>> =
        options.tags.iter().map(|(key, value)| format!("{key}={value}").into()).collect();
    let subject = bill.subject.as_deref().filter(|name| is_word(name));
    let created = bill.created.as_deref().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    Host {
        hostname: subject.unwrap_or("unknown").into(),
        agent_id: format!("i-{}", &hash[..17]).into(),
        family: "linux".into(),
        os: system.id.map(Arc::from),
        os_version: system.version.map(Arc::from),
        os_like: Vec::new(),
        os_name: system.name.map(Arc::from),
        kernel_running: None,
        kernels_installed: Vec::new(),
        arch: listed.arch.map(Arc::from),
        source: "sbom".into(),
        collected_at: created.map_or(options.now, |time| Time(time.as_second())),
        observed_seconds: 0,
        requested_seconds: None,
        privileged: false,
        nx: None,
        collector: env!("CARGO_PKG_VERSION").into(),
        tags: tags.into_iter().collect(),
    }
}

/// Whether a text can be a name or version: not empty, not longer than any, no control characters.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && !text.contains(char::is_control)
}
