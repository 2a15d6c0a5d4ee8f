//! A console in this process, and somebody who uses it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use assay::api::console::{Ask, Console, Fields, Told};
use assay::api::http::Credentials;
use assay::api::{Parts, Service, runs};
use assay::assess::store::Millis;
use assay::collect::{DirectoryRoot, Options, collect};
use assay::diagnostic::Silent;
use assay::model::cell::Time;
use assay::rules::{DEFAULT_PROFILE, Library};
use assay::snapshot::Codec;

/// A browser at a console.
pub(crate) struct Desk {
    console: Arc<Console>,
    data: Arc<tempfile::TempDir>,
    cookie: Option<String>,
    guard: String,
}

impl Desk {
    /// At a console that anybody may use.
    pub(crate) fn open() -> Self {
        Self::at(false)
    }

    /// At a console that asks for a key.
    pub(crate) fn locked() -> Self {
        Self::at(true)
    }

    fn at(locked: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let ticks = AtomicI64::new(1_700_000_000_000);
        let service = Service::open(Parts {
            data: data.path().to_owned(),
            plan: Library::embedded().compile().unwrap(),
            profile: Some(DEFAULT_PROFILE.into()),
            clock: Arc::new(move || Millis(ticks.fetch_add(1, Ordering::Relaxed))),
            live: None,
        });
        let service = Arc::new(service.unwrap());
        runs::start_workers(&service).unwrap();
        let keys = locked.then(|| Credentials::open(data.path()).unwrap().all.into());
        let console = Arc::new(Console::new(service, keys));
        Self { console, data: Arc::new(data), cookie: None, guard: String::new() }
    }

    /// Another browser at the same console.
    pub(crate) fn beside(other: &Self) -> Self {
        let (console, data) = (Arc::clone(&other.console), Arc::clone(&other.data));
        let mut desk = Self { console, data, cookie: None, guard: String::new() };
        desk.get("/targets");
        desk
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// What forms of this session carry.
    pub(crate) fn guard(&self) -> String {
        self.guard.clone()
    }

    /// The id and the secret of the data directory's key.
    pub(crate) fn key(&self) -> (String, String) {
        let text = std::fs::read_to_string(self.data().join("credentials")).unwrap();
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_once('=').unwrap().1.trim().to_owned()
        };
        (value("aws_access_key_id"), value("aws_secret_access_key"))
    }

    fn keep(&mut self, told: &Told) {
        if let Some(cookie) = &told.cookie {
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        let page = String::from_utf8_lossy(&told.body);
        if let Some((_, rest)) = page.split_once("name=\"form\" value=\"") {
            self.guard = rest.split('"').next().unwrap().to_owned();
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Told {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let told = self.console.answer(&Ask {
            path,
            query: Fields::read(query.as_bytes()),
            cookie: self.cookie.as_deref(),
            ..Ask::default()
        });
        self.keep(&told);
        told
    }

    fn send(&self, path: &str, fields: &[(&str, &str)], guard: &str, foreign: bool) -> Told {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("form", guard);
        self.console.answer(&Ask {
            post: true,
            path,
            form: Fields::read(form.finish().as_bytes()),
            cookie: self.cookie.as_deref(),
            foreign,
            ..Ask::default()
        })
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Told {
        if self.guard.is_empty() {
            self.get("/targets");
        }
        let told = self.send(path, fields, &self.guard, false);
        self.keep(&told);
        told
    }

    pub(crate) fn post_without_guard(&self, path: &str, fields: &[(&str, &str)]) -> Told {
        self.send(path, fields, "", false)
    }

    pub(crate) fn post_foreign(&self, path: &str, fields: &[(&str, &str)]) -> Told {
        self.send(path, fields, &self.guard, true)
    }

    pub(crate) fn post_with(&self, path: &str, fields: &[(&str, &str)], guard: &str) -> Told {
        self.send(path, fields, guard, false)
    }

    /// What stands in quotes after `before`, which begins with `strip`.
    pub(crate) fn value(&self, page: &str, before: &str, strip: &str) -> String {
        let at = page.find(before).unwrap_or_else(|| panic!("{before} is not in {page}"));
        page[at + strip.len()..].split('"').next().unwrap().to_owned()
    }

    /// The page once it says so.
    pub(crate) fn until(&mut self, path: &str, words: &str) -> String {
        for _ in 0..3000 {
            let told = self.get(path);
            let page = String::from_utf8(told.body).unwrap();
            if page.contains(words) {
                return page;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{path} never says {words}");
    }
}

/// A sample of the project as an agent.
pub(crate) fn put_sample(data: &Path, name: &str) {
    std::fs::copy(format!("snapshots/{name}.assay"), data.join(format!("agents/{name}.assay")))
        .unwrap();
}

/// A host every text of which is markup.
pub(crate) fn put_hostile(data: &Path) {
    let root = tempfile::tempdir().unwrap();
    let text = "<script>alert(1)</script>";
    for (path, content) in [
        (
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"<img src=x>\"\n".to_owned(),
        ),
        ("etc/hostname", format!("{text}\n")),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n".to_owned()),
        (
            "var/lib/dpkg/status",
            format!("Package: sudo\nStatus: install ok installed\nVersion: 1.8.3{text}\n"),
        ),
        ("srv/<img src=x>", String::new()),
    ] {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let options = Options {
        tags: vec![("<img src=x>".to_owned(), format!("{text}\u{202e}\x1b"))],
        now: Time(1_700_000_000),
        ..Options::default()
    };
    let opened = DirectoryRoot::open(root.path()).unwrap();
    let bytes = collect(&opened, &options, Codec::Raw, &Silent).unwrap();
    std::fs::write(data.join("agents/hostile.assay"), bytes).unwrap();
}
