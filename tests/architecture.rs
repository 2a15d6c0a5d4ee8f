//! The invariants of the house: layers, purity, no way out of the machine, small files.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every module and what it may import beside itself.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("diagnostic", &[]),
    ("model", &[]),
    ("snapshot", &["model", "diagnostic"]),
    ("rules", &["model", "diagnostic"]),
    ("advisory", &["model", "diagnostic"]),
    ("emit", &["model"]),
    ("collect", &["model", "snapshot", "diagnostic"]),
    ("engine", &["model", "rules", "advisory", "diagnostic"]),
    ("assess", &["model", "diagnostic", "snapshot", "rules", "advisory", "engine"]),
    ("api", &["model", "diagnostic", "snapshot", "rules", "advisory", "engine", "assess", "emit"]),
    (
        "cli",
        &[
            "model",
            "diagnostic",
            "snapshot",
            "rules",
            "advisory",
            "engine",
            "assess",
            "api",
            "emit",
            "collect",
        ],
    ),
];

/// What the engine must not touch.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::std",
    "SystemTime",
    "Instant::",
    "rustix::",
];

const HTTP_CLIENTS: [&str; 8] =
    ["attohttpc", "awc", "curl", "isahc", "minreq", "reqwest", "surf", "ureq"];

/// Which features make a client of a library that is also a server, in a tree of `package|features`.
fn client_features(tree: &str) -> Vec<&str> {
    tree.lines()
        .filter(|line| line.starts_with("hyper v") || line.starts_with("hyper-util v"))
        .filter(|line| {
            let features = line.split('|').nth(1).unwrap_or_default();
            features.split([',', ' ']).any(|feature| feature.starts_with("client"))
        })
        .collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![project().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The modules of this crate that a text names, in code.
fn imports(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .filter(|name| MAY_IMPORT.iter().any(|(module, _)| module == name))
        .collect()
}

fn layer_breaks(module: &str, text: &str) -> Vec<String> {
    let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == module).unwrap().1;
    imports(text)
        .into_iter()
        .filter(|import| *import != module && !allowed.contains(import))
        .map(|import| format!("{module} imports {import}"))
        .collect()
}

fn impurities(text: &str) -> Vec<&'static str> {
    IMPURE.into_iter().filter(|word| text.contains(word)).collect()
}

#[test]
fn modules_import_from_lower_ranks_only() {
    for (module, _) in MAY_IMPORT {
        for (path, text) in sources(&format!("src/{module}")) {
            let breaks = layer_breaks(module, &text);
            assert!(breaks.is_empty(), "{}: {breaks:?}", path.display());
        }
    }
    assert_eq!(layer_breaks("model", "use crate::snapshot::Writer;"), ["model imports snapshot"]);
    assert_eq!(layer_breaks("engine", "x(crate::cli::run)"), ["engine imports cli"]);
    assert!(layer_breaks("cli", "use crate::model::value::Value;").is_empty());
}

#[test]
fn every_folder_has_a_rank() {
    for entry in fs::read_dir(project().join("src")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(MAY_IMPORT.iter().any(|(module, _)| *module == name), "{name} has no rank");
        }
    }
}

#[test]
fn the_engine_is_pure() {
    for (path, text) in sources("src/engine") {
        assert_eq!(impurities(&text), [""; 0], "{}", path.display());
    }
    assert_eq!(impurities("let now = std::time::SystemTime::now();"), ["SystemTime"]);
}

#[test]
fn only_the_command_line_prints() {
    for (path, text) in sources("src") {
        let inside = path.strip_prefix(project().join("src")).unwrap();
        if inside.starts_with("cli") {
            continue;
        }
        for word in
            ["println!", "print!(", "std::process::exit", "env::var", "io::stdout", "io::stderr"]
        {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(
                !code.into_iter().any(|line| line.contains(word)),
                "{}: {word}",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_can_leave_the_machine() {
    let lock = fs::read_to_string(project().join("Cargo.lock")).unwrap();
    for client in HTTP_CLIENTS {
        assert!(!lock.contains(&format!("name = \"{client}\"\n")), "{client} is in Cargo.lock");
    }
    assert!(lock.contains("name = \"serde\"\n"), "the lock file is read as it is written");
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{f}"])
        .current_dir(project())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("hyper v"), "the tree is read as it is written");
    assert_eq!(client_features(&tree), [""; 0], "hyper is a server here");
    assert_eq!(client_features("hyper v1.0.0|client,http1\n").len(), 1);
    assert_eq!(client_features("hyper-util v0.1.0|client-legacy,tokio (*)\n").len(), 1);
    assert!(client_features("hyper v1.0.0|http1,server\n").is_empty());
}

#[test]
fn files_are_small_and_main_is_tiny() {
    for (path, text) in sources("src") {
        let lines = text.lines().count();
        assert!(lines <= 600, "{} has {lines} lines: split it by what it knows", path.display());
    }
    let main = fs::read_to_string(project().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 20, "main.rs only turns an exit code into the process's");
}

#[test]
fn there_is_no_unsafe_code() {
    for folder in ["src", "tests", "benches"] {
        if !project().join(folder).exists() {
            continue;
        }
        for (path, text) in sources(folder) {
            let word = ["unsafe", " {"].concat();
            assert!(!text.contains(&word), "{}", path.display());
        }
    }
}

#[test]
fn ignored_tests_say_why() {
    for folder in ["src", "tests"] {
        for (path, text) in sources(folder) {
            let bare = ["#[", "ignore]"].concat();
            assert!(!text.contains(&bare), "{}", path.display());
        }
    }
}

#[test]
fn every_lens_and_derived_table_is_registered() {
    use assay::model::{derive, lens};
    for (folder, registered) in
        [("src/model/lens", lens::all().len()), ("src/model/derive", derive::all().len())]
    {
        let declared = sources(folder).iter().filter(|(_, text)| text.contains("#[table(")).count();
        assert_eq!(declared, registered, "{folder}: a file is not in all()");
    }
}
