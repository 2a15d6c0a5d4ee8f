//! Java: archives with the properties that Maven leaves in them, and archives within archives, as
//! web applications and Spring Boot have them. Where Maven left nothing, the manifest and the
//! file's name tell what they can; an archive of which neither tells a version is passed over.
//!
//! Formats: the JAR file specification; Maven Archiver's `pom.properties`; for the relation of
//! `Bundle-SymbolicName` to Maven's names the maven-bundle-plugin.

use std::io::{self, Read};

use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator};

use super::Found;
use crate::collect::root::Content;

const ENDINGS: [&str; 7] = [".jar", ".war", ".ear", ".hpi", ".jpi", ".par", ".sar"];
const MANIFEST: &str = "META-INF/MANIFEST.MF";
/// Archives in archives in archives.
const MAX_DEPTH: usize = 4;
/// The most entries of one archive.
const MAX_ENTRIES: usize = 200_000;
/// The most bytes of a manifest or of properties.
const MAX_TEXT: u64 = 1 << 20;
/// The most bytes of an archive in an archive.
const MAX_NESTED: u64 = 64 << 20;
/// How much is read at once of a list of entries.
const BUFFER: usize = 64 << 10;

/// Whether a file is an archive, by its name.
pub(super) fn is_archive(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ENDINGS.iter().any(|ending| {
        let start = name.len().checked_sub(ending.len());
        start
            .and_then(|start| name.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    })
}

/// The packages of an archive, and why some may be missing. What is unpacked is taken from `room`,
/// in bytes.
pub(super) fn read(
    path: &str,
    size: u64,
    content: &dyn Content,
    room: &mut u64,
) -> (Vec<Found>, Option<String>) {
    let mut reading = Reading { found: Vec::new(), problem: None, room };
    reading.archive(&At(content), size, path, &[]);
    (reading.found, reading.problem)
}

/// A file as the library reads archives.
struct At<'a>(&'a dyn Content);

impl rawzip::ReaderAt for At<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

struct Reading<'a> {
    found: Vec<Found>,
    problem: Option<String>,
    /// What may still be unpacked.
    room: &'a mut u64,
}

/// An entry that is of use.
struct Entry {
    name: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

type Archive<'a> = ZipArchive<&'a dyn rawzip::ReaderAt>;

impl Reading<'_> {
    fn archive(&mut self, reader: &dyn rawzip::ReaderAt, size: u64, path: &str, within: &[String]) {
        let mut buffer = vec![0; BUFFER];
        let located = ZipLocator::new().locate_in_reader(reader, &mut buffer, size);
        let listed = located
            .map_err(|(_, error)| error)
            .and_then(|archive| Ok((entries(&archive, &mut buffer)?, archive)));
        match listed {
            Ok((entries, archive)) => self.entries(&archive, &entries, path, within),
            Err(error) => self.say(within, &format!("it is no archive that can be read: {error}")),
        }
    }

    fn entries(&mut self, archive: &Archive<'_>, entries: &[Entry], path: &str, within: &[String]) {
        if entries.len() > MAX_ENTRIES {
            self.say(within, "it has too many entries");
            return;
        }
        let mut manifest = None;
        let mut by_maven = false;
        for entry in entries {
            if entry.name == MANIFEST {
                manifest = self.text(archive, entry, within);
            } else if is_archive(&entry.name) {
                self.nested(archive, entry, within);
            } else if let Some(text) = self.text(archive, entry, within) {
                let found = of_properties(&text);
                by_maven |= found.is_some();
                self.add(found, within);
            }
        }
        if !by_maven {
            self.add(of_manifest(&manifest.unwrap_or_default(), path), within);
        }
    }

    fn nested(&mut self, archive: &Archive<'_>, entry: &Entry, within: &[String]) {
        let mut inner = within.to_vec();
        inner.push(entry.name.clone());
        if inner.len() > MAX_DEPTH {
            self.say(&inner, "it lies too deep");
            return;
        }
        match self.unpack(archive, entry, MAX_NESTED) {
            Ok(bytes) => self.archive(&bytes, bytes.len() as u64, &entry.name, &inner),
            Err(problem) => self.say(&inner, &problem),
        }
    }

    fn text(&mut self, archive: &Archive<'_>, entry: &Entry, within: &[String]) -> Option<String> {
        match self.unpack(archive, entry, MAX_TEXT) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(problem) => {
                self.say(within, &format!("{}: {problem}", entry.name));
                None
            }
        }
    }

    fn unpack(
        &mut self,
        archive: &Archive<'_>,
        entry: &Entry,
        most: u64,
    ) -> Result<Vec<u8>, String> {
        let most = most.min(*self.room);
        let stored = archive.get_entry(entry.place).map_err(|error| error.to_string())?;
        let packed = stored.reader();
        let plain: Box<dyn Read> = match entry.method {
            CompressionMethod::STORE => Box::new(packed),
            CompressionMethod::DEFLATE => Box::new(flate2::read::DeflateDecoder::new(packed)),
            _ => return Err("its compression is not known".into()),
        };
        let mut bytes = Vec::new();
        let read = stored.verifying_reader(plain).take(most + 1).read_to_end(&mut bytes);
        *self.room -= most.min(bytes.len() as u64);
        read.map_err(|error| error.to_string())?;
        if bytes.len() as u64 > most {
            return Err(format!("more than {most} bytes"));
        }
        Ok(bytes)
    }

    fn add(&mut self, found: Option<Found>, within: &[String]) {
        let inside = (!within.is_empty()).then(|| within.join("!"));
        self.found.extend(found.map(|found| Found { inside, ..found }));
    }

    /// The first problem is told.
    fn say(&mut self, within: &[String], problem: &str) {
        let place = within.join("!");
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        self.problem.get_or_insert_with(|| format!("{place}{problem}").escape_debug().to_string());
    }
}

/// The entries that are of use; one more than there may be where there are too many.
fn entries(archive: &Archive<'_>, buffer: &mut [u8]) -> Result<Vec<Entry>, rawzip::Error> {
    let mut wanted = Vec::new();
    let mut all = archive.entries(buffer);
    while let Some(entry) = all.next_entry()? {
        let path = entry.file_path();
        let name = String::from_utf8_lossy(path.as_ref());
        let properties = name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties");
        if entry.is_dir() || !(name == MANIFEST || properties || is_archive(&name)) {
            continue;
        }
        let name = name.into_owned();
        let (method, place) = (entry.compression_method(), entry.wayfinder());
        wanted.push(Entry { name, method, place });
        if wanted.len() > MAX_ENTRIES {
            break;
        }
    }
    Ok(wanted)
}

/// `groupId=`, `artifactId=` and `version=`.
fn of_properties(text: &str) -> Option<Found> {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(['=', ':'])?;
            (name.trim() == key).then(|| value.trim())
        })
    };
    let name = format!("{}:{}", value("groupId")?, value("artifactId")?);
    Found::new("Maven", &name, value("version")?)
}

/// From the manifest and the file's name. A jar that tells no group is named by its artifact alone.
fn of_manifest(manifest: &str, path: &str) -> Option<Found> {
    let manifest = main_section(manifest);
    let value = |key: &str| {
        manifest.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| &**value)
    };
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let (artifact, version) = artifact_and_version(stem);
    let version =
        version.or_else(|| value("Implementation-Version")).or_else(|| value("Bundle-Version"))?;
    let symbolic =
        value("Bundle-SymbolicName").map(|name| name.split(';').next().unwrap_or(name).trim());
    let group = symbolic
        .and_then(|symbolic| group_of(symbolic, artifact))
        .or_else(|| value("Implementation-Vendor-Id").map(str::to_owned));
    match group {
        Some(group) => Found::new("Maven", &format!("{group}:{artifact}"), version),
        None => Found::new("Maven", artifact, version),
    }
}

/// `commons-lang3-3.12.0` is `commons-lang3` and `3.12.0`.
fn artifact_and_version(stem: &str) -> (&str, Option<&str>) {
    let digit = |at: usize| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    match stem.match_indices('-').find(|(at, _)| digit(*at)) {
        Some((at, _)) => (&stem[..at], Some(&stem[at + 1..])),
        None => (stem, None),
    }
}

/// Maven's group out of a symbolic name, which is group and artifact joined, what they share named
/// once.
fn group_of(symbolic: &str, artifact: &str) -> Option<String> {
    if let Some(group) = symbolic.strip_suffix(artifact).and_then(|rest| rest.strip_suffix('.')) {
        return Some(group.to_owned());
    }
    let dotted = artifact.replace('-', ".");
    let rest = symbolic.strip_suffix(&dotted)?.strip_suffix('.')?;
    let shared = artifact.split('-').next().unwrap_or_default();
    Some(format!("{rest}.{shared}"))
}

/// The attributes before the first empty line; a line that begins with a space goes on.
fn main_section(manifest: &str) -> Vec<(String, String)> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for line in manifest.lines().take_while(|line| !line.is_empty()) {
        if let Some(more) = line.strip_prefix(' ') {
            if let Some((_, value)) = attributes.last_mut() {
                value.push_str(more);
            }
        } else if let Some((name, value)) = line.split_once(": ") {
            attributes.push((name.to_owned(), value.trim_end().to_owned()));
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_by_name() {
        for path in ["/x/a.jar", "a.WAR", "lib/b.ear"] {
            assert!(is_archive(path), "{path}");
        }
        for path in ["/x/a.jar.sha1", "/x.jar/y", "jar", "é"] {
            assert!(!is_archive(path), "{path}");
        }
    }

    #[test]
    fn names_from_manifests_and_files() {
        let named = |manifest: &str, path: &str| {
            of_manifest(manifest, path).map(|found| format!("{} {}", found.name, found.version))
        };
        for (manifest, path, expected) in [
            (
                "Bundle-SymbolicName: org.apache.commons.lang3;x=1\n",
                "/l/commons-lang3-3.12.0.jar",
                Some("org.apache.commons:commons-lang3 3.12.0"),
            ),
            (
                "Bundle-SymbolicName: org.apache.commons.commons-io\r\n",
                "/l/commons-io-2.11.0.jar",
                Some("org.apache.commons:commons-io 2.11.0"),
            ),
            (
                "Bundle-SymbolicName: org.apache.maven.core\n",
                "/l/maven-core-3.8.jar",
                Some("org.apache.maven:maven-core 3.8"),
            ),
            (
                "Implementation-Vendor-Id: org.example\nImplementation-Version: 1.\n 2\n",
                "/l/thing.jar",
                Some("org.example:thing 1.2"),
            ),
            ("Created-By: 17\n", "/l/lonely-1.0.jar", Some("lonely 1.0")),
            ("Created-By: 17\n\nImplementation-Version: 1\n", "/l/tools.jar", None),
        ] {
            assert_eq!(named(manifest, path).as_deref(), expected, "{path}");
        }
    }
}
