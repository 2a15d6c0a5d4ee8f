//! Statements that silence a match: a vendor, or the site itself, says that a product is not
//! affected.
//!
//! Products are package URLs: <https://github.com/package-url/purl-spec>. A statement silences no
//! more than it names: where it has a version, an architecture or a release, they must be those of
//! the installed package.

use std::collections::BTreeMap;

use super::subject::Subject;
use crate::advisory::db::{Database, DbError, ExceptionText};

/// Types of package URLs, and the manager or ecosystem whose packages they name.
const TYPES: [(&str, &str); 10] = [
    ("deb", "dpkg"),
    ("rpm", "rpm"),
    ("apk", "apk"),
    ("pypi", "PyPI"),
    ("npm", "npm"),
    ("gem", "RubyGems"),
    ("maven", "Maven"),
    ("golang", "Go"),
    ("cargo", "crates.io"),
    ("composer", "Packagist"),
];

/// The statements of all databases, and the host that they are asked about.
pub(super) struct Silencer<'a> {
    databases: &'a [Database],
    os: &'a str,
    version: &'a str,
}

impl<'a> Silencer<'a> {
    pub(super) fn new(databases: &'a [Database], os: &'a str, version: &'a str) -> Self {
        Self { databases, os, version }
    }

    /// Why a vulnerability does not count for a package, and who says so; none where it counts.
    pub(super) fn reason(&self, id: &str, subject: &Subject) -> Result<Option<String>, DbError> {
        for database in self.databases {
            let all = database.exceptions()?;
            if all.is_empty() {
                continue;
            }
            let Some(number) = database.find_vulnerability(id)? else { continue };
            // They stand in the order of their vulnerabilities.
            let first = all.partition_point(|one| one.vulnerability < number);
            let mut mine = all.iter().skip(first).take_while(|one| one.vulnerability == number);
            let silences = |one: &&ExceptionText| {
                one.products.iter().any(|product| self.is_meant(product, subject))
            };
            if let Some(one) = mine.find(silences) {
                return Ok(Some(format!("{} ({})", one.reason, one.author)));
            }
        }
        Ok(None)
    }

    fn is_meant(&self, product: &str, subject: &Subject) -> bool {
        let Some(purl) = Purl::parse(product) else { return false };
        let known = TYPES.iter().find(|(name, _)| purl.kind.eq_ignore_ascii_case(name));
        if known.is_none_or(|(_, ecosystem)| *ecosystem != &*subject.ecosystem) {
            return false;
        }
        let named = if subject.language {
            match &*subject.ecosystem {
                "Maven" => format!("{}:{}", purl.namespace, purl.name),
                _ if purl.namespace.is_empty() => purl.name.clone(),
                _ => format!("{}/{}", purl.namespace, purl.name),
            }
        } else {
            if !self.is_vendor(&purl.namespace) {
                return false;
            }
            purl.name.clone()
        };
        let epoch = purl.qualifiers.get("epoch").filter(|epoch| *epoch != "0");
        let version = purl.version.as_ref().map(|version| match epoch {
            Some(epoch) => format!("{epoch}:{version}"),
            None => version.clone(),
        });
        let of_name = subject.names.iter().any(|(_, name, installed)| {
            **name == *named && version.as_ref().is_none_or(|version| **version == **installed)
        });
        of_name && self.is_right_build(&purl, subject)
    }

    fn is_right_build(&self, purl: &Purl, subject: &Subject) -> bool {
        let arch = purl.qualifiers.get("arch").is_none_or(|arch| {
            matches!(&**arch, "source" | "src" | "all" | "noarch")
                || subject.arch.as_deref() == Some(arch)
        });
        let distro = purl.qualifiers.get("distro").is_none_or(|distro| {
            let major = self.version.split('.').next().unwrap_or_default();
            [self.version, major].iter().any(|version| *distro == format!("{}-{version}", self.os))
        });
        arch && distro
    }

    fn is_vendor(&self, namespace: &str) -> bool {
        namespace.is_empty() || namespace == self.os || (namespace == "redhat" && self.os == "rhel")
    }
}

/// A package URL in its parts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Purl {
    kind: String,
    namespace: String,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
}

impl Purl {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        // A version is after the last `@`; one in a namespace (`@angular`) is before a `/`.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !version.contains('/') => {
                (path, Some(decoded(version)?))
            }
            _ => (rest, None),
        };
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let qualifiers = qualifiers.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_ascii_lowercase(), decoded(value)?))
        });
        Some(Self {
            kind: kind.to_owned(),
            namespace: decoded(namespace)?,
            name: decoded(name).filter(|name| !name.is_empty())?,
            version,
            qualifiers: qualifiers.collect(),
        })
    }
}

/// A text with its percent signs resolved.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, String, String, Option<String>) {
        let purl = Purl::parse(text).unwrap();
        (purl.kind, purl.namespace, purl.name, purl.version)
    }

    #[test]
    fn package_urls() {
        let own = |parts: [&str; 3], version: Option<&str>| {
            let [kind, namespace, name] = parts.map(str::to_owned);
            (kind, namespace, name, version.map(str::to_owned))
        };
        for (text, expected) in [
            (
                "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64",
                own(["deb", "debian", "curl"], Some("7.88.1-10+deb12u5")),
            ),
            ("pkg:npm/%40angular/core@1.0", own(["npm", "@angular", "core"], Some("1.0"))),
            ("pkg:npm/@angular/core", own(["npm", "@angular", "core"], None)),
            (
                "pkg:golang/github.com/a/b@v1#sub/dir",
                own(["golang", "github.com/a", "b"], Some("v1")),
            ),
            ("pkg:pypi/django", own(["pypi", "", "django"], None)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for bad in
            ["", "pkg:", "pkg:deb", "pkg:deb/", "deb/debian/curl", "pkg:deb/a%", "pkg:deb/%ff"]
        {
            assert_eq!(Purl::parse(bad), None, "{bad}");
        }
        let purl = Purl::parse("pkg:rpm/redhat/x@1-2?arch=x86_64&epoch=1").unwrap();
        assert_eq!(purl.qualifiers["epoch"], "1");
    }
}
