//! The scores of CIS benchmarks as a table.

use std::io::{self, Write};

use crate::emit::escape;
use crate::model::score::{Marks, Scores};

/// Writes the score of each benchmark: by section, by level, and of all.
pub(super) fn table(
    scores: &Scores,
    profile: Option<&str>,
    (bold, off): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    for ((benchmark, version), score) in &scores.0 {
        let profile_name = profile.map(|name| format!(", {name}")).unwrap_or_default();
        writeln!(out, "\n    {} {}{profile_name}", escape(benchmark), escape(version))?;
        writeln!(
            out,
            "    {bold}{:<30}{:>6}{:>6}{:>6}{:>6}{:>8}{:>9}{off}",
            "Section", "Score", "Pass", "Fail", "N/A", "Manual", "Unknown"
        )?;
        for (name, marks) in score.named_sections() {
            row(&name, marks, out)?;
        }
        let levels = score.levels_of(profile);
        if levels.len() > 1 {
            for (level, marks) in levels {
                row(&level, marks, out)?;
            }
        }
        row("All", score.all, out)?;
    }
    Ok(())
}

fn row(name: &str, marks: Marks, out: &mut dyn Write) -> io::Result<()> {
    let name: String = escape(name).chars().take(29).collect();
    let score = marks.percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"));
    writeln!(
        out,
        "    {name:<30}{score:>6}{:>6}{:>6}{:>6}{:>8}{:>9}",
        marks.pass, marks.fail, marks.not_applicable, marks.manual, marks.unknown
    )
}
