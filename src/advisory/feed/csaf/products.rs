//! The products of a document: packages, releases, and which package is part of which release.

use std::collections::HashMap;

use super::super::error::{FeedError, quote};
use super::super::platform;
use super::written::{Branch, Product, Tree};
use crate::advisory::record::Ecosystem;
use crate::model::purl::Purl;

/// A package of a module of a release is two deep.
const MAX_DEPTH: usize = 8;

/// What product ids mean.
pub(super) struct Products {
    named: HashMap<String, Product>,
    /// A product that is a part of another: both.
    parts: HashMap<String, (String, String)>,
    groups: HashMap<String, Vec<String>>,
}

/// What a product id comes to.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) ecosystem: Option<Ecosystem>,
    pub(super) package: Option<Package>,
    pub(super) module: Option<String>,
}

/// A package, of one version or of all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    /// Empty: every one.
    pub(super) version: String,
    pub(super) arch: Option<String>,
    /// The package URL, where the document has one.
    pub(super) purl: Option<String>,
}

impl Products {
    pub(super) fn new(tree: Tree) -> Self {
        let mut named = HashMap::new();
        let mut parts = HashMap::new();
        let mut add = |product: Product| {
            named.insert(product.product_id.clone(), product);
        };
        tree.full_product_names.into_iter().for_each(&mut add);
        leaves(tree.branches, &mut add);
        for relationship in tree.relationships {
            let both = (relationship.product_reference, relationship.relates_to_product_reference);
            parts.insert(relationship.full_product_name.product_id, both);
        }
        let groups = tree.product_groups.into_iter();
        let groups = groups.map(|group| (group.group_id, group.product_ids)).collect();
        Self { named, parts, groups }
    }

    /// What a product id means.
    pub(super) fn component(&self, id: &str) -> Result<Component, FeedError> {
        let mut component = Component::default();
        self.add(id, &mut component, 0)?;
        Ok(component)
    }

    /// The products that are named alone and by group.
    pub(super) fn all<'a>(
        &'a self,
        ids: &'a [String],
        groups: &'a [String],
    ) -> impl Iterator<Item = &'a str> {
        let of_groups = groups.iter().filter_map(|group| self.groups.get(group)).flatten();
        ids.iter().chain(of_groups).map(String::as_str)
    }

    fn add(&self, id: &str, component: &mut Component, depth: usize) -> Result<(), FeedError> {
        if depth > MAX_DEPTH {
            return Err(FeedError::TooLarge("its products nest too deep".into()));
        }
        if let Some((part, whole)) = self.parts.get(id) {
            self.add(part, component, depth + 1)?;
            return self.add(whole, component, depth + 1);
        }
        let product = self.named.get(id).ok_or_else(|| {
            FeedError::Inconsistent(format!("its tree has no product {:?}", quote(id)))
        })?;
        component.take(product, depth);
        Ok(())
    }
}

/// Hands out the products of branches.
fn leaves(branches: Vec<Branch>, add: &mut dyn FnMut(Product)) {
    for branch in branches {
        branch.product.into_iter().for_each(&mut *add);
        leaves(branch.branches, add);
    }
}

impl Component {
    fn take(&mut self, product: &Product, depth: usize) {
        let helper = &product.product_identification_helper;
        if let Some(written) = &helper.purl
            && let Some(purl) = Purl::parse(written)
        {
            self.take_purl(&purl, written);
            return;
        }
        let release = helper.cpe.as_deref().and_then(platform::of_cpe);
        if let Some(release) = release.or_else(|| platform::of_name(&product.name)) {
            self.ecosystem.get_or_insert(release);
        } else if depth > 0 && self.package.is_none() && helper.cpe.is_none() {
            self.package = of_name(&product.name);
        }
    }

    fn take_purl(&mut self, purl: &Purl, written: &str) {
        if purl.kind == "rpmmod" {
            let stream = purl.version.split(':').next().unwrap_or_default();
            self.module.get_or_insert_with(|| format!("{}:{stream}", purl.name));
            return;
        }
        if let Some(label) = purl.qualifier("rpmmod") {
            let mut parts = label.split(':');
            if let (Some(name), Some(stream)) = (parts.next(), parts.next()) {
                self.module.get_or_insert_with(|| format!("{name}:{stream}"));
            }
        }
        if self.package.is_some() {
            return;
        }
        let plain = matches!(purl.kind.as_str(), "rpm" | "deb" | "apk");
        let name = match purl.namespace.as_str() {
            "" => purl.name.clone(),
            _ if plain => purl.name.clone(),
            namespace => format!("{namespace}/{}", purl.name),
        };
        // Of a package of a module that has no fix, the version is the module's stream.
        let stream = self.module.as_deref().and_then(|module| module.split(':').nth(1));
        let version = match purl.version_with_epoch() {
            version if stream == Some(&version) => String::new(),
            version => version,
        };
        self.package = Some(Package {
            name,
            version,
            arch: purl.qualifier("arch").map(str::to_owned),
            purl: Some(written.to_owned()),
        });
    }
}

/// A package by its name alone, `bind`, or with all, `bind-32:9.11.36-11.el8.x86_64`: some vendors
/// give no package URL.
fn of_name(name: &str) -> Option<Package> {
    const ARCHES: [&str; 12] = [
        "aarch64", "i386", "i486", "i586", "i686", "noarch", "nosrc", "ppc64", "ppc64le", "s390x",
        "src", "x86_64",
    ];
    let word =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == ':');
    let parts =
        name.rsplit_once('.').filter(|(_, arch)| ARCHES.contains(arch)).and_then(|(rest, arch)| {
            let (rest, release) = rest.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            let version = version.strip_prefix("0:").unwrap_or(version);
            word(name).then(|| Package {
                name: name.to_owned(),
                version: format!("{version}-{release}"),
                arch: Some(arch.to_owned()),
                purl: None,
            })
        });
    parts.or_else(|| {
        word(name).then(|| Package {
            name: name.to_owned(),
            version: String::new(),
            arch: None,
            purl: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::of_name;

    #[test]
    fn names_with_and_without_versions() {
        let package = of_name("bind-utils-32:9.11.36-11.el8.x86_64").unwrap();
        assert_eq!((&*package.name, &*package.version), ("bind-utils", "32:9.11.36-11.el8"));
        assert_eq!(package.arch.as_deref(), Some("x86_64"));
        let package = of_name("curl-0:7.76-1.noarch").unwrap();
        assert_eq!((&*package.name, &*package.version), ("curl", "7.76-1"));
        let package = of_name("python3.11").unwrap();
        assert_eq!((&*package.name, &*package.version), ("python3.11", ""));
        assert_eq!(of_name("Some Product 3"), None);
        assert_eq!(of_name(""), None);
    }
}
