//! JUnit's XML as build servers read it: a test suite for each host and rules package, a test case
//! for each finding and for each rule that has none.
//!
//! What could not be judged is a skipped case that says why; a snapshot that could not be read is an
//! error. Waived and known findings are skipped, because they stop no build.

use std::io::{self, Write};

use quick_xml::escape::escape as xml;

use super::{Emitter, Pieces, escape, time};
use crate::model::finding::{Finding, HostReport, RulesPackage, Status, Verdict};
use crate::model::summary::Summary;

pub(super) const PIECES: Pieces = Pieces { first, host, all, last, separator: "" };

/// Text for an attribute: on one line, and of characters that XML can hold.
fn value(text: &str) -> String {
    let text = escape(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    xml(text.as_str()).into_owned()
}

/// Text of several lines.
fn lines(text: &str) -> String {
    text.lines().map(value).collect::<Vec<_>>().join("\n")
}

fn first(_: &Emitter, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"assay\">")
}

fn last(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</testsuites>")
}

fn host(emitter: &Emitter, host: &HostReport, out: &mut dyn Write) -> io::Result<()> {
    for package in RulesPackage::ALL {
        let of_package =
            |rule: usize| emitter.rules.get(rule).is_some_and(|rule| rule.package == package);
        let mut suite = Suite::default();
        for found in host.findings.iter().filter(|found| of_package(found.rule)) {
            suite.finding(emitter, host, found);
        }
        for outcome in host.outcomes.iter().filter(|outcome| of_package(outcome.rule)) {
            suite.outcome(emitter, host, outcome.rule, &outcome.verdict);
        }
        if suite.tests > 0 {
            suite.write(host, package, out)?;
        }
    }
    Ok(())
}

fn all(_: &Emitter, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let refused = summary.refused.len();
    if refused == 0 {
        return Ok(());
    }
    writeln!(
        out,
        " <testsuite name=\"not judged\" tests=\"{refused}\" failures=\"0\" errors=\"{refused}\" skipped=\"0\">"
    )?;
    for refusal in &summary.refused {
        writeln!(
            out,
            "  <testcase classname=\"assay\" name=\"{}\"><error message=\"{}\"/></testcase>",
            value(&refusal.snapshot),
            value(&refusal.reason)
        )?;
    }
    writeln!(out, " </testsuite>")
}

/// The cases of one host and package.
#[derive(Default)]
struct Suite {
    tests: usize,
    failures: usize,
    skipped: usize,
    cases: String,
}

impl Suite {
    fn case(&mut self, host: &HostReport, rule: &str, name: &str, inside: &str) {
        self.tests += 1;
        let class = format!("{}.{rule}", host.asset.hostname);
        self.cases += &format!(
            "  <testcase classname=\"{}\" name=\"{}\" time=\"0\">{inside}</testcase>\n",
            value(&class),
            value(name)
        );
    }

    fn skip(&mut self, host: &HostReport, rule: &str, name: &str, why: &str) {
        self.skipped += 1;
        self.case(host, rule, name, &format!("<skipped message=\"{}\"/>", value(why)));
    }

    fn finding(&mut self, emitter: &Emitter, host: &HostReport, found: &Finding) {
        let Some(rule) = emitter.rules.get(found.rule) else { return };
        let name = if rule.title == found.id { rule.name() } else { found.id.to_string() };
        let mut text = String::new();
        for evidence in &found.evidence {
            let (found, wanted) = (&evidence.observed, &evidence.expected);
            text += &value(&format!("{evidence}: found {found}; required: {wanted}"));
            text.push('\n');
        }
        text += &lines(&found.recommendation);
        let message = format!("{}: {}", found.severity.name(), found.title);
        match found.status {
            Status::Open => {
                self.failures += 1;
                let (message, kind) = (value(&message), found.severity.name());
                let inside =
                    format!("<failure type=\"{kind}\" message=\"{message}\">{text}</failure>");
                self.case(host, &rule.id, &name, &inside);
            }
            Status::Waived | Status::Known => {
                let why = format!("{}: {message}", found.status.name());
                self.skipped += 1;
                let why = value(&why);
                let inside = format!("<skipped message=\"{why}\"/><system-out>{text}</system-out>");
                self.case(host, &rule.id, &name, &inside);
            }
        }
    }

    /// A rule without finding.
    fn outcome(&mut self, emitter: &Emitter, host: &HostReport, rule: usize, verdict: &Verdict) {
        let Some(rule) = emitter.rules.get(rule) else { return };
        match verdict {
            Verdict::Fail => {}
            Verdict::Pass => self.case(host, &rule.id, &rule.name(), ""),
            Verdict::NotApplicable(reason) => {
                self.skip(host, &rule.id, &rule.name(), &format!("not applicable: {reason}"));
            }
            Verdict::Unknown(reason) => {
                self.skip(host, &rule.id, &rule.name(), &format!("unknown: {reason}"));
            }
        }
    }

    fn write(
        &self,
        host: &HostReport,
        package: RulesPackage,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (name, version) = (package.name(), package.version());
        let at = time::rfc3339(host.collected_at);
        let timestamp = match host.collected_at.0 {
            0 => String::new(),
            _ => format!(" timestamp=\"{}\"", at.trim_end_matches('Z')),
        };
        writeln!(
            out,
            " <testsuite name=\"{name}-{version}: {}\" hostname=\"{}\"{timestamp} \
             tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">",
            value(&host.snapshot),
            value(&host.asset.hostname),
            self.tests,
            self.failures,
            self.skipped,
        )?;
        write!(out, "{}", self.cases)?;
        writeln!(out, " </testsuite>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out() {
        assert_eq!(value("\"<a>&'\n\x1b\u{ffff}"), "&quot;&lt;a&gt;&amp;&apos;\\n\\u{1b}\u{fffd}");
        assert_eq!(lines("a\n <b>"), "a\n &lt;b&gt;");
    }
}
