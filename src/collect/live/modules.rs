//! The executables and libraries that a process has mapped (proc_pid_maps(5)).

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::files::{read_text, unescape};

/// Longest list of mappings.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Names of mappings that are no files of a file system.
const NO_FILES: [&str; 6] = ["/memfd:", "/SYSV", "/dev/zero", "/anon_hugepage", "/[aio]", "/i915"];

/// A mapped file, and whether it is gone.
pub(super) type Module = (String, bool);

/// The files that a process has mapped as code.
///
/// # Errors
/// As the system gives them.
pub(super) fn modules(directory: &Path) -> io::Result<BTreeSet<Module>> {
    read_text(directory.join("maps"), LONGEST).map(|(text, _)| parse(&text))
}

/// `55dd01734000-55dd0173a000 r-xp 00002000 fe:00 247282      /usr/bin/head`
fn parse(text: &str) -> BTreeSet<Module> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Module> {
    let mut rest = line;
    let mut fields = [""; 5];
    for field in &mut fields {
        let (head, tail) = rest.split_once(' ')?;
        (*field, rest) = (head, tail.trim_start_matches(' '));
    }
    let [_, permissions, _, _, inode] = fields;
    if permissions.as_bytes().get(2) != Some(&b'x') || inode == "0" {
        return None;
    }
    let (path, deleted) = match rest.strip_suffix(" (deleted)") {
        Some(path) => (path, true),
        None => (rest, false),
    };
    let is_file = path.starts_with('/') && !NO_FILES.iter().any(|name| path.starts_with(name));
    is_file.then(|| (unescape(path), deleted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_files() {
        let text = "\
55dd01732000-55dd01734000 r--p 00000000 fe:00 247282                     /usr/bin/data
55dd01734000-55dd0173a000 r-xp 00002000 fe:00 247282                     /usr/bin/a b
7f0000000000-7f0000001000 r-xp 00000000 fe:00 7 /usr/lib/old.so (deleted)
7f0000002000-7f0000003000 r-xp 00000000 00:01 9 /memfd:jit (deleted)
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
7ffd00000000-7ffd00001000 rwxp 00000000 00:00 0 
";
        let seen: Vec<Module> = parse(text).into_iter().collect();
        assert_eq!(seen, [("/usr/bin/a b".into(), false), ("/usr/lib/old.so".into(), true)]);
        for bad in ["", "a b c d e", "a r-xp c d 1 ", "a r-x c d 1 x"] {
            assert!(parse(bad).is_empty(), "{bad:?}");
        }
    }

    #[test]
    fn this_process_has_itself_mapped() {
        let exe = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        assert!(modules(Path::new("/proc/self")).unwrap().contains(&(exe, false)));
    }
}
