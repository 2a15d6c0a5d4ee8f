//! All files of a library to checked rules, with every mistake of every file.

use std::sync::Arc;

use super::ast::Rule;
use super::benchmark;
use super::control::Controls;
use super::library::{FileKind, Library, RuleFile};
use super::params::Params;
use super::reader::Reader;
use super::rule::{applies_to, plain};
use super::scope::{Audience, Listed, Scope};
use super::tailoring::{Changes, Values};
use super::yaml::{self, Node};
use super::{cve, rule};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::rules as codes;

/// The most rules of one library.
const MAX_RULES: usize = 50_000;

/// The tree of a file's text; for an embedded file the one made at build time.
pub(crate) fn tree(reader: &mut Reader<'_>, file: &RuleFile) -> Option<Node> {
    if let Some(node) = file.tree.and_then(yaml::decode) {
        return Some(node);
    }
    parsed(reader, file)
}

/// The tree of a file's whole text.
pub(crate) fn parsed(reader: &mut Reader<'_>, file: &RuleFile) -> Option<Node> {
    match yaml::parse(&file.text) {
        Ok(node) => Some(node),
        Err(problems) => {
            reader.problems(&problems);
            None
        }
    }
}

/// The rules of a library by package and id, and the benchmarks that the scope leaves out. With
/// `strict`, what came with the program is checked like what a user gave.
pub(crate) fn rules(
    library: &Library,
    strict: bool,
    scope: Option<&Scope>,
) -> Result<(Vec<Rule>, Vec<Audience>), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let (mut rules, mut left_out) = (Vec::new(), Vec::new());
    let controls = Controls::of(library, strict, &mut diagnostics);
    let tailoring = scope.and_then(|scope| scope.tailoring.as_deref());
    let mut changes = tailoring.map(Changes::new);
    for file in library.files() {
        // What a user gave is read whole, and so is what is made of it.
        let own =
            !file.is_embedded() || file.kind == FileKind::Benchmark && !controls.are_embedded();
        let is_changed = changes.as_ref().is_some_and(|changes| changes.are_about(file));
        let scope = scope.filter(|_| !own && !is_changed);
        if scope.is_some_and(|scope| file.kind.package().is_some_and(|p| !scope.selection.has(p))) {
            continue;
        }
        let patterns = strict || own;
        let mut reader = Reader::new(&file.name, &file.text);
        match file.kind {
            FileKind::Control => continue,
            FileKind::Benchmark => {
                if let Some(gate) = scope.and_then(|scope| outside(scope, file)) {
                    left_out.push(gate);
                } else if let Some(node) = tree(&mut reader, file) {
                    let selection = scope.map(|scope| &scope.selection);
                    let id = benchmark_id(file);
                    let made = benchmark::rules(
                        &mut reader,
                        &node,
                        id,
                        &controls,
                        patterns,
                        selection,
                        changes.as_mut(),
                    );
                    rules.extend(made);
                }
            }
            FileKind::Vulnerability => {
                if let Some(node) = tree(&mut reader, file) {
                    let mut rule = cve::rule(&mut reader, &node, &file.id);
                    let values = changes.as_mut().and_then(|changes| changes.of(&file.id));
                    tailor(rule.as_mut(), values);
                    rules.extend(rule);
                }
            }
            FileKind::Rule(package) => {
                if let Some(node) = tree(&mut reader, file) {
                    let mut params = rule::params(&mut reader, &node);
                    for missing in params.missing() {
                        let message = format!("the parameter `{missing}` needs a default");
                        reader.error(codes::MISSING_PARAMETER, node.span, message);
                    }
                    let mut values = changes.as_mut().and_then(|changes| changes.of(&file.id));
                    if let Some(values) = &mut values {
                        params = values.apply(params);
                    }
                    let patterns = patterns || values.is_some();
                    let mut rule =
                        rule::rule(&mut reader, &node, &file.id, package, &params, patterns);
                    tailor(rule.as_mut(), values);
                    rules.extend(rule);
                }
            }
        }
        diagnostics.append(&mut reader.diagnostics);
        if rules.len() > MAX_RULES {
            let message = format!("there are more than {MAX_RULES} rules");
            diagnostics.push(Diagnostic::error(codes::LIMIT, message));
            break;
        }
    }
    if let Some(changes) = changes {
        diagnostics.extend(changes.done(rules.iter().map(|rule| &*rule.info.id)));
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    // Files come by id and recommendations in the order of their file; only packages are moved.
    rules.sort_by_key(|rule| rule.info.package);
    Ok((rules, left_out))
}

/// Says of a rule what was changed about it; that its values fit is told in any case.
fn tailor(rule: Option<&mut Rule>, values: Option<Values<'_, '_>>) {
    if let (Some(tailored), Some(rule)) = (values.map(Values::done), rule) {
        rule.tailor(tailored);
    }
}

/// What a list shows of every rule.
pub(crate) fn listed(library: &Library) -> Result<Vec<Listed>, Vec<Diagnostic>> {
    if !library.files().all(RuleFile::is_embedded) {
        let (rules, _) = rules(library, false, None)?;
        return Ok(rules.into_iter().map(|rule| Listed::from(rule.info)).collect());
    }
    // No benchmark is about any host: their recommendations are listed without being made.
    let scope = Scope { benchmarks: Some(Default::default()), ..Scope::default() };
    let (rules, _) = rules(library, false, Some(&scope))?;
    let mut listed: Vec<Listed> = rules.into_iter().map(|rule| Listed::from(rule.info)).collect();
    let mut diagnostics = Vec::new();
    let controls = Controls::of(library, false, &mut diagnostics);
    for file in library.files().filter(|file| file.kind == FileKind::Benchmark) {
        let mut reader = Reader::new(&file.name, &file.text);
        if let Some(node) = tree(&mut reader, file) {
            listed.extend(benchmark::listed(&mut reader, &node, benchmark_id(file), &controls));
        }
        diagnostics.append(&mut reader.diagnostics);
    }
    listed.sort_by_key(|rule| rule.package);
    if diagnostics.is_empty() { Ok(listed) } else { Err(diagnostics) }
}

/// The benchmarks that a scope can leave out.
pub(crate) fn gates(library: &Library) -> Vec<Audience> {
    library.files().filter_map(gate).collect()
}

fn benchmark_id(file: &RuleFile) -> &str {
    file.id.strip_prefix("cis/benchmarks/").unwrap_or(&file.id)
}

/// Which hosts a benchmark of the program is about, read without the rest of its file.
fn gate(file: &RuleFile) -> Option<Audience> {
    if file.kind != FileKind::Benchmark {
        return None;
    }
    let node = yaml::member(file.tree?, "applies_to")?;
    let mut reader = Reader::new(&file.name, &file.text);
    let params = Params::default();
    let (about, _) = applies_to(&mut plain(&mut reader, &params, false), &node)?;
    Some(Audience { id: benchmark_id(file).into(), about: Arc::new(about) })
}

/// The gate of a benchmark that is about no host of the scope.
fn outside(scope: &Scope, file: &RuleFile) -> Option<Audience> {
    let wanted = scope.benchmarks.as_ref()?;
    gate(file).filter(|gate| !wanted.contains(&gate.id))
}
