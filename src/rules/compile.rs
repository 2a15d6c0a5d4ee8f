//! All files of a library to checked rules, with every mistake of every file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::Rule;
use super::benchmark::{self, Control};
use super::library::{FileKind, Library, RuleFile};
use super::reader::Reader;
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

/// Every rule of a library, by package and id.
pub(crate) fn rules(library: &Library, strict: bool) -> Result<Vec<Rule>, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut rules = Vec::new();
    let mut controls = BTreeMap::new();
    for file in library.files().filter(|file| file.kind == FileKind::Control) {
        let name = file.id.strip_prefix("cis/controls/").unwrap_or(&file.id);
        let mut reader = Reader::new(&file.name, &file.text);
        let control = control(&mut reader, file, strict);
        diagnostics.append(&mut reader.diagnostics);
        controls.insert(Arc::from(name), control);
    }
    let embedded_controls =
        library.files().all(|file| file.kind != FileKind::Control || file.is_embedded());
    for file in library.files() {
        let patterns = strict || !file.is_embedded();
        let mut reader = Reader::new(&file.name, &file.text);
        match file.kind {
            FileKind::Control => continue,
            FileKind::Benchmark => {
                if let Some(node) = tree(&mut reader, file) {
                    let id = file.id.strip_prefix("cis/benchmarks/").unwrap_or(&file.id);
                    let patterns = patterns || !embedded_controls;
                    rules.extend(benchmark::rules(&mut reader, &node, id, &controls, patterns));
                }
            }
            FileKind::Vulnerability => {
                if let Some(node) = tree(&mut reader, file) {
                    rules.extend(cve::rule(&mut reader, &node, &file.id));
                }
            }
            FileKind::Rule(package) => {
                if let Some(node) = tree(&mut reader, file) {
                    let params = rule::params(&mut reader, &node);
                    for missing in params.missing() {
                        let message = format!("the parameter `{missing}` needs a default");
                        reader.error(codes::MISSING_PARAMETER, node.span, message);
                    }
                    let rule = rule::rule(&mut reader, &node, &file.id, package, &params, patterns);
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
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    // Files come by id and recommendations in the order of their file; only packages are moved.
    rules.sort_by_key(|rule| rule.info.package);
    Ok(rules)
}

/// A control that is right by itself; its parameters may lack values.
fn control(reader: &mut Reader<'_>, file: &RuleFile, strict: bool) -> Option<Control> {
    let node = tree(reader, file)?;
    let params = rule::params(reader, &node);
    let patterns = strict || !file.is_embedded();
    rule::content(reader, &node, &params, patterns, false)?;
    if !reader.diagnostics.is_empty() {
        return None;
    }
    Some(Control {
        node: Arc::new(node),
        params,
        name: file.name.clone(),
        text: Arc::from(&*file.text),
    })
}
