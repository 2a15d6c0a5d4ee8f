//! The rules that a scan was asked for, made ready for the hosts that it finds.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::args::{PackageName, Scan};
use super::{Exit, Failure, render};
use crate::assess::Advisories;
use crate::diagnostic::Diagnostic;
use crate::model::finding::RulesPackage;
use crate::rules::{
    Audience, DEFAULT_PROFILE, Library, Plan, Scope, Selection, Tailoring, profiles,
};

/// The rules that were asked for.
pub(super) struct Chosen {
    library: Library,
    selection: Selection,
    tailoring: Option<Arc<Tailoring>>,
    /// Where the user gave rules: their mistakes are told before anything else is done.
    whole: Option<Plan>,
    /// Whether rules stand for the advisories that were given.
    advisories: bool,
}

impl Chosen {
    /// As the arguments say; what is wrong has been told when this returns.
    pub(super) fn read(arguments: &Scan) -> Result<Self, Failure> {
        let profile = profile(&arguments.profile)?;
        let packages = arguments.package.iter().map(|name| package(*name)).collect();
        let selection = Selection { packages, profile: Some(profile) };
        let library = Library::with_directories(&arguments.rules).map_err(told)?;
        let tailoring = arguments.tailoring.as_deref().map(Tailoring::read).transpose();
        let tailoring = tailoring.map_err(told)?.map(Arc::new);
        let advisories = !arguments.advisories.is_empty()
            && (arguments.package.is_empty() || arguments.package.contains(&PackageName::Cve));
        let mut chosen = Self { library, selection, tailoring, whole: None, advisories };
        if !arguments.rules.is_empty() {
            chosen.whole = Some(chosen.compile(None)?);
        } else if chosen.tailoring.is_some() {
            // Only what the tailoring names: for its mistakes.
            chosen.compile(Some(BTreeSet::new()))?;
        }
        Ok(chosen)
    }

    /// Every rule that comes with assay, in the profile that is judged where none is named.
    pub(super) fn all() -> Self {
        let profile = Some(DEFAULT_PROFILE.into());
        let selection = Selection { packages: Vec::new(), profile };
        Self {
            library: Library::embedded(),
            selection,
            tailoring: None,
            whole: None,
            advisories: false,
        }
    }

    /// The plan; `about` says which of the benchmarks are about some host.
    pub(super) fn plan(
        &self,
        about: impl FnOnce(&[Audience]) -> BTreeSet<Arc<str>>,
    ) -> Result<Plan, Failure> {
        match &self.whole {
            Some(plan) => Ok(plan.clone()),
            None => self.compile(Some(about(&self.library.benchmarks()))),
        }
    }

    fn compile(&self, benchmarks: Option<BTreeSet<Arc<str>>>) -> Result<Plan, Failure> {
        let scope = Scope {
            selection: self.selection.clone(),
            benchmarks,
            tailoring: self.tailoring.clone(),
        };
        let mut plan = self.library.compile_for(&scope).map_err(told)?;
        if self.advisories {
            Advisories::join(&mut plan);
        }
        Ok(plan)
    }
}

/// A profile that is known.
pub(super) fn profile(name: &str) -> Result<Arc<str>, Failure> {
    if profiles().any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(name.into());
    }
    let known = profiles().collect::<Vec<_>>().join("`, `");
    render::line(&format!("error: there is no profile {name:?}; there is `{known}`"));
    Err(Failure::Told(Exit::Usage))
}

/// Shows every mistake.
pub(super) fn told(diagnostics: Vec<Diagnostic>) -> Failure {
    diagnostics.iter().for_each(render::diagnostic);
    Failure::Told(Exit::BadRules)
}

fn package(name: PackageName) -> RulesPackage {
    match name {
        PackageName::Cve => RulesPackage::CommonVulnerabilities,
        PackageName::Cis => RulesPackage::Cis,
        PackageName::Sbp => RulesPackage::SecurityBestPractices,
        PackageName::Rba => RulesPackage::RuntimeBehavior,
    }
}
