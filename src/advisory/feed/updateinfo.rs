//! `updateinfo.xml`: the updates of one rpm repository.
//!
//! Format: createrepo_c's `updateinfo`; Amazon, Fedora, Rocky Linux, Oracle and SUSE write it. Each
//! update lists the binary packages that mend something, by collection. For Amazon Linux the
//! collection tells the release and the repository: core, an extra, live patches.

use super::error::{FeedError, quote};
use super::output::Output;
use super::source::Document;
use super::xml::{Element, Xml};
use super::{cve, time};
use crate::advisory::record::{Advisory, Affected, Ecosystem, End, Naming, Range, Status};

/// Reads one file.
pub(super) fn read(document: &mut Document<'_>, out: &mut Output<'_>) -> Result<(), FeedError> {
    let mut xml = Xml::root(document, "updates")?;
    while let Some(element) = xml.next()? {
        if element.name == "update" {
            update(&xml.tree(element)?, out)?;
        } else {
            out.leave_out("an element that is no update");
            xml.skip()?;
        }
    }
    Ok(())
}

fn update(update: &Element, out: &mut Output<'_>) -> Result<(), FeedError> {
    let id = update.text_of("id");
    if id.is_empty() {
        return Err(FeedError::Malformed("an update has no id".into()));
    }
    out.made_at(date(update, "updated").max(date(update, "issued")));
    let references = update.child("references");
    let mut cves = cve::Ids::default();
    let mut links = Vec::new();
    for reference in references.iter().flat_map(|list| list.each("reference")) {
        cves.add(reference.attribute("id"));
        cves.add(reference.attribute("title"));
        links.push(reference.attribute("href").to_owned());
    }
    let kind = update.attribute("type");
    if kind != "security" && cves.is_empty() {
        out.skip(&format!("an update of type {} that names no CVE", quote(kind)));
        return Ok(());
    }
    let mut affected = Vec::new();
    for collection in update.each("pkglist").flat_map(|list| list.each("collection")) {
        let place = place(collection, out).ok_or_else(|| {
            FeedError::NeedsRelease(format!(
                "update {} is of the collection {:?}",
                quote(id),
                quote(collection.text_of("name"))
            ))
        })?;
        packages(collection, &place, &mut affected, out);
    }
    if affected.is_empty() {
        out.skip("an update without packages");
        return Ok(());
    }
    affected.sort_unstable();
    affected.dedup();
    out.advisory(Advisory {
        id: id.to_owned(),
        cves: cves.into_vec(),
        severity: Some(update.text_of("severity").to_owned()).filter(|word| !word.is_empty()),
        scores: Vec::new(),
        title: update.text_of("title").to_owned(),
        description: update.text_of("description").to_owned(),
        references: links,
        published: date(update, "issued"),
        affected,
    });
    Ok(())
}

fn date(update: &Element, name: &str) -> Option<crate::model::cell::Time> {
    time::parse(update.child(name)?.attribute("date"))
}

/// The release and the repository of a collection; the release that the user named where the
/// collection does not tell.
fn place(collection: &Element, out: &Output<'_>) -> Option<(Ecosystem, Option<String>)> {
    amazon(collection.attribute("short"))
        .or_else(|| fedora(collection.text_of("name")).map(|release| (release, None)))
        .or_else(|| out.release().map(|release| (release.clone(), None)))
}

/// `amazon-linux-2`, `amazon-linux-2---docker`, `amazon-linux-2023---kernel-livepatch`,
/// `amazon-linux-ami`.
fn amazon(short: &str) -> Option<(Ecosystem, Option<String>)> {
    let rest = short.strip_prefix("amazon-linux-")?;
    let (release, repository) = match rest.split_once("---") {
        Some((release, repository)) => (release, Some(repository)),
        None => (rest, None),
    };
    let release = match release {
        "ami" => "1",
        "2" | "2022" | "2023" => release,
        _ if release.len() == 4 && release.bytes().all(|byte| byte.is_ascii_digit()) => release,
        _ => return None,
    };
    let repository = repository.map(|name| match name {
        "livepatch" | "kernel-livepatch" => "kernel-livepatch".to_owned(),
        topic => format!("extras/{topic}"),
    });
    Some((Ecosystem::new("Amazon Linux", release), repository))
}

/// `Fedora 39`
fn fedora(name: &str) -> Option<Ecosystem> {
    let release = name.strip_prefix("Fedora ")?;
    let number = !release.is_empty() && release.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| Ecosystem::new("Fedora", release))
}

fn packages(
    collection: &Element,
    (ecosystem, repository): &(Ecosystem, Option<String>),
    affected: &mut Vec<Affected>,
    out: &mut Output<'_>,
) {
    let module = collection
        .child("module")
        .map(|module| format!("{}:{}", module.attribute("name"), module.attribute("stream")));
    for package in collection.each("package") {
        let [name, version, release] =
            ["name", "version", "release"].map(|key| package.attribute(key));
        let arch = package.attribute("arch");
        if name.is_empty() || version.is_empty() || release.is_empty() {
            out.leave_out("a package without name, version or release");
            continue;
        }
        if matches!(arch, "src" | "nosrc") {
            out.leave_out("a source package beside its binary ones");
            continue;
        }
        let fixed = match package.attribute("epoch") {
            "" | "0" => format!("{version}-{release}"),
            epoch => format!("{epoch}:{version}-{release}"),
        };
        affected.push(Affected {
            ecosystem: ecosystem.clone(),
            package: name.to_owned(),
            naming: Naming::Binary,
            arch: Some(arch.to_owned()).filter(|arch| !matches!(arch.as_str(), "" | "noarch")),
            module: module.clone(),
            repository: repository.clone(),
            status: Status::Affected,
            ranges: vec![Range { introduced: None, end: End::Fixed(fixed) }],
            versions: Vec::new(),
        });
    }
}
