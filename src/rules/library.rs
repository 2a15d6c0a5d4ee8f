//! Where rules come from: the rulesets in the program, and directories that extend or replace
//! them by id.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::compile;
use super::directory;
use super::embedded;
use super::plan::Plan;
use super::scope::{Audience, Listed, Scope};
use super::yaml::{self, Node};
use crate::diagnostic::Diagnostic;
use crate::model::finding::RulesPackage;

/// What a file in the rulesets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A rule of a package other than CIS and CVE.
    Rule(RulesPackage),
    /// A CVE.
    Vulnerability,
    /// A CIS control.
    Control,
    /// A CIS benchmark.
    Benchmark,
}

impl FileKind {
    /// What a file at this path below a rulesets directory is; none where no file belongs there.
    pub fn of(path: &str) -> Option<(Self, &str)> {
        let id = path.strip_suffix(".yaml")?;
        let (directory, name) = id.rsplit_once('/')?;
        let good = !name.is_empty()
            && name.len() <= 120
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let kind = match directory {
            "cis/controls" => Self::Control,
            "cis/benchmarks" => Self::Benchmark,
            "common-vulnerabilities" => Self::Vulnerability,
            "security-best-practices" => Self::Rule(RulesPackage::SecurityBestPractices),
            "runtime-behavior-analysis" => Self::Rule(RulesPackage::RuntimeBehavior),
            _ => return None,
        };
        good.then_some((kind, id))
    }
}

impl FileKind {
    /// The package whose rules the file makes; none for a control, which makes none by itself.
    pub(crate) fn package(self) -> Option<RulesPackage> {
        match self {
            Self::Rule(package) => Some(package),
            Self::Vulnerability => Some(RulesPackage::CommonVulnerabilities),
            Self::Benchmark => Some(RulesPackage::Cis),
            Self::Control => None,
        }
    }
}

/// One file.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// What it is.
    pub kind: FileKind,
    /// Its path below the rulesets directory, without ending.
    pub id: Arc<str>,
    /// The name the user knows it by.
    pub name: String,
    /// Its text.
    pub text: Cow<'static, str>,
    /// The tree that the build script made of the text, without examples.
    pub(crate) tree: Option<&'static [u8]>,
}

impl RuleFile {
    /// Whether it came with the program.
    pub fn is_embedded(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }
}

/// A set of rule files.
#[derive(Debug, Clone, Default)]
pub struct Library {
    files: BTreeMap<Arc<str>, RuleFile>,
}

impl Library {
    /// The rulesets that came with the program.
    pub fn embedded() -> Self {
        let files = embedded::files().map(|file| (Arc::clone(&file.id), file)).collect();
        Self { files }
    }

    /// The embedded rulesets with those in `directories` on top: a file replaces the one with its
    /// id. Each directory is laid out like `rulesets/`.
    ///
    /// # Errors
    /// Every directory and file that cannot be read or is in no place that rules have.
    pub fn with_directories(directories: &[PathBuf]) -> Result<Self, Vec<Diagnostic>> {
        let mut library = Self::embedded();
        library.add(directories)?;
        Ok(library)
    }

    /// Only the files of these directories.
    ///
    /// # Errors
    /// As for [`Library::with_directories`].
    pub fn only(directories: &[PathBuf]) -> Result<Self, Vec<Diagnostic>> {
        let mut library = Self::default();
        library.add(directories)?;
        Ok(library)
    }

    fn add(&mut self, directories: &[PathBuf]) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        for directory in directories {
            match directory::read(directory) {
                Ok(files) => {
                    self.files.extend(files.into_iter().map(|file| (Arc::clone(&file.id), file)));
                }
                Err(list) => errors.extend(list),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Adds one file from its text, for tests and tools; `path` is relative to the rulesets
    /// directory. False where no rule file belongs at that path.
    pub fn insert(&mut self, path: &str, text: impl Into<String>) -> bool {
        let Some((kind, id)) = FileKind::of(path) else { return false };
        let id: Arc<str> = Arc::from(id);
        let text = Cow::Owned(text.into());
        let file = RuleFile { kind, id: Arc::clone(&id), name: path.to_owned(), text, tree: None };
        self.files.insert(id, file);
        true
    }

    /// Every file, by id.
    pub fn files(&self) -> impl Iterator<Item = &RuleFile> {
        self.files.values()
    }

    /// The text of a rule: its file; of a recommendation what its benchmark says of it, and the
    /// files of its controls.
    pub fn shown(&self, id: &str) -> Option<String> {
        if let Some(own) = self.files.get(id) {
            return Some(own.text.to_string());
        }
        let (benchmark, number) = id.strip_prefix("cis/")?.split_once('/')?;
        let file = self.files.get(&*format!("cis/benchmarks/{benchmark}"))?;
        let tree = yaml::parse(&file.text).ok()?;
        let text = |node: &Node| node.as_scalar().map(|scalar| scalar.text.to_string());
        let all = tree.get("recommendations")?.as_sequence()?;
        let one = all
            .iter()
            .find(|one| one.get("id").and_then(text).is_some_and(|found| found == number))?;
        let written = file.text.get(one.span.start as usize..one.span.end as usize)?;
        let mut shown = format!("# {}\n{}\n", file.name, written.trim_end());
        let several = one.get("controls").and_then(Node::as_sequence).unwrap_or_default();
        let controls =
            one.get("control").into_iter().chain(several).filter_map(|control| {
                text(control).or_else(|| control.get("control").and_then(text))
            });
        let mut told = BTreeSet::new();
        for control in controls.filter(|control| told.insert(control.clone())) {
            let file = self.files.get(&*format!("cis/controls/{control}"))?;
            shown.push_str(&format!("\n# {}\n{}", file.name, file.text));
        }
        Some(shown)
    }

    /// All rules, checked and planned.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn compile(&self) -> Result<Plan, Vec<Diagnostic>> {
        compile::rules(self, false, None).map(|(rules, _)| Plan::of(rules))
    }

    /// The rules that a run needs, checked and planned, as [`Plan::select`] gives them.
    ///
    /// # Errors
    /// Every mistake in every file that a user gave.
    pub fn compile_for(&self, scope: &Scope) -> Result<Plan, Vec<Diagnostic>> {
        let (rules, left_out) = compile::rules(self, false, Some(scope))?;
        Ok(Plan::of(rules).without(left_out).select(&scope.selection))
    }

    /// The benchmarks that [`Library::compile_for`] can leave out.
    pub fn benchmarks(&self) -> Vec<Audience> {
        compile::gates(self)
    }

    /// What a list shows of every rule, in the order of [`Library::compile`].
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn list(&self) -> Result<Vec<Listed>, Vec<Diagnostic>> {
        compile::listed(self)
    }

    /// The checked rules, as the plan is made of them; with `strict`, patterns of embedded files
    /// are compiled too.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn checked(&self, strict: bool) -> Result<Vec<super::ast::Rule>, Vec<Diagnostic>> {
        compile::rules(self, strict, None).map(|(rules, _)| rules)
    }
}
