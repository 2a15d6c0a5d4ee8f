//! Prepares the embedded rulesets: every YAML file below `rulesets/` is parsed here, once, so that
//! the program starts from a compact tree. Membership is by directory.

#[path = "src/rules/yaml/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the program uses the rest of the shared module"
)]
mod yaml;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]
fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest")?);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no output directory")?);
    let rulesets = manifest.join("rulesets");
    println!("cargo:rerun-if-changed={}", rulesets.display());
    println!("cargo:rerun-if-changed=src/rules/yaml");
    println!("cargo:rerun-if-changed=build.rs");

    let mut files = Vec::new();
    list(&rulesets, "", &mut files)?;
    files.sort();

    let mut trees = Vec::new();
    let mut table = String::from("&[\n");
    for name in &files {
        let path = rulesets.join(name);
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let start = trees.len();
        if let Ok(node) = yaml::parse(&text) {
            trees.extend(yaml::encode(&without_examples(node)));
        }
        let end = trees.len();
        writeln!(
            table,
            "    Embedded {{ path: {name:?}, text: include_str!({path:?}), tree: ({start}, {end}) }},"
        )?;
    }
    table.push(']');
    fs::write(out.join("rulesets.bin"), trees)?;
    fs::write(out.join("rulesets.in"), table)?;
    Ok(())
}

/// Every `.yaml` file below `directory`, as `/`-joined names.
fn list(directory: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if name.ends_with(".yaml") {
            files.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

/// Examples are most of a file and only `rules check` needs them; it reads the text.
fn without_examples(mut node: yaml::Node) -> yaml::Node {
    if let yaml::Content::Mapping(entries) = &mut node.content {
        entries.retain(|(key, _)| key.text != "examples");
    }
    node
}
