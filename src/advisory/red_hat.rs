//! Red Hat's update streams: a minor release is mended further (EUS, E4S, AUS, TUS) while the main
//! stream goes on to the next one, and each has fixed versions of its own.
//!
//! Feeds tell streams by CPE: `rhel_eus:9.2`, from release 10 on `enterprise_linux_eus:10.0`. The
//! main stream is `enterprise_linux:9`, whatever minor release a fix appeared in. A host is judged
//! as Red Hat asks of scanners: what its own stream says of a package decides, and where that has
//! no fix, the main stream does. A package's own stream is told
//! - by the repository that it came from, where that is known;
//! - by the end of its version, which names the minor release that it was built for: `el9_2`. What
//!   was mended in an earlier build for that release is mended in it, however much higher the
//!   version is that mends it elsewhere.
//!
//! Sources: <https://redhatproductsecurity.github.io/security-data-guidelines/cpe/> and
//! <https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>.

use super::record::Ecosystem;

/// The name of the ecosystem of all of them.
pub const NAME: &str = "Red Hat";

/// Streams that go on with a minor release, by the end of their CPE's name. The same word stands in
/// the names of their repositories, but for the last.
const STREAMS: [&str; 5] = ["aus", "e4s", "eus", "tus", "eus_long_life"];
/// What a major release gets when it has ended.
const EXTENDED: &str = "els";
/// Repositories beside the release's own, whose packages have other names.
const EXTRAS: [&str; 2] = ["rhel_extras", "rhel_extras_rt"];

/// The releases whose advisories are about a host with this `VERSION_ID`, the main stream first.
pub fn of_host(version: &str) -> Vec<Ecosystem> {
    let major = version.split('.').next().unwrap_or_default();
    let mut releases = vec![major.to_owned(), format!("rhel_{EXTENDED}:{major}")];
    releases.extend(EXTRAS.map(|name| format!("{name}:{major}")));
    if version != major {
        releases.extend(STREAMS.map(|stream| format!("rhel_{stream}:{version}")));
    }
    releases.into_iter().map(|release| Ecosystem::new(NAME, release)).collect()
}

/// The minor release that a stream goes on with.
pub fn minor_of(ecosystem: &Ecosystem) -> Option<&str> {
    let (_, version) = ecosystem.release.split_once(':').filter(|_| is_stream(ecosystem))?;
    version.contains('.').then_some(version)
}

/// The release that a CPE names after the vendor: `enterprise_linux:9::baseos` is `9`, in the main
/// stream of every minor release. Streams and other products keep their names, since their fixed
/// versions are not the main stream's.
pub(super) fn release(product: &str) -> String {
    let Some((name, rest)) = product.split_once(':') else { return product.to_owned() };
    let version = rest.split(':').next().unwrap_or_default();
    match name.strip_prefix("enterprise_linux") {
        Some("") => version.split('.').next().unwrap_or_default().to_owned(),
        Some(stream) if is_stream_name(stream.trim_start_matches('_')) => {
            format!("rhel{stream}:{version}")
        }
        _ => format!("{name}:{version}"),
    }
}

fn is_stream_name(name: &str) -> bool {
    name == EXTENDED || STREAMS.contains(&name)
}

/// Whether this is a release's stream with versions of its own.
pub fn is_stream(ecosystem: &Ecosystem) -> bool {
    let name = ecosystem.release.split(':').next().unwrap_or_default();
    ecosystem.name == NAME && name.strip_prefix("rhel_").is_some_and(is_stream_name)
}

/// Whether a repository has the packages of this stream: `rhel-9-for-x86_64-baseos-eus-rpms` has
/// those of EUS.
pub fn is_from(repository: &str, stream: &Ecosystem) -> bool {
    let name = stream.release.strip_prefix("rhel_").and_then(|name| name.split(':').next());
    is_stream(stream) && repository.split('-').any(|word| Some(word) == name)
}

/// Whether a repository has the packages of one of the streams.
pub fn has_stream(repository: &str) -> bool {
    repository.split('-').any(is_stream_name)
}

/// The minor release that a package was built for, as the end of its version says: `9.2` of
/// `5.14.0-284.30.1.el9_2` and of `18.14.2-3.module+el9.2.0.z+18964`. None where it says none, as in
/// `el9`: such a build may be in any of them.
pub fn built_for(version: &str) -> Option<(u32, u32)> {
    let (_, release) = version.rsplit_once('-')?;
    let minor = |(at, tag): (usize, &str)| {
        let (begin, rest) = release.split_at(at);
        if !begin.ends_with(['.', '+']) {
            return None;
        }
        let rest = rest.strip_prefix(tag)?;
        let (major, rest) = number(rest)?;
        let module = begin.ends_with(".module+");
        let rest = rest.strip_prefix(if module { '.' } else { '_' })?;
        Some((major, number(rest)?.0))
    };
    release.match_indices("el").find_map(minor)
}

/// The number that a text begins with, and what follows.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpes() {
        for (product, expected, stream) in [
            ("enterprise_linux:9::baseos", "9", false),
            ("enterprise_linux:10.1", "10", false),
            ("rhel_eus:9.2::appstream", "rhel_eus:9.2", true),
            ("rhel_e4s:8.6::baseos", "rhel_e4s:8.6", true),
            ("enterprise_linux_eus:10.0", "rhel_eus:10.0", true),
            ("rhel_els:7", "rhel_els:7", true),
            ("rhel_extras:7", "rhel_extras:7", false),
            ("enterprise_linux_nvidia:10::el10", "enterprise_linux_nvidia:10", false),
            ("openshift:4.16::el9", "openshift:4.16", false),
            ("9", "9", false),
        ] {
            let release = release(product);
            assert_eq!(release, expected);
            assert_eq!(is_stream(&Ecosystem::new(NAME, release)), stream, "{product}");
        }
    }

    #[test]
    fn hosts_and_repositories() {
        let releases = |version| -> Vec<String> {
            of_host(version).into_iter().map(|ecosystem| ecosystem.release).collect()
        };
        assert_eq!(releases("9.2")[0], "9");
        assert!(releases("9.2").contains(&"rhel_eus:9.2".into()));
        assert!(releases("7.9").contains(&"rhel_els:7".into()));
        assert!(!releases("9").iter().any(|release| release.starts_with("rhel_eus")));
        let eus = Ecosystem::new(NAME, "rhel_eus:9.2");
        assert_eq!(minor_of(&eus), Some("9.2"));
        assert_eq!(minor_of(&Ecosystem::new(NAME, "rhel_els:7")), None);
        assert_eq!(minor_of(&Ecosystem::new(NAME, "9")), None);
        assert!(is_from("rhel-9-for-x86_64-baseos-eus-rpms", &eus));
        assert!(!is_from("rhel-9-for-x86_64-baseos-rpms", &eus));
        assert!(!is_from("rhel-9-for-x86_64-baseos-e4s-rpms", &eus));
        assert!(has_stream("rhel-9-for-x86_64-baseos-e4s-rpms"));
        assert!(!has_stream("rhel-9-for-x86_64-baseos-rpms"));
    }

    #[test]
    fn minor_releases_of_builds() {
        for (version, expected) in [
            ("5.14.0-284.30.1.el9_2", Some((9, 2))),
            ("5.14.0-284.30.1.el9_2.1", Some((9, 2))),
            ("1:1.1.1k-12.el8_10", Some((8, 10))),
            ("1:18.14.2-3.module+el9.2.0.z+18964+42696395", Some((9, 2))),
            ("3.6-1.module+el8.10.0+1+abc", Some((8, 10))),
            ("2.34-60.el9", None),
            ("2.34-60.el9.1", None),
            ("7.61.1-33.el8.2.x", None),
            ("1.0-5.hotel9_2", None),
            ("1.0.el9_2", None),
            ("1.0-1.el99999999999_2", None),
            ("1.0-1.el9_", None),
            ("", None),
        ] {
            assert_eq!(built_for(version), expected, "{version}");
        }
    }
}
