//! Opening paths so that nothing leads out of a root directory.
//!
//! Where the kernel has openat2(2), `RESOLVE_IN_ROOT` does it. Elsewhere (before Linux 5.6, or
//! where a seccomp filter of a container refuses the call) the path is walked here, one component
//! at a time, never following a link in the kernel: a link's target is put in place of its name,
//! an absolute target begins again at the root, and `..` goes back along the way that was walked
//! and never through the file system, so that it cannot pass the root.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// As many links as the kernel follows in one path.
const MAX_LINKS: usize = 40;
/// How often a look-up is repeated that another process disturbed by renaming.
const RETRIES: usize = 16;

/// How many directories are remembered by [`Confined::resolve`].
const REMEMBERED: usize = 64;

/// A directory that paths are confined to.
#[derive(Debug)]
pub(crate) struct Confined {
    root: OwnedFd,
    openat2: bool,
    /// Directories that were resolved before, by the path they were asked for: files are asked for
    /// directory after directory. Only names are looked up by them, nothing is opened.
    resolved: Mutex<HashMap<Vec<u8>, Arc<Resolved>>>,
}

#[derive(Debug)]
struct Resolved {
    components: Vec<Vec<u8>>,
    directory: OwnedFd,
}

impl Confined {
    /// Confines to an open directory.
    pub(crate) fn new(root: OwnedFd) -> Self {
        let mut confined = Self { root, openat2: true, resolved: Mutex::default() };
        let probe = confined.open(b"/", OFlags::PATH, true);
        confined.openat2 = !matches!(
            probe.map_err(|error| Errno::from_io_error(&error)),
            Err(Some(Errno::NOSYS | Errno::PERM | Errno::INVAL))
        );
        confined
    }

    /// The same without openat2, for tests of the walk.
    #[cfg(test)]
    pub(crate) fn without_openat2(root: OwnedFd) -> Self {
        Self { root, openat2: false, resolved: Mutex::default() }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens a path; the last component is followed where it is a link and `follow` says so.
    pub(crate) fn open(&self, path: &[u8], flags: OFlags, follow: bool) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
        let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
        if !self.openat2 {
            let place = self.locate(path, follow)?;
            return Ok(rustix::fs::openat(
                place.directory(self),
                &*place.name,
                flags | OFlags::NOFOLLOW,
                Mode::empty(),
            )?);
        }
        for _ in 0..RETRIES {
            match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
            {
                Err(Errno::AGAIN) => {}
                other => return Ok(other?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// The path that is reached when every link is followed, as its components.
    pub(crate) fn resolve(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut path = Cow::Borrowed(path);
        for _ in 0..=MAX_LINKS {
            let Some((parent, name)) = split(&path) else {
                let place = self.locate(&path, true)?;
                // The last name of a path that is no link may still be missing.
                let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::statat(place.directory(self), &*place.name, flags)?;
                return Ok(place.components);
            };
            let parent = self.remembered(parent)?;
            match rustix::fs::readlinkat(&parent.directory, name, Vec::new()) {
                Ok(target) => {
                    let mut joined = Vec::new();
                    if target.as_bytes().first() != Some(&b'/') {
                        joined = parent.components.join(&b'/');
                        joined.push(b'/');
                    }
                    joined.extend_from_slice(target.as_bytes());
                    path = Cow::Owned(joined);
                }
                Err(Errno::INVAL) => {
                    let mut components = parent.components.clone();
                    components.push(name.to_vec());
                    return Ok(components);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::LOOP.into())
    }

    fn remembered(&self, parent: &[u8]) -> io::Result<Arc<Resolved>> {
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = resolved.get(parent) {
            return Ok(Arc::clone(found));
        }
        let mut place = self.locate(parent, true)?;
        place.enter(self)?;
        let directory = place.directory(self).try_clone_to_owned()?;
        let found = Arc::new(Resolved { components: place.components, directory });
        if resolved.len() >= REMEMBERED {
            resolved.clear();
        }
        resolved.insert(parent.to_vec(), Arc::clone(&found));
        Ok(found)
    }

    fn locate(&self, path: &[u8], follow: bool) -> io::Result<Place> {
        let mut pending: Vec<Vec<u8>> = Vec::new();
        push_components(&mut pending, path);
        let mut place = Place { components: Vec::new(), parent: None, name: b".".to_vec() };
        let mut links = 0;
        while let Some(component) = pending.pop() {
            if component == b".." {
                place.components.pop();
                place.reopen(self)?;
                continue;
            }
            place.enter(self)?;
            place.name = component;
            let last = pending.is_empty();
            if last && !follow {
                place.components.push(place.name.clone());
                break;
            }
            match rustix::fs::readlinkat(place.directory(self), &*place.name, Vec::new()) {
                Ok(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = target.into_bytes();
                    if target.first() == Some(&b'/') {
                        place = Place { components: Vec::new(), parent: None, name: b".".to_vec() };
                    } else {
                        place.name = b".".to_vec();
                    }
                    push_components(&mut pending, &target);
                }
                Err(Errno::INVAL) => place.components.push(place.name.clone()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(place)
    }
}

/// A path's directory and last name; none where the last component is not a name.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().rposition(|byte| *byte == b'/')?;
    let name = &path[at + 1..];
    (!name.is_empty() && name != b"." && name != b"..").then_some((&path[..=at], name))
}

/// Puts the components of a path on a stack, first on top; empty ones and `.` say nothing.
fn push_components(stack: &mut Vec<Vec<u8>>, path: &[u8]) {
    let named = |part: &&[u8]| !part.is_empty() && *part != b".";
    stack.extend(path.split(|byte| *byte == b'/').filter(named).rev().map(<[u8]>::to_vec));
}

/// A place in the tree: a name in an open directory (`.` is the directory itself).
struct Place {
    /// The path from the root, `name` included unless it is `.`.
    components: Vec<Vec<u8>>,
    /// None is the root.
    parent: Option<OwnedFd>,
    name: Vec<u8>,
}

impl Place {
    fn directory<'a>(&'a self, confined: &'a Confined) -> BorrowedFd<'a> {
        self.parent.as_ref().map_or(confined.root(), AsFd::as_fd)
    }

    /// Makes the place itself the directory in which the next name is looked up.
    fn enter(&mut self, confined: &Confined) -> io::Result<()> {
        if self.name != b"." {
            self.parent = Some(open_directory(self.directory(confined), &self.name)?);
            self.name = b".".to_vec();
        }
        Ok(())
    }

    /// Opens the directory that `components` name, from the root on.
    fn reopen(&mut self, confined: &Confined) -> io::Result<()> {
        self.parent = None;
        self.name = b".".to_vec();
        for index in 0..self.components.len() {
            self.parent = Some(open_directory(self.directory(confined), &self.components[index])?);
        }
        Ok(())
    }
}

/// Opens a directory by its name, which must not be a link, only to look up names in it.
fn open_directory(parent: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "outside").unwrap();
        let root = outside.path().join("root");
        std::fs::create_dir_all(root.join("etc/deep")).unwrap();
        std::fs::create_dir_all(root.join("usr/lib")).unwrap();
        std::fs::write(root.join("etc/passwd"), "inside").unwrap();
        std::fs::write(root.join("secret"), "inside root").unwrap();
        for (target, link) in [
            ("/etc", "absolute"),
            ("../etc", "etc/up"),
            ("../../../../../../secret", "etc/out"),
            ("/../../secret", "etc/out2"),
            ("loop", "loop"),
            ("b", "a"),
            ("a", "b"),
            ("usr/lib", "lib"),
            ("/absolute/up/deep/../passwd", "etc/chain"),
            ("nowhere", "etc/dangling"),
            (".", "etc/here"),
            ("passwd", "etc/deep/passwd"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let outside_path = outside.path().join("secret");
        symlink(outside_path, root.join("etc/real")).unwrap();
        outside
    }

    fn open_root(base: &tempfile::TempDir) -> OwnedFd {
        std::fs::File::open(base.path().join("root")).unwrap().into()
    }

    const PATHS: [&str; 28] = [
        "/",
        "",
        "..",
        "/../../..",
        "/etc",
        "/etc/",
        "/etc/passwd",
        "/etc/passwd/",
        "/etc/passwd/..",
        "/etc/../../secret",
        "/absolute/passwd",
        "/absolute/up/up/up/passwd",
        "/etc/out",
        "/etc/out2",
        "/etc/real",
        "/loop",
        "/a",
        "/lib",
        "/lib/",
        "/lib/..",
        "/etc/chain",
        "/etc/dangling",
        "/etc/here/here/passwd",
        "/etc/deep/passwd",
        "/missing",
        "/missing/../etc",
        "/etc/passwd/x",
        "etc/./deep/.//../passwd",
    ];

    #[test]
    fn both_ways_reach_the_same_inodes() {
        let base = tree();
        let kernel = Confined::new(open_root(&base));
        let walk = Confined::without_openat2(open_root(&base));
        for path in PATHS {
            // An empty path is the kernel's NOENT; nothing asks for it.
            if path.is_empty() || path.ends_with("passwd/") || path.ends_with("passwd/..") {
                continue;
            }
            for follow in [true, false] {
                if path.ends_with('/') && !follow {
                    continue;
                }
                let reach = |confined: &Confined| {
                    let file = confined.open(path.as_bytes(), OFlags::PATH, follow)?;
                    let status = rustix::fs::fstat(&file)?;
                    Ok::<_, io::Error>((status.st_dev, status.st_ino))
                };
                let (a, b) = (reach(&kernel), reach(&walk));
                match (&a, &b) {
                    (Ok(a), Ok(b)) => assert_eq!(a, b, "{path} {follow}"),
                    (Err(a), Err(b)) => {
                        assert_eq!(a.raw_os_error(), b.raw_os_error(), "{path} {follow}");
                    }
                    _ => panic!("{path} {follow}: {a:?} {b:?}"),
                }
            }
        }
    }

    #[test]
    fn nothing_reaches_outside() {
        let base = tree();
        let outside = rustix::fs::stat(base.path().join("secret")).unwrap().st_ino;
        for confined in
            [Confined::new(open_root(&base)), Confined::without_openat2(open_root(&base))]
        {
            for path in PATHS {
                if let Ok(file) = confined.open(path.as_bytes(), OFlags::PATH, true) {
                    assert_ne!(rustix::fs::fstat(&file).unwrap().st_ino, outside, "{path}");
                }
            }
        }
    }

    #[test]
    fn a_resolved_path_has_no_links() {
        let base = tree();
        let confined = Confined::new(open_root(&base));
        let resolve = |path: &str| {
            let components = confined.resolve(path.as_bytes())?;
            Ok::<_, io::Error>(String::from_utf8(components.join(&b'/')).unwrap())
        };
        assert_eq!(resolve("/etc/chain").unwrap(), "etc/passwd");
        assert_eq!(resolve("/etc/out").unwrap(), "secret");
        assert_eq!(resolve("/lib").unwrap(), "usr/lib");
        assert_eq!(resolve("/../..").unwrap(), "");
        assert_eq!(resolve("/loop").unwrap_err().raw_os_error(), Some(40));
        assert_eq!(resolve("/etc/dangling").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
