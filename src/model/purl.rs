//! Package URLs. Format: <https://github.com/package-url/purl-spec>.

use percent_encoding::percent_decode_str;

/// Longer than any real one.
const MAX_LENGTH: usize = 8 << 10;

/// A package URL, its parts decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purl {
    /// The type, in lower case: `deb`, `rpm`, `apk`, `npm`, ...
    pub kind: String,
    /// The namespace: the distribution, Maven's group, npm's scope; empty where there is none.
    pub namespace: String,
    /// The package's name.
    pub name: String,
    /// The version; empty where there is none.
    pub version: String,
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    /// Reads `pkg:rpm/redhat/bind@9.11.36-11.el8?arch=x86_64&epoch=32`. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return None;
        }
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        // An `@` of npm's scope stands before a slash; that of the version does not.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !version.contains('/') => (path, version),
            _ => (rest, ""),
        };
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let kind = kind.to_ascii_lowercase();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        if kind.is_empty() || !kind.chars().all(word) || name.is_empty() {
            return None;
        }
        let qualifiers = qualifiers
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| Some((key.to_ascii_lowercase(), decode(value)?)))
            .collect::<Option<_>>()?;
        Some(Self {
            kind,
            namespace: decode(namespace)?,
            name: decode(name)?,
            version: decode(version)?,
            qualifiers,
        })
    }

    /// A qualifier; `None` where it is not there or empty.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        let found = self.qualifiers.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The version as rpm and dpkg compare it: with the epoch, which package URLs of rpm have as a
    /// qualifier.
    pub fn version_with_epoch(&self) -> String {
        match self.qualifier("epoch") {
            Some(epoch) if epoch != "0" => format!("{epoch}:{}", self.version),
            _ => self.version.clone(),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.contains(char::is_control)).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let purl = Purl::parse("pkg:rpm/redhat/bind@9.11.36-11.el8?arch=x86_64&epoch=32").unwrap();
        assert_eq!((&*purl.kind, &*purl.namespace, &*purl.name), ("rpm", "redhat", "bind"));
        assert_eq!(purl.version_with_epoch(), "32:9.11.36-11.el8");
        assert_eq!((purl.qualifier("arch"), purl.qualifier("distro")), (Some("x86_64"), None));
        let purl = Purl::parse("pkg:npm/%40babel/core@7.0.0").unwrap();
        assert_eq!((&*purl.namespace, &*purl.name, &*purl.version), ("@babel", "core", "7.0.0"));
        let purl = Purl::parse("pkg:npm/@babel/core").unwrap();
        assert_eq!((&*purl.namespace, &*purl.name, &*purl.version), ("@babel", "core", ""));
        let purl =
            Purl::parse("pkg:deb/debian/libc6@2%3A2.36%2Bb1?distro=debian-12#sub/path").unwrap();
        assert_eq!((&*purl.version, purl.qualifier("distro")), ("2:2.36+b1", Some("debian-12")));
        let purl = Purl::parse("pkg:golang/github.com/a/b@v1.2.3").unwrap();
        assert_eq!((&*purl.namespace, &*purl.name), ("github.com/a", "b"));
        let purl =
            Purl::parse("PKG:x/y").map_or_else(|| Purl::parse("pkg:GEM/rake"), Some).unwrap();
        assert_eq!((&*purl.kind, &*purl.name), ("gem", "rake"));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "pkg:",
            "pkg:rpm",
            "pkg:rpm/",
            "http://x/y",
            "pkg:r m/x",
            "pkg:x/%ff",
            "pkg:x/a%0ab",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
        assert_eq!(Purl::parse(&format!("pkg:x/{}", "y".repeat(10_000))), None);
    }
}
