//! Kernel parameters as they run: the files of /proc/sys (proc(5), sysctl(8)).

use std::fs;
use std::path::Path;

use super::files::{is_denied, read_text};
use crate::model::state::TableState;
use crate::model::table::KernelParameter;

const PARAMETERS: &str = "/proc/sys";
/// Longest value.
const LONGEST: u64 = 64 * 1024;
/// Most parameters, and how deep they are nested. Every interface adds about a hundred.
const MOST: usize = 200_000;
const DEEPEST: usize = 12;
/// Read from configuration, and not to be looked at: automounts a file system.
const SKIPPED: [&str; 1] = ["/proc/sys/fs/binfmt_misc"];
/// Values that are keys.
const SECRET: [&str; 2] = ["tcp_fastopen_key", "stable_secret"];

/// Every readable parameter by its key, white space of its value folded.
///
/// Parts of a key are joined with dots; a dot inside a part (`eth0.100`) is written as `/`, as
/// sysctl does. Parameters that can only be written have no row. Truncated where some may only be
/// read by root. The values of keys (of TCP fast open and of stable addresses) are left out.
pub fn kernel_parameters() -> (TableState, Vec<KernelParameter>) {
    let mut found = Found::default();
    found.directory(Path::new(PARAMETERS), "", DEEPEST);
    found.rows.sort_by(|a, b| a.key.cmp(&b.key));
    let state = if found.rows.is_empty() {
        TableState::denied(format!("{PARAMETERS} could not be read"))
    } else if found.overflow {
        TableState::truncated(format!("{PARAMETERS} has more than {MOST} parameters"))
    } else {
        match found.denied.as_slice() {
            [] => TableState::Collected,
            [first, ..] => TableState::truncated(format!(
                "{} kernel parameters may only be read by root, among them {first}",
                found.denied.len()
            )),
        }
    };
    (state, found.rows)
}

#[derive(Default)]
struct Found {
    rows: Vec<KernelParameter>,
    denied: Vec<String>,
    overflow: bool,
}

impl Found {
    fn directory(&mut self, path: &Path, prefix: &str, depth: usize) {
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let key = join(prefix, &name.to_string_lossy());
            let path = entry.path();
            if self.rows.len() >= MOST {
                self.overflow = true;
            } else if kind.is_dir() {
                let skipped = SKIPPED.iter().any(|skipped| path == Path::new(skipped));
                if depth > 0 && !skipped {
                    self.directory(&path, &key, depth - 1);
                }
            } else if kind.is_file() {
                self.file(&path, key);
            }
        }
    }

    fn file(&mut self, path: &Path, key: String) {
        let secret = SECRET.iter().any(|secret| key.ends_with(secret));
        if secret || !is_readable(path) {
            return;
        }
        match read_text(path, LONGEST) {
            Ok((text, _)) => {
                self.rows.push(KernelParameter { key: key.into(), value: folded(&text).into() });
            }
            Err(error) if is_denied(&error) => self.denied.push(key),
            // Some have no value at the moment, and say so with an error.
            Err(_) => {}
        }
    }
}

/// Whether anybody may read it: a parameter that triggers something can only be written.
fn is_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o444 != 0)
}

fn join(prefix: &str, name: &str) -> String {
    let name = name.replace('.', "/");
    if prefix.is_empty() { name } else { format!("{prefix}.{name}") }
}

/// Words joined by one space; `\0` between them counts as white space.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == '\0').collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        assert_eq!(join("net.ipv4.conf", "eth0.100"), "net.ipv4.conf.eth0/100");
        assert_eq!(join("", "kernel"), "kernel");
        assert_eq!(folded("4096\t16384\n 4\n"), "4096 16384 4");
    }

    #[test]
    fn this_machine_has_parameters() {
        let (state, rows) = kernel_parameters();
        assert!(!matches!(state, TableState::Denied(_)), "{state}");
        let pid_max = rows.iter().find(|row| &*row.key == "kernel.pid_max").unwrap();
        assert!(pid_max.value.parse::<u64>().unwrap() > 300);
        assert!(!rows.iter().any(|row| row.key.contains("tcp_fastopen_key")));
    }
}
