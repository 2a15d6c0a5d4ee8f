//! A root with a few programs of this machine and the libraries that they load.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Fact;
use assay::model::facts::MemoryFacts;
use assay::model::state::TableState;
use assay::model::table::ConfigFile;
use assay::model::view::View;
use assay::snapshot::{Codec, Snapshot};

pub(crate) struct Stage(tempfile::TempDir);

impl Stage {
    /// A root that has these programs, each under its own path.
    pub(crate) fn with(programs: &[&str]) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(stage.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for directory in [
            "etc",
            "dev",
            "proc",
            "run",
            "tmp",
            "var",
            "usr/bin",
            "usr/lib",
            "usr/lib64",
            "usr/sbin",
        ] {
            fs::create_dir_all(stage.path(directory)).unwrap();
        }
        // As in every merged /usr, through which libraries are found.
        for name in ["bin", "lib", "lib64", "sbin"] {
            symlink(format!("usr/{name}"), stage.path(name)).unwrap();
        }
        fs::write(stage.path("dev/null"), "").unwrap();
        stage.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n");
        for program in programs {
            stage.copy(program);
            let listed = Command::new("ldd").arg(program).output().unwrap();
            for word in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
                if word.starts_with('/') {
                    stage.copy(word);
                }
            }
        }
        stage
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.path().join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Copies a file of this machine.
    fn copy(&self, path: &str) {
        let to = self.path(path);
        if !to.exists() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(path, to).unwrap();
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let to = self.path(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text).unwrap();
    }

    /// Puts these files into directories that then hold nothing else. A text that begins with `->`
    /// is where a link leads.
    pub(crate) fn replace(&self, directories: &[&str], files: &[(&str, &str)]) {
        for directory in directories {
            let directory = self.path(directory);
            if directory.is_dir() {
                fs::remove_dir_all(&directory).unwrap();
            }
            fs::create_dir_all(directory).unwrap();
        }
        for (path, text) in files {
            match text.strip_prefix("->") {
                Some(target) => symlink(target, self.path(path)).unwrap(),
                None => self.write(path, text),
            }
        }
    }

    /// What a program prints when this is its root.
    pub(crate) fn run(&self, program: &[&str]) -> Output {
        let mut command = Command::new("chroot");
        command.arg(self.0.path()).args(program).env_clear().env("PATH", "/usr/sbin:/usr/bin");
        command.output().unwrap()
    }

    /// The configuration that collecting this root finds.
    pub(crate) fn facts(&self) -> MemoryFacts {
        let root = DirectoryRoot::open(self.0.path()).unwrap();
        let bytes = collect(&root, &Options::default(), Codec::Raw, &Silent).unwrap();
        let snapshot = Snapshot::from_bytes(bytes).unwrap();
        let (state, files) = View::new(&snapshot).typed::<ConfigFile>().unwrap();
        assert!(state.is_complete(), "{state:?}");
        MemoryFacts::new().with(files)
    }

    /// How much of this root a lens could read.
    pub(crate) fn state<F: Fact>(&self) -> TableState {
        View::new(&self.facts()).typed::<F>().unwrap().0
    }

    /// The rows of a lens on this root.
    pub(crate) fn rows<F: Fact>(&self) -> Vec<F> {
        let (state, rows) = View::new(&self.facts()).typed::<F>().unwrap();
        assert!(state.is_complete(), "{state:?}");
        rows
    }
}

/// Standard output of a program that succeeded, else what it complains of.
pub(crate) fn printed(output: &Output) -> Result<String, String> {
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Fails with everything that the program and the lens understand differently.
pub(crate) fn agree(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} disagreements\n{}", wrong.len(), wrong.join("\n"));
}
