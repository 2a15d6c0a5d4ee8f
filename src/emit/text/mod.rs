//! The report for people: what is wrong, how bad, where, how to fix it, and what could not be
//! judged and why. Reads well at 80 columns.

mod places;
mod score;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Emitter, Pieces, escape};
use crate::model::finding::{
    Finding, HostReport, RuleInfo, RulesPackage, Severity, Status, Verdict,
};
use crate::model::score::Scores;
use crate::model::summary::Summary;

pub(super) const PIECES: Pieces = Pieces { first, host, all, last: |_| Ok(()), separator: "" };

const WIDTH: usize = 80;
/// With more hosts than this, the report is a summary of the fleet.
const IN_FULL: usize = 12;

/// Colours, or nothing.
struct Paint(bool);

impl Paint {
    fn code(&self, code: &'static str) -> &'static str {
        if self.0 { code } else { "" }
    }
    fn bold(&self) -> &'static str {
        self.code("\x1b[1m")
    }
    fn dim(&self) -> &'static str {
        self.code("\x1b[2m")
    }
    fn off(&self) -> &'static str {
        self.code("\x1b[0m")
    }
    fn severity(&self, severity: Severity) -> &'static str {
        self.code(match severity {
            Severity::High => "\x1b[1;31m",
            Severity::Medium => "\x1b[33m",
            Severity::Low => "\x1b[36m",
            Severity::Informational | Severity::Undefined => "\x1b[2m",
        })
    }
}

/// Writes words, wrapped, each line after `indent` spaces.
fn paragraph(out: &mut dyn Write, indent: usize, text: &str) -> io::Result<()> {
    for line in text.trim_end().lines() {
        // Lines that are indented are commands: they stay as they are.
        if line.starts_with([' ', '\t']) {
            writeln!(out, "{:indent$}{}", "", escape(line.trim_end()))?;
            continue;
        }
        let mut column = 0;
        for word in line.split_whitespace() {
            let word = escape(word);
            let length = word.chars().count();
            if column > 0 && indent + column + 1 + length > WIDTH {
                writeln!(out)?;
                column = 0;
            }
            if column == 0 {
                write!(out, "{:indent$}{word}", "")?;
                column = length;
            } else {
                write!(out, " {word}")?;
                column += 1 + length;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Words, wrapped, that begin at a column which is reached already.
fn beside(column: usize, text: &str) -> String {
    let mut wrapped = Vec::new();
    // Memory takes every byte.
    let _ = paragraph(&mut wrapped, column, text);
    let wrapped = String::from_utf8_lossy(&wrapped);
    wrapped.get(column..).unwrap_or_default().trim_end().to_owned()
}

/// Whether the report is about the fleet and not about each host.
fn is_fleet(emitter: &Emitter) -> bool {
    emitter.targets > IN_FULL
}

fn first(emitter: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(emitter.style.colour);
    if is_fleet(emitter) {
        let (bold, off) = (paint.bold(), paint.off());
        writeln!(out, "{bold}  High   Med   Low  Info  Unkn  Host{off}")?;
    }
    Ok(())
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    if is_fleet(emitter) {
        return in_short(host, out);
    }
    one_host(emitter, host, &Paint(emitter.style.colour), out)
}

fn all(emitter: &Emitter, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(emitter.style.colour);
    if is_fleet(emitter) {
        found_most(summary, &paint, out)?;
    }
    let changed: Vec<_> = emitter.rules.iter().filter_map(|rule| rule.tailored.as_ref()).collect();
    if let Some(first) = changed.first().filter(|_| is_fleet(emitter)) {
        let off = changed.iter().filter(|tailored| tailored.off.is_some()).count();
        let (by, set) = (escape(&first.by), changed.len() - off);
        writeln!(out, "\nTailored by {by}: {off} switched off, {set} with other values")?;
    }
    for refusal in &summary.refused {
        let (bold, off) = (paint.bold(), paint.off());
        writeln!(out, "{bold}NOT JUDGED{off}  {}", escape(&refusal.snapshot))?;
        paragraph(out, 4, &refusal.reason)?;
    }
    if summary.hosts + summary.refused.len() > 1 {
        let refused = summary.refused.len();
        writeln!(out, "\n{} judged, {refused} refused", plural(summary.hosts, "host"))?;
    }
    Ok(())
}

fn plural(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn one_host(
    emitter: &Emitter,
    host: &HostReport,
    paint: &Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rules = &*emitter.rules;
    let (bold, dim, off) = (paint.bold(), paint.dim(), paint.off());
    let asset = &host.asset;
    writeln!(out, "{bold}{}{off}  {}", escape(&asset.hostname), escape(&asset.os))?;
    writeln!(out, "{dim}{}  {}{off}\n", escape(&asset.agent_id), escape(&host.snapshot))?;
    for package in RulesPackage::ALL {
        let of_package = |rule: usize| rules.get(rule).map(|rule| rule.package);
        let judged = host.outcomes.iter().any(|outcome| of_package(outcome.rule) == Some(package));
        if !judged {
            continue;
        }
        let found: Vec<&Finding> =
            host.findings.iter().filter(|f| of_package(f.rule) == Some(package)).collect();
        let version = package.version();
        let clean = host.clean.contains(&package);
        let unknown = host.outcomes.iter().filter(|outcome| {
            matches!(outcome.verdict, Verdict::Unknown(_))
                && of_package(outcome.rule) == Some(package)
        });
        let said = match (clean, unknown.count()) {
            (true, _) => "No potential security issues found".to_owned(),
            (false, 0) => counts(&found),
            (false, unknown) => format!("{}, {unknown} not judged", counts(&found)),
        };
        writeln!(out, "{bold}{}-{version}{off}\n    {said}", package.name())?;
        if package == RulesPackage::Cis {
            let profile = emitter.profile.as_deref();
            score::table(&Scores::of(rules, host), profile, (bold, off), out)?;
        }
        writeln!(out)?;
        for finding in found {
            one_finding(rules, finding, paint, out)?;
        }
    }
    not_judged(host, paint, out)?;
    for note in &host.notes {
        paragraph(out, 0, &format!("Note: {note}."))?;
        writeln!(out)?;
    }
    tailored(rules, host, paint, out)?;
    totals(host, paint, out)
}

/// What could not be judged and why, and what to do about it.
fn not_judged(host: &HostReport, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    if host.exclusions.is_empty() {
        return Ok(());
    }
    let (bold, off) = (paint.bold(), paint.off());
    writeln!(out, "{bold}Not judged{off}\n")?;
    let mut advice: Vec<&str> = Vec::new();
    for exclusion in &host.exclusions {
        writeln!(out, "  - {}", beside(4, &exclusion.description))?;
        if !advice.contains(&&*exclusion.recommendation) {
            advice.push(&exclusion.recommendation);
        }
    }
    writeln!(out)?;
    for advice in advice {
        paragraph(out, 4, advice)?;
    }
    writeln!(out)
}

/// What the site changed about the rules that were judged.
fn tailored(
    rules: &[RuleInfo],
    host: &HostReport,
    paint: &Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim, off) = (paint.bold(), paint.dim(), paint.off());
    let judged = host.outcomes.iter().filter_map(|outcome| rules.get(outcome.rule));
    let mut by = None;
    for (rule, tailored) in judged.filter_map(|rule| Some((rule, rule.tailored.as_ref()?))) {
        if by != Some(&tailored.by) {
            writeln!(out, "{bold}TAILORED{off}  by {}", escape(&tailored.by))?;
            by = Some(&tailored.by);
        }
        let number = rule.recommendation.as_ref().map_or("", |cis| &cis.number);
        paragraph(out, 10, &format!("{number} {}", rule.title))?;
        paragraph(out, 14, &tailored.to_string())?;
        writeln!(out, "{:14}{dim}{}{off}", "", escape(&rule.id))?;
    }
    if by.is_some() { writeln!(out) } else { Ok(()) }
}

fn counts(findings: &[&Finding]) -> String {
    if findings.is_empty() {
        return "nothing found".into();
    }
    let mut by: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *by.entry(finding.severity).or_default() += 1;
    }
    let words: Vec<String> = by
        .iter()
        .rev()
        .map(|(severity, count)| format!("{count} {}", severity.name().to_lowercase()))
        .collect();
    words.join(", ")
}

fn one_finding(
    rules: &[RuleInfo],
    finding: &Finding,
    paint: &Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim, off) = (paint.bold(), paint.dim(), paint.off());
    let Some(rule) = rules.get(finding.rule) else { return Ok(()) };
    let severity = finding.severity;
    let name = if rule.title == finding.id { rule.name() } else { finding.id.to_string() };
    let label = severity.name();
    let colour = paint.severity(severity);
    let name = beside(16, &name);
    writeln!(out, "  {colour}{label:<13}{off} {bold}{name}{off}")?;
    match (finding.status, &finding.waiver) {
        (Status::Waived, Some(waiver)) => {
            let text = format!("Waived until {}: {}", waiver.expires, waiver.reason);
            paragraph(out, 6, &text)?;
        }
        (Status::Known, _) => writeln!(out, "      Known from the baseline")?,
        _ => {}
    }
    places::write(&finding.evidence, paint, out)?;
    writeln!(out, "      {dim}Fix:{off}")?;
    paragraph(out, 10, &finding.recommendation)?;
    writeln!(out, "      {dim}{}{off}\n", escape(&rule.id))
}

fn totals(host: &HostReport, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let (bold, off) = (paint.bold(), paint.off());
    let findings: Vec<&Finding> = host.findings.iter().collect();
    if !findings.is_empty() {
        let count = plural(findings.len(), "finding");
        write!(out, "{bold}{count}{off}: {}", counts(&findings))?;
        for status in [Status::Waived, Status::Known] {
            let count = findings.iter().filter(|finding| finding.status == status).count();
            if count > 0 {
                write!(out, "; {count} {}", status.name())?;
            }
        }
        writeln!(out)?;
    }
    let count = |wanted: fn(&Verdict) -> bool| {
        host.outcomes.iter().filter(|outcome| wanted(&outcome.verdict)).count()
    };
    writeln!(
        out,
        "{bold}{}{off}: {} passed, {} failed, {} not applicable, {} unknown\n",
        plural(host.outcomes.len(), "rule"),
        count(|verdict| matches!(verdict, Verdict::Pass)),
        count(|verdict| matches!(verdict, Verdict::Fail)),
        count(|verdict| matches!(verdict, Verdict::NotApplicable(_))),
        count(|verdict| matches!(verdict, Verdict::Unknown(_))),
    )
}

/// A line for one of many hosts.
fn in_short(host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    let of = |severity| host.findings.iter().filter(|f| f.severity == severity).count();
    let unknown = host.outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Unknown(_))).count();
    writeln!(
        out,
        "{:>6}{:>6}{:>6}{:>6}{unknown:>6}  {} ({})",
        of(Severity::High),
        of(Severity::Medium),
        of(Severity::Low),
        of(Severity::Informational) + of(Severity::Undefined),
        escape(&host.asset.hostname),
        escape(&host.snapshot),
    )
}

/// The findings that most hosts share.
fn found_most(summary: &Summary, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let (bold, off) = (paint.bold(), paint.off());
    let mut common: Vec<_> = summary.found.iter().collect();
    // Those that stand on equally many hosts stay in the order of their rules.
    common.sort_by_key(|(_, (hosts, _))| std::cmp::Reverse(*hosts));
    writeln!(out, "\n{bold} Hosts  Found most{off}")?;
    for ((_, name), (hosts, severity)) in common.into_iter().take(20) {
        let (colour, label) = (paint.severity(*severity), severity.name());
        writeln!(out, "{hosts:>6}  {colour}{label:<13}{off} {}", escape(name))?;
    }
    Ok(())
}
