//! Diagnostics on standard error, with the place in the file where there is one.

use std::io::{IsTerminal, Write};

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Level};
use crate::emit::escape;

/// One line on standard error. Where that is closed, nobody is listening.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A diagnostic on standard error.
pub(super) fn diagnostic(diagnostic: &Diagnostic) {
    let level = match diagnostic.level {
        Level::Warning => Title::WARNING,
        Level::Error => Title::ERROR,
    };
    let message = escape(&diagnostic.message);
    let title = level.primary_title(&*message).id(diagnostic.code.0.id);
    let source = diagnostic.place.as_ref().map(|(source, span)| {
        // Rule files are text that people write; what could steer a terminal is replaced, in
        // equally many bytes so that the span stays right.
        let text: String = source
            .text
            .chars()
            .map(|c| {
                if c.is_control() && !matches!(c, '\n' | '\t') && c.len_utf8() == 1 {
                    '?'
                } else {
                    c
                }
            })
            .collect();
        (escape(&source.name).into_owned(), text, *span)
    });
    let mut group = annotate_snippets::Group::with_title(title);
    if let Some((name, text, span)) = &source {
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        if text.is_char_boundary(start) && text.is_char_boundary(end) {
            group = group.element(
                Snippet::source(text.as_str())
                    .path(name.as_str())
                    .annotation(AnnotationKind::Primary.span(start..end)),
            );
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Title::HELP.message(escape(help).into_owned()));
    }
    let coloured = std::io::stderr().is_terminal() && no_colour_is_unset();
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    line(&renderer.render(&[group]));
}

/// Whether the user has not asked for no colours (no-color.org).
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
pub(super) fn no_colour_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
