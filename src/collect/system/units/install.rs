//! The state of a unit file, as `systemctl is-enabled` tells it: from the file, its [Install]
//! section and the links that point to it.

use std::collections::BTreeSet;

use super::dropins;
use super::paths::{basename, join, link_target};
use super::search::{CONFIG, Content, Search, UnitDir, in_search_path, is_generated, is_transient};
use super::specifiers::expand;
use crate::model::table::FileKind;
use crate::model::unit::{Escapes, NameKind, UnitName, UnitText, words};

/// Links that are followed from one name to the next.
const MOST_HOPS: usize = 64;

/// What the [Install] sections of a unit say.
#[derive(Debug, Clone, Default)]
pub(super) struct Install {
    aliases: Vec<String>,
    wanted_by: Vec<String>,
    required_by: Vec<String>,
    upheld_by: Vec<String>,
    also: bool,
    default_instance: Option<String>,
}

/// A unit name, looked up.
#[derive(Debug, Clone)]
pub(super) enum Unit {
    /// It must not be started.
    Masked {
        /// The link or empty file that masks it.
        path: String,
    },
    /// It has a file.
    Regular {
        /// Its main name: that of the file that links lead to, with the instance.
        name: String,
        /// The file.
        path: String,
        /// How it is installed.
        install: Install,
    },
}

/// Why a name leads to no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    /// There is no such file.
    Missing,
    /// There is a file or link, and systemd refuses it.
    Bad,
}

enum Step {
    Masked,
    Regular,
    /// A link: where to, and whether that is outside of the search path.
    Link(String, bool),
}

impl Search<'_> {
    /// Looks a name up, following aliases and linked files.
    pub(super) fn unit(&self, name: &str) -> Result<Unit, Nothing> {
        let mut name = name.to_owned();
        let mut install = Install::default();
        let (mut path, mut step) = self.find(&name, &mut install)?;
        for _ in 0..=MOST_HOPS {
            let (target, linked) = match step {
                Step::Masked => return Ok(Unit::Masked { path }),
                Step::Regular => return Ok(Unit::Regular { name, path, install }),
                Step::Link(target, linked) => (target, linked),
            };
            let next = next_name(&name, basename(&target));
            if linked || next.as_deref() == Some(&*name) {
                step = self.load(&name, &target, &mut install)?;
                path = target;
            } else {
                name = next.ok_or(Nothing::Bad)?;
                install = Install::default();
                // A dangling alias is not missing: the name is there.
                (path, step) = self.find(&name, &mut install).map_err(|_| Nothing::Bad)?;
            }
        }
        Err(Nothing::Bad)
    }

    /// The first file for a name in the search path, or for its template, and its drop-ins.
    fn find(&self, name: &str, install: &mut Install) -> Result<(String, Step), Nothing> {
        let parts = UnitName::new(name).ok_or(Nothing::Bad)?;
        let template = parts.template().filter(|_| parts.kind() == NameKind::Instance);
        let candidates = std::iter::once(name).chain(template.as_deref());
        for candidate in candidates {
            for dir in self.dirs.iter().filter(|dir| dir.entries.contains_key(candidate)) {
                let path = join(dir.path, candidate);
                let step = match self.load(name, &path, install) {
                    Err(Nothing::Missing) => continue,
                    other => other?,
                };
                if !matches!(step, Step::Masked) {
                    for drop_in in dropins::for_install(self, name, template.as_deref()) {
                        match self.content(&drop_in) {
                            Content::Text(text) => install.read(&parts, &text)?,
                            Content::Empty => {}
                            Content::Missing | Content::Unusable => return Err(Nothing::Bad),
                        }
                    }
                }
                return Ok((path, step));
            }
        }
        Err(Nothing::Missing)
    }

    /// What is at one path; the [Install] section is added to `install`.
    fn load(&self, name: &str, path: &str, install: &mut Install) -> Result<Step, Nothing> {
        let parts = UnitName::new(name).ok_or(Nothing::Bad)?;
        if parts.kind() != NameKind::Plain && !parts.may_template() {
            return Err(Nothing::Bad);
        }
        let meta = match self.root().metadata(path) {
            Ok(meta) => meta,
            Err(error) => {
                self.note(path, Some(error));
                return Err(Nothing::Missing);
            }
        };
        match meta.kind {
            FileKind::Link => self.follow(path),
            FileKind::File | FileKind::Char | FileKind::Block => match self.content(path) {
                Content::Empty => Ok(Step::Masked),
                Content::Text(text) => {
                    install.read(&parts, &text)?;
                    Ok(Step::Regular)
                }
                Content::Missing => Err(Nothing::Missing),
                Content::Unusable => Err(Nothing::Bad),
            },
            _ => Err(Nothing::Bad),
        }
    }

    fn follow(&self, path: &str) -> Result<Step, Nothing> {
        let target = link_target(self.root(), path).map_err(|_| Nothing::Bad)?;
        let linked = !in_search_path(&target);
        if !linked && !is_valid_alias(basename(path), basename(&target)) {
            return Err(Nothing::Bad);
        }
        match self.content(&target) {
            Content::Empty => Ok(Step::Masked),
            _ => Ok(Step::Link(target, linked)),
        }
    }

    /// The word that `systemctl is-enabled NAME` prints, for a name and what it leads to.
    pub(super) fn enablement(&self, name: &str, unit: &Result<Unit, Nothing>) -> &'static str {
        let (own, path, install) = match unit {
            Err(_) => return "bad",
            Ok(Unit::Masked { path }) if super::paths::is_in(path, "/run") => {
                return "masked-runtime";
            }
            Ok(Unit::Masked { .. }) => return "masked",
            Ok(Unit::Regular { name, path, install }) => (name, path, install),
        };
        let kind = UnitName::new(own).map(|parts| parts.kind());
        if name != basename(path) && kind != Some(NameKind::Instance) {
            return "alias";
        }
        if is_generated(path) {
            return "generated";
        }
        if is_transient(path) {
            return "transient";
        }
        let known = install.known_names(own);
        if let Some(state) = self.linked_state(own, path, Some(&known)) {
            return state;
        }
        if self.linked_state(own, path, None).is_some() || (!install.has_rules() && install.also) {
            return "indirect";
        }
        if install.has_rules() { "disabled" } else { "static" }
    }

    /// The state that links give a unit; with `known`, only links that [Install] would make.
    fn linked_state(
        &self,
        name: &str,
        path: &str,
        known: Option<&BTreeSet<String>>,
    ) -> Option<&'static str> {
        let (mut runtime, mut elsewhere) = (false, false);
        let (mut linked, mut linked_runtime) = (false, false);
        // Links of the same name that rank below the file itself are hidden by it.
        let mut hidden = false;
        for dir in &self.dirs {
            let (found, same_name) = links_in(dir, name, known, hidden);
            if found {
                match dir {
                    dir if dir.path == CONFIG => return Some("enabled"),
                    dir if dir.is_runtime() => runtime = true,
                    _ => elsewhere = true,
                }
            } else if same_name {
                linked |= dir.path == CONFIG;
                linked_runtime |= dir.is_runtime();
            }
            hidden |= super::paths::is_in(path, dir.path);
        }
        let instance = UnitName::new(name).is_some_and(|name| name.kind() == NameKind::Instance);
        match () {
            () if runtime => Some("enabled-runtime"),
            () if elsewhere && instance => Some("static"),
            () if linked => Some("linked"),
            () if linked_runtime => Some("linked-runtime"),
            () => None,
        }
    }
}

/// Whether a directory has links that enable a unit, and whether it has a link that only says
/// where its file is.
fn links_in(
    dir: &UnitDir,
    name: &str,
    known: Option<&BTreeSet<String>>,
    hidden: bool,
) -> (bool, bool) {
    let counts = |link: &str| known.is_none_or(|known| known.contains(link));
    let wanted = dir.wanted.contains(name) && counts(name);
    let instances = dir.wanted_instances.get(name);
    if wanted || instances.is_some_and(|instances| instances.iter().any(|link| counts(link))) {
        return (true, false);
    }
    let own = dir.links.get(name);
    let same_name = !hidden && own.is_some_and(|target| target == name);
    let by_name = !hidden && own.is_some() && !same_name && counts(name);
    let by_target = dir
        .links_to
        .get(name)
        .is_some_and(|links| links.iter().any(|link| counts(link) && !(same_name && link == name)));
    (by_name || by_target, same_name)
}

impl Install {
    /// Reads the [Install] section of a file of this unit.
    fn read(&mut self, unit: &UnitName<'_>, text: &UnitText) -> Result<(), Nothing> {
        if !text.is_readable() {
            return Err(Nothing::Bad);
        }
        for entry in text.assignments.iter().filter(|entry| entry.section == "Install") {
            let value = entry.value.as_str();
            match entry.key.as_str() {
                "Alias" if unit.may_alias() => extend(&mut self.aliases, value),
                "WantedBy" => extend(&mut self.wanted_by, value),
                "RequiredBy" => extend(&mut self.required_by, value),
                "UpheldBy" => extend(&mut self.upheld_by, value),
                "Also" => {
                    for word in value.split_ascii_whitespace() {
                        UnitName::new(&expand(word, unit)).ok_or(Nothing::Bad)?;
                        self.also = true;
                    }
                }
                "DefaultInstance" if unit.kind() == NameKind::Template => {
                    let instance = expand(value, unit);
                    if instance.is_empty() {
                        self.default_instance = None;
                    } else if UnitName::new(&unit.with_instance(&instance)).is_some() {
                        self.default_instance = Some(instance);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn has_rules(&self) -> bool {
        !(self.aliases.is_empty()
            && self.wanted_by.is_empty()
            && self.required_by.is_empty()
            && self.upheld_by.is_empty())
    }

    /// The names of the links that enabling would make.
    fn known_names(&self, name: &str) -> BTreeSet<String> {
        let mut known: BTreeSet<String> = self.aliases.iter().cloned().collect();
        known.insert(name.to_owned());
        if let (Some(instance), Some(parts)) = (&self.default_instance, UnitName::new(name)) {
            known.insert(parts.with_instance(instance));
        }
        known
    }
}

fn extend(list: &mut Vec<String>, value: &str) {
    if value.is_empty() {
        list.clear();
    } else {
        list.extend(words(value, Escapes::Keep).unwrap_or_default());
    }
}

/// The name that a link gives: of a template, the one with the link's instance.
fn next_name(link: &str, target: &str) -> Option<String> {
    let (link, target) = (UnitName::new(link)?, UnitName::new(target)?);
    match (link.instance, target.kind()) {
        (Some(instance), NameKind::Template) if !instance.is_empty() => {
            Some(target.with_instance(instance))
        }
        _ => Some(target.full.to_owned()),
    }
}

/// Whether systemd takes a link inside the search path for another name of its target.
fn is_valid_alias(link: &str, target: &str) -> bool {
    let (Some(link), Some(target)) = (UnitName::new(link), UnitName::new(target)) else {
        return false;
    };
    let kinds = match (link.kind(), target.kind()) {
        (NameKind::Instance, NameKind::Template) => true,
        (NameKind::Instance, NameKind::Instance) => link.instance == target.instance,
        (a, b) => a == b,
    };
    link.may_alias()
        && (link.kind() == NameKind::Plain || link.may_template())
        && link.full != target.full
        && kinds
        && link.unit_type == target.unit_type
}
