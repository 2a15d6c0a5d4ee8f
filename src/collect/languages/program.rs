//! Executables that say what they were built from: Go's build information and the list that
//! `cargo auditable` adds.
//!
//! Formats: Go's `debug/buildinfo`; <https://github.com/rust-secure-code/cargo-auditable>
//! (PARSING.md).

use std::io::Read;

use serde::Deserialize;

use super::Found;
use crate::collect::elf::Elf;
use crate::collect::root::Content;

/// The most bytes of a list of modules or packages.
const MAX_LIST: u64 = 16 << 20;
const GO_MAGIC: &[u8; 14] = b"\xff Go buildinf:";
/// Where strings begin that lie right after the header, and how long the header is.
const GO_HEADER: usize = 32;
const GO_INLINE: u8 = 2;
const GO_BIG_ENDIAN: u8 = 1;

/// The packages that an executable says it was built from, and why some may be missing.
pub(super) fn read(content: &dyn Content) -> std::io::Result<(Vec<Found>, Option<String>)> {
    let mut head = Vec::new();
    let Some(elf) = Elf::open(&mut head, content)? else { return Ok((Vec::new(), None)) };
    let mut found = Vec::new();
    let mut problem = None;
    for (name, read) in [
        (".go.buildinfo", of_go as fn(&Elf<'_>, &[u8]) -> Option<Vec<Found>>),
        (".dep-v0", of_rust),
    ] {
        let Some(section) = elf.section(name) else { continue };
        let read = match elf.section_bytes(&section, MAX_LIST) {
            Some(bytes) => read(&elf, &bytes),
            None => None,
        };
        match read {
            Some(more) => found.extend(more),
            None => problem = Some(format!("its section {name} makes no sense")),
        }
    }
    Ok((found, problem))
}

/// Go's modules, and its standard library.
fn of_go(elf: &Elf<'_>, bytes: &[u8]) -> Option<Vec<Found>> {
    let header = bytes.get(..GO_HEADER)?;
    if header.get(..GO_MAGIC.len())? != GO_MAGIC {
        return None;
    }
    let (pointer, flags) = (usize::from(header[14]), header[15]);
    let (version, modules) = if flags & GO_INLINE != 0 {
        let (version, rest) = counted(bytes.get(GO_HEADER..)?)?;
        let (modules, _) = counted(rest)?;
        (version.to_vec(), modules.to_vec())
    } else {
        // Up to Go 1.17: addresses of two string headers.
        if !matches!(pointer, 4 | 8) {
            return None;
        }
        let number = |bytes: &[u8]| {
            let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            match flags & GO_BIG_ENDIAN {
                0 => bytes.iter().rev().fold(0, fold),
                _ => bytes.iter().fold(0, fold),
            }
        };
        let text = |address: u64| {
            let header = elf.at_address(address, 2 * pointer as u64)?;
            let (start, length) = (number(header.get(..pointer)?), number(header.get(pointer..)?));
            (length <= MAX_LIST).then(|| elf.at_address(start, length)).flatten()
        };
        let version = text(number(header.get(16..16 + pointer)?))?;
        // A program that was built outside modules has none.
        let modules = text(number(header.get(16 + pointer..16 + 2 * pointer)?)).unwrap_or_default();
        (version, modules)
    };
    let mut found = Vec::new();
    let version = String::from_utf8(version).ok()?;
    let release = version.split_whitespace().next().and_then(|word| word.strip_prefix("go"));
    found.extend(release.and_then(|release| Found::new("Go", "stdlib", release)));
    found.extend(modules_of(&modules));
    Some(found)
}

/// A number in groups of seven bits, the lowest first, and so many bytes.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let rest = bytes.get(index + 1..)?;
            return rest.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// Lines of `dep`, path, version and sum, parted by tabs; `=>` replaces the line before. Sixteen
/// bytes before and after mark the text.
fn modules_of(bytes: &[u8]) -> Vec<Found> {
    let text = bytes.len().checked_sub(16).and_then(|end| bytes.get(16..end)).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let mut modules: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        let mut words = line.split('\t');
        let (kind, path, version) =
            (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match kind {
            Some("mod" | "dep") => modules.push((path, version)),
            Some("=>") => {
                if let Some(last) = modules.last_mut() {
                    *last = (path, version);
                }
            }
            _ => {}
        }
    }
    // The program itself is often `(devel)`, and what replaces a module a directory.
    let versioned = modules.into_iter().filter_map(|(path, version)| {
        let version = version.strip_prefix('v')?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| Found::new("Go", path, version))?
    });
    versioned.collect()
}

#[derive(Deserialize)]
struct Audited {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    /// Other than `runtime`: it is not in the program.
    kind: Option<String>,
}

/// Crates of crates.io.
fn of_rust(_elf: &Elf<'_>, bytes: &[u8]) -> Option<Vec<Found>> {
    let mut json = Vec::new();
    let read = flate2::read::ZlibDecoder::new(bytes).take(MAX_LIST + 1).read_to_end(&mut json);
    read.ok().filter(|length| *length as u64 <= MAX_LIST)?;
    let audited: Audited = serde_json::from_slice(&json).ok()?;
    let crates = audited.packages.into_iter().filter(|one| {
        one.source == "crates.io" && one.kind.as_deref().is_none_or(|kind| kind == "runtime")
    });
    Some(crates.filter_map(|one| Found::new("crates.io", &one.name, &one.version)).collect())
}
