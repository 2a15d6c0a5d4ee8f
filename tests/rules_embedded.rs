//! Every file in `rulesets/` is right: it compiles, its examples get their verdicts and evidence,
//! every condition matters, nothing passes without facts.

use std::fmt::Write as _;
use std::path::PathBuf;

use assay::diagnostic::Diagnostic;
use assay::engine::selftest;
use assay::rules::Library;

/// A diagnostic with its line and the text it points at.
fn shown(diagnostic: &Diagnostic) -> String {
    let mut out = String::new();
    if let Some((source, span)) = &diagnostic.place {
        let before = &source.text[..span.start.min(source.text.len())];
        let line = before.matches('\n').count() + 1;
        let text = source.text.lines().nth(line - 1).unwrap_or_default();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let width =
            span.end.saturating_sub(span.start).clamp(1, text.len().max(column + 1) - column);
        let _ = writeln!(out, "{}:{line}:{}", source.name, column + 1);
        let _ = writeln!(out, "    {text}\n    {}{}", " ".repeat(column), "^".repeat(width));
    }
    let _ = write!(out, "  {diagnostic}");
    out
}

#[test]
fn every_file_is_right() {
    let library = Library::embedded();
    let report = selftest::check(&library);
    println!(
        "{} files, {} rules, {} examples, {} leaves",
        report.files, report.rules, report.examples, report.leaves
    );
    let list: Vec<String> = report.diagnostics.iter().map(shown).collect();
    assert!(list.is_empty(), "{} mistakes\n\n{}", list.len(), list.join("\n\n"));
}

#[test]
fn the_embedded_rules_are_the_same_as_the_files() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rulesets");
    let embedded = Library::embedded();
    if embedded.files().next().is_none() {
        return;
    }
    let files = Library::only(&[directory]).unwrap();
    let ids = |library: &Library| -> Vec<_> {
        library.files().map(|file| (file.id.clone(), file.text.clone())).collect()
    };
    assert_eq!(ids(&embedded), ids(&files));
    if let (Ok(embedded), Ok(files)) = (embedded.compile(), files.compile()) {
        assert_eq!(embedded.rules, files.rules);
        assert_eq!(embedded.size(), files.size());
    }
}
