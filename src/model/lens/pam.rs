//! `config.pam`: the stacks of every PAM service, pam.conf(5), with `@include`, `include` and
//! `substack` resolved in place.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

/// Where a service's file is looked for, first place first.
const DIRECTORIES: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];
/// As deep as Linux-PAM follows includes.
const DEPTH: usize = 16;
/// More modules than all stacks of any real host.
const MAX_ROWS: usize = 50_000;
/// More lines than all stacks of any real host, includes followed: includes of files that include
/// others multiply.
const MAX_LINES: usize = 500_000;

facts! {
    /// Modules of every PAM service in the order of its stack, includes resolved.
    #[table(name = "config.pam", origin = Lens, location = "{path}")]
    pub struct Pam {
        /// The file the module is named in.
        pub path: AbsPath,
        /// The line it begins on, from 1.
        pub line: i64,
        /// The service whose stack it is in.
        pub service: Arc<str>,
        /// `auth`, `account`, `password` or `session`.
        pub r#type: Arc<str>,
        /// Position in the resolved stack of the service, from 1.
        pub order: i64,
        /// The control as written, for example `required` or `[success=1 default=ignore]`.
        pub control: Arc<str>,
        /// Whether a refusal of the module makes the stack fail, whatever comes after it: `required`, `requisite`, or as these in brackets.
        pub required: bool,
        /// The module's file name, for example `pam_unix.so`.
        pub module: Arc<str>,
        /// The arguments, those in brackets as one.
        pub args: Vec<Arc<str>>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Pam::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Pam>(files);
        let mut services: BTreeMap<&str, &Text> = BTreeMap::new();
        for directory in DIRECTORIES {
            for file in files.in_directory(directory, "") {
                services.entry(file.path.rsplit('/').next().unwrap_or_default()).or_insert(file);
            }
        }
        let mut parsed: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
        let mut wanted: Vec<&Text> = services.values().copied().collect();
        while let Some(file) = wanted.pop() {
            if !parsed.contains_key(&*file.path) {
                let lines = lines(reading.text(file));
                wanted
                    .extend(lines.iter().filter_map(Line::includes).filter_map(|it| files.get(it)));
                parsed.insert(&file.path, lines);
            }
        }
        let mut resolver = Resolver {
            files,
            services: &services,
            parsed: &parsed,
            rows: Vec::new(),
            open: Vec::new(),
            lines: 0,
            problem: None,
        };
        for service in services.keys() {
            let start = resolver.rows.len();
            resolver.service(service, service, None);
            for (order, row) in (1..).zip(&mut resolver.rows[start..]) {
                row.order = order;
            }
        }
        if let Some(problem) = resolver.problem {
            reading.truncate(problem);
        }
        resolver.rows.into_iter().for_each(|row| reading.push(row));
        Ok(reading.done())
    }
}

/// One line of a service's file.
enum Line {
    Include(String),
    Module { line: i64, kind: String, control: String, path: String, args: Vec<String> },
}

impl Line {
    /// The file that it includes.
    fn includes(&self) -> Option<&str> {
        match self {
            Self::Include(file) => Some(file),
            Self::Module { control, path, .. } => {
                (control == "include" || control == "substack").then_some(path)
            }
        }
    }
}

struct Resolver<'a> {
    files: &'a ConfigFiles,
    services: &'a BTreeMap<&'a str, &'a Text>,
    parsed: &'a BTreeMap<&'a str, Vec<Line>>,
    rows: Vec<Pam>,
    /// The files that are being read, each included by the one before it.
    open: Vec<Arc<str>>,
    /// Lines read so far, a line again each time its file is included.
    lines: usize,
    /// The first reason why the stacks are not complete.
    problem: Option<String>,
}

impl Resolver<'_> {
    /// Adds the modules of a file to a service's stack; of one type only where `only` says so.
    fn service(&mut self, stack: &str, name: &str, only: Option<&str>) {
        // An absolute path is read as it is.
        let file = match name.starts_with('/') {
            true => self.files.get(name),
            false => self.services.get(name).copied(),
        };
        let Some(file) = file else {
            if name.starts_with('/') {
                self.leave_out(|| format!("the PAM file {name} was not collected"));
            }
            return;
        };
        if self.open.contains(&file.path) {
            self.leave_out(|| format!("the PAM file {name} includes itself"));
            return;
        }
        if self.open.len() > DEPTH {
            self.leave_out(|| format!("PAM files are included more than {DEPTH} deep"));
            return;
        }
        self.open.push(Arc::clone(&file.path));
        self.file(stack, file, only);
        self.open.pop();
    }

    fn leave_out(&mut self, reason: impl FnOnce() -> String) {
        self.problem.get_or_insert_with(reason);
    }

    fn file(&mut self, stack: &str, file: &Text, only: Option<&str>) {
        let Some(lines) = self.parsed.get(&*file.path) else { return };
        for line in lines {
            if self.rows.len() == MAX_ROWS || self.lines == MAX_LINES {
                self.leave_out(|| {
                    format!("the PAM stacks have more than {MAX_ROWS} modules or {MAX_LINES} lines")
                });
                return;
            }
            self.lines += 1;
            match line {
                Line::Include(other) => self.service(stack, other, only),
                Line::Module { kind, .. } if only.is_some_and(|only| only != kind) => {}
                Line::Module { kind, control, path, .. }
                    if control == "include" || control == "substack" =>
                {
                    self.service(stack, path, Some(kind));
                }
                Line::Module { line, kind, control, path, args } => self.rows.push(Pam {
                    path: AbsPath(Arc::clone(&file.path)),
                    line: *line,
                    service: stack.into(),
                    r#type: kind.as_str().into(),
                    order: 0,
                    control: control.as_str().into(),
                    required: refusal_counts(control),
                    module: path.rsplit('/').next().unwrap_or(path).into(),
                    args: args.iter().map(|arg| arg.as_str().into()).collect(),
                }),
            }
        }
    }
}

/// Whether a refusal makes the stack fail, whatever comes after it.
pub(in crate::model) fn refusal_counts(control: &str) -> bool {
    let Some(inner) = control.strip_prefix('[') else {
        return matches!(control.to_ascii_lowercase().as_str(), "required" | "requisite");
    };
    let pairs =
        inner.trim_end_matches(']').split_whitespace().filter_map(|pair| pair.split_once('='));
    let of =
        |wanted: &str| pairs.clone().find(|(name, _)| *name == wanted).map(|(_, action)| action);
    matches!(of("perm_denied").or_else(|| of("default")), Some("bad" | "die"))
}

fn lines(text: &str) -> Vec<Line> {
    let mut out = Vec::new();
    let mut pending = String::new();
    let mut start = 1;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        // Such a line stands between the parts of another one without ending it.
        if line.is_empty() {
            continue;
        }
        if pending.is_empty() {
            start = number;
        }
        if let Some(first) = line.strip_suffix('\\') {
            pending.push_str(first);
            pending.push(' ');
            continue;
        }
        pending.push_str(line);
        out.extend(parse(&pending, start));
        pending.clear();
    }
    out.extend(parse(&pending, start));
    out
}

fn parse(text: &str, line: i64) -> Option<Line> {
    let mut words = words(text).into_iter();
    let first = words.next()?;
    if first == "@include" {
        return words.next().map(Line::Include);
    }
    // A dash before the type keeps PAM quiet where the module is missing.
    let kind = first.strip_prefix('-').unwrap_or(&first).to_ascii_lowercase();
    if !["auth", "account", "password", "session"].contains(&kind.as_str()) {
        return None;
    }
    let control = words.next()?;
    let control = if control.starts_with('[') { control } else { control.to_ascii_lowercase() };
    Some(Line::Module { line, kind, control, path: words.next()?, args: words.collect() })
}

/// Words at white space; what stands in brackets is one word. The brackets of the control stay,
/// those round an argument go.
fn words(text: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('[') {
            Some(inner) => {
                let closes = |(at, _): &(usize, &str)| !inner[..*at].ends_with('\\');
                let end = inner.match_indices(']').find(closes).map_or(inner.len(), |(at, _)| at);
                let body = inner[..end].replace("\\]", "]");
                let word = if list.len() == 1 {
                    format!("[{}]", body.split_whitespace().collect::<Vec<_>>().join(" "))
                } else {
                    body
                };
                (word, inner.get(end + 1..).unwrap_or_default())
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        list.push(word);
        rest = after.trim_start();
    }
    list
}

#[cfg(test)]
mod tests {
    use super::super::Lens as _;
    use super::super::testing::rows;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_in_brackets_can_be_required() {
        for control in ["required", "requisite", "[success=ok default=bad]", "[default=die]"] {
            assert!(refusal_counts(control), "{control}");
        }
        for control in [
            "sufficient",
            "optional",
            "[success=ok default=ignore]",
            "[default=bad perm_denied=ignore]",
            "[",
        ] {
            assert!(!refusal_counts(control), "{control}");
        }
    }

    #[test]
    fn includes_are_resolved_in_place() {
        let rows: Vec<Pam> = rows(
            &Lens,
            &[
                (
                    "/etc/pam.d/sshd",
                    "auth required pam_env.so\n@include common\npassword include common\n",
                ),
                (
                    "/etc/pam.d/common",
                    "auth [success=1  default=ignore] \\\n  pam_unix.so nullok\n-password requisite /lib/security/pam_pwquality.so minlen=8 [a b]\n",
                ),
                ("/usr/lib/pam.d/common", "auth required pam_deny.so\n"),
            ],
        );
        let shown: Vec<String> = rows
            .iter()
            .filter(|row| &*row.service == "sshd")
            .map(|r| {
                format!(
                    "{}:{} {} {} {} {}",
                    r.path.0,
                    r.line,
                    r.r#type,
                    r.control,
                    r.module,
                    r.args.join("|")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "/etc/pam.d/sshd:1 auth required pam_env.so ",
                "/etc/pam.d/common:1 auth [success=1 default=ignore] pam_unix.so nullok",
                "/etc/pam.d/common:3 password requisite pam_pwquality.so minlen=8|a b",
                "/etc/pam.d/common:3 password requisite pam_pwquality.so minlen=8|a b",
            ]
        );
    }

    #[test]
    fn an_include_cycle_is_refused_and_said() {
        let texts = [("/etc/pam.d/a", "@include a\n@include a\nauth required pam_x.so\n")];
        let loaded = Lens.load(&super::super::testing::files(&texts)).unwrap();
        assert_eq!(loaded.rows.typed::<Pam>().count(), 1);
        assert!(format!("{:?}", loaded.state).contains("includes itself"), "{:?}", loaded.state);
    }

    #[test]
    fn includes_that_multiply_come_to_an_end() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let texts: Vec<(String, String)> = names
            .iter()
            .zip(names.iter().skip(1).chain(["none"].iter()))
            .map(|(name, next)| {
                (format!("/etc/pam.d/{name}"), format!("@include {next}\n").repeat(40))
            })
            .collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (&**p, &**t)).collect();
        let loaded = Lens.load(&super::super::testing::files(&texts)).unwrap();
        assert!(format!("{:?}", loaded.state).contains("lines"), "{:?}", loaded.state);
    }

    proptest! {
        #[test]
        fn any_text_is_read_calmly(text in "[ \\[\\]\\\\#@auth password\\n]{0,120}") {
            let _ = rows::<Pam>(&Lens, &[("/etc/pam.d/x", &text)]);
        }
    }
}
